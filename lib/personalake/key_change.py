"""Another de-identification key: both are held for a while, then the quarantine is carried over, and one goes."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.config import Settings
from personalake.errors import ConfigError, Fault
from personalake.ingest.entities import rejection_id
from personalake.keyring import key_file_of
from personalake.manifest import now_utc, run_name
from personalake.privacy.hashing import decrypt, encrypt_anew
from personalake.privacy.keys import (
    ENVIRONMENT,
    PREVIOUS_ENVIRONMENT,
    Key,
    destroy_previous_key,
    load_key,
    load_previous_key,
    rotate_key,
)
from personalake.runner import Options, say
from personalake.runtime import session
from personalake.store.lock import writer_lock
from personalake.store.read import read
from personalake.store.versions import version_of
from personalake.store.write import merge
from personalake.tables.identity import IDENTIFIER, IDENTITY_MAP
from personalake.tables.ingest import IDENTIFIER_ALIASES, REJECTED_RECORDS


def change_key(options: Options, is_finished: bool) -> dict[str, object]:
    """Begin to use a new key, or destroy the one before.

    Args:
        options: what the command was given.
        is_finished: the second step; without it the first.

    Raises:
        ConfigError: the key is in the environment, is not there, or the steps come in the wrong order.
    """
    settings = options.settings()
    file = key_file_of(settings)
    if not file:
        todo = (
            f"Put the old key into {PREVIOUS_ENVIRONMENT} and a new one into {ENVIRONMENT}; remove the former to end."
        )
        raise ConfigError(Fault(ENVIRONMENT, "holds the key, which no command can change.", todo))
    path = Path(file).expanduser()
    with writer_lock(settings.warehouse.root):
        if is_finished:
            return _finished(settings, path, options.dry_run)
        if options.dry_run:
            raise ConfigError(Fault("--dry-run", "is for --finish alone.", "Leave it out."))
        new, old = rotate_key(path)
    say(f"New identifiers are made with key {new.key_id}: {path}. Key {old.key_id} is held beside it.")
    return {"state": "complete", "key_id": new.key_id, "previous_key_id": old.key_id}


def _finished(settings: Settings, path: Path, is_dry: bool) -> dict[str, object]:
    """Tell who would be a stranger from now on; carry the quarantine over to the new key; destroy the key before."""
    held, key = load_previous_key(str(path)), load_key(str(path))
    if held is None or key is None:
        raise ConfigError(Fault(f"{path}.previous", "is not there.", "No key is being changed."))
    root = settings.warehouse.root
    counts = {"carried_over": 0, "left_behind": 0, "re_encrypted": 0}
    if any(version_of(root, table.name) is not None for table in (IDENTITY_MAP, REJECTED_RECORDS)):
        with session(settings) as spark:
            counts |= _known_by(spark, root, held.key_id)
            counts |= {"re_encrypted": carry_over_refused(spark, root, key, held, is_dry)}
    say(
        f"{counts['carried_over']:,} identifiers of key {held.key_id} came by the new key too; "
        f"{counts['left_behind']:,} did not and will be new ones when they come again. "
        f"{counts['re_encrypted']:,} refused records {'would be' if is_dry else 'were'} encrypted with the new key."
    )
    if not is_dry:
        destroy_previous_key(path)
    return {"state": "planned" if is_dry else "complete", "destroyed_key_id": held.key_id, **counts}


def carry_over_refused(spark: SparkSession, root: str, key: Key, previous: Key, is_dry: bool = False) -> int:
    """Encrypt the refused records of the key before with the key of now; done twice it changes nothing.

    Args:
        spark: the session.
        root: warehouse.root.
        key: the key of now.
        previous: the key before.
        is_dry: only count.

    Returns:
        How many there were.

    Cost:
        One pass over the quarantine; where there are any, one MERGE of all of it.
    """
    if version_of(root, REJECTED_RECORDS.name) is None:
        return 0
    kept = read(spark, root, REJECTED_RECORDS).select(*[c.name for c in REJECTED_RECORDS.cols])
    count = kept.where(decrypt(previous, F.col("record")).isNotNull()).count()
    if is_dry or not count:
        return count
    anew = kept.withColumn("record", F.coalesce(encrypt_anew(previous, key, F.col("record")), F.col("record")))
    # A record that was refused under both keys is one.
    rows = anew.withColumn("rejection_id", rejection_id("record")).dropDuplicates(["rejection_id"])
    merge(spark, root, REJECTED_RECORDS, rows, run_name(now_utc(), key.key_id), gone=F.lit(True))
    return count


def _known_by(spark: SparkSession, root: str, key_id: str) -> dict[str, int]:
    """Identifiers of a key in the map, by whether they are known by a newer one."""
    if version_of(root, IDENTITY_MAP.name) is None or version_of(root, IDENTIFIER_ALIASES.name) is None:
        return {}
    known: DataFrame = read(spark, root, IDENTITY_MAP).where(F.col("key_id") == key_id)
    aliases = read(spark, root, IDENTIFIER_ALIASES).where(F.col("old_key_id") == key_id)
    came = aliases.select("identifier_kind", F.col("old_identifier").alias("identifier"))
    carried = known.join(came, [*IDENTIFIER], how="left_semi").count()
    return {"carried_over": carried, "left_behind": known.count() - carried}
