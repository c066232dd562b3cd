"""Recommendation: algorithms propose candidates, one function ranks them.

Works on any DataFrame with the columns named, on any Spark session: no table, catalogue or Delta is needed.
"""

from personalake.recommend.als import Als, FittedAls
from personalake.recommend.blend import blend
from personalake.recommend.content import ContentBased, FittedContentBased
from personalake.recommend.ease import Ease, FittedEase
from personalake.recommend.item_cosine import FittedItemCosine, ItemCosine
from personalake.recommend.model import Algorithm, Fitted
from personalake.recommend.popular import FittedPopular, Popular
from personalake.recommend.trending import Trending
from personalake.recommend.user_knn import FittedUserKnn, UserKnn

__all__ = [
    "Algorithm",
    "Als",
    "ContentBased",
    "Ease",
    "Fitted",
    "FittedAls",
    "FittedContentBased",
    "FittedEase",
    "FittedItemCosine",
    "FittedPopular",
    "FittedUserKnn",
    "ItemCosine",
    "Popular",
    "Trending",
    "UserKnn",
    "blend",
]
