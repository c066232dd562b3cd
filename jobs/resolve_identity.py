"""spark-submit jobs/resolve_identity.py … does what `personalake identity …` does, with the same options."""

import sys

from personalake.cli import main

main(["identity", *sys.argv[1:]])
