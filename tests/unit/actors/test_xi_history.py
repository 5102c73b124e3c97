"""The text is what the base and the changes make, whatever was folded, and only the user's own steps can be undone."""

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.xi_proxy.history import MOST_KEPT, Base, Change, History
from actors.xi_proxy.replacement import Replacement

BASE = Base("/f", 7, "digest", "text")


def appended(text, at, kind="edit"):
    return Change(kind, Replacement(at, at, text))


def test_a_change_makes_a_revision():
    history = History(BASE)
    history.add(appended("!", 4))

    assert (history.text, history.revision, history.undoable, history.redoable) == ("text!", 8, 1, 0)


def test_steps_are_counted_as_the_editor_counts_them():
    history = History(BASE)
    history.add(appended("!", 4))
    history.add(Change("undo", Replacement(4, 5, "")))
    assert (history.undoable, history.redoable) == (0, 1)
    history.add(appended("!", 4, "redo"))
    assert (history.undoable, history.redoable) == (1, 0)
    history.add(Change("undo", Replacement(4, 5, "")))
    history.add(appended("?", 4))
    assert (history.undoable, history.redoable) == (1, 0)


def test_an_undo_of_what_is_folded_away_is_made_as_an_edit_that_nobody_can_undo():
    history = History(BASE)
    change = Change("undo", Replacement(0, 1, ""))

    assert history.kind_of(change) == "edit"
    history.add(change)
    assert (history.text, history.undoable, history.redoable) == ("ext", 0, 0)


def test_a_redo_of_what_is_folded_away_is_made_as_an_edit_that_can_be_undone():
    history = History(BASE)
    change = appended("!", 4, "redo")

    assert history.kind_of(change) == "edit"
    history.add(change)
    assert (history.undoable, history.redoable) == (1, 0)


def test_rebasing_keeps_what_can_be_undone():
    history = History(BASE)
    history.add(appended("!", 4))
    history.rebase(Base("/f", 8, "other", "text!"))

    assert (history.changes, history.undoable, history.revision) == ((), 1, 8)


@settings(max_examples=10)
@given(st.integers(0, MOST_KEPT * 4), st.integers(1, 700))
def test_folding_changes_nothing_but_the_base(count, every):
    history, expected = History(BASE), BASE.text
    for number in range(count):
        change = appended(str(number % 10), number % 5)
        expected = change.replacement.apply(expected)
        history.add(change)
        later = history.fold() if number % every == 0 else None
        if later is not None:
            history.folded(*later)

        assert (history.text, history.revision) == (expected, BASE.revision + number + 1)
    again = History(history.base)
    for change in history.changes:
        again.add(change)
    assert (again.text, again.revision) == (history.text, history.revision)


def test_the_changes_of_a_buffer_that_is_never_saved_stay_bounded():
    history = History(BASE)
    most = 0
    for _ in range(MOST_KEPT * 6):
        history.add(appended("x", 0))
        later = history.fold()
        if later is not None:
            history.folded(*later)
        most = max(most, len(history.changes))

    assert most <= 2 * MOST_KEPT
    assert len(history.changes) >= MOST_KEPT - 1


def test_of_a_long_text_fewer_changes_are_kept():
    history = History(Base("/f", 0, None, "x" * 8_000_000))
    for _ in range(100):
        history.add(appended("x", 0))
        later = history.fold()
        if later is not None:
            history.folded(*later)

    assert len(history.changes) < 80
