"""A record that was acknowledged is read again; a torn one is cut off; damage is told and never cut off."""

import os
from contextlib import closing
from pathlib import Path
from subprocess import PIPE, Popen

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.pit.record_file import MAGIC, RecordFile
from symphony.domain.errors import UnavailableError
from tests.support.plain_data import PLAIN


class Note(msgspec.Struct, frozen=True, tag=True):
    text: str


class Count(msgspec.Struct, frozen=True, tag=True):
    number: int


RECORDS = [Note("one"), Count(2), Note("three" * 10)]


def journal(path, kind=Note | Count):
    return closing(RecordFile(path, kind))


def written(path, records=RECORDS, kind=Note | Count):
    with journal(path, kind) as file:
        file.open()
        for record in records:
            file.append(record)
    return path.read_bytes()


def read(path, kind=Note | Count):
    with journal(path, kind) as file:
        recovered = file.open()
    return recovered.records, recovered.torn_bytes


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "runs.journal"


def test_a_new_journal_is_empty_and_its_folder_is_made(path):
    assert read(path) == ([], 0)
    assert path.read_bytes() == MAGIC


def test_records_come_back_in_order_with_their_types(path):
    written(path)

    assert read(path) == (RECORDS, 0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(records=st.lists(PLAIN, max_size=5))
def test_any_records_come_back(path, records):
    path.unlink(missing_ok=True)
    written(path, records, object)

    assert repr(read(path, object)[0]) == repr(records)


def test_records_can_be_appended_after_opening_again(path):
    written(path, RECORDS[:1])
    written(path, RECORDS[1:])

    assert read(path) == (RECORDS, 0)


def test_a_tail_torn_at_any_byte_is_cut_off_and_the_rest_is_whole(path):
    """As when the process is killed at any instant of an append."""
    whole = written(path, RECORDS[:2])
    longer = written(path, RECORDS[2:])

    for cut in range(len(whole), len(longer)):
        path.write_bytes(longer[:cut])
        assert read(path) == (RECORDS[:2], cut - len(whole))
        assert path.read_bytes() == whole
        written(path, RECORDS[2:])
        assert read(path) == (RECORDS, 0)


def test_a_tail_of_zeros_is_torn(path):
    """As when a file had grown, and its content had not arrived, at a power loss."""
    whole = written(path)
    path.write_bytes(whole + b"\0" * 100)

    assert read(path) == (RECORDS, 100)


def test_any_byte_damaged_is_never_read_as_good(path):
    """In every record but the last, damage is told, with the file untouched; the last one cannot be told from a torn one."""
    whole = written(path)
    last = len(written(path, [])) - len(msgspec.msgpack.encode(RECORDS[-1])) - 12

    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x40
        path.write_bytes(damaged)
        if at < last + 12:
            with pytest.raises(UnavailableError, match=f"{path}"):
                read(path)
            assert path.read_bytes() == damaged
        else:
            assert read(path) == (RECORDS[:-1], len(whole) - last)


def test_damage_is_told_with_its_place_and_what_to_do(path):
    whole = bytearray(written(path))
    whole[len(MAGIC) + 14] ^= 1
    path.write_bytes(whole)

    with pytest.raises(UnavailableError, match=r"the record at byte 8 is damaged; restore the file from a copy, or move it away"):
        read(path)


def test_a_file_that_is_no_journal_is_refused_and_untouched(path):
    path.parent.mkdir()
    path.write_text("my notes")

    with pytest.raises(UnavailableError, match="is not a journal of this version: move it away"):
        read(path)
    assert path.read_text() == "my notes"


def test_an_empty_file_is_a_new_journal(path):
    path.parent.mkdir()
    path.touch()

    assert read(path) == ([], 0)


def test_a_record_of_another_type_is_refused_and_untouched(path):
    whole = written(path, [{"type": "Other"}], object)

    with pytest.raises(UnavailableError, match="is whole, but not what this version writes"):
        read(path)
    assert path.read_bytes() == whole


def test_compacting_replaces_all_records_and_appending_goes_on(path):
    written(path)
    with journal(path) as file:
        file.open()
        file.compact([Count(9)])
        file.append(Count(10))

    assert read(path) == ([Count(9), Count(10)], 0)


def test_a_compaction_killed_half_way_leaves_the_journal_as_it_was(path):
    written(path)
    leftover = path.with_name("runs.journal.new")
    leftover.write_bytes(MAGIC + b"half")

    assert read(path) == (RECORDS, 0)
    assert not leftover.exists()


def test_a_journal_that_is_not_open_takes_nothing(path):
    file = RecordFile(path, Note)

    with pytest.raises(UnavailableError, match="is not open"):
        file.append(Note("x"))
    file.close()


def test_a_file_in_place_of_the_folder_is_told_with_its_path(path):
    path.parent.write_bytes(b"")

    with pytest.raises(UnavailableError, match=f"cannot open the journal {path}: .*then try again"):
        read(path)


def test_a_folder_in_place_of_the_journal_is_told_with_its_path(path):
    path.mkdir(parents=True)

    with pytest.raises(UnavailableError, match=f"cannot open the journal {path}"):
        read(path)


def test_a_disk_that_is_full_during_an_append_is_told_and_the_journal_is_closed(path):
    """What the disk holds then is unknown: the next record must not follow a half of this one."""
    written(path)
    with journal(path) as file:
        file.open()
        file._file.close()
        file._file = open("/dev/full", "r+b", buffering=0)  # noqa: SIM115, PTH123 - a disk without space, which `close` closes

        with pytest.raises(UnavailableError, match=f"cannot append to {path}: No space left on device"):
            file.append(Note("lost"))
        with pytest.raises(UnavailableError, match="is not open; open it"):
            file.append(Note("next"))

        assert file.open().records == RECORDS


def test_a_disk_error_during_a_compaction_leaves_the_journal_as_it_was(path):
    whole = written(path)
    with journal(path) as file:
        file.open()
        path.with_name("runs.journal.new").mkdir()

        with pytest.raises(UnavailableError, match=f"cannot compact {path}"):
            file.compact([])

    assert path.read_bytes() == whole


def test_closing_again_is_the_same_as_once(path):
    file = RecordFile(path, Note)
    file.open()

    file.close()
    file.close()


KILLED = """
import sys
from pathlib import Path
from actors.pit.record_file import RecordFile
file = RecordFile(Path(sys.argv[1]), int)
file.open()
for number in range(1_000_000):
    file.append(number)
    print(number, flush=True)
"""


def test_a_process_killed_while_appending_loses_nothing_that_was_acknowledged(path, tmp_path):
    import sys

    root = Path(__file__).parents[3]
    with Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=PIPE, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}
    ) as child:
        acknowledged = [int(child.stdout.readline()) for _ in range(50)]
        child.kill()
        acknowledged += [int(line) for line in child.stdout.read().splitlines()]

    records, _ = read(path, int)

    assert records[: len(acknowledged)] == acknowledged
    assert len(records) <= len(acknowledged) + 1
