"""A buffer is made again from its journal; what somebody else wrote to the file meanwhile is neither lost nor written over."""

from contextlib import contextmanager

import pytest

from actors.xi_proxy.document import digest, open_document
from actors.xi_proxy.history import MOST_KEPT
from actors.xi_proxy.link import XiDisagreesError
from actors.xi_proxy.restoring import Found, decide, restore_document
from symphony.domain.errors import InvalidRequestError, UnavailableError
from symphony.domain.text import Edit, Position, Span
from tests.support.xi_harness import faulty_xi, insert, links

BASE, EXPECTED, OTHER = digest("base"), digest("expected"), "other"


@pytest.mark.parametrize(
    ("disk", "expected", "found", "outcome"),
    [
        (BASE, EXPECTED, Found("base"), "whole"),
        (BASE, EXPECTED, Found("expected"), "whole"),
        (BASE, EXPECTED, Found(OTHER), "conflicted"),
        (BASE, EXPECTED, Found(None), "conflicted"),
        (BASE, EXPECTED, Found(None, is_missing=True), "whole"),
        (BASE, BASE, Found("base"), "whole"),
        (BASE, BASE, Found(OTHER), "reloaded"),
        (BASE, BASE, Found(None), "conflicted"),
        (BASE, BASE, Found(None, is_missing=True), "whole"),
        (None, EXPECTED, Found(OTHER), "conflicted"),
        (None, EXPECTED, Found("expected"), "whole"),
    ],
)
def test_what_becomes_of_a_buffer(disk, expected, found, outcome):
    assert decide(disk, expected, found) == outcome


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "journals"


@pytest.fixture
def life(tmp_path):
    """Run a life of the editor: what is open at its end is left as a death leaves it."""

    @contextmanager
    def living(command=None):
        link = (links(tmp_path / "xi.log") if command is None else links(tmp_path / "xi.log", command))(lambda _: None)
        link.start(10)
        try:
            yield link
        finally:
            link.stop(0)

    return living


def restored(link, folder):
    (file,) = folder.glob("*.journal")
    return restore_document(link, file)


def edited(document, *edits):
    assert document.edit(edits, document.state().revision)


def test_unsaved_edits_are_there_again_and_can_be_undone_one_by_one(life, folder, tmp_path):
    path = tmp_path / "f"
    path.write_text("one\n")
    with life() as link:
        document = open_document(link, folder, str(path))
        edited(document, insert("a"))
        edited(document, insert("b"), insert("c"))
        document.undo()
        edited(document, insert("d"))
        state, text = document.state(), document.text
        document.release()

    with life() as link:
        again, outcome, torn = restored(link, folder)
        assert (again.state(), again.text, again.restored, outcome, torn) == (state, text, 4, "whole", 0)
        texts = [again.text for _ in range(3) if again.undo()]
        assert texts == ["aone\n", "one\n"]
        assert [again.text for _ in range(3) if again.redo()] == ["aone\n", "daone\n"]
        again.release()


def test_redo_is_there_again(life, folder, tmp_path):
    (tmp_path / "f").write_text("one\n")
    with life() as link:
        document = open_document(link, folder, str(tmp_path / "f"))
        edited(document, insert("a"))
        document.undo()
        document.release()

    with life() as link:
        again, _, _ = restored(link, folder)
        assert again.redo()
        assert again.text == "aone\n"
        again.release()


def test_what_was_saved_is_the_base_and_steps_across_it_do_no_harm(life, folder, tmp_path):
    path = tmp_path / "f"
    path.write_text("one\n")
    with life() as link:
        document = open_document(link, folder, str(path))
        edited(document, insert("a"))
        document.save()
        document.undo()
        state = document.state()
        document.release()

    with life() as link:
        again, outcome, _ = restored(link, folder)
        assert (again.state(), again.text, outcome) == (state, "one\n", "whole")
        assert not again.undo()
        edited(again, insert("b"))
        assert again.undo()
        assert again.text == "one\n"
        assert not again.undo()
        again.save()
        again.release()
    assert path.read_text() == "one\n"


def test_a_save_that_was_done_and_not_noted_is_noticed(life, folder, tmp_path):
    path = tmp_path / "f"
    path.write_text("one\n")
    with life() as link:
        document = open_document(link, folder, str(path))
        edited(document, insert("a"))
        document.release()
    path.write_text("aone\n")

    with life() as link:
        again, outcome, _ = restored(link, folder)
        assert (outcome, again.state().pristine, again.state().revision) == ("whole", True, 1)
        edited(again, insert("b"))
        again.release()
    with life() as link:  # what is on disk now is what it is compared with from then on
        again, outcome, _ = restored(link, folder)
        assert (outcome, again.text) == ("whole", "baone\n")
        again.save()
        again.release()
    assert path.read_text() == "baone\n"


def test_a_file_that_changed_while_nothing_was_unsaved_is_shown_as_it_is(life, folder, tmp_path):
    path = tmp_path / "f"
    path.write_text("one\n")
    with life() as link:
        open_document(link, folder, str(path)).release()
    path.write_text("two\n")

    with life() as link:
        again, outcome, _ = restored(link, folder)
        assert (outcome, again.text, again.state().revision, again.state().pristine) == ("reloaded", "two\n", 1, True)
        assert not again.undo()
        again.release()
    with life() as link:
        again, outcome, _ = restored(link, folder)
        assert (outcome, again.text, again.state().revision) == ("whole", "two\n", 1)
        again.release()


def test_a_file_that_changed_under_unsaved_edits_is_not_written_over_and_the_edits_are_kept(life, folder, tmp_path):
    path = tmp_path / "f"
    path.write_text("one\n")
    with life() as link:
        document = open_document(link, folder, str(path))
        edited(document, insert("mine "))
        document.release()
    path.write_text("theirs\n")

    for revision in (1, 2):
        with life() as link:
            again, outcome, _ = restored(link, folder)
            assert (outcome, again.state().pristine, again.state().revision) == ("conflicted", False, revision)
            edited(again, insert("more "))
            with pytest.raises(InvalidRequestError, match="has changed on disk"):
                again.save()
            assert path.read_text() == "theirs\n"
            again.release()
    path.write_text("one\n")
    with life() as link:
        again, outcome, _ = restored(link, folder)
        assert outcome == "whole"
        again.save()
        again.release()
    assert path.read_text() == "more more mine one\n"


def test_a_file_that_is_no_text_any_more_costs_no_edit(life, folder, tmp_path):
    path = tmp_path / "f"
    path.write_text("one\n")
    with life() as link:
        document = open_document(link, folder, str(path))
        edited(document, insert("mine "))
        document.release()
    path.write_bytes(b"\xff")

    with life() as link:
        again, outcome, _ = restored(link, folder)
        assert (outcome, again.text) == ("conflicted", "mine one\n")
        with pytest.raises(InvalidRequestError, match="not UTF-8"):
            again.save()
        assert again.undo()
        again.release()
    assert path.read_bytes() == b"\xff"


def test_a_file_that_is_gone_is_written_again_by_a_save(life, folder, tmp_path):
    path = tmp_path / "f"
    path.write_text("one\n")
    with life() as link:
        document = open_document(link, folder, str(path))
        edited(document, insert("mine "))
        document.release()
    path.unlink()

    with life() as link:
        again, outcome, _ = restored(link, folder)
        assert (outcome, again.text, again.state().pristine) == ("whole", "mine one\n", False)
        again.save()
        assert again.state().pristine
        again.release()
    assert path.read_text() == "mine one\n"


def test_a_change_in_a_torn_record_was_never_made(life, folder, tmp_path):
    (tmp_path / "f").write_text("one\n")
    with life() as link:
        document = open_document(link, folder, str(tmp_path / "f"))
        edited(document, insert("a"))
        edited(document, insert("b"))
        document.release()
    (file,) = folder.glob("*.journal")
    file.write_bytes(file.read_bytes()[:-1])

    with life() as link:
        again, _, torn = restored(link, folder)
        assert (again.text, again.state().revision) == ("aone\n", 1)
        assert torn > 0
        again.release()


def test_more_edits_than_the_journal_keeps_are_all_in_the_text(life, folder, tmp_path):
    (tmp_path / "f").write_text("")
    with life() as link:
        document = open_document(link, folder, str(tmp_path / "f"))
        for _ in range(MOST_KEPT * 2 + 10):
            edited(document, insert("x"))
        state = document.state()
        document.release()

    with life() as link:
        again, _, _ = restored(link, folder)
        assert again.state() == state
        undone = 0
        while again.undo():
            undone += 1
        assert MOST_KEPT <= undone <= MOST_KEPT * 2
        again.release()


def test_a_full_journal_disk_refuses_the_edit_and_the_editor_takes_it_back(life, folder, tmp_path):
    (tmp_path / "f").write_text("one\n")
    with life() as link, open("/dev/full", "r+b", buffering=0) as full:  # noqa: PTH123 - a disk without space
        document = open_document(link, folder, str(tmp_path / "f"))
        edited(document, insert("a"))
        state = document.state()
        good, document._journal._stream = document._journal._stream, full
        for change in (lambda: document.edit([insert("b")], 1), document.undo):
            with pytest.raises(UnavailableError, match="free some space"):
                change()
            assert (document.state(), document.text) == (state, "aone\n")
            assert link.contents("view-id-1") == "aone\n"
        document._journal._stream = good
        edited(document, insert("c"))
        document.undo()
        document._journal._stream = full
        with pytest.raises(UnavailableError):
            document.redo()
        document._journal._stream = good
        assert (document.text, link.contents("view-id-1")) == ("aone\n", "aone\n")
        document.release()


def test_an_editor_that_holds_another_text_is_not_believed(life, folder, tmp_path):
    (tmp_path / "f").write_text("one\n")
    with life(faulty_xi("wrong", tmp_path / "flag")) as link:
        document = open_document(link, folder, str(tmp_path / "f"))
        with pytest.raises(XiDisagreesError):
            document.edit([insert("a")], 0)
        document.release()

    with life() as link:
        again, _, _ = restored(link, folder)
        assert (again.text, again.state().revision) == ("one\n", 0)
        again.release()


def test_a_byte_order_mark_is_text_like_any_other(life, folder, tmp_path):
    path = tmp_path / "f"
    path.write_text("\ufeffone\n")
    with life() as link:
        document = open_document(link, folder, str(path))
        assert not document.undo()
        edited(document, insert("x", (0, 1)))
        document.release()
    with life() as link:
        again, _, _ = restored(link, folder)
        assert again.text == "\ufeffxone\n"
        edited(again, Edit(Span(Position(0, 0), Position(0, 1)), ""))
        again.save()
        assert path.read_bytes() == b"xone\n"
        assert again.undo()
        assert again.undo()
        assert again.text == "\ufeffone\n"
        again.save()
        again.release()
    assert path.read_bytes() == "\ufeffone\n".encode()
