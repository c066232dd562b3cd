"""Portraits as of any day, from roll-ups: today's are published, earlier ones are what predictions are learned on."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.identity.whose import person_events
from personalake.job import Job
from personalake.lifetime import (
    Fit,
    FittedLifetime,
    calibration_by_frequency,
    fit_lifetime,
    order_histories,
    with_lifetime,
)
from personalake.lifetime.metrics import calibration_metrics, lifetime_metrics
from personalake.profiles.profile import Known, RollUps, build_profiles
from personalake.profiles.sessions import sessions_as_of
from personalake.stages.known import customers_as_of, day_start, items_as_of
from personalake.tables.identity import IDENTITY_MAP
from personalake.tables.profile_features import LIFETIME
from personalake.tables.profiles import PERSON_DAYS, PERSON_ITEM_DAYS, PERSON_WORD_DAYS, SESSIONS

_EXPECTED = frozenset(feature.name for feature in LIFETIME)


def profiles_as_of(job: Job, day: date, fitted: FittedLifetime) -> DataFrame:
    """Rows of PROFILES as of a day: everything before it, nothing from it on.

    Args:
        job: of a stage that reads or writes the roll-ups.
        day: the day.
        fitted: what `lifetime_as_of` gave for the day.
    """
    return with_lifetime(_portraits(job, day), fitted, day, job.settings.lifetime)


def earlier_profiles(job: Job, day: date, features: Collection[str] = ()) -> DataFrame:
    """Rows of PROFILES as of an earlier day, lifetime models fitted on what was known then.

    Args:
        job: of a stage that reads the roll-ups.
        day: the day.
        features: those wanted, besides person_id and as_of_date; empty is all.

    Cost:
        That of `build_profiles` for these features; where one of the lifetime models is wanted, the whole portrait and
        the fits.
    """
    if features and not _EXPECTED & {*features}:
        return _portraits(job, day, features)
    profiles = profiles_as_of(job, day, lifetime_as_of(job, orders_as_of(job, day), day))
    return profiles.select("person_id", "as_of_date", *sorted(features)) if features else profiles


def _portraits(job: Job, day: date, features: Collection[str] = ()) -> DataFrame:
    visits = person_events(sessions_as_of(job.read(SESSIONS), day), job.read(IDENTITY_MAP))
    rolled = RollUps(job.read(PERSON_DAYS), job.read(PERSON_ITEM_DAYS), job.read(PERSON_WORD_DAYS), visits)
    # Who first signed in later was nobody's customer then: their record would tell that they came back.
    had_come = F.coalesce(F.col("linked_at") < day_start(day, job.settings.time_zone), F.lit(True))
    known = Known(items_as_of(job, day), customers_as_of(job, day), job.read(IDENTITY_MAP).where(had_come))
    return build_profiles(rolled, known, day, job.settings.profiles, features)


def orders_as_of(job: Job, day: date) -> DataFrame:
    """The buyers' histories before a day, put down: the fits and what they are held against read them again."""
    return job.put_down(order_histories(job.read(PERSON_DAYS), day), f"orders-{day}")


def lifetime_as_of(job: Job, orders: DataFrame, day: date) -> FittedLifetime:
    """The lifetime models, fitted on what was known at the start of a day.

    Args:
        job: whose settings count.
        orders: what `orders_as_of` gave for the day.
        day: the day.
    """
    settings = job.settings.lifetime
    if settings.is_on:
        return fit_lifetime(orders, day, settings)
    off = Fit({}, None, 0, "lifetime.is_on is false")
    return FittedLifetime(off, off, settings.period_days)


def lifetime_quality(job: Job, orders: DataFrame, fitted: FittedLifetime) -> DataFrame:
    """Rows of MODEL_METRICS: the parameters of today's fit, and how an earlier fit's expectations held since.

    Args:
        job: of the stage profiles.
        orders: what `orders_as_of` gave for today.
        fitted: today's fit.
    """
    days = job.settings.lifetime.calibration_days
    told = lifetime_metrics(job.spark, fitted, job.as_of)
    if not days or not fitted.purchases.parameters:
        return told
    border = job.as_of - timedelta(days=days)
    before = orders_as_of(job, border)
    earlier = lifetime_as_of(job, before, border)
    if not earlier.purchases.parameters:
        job.note(bg_nbd_not_measured=f"as of {border}: {earlier.purchases.reason}")
        return told
    held = calibration_by_frequency(before, orders, earlier, border, days)
    return told.unionByName(calibration_metrics(held, job.as_of))
