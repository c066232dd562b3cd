"""What predict writes: what is expected of each person, and the trees that expect it, in words."""

from __future__ import annotations

from personalake.tables.spec import BIGINT, DATE, DOUBLE, INT, STRING, Col, Table

PREDICTIONS = Table(
    name="predictions",
    comment="One row per person, model and target as of a day: what the model expects of the person.",
    stage="predict",
    key=("person_id", "as_of_date", "model", "target"),
    partition=("as_of_date",),
    keep_days=365,
    cols=(
        Col("person_id", STRING, "The person", person=True),
        Col("as_of_date", DATE, "Everything before this day"),
        Col("model", STRING, "decision_tree, gbt or linear_svm"),
        Col("target", STRING, "Name of the target in conf"),
        Col("value", DOUBLE, "1 where yes is at least as likely as no, else 0; null where the answer is a word"),
        Col(
            "value_text", STRING, "The likeliest value of an attribute; null where the answer is yes or no", person=True
        ),
        Col("probability", DOUBLE, "Probability of yes, or of value_text, 0-1", optional=False),
        Col("decile", INT, "Tenth of the persons by falling probability, 1 is the likeliest; null of attributes"),
        Col("model_version", STRING, "Hash of settings, code, day, model and target", optional=False),
    ),
)

PREDICTION_RULES = Table(
    name="prediction_rules",
    comment="One row per leaf of a decision tree as of a day: who comes there, in words, and how likely they say yes.",
    stage="predict",
    key=("as_of_date", "model", "target", "rule_rank"),
    partition=("as_of_date",),
    keep_days=365,
    cols=(
        Col("as_of_date", DATE, "Everything before this day"),
        Col("model", STRING, "decision_tree"),
        Col("target", STRING, "Name of the target in conf; of an attribute, and the value: gender=f"),
        Col("rule_rank", INT, "Rank by probability, from 1; ties by the leaf's place in the tree"),
        Col("rule", STRING, "What leads to the leaf, in English", optional=False),
        Col("rule_zh", STRING, "What leads to the leaf, in Chinese", optional=False),
        Col("probability", DOUBLE, "Share of yes among the persons trained on who come there, 0-1", optional=False),
        Col("person_count", BIGINT, "Persons of today who come there", optional=False),
        Col("model_version", STRING, "As in predictions", optional=False),
    ),
)
