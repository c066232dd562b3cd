"""What besides the sightings decides about links: declared evidence, an operator's cuts, consent to be linked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.identity.sides import as_end, end_of

PARTS = 1000  # weights are counted in whole thousandths: sums of them do not depend on their order


@dataclass(frozen=True)
class Evidence:
    """What is known of links besides the sightings.

    Args:
        weights: source → kind of evidence → how much it counts (0 to 1). A source that is named shows nothing but
            what it declares; one that is not shows everything, at 1.
        cuts: left_kind, left_identifier, right_kind, right_identifier: pairs an operator called wrong, in any order;
            None for none.
        words: identifier_kind, identifier, is_granted: what identifiers say to being linked; None for nothing.
        needs_word: whether a link needs one end that said yes.
    """

    weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    cuts: DataFrame | None = None
    words: DataFrame | None = None
    needs_word: bool = False


def evidence_parts(weights: Mapping[str, Mapping[str, float]], kind: Column) -> Column:
    """How much a sighting's evidence counts [thousandths]; 0 where its source declares other evidence than this."""
    if not weights:
        return F.lit(PARTS)
    parts: Column | None = None
    for source, declared in sorted(weights.items()):
        own = F.lit(0)
        for name, weight in sorted(declared.items()):
            own = F.when(kind == name, F.lit(round(weight * PARTS))).otherwise(own)
        is_it = F.col("source") == source
        parts = F.when(is_it, own) if parts is None else parts.when(is_it, own)
    return F.lit(PARTS) if parts is None else parts.otherwise(F.lit(PARTS))


def with_cut(pairs: DataFrame, cuts: DataFrame | None) -> DataFrame:
    """Adds _is_cut: an operator called the pair wrong.

    Args:
        pairs: both ends of links, left_… and right_….
        cuts: as in `Evidence`; few, so they are sent to every task.
    """
    ends = (*end_of("left"), *end_of("right"))
    if cuts is None:
        return pairs.withColumn("_is_cut", F.lit(False))
    turned = cuts.select(*[F.col(_other_side(end)).alias(end) for end in ends])
    both = cuts.select(*ends).unionByName(turned).distinct().withColumn("_named", F.lit(True))
    joined = pairs.join(F.broadcast(both), [*ends], how="left")
    return joined.withColumn("_is_cut", F.coalesce("_named", F.lit(False))).drop("_named")


def with_consent(pairs: DataFrame, words: DataFrame | None, needs_word: bool) -> DataFrame:
    """Adds _may_link: neither end said no to being linked and, where it is needed, one said yes.

    Args:
        pairs: both ends of links, left_… and right_….
        words: as in `Evidence`.
        needs_word: as there.

    Cost:
        Two joins by identifier; none where nobody said anything.
    """
    if words is None:
        return pairs.withColumn("_may_link", F.lit(not needs_word))
    for side in ("left", "right"):
        said = as_end(words, side, F.col("is_granted").alias(f"_{side}_word"))
        pairs = pairs.join(said, end_of(side), how="left")
    no = F.coalesce(~F.col("_left_word"), F.lit(False)) | F.coalesce(~F.col("_right_word"), F.lit(False))
    yes = F.coalesce("_left_word", F.lit(False)) | F.coalesce("_right_word", F.lit(False))
    return pairs.withColumn("_may_link", ~no & (yes | F.lit(not needs_word))).drop("_left_word", "_right_word")


def _other_side(end: str) -> str:
    return end.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")
