"""spark-submit jobs/run_flow.py … does what `personalake run …` does, with the same options."""

import sys

from personalake.cli import main

main(["run", *sys.argv[1:]])
