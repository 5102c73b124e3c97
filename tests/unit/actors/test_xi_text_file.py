"""A text file is read whole or refused with the reason; nothing is waited for."""

import os

import pytest

from actors.xi_proxy import text_file
from actors.xi_proxy.messages import MAX_BYTES
from actors.xi_proxy.text_file import buffer_of, read_text
from symphony.domain.errors import InvalidRequestError, NotFoundError


def test_a_text_is_read_as_it_is(tmp_path):
    (tmp_path / "f").write_bytes("\ufeffé\r\n\0".encode())

    assert read_text(str(tmp_path / "f")) == "\ufeffé\r\n\0"


@pytest.mark.parametrize("name", ["missing", "missing/deeper", "file/below"])
def test_what_is_not_there_is_not_found(tmp_path, name):
    (tmp_path / "file").touch()

    with pytest.raises(NotFoundError):
        read_text(str(tmp_path / name))


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(InvalidRequestError, match="is a directory"):
        read_text(str(tmp_path))


def test_a_pipe_without_a_writer_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(InvalidRequestError, match="is not a regular file"):
        read_text(str(tmp_path / "pipe"))


def test_a_loop_of_links_is_refused(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    with pytest.raises(InvalidRequestError, match="cannot be read"):
        read_text(str(tmp_path / "loop"))


def test_what_is_not_utf8_is_refused_with_the_place(tmp_path):
    (tmp_path / "f").write_bytes(b"ok \xff")

    with pytest.raises(InvalidRequestError, match="not UTF-8: invalid start byte at byte 3"):
        read_text(str(tmp_path / "f"))


def test_a_file_that_is_too_long_is_refused_with_both_sizes(tmp_path):
    with (tmp_path / "f").open("wb") as file:
        file.truncate(MAX_BYTES + 5)

    with pytest.raises(InvalidRequestError, match=f"has {MAX_BYTES + 5} bytes; a buffer holds {MAX_BYTES}"):
        text_file.read_text(str(tmp_path / "f"))


@pytest.mark.parametrize("path", ["relative", "", "/nul\0", "/\udcff"])
def test_a_path_that_can_name_no_buffer_is_refused(path):
    with pytest.raises(InvalidRequestError, match="path"):
        buffer_of(path)


def test_one_file_has_one_buffer_however_its_path_is_written():
    assert buffer_of("/a//b/../c/./d") == "/a/c/d"
