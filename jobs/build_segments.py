"""spark-submit jobs/build_segments.py … does what `personalake segments …` does, with the same options."""

import sys

from personalake.cli import main

main(["segments", *sys.argv[1:]])
