"""Business rules on lists: read from YAML, checked whole before Spark starts, compiled to columns."""

from __future__ import annotations

from personalake.recommend.rules.load import load_rules, parse_rules
from personalake.recommend.rules.ruleset import DEFAULT_RULES, Ruleset
from personalake.recommend.rules.settings import Rules

__all__ = ["DEFAULT_RULES", "Rules", "Ruleset", "load_rules", "parse_rules"]
