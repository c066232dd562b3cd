"""Tags by rules in conf: who has which, why, and since when."""

from __future__ import annotations

from personalake.tags.rules import load_rules, parse_rules
from personalake.tags.settings import Tags
from personalake.tags.tag import build_tags
from personalake.tags.thresholds import fit_thresholds
from personalake.tags.tree import Rule

__all__ = ["Rule", "Tags", "build_tags", "fit_thresholds", "load_rules", "parse_rules"]
