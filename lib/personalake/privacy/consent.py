"""Who has said yes or no to what, as of a moment."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

GRANTED = "granted"


def consent_by_person(consents: DataFrame, identity_map: DataFrame, purpose: str, moment: Column) -> DataFrame:
    """What each person says to a purpose at a moment; the strictest of the person's identifiers counts.

    Args:
        consents: identifier_kind, identifier, purpose, state, effective_at, expires_at [UTC], consent_id.
        identity_map: identifier_kind, identifier, person_id.
        purpose: what for.
        moment: when; consents that took effect before it count.

    Returns:
        person_id, is_granted: false where any identifier's last word is no, or a yes that has expired. Persons who
        never said anything have no row.

    Cost:
        One shuffle of the purpose's consents by identifier, one join with the map, one shuffle by person.
    """
    words = consent_by_identifier(consents, purpose, moment)
    known = identity_map.select("identifier_kind", "identifier", "person_id")
    joined = words.join(known, on=["identifier_kind", "identifier"], how="inner")
    return joined.groupBy("person_id").agg(F.bool_and("is_granted").alias("is_granted"))


def consent_by_identifier(consents: DataFrame, purpose: str, moment: Column) -> DataFrame:
    """The last word of each identifier on a purpose, at a moment.

    Args:
        consents: as in `consent_by_person`.
        purpose: what for.
        moment: when; consents that took effect before it count.

    Returns:
        identifier_kind, identifier, is_granted: false where the last word is no, or a yes that has expired.

    Cost:
        One shuffle of the purpose's consents by identifier.
    """
    # Of several words at one moment the strictest stands: "granted" sorts after "denied" only when reversed.
    newest = Window.partitionBy("identifier_kind", "identifier").orderBy(
        F.col("effective_at").desc(), (F.col("state") == GRANTED).asc(), "consent_id"
    )
    said = consents.where((F.col("purpose") == purpose) & (F.col("effective_at") < moment))
    last = said.withColumn("_order", F.row_number().over(newest)).where("_order = 1")
    holds = (F.col("state") == GRANTED) & F.coalesce(F.col("expires_at") > moment, F.lit(True))
    return last.select("identifier_kind", "identifier", holds.alias("is_granted"))


def persons_without_consent(
    persons: DataFrame, consents: DataFrame, identity_map: DataFrame, purpose: str, moment: Column, is_required: bool
) -> DataFrame:
    """Of some persons those for whom a purpose may not be served.

    Args:
        persons: person_id.
        consents: as in `consent_by_person`.
        identity_map: as there.
        purpose: what for.
        moment: when.
        is_required: whether saying nothing means no.

    Returns:
        person_id.
    """
    said = consent_by_person(consents, identity_map, purpose, moment)
    allowed = F.coalesce("is_granted", F.lit(not is_required))
    return persons.select("person_id").join(said, on="person_id", how="left").where(~allowed).select("person_id")
