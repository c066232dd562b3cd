"""spark-submit jobs/build_tags.py … does what `personalake tags …` does, with the same options."""

import sys

from personalake.cli import main

main(["tags", *sys.argv[1:]])
