"""The view that answers: what did persons say of their tags, and whom does it hold for now?"""

from __future__ import annotations

from personalake.views.spec import View

TAG_WORDS = View(
    name="tag_words_v1",
    comment="One row per person and tag somebody had a word on: the last one, carried through merges and splits.",
    columns=(
        ("person_id", "A person the word holds for: who holds an identifier of whom it was said of, or that person"),
        ("tag", "Name of the rule"),
        ("state", "hidden, contradicted, restored: the last word"),
        ("said_date", "From the run as of this day on"),
        ("is_current", "Whether the person is one of now; a person who was merged away is not"),
    ),
    tables=("tag_overrides", "identity_map_versions"),
    views=(),
    # The same as tags.overrides.overridden: identifiers of the word's day, and who holds them now.
    sql="""
        WITH mine AS (
          SELECT DISTINCT v.identifier_kind, v.identifier
          FROM identity_map_versions v LEFT SEMI JOIN tag_overrides o ON o.person_id = v.person_id
        ), stretches AS (
          SELECT v.person_id, v.effective_date AS _from,
                 lead(v.effective_date) OVER (
                   PARTITION BY v.identifier_kind, v.identifier ORDER BY v.effective_date) AS _until,
                 max_by(v.person_id, v.effective_date) OVER (PARTITION BY v.identifier_kind, v.identifier) AS _now
          FROM identity_map_versions v
          LEFT SEMI JOIN mine m ON m.identifier_kind = v.identifier_kind AND m.identifier = v.identifier
        ), asked AS (
          SELECT DISTINCT person_id, as_of_date FROM tag_overrides
        ), known AS (
          SELECT a.person_id, a.as_of_date, s._from, s._until, s._now,
                 greatest(a.as_of_date, min(s._from) OVER (PARTITION BY a.person_id)) AS _day
          FROM asked a JOIN stretches s ON s.person_id = a.person_id
        ), held AS (
          SELECT *, least(coalesce(_until, date_add(_day, 1)), date_add(_day, 1)) AS _end FROM known WHERE _from <= _day
        ), nearest AS (
          SELECT *, max(_end) OVER (PARTITION BY person_id, as_of_date) AS _latest FROM held
        ), reached AS (
          SELECT DISTINCT person_id, as_of_date, _now FROM nearest WHERE _end = _latest AND _now IS NOT NULL
        ), words AS (
          SELECT r._now AS person_id, o.tag, o.state, o.as_of_date, o.recorded_at, true AS is_current
          FROM tag_overrides o JOIN reached r ON r.person_id = o.person_id AND r.as_of_date = o.as_of_date
          UNION ALL
          SELECT person_id, tag, state, as_of_date, recorded_at, false AS is_current FROM tag_overrides
        )
        SELECT person_id, tag, max_by(state, struct(as_of_date, recorded_at, state <> 'restored', state)) AS state,
               max(as_of_date) AS said_date, bool_or(is_current) AS is_current
        FROM words GROUP BY person_id, tag
    """,
)

VIEWS = (TAG_WORDS,)
