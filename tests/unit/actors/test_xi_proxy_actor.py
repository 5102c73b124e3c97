"""The proxy outlives its editor: whatever that does, another takes its place and every acknowledged edit is there."""

import os
import signal
from contextlib import suppress

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.runtime.errors import ActorFailedError, StartError
from actors.xi_proxy import messages
from symphony.domain.errors import ConflictError, InvalidRequestError, NotFoundError
from symphony.domain.text import Edit, Position, Span, apply_edits
from tests.support.xi_harness import faulty_xi, insert, running_proxy, until

# A hard text: each joins its neighbours in some way, or is what xi would put round a selection or take for a line's end.
HARD = [
    "\t",
    "\r\n",
    "😀",
    "👩\u200d🚀",
    "e\u0301",
    "\u0301",
    "{",
    '"',
    "'",
    "[",
    "}",
    "\n",
    "",
    "\ufeff",
    "\0",
    "x" * 5000,
    "漢",
    "\r",
]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "f.txt"
    path.write_text("one\ntwo\n", newline="")
    return path


def selection(text):
    """Give the whole text as a span."""
    lines = text.split("\n")
    return Span(Position(0, 0), Position(len(lines) - 1, len(lines[-1])))


def test_it_stands_for_the_editor_s_process_which_ends_with_it(tmp_path):
    with running_proxy(tmp_path) as proxy:
        process = psutil.Process(proxy.xi_pid)
        assert process.cmdline()[-3:] == ["-P", "-m", "xi"]
        assert process.cwd() == "/"
        assert os.getsid(process.pid) == process.pid

    assert not process.is_running()


@pytest.mark.parametrize("new", HARD)
@pytest.mark.parametrize("old", ["", "old", "e\u0301\r\n", "👩\u200d🚀👩\u200d🚀"])
def test_any_text_takes_the_place_of_any(proxy_for_module, tmp_path, old, new):
    path = tmp_path / "f"
    path.write_bytes(f"<{old}>".encode())
    proxy_for_module.open(path)

    proxy_for_module.edit(path, Edit(Span(Position(0, 1), selection(f"<{old}").end), new))

    assert proxy_for_module.text(path) == f"<{new}>"
    proxy_for_module.save(path)
    assert path.read_bytes() == f"<{new}>".encode()
    proxy_for_module.undo(path)
    assert proxy_for_module.text(path) == f"<{old}>"
    proxy_for_module.redo(path)
    assert proxy_for_module.text(path) == f"<{new}>"
    proxy_for_module.close(path)


@pytest.fixture(scope="module")
def proxy_for_module(tmp_path_factory):
    with running_proxy(tmp_path_factory.mktemp("proxy")) as proxy:
        yield proxy


def test_a_megabyte_is_edited_in_the_middle(proxy_for_module, tmp_path):
    path = tmp_path / "f"
    text = "".join(f"line {number} é\n" for number in range(70_000))
    path.write_text(text)
    proxy_for_module.open(path)
    edits = [insert("x\ny", (35_000, 4)), Edit(Span(Position(10, 0), Position(20, 0)), ""), insert("end", (69_990 + 1, 0))]

    state = proxy_for_module.edit(path, *edits)

    assert proxy_for_module.text(path) == apply_edits(text, edits)
    assert state.revision == 1
    assert proxy_for_module.undo(path).pristine
    proxy_for_module.close(path)


def test_what_happens_is_published(tmp_path, file):
    with running_proxy(tmp_path) as proxy:
        proxy.open(file)
        proxy.open(file)
        proxy.edit(file, insert("x"))
        proxy.edit(file)
        proxy.undo(file)
        proxy.undo(file)
        proxy.save(file)
        proxy.kill_xi()
        proxy.close(file)

        assert proxy.events() == [
            ("buffer.opened", 0),
            ("buffer.edited", 1),
            ("buffer.edited", 2),
            ("buffer.saved", 2),
            ("buffer.restored", 2),
            ("buffer.closed", 2),
        ]


def test_a_reply_says_whether_the_buffer_was_restored_and_in_which_life(tmp_path, file):
    with running_proxy(tmp_path) as proxy:
        first = proxy.reply(messages.OpenBuffer(str(file)))
        assert (first.incarnation, first.restored, first.effect) == (1, None, "opened")
        proxy.edit(file, insert("x"))
        proxy.kill_xi()

        again = proxy.reply(messages.EditBuffer(str(file), (insert("y"),), 1))

    assert (again.incarnation, again.restored, again.effect, again.state.revision) == (2, 1, "edited", 2)


def test_an_editor_killed_between_two_edits_loses_nothing_and_undo_goes_on(tmp_path, file):
    with running_proxy(tmp_path) as proxy:
        proxy.open(file)
        proxy.edit(file, insert("a"))
        before = proxy.edit(file, insert("b"))
        proxy.kill_xi()

        assert proxy.state(file) == before
        proxy.edit(file, insert("c"))
        assert [proxy.undo(file).revision for _ in range(4)] == [4, 5, 6, 6]
        assert proxy.text(file) == "one\ntwo\n"
        assert [proxy.redo(file).revision for _ in range(4)] == [7, 8, 9, 9]
        assert proxy.text(file) == "cbaone\ntwo\n"


def test_an_editor_that_is_found_dead_fails_the_request_and_the_next_one_succeeds(tmp_path, file):
    with running_proxy(tmp_path) as proxy:
        proxy.open(file)
        os.kill(proxy.xi_pid, signal.SIGKILL)
        with suppress(ActorFailedError):  # unless the actor hears of the death before the request
            proxy.edit(file, insert("x"))
        if proxy.state(file).revision == 0:
            proxy.edit(file, insert("x"))

        assert (proxy.state(file).revision, proxy.text(file)) == (1, "xone\ntwo\n")


@pytest.mark.parametrize("moment", ["check", "fsync", "rename", "renamed", "reply"])
def test_an_editor_killed_during_a_save_leaves_the_old_file_or_the_new_one_and_the_save_can_be_repeated(tmp_path, file, moment):
    with running_proxy(tmp_path, faulty_xi(f"save:{moment}", tmp_path / "flag")) as proxy:
        proxy.open(file)
        proxy.edit(file, insert("x"))
        assert "SIGKILL" in proxy.fails(lambda: proxy.save(file))
        assert file.read_text() == ("xone\ntwo\n" if moment in ("renamed", "reply") else "one\ntwo\n")

        state = proxy.state(file)
        assert (proxy.text(file), state.revision, state.pristine) == ("xone\ntwo\n", 1, moment in ("renamed", "reply"))
        assert proxy.save(file).pristine
        assert file.read_text() == "xone\ntwo\n"
        assert proxy.undo(file).revision == 2
        assert proxy.text(file) == "one\ntwo\n"


def test_an_editor_that_falls_silent_is_replaced(tmp_path, file):
    """It lives, and hears neither the end of its input nor SIGTERM."""
    with running_proxy(tmp_path, faulty_xi("mute", tmp_path / "flag"), patience_s=0.3) as proxy:
        proxy.open(file)
        pid = proxy.xi_pid
        assert "runs and has not answered edit within 0.3 s" in proxy.fails(lambda: proxy.edit(file, insert("x")))

        assert proxy.edit(file, insert("x")).revision == 1
        assert not psutil.pid_exists(pid)


def test_an_editor_that_is_stopped_is_replaced(tmp_path, file):
    with running_proxy(tmp_path, patience_s=0.3) as proxy:
        proxy.open(file)
        os.kill(proxy.xi_pid, signal.SIGSTOP)
        assert "has not answered" in proxy.fails(lambda: proxy.edit(file, insert("x")))

        assert proxy.edit(file, insert("x")).revision == 1


def test_an_editor_that_holds_another_text_than_it_was_given_is_replaced(tmp_path, file):
    with running_proxy(tmp_path, faulty_xi("wrong", tmp_path / "flag")) as proxy:
        proxy.open(file)
        assert "the editor holds a text of 13 characters where one of 9 is expected" in proxy.fails(
            lambda: proxy.edit(file, insert("x"))
        )

        assert proxy.text(file) == "one\ntwo\n"
        assert proxy.edit(file, insert("x")).revision == 1


@pytest.mark.parametrize("command", [("/missing/xi-core",), ("/",)])
def test_a_command_that_cannot_be_run_is_told_at_the_start(tmp_path, command):
    with pytest.raises(StartError, match=r"the editor cannot be started.*check that the command is right"):
        running_proxy(tmp_path, command).__enter__()


def test_an_editor_that_ends_at_once_is_told_with_its_last_words(tmp_path):
    with pytest.raises(StartError, match=r"exited with 3 while it was being started; its log, .*ends:\nno licence"):
        running_proxy(tmp_path, faulty_xi("early", tmp_path / "flag")).__enter__()


def test_unsaved_text_is_there_again_after_a_stop_and_a_start(tmp_path, file):
    with running_proxy(tmp_path) as proxy:
        proxy.open(file)
        before = proxy.edit(file, insert("x"))
    with running_proxy(tmp_path) as proxy:
        assert proxy.state(file) == before
        assert proxy.open(file) == before
        proxy.close(file)
        assert proxy.journals == []
    with running_proxy(tmp_path) as proxy, pytest.raises(NotFoundError):
        proxy.state(file)


def test_a_journal_that_is_damaged_is_kept_aside_and_the_other_buffers_are_restored(tmp_path, file):
    other = tmp_path / "other"
    other.write_text("")
    with running_proxy(tmp_path) as proxy:
        proxy.open(file)
        (damaged,) = proxy.journals
        proxy.open(other)
        proxy.edit(other, insert("x"))
    damaged.write_bytes(b"notes")
    with running_proxy(tmp_path) as proxy:
        assert proxy.text(other) == "x"
        with pytest.raises(NotFoundError):
            proxy.state(file)
        assert [event.type for event in proxy.system.events.since(0) if "journal" in event.type] == ["journal.set_aside"]
        proxy.open(file)
    assert damaged.with_suffix(".damaged-1").read_bytes() == b"notes"


def test_a_file_changed_behind_unsaved_edits_is_told(tmp_path, file):
    with running_proxy(tmp_path) as proxy:
        proxy.open(file)
        proxy.edit(file, insert("x"))
        file.write_text("theirs")
        with pytest.raises(InvalidRequestError, match="has changed on disk"):
            proxy.save(file)
        proxy.kill_xi()
        until(lambda: len(proxy.events()) == 4, "the events of the restoration")

        assert proxy.events()[2:] == [("buffer.restored", 1), ("buffer.conflicted", 1)]
        assert proxy.text(file) == "xone\ntwo\n"
        with pytest.raises(InvalidRequestError, match="has changed on disk"):
            proxy.save(file)
        assert file.read_text() == "theirs"


def test_declared_errors_do_not_fail_it(tmp_path, file):
    with running_proxy(tmp_path) as proxy:
        pid = proxy.xi_pid
        with pytest.raises(NotFoundError):
            proxy.state(file)
        with pytest.raises(NotFoundError):
            proxy.open(tmp_path / "missing")
        proxy.open(file)
        with pytest.raises(ConflictError, match="at revision 0, not 5"):
            proxy.reply(messages.EditBuffer(str(file), (insert("x"),), 5))
        with pytest.raises(InvalidRequestError, match="surrogates"):
            proxy.edit(file, insert("\ud800"))
        with pytest.raises(InvalidRequestError, match="a buffer holds"):
            proxy.edit(file, insert("x" * messages.MAX_BYTES))

        assert proxy.xi_pid == pid


class Model:
    """A text with a history. A death takes of that what is older than the last save, and what was undone across it."""

    def __init__(self, text):
        self.texts, self.at, self.saved, self.revision = [text], 0, text, 0
        self.since_save = []

    @property
    def text(self):
        return self.texts[self.at]

    def edit(self, text):
        if text != self.text:
            self.texts[self.at + 1 :] = [text]
            self._move("edit", 1)

    def undo(self):
        if self.at > 0:
            self._move("undo", -1)

    def redo(self):
        if self.at + 1 < len(self.texts):
            self._move("redo", 1)

    def save(self):
        self.saved, self.since_save = self.text, []

    def die(self):
        texts, at = [self.saved], 0
        for kind, text in self.since_save:
            if kind == "undo" and at > 0:
                at -= 1
            elif kind == "redo" and at + 1 < len(texts):
                at += 1
            elif kind == "undo":
                texts, at = [text], 0
            else:
                texts[at + 1 :] = [text]
                at += 1
        self.texts, self.at = texts, at

    def _move(self, kind, by):
        self.at += by
        self.revision += 1
        self.since_save.append((kind, self.text))


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), st.integers(0, 400), st.integers(0, 6), st.sampled_from(HARD)),
        st.sampled_from([("undo",), ("redo",), ("save",), ("kill",)]),
    ),
    max_size=12,
)


@settings(max_examples=12)
@given(OPERATIONS)
def test_the_buffer_is_what_a_text_with_a_history_would_be_through_every_death(tmp_path_factory, operations):
    folder = tmp_path_factory.mktemp("model")
    file = folder / "f"
    model = Model("one\ntwo\n")
    file.write_text(model.text)
    with running_proxy(folder) as proxy:
        proxy.open(file)
        for operation in operations:
            match operation:
                case ("edit", where, length, new):
                    start = min(where, len(model.text))
                    edit = span_edit(model.text, start, min(start + length, len(model.text)), new)
                    model.edit(apply_edits(model.text, [edit]))
                    proxy.edit(file, edit)
                case ("undo",):
                    model.undo()
                    proxy.undo(file)
                case ("redo",):
                    model.redo()
                    proxy.redo(file)
                case ("save",):
                    model.save()
                    proxy.save(file)
                case ("kill",):
                    model.die()
                    proxy.kill_xi()
            state = proxy.state(file)
            assert proxy.text(file) == model.text
            assert (state.revision, state.pristine) == (model.revision, model.text == model.saved)
            assert file.read_bytes() == model.saved.encode()


def span_edit(text, start, end, new):
    def position(offset):
        return Position(text.count("\n", 0, offset), offset - (text.rfind("\n", 0, offset) + 1))

    return Edit(Span(position(start), position(end)), new)
