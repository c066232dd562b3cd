"""Recommendation: algorithms propose candidates, one function ranks them.

Works on any DataFrame with the columns named, on any Spark session: no table, catalogue or Delta is needed.
"""

from personalake.recommend.als import Als, FittedAls
from personalake.recommend.blend import blend
from personalake.recommend.item_cosine import FittedItemCosine, ItemCosine
from personalake.recommend.model import Algorithm, Fitted
from personalake.recommend.popular import FittedPopular, Popular

__all__ = [
    "Algorithm",
    "Als",
    "Fitted",
    "FittedAls",
    "FittedItemCosine",
    "FittedPopular",
    "ItemCosine",
    "Popular",
    "blend",
]
