"""spark-submit jobs/build_profiles.py … does what `personalake profiles …` does, with the same options."""

import sys

from personalake.cli import main

main(["profiles", *sys.argv[1:]])
