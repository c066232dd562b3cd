"""How lists are blended, learned from what was taken up on the last days before a day."""

from __future__ import annotations

from datetime import date

from personalake.evaluate.split import relevant_pairs, split_by_time
from personalake.job import Job
from personalake.profiles.interactions import build_interactions
from personalake.recommend.build import fit_blend
from personalake.recommend.learned import Ranker
from personalake.stages.asking import audience_columns, persons_before
from personalake.stages.known import catalogue_as_of
from personalake.tables.profiles import PERSON_ITEM_DAYS


def learned_blend(job: Job, as_of: date) -> Ranker | None:
    """The ranker as of a day: everything it is trained on happened before; None where conf does not ask for one."""
    settings = job.settings.recommend
    if settings.blend.method != "learned":
        return None
    split = split_by_time(job.read(PERSON_ITEM_DAYS), as_of, settings.blend.learned.days)
    before = job.put_down(build_interactions(split.train, split.train_as_of, job.settings.profiles), f"before-{as_of}")
    weights = job.settings.profiles.event_weights
    after = split.test.where(split.test["event_type"].isin([verb for verb, weight in weights.items() if weight > 0]))
    items = catalogue_as_of(job, split.train_as_of)
    pairs = relevant_pairs(after, before, only_new=settings.exclude_seen)
    # The lists learned from must be made within the same audiences as those that are ranked.
    columns = audience_columns(settings, settings.blended)
    persons = persons_before(job, split.train_as_of, columns) if columns else None
    return fit_blend(before, pairs, settings, items, persons)
