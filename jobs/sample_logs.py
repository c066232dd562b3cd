"""spark-submit jobs/sample_logs.py … does what `personalake sample …` does, with the same options."""

import sys

from personalake.cli import main

main(["sample", *sys.argv[1:]])
