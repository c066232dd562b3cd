"""spark-submit jobs/evaluate.py … does what `personalake evaluate …` does, with the same options."""

import sys

from personalake.cli import main

main(["evaluate", *sys.argv[1:]])
