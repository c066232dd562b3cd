"""Every way to make segments that conf can name, by its `kind`: adding one is its module and one line here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from personalake.segments.kmeans import BisectingKmeans, GaussianMixture, Kmeans
from personalake.segments.rfm_grid import RfmGrid
from personalake.segments.tree import TreeSegments

AnyMethod = Annotated[Kmeans | BisectingKmeans | GaussianMixture | RfmGrid | TreeSegments, Field(discriminator="kind")]


def default_methods() -> dict[str, AnyMethod]:
    """One of each kind, called by its kind."""
    methods = (Kmeans(), BisectingKmeans(), GaussianMixture(), RfmGrid(), TreeSegments())
    return {method.kind: method for method in methods}
