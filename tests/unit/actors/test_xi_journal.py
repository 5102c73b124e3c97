"""A change that was acknowledged is read again; a torn one is cut off; damage is told and the file left as it is."""

import os
import sys
from contextlib import closing
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from actors.xi_proxy.history import Base, Change
from actors.xi_proxy.journal import MAGIC, DamagedJournalError, Journal, JournalError
from actors.xi_proxy.replacement import Replacement

BASE = Base("/project/é.txt", 3, "digest", "text\n")
CHANGES = [
    Change("edit", Replacement(0, 0, "new 😀")),
    Change("undo", Replacement(0, 5, "")),
    Change("redo", Replacement(0, 0, "new\0")),
]


def written(folder, changes=CHANGES, base=BASE):
    with closing(Journal.begin(folder, base)) as journal:
        for change in changes:
            journal.append(change)
    return journal._file


def read(file):
    journal, recovered = Journal.recover(file)
    journal.close()
    return recovered


def test_what_was_written_is_read(tmp_path):
    file = written(tmp_path / "deep" / "journals")

    assert read(file) == (BASE, CHANGES, 0)
    assert file.parent.stat().st_mode & 0o077 == 0  # what is written in confidence is nobody else's to read


def test_each_path_has_a_file_of_its_own_which_a_new_journal_replaces(tmp_path):
    one = written(tmp_path)
    other = written(tmp_path, base=Base("/project/other", 0, None, ""))

    assert one != other
    assert written(tmp_path, []) == one
    assert read(one) == (BASE, [], 0)


def test_a_recovered_journal_goes_on(tmp_path):
    file = written(tmp_path, CHANGES[:1])
    journal, _ = Journal.recover(file)
    with closing(journal):
        journal.append(CHANGES[1])

    assert read(file) == (BASE, CHANGES[:2], 0)


def test_a_tail_torn_at_any_byte_is_cut_off_and_the_rest_is_whole(tmp_path):
    whole = written(tmp_path, CHANGES[:2]).read_bytes()
    file = written(tmp_path)
    longer = file.read_bytes()

    for cut in range(len(whole), len(longer)):
        file.write_bytes(longer[:cut])
        journal, recovered = Journal.recover(file)
        with closing(journal):
            assert recovered == (BASE, CHANGES[:2], cut - len(whole))
            journal.append(CHANGES[2])
        assert file.read_bytes() == longer


def test_a_tail_of_zeros_is_torn(tmp_path):
    file = written(tmp_path)
    file.write_bytes(file.read_bytes() + bytes(40))

    assert read(file) == (BASE, CHANGES, 40)


def test_any_byte_damaged_is_never_read_as_good(tmp_path):
    """In all but the last record, damage is told and the file untouched; the last one cannot be told from a torn one."""
    start_of_last = len(written(tmp_path, CHANGES[:2]).read_bytes())
    file = written(tmp_path)
    whole = file.read_bytes()

    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x40
        file.write_bytes(damaged)
        if at < start_of_last + 12:
            with pytest.raises(DamagedJournalError):
                read(file)
            assert file.read_bytes() == damaged
        else:
            assert read(file).changes == CHANGES[:2]


@pytest.mark.parametrize("content", [b"", MAGIC, b"notes", MAGIC + bytes(30)])
def test_a_file_that_is_no_journal_is_told_and_untouched(tmp_path, content):
    file = tmp_path / "x.journal"
    file.write_bytes(content)

    with pytest.raises(DamagedJournalError, match=str(file)):
        read(file)
    assert file.read_bytes() == content


def test_a_journal_that_does_not_begin_with_a_text_is_told(tmp_path):
    file = written(tmp_path)
    with closing(Journal.begin(tmp_path, BASE)) as journal:
        journal.rewrite(CHANGES[0])  # what another version might have written

    with pytest.raises(DamagedJournalError, match="does not begin with a text"):
        read(file)


def test_a_rewritten_journal_holds_what_it_was_given_and_goes_on(tmp_path):
    with closing(Journal.begin(tmp_path, BASE)) as journal:
        journal.append(CHANGES[0])
        later = Base(BASE.path, 9, None, "later")
        journal.rewrite(later, CHANGES[1:2])
        journal.append(CHANGES[2])

    assert read(journal._file) == (later, CHANGES[1:], 0)


def test_a_rewriting_that_fails_leaves_the_journal_as_it_was_and_open(tmp_path):
    with closing(Journal.begin(tmp_path, BASE)) as journal:
        journal._file.with_suffix(".new").mkdir()
        with pytest.raises(JournalError, match="cannot write the journal"):
            journal.rewrite(Base(BASE.path, 9, None, "later"))
        journal.append(CHANGES[0])

    assert read(journal._file) == (BASE, CHANGES[:1], 0)


def test_a_rewriting_killed_half_way_leaves_the_journal_as_it_was(tmp_path):
    file = written(tmp_path)
    file.with_suffix(".new").write_bytes(MAGIC + b"half")

    assert read(file) == (BASE, CHANGES, 0)


def test_a_full_disk_is_told_and_the_journal_goes_on_once_there_is_space(tmp_path):
    with closing(Journal.begin(tmp_path, BASE)) as journal:
        stream = journal._stream
        with open("/dev/full", "r+b", buffering=0) as full:  # noqa: PTH123 - a disk without space
            journal._stream = full
            with pytest.raises(JournalError, match="No space left on device"):
                journal.append(CHANGES[0])
        journal._stream = stream
        journal.append(CHANGES[1])

    assert read(journal._file) == (BASE, [CHANGES[1]], 0)


def test_a_removed_journal_is_gone(tmp_path):
    journal = Journal.begin(tmp_path, BASE)
    journal.remove()

    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "journals").write_bytes(b"")

    with pytest.raises(JournalError, match="cannot write the journal"):
        Journal.begin(tmp_path / "journals", BASE)


KILLED = """
import sys
from pathlib import Path
from actors.xi_proxy.history import Base, Change
from actors.xi_proxy.journal import Journal
from actors.xi_proxy.replacement import Replacement
journal = Journal.begin(Path(sys.argv[1]), Base("/f", 0, None, ""))
print(journal._file, flush=True)
for number in range(1_000_000):
    journal.append(Change("edit", Replacement(0, 0, str(number))))
    print(number, flush=True)
"""


def test_a_process_killed_while_appending_loses_nothing_that_was_acknowledged(tmp_path):
    root = str(Path(__file__).parents[3])
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with Popen(command, stdout=PIPE, cwd=root, env={**os.environ, "PYTHONPATH": root}) as child:
        file = Path(child.stdout.readline().decode().strip())
        acknowledged = [int(child.stdout.readline()) for _ in range(50)]
        child.kill()
        acknowledged += [int(line) for line in child.stdout.read().splitlines()]

    found = [int(change.replacement.text) for change in read(file).changes]

    assert found[: len(acknowledged)] == acknowledged
    assert len(found) <= len(acknowledged) + 1
