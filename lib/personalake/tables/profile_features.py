"""The catalogue of profile features: name, type, meaning, unit, window and how each is computed, said once.

The columns of `profiles`, their computation, the data dictionary, the segments' preparation and the tag rules all read
this list. Its parts are in `tables.features`.
"""

from __future__ import annotations

from personalake.tables.features.buying import BASKET, MONEY, PATHS, PRICE, RECENCY, REGULARITY
from personalake.tables.features.checks import checked
from personalake.tables.features.coming import CAMPAIGNS, DEVICES, EXPERIENCE, FREQUENCY, HABITS
from personalake.tables.features.liking import DEMOGRAPHY, LIFETIME, LISTS, NOVELTY, RFM, TASTES
from personalake.tables.features.rows import ROWS
from personalake.tables.features.spec import Feature

__all__ = ["CATALOGUE", "COLUMNS", "DEMOGRAPHY", "FEATURES", "FEATURE_BY_NAME", "LIFETIME"]

CATALOGUE: tuple[Feature, ...] = checked(
    (
        *RECENCY, *REGULARITY, *FREQUENCY, *MONEY, *BASKET, *PRICE, *PATHS, *DEVICES, *HABITS, *CAMPAIGNS, *TASTES,
        *NOVELTY, *EXPERIENCE, *DEMOGRAPHY, *RFM, *LIFETIME, *LISTS,
    ),
    ROWS,
)  # fmt: skip
"""Every feature, with the steps on the way to them."""

COLUMNS: tuple[Feature, ...] = tuple(feature for feature in CATALOGUE if feature.is_column)
"""The columns of profiles."""

FEATURES: tuple[Feature, ...] = tuple(feature for feature in COLUMNS if feature not in LISTS)
"""Those of one value, which conditions, thresholds and segments can speak of."""

FEATURE_BY_NAME: dict[str, Feature] = {feature.name: feature for feature in FEATURES}
