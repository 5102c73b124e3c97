"""A link does with any core that speaks xi's protocol what the proxy asks of it."""

import os
import signal
import threading
from queue import SimpleQueue

import pytest

from actors.runtime.errors import OsProcessDiedError, StartError
from actors.xi_proxy.link import Place, XiMuteError, XiRefusedError
from adapters.text_editing.xi_link import XiLink
from tests.support.xi_harness import XI, faulty_xi, links

BOUND_S = 20.0


class Link(XiLink):
    """A started link that keeps what it was told of its process's death."""

    def __init__(self, tmp_path, command=XI, patience_s=2.0):
        self.deaths = SimpleQueue()
        super().__init__(links(tmp_path / "xi.log", command, patience_s), self.deaths.put)
        self.start(BOUND_S)


@pytest.fixture(params=["our own", "plain"])
def link(request, tmp_path):
    """Our own editor, which answers, and one that does not, as xi-core."""
    link = Link(tmp_path, faulty_xi("plain", tmp_path / "flag") if request.param == "plain" else XI)
    yield link
    link.stop(BOUND_S)
    assert link.deaths.empty()


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "f"
    file.write_bytes(b"one\ntwo\n")
    return file


def test_whether_the_editor_answers_is_found_out(tmp_path):
    own, plain = Link(tmp_path), Link(tmp_path, faulty_xi("plain", tmp_path / "flag"))
    try:
        assert (own._has_answers, plain._has_answers) == (True, False)
    finally:
        own.stop(BOUND_S)
        plain.stop(BOUND_S)


def test_a_file_is_opened_edited_and_saved(link, file):
    view = link.open(str(file))
    assert link.contents(view) == "one\ntwo\n"
    link.replace(view, Place(1, 0), Place(1, 3), "é\n")
    assert link.contents(view) == "one\né\n\n"
    link.undo(view)
    assert link.contents(view) == "one\ntwo\n"
    link.redo(view)

    assert len(link.save(view, str(file))) == 64
    assert file.read_bytes() == "one\né\n\n".encode()


@pytest.mark.parametrize("text", ['"', "'", "{", "[", "(", "x"])
def test_a_selection_is_replaced_and_never_wrapped_in_one_step(link, file, text):
    view = link.open(str(file))
    link.replace(view, Place(0, 0), Place(0, 3), text)
    assert link.contents(view) == f"{text}\ntwo\n"
    link.undo(view)

    assert link.contents(view) == "one\ntwo\n"


def test_nothing_is_added_to_a_file_without_a_last_newline(link, file):
    view = link.open(str(file))
    link.replace(view, Place(1, 3), Place(2, 0), "")
    link.save(view, str(file))

    assert file.read_bytes() == b"one\ntwo"


def test_the_changed_line_is_known_without_asking_for_the_text(link, file):
    file.write_text("x\n" * 5000)
    view = link.open(str(file))
    link.replace(view, Place(3000, 1), Place(3000, 1), "é\ny")
    count, line = link.line(view, 3001)

    assert (count, line) == (5002, "y\n")
    assert link.line(view, 2) == (5002, None)
    assert link.line(view, 9999) == (5002, None)
    assert link.line("view-id-77", 0) == (0, None)


def test_an_empty_view_is_saved_where_it_is_told(link, tmp_path):
    view = link.open(None)
    link.replace(view, Place(0, 0), Place(0, 0), "\ufeffmarked")
    link.save(view, str(tmp_path / "new"))

    assert (tmp_path / "new").read_bytes() == "\ufeffmarked".encode()


def test_a_file_that_cannot_be_opened_is_refused_with_the_reason(link, file):
    file.write_bytes(b"\xff")
    with pytest.raises(XiRefusedError, match="UTF-8"):
        link.open(str(file))


def test_a_save_that_fails_is_refused_with_the_reason_and_the_next_one_is_not(link, file, tmp_path):
    view = link.open(str(file))
    with pytest.raises(XiRefusedError, match="cannot save"):
        link.save(view, str(tmp_path / "missing" / "f"))
    link.save(view, str(file))


def test_a_closed_view_is_refused_and_forgotten(link, file):
    view = link.open(str(file))
    link.close_view(view)

    assert link.line(view, 0) == (0, None)
    with pytest.raises(XiRefusedError):
        link.contents(view)


def test_a_long_text_goes_there_and_back(link):
    view = link.open(None)
    text = "é😀\n" * 300_000
    link.replace(view, Place(0, 0), Place(0, 0), text)

    assert link.contents(view) == text


def test_the_death_of_the_process_is_told_at_once_and_to_every_call(tmp_path):
    link = Link(tmp_path)
    view = link.open(None)
    os.kill(link.pid, signal.SIGKILL)
    error = link.deaths.get(timeout=BOUND_S)

    assert (error.pid, error.signal, error.exit_code, error.command) == (link.pid, "SIGKILL", None, link.command)
    for call in (lambda: link.contents(view), lambda: link.undo(view), lambda: link.open(None)):
        with pytest.raises(OsProcessDiedError, match="was killed by SIGKILL"):
            call()
    link.stop(0)
    assert link.deaths.empty()


def test_an_end_by_itself_is_told_with_its_exit_code(tmp_path):
    link = Link(tmp_path)
    os.kill(link.pid, signal.SIGTERM)  # which our editor takes as a wish, and leaves with 0

    assert link.deaths.get(timeout=BOUND_S).exit_code == 0
    link.stop(0)


def test_a_call_that_waits_when_the_process_dies_fails_then(tmp_path):
    link = Link(tmp_path, patience_s=BOUND_S)
    os.kill(link.pid, signal.SIGSTOP)
    killing = threading.Timer(0.05, os.kill, (link.pid, signal.SIGKILL))
    killing.start()
    with pytest.raises(OsProcessDiedError):
        link.open(None)
    killing.join()
    link.stop(0)


def test_a_silent_editor_is_found_out_within_its_patience(tmp_path):
    link = Link(tmp_path, patience_s=0.1)
    os.kill(link.pid, signal.SIGSTOP)
    with pytest.raises(XiMuteError, match=r"runs and has not answered new_view within 0.1 s"):
        link.open(None)
    link.stop(0)


def test_an_answer_that_comes_too_late_is_dropped(tmp_path):
    link = Link(tmp_path, patience_s=0.1)
    os.kill(link.pid, signal.SIGSTOP)
    with pytest.raises(XiMuteError):
        link.open(None)
    os.kill(link.pid, signal.SIGCONT)

    view = link.open(None)
    assert link.contents(view) == ""
    assert link._answers == {}
    link.stop(BOUND_S)


def test_a_program_that_is_no_editor_is_told(tmp_path):
    with pytest.raises(StartError, match=r"has not answered save within 0.1 s while it was being started"):
        XiLink(links(tmp_path / "log", ("sleep", "60")), lambda _: None).start(0.1)


def test_a_link_that_was_not_started_can_be_stopped(tmp_path):
    link = XiLink(links(tmp_path / "log"), lambda _: None)
    link.stop(0)

    assert link.pid == 0
