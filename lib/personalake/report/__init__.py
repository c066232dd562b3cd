"""One offline page that shows what the tables hold."""

from personalake.report.build import build_report
from personalake.report.settings import Report

__all__ = ["Report", "build_report"]
