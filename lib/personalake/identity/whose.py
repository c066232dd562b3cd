"""Whose event it was."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.tables.identity import DEVICE, LOGIN


def person_events(events: DataFrame, identity_map: DataFrame) -> DataFrame:
    """Events with the person who did them: the person of the login_id, else of the device_id.

    Args:
        events: reads login_id, device_id; keeps all columns.
        identity_map: reads identifier_kind, identifier, person_id; made from these events or more of them.

    Returns:
        The events + person_id. Events that show neither login nor device, and those the map does not know yet, are
        left out; `anonymous_events` are the former.

    Cost:
        One join: an event needs either its login or its device, never both.
    """
    known = identity_map.where(F.col("identifier_kind").isin(LOGIN, DEVICE)).select(
        F.col("identifier_kind").alias("_kind"), F.col("identifier").alias("_identifier"), "person_id"
    )
    kind = F.when(F.col("login_id").isNotNull(), F.lit(LOGIN)).otherwise(F.lit(DEVICE))
    return (
        events.withColumn("_kind", kind)
        .withColumn("_identifier", F.coalesce("login_id", "device_id"))
        # The identifier first: a sort by the few kinds before it compares most rows twice.
        .join(known, ["_identifier", "_kind"], how="inner")
        .drop("_kind", "_identifier")
    )


def anonymous_events(events: DataFrame) -> DataFrame:
    """Events that show neither a login nor a device: nobody's."""
    return events.where(F.col("login_id").isNull() & F.col("device_id").isNull())
