"""What a source's YAML may say, and in which words it is refused."""

from __future__ import annotations

import pytest

from ingest.source_text import EVENT, source_of, write_source
from personalake.errors import ConfigError
from personalake.ingest.expressions import raising
from personalake.ingest.source import load_sources


def refusal(folder) -> str:
    with pytest.raises(ConfigError) as refused:
        load_sources(folder)
    return str(refused.value)


def test_every_fault_of_every_file_comes_at_once_with_near_misses(tmp_path):
    write_source(
        tmp_path,
        "app",
        fields={"device": "visitor", "login_id": "cast(uid as int)", "event_id": "ts", "value": "split(note, ',')[0]"},
        required=["itemid"],
        ranges={"amount": {"min": 0}, "item_id": {"min": 0}},
        event_types={"pv": "veiw"},
        required_for={"item_id": ["purchase"]},
        identifiers={"a b": "uid"},
        path="../other/*.csv",
        time=None,
    )
    write_source(tmp_path, "broken", delimiter=";;", formt="csv", format="xml", time={"colum": "ts"})
    (tmp_path / "cut.yaml").write_text("entity: [event\n")
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "no-name.yaml").write_text("entity: event\n")
    here = str(tmp_path)
    assert refusal(tmp_path).replace(here + "/", "") == (
        "The configuration cannot be used (22 faults):\n"
        "  - app.yaml: fields.device: is no column of events. Did you mean device_id?\n"
        "  - app.yaml: fields.event_id: is no column of events. Did you mean device_id?\n"
        "  - app.yaml: required.itemid: is no column of events. Did you mean item_id?\n"
        "  - app.yaml: ranges.amount: is no column of events. Did you mean amount_minor?\n"
        "  - app.yaml: ranges.item_id: is no number.\n"
        "  - app.yaml: fields.login_id: cast fails on a bad value. Use try_cast, so that one bad value does not stop "
        "the run.\n"
        "  - app.yaml: fields.value: an index fails where the array is short. Use get, so that one bad value does not "
        "stop the run.\n"
        "  - app.yaml: path: leads out of raw.root. Name files below it.\n"
        "  - app.yaml: identifiers.a b: is no name. Letters, digits and _ only.\n"
        "  - app.yaml: fields.event_type: is missing. A source of entity event needs it.\n"
        "  - app.yaml: time: is missing. A source of entity event needs it.\n"
        "  - app.yaml: event_types.pv: veiw is no event type. Did you mean view?\n"
        "  - app.yaml: required_for.item_id: purchase is no event type. Allowed: bookmark, buy, cart, click, comment, "
        "error, favourite, follow, impression, load, login, logout, open, rate, refund, search, share, survey, uncart, "
        "view.\n"
        "  - broken.yaml: format: Input should be 'csv', 'json', 'parquet', 'orc' or 'avro'.\n"
        "  - broken.yaml: delimiter: String should have at most 1 character.\n"
        "  - broken.yaml: time.column: Field required.\n"
        "  - broken.yaml: time.format: Field required.\n"
        "  - broken.yaml: time.colum: is no setting. Did you mean column?\n"
        "  - broken.yaml: formt: is no setting. Did you mean format?\n"
        "  - cut.yaml: is no YAML (line 2). Mend its syntax.\n"
        "  - empty.yaml: is empty or no mapping. See docs/sources.md for what a source says.\n"
        "  - no-name.yaml: its name is no identifier. Letters, digits and _ only."
    )


def test_what_cleaning_may_say(tmp_path):
    write_source(
        tmp_path,
        "app",
        encoding="base64",
        records="data..events",
        texts={"item": ["trim"], "login_id": ["lower"]},
    )
    write_source(
        tmp_path, "web", texts={"query": ["chop"]}, numbers={"value": {"decimel": ","}}, only="cast(ts as int)"
    )
    write_source(
        tmp_path,
        "wrong",
        texts={"item": ["trim"], "login_id": ["lower"]},
        numbers={"item_id": {}},
        allowed={"contry": ["DE"]},
        fill={"value": {"default": "1"}},
        currencies={"\u20ac": "euro"},
        test_accounts={"field": "mail", "values": ["qa"]},
        refuse={'quoted "words"': "true", "too old": "int(ts) < 0"},
    )
    write_source(tmp_path, "noone", test_accounts={"pattern": "("})
    told = refusal(tmp_path).replace(f"{tmp_path}/", "")
    assert (
        "  - app.yaml: encoding: base64 is no encoding of texts. For example utf-8, gb18030, utf-16, latin-1." in told
    )
    assert (
        "  - app.yaml: records: is no path. Names divided by dots, e.g. data.events, or `.` for an array on top."
        in told
    )
    assert "  - noone.yaml: test_accounts.pattern: is no regular expression: missing ), unterminated subpattern" in told
    assert "  - web.yaml: texts.query.0: Input should be 'trim', 'squeeze', 'lower' or 'upper'." in told
    assert "  - web.yaml: numbers.value.decimel: is no setting. Did you mean decimal?" in told
    assert [line for line in told.split("\n") if "wrong.yaml" in line] == [
        "  - wrong.yaml: refuse.too old: a cast fails on a bad value. Use try_cast, so that one bad value does not "
        "stop the run.",
        '  - wrong.yaml: refuse.quoted "words": is no sentence of plain words.',
        "  - wrong.yaml: texts.item: is no text of the entity. Did you mean item_id?",
        "  - wrong.yaml: texts.login_id: is no text of the entity. Allowed: campaign_id, country, currency, "
        "device_class, item_id, message_id, order_id, platform, query, recommendation_id, region.",
        "  - wrong.yaml: numbers.item_id: is no number of the entity. Allowed: amount_minor, discount_minor, position, "
        "quantity, value.",
        "  - wrong.yaml: allowed.contry: is no text of the entity. Did you mean country?",
        "  - wrong.yaml: fill.value: is no text of the entity. Allowed: campaign_id, country, currency, device_class, "
        "item_id, message_id, order_id, platform, query, recommendation_id, region.",
        "  - wrong.yaml: test_accounts.field: mail is not mapped. Allowed: device_id, event_type, item_id, login_id.",
        "  - wrong.yaml: currencies.\u20ac: euro is no ISO 4217 code.",
    ]


def test_verbs_of_ones_own_come_from_the_settings(tmp_path):
    write_source(tmp_path, "web", event_types={"pv": "view", "ping": "heartbeat"})
    assert "heartbeat is no event type" in refusal(tmp_path)
    assert load_sources(tmp_path, ("heartbeat",))[0].event_types["ping"] == "heartbeat"


@pytest.mark.parametrize(
    ("entity", "told"),
    [
        ("item", "fields.item_id: is missing. A source of entity item needs it."),
        ("customer", "fields.login_id: is missing. A source of entity customer needs it."),
    ],
)
def test_what_an_entity_needs(tmp_path, entity, told):
    write_source(tmp_path, "it", entity=entity, fields={}, event_id=None, event_types=None)
    assert refusal(tmp_path).endswith(told)


def test_a_consent_needs_who_what_and_when(tmp_path):
    write_source(tmp_path, "it", entity="consent", fields={}, event_id=None, event_types=None, time=None)
    words = ("fields.identifier_kind", "fields.identifier", "fields.purpose", "fields.state", "time")
    assert refusal(tmp_path).count("is missing. A source of entity consent needs it.") == len(words)


def test_a_folder_without_sources(tmp_path):
    assert refusal(tmp_path / "none") == (
        "The configuration cannot be used (1 fault):\n"
        f"  - sources.folder: {tmp_path / 'none'} holds no source. Each source is one .yaml file there."
    )


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("cast(a as int)", "cast fails on a bad value. Use try_cast"),
        ("CAST (a AS int)", "cast fails on a bad value. Use try_cast"),
        ("a::int", "a cast fails on a bad value. Use try_cast"),
        ("int(a)", "a cast fails on a bad value. Use try_cast"),
        ("element_at(a, 1)", "element_at fails on a bad value. Use try_element_at"),
        ("to_date(a)", "to_date fails on a bad value. Use try_to_date"),
        ("split(a, ',')[2]", "an index fails where the array is short. Use get"),
        ("try_cast(a as decimal(20, 2))", None),
        ("try_cast(a as int)", None),
        ("get(split(a, '[|]'), 2)", None),
        ("attributes['cast(x)']", None),
        ("`int`", None),
        ("date '2024-01-01'", None),
        ("hint(a)", None),
    ],
)
def test_what_would_raise_on_a_bad_value(expression, told):
    assert raising(expression) == told


def test_the_mapping_hash_changes_with_any_setting(tmp_path):
    plain = source_of(tmp_path / "a")
    assert plain.mapping_hash == source_of(tmp_path / "b").mapping_hash
    other = source_of(tmp_path / "c", event_types=EVENT["event_types"] | {"fav": "favourite"})
    assert plain.mapping_hash != other.mapping_hash


def test_evidence_can_only_be_what_the_source_shows(tmp_path):
    assert source_of(tmp_path / "a").evidence is None
    assert source_of(tmp_path / "b", evidence={"login_on_device": 0.5}).evidence == {"login_on_device": 0.5}
    both = {"email": "note", "phone": "price"}
    kinds = ("login_on_device", "email_with_login", "email_on_device", "phone_with_email", "phone_with_login")
    declared = source_of(tmp_path / "c", identifiers=both, evidence=dict.fromkeys(kinds, 1.0)).evidence
    assert set(declared or {}) == set(kinds)
    write_source(tmp_path / "d", evidence={"login_on_divice": 1.0, "email_with_login": 0.5, "login_on_device": 1.5})
    assert refusal(tmp_path / "d").replace(f"{tmp_path / 'd'}/", "") == (
        "The configuration cannot be used (3 faults):\n"
        "  - web.yaml: evidence.login_on_divice: no two identifiers of this source show that. "
        "Did you mean login_on_device?\n"
        "  - web.yaml: evidence.email_with_login: no two identifiers of this source show that. "
        "Allowed: login_on_device.\n"
        "  - web.yaml: evidence.login_on_device: is not from 0 to 1."
    )


# What a source says besides → the fault it gives; None: none.
UNUSED: list[tuple[dict[str, object], str | None]] = [
    ({"namespaces": {"login_id": "shop"}}, "namespaces.login_id: is no kind of identifier that this source has. "
     "Did you mean login?"),
    ({"namespaces": {"session": "shop"}}, "namespaces.session: is no kind of identifier that this source has. Allowed: "
     "device, login."),
    ({"namespaces": {"login": "shop", "email": "world"}, "identifiers": {"email": "note"}}, None),
    ({"numbers": {"value": {}}}, "numbers.value: is not in fields, so it does nothing. Allowed: device_id, "
     "event_type, item_id, login_id."),
    ({"ranges": {"value": {"min": 0}}}, "ranges.value: is not in fields, so it does nothing."),
    ({"texts": {"region": ["trim"]}}, "texts.region: is not in fields, so it does nothing."),
    ({"allowed": {"region": ["a"]}}, "allowed.region: is not in fields, so it does nothing."),
    ({"fill": {"region": {"from": ["session"]}}}, "fill.region: is not in fields, so it does nothing."),
    ({"fill": {"region": {"default": "a"}}}, None),
    ({"unreadable_as_null": ["itemid"]}, "unreadable_as_null.itemid: is not in fields, so it does nothing. Did you "
     "mean item_id?"),
    ({"records": "data"}, "records: is for json; this source is csv. Leave it out."),
    ({"json_texts": ["note"]}, "json_texts: is for json and avro; this source is csv. Leave it out."),
    ({"format": "json", "quoted_newlines": True}, "quoted_newlines: is for csv; this source is json. Leave it out."),
    ({"format": "json", "header": False}, "header: is for csv; this source is json. Leave it out."),
    ({"format": "parquet", "delimiter": ";"}, "delimiter: is for csv; this source is parquet. Leave it out."),
    ({"format": "parquet", "encoding": "gb18030"}, "encoding: is for csv and json; this source is parquet."),
    ({"format": "json", "encoding": "gb18030", "records": "data"}, None),
    ({"time": {"column": "ts", "format": "unix_seconds", "zone": "Asia/Shanghai"}}, "time.zone: does nothing: "
     "unix_seconds tells the moment without it. Leave it out."),
    ({"time": {"column": "ts", "format": "yyyy-MM-dd HH:mm:ssXXX", "zone": "UTC"}}, "time.zone: does nothing: "),
    ({"time": {"column": "ts", "format": "iso8601", "zone": "Asia/Shanghai"}}, None),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(UNUSED)))
def test_a_setting_that_names_nothing_is_a_fault(tmp_path, number):
    changes, told = UNUSED[number]
    write_source(tmp_path, "web", **changes)
    if told is None:
        load_sources(tmp_path)
    else:
        text = refusal(tmp_path)
        assert "(1 fault)" in text and f"web.yaml: {told}" in text
