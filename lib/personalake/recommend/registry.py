"""Every algorithm that conf can name, by its `kind`: adding one is its module and one line here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from personalake.recommend.als import Als
from personalake.recommend.content import ContentBased
from personalake.recommend.ease import Ease
from personalake.recommend.item_cosine import ItemCosine
from personalake.recommend.popular import Popular
from personalake.recommend.trending import Trending
from personalake.recommend.user_knn import UserKnn

AnyAlgorithm = Annotated[
    ItemCosine | Als | Ease | ContentBased | Popular | Trending | UserKnn, Field(discriminator="kind")
]
