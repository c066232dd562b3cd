"""Visits, daily roll-ups, interactions and the portrait of a person as of a day."""

from __future__ import annotations

from personalake.profiles.days import build_person_days, build_person_item_days, build_person_word_days
from personalake.profiles.index import with_index
from personalake.profiles.interactions import build_interactions, interactions_by_person_item
from personalake.profiles.profile import Known, RollUps, build_profiles
from personalake.profiles.sessions import build_sessions, sessions_as_of
from personalake.profiles.settings import Profiles

__all__ = [
    "Known",
    "Profiles",
    "RollUps",
    "build_interactions",
    "build_person_days",
    "build_person_item_days",
    "build_person_word_days",
    "build_profiles",
    "build_sessions",
    "interactions_by_person_item",
    "sessions_as_of",
    "with_index",
]
