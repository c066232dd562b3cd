"""Who would want an item: as the configured algorithms say, of those that the rules let it be suggested to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.recommend.checks import PAIR
from personalake.recommend.content import ContentBased
from personalake.recommend.item_cosine import FittedItemCosine, ItemCosine
from personalake.recommend.model import Fitted
from personalake.recommend.popular import AudienceList
from personalake.recommend.request import Request
from personalake.recommend.rules.exclusions import RULE, with_removing_rule
from personalake.recommend.settings import Recommend

OPTED_OUT, MET = "opted_out", "met"


def audiences_of_item(
    item_id: str,
    limit: int,
    interactions: DataFrame,
    neighbours: DataFrame,
    settings: Recommend,
    request: Request,
    persons: DataFrame,
) -> Iterator[DataFrame]:
    """The persons who would want an item most, as each algorithm in turn says: take the first answer with rows.

    The algorithms that are blended are asked. Item cosine goes by the neighbours as they were published; the others are
    fitted when their turn comes, those that go by who met the item only where somebody did. Last, its content speaks:
    the catalogue is compared with histories.

    Args:
        item_id: the item.
        limit: persons, ≥ 1.
        interactions: what was fitted on: person_id, item_id, weight, last_at.
        neighbours: the table item_neighbours.
        settings: the section recommend, the one published with.
        request: whose catalogue counts.
        persons: person_id to choose from, as `persons_for_item` leaves them.

    Yields:
        audience_rank (int, from 1: by falling score, then person_id), person_id, score, source (the algorithm's name);
        no rows where it has nothing to say of the item. To be read before the next one is asked for.

    Cost:
        Published neighbours: one pass over interactions; only rows of neighbours are shuffled. Else a fit of each
        algorithm that is asked, and the scores of all persons for the item.
    """
    asked = interactions.sparkSession.createDataFrame([(item_id,)], "item_id string")
    nobody = interactions.select(*PAIR).limit(0)
    for name, model in _models(item_id, interactions, neighbours, request.items, settings):
        # Whom it may be suggested to was settled before, also where they met it and may meet it again.
        found = model.audience(asked, limit, persons, nobody)
        try:
            yield found.select("audience_rank", "person_id", "score", F.lit(name).alias("source"))
        finally:
            model.unpersist()


def persons_for_item(item_id: str, interactions: DataFrame, settings: Recommend, request: Request) -> DataFrame:
    """Of everyone eligible, who may be suggested an item, and why the others may not.

    Args:
        item_id: the item.
        interactions: person_id, item_id of what was met.
        settings: the section recommend.
        request: persons, items and rules.

    Returns:
        person_id, left_out_by: null where nothing speaks against it; else the first of opted_out, the code of the rule
        on items or persons, the code of the rule on what was bought, met.

    Cost:
        Joins by person with who met or bought the item, and with who opted out.
    """
    is_it = F.col("item_id") == F.lit(item_id)
    item_type = interactions.schema["item_id"].dataType
    asked = request.ids.withColumn("item_id", F.lit(item_id).cast(item_type))
    told = with_removing_rule(
        asked, request.rules, request.known_persons, request.items, request.closed(interactions).where(is_it)
    )
    bought = None if request.bought is None else request.bought.where(is_it)
    mine = replace(request, bought=bought)
    masked = mine.mask(interactions.where(is_it), settings.exclude_seen)
    told = _marked(told, masked, MET)
    if bought is not None and request.rules.bought is not None:
        told = _marked(told, mine.bought_or_not().where("is_kept_out"), request.rules.bought.code, "_bought")
    if request.opted_out is not None:
        told = _marked(told, request.opted_out, OPTED_OUT)
    reasons = [name for name in (OPTED_OUT, RULE, "_bought", MET) if name in told.columns]
    return told.select("person_id", F.coalesce(*reasons).alias("left_out_by"))


def _marked(persons: DataFrame, marked: DataFrame, word: str, column: str = "") -> DataFrame:
    """The rows plus a column that holds a word for some of the persons."""
    flags = marked.select("person_id").distinct().withColumn(column or word, F.lit(word))
    return persons.join(flags, on="person_id", how="left")


def _models(
    item_id: str, interactions: DataFrame, neighbours: DataFrame, items: DataFrame | None, settings: Recommend
) -> Iterator[tuple[str, Fitted]]:
    """The models that may know an item, each fitted when it is asked for."""
    is_met = not interactions.where(F.col("item_id") == F.lit(item_id)).isEmpty()
    algorithms = {name: settings.algorithms[name] for name in settings.blended}
    for name, algorithm in algorithms.items():
        if isinstance(algorithm, ItemCosine):
            published = _by_neighbours(item_id, interactions, neighbours, name, algorithm)
            if published is not None:
                yield name, published
        elif isinstance(algorithm, ContentBased):
            if items is not None:
                yield name, algorithm.fit(interactions, check=False, items=items)
        elif is_met and not isinstance(algorithm, AudienceList):
            yield name, algorithm.fit(interactions, check=False, items=items)
    if items is not None and not any(isinstance(algorithm, ContentBased) for algorithm in algorithms.values()):
        own = {name: each for name, each in settings.algorithms.items() if isinstance(each, ContentBased)}
        name, content = next(iter(own.items()), ("content_based", ContentBased()))
        yield name, content.fit(interactions, check=False, items=items)


def _by_neighbours(
    item_id: str, interactions: DataFrame, neighbours: DataFrame, name: str, algorithm: ItemCosine
) -> Fitted | None:
    """The neighbours that were published of the item, as a model of these alone; None where there are none."""
    near = neighbours.where((F.col("method") == F.lit(name)) & _about(item_id)).drop("method")
    if near.isEmpty():
        return None
    touched = near.select(F.explode(F.array("item_id", "neighbour_id")).alias("item_id")).distinct()
    rows = interactions.join(F.broadcast(touched), on="item_id", how="left_semi").select(*PAIR, "weight")
    return FittedItemCosine(algorithm, rows, near)


def _about(item_id: str) -> Column:
    return (F.col("item_id") == F.lit(item_id)) | (F.col("neighbour_id") == F.lit(item_id))
