"""Where the key comes from."""

from __future__ import annotations

import pytest

from personalake.errors import ConfigError
from personalake.privacy.keys import (
    ENVIRONMENT,
    PREVIOUS_ENVIRONMENT,
    Key,
    destroy_previous_key,
    load_key,
    load_previous_key,
    make_key,
    rotate_key,
)

LONG = b"0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "content", "secret"),
    [
        ("text", LONG, LONG),
        ("text that ends in a line feed", LONG + b"\r\n", LONG),
        ("bytes of which the last is a line feed", b"\xff" * 31 + b"\n", b"\xff" * 31 + b"\n"),
    ],
)
def test_a_key_of_a_file(tmp_path, name, content, secret):
    (tmp_path / "key").write_bytes(content)
    assert load_key(str(tmp_path / "key"), {ENVIRONMENT: "x" * 40}) == Key(secret), name


def test_a_key_of_the_environment_where_no_file_is_named():
    assert load_key("", {ENVIRONMENT: LONG.decode()}) == Key(LONG)


def test_no_key_is_none(tmp_path):
    assert load_key("", {}) is None
    assert load_key(str(tmp_path / "none"), {ENVIRONMENT: LONG.decode()}) is None


def test_a_short_key_is_refused_without_being_told(tmp_path):
    path = tmp_path / "key"
    path.write_text("hunter2\n")
    for given, environment, where in (
        (str(path), {}, f"privacy.key_file ({path})"),
        ("", {ENVIRONMENT: "hunter2"}, ENVIRONMENT),
    ):
        with pytest.raises(ConfigError) as refused:
            load_key(given, environment)
        assert str(refused.value) == (
            f"The configuration cannot be used (1 fault):\n  - {where}: holds 7 bytes. At least 32 are needed."
        )


def test_a_folder_in_place_of_a_key_is_told(tmp_path):
    with pytest.raises(ConfigError) as refused:
        load_key(str(tmp_path))
    assert str(refused.value) == (
        "The configuration cannot be used (1 fault):\n"
        f"  - privacy.key_file ({tmp_path}): cannot be read: Is a directory."
    )


def test_a_made_key_is_for_the_owner_only_and_is_kept(tmp_path):
    path = tmp_path / "deep" / "key"
    made = make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert make_key(path) == made == load_key(str(path))
    assert len(made.secret) >= 32


def test_derived_keys_differ_by_purpose_and_the_key_id_tells_nothing_of_the_key():
    key = Key(LONG)
    assert len({key.derive(purpose) for purpose in ("identifier", "row", "quarantine", "key id")}) == 4
    assert len(key.key_id) == 8
    assert repr(key) == "Key()"


def test_a_key_is_changed_in_two_steps(tmp_path):
    path, old_path = tmp_path / "key", tmp_path / "key.previous"
    first = make_key(path)
    assert load_previous_key(str(path)) is None
    new, old = rotate_key(path)
    assert (old, load_previous_key(str(path)), load_key(str(path))) == (first, first, new)
    assert new != first and len(new.secret) >= 32
    names = {"key", "key.previous", "key.rows"}
    assert {p.name: p.stat().st_mode & 0o777 for p in tmp_path.iterdir()} == dict.fromkeys(names, 0o600)
    with pytest.raises(ConfigError) as refused:
        rotate_key(path)
    assert str(refused.value).endswith(
        f"{old_path}: the key before, {first.key_id}, is still held. End that change first: "
        "personalake rotate-key --finish."
    )
    assert destroy_previous_key(path) == first
    assert {p.name for p in tmp_path.iterdir()} == {"key", "key.rows"} and load_key(str(path)) == new
    with pytest.raises(ConfigError, match="No key is being changed"):
        destroy_previous_key(path)


def test_what_row_ids_are_keyed_with_outlives_every_change_of_the_key(tmp_path):
    path = tmp_path / "key"
    first = make_key(path)
    for _ in range(2):
        new, _ = rotate_key(path)
        assert load_key(str(path)).row_secret == new.row_secret == first.row_secret != new.derive("row")
        destroy_previous_key(path)
        assert load_key(str(path)).row_secret == first.row_secret
    (tmp_path / "key.rows").write_text("no hex")
    with pytest.raises(ConfigError, match=r"key\.rows: is no secret of row ids\. Restore it"):
        load_key(str(path))


def test_a_change_of_the_key_that_stopped_half_way_can_be_done_again(tmp_path):
    path = tmp_path / "key"
    first = make_key(path)
    (tmp_path / "key.previous").write_bytes(path.read_bytes())  # as it is before the new key is in place
    (tmp_path / "key.draft").write_bytes(b"half of a k")
    new, old = rotate_key(path)
    assert (old, load_key(str(path)), load_previous_key(str(path))) == (first, new, first)


def test_no_key_cannot_be_changed(tmp_path):
    with pytest.raises(ConfigError, match="There is no key to change"):
        rotate_key(tmp_path / "key")


def test_the_key_before_of_the_environment():
    environment = {ENVIRONMENT: "x" * 40, PREVIOUS_ENVIRONMENT: LONG.decode()}
    assert load_previous_key("", environment) == Key(LONG)
    assert load_previous_key("", {ENVIRONMENT: "x" * 40}) is None
