"""Segments that are the leaves of a decision tree: each is a rule that tells who does, or will do, something."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field
from pyspark.ml.functions import array_to_vector
from pyspark.ml.regression import DecisionTreeRegressor
from pyspark.sql import functions as F

from personalake.segments.placement import Leaves, Placement
from personalake.segments.points import Effort, Points
from personalake.settings import Section


class TreeSegments(Section):
    """Leaves of a regression tree (Breiman et al. 1984) on a predicted probability, or on one number of profiles.

    On a probability it is the propensity model told in few rules: who is where is likely to do it, for want of a day
    on which all that is known could be asked what came after. A person whom the model was not asked about counts as 0.
    """

    kind: Literal["tree"] = "tree"
    has_k: ClassVar[bool] = False

    target: str = Field(
        "prediction.buys_30d", description="What the leaves tell apart: prediction.TARGET, or a number of profiles"
    )
    leave_out: tuple[str, ...] = Field(
        (), description="Features that say the same as the target, so no split may use them; the target itself is one"
    )
    depth: int = Field(3, ge=1, le=6, description="Most questions on the way to a leaf")
    min_share: float = Field(0.03, gt=0, le=0.5, description="A leaf has at least this share of the persons")

    @property
    def raw_columns(self) -> tuple[str, ...]:
        """The target."""
        return (self.target,)

    @property
    def predicted(self) -> str | None:
        """The target of predict whose probability it is; None where it is a number of profiles."""
        kind, _, name = self.target.partition(".")
        return name if kind == "prediction" and name else None

    def usable(self, features: tuple[str, ...]) -> tuple[int, ...]:
        """Places of the features that a split may use."""
        return tuple(n for n, name in enumerate(features) if name not in (self.target, *self.leave_out))

    def fit(self, points: Points, k: int, effort: Effort) -> Placement:
        """Grow the tree.

        Args:
            points: the persons; raw holds the target, null counts as 0.
            k: of no use: depth and min_share decide how many leaves there are.
            effort: the seed, by which MLlib draws thresholds to try where persons are many.
        """
        places = self.usable(points.names)
        if points.person_count < 2 or not places:
            return Leaves(((),))
        chosen = F.array(*[F.col("features")[place] for place in places])
        rows = points.frame.select(
            array_to_vector(chosen).alias("vector"), F.coalesce(F.col("raw")[0], F.lit(0.0)).alias("target")
        )
        fewest = max(1, round(self.min_share * points.person_count))
        tree = DecisionTreeRegressor(
            featuresCol="vector", labelCol="target", maxDepth=self.depth, minInstancesPerNode=fewest, seed=effort.seed
        )
        return Leaves(tuple(_rules(tree.fit(rows)._java_obj.rootNode(), places, ())))


def _rules(
    node: Any, places: tuple[int, ...], before: tuple[tuple[int, float, bool], ...]
) -> list[tuple[tuple[int, float, bool], ...]]:
    """The conditions of every leaf below a node of MLlib's, left to right."""
    if node.getClass().getSimpleName() == "LeafNode":
        return [before]
    split = node.split()
    place, threshold = places[split.featureIndex()], float(split.threshold())
    left, right = (*before, (place, threshold, False)), (*before, (place, threshold, True))
    return [*_rules(node.leftChild(), places, left), *_rules(node.rightChild(), places, right)]
