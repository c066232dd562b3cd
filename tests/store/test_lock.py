"""One writer at a time, told by real processes."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from personalake.errors import LockedError
from personalake.store.lock import writer_lock

HOLD = """
import sys, time
from personalake.store.lock import writer_lock
with writer_lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_writer_is_refused_by_name_until_the_first_one_is_gone_however_it_ends(tmp_path):
    root = str(tmp_path / "lake")
    environment = {"PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, root], stdout=subprocess.PIPE, text=True, env=environment
    ) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            for _ in range(2):
                with pytest.raises(LockedError) as refused, writer_lock(root):
                    pass
                assert str(refused.value) == (
                    "The warehouse is in use (1 fault):\n"
                    f"  - warehouse {root}: is being written by process {holder.pid}. "
                    "Wait until it has ended, then run again."
                )
            assert refused.value.exit_code == 4
        finally:
            holder.send_signal(signal.SIGKILL)
    with writer_lock(root):
        pass


def test_the_lock_is_free_again_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="mine"), writer_lock(str(tmp_path)):
        raise ValueError("mine")
    with writer_lock(str(tmp_path)), pytest.raises(LockedError), writer_lock(str(tmp_path)):
        pass


def test_a_warehouse_in_a_store_has_no_lock_of_ours():
    with writer_lock("s3://bucket/lake"), writer_lock("s3://bucket/lake"):
        pass
