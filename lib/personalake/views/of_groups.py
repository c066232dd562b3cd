"""Views that answer: who is in which segment, what sets each apart, and how do tags come and go?"""

from __future__ import annotations

from personalake.tables.profiles import PROFILES
from personalake.views.spec import View

_FEATURES = tuple(c for c in PROFILES.cols if c.name not in ("person_id", "as_of_date"))

SEGMENTS_CURRENT = View(
    name="segments_current_v1",
    comment="One row per person and method as of the newest day of segments: join any table with a person_id to it.",
    columns=(
        ("person_id", "The person"),
        ("as_of_date", "Everything before this day"),
        ("method", "How the segments were made: a name in segments.methods"),
        ("is_main", "Whether the method is segments.method"),
        ("segment_id", "The segment"),
        ("segment_name", "Its name in English"),
        ("segment_name_zh", "Its name in Chinese"),
        ("distance", "Distance to the centre in prepared, standardised features"),
    ),
    tables=("segments", "segment_profiles"),
    views=(),
    sql="""
        SELECT s.person_id, s.as_of_date, s.method, coalesce(s.is_main, false) AS is_main, s.segment_id,
               s.segment_name, p.segment_name_zh, s.distance
        FROM segments s
        LEFT JOIN segment_profiles p
          ON p.as_of_date = s.as_of_date AND p.method = s.method AND p.segment_id = s.segment_id
        WHERE s.as_of_date = (SELECT max(as_of_date) FROM segments)
    """,
)

PROFILES_BY_SEGMENT = View(
    name="profiles_by_segment_v1",
    comment="One row per person and method: the segment and the whole profile as of the same day.",
    columns=(
        ("method", "How the segments were made: a name in segments.methods"),
        ("is_main", "Whether the method is segments.method"),
        ("segment_id", "The segment"),
        ("segment_name", "Its name in English"),
        ("segment_name_zh", "Its name in Chinese"),
        ("person_id", "The person"),
        ("as_of_date", "Everything before this day"),
        *((c.name, c.comment) for c in _FEATURES),
    ),
    tables=(),
    views=("segments_current_v1", "profiles_current_v1"),
    sql=f"""
        SELECT s.method, s.is_main, s.segment_id, s.segment_name, s.segment_name_zh, p.person_id, p.as_of_date,
               {", ".join(f"p.{c.name}" for c in _FEATURES)}
        FROM profiles_current_v1 p
        JOIN segments_current_v1 s ON s.person_id = p.person_id AND s.as_of_date = p.as_of_date
    """,  # noqa: S608 - declared names only
)

TAGS_BY_SEGMENT = View(
    name="tags_by_segment_v1",
    comment="One row per method, segment and tag that anybody in it has: how frequent, against all persons.",
    columns=(
        ("method", "How the segments were made: a name in segments.methods"),
        ("segment_id", "The segment"),
        ("segment_name", "Its name in English"),
        ("tag", "Name of the rule in conf"),
        ("label", "What readers call it, in English"),
        ("label_zh", "What readers call it, in Chinese"),
        ("person_count", "Persons of the segment who have it"),
        ("segment_person_count", "Persons of the segment"),
        ("person_share", "person_count in segment_person_count"),
        ("lift", "person_share by the share of all persons who have it; 1: as frequent as among all"),
    ),
    tables=(),
    views=("segments_current_v1", "tags_current_v1"),
    sql="""
        WITH sized AS (
          SELECT *, count(*) OVER (PARTITION BY method, segment_id) AS _segment,
                 count(*) OVER (PARTITION BY method) AS _all
          FROM segments_current_v1
        ), counted AS (
          SELECT s.method, s.segment_id, t.tag, min(s.segment_name) AS segment_name, min(t.label) AS label,
                 min(t.label_zh) AS label_zh, count(*) AS person_count, max(s._segment) AS segment_person_count,
                 max(s._all) AS _all
          FROM sized s JOIN tags_current_v1 t ON t.person_id = s.person_id AND t.as_of_date = s.as_of_date
          GROUP BY s.method, s.segment_id, t.tag
        )
        SELECT method, segment_id, segment_name, tag, label, label_zh, person_count, segment_person_count,
               person_count / segment_person_count AS person_share,
               (person_count / segment_person_count)
                 / (sum(person_count) OVER (PARTITION BY method, tag) / _all) AS lift
        FROM counted
    """,
)

TAG_COUNTS = View(
    name="tag_counts_v1",
    comment="One row per tag that anybody has as of the newest day of tags or had in the run before.",
    columns=(
        ("as_of_date", "Newest day of tags"),
        ("previous_as_of_date", "Day of the run before; null where there is none"),
        ("tag", "Name of the rule in conf"),
        ("label", "What readers call it, in English"),
        ("label_zh", "What readers call it, in Chinese"),
        ("person_count", "Persons who have it"),
        ("previous_person_count", "Persons who had it in the run before; null where there is none"),
        ("change_count", "person_count less previous_person_count"),
        ("gained_count", "Persons who have it and did not"),
        ("lost_count", "Persons who had it and do not"),
        ("hidden_count", "Persons of now whose last word was that it be hidden"),
        ("contradicted_count", "Persons of now whose last word was that it is not so"),
    ),
    tables=("tags",),
    views=("tag_words_v1",),
    sql="""
        WITH newest AS (
          SELECT max(as_of_date) AS _now FROM tags
        ), days AS (
          SELECT _now, max(as_of_date) AS _before FROM newest LEFT JOIN tags ON as_of_date < _now GROUP BY _now
        ), held AS (
          SELECT t.person_id, t.tag, min(t.label) AS label, min(t.label_zh) AS label_zh, d._now, d._before,
                 bool_or(t.as_of_date = d._now) AS _has, bool_or(t.as_of_date = d._before) AS _had
          FROM tags t JOIN days d ON t.as_of_date = d._now OR t.as_of_date = d._before
          GROUP BY t.person_id, t.tag, d._now, d._before
        ), counted AS (
          SELECT _now, _before, tag, min(label) AS label, min(label_zh) AS label_zh, count_if(_has) AS person_count,
                 count_if(_had) AS _previous, count_if(_has AND NOT coalesce(_had, false)) AS gained_count,
                 count_if(_had AND NOT _has) AS lost_count
          FROM held GROUP BY _now, _before, tag
        ), said AS (
          SELECT tag, count_if(state = 'hidden') AS hidden_count,
                 count_if(state = 'contradicted') AS contradicted_count
          FROM tag_words_v1 WHERE is_current GROUP BY tag
        )
        SELECT _now AS as_of_date, _before AS previous_as_of_date, c.tag, c.label, c.label_zh, c.person_count,
               CASE WHEN _before IS NOT NULL THEN _previous END AS previous_person_count,
               CASE WHEN _before IS NOT NULL THEN person_count - _previous END AS change_count,
               c.gained_count, c.lost_count, coalesce(s.hidden_count, 0) AS hidden_count,
               coalesce(s.contradicted_count, 0) AS contradicted_count
        FROM counted c LEFT JOIN said s ON s.tag = c.tag
    """,
)

VIEWS = (SEGMENTS_CURRENT, PROFILES_BY_SEGMENT, TAGS_BY_SEGMENT, TAG_COUNTS)
