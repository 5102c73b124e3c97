"""What every adapter of TextEditingPort promises."""

import asyncio
from hashlib import sha256

import pytest

from symphony.domain.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from symphony.domain.text import Edit, Position, Span, apply_edits, edits_between
from symphony.ports import TextEvent


def edit(start, end, text):
    return Edit(Span(Position(*start), Position(*end)), text)


def insert(text, at=(0, 0)):
    return edit(at, at, text)


async def take(events, count):
    return [await anext(events) for _ in range(count)]


async def test_an_opened_file_is_pristine_at_revision_0(text_editing):
    path = text_editing.write_file("a.txt", "one\ntwo é😀\n".encode())

    state = await text_editing.port.open(path)

    assert (state.path, state.revision, state.pristine) == (path, 0, True)
    assert state.sha256 == sha256("one\ntwo é😀\n".encode()).hexdigest()
    assert await text_editing.port.text(state.id) == "one\ntwo é😀\n"


@pytest.mark.parametrize("content", ["", "\n", "no newline", "a\r\nb\r\n", "\ufeffmark", "tab\tnull\0", "é" * 3000, "x\n" * 2000])
async def test_a_text_is_opened_and_saved_as_it_is(text_editing, content):
    path = text_editing.write_file("a.txt", content.encode())

    state = await text_editing.port.open(path)

    assert await text_editing.port.text(state.id) == content
    await text_editing.port.save(state.id)
    assert text_editing.read_file(path) == content.encode()


async def test_opening_an_open_file_gives_its_buffer_as_it_is(text_editing):
    path = text_editing.write_file("a.txt", b"one")
    state = await text_editing.port.open(path)
    edited = await text_editing.port.edit(state.id, [insert("x")], revision=0)

    assert await text_editing.port.open(path) == edited
    assert await text_editing.port.text(state.id) == "xone"


async def test_opening_again_reads_a_file_that_others_changed_if_nothing_is_unsaved(text_editing):
    path = text_editing.write_file("a.txt", b"one")
    state = await text_editing.port.open(path)
    text_editing.write_file("a.txt", b"two")

    again = await text_editing.port.open(path)

    assert (again.revision, again.pristine) == (state.revision + 1, True)
    assert await text_editing.port.text(state.id) == "two"
    edited = await text_editing.port.edit(state.id, [insert("x")], revision=again.revision)
    assert (await text_editing.port.save(edited.id)).pristine
    assert text_editing.read_file(path) == b"xtwo"


async def test_opening_again_keeps_what_is_unsaved_although_others_changed_the_file(text_editing):
    path = text_editing.write_file("a.txt", b"one")
    state = await text_editing.port.open(path)
    edited = await text_editing.port.edit(state.id, [insert("x")], revision=0)
    text_editing.write_file("a.txt", b"two")

    assert await text_editing.port.open(path) == edited
    assert await text_editing.port.text(state.id) == "xone"


async def test_opening_again_a_file_that_is_gone_gives_the_buffer_as_it_is(text_editing):
    path = text_editing.write_file("a.txt", b"one")
    state = await text_editing.port.open(path)
    text_editing.write_file("a.txt", b"\xff not UTF-8")

    assert await text_editing.port.open(path) == state


async def test_a_missing_file_is_not_found(text_editing):
    path = text_editing.write_file("a.txt", b"")

    with pytest.raises(NotFoundError):
        await text_editing.port.open(path + ".missing")


async def test_a_directory_is_refused(text_editing):
    with pytest.raises(InvalidRequestError):
        await text_editing.port.open(text_editing.make_directory("folder"))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"ok \xc3", b"\xed\xa0\x80", b"caf\xe9\n"])
async def test_a_file_that_is_not_utf8_is_refused_and_untouched(text_editing, content):
    path = text_editing.write_file("a.txt", content)

    with pytest.raises(InvalidRequestError):
        await text_editing.port.open(path)
    assert text_editing.read_file(path) == content


async def test_an_edit_changes_the_text_and_the_revision(text_editing):
    state = await text_editing.port.open(text_editing.write_file("a.txt", b"one\ntwo\n"))

    edited = await text_editing.port.edit(state.id, [edit((0, 1), (1, 2), "X")], revision=state.revision)

    assert await text_editing.port.text(state.id) == "oXo\n"
    assert (edited.id, edited.revision, edited.pristine) == (state.id, 1, False)
    assert edited.sha256 == sha256(b"oXo\n").hexdigest()
    assert await text_editing.port.state(state.id) == edited


async def test_columns_count_code_points(text_editing):
    state = await text_editing.port.open(text_editing.write_file("a.txt", "é😀x".encode()))

    await text_editing.port.edit(state.id, [edit((0, 1), (0, 2), "-")], revision=0)

    assert await text_editing.port.text(state.id) == "é-x"


async def test_edits_of_one_call_are_applied_one_after_the_other_and_are_one_revision(text_editing):
    state = await text_editing.port.open(text_editing.write_file("a.txt", b"abc"))
    edits = [insert("x\n"), edit((1, 0), (1, 3), "y"), insert("z", (1, 1))]

    edited = await text_editing.port.edit(state.id, edits, revision=0)

    assert await text_editing.port.text(state.id) == apply_edits("abc", edits) == "x\nyz"
    assert edited.revision == 1


async def test_no_edits_change_nothing(text_editing):
    state = await text_editing.port.open(text_editing.write_file("a.txt", b"abc"))

    assert await text_editing.port.edit(state.id, [], revision=0) == state


@pytest.mark.parametrize(
    ("before", "after"),
    [("", "a\nb"), ("a\nb", ""), ("a\nb\nc\n", "a\nc\nd\n"), ("1\n2\n3", "3\n2\n1"), ("a\r\nb", "a\nb"), ("x  \n", "x\n")],
)
async def test_the_edits_between_two_texts_lead_from_one_to_the_other(text_editing, before, after):
    state = await text_editing.port.open(text_editing.write_file("a.txt", before.encode()))

    await text_editing.port.edit(state.id, edits_between(before, after), revision=0)

    assert await text_editing.port.text(state.id) == after


async def test_an_edit_at_another_revision_is_refused_and_changes_nothing(text_editing):
    state = await text_editing.port.open(text_editing.write_file("a.txt", b"abc"))
    edited = await text_editing.port.edit(state.id, [insert("x")], revision=0)

    for revision in (0, 2, -1):
        with pytest.raises(ConflictError):
            await text_editing.port.edit(state.id, [insert("y")], revision=revision)
    assert await text_editing.port.state(state.id) == edited


@pytest.mark.parametrize(
    "wrong",
    [insert("x", (9, 0)), insert("x", (0, 9)), insert("x", (0, -1)), edit((0, 2), (0, 1), "x"), edit((0, 0), (5, 0), "x")],
    ids=["line", "column", "negative", "backwards", "end"],
)
async def test_one_edit_outside_the_text_leaves_all_of_them_undone(text_editing, wrong):
    state = await text_editing.port.open(text_editing.write_file("a.txt", b"abc"))

    with pytest.raises(InvalidRequestError):
        await text_editing.port.edit(state.id, [insert("first"), wrong], revision=0)
    assert await text_editing.port.state(state.id) == state
    assert await text_editing.port.text(state.id) == "abc"


async def test_text_that_is_not_utf8_is_refused_and_changes_nothing(text_editing):
    state = await text_editing.port.open(text_editing.write_file("a.txt", b"abc"))

    with pytest.raises(InvalidRequestError):
        await text_editing.port.edit(state.id, [insert("\ud800")], revision=0)
    assert await text_editing.port.state(state.id) == state


async def test_undo_takes_back_and_redo_applies_again(text_editing):
    state = await text_editing.port.open(text_editing.write_file("a.txt", b"one\ntwo\n"))
    await text_editing.port.edit(state.id, [edit((1, 0), (1, 3), "2"), insert("zero\n")], revision=0)

    undone = await text_editing.port.undo(state.id)
    assert await text_editing.port.text(state.id) == "one\ntwo\n"
    redone = await text_editing.port.redo(state.id)
    assert await text_editing.port.text(state.id) == "zero\none\n2\n"

    assert (undone.revision, redone.revision) == (2, 3)
    assert (undone.sha256, redone.pristine) == (state.sha256, False)


async def test_without_anything_to_undo_or_redo_nothing_changes(text_editing):
    state = await text_editing.port.open(text_editing.write_file("a.txt", b"one"))

    assert await text_editing.port.undo(state.id) == state
    assert await text_editing.port.redo(state.id) == state


async def test_what_was_undone_is_gone_after_another_edit(text_editing):
    state = await text_editing.port.open(text_editing.write_file("a.txt", b"one"))
    await text_editing.port.edit(state.id, [insert("x")], revision=0)
    undone = await text_editing.port.undo(state.id)
    edited = await text_editing.port.edit(state.id, [insert("y")], revision=undone.revision)

    assert await text_editing.port.redo(state.id) == edited
    assert await text_editing.port.text(state.id) == "yone"


async def test_saving_writes_the_file_and_keeps_the_revision(text_editing):
    path = text_editing.write_file("a.txt", b"one\n")
    state = await text_editing.port.open(path)
    edited = await text_editing.port.edit(state.id, [insert("é")], revision=0)
    assert text_editing.read_file(path) == b"one\n"

    saved = await text_editing.port.save(state.id)

    assert text_editing.read_file(path) == "éone\n".encode()
    assert (saved.revision, saved.pristine, saved.sha256) == (edited.revision, True, edited.sha256)
    assert await text_editing.port.save(state.id) == saved


async def test_a_file_that_cannot_be_written_is_told_and_nothing_is_lost(text_editing):
    path = text_editing.write_file("a.txt", b"one")
    state = await text_editing.port.open(path)
    edited = await text_editing.port.edit(state.id, [insert("x")], revision=0)
    text_editing.make_unwritable(path)

    with pytest.raises(InvalidRequestError):
        await text_editing.port.save(state.id)
    assert await text_editing.port.state(state.id) == edited
    assert await text_editing.port.text(state.id) == "xone"


async def test_a_closed_buffer_gives_up_what_was_not_saved(text_editing):
    path = text_editing.write_file("a.txt", b"one")
    state = await text_editing.port.open(path)
    await text_editing.port.edit(state.id, [insert("x")], revision=0)

    await text_editing.port.close(state.id)

    assert text_editing.read_file(path) == b"one"
    assert await text_editing.port.open(path) == state
    assert await text_editing.port.text(state.id) == "one"


async def test_a_buffer_that_is_not_open_is_not_found(text_editing):
    port = text_editing.port
    state = await port.open(text_editing.write_file("a.txt", b"one"))
    await port.close(state.id)

    for call in (
        port.text(state.id),
        port.state(state.id),
        port.edit(state.id, [insert("x")], revision=0),
        port.undo(state.id),
        port.redo(state.id),
        port.save(state.id),
        port.close(state.id),
    ):
        with pytest.raises(NotFoundError):
            await call


async def test_buffers_are_independent(text_editing):
    one = await text_editing.port.open(text_editing.write_file("a.txt", b"one"))
    two = await text_editing.port.open(text_editing.write_file("b.txt", b"two"))

    await text_editing.port.edit(one.id, [insert("x")], revision=0)
    await text_editing.port.undo(two.id)

    assert await text_editing.port.text(one.id) == "xone"
    assert await text_editing.port.state(two.id) == two


async def test_calls_on_one_buffer_take_effect_in_the_order_they_were_made(text_editing):
    state = await text_editing.port.open(text_editing.write_file("a.txt", b""))

    await asyncio.gather(*(text_editing.port.edit(state.id, [insert(f"{n}\n", (n, 0))], revision=n) for n in range(20)))

    assert await text_editing.port.text(state.id) == "".join(f"{n}\n" for n in range(20))


async def test_of_two_edits_at_one_revision_the_first_wins(text_editing):
    state = await text_editing.port.open(text_editing.write_file("a.txt", b""))

    first, second = await asyncio.gather(
        text_editing.port.edit(state.id, [insert("a")], revision=0),
        text_editing.port.edit(state.id, [insert("b")], revision=0),
        return_exceptions=True,
    )

    assert first.revision == 1
    assert isinstance(second, ConflictError)
    assert await text_editing.port.text(state.id) == "a"


async def test_what_happens_to_a_buffer_is_told_in_order(text_editing):
    path = text_editing.write_file("a.txt", b"one")
    events = text_editing.port.events()
    state = await text_editing.port.open(path)
    await text_editing.port.open(path)
    await text_editing.port.edit(state.id, [insert("x")], revision=0)
    await text_editing.port.undo(state.id)
    with pytest.raises(ConflictError):
        await text_editing.port.edit(state.id, [insert("x")], revision=0)
    await text_editing.port.save(state.id)
    await text_editing.port.close(state.id)

    assert await take(events, 5) == [
        TextEvent("opened", state.id, 0),
        TextEvent("edited", state.id, 1),
        TextEvent("edited", state.id, 2),
        TextEvent("saved", state.id, 2),
        TextEvent("closed", state.id, 2),
    ]


async def test_a_closed_iterator_ends_and_leaves_the_others_alone(text_editing):
    closed, other = text_editing.port.events(), text_editing.port.events()
    await closed.aclose()
    state = await text_editing.port.open(text_editing.write_file("a.txt", b"one"))

    assert await anext(closed, None) is None
    assert await anext(other) == TextEvent("opened", state.id, 0)


async def test_a_reader_that_falls_behind_is_told_and_harms_nobody(text_editing):
    slow = text_editing.port.events()
    state = await text_editing.port.open(text_editing.write_file("a.txt", b""))
    for revision in range(1_100):
        state = await text_editing.port.edit(state.id, [insert("x")], revision=revision)
    with pytest.raises(UnavailableError):
        await take(slow, 1_001)
    assert await anext(slow, None) is None
    assert await text_editing.port.text(state.id) == "x" * 1_100
