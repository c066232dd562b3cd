"""Sample logs of six platforms with a known truth, made by Spark: the same arguments give the same files."""

from personalake.sample.write import write_sample

__all__ = ["write_sample"]
