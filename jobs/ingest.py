"""spark-submit jobs/ingest.py … does what `personalake ingest …` does, with the same options."""

import sys

from personalake.cli import main

main(["ingest", *sys.argv[1:]])
