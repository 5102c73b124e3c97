"""FakeKernel: the kernel's side of the control socket, answered by a test.

    with FakeKernel(run_dir, answer) as kernel:
        ...
    kernel.asked    every question so far

`answer` is given each question and gives the replies to it; None closes the connection without a word, as a dying kernel would.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import msgspec

from actors.runtime.control import words
from actors.runtime.run_directory import RunDirectory
from actors.runtime.wire.framing import FrameReader, frame

Answerer = Callable[[words.Question], Sequence[words.Reply] | None]


class FakeKernel:
    """Listens at the run directory's socket; each connection has a thread, and all are joined at the end."""

    def __init__(self, run_dir: RunDirectory, answer: Answerer) -> None:
        self._answer = answer
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(run_dir.control_socket))
        self._socket.listen()
        self._clients: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, name="fake-kernel")]
        self.asked: list[words.Question] = []

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        for sock in (self._socket, *self._clients):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        for sock in (self._socket, *self._clients):
            sock.close()
        for thread in self._threads[1:]:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            self._clients.append(client)
            self._threads.append(threading.Thread(target=self._serve, args=(client,), name="fake-kernel-client"))
            self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        reader = FrameReader()
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                for payload in reader.feed(data):
                    question = msgspec.msgpack.decode(payload, type=words.Question)
                    self.asked.append(question)
                    replies = self._answer(question)
                    if replies is None:
                        client.shutdown(socket.SHUT_RDWR)
                        return
                    for reply in replies:
                        client.sendall(frame(msgspec.msgpack.encode(reply)))


def answering(*, core: Callable[[Any], Any] | None = None, **replies: Sequence[words.Reply]) -> Answerer:
    """Give an answerer: by the tag of the question, or for `ask` by `core`, which is given the message as plain data."""

    def answer(question: words.Question) -> Sequence[words.Reply]:
        if isinstance(question, words.Ask) and core is not None:
            reply = core(msgspec.msgpack.decode(question.body))
            return [reply if isinstance(reply, words.Refused) else words.Answer(msgspec.Raw(msgspec.msgpack.encode(reply)))]
        tag = question.__struct_config__.tag
        return replies.get(tag, [words.Refused("NotBuiltError", f"{tag} is not answered in this test")])

    return answer
