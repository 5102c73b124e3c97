"""A blob is whole or absent, whatever kills the process and whatever the disk does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.pit.blob_store import BlobStore
from symphony.domain.artifact import address_of
from symphony.domain.errors import NotFoundError, UnavailableError

CONTENT = b"hello"
ADDRESS = address_of(CONTENT)


def file_of(directory, address):
    digest = address.removeprefix("sha256:")
    return directory / digest[:2] / digest


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory):
    return BlobStore(tmp_path_factory.mktemp("blobs"))


@given(content=st.binary(max_size=300))
def test_what_was_put_is_what_is_got(shared_store, content):
    address = shared_store.put(content)

    assert address == address_of(content)
    assert shared_store.get(address) == content
    assert shared_store.contains(address)


def test_a_blob_is_there_for_the_next_process(tmp_path):
    BlobStore(tmp_path / "deep" / "blobs").put(CONTENT)

    assert BlobStore(tmp_path / "deep" / "blobs").get(ADDRESS) == CONTENT


def test_the_same_content_is_one_file_written_once(tmp_path):
    store = BlobStore(tmp_path)
    store.put(CONTENT)
    before = file_of(tmp_path, ADDRESS).stat()

    store.put(CONTENT)

    after = file_of(tmp_path, ADDRESS).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file_of(tmp_path, ADDRESS)]


def test_a_half_written_blob_of_a_killed_process_is_swept_and_never_seen(tmp_path):
    BlobStore(tmp_path).put(b"other")
    (tmp_path / "incoming" / ADDRESS.removeprefix("sha256:")).write_bytes(b"hel")

    store = BlobStore(tmp_path)

    assert store.swept == 1
    assert list((tmp_path / "incoming").iterdir()) == []
    assert not store.contains(ADDRESS)
    assert store.get(address_of(b"other")) == b"other"


@pytest.mark.parametrize("damage", [b"", b"hellp", b"hello!", b"hell"])
def test_a_damaged_blob_is_not_given_and_can_be_put_again(tmp_path, damage):
    store = BlobStore(tmp_path)
    store.put(CONTENT)
    file_of(tmp_path, ADDRESS).write_bytes(damage)

    with pytest.raises(NotFoundError, match="is damaged"):
        store.get(ADDRESS)
    store.put(CONTENT)
    assert store.get(ADDRESS) == CONTENT


def test_a_missing_blob_is_named(tmp_path):
    with pytest.raises(NotFoundError, match=f"there is no content {ADDRESS}"):
        BlobStore(tmp_path).get(ADDRESS)


@pytest.mark.parametrize(
    "address", ["", "sha256:", "sha256:../../etc/passwd", "md5:" + "0" * 64, "sha256:" + "A" * 64, ADDRESS + "\n"]
)
def test_what_is_no_address_names_no_file(tmp_path, address):
    store = BlobStore(tmp_path)

    for ask in (store.get, store.contains):
        with pytest.raises(NotFoundError, match="is no address of a content"):
            ask(address)


def test_a_file_in_place_of_the_directory_is_told_with_its_path(tmp_path):
    place = tmp_path / "blobs"
    place.write_bytes(b"")

    with pytest.raises(UnavailableError, match=f"cannot open the blob store {place}: .*then try again"):
        BlobStore(place)


def test_a_folder_in_place_of_a_blob_is_told_with_its_path(tmp_path):
    store = BlobStore(tmp_path)
    path = file_of(tmp_path, ADDRESS)
    path.mkdir(parents=True)

    with pytest.raises(UnavailableError, match=f"cannot read {path}"):
        store.get(ADDRESS)
    with pytest.raises(UnavailableError, match=f"cannot write {path}"):
        store.put(CONTENT)


def test_a_disk_that_lost_its_folders_under_way_is_told_and_healed_by_opening_again(tmp_path):
    store = BlobStore(tmp_path / "blobs")
    (tmp_path / "blobs" / "incoming").rmdir()

    with pytest.raises(UnavailableError, match="cannot write"):
        store.put(CONTENT)
    assert not store.contains(ADDRESS)
    BlobStore(tmp_path / "blobs").put(CONTENT)
    assert store.get(ADDRESS) == CONTENT


def test_a_full_disk_is_told_and_leaves_no_blob(tmp_path):
    """/dev/full takes every open and refuses every write, as a full disk does."""
    store = BlobStore(tmp_path)
    (tmp_path / "incoming" / ADDRESS.removeprefix("sha256:")).symlink_to("/dev/full")

    with pytest.raises(UnavailableError, match="No space left on device"):
        store.put(CONTENT)
    assert not store.contains(ADDRESS)
