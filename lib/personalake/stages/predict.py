"""profiles, roll-ups → predictions, prediction_rules, model_metrics: what persons will do next."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.job import Job, Stage
from personalake.manifest import code_version
from personalake.predict.answers import likeliest_class, yes_or_no
from personalake.predict.classifier import Classifier, fit_classifier
from personalake.predict.labels import LABEL, only_asked, with_class
from personalake.predict.measure import Metric, measured
from personalake.predict.rules import build_rules
from personalake.predict.settings import Ahead, Attribute, Kind
from personalake.stages.examples import Examples
from personalake.tables.evaluate import MODEL_METRICS
from personalake.tables.identity import IDENTITY_MAP
from personalake.tables.ingest import CUSTOMER_VERSIONS, EVENTS, ITEM_VERSIONS
from personalake.tables.predictions import PREDICTION_RULES, PREDICTIONS
from personalake.tables.profiles import PERSON_DAYS, PERSON_ITEM_DAYS, PERSON_WORD_DAYS, PROFILES, SESSIONS
from personalake.tables.spec import Table

MOST_CLASSES = 12


@dataclass
class Book:
    """What the models said and how good they are, as it comes in."""

    answers: list[DataFrame] = field(default_factory=list)
    rules: list[DataFrame] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)


def run(job: Job) -> None:
    """Every model asked every target; what cannot be learned is left out, and the run says why."""
    examples, book = Examples(job), Book()
    for name, target in job.settings.predict.targets.items():
        for kind in job.settings.predict.models:
            if isinstance(target, Attribute):
                word = _attribute(job, examples, book, name, target, kind)
            else:
                word = _ahead(job, examples, book, name, target, kind)
            job.note(**{f"{name}_{kind}": word})
    metrics = job.spark.createDataFrame(book.metrics, MODEL_METRICS.row_schema)
    job.replace_where(PREDICTIONS, _together(job, book.answers, PREDICTIONS), {"as_of_date": job.as_of})
    job.replace_where(PREDICTION_RULES, _together(job, book.rules, PREDICTION_RULES), {"as_of_date": job.as_of})
    job.replace_where(MODEL_METRICS, metrics, {"stage": STAGE.name, "as_of_date": job.as_of})


def _ahead(job: Job, examples: Examples, book: Book, name: str, target: Ahead, kind: Kind) -> str:
    """Ask what comes in the next days: learned on the days just past, measured the same way one step earlier."""
    day, earlier = (job.as_of - timedelta(days=target.days * steps) for steps in (1, 2))
    if not examples.is_known(day):
        return f"left out: nothing is known before {day}"
    rows = examples.labelled(target, day)
    classifier = _fitted(job, rows, examples, day, kind)
    if classifier.reason:
        return f"left out: {classifier.reason}"
    scored = job.put_down(
        classifier.with_probability(only_asked(examples.portraits(job.as_of), target)), f"scored-{name}-{kind}"
    )
    version = _version(job, name, kind)
    book.answers.append(yes_or_no(scored, job.as_of, kind, name, version))
    if kind == "decision_tree":
        book.rules.append(build_rules(classifier, scored, job.as_of, name, version))
    if examples.is_known(earlier):
        before = _fitted(job, examples.labelled(target, earlier), examples, earlier, kind)
        if not before.reason:
            return _test(job, book, before, rows, name, kind, f"learned as of {earlier}, tested as of {day}")
    return _test_on_others(job, book, rows, examples, day, name, kind)


# What is known of an attribute just where it is known would give the answer away.
_BESIDE_ATTRIBUTES = ("age_band_origin", "demography_source")


def _attribute(job: Job, examples: Examples, book: Book, name: str, target: Attribute, kind: Kind) -> str:
    """Ask for an attribute of those who did not say it, one class against the rest."""
    settings, today = job.settings.predict, examples.portraits(job.as_of)
    said = today.where(F.col(target.feature).isNotNull()).groupBy(target.feature).count()
    often = said.where(F.col("count") >= settings.least_positives).orderBy(F.col("count").desc(), target.feature)
    classes = tuple(sorted(row[0] for row in often.limit(MOST_CLASSES).collect()))
    if len(classes) < 2:
        return f"left out: {len(classes)} values are said by {settings.least_positives} persons or more"
    lacking = today.where(F.col(target.feature).isNull())
    without = (target.feature, *_BESIDE_ATTRIBUTES)
    version, scored, words = _version(job, name, kind), {}, []
    for place, value in enumerate(classes if len(classes) > 2 else classes[:1]):
        rows, told = with_class(today, target, value), f"{name}={value}"
        classifier = _fitted(job, rows, examples, job.as_of, kind, without)
        if classifier.reason:
            return f"left out: {told}: {classifier.reason}"
        scored[value] = job.put_down(classifier.with_probability(lacking), f"scored-{name}-{kind}-{place}")
        if kind == "decision_tree":
            book.rules.append(build_rules(classifier, scored[value], job.as_of, told, version))
        words.append(_test_on_others(job, book, rows, examples, job.as_of, told, kind, without))
    book.answers.append(likeliest_class(scored, classes, job.as_of, kind, name, version))
    return "; ".join(words)


def _fitted(
    job: Job, rows: DataFrame, examples: Examples, day: date, kind: Kind, without: tuple[str, ...] = ()
) -> Classifier:
    return fit_classifier(rows, examples.encoding(day, without), kind, job.settings.predict, job.settings.seed)


def _test_on_others(
    job: Job, book: Book, rows: DataFrame, examples: Examples, day: date, name: str, kind: Kind,
    without: tuple[str, ...] = (),
) -> str:  # fmt: skip
    """Held out by the hash of the person, where no later day can be."""
    lot = F.pmod(F.xxhash64("person_id", F.lit(job.settings.seed)), F.lit(1000)) / 1000
    is_out = lot < job.settings.predict.test_share
    classifier = _fitted(job, rows.where(~is_out), examples, day, kind, without)
    if classifier.reason:
        return f"not measured: {classifier.reason}"
    return _test(job, book, classifier, rows.where(is_out), name, kind, f"tested on other persons as of {day}")


def _test(job: Job, book: Book, classifier: Classifier, rows: DataFrame, name: str, kind: Kind, how: str) -> str:
    judged = classifier.with_probability(rows).select("person_id", "probability", LABEL)
    number = len(book.metrics)
    found = measured(job.put_down(judged, f"judged-{number}-{kind}"), job.as_of, kind, name)
    if not found:
        return f"not measured: of the persons held out all say the same; {how}"
    book.metrics += found
    return f"AUC {found[0][7]:.3f}, {how}"


def _version(job: Job, name: str, kind: str) -> str:
    text = f"{job.settings.hash_of(STAGE.sections)}|{job.as_of}|{code_version()}|{name}|{kind}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _together(job: Job, parts: list[DataFrame], table: Table) -> DataFrame:
    return reduce(DataFrame.unionByName, parts) if parts else job.read(table).limit(0)


STAGE = Stage(
    name="predict",
    title="What each person will do next, and what they did not say of themselves",
    reads=(
        *(EVENTS, ITEM_VERSIONS, CUSTOMER_VERSIONS, IDENTITY_MAP),
        *(SESSIONS, PERSON_DAYS, PERSON_ITEM_DAYS, PERSON_WORD_DAYS, PROFILES),
    ),
    writes=(PREDICTIONS, PREDICTION_RULES, MODEL_METRICS),
    sections=("predict", "profiles", "lifetime"),
    run=run,
)
