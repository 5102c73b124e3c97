"""Reading an extension's folder: what it holds, and what is refused before it costs anything."""

import os
from pathlib import Path

import pytest

from actors.extensions import folder as folder_module
from actors.extensions.folder import MAX_BYTES, MAX_FILES, read_folder
from symphony.domain.errors import InvalidRequestError, NotBuiltError, NotFoundError, SymphonyError
from tests.support.extension_harness import TIDY, write_extension


def text_of(kind: type[SymphonyError], directory: object) -> str:
    with pytest.raises(kind) as caught:
        read_folder(str(directory))
    assert type(caught.value) is kind
    return str(caught.value)


def test_the_example_is_read():
    found = read_folder(TIDY)

    assert (found.manifest.id, found.manifest.entry) == ("symphony.tidy", "tidy:Tidy")
    assert found.digest.startswith("sha256:")


def test_the_digest_follows_every_file_and_no_bytecode(tmp_path):
    write_extension(tmp_path)
    before = read_folder(str(tmp_path)).digest

    (tmp_path / "deep/__pycache__").mkdir(parents=True)
    (tmp_path / "deep/__pycache__/ext.pyc").write_bytes(b"x")
    assert read_folder(str(tmp_path)).digest == before
    (tmp_path / "deep/table.txt").write_text("1")
    assert read_folder(str(tmp_path)).digest != before


@pytest.mark.parametrize("directory", ["relative", "", "/a\0b"])
def test_what_is_no_absolute_path_is_refused(directory):
    assert "by its absolute path" in text_of(InvalidRequestError, directory)


def test_a_missing_folder_and_a_missing_manifest_are_not_found(tmp_path):
    assert "there is no such folder" in text_of(NotFoundError, tmp_path / "nowhere")
    assert "there is no extension.toml in it" in text_of(NotFoundError, tmp_path)


def test_the_manifests_problems_name_the_file(tmp_path):
    write_extension(tmp_path, version="x")
    assert text_of(InvalidRequestError, tmp_path).startswith(f"{tmp_path}/extension.toml:")

    write_extension(tmp_path, more='limits = { memory = "1GB" }')
    assert "not built yet" in text_of(NotBuiltError, tmp_path)


def test_a_manifest_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "extension.toml").write_bytes(b"\xff")

    assert "it is not UTF-8" in text_of(InvalidRequestError, tmp_path)


def test_versions_that_do_not_fit_are_all_told(tmp_path):
    write_extension(tmp_path, more='requires = { runtime = ">=99", python = "<3" }')

    with pytest.raises(InvalidRequestError) as caught:
        read_folder(str(tmp_path))
    assert len(caught.value.problems) == 2


def test_symphony_that_is_not_installed_has_no_version_to_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_module, "_DISTRIBUTION", "symphony-that-nobody-installed")
    write_extension(tmp_path, more='requires = { runtime = ">=0.1" }')

    assert "not installed" in text_of(InvalidRequestError, tmp_path)


def test_too_many_files_are_refused(tmp_path):
    write_extension(tmp_path)
    for number in range(MAX_FILES - 1):
        (tmp_path / f"{number}.txt").touch()

    assert f"more than {MAX_FILES} files" in text_of(InvalidRequestError, tmp_path)


def test_too_many_folders_are_refused(tmp_path):
    write_extension(tmp_path)
    for number in range(MAX_FILES):
        (tmp_path / str(number)).mkdir()

    assert f"more than {MAX_FILES} folders" in text_of(InvalidRequestError, tmp_path)


def test_too_many_bytes_are_refused_unread(tmp_path):
    write_extension(tmp_path)
    os.truncate(tmp_path / "ext.py", MAX_BYTES * 1000)

    assert f"{MAX_BYTES} is the most" in text_of(InvalidRequestError, tmp_path)


@pytest.mark.parametrize("kind", ["link to a file", "link to a folder", "fifo"])
def test_what_is_no_plain_file_is_refused(tmp_path, kind):
    write_extension(tmp_path)
    odd = tmp_path / "odd"
    match kind:
        case "link to a file":
            odd.symlink_to("/dev/null")
        case "link to a folder":
            odd.symlink_to(Path("/"))
        case _:
            os.mkfifo(odd)

    assert text_of(InvalidRequestError, tmp_path).startswith(f"{odd}: ")
