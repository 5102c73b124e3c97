"""A content is stored once, and a record never comes before its content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.domain.artifact import Artifact, Lineage, address_of
from symphony.domain.errors import ConflictError, InvalidRequestError, NotFoundError, SymphonyError
from symphony.domain.pit.announcement import Announce
from symphony.domain.pit.artifact_store import (
    ArtifactStore,
    BlobDamaged,
    BlobFailed,
    BlobRead,
    BlobWritten,
    PutArtifact,
    ReadArtifact,
    ReadBlob,
    Restored,
    WriteBlob,
    WriteRecord,
)

CONTENT = b"hello"
ADDRESS = address_of(CONTENT)
FIRST, SECOND = Lineage("r1", "a"), Lineage("r2", "a")


def put(lineage=FIRST, media_type="text/plain", content=CONTENT):
    return PutArtifact(content, media_type, lineage)


@pytest.fixture
def stored():
    store = ArtifactStore()
    store.handle(put(), 1.0)
    store.handle(BlobWritten(ADDRESS), 2.0)
    return store


def test_new_content_is_written_before_its_record():
    store = ArtifactStore()

    assert store.handle(put(), 1.0) == [WriteBlob(ADDRESS, CONTENT)]
    assert store.artifacts() == ()

    record = Artifact(ADDRESS, "text/plain", 5, 2.0, 2.0, lineages=(FIRST,))
    assert store.handle(BlobWritten(ADDRESS), 2.0) == [WriteRecord(record), Announce("artifact.stored", ADDRESS)]
    assert store.artifact(ADDRESS) == record


def test_known_content_is_not_written_again_and_gains_the_lineage(stored):
    effects = stored.handle(put(SECOND, "text/markdown"), 9.0)

    assert [type(effect) for effect in effects] == [WriteRecord, Announce]
    assert stored.artifact(ADDRESS) == Artifact(ADDRESS, "text/plain", 5, 2.0, 2.0, lineages=(FIRST, SECOND))


def test_the_same_put_again_changes_nothing_and_is_saved_again(stored):
    """The first may have been answered by an error from the disk, so the second must not be acknowledged on trust."""
    before = stored.artifact(ADDRESS)

    effects = stored.handle(put(), 9.0)

    assert effects[0] == WriteRecord(before)


def test_two_puts_of_one_content_before_it_is_written_are_one_write():
    store = ArtifactStore()
    store.handle(put(), 1.0)

    assert store.handle(put(SECOND), 1.0) == []
    store.handle(BlobWritten(ADDRESS), 2.0)
    assert store.artifact(ADDRESS).lineages == (FIRST, SECOND)


def test_a_put_whose_write_failed_is_forgotten_and_can_be_made_again():
    store = ArtifactStore()
    store.handle(put(), 1.0)

    assert store.handle(BlobFailed(ADDRESS), 1.0) == []
    assert store.handle(put(), 1.0) == [WriteBlob(ADDRESS, CONTENT)]


@pytest.mark.parametrize("event", [BlobWritten(ADDRESS), BlobFailed(ADDRESS)])
def test_a_write_that_nobody_asked_for_is_refused_with_the_state(stored, event):
    with pytest.raises(ConflictError, match="is recorded; it is not being written"):
        stored.handle(event, 3.0)
    with pytest.raises(ConflictError, match="is unknown; it is not being written"):
        ArtifactStore().handle(event, 3.0)


@pytest.mark.parametrize(
    "media_type", ["", "text", "text/", "/plain", "text/plain/x", "text/pl ain", "text/plain; charset=utf-8", "text/plain\n"]
)
def test_a_media_type_that_is_none_is_refused(media_type):
    with pytest.raises(InvalidRequestError, match="is not of the form type/subtype"):
        ArtifactStore().handle(put(media_type=media_type), 1.0)


@pytest.mark.parametrize("media_type", ["text/plain", "application/vnd.x+json", "x-a/b.c-d_e"])
def test_a_media_type_that_is_one_is_accepted(media_type):
    assert ArtifactStore().handle(put(media_type=media_type), 1.0)


def test_a_whole_read_counts_as_a_use(stored):
    assert stored.handle(ReadArtifact(ADDRESS), 5.0) == [ReadBlob(ADDRESS)]
    assert stored.artifact(ADDRESS).uses == 0

    stored.handle(BlobRead(ADDRESS), 5.0)
    assert (stored.artifact(ADDRESS).uses, stored.artifact(ADDRESS).used_at) == (1, 5.0)


def test_a_use_after_the_clock_went_back_does_not_make_it_older(stored):
    stored.handle(BlobRead(ADDRESS), 0.5)

    assert stored.artifact(ADDRESS).used_at == 2.0


def test_a_damaged_content_is_written_again_by_the_next_put(stored):
    assert stored.handle(BlobDamaged(ADDRESS), 3.0) == [Announce("artifact.damaged", ADDRESS)]
    stored.check_invariants()

    assert stored.handle(put(SECOND), 4.0) == [WriteBlob(ADDRESS, CONTENT)]
    stored.handle(BlobWritten(ADDRESS), 5.0)
    assert stored.artifact(ADDRESS).lineages == (FIRST, SECOND)
    assert stored.artifact(ADDRESS).stored_at == 2.0
    assert [type(effect) for effect in stored.handle(put(), 6.0)] == [WriteRecord, Announce]


@pytest.mark.parametrize("event", [ReadArtifact("sha256:x"), BlobRead("sha256:x"), BlobDamaged("sha256:x")])
def test_an_unknown_artifact_is_named(stored, event):
    with pytest.raises(NotFoundError, match='no artifact has the id "sha256:x"'):
        stored.handle(event, 3.0)


def test_a_restored_store_knows_what_it_knew(stored):
    restored = ArtifactStore()

    restored.handle(Restored(stored.artifacts()), 9.0)

    assert restored.artifacts() == stored.artifacts()
    with pytest.raises(ConflictError, match="only an empty one"):
        restored.handle(Restored(()), 9.0)


def test_artifacts_are_given_oldest_first():
    store = ArtifactStore()
    for now, content in ((3.0, b"c"), (1.0, b"a"), (2.0, b"b")):
        store.handle(put(content=content), now)
        store.handle(BlobWritten(address_of(content)), now)

    assert [artifact.stored_at for artifact in store.artifacts()] == [1.0, 2.0, 3.0]


CONTENTS = st.sampled_from([b"a", b"b"])
ADDRESSES = CONTENTS.map(address_of)
EVENTS = st.one_of(
    st.builds(PutArtifact, CONTENTS, st.sampled_from(["text/plain", "bad"]), st.sampled_from([FIRST, SECOND])),
    *(st.builds(event, ADDRESSES) for event in (BlobWritten, BlobFailed, ReadArtifact, BlobRead, BlobDamaged)),
)


@given(events=st.lists(EVENTS, max_size=40))
def test_no_sequence_of_events_breaks_an_invariant_and_a_refusal_changes_nothing(events):
    store = ArtifactStore()
    for now, event in enumerate(events):
        before = store.artifacts()
        try:
            store.handle(event, float(now))
        except SymphonyError:
            assert store.artifacts() == before
        store.check_invariants()


@given(events=st.lists(EVENTS, max_size=40))
def test_the_records_written_are_the_records_kept(events):
    """What a restart reads from the disk, the last word on each artifact counting, is what the store knew."""
    store, disk = ArtifactStore(), {}
    for now, event in enumerate(events):
        try:
            effects = store.handle(event, float(now))
        except SymphonyError:
            continue
        disk |= {effect.artifact.id: effect.artifact for effect in effects if isinstance(effect, WriteRecord)}
    assert sorted(disk) == sorted(artifact.id for artifact in store.artifacts())
    assert all(store.artifact(address) == record for address, record in disk.items())
