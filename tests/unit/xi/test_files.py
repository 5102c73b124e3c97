"""Files: what is opened is what is saved, and a save that fails has not touched anything."""

import hashlib
import os
import stat

import pytest

from tests.unit.xi.frontend import Frontend
from xi.editor import files
from xi.protocol import RequestError


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


class Document:
    """An open file in an extended frontend, where saves are answered."""

    def __init__(self, path):
        self.path = path
        self.frontend = Frontend(extended=True)
        self.view_id = self.frontend.open(path)

    def insert(self, chars):
        self.frontend.insert(self.view_id, chars)
        return self

    def save(self, path=None):
        return self.frontend.ask("save", {"view_id": self.view_id, "file_path": str(path or self.path)})

    @property
    def is_pristine(self):
        return self.frontend.caches[self.view_id].is_pristine


def refusal(call, *args):
    with pytest.raises(RequestError) as caught:
        call(*args)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    "content", [b"a\nb\n", b"a\r\nb\r\n", b"a\rb\nc\r\n", b"\xef\xbb\xbfbom\n", "é€😀\n".encode(), b"", b"\0\n"]
)
def test_saving_what_was_opened_changes_no_byte(tmp_path, content):
    file = tmp_path / "file"
    file.write_bytes(content)
    saved = Document(file).save()

    assert file.read_bytes() == content
    assert saved == {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def test_a_byte_order_mark_is_not_part_of_the_text(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"\xef\xbb\xbfa\n")
    document = Document(file)

    assert document.frontend.contents(document.view_id) == "a\n"
    document.insert("x").save()
    assert file.read_bytes() == b"\xef\xbb\xbfxa\n"


def test_a_missing_file_is_an_empty_text_that_can_be_saved(tmp_path):
    file = tmp_path / "new"
    document = Document(file)
    assert not file.exists()

    document.insert("x").save()
    assert file.read_text() == "x\n"


def test_the_last_line_is_ended_in_the_file_and_not_in_the_text(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"a\r\nb")
    document = Document(file)
    document.save()

    assert file.read_bytes() == b"a\r\nb\r\n"
    assert document.frontend.contents(document.view_id) == "a\r\nb"
    document.insert("x").save()
    assert file.read_bytes() == b"xa\r\nb\r\n"


def test_a_save_keeps_the_mode_and_leaves_no_other_file(tmp_path):
    file = tmp_path / "script"
    file.write_text("x\n")
    file.chmod(0o751)
    Document(file).insert("y").save()

    assert stat.S_IMODE(file.stat().st_mode) == 0o751
    assert names_in(tmp_path) == ["script"]


def test_a_save_follows_links_to_the_file_and_keeps_them(tmp_path):
    (tmp_path / "real").mkdir()
    file = tmp_path / "real" / "file"
    file.write_text("x\n")
    link = tmp_path / "link"
    link.symlink_to("real/file")
    Document(link).insert("y").save()

    assert link.is_symlink()
    assert file.read_text() == "yx\n"


def test_a_loop_of_links_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    document = Document(None)

    assert refusal(document.frontend.open, tmp_path / "a")[0] == 5
    assert refusal(document.save, tmp_path / "a")[0] == 5


def test_a_file_that_is_not_utf8_is_refused_and_the_place_named(tmp_path):
    file = tmp_path / "latin1"
    file.write_bytes(b"caf\xe9\n")

    code, message = refusal(Frontend().open, file)
    assert (code, "not UTF-8 at byte 3" in message) == (6, True)


def test_folders_fifos_and_impossible_paths_are_refused_both_ways(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    document = Document(None)
    for path, reason in ((tmp_path, "directory"), (tmp_path / "fifo", "regular file"), ("a\0b", "null"), ("", "empty")):
        opening = refusal(document.frontend.ask, "new_view", {"file_path": str(path)})
        saving = refusal(document.frontend.ask, "save", {"view_id": document.view_id, "file_path": str(path)})
        for code, message in (opening, saving):
            assert (code, reason in message.lower()) == (5, True), message


def test_a_save_into_a_missing_folder_is_refused(tmp_path):
    assert refusal(Document(None).save, tmp_path / "none" / "file")[0] == 5
    assert names_in(tmp_path) == []


def test_a_file_that_is_not_writable_is_refused(tmp_path, monkeypatch):
    """Though its folder is, so that a rename would go through."""
    file = tmp_path / "file"
    file.write_text("x\n")
    file.chmod(0o444)
    if os.geteuid() == 0:  # root may write anything; ask on behalf of someone who may not
        monkeypatch.setattr(files.os, "access", lambda path, _mode: str(path) != str(file))

    assert refusal(Document(file).insert("y").save)[0] == 5
    assert file.read_text() == "x\n"
    assert names_in(tmp_path) == ["file"]


def test_a_save_that_the_disk_refuses_leaves_file_and_folder_as_they_were(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_text("x\n")
    document = Document(file).insert("y")
    monkeypatch.setattr(files.os, "fsync", lambda _fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))

    assert "No space left" in refusal(document.save)[1]
    assert file.read_text() == "x\n"
    assert names_in(tmp_path) == ["file"]
    assert not document.is_pristine


def test_a_file_changed_by_others_is_not_overwritten(tmp_path):
    file = tmp_path / "file"
    file.write_text("x\n")
    document = Document(file).insert("y")
    file.write_text("someone else's\n")

    code, message = refusal(document.save)
    assert (code, "changed on disk" in message) == (7, True)
    assert file.read_text() == "someone else's\n"
    assert not document.is_pristine
    assert document.save(tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "yx\n"


def test_a_conflict_is_seen_through_another_name_of_the_file(tmp_path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("x\n")
    link.symlink_to("file")
    document = Document(file)
    file.write_text("other\n")

    assert refusal(document.save, link)[0] == 7


def test_a_file_made_since_its_absence_was_seen_is_not_overwritten(tmp_path):
    document = Document(tmp_path / "file").insert("y")
    (tmp_path / "file").write_text("someone else's\n")

    assert refusal(document.save)[0] == 7


def test_a_touched_file_is_no_conflict(tmp_path):
    file = tmp_path / "file"
    file.write_text("x\n")
    document = Document(file).insert("y")
    os.utime(file, ns=(1, 1))

    assert document.save()["size"] == 3


def test_a_deleted_file_is_written_again(tmp_path):
    file = tmp_path / "file"
    file.write_text("x\n")
    document = Document(file)
    file.unlink()
    document.save()

    assert file.read_text() == "x\n"


def test_a_saved_text_is_pristine_until_it_is_edited_and_again_when_that_is_undone(tmp_path):
    document = Document(tmp_path / "file").insert("x")
    assert not document.is_pristine
    document.save()
    assert document.is_pristine
    document.frontend.edit(document.view_id, "insert_newline")
    assert not document.is_pristine
    document.frontend.edit(document.view_id, "undo")
    assert document.is_pristine


def test_saves_in_plain_xi_are_notifications_and_failures_are_alerts(tmp_path):
    frontend = Frontend()
    view_id = frontend.open(tmp_path / "file")
    before = len(frontend.heard)
    frontend.notify("save", {"view_id": view_id, "file_path": str(tmp_path)})
    frontend.notify("save", {"view_id": view_id, "file_path": str(tmp_path / "file")})

    assert [method for method, _ in frontend.heard[before:]] == ["alert", "update", "language_changed"]
    assert frontend.heard[before + 1][1]["update"]["pristine"]
    assert "without an id" in refusal(frontend.ask, "save", {"view_id": view_id, "file_path": "x"})[1]
