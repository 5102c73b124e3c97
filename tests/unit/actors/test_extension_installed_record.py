"""The record of installed extensions: whole, or told to be damaged; never guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.extensions.installed_record import InstalledRecord
from symphony.domain.errors import UnavailableError
from symphony.ports.extension import ExtensionState

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
STATES = st.lists(st.builds(ExtensionState, *[TEXT] * 5, st.lists(TEXT).map(tuple), TEXT)).map(tuple)


@given(STATES)
def test_what_was_written_is_read(tmp_path_factory, states):
    record = InstalledRecord(tmp_path_factory.mktemp("state"))
    record.write([])
    record.write(states)

    assert record.read() == states


def test_nothing_is_installed_where_there_is_no_record(tmp_path):
    assert InstalledRecord(tmp_path / "not" / "there").read() == ()


def test_the_folder_is_made_and_holds_the_record_alone(tmp_path):
    InstalledRecord(tmp_path / "deep" / "state").write([])

    assert [file.name for file in (tmp_path / "deep" / "state").iterdir()] == ["installed.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b'{"schema": "symphony.extensions/2", "installed": []}'])
def test_what_is_no_record_is_moved_aside(tmp_path, content):
    record = InstalledRecord(tmp_path)
    record.path.write_bytes(content)

    assert record.read() is None
    assert record.path.with_suffix(".damaged").read_bytes() == content
    assert record.read() == ()


def test_a_disk_that_refuses_is_told_with_what_to_do(tmp_path):
    (tmp_path / "file").touch()
    record = InstalledRecord(tmp_path / "file")

    with pytest.raises(UnavailableError, match=r"cannot write .*installed.json.* try again"):
        record.write([])


def test_a_record_that_is_a_folder_is_told(tmp_path):
    record = InstalledRecord(tmp_path)
    record.path.mkdir()

    with pytest.raises(UnavailableError, match="cannot read"):
        record.read()
