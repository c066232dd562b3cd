"""spark-submit jobs/report.py … does what `personalake report …` does, with the same options."""

import sys

from personalake.cli import main

main(["report", *sys.argv[1:]])
