"""Every algorithm that conf can name, by its `kind`: adding one is its module and one line here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from personalake.recommend.als import Als
from personalake.recommend.item_cosine import ItemCosine
from personalake.recommend.popular import Popular

AnyAlgorithm = Annotated[ItemCosine | Als | Popular, Field(discriminator="kind")]
