"""spark-submit jobs/predict.py … does what `personalake predict …` does, with the same options."""

import sys

from personalake.cli import main

main(["predict", *sys.argv[1:]])
