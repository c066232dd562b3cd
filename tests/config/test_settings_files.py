"""Settings from files and options: what wins, what is refused, in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from personalake.config import Settings, described, load_settings
from personalake.errors import ConfigError
from personalake.packaged import conf_folder


def written(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def refusal(conf: list[str], overrides: list[str] | None = None) -> str:
    with pytest.raises(ConfigError) as refused:
        load_settings(conf, overrides or [])
    return str(refused.value)


def test_later_files_win_over_earlier_ones_and_options_over_all(tmp_path):
    first = written(tmp_path, "first.yaml", "seed: 1\ntime_zone: Europe/Berlin\ningest: {base_currency: EUR}\n")
    second = written(tmp_path, "second.yaml", "seed: 2\ningest: {rates: {USD: 0.9}}\n")
    settings = load_settings([first, second], ["seed=3", "segments.k=4", "ingest.rates.GBP=1.2"])
    assert (settings.seed, settings.time_zone, settings.segments.k) == (3, "Europe/Berlin", 4)
    assert settings.ingest.base_currency == "EUR"
    assert settings.ingest.rates == {"USD": 0.9, "GBP": 1.2}


def test_without_a_file_local_settings_hold_and_with_one_only_base():
    assert load_settings().time_zone == "Asia/Shanghai"
    assert load_settings([str(conf_folder() / "base.yaml")]).time_zone == "UTC"


def test_paths_of_a_file_are_relative_to_it_and_of_an_option_to_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    conf = written(tmp_path, "there/conf.yaml", "sources: {folder: ../mine}\nraw: {root: ../logs}\n")
    settings = load_settings([conf], ["warehouse.root=here/../lake"])
    assert settings.sources.folder == str(tmp_path / "mine")
    assert settings.tags.file == str(conf_folder() / "tags.yaml")
    assert settings.warehouse.root == str(tmp_path / "lake")
    assert settings.raw.root == str(tmp_path.parent / "logs")
    assert load_settings([conf], ["warehouse.root=s3://bucket/lake"]).warehouse.root == "s3://bucket/lake"


def test_unquoted_days_of_yaml_are_days(tmp_path):
    conf = written(tmp_path, "conf.yaml", "ingest: {earliest_date: 2016-01-01, latest_date: '2018-01-01'}\n")
    ingest = load_settings([conf]).ingest
    assert (ingest.earliest_date.isoformat(), ingest.latest_date.isoformat()) == ("2016-01-01", "2018-01-01")


def test_every_fault_comes_at_once_with_what_set_it_and_a_near_miss(tmp_path):
    conf = written(
        tmp_path,
        "conf.yaml",
        "time_zone: Asia/Shanghia\nsegment: {k: 3}\nsegments: {kk: 3}\n"
        "ingest: {base_currency: yuan, bot_pattern: '(', earliest_date: soon}\n",
    )
    assert refusal(
        [conf], ["identity.logins_per_device=0", "warehouse.rot=x", "nonsense", "seed=[", "warehouse.root="]
    ) == (
        "The configuration cannot be used (11 faults):\n"
        "  - --set nonsense: has no `=`. Write section.key=value.\n"
        "  - --set seed: its value is no YAML. Quote it.\n"
        f"  - {conf}: time_zone: Asia/Shanghia is no time zone. For example Asia/Shanghai.\n"
        "  - --set warehouse.root: Input should be a valid string.\n"
        "  - --set warehouse.rot: is no setting. Did you mean root?\n"
        f"  - {conf}: ingest.base_currency: String should match pattern '^[A-Z]{{3}}$'.\n"
        f"  - {conf}: ingest.bot_pattern: is no regular expression: "
        "missing ), unterminated subpattern at position 0.\n"
        f"  - {conf}: ingest.earliest_date: Input should be a valid date or datetime, input is too short.\n"
        "  - --set identity.logins_per_device: Input should be greater than or equal to 1.\n"
        f"  - {conf}: segments.kk: is no setting. Did you mean k?\n"
        f"  - {conf}: segment: is no setting. Did you mean segments?"
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a: [1\n", "is no YAML (line 2). Mend its syntax."),
        ("- a\n", "is no mapping of sections. See conf/base.yaml."),
        (None, "cannot be read. Name a YAML file that exists."),
    ],
)
def test_a_file_that_is_no_settings_file(tmp_path, content, told):
    path = tmp_path / "conf.yaml"
    if content is not None:
        path.write_text(content)
    assert refusal([str(path)]) == f"The configuration cannot be used (1 fault):\n  - {path}: {told}"


def test_an_empty_file_changes_nothing(tmp_path):
    assert load_settings([written(tmp_path, "conf.yaml", "")]) == Settings.model_validate(
        load_settings([str(conf_folder() / "base.yaml")]).model_dump()
    )


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("ingest.base_currency=EUR", {"ingest"}),
        ("segments.k=4", {"segments"}),
        ("seed=8", {"ingest", "segments", "tags"}),
        ("time_zone=Europe/Paris", {"ingest", "segments", "tags"}),
        ("spark.driver_memory=1g", set()),
        ("warehouse.root=elsewhere", set()),
    ],
)
def test_the_hash_changes_with_the_named_sections_the_seed_and_the_zone_alone(override, changed):
    plain, other = load_settings(), load_settings([], [override])
    sections = ("ingest", "segments", "tags")
    assert {name for name in sections if plain.hash_of([name]) != other.hash_of([name])} == changed
    assert plain.hash_of(sections) == load_settings().hash_of(sections)


def test_every_setting_says_what_it_is_for():
    assert [name for name, text, _ in described() if not text.strip()] == []


def test_the_packaged_files_are_right():
    for name in ("base", "local", "cluster"):
        load_settings([str(conf_folder() / f"{name}.yaml")])
