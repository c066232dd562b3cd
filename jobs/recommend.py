"""spark-submit jobs/recommend.py … does what `personalake recommend …` does, with the same options."""

import sys

from personalake.cli import main

main(["recommend", *sys.argv[1:]])
