"""An XI-editor with one fault, for tests of those who depend on it: `python -P faulty_xi.py FAULT FLAG`.

It is our own but for the fault, which happens once: then it makes the file FLAG, and where there is FLAG it has no fault.

| FAULT | |
|---|---|
| mute | at the first text that is inserted it falls silent; it hears neither the end of its input nor SIGTERM, and lives |
| wrong | the first text that is inserted is another |
| save:check, save:fsync, save:rename, save:renamed, save:reply | SIGKILL just before that, or after the rename |
| early | it ends as soon as it is started, saying why |
| plain | it answers neither `edit` nor `save`, as xi-core does not; for ever |
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

import xi.__main__
from xi.editor import files
from xi.protocol.jsonrpc import Event
from xi.protocol.methods import Edit, Save
from xi.server import Server

FAULT, FLAG = sys.argv[1], Path(sys.argv[2])


def is_due(fault: str) -> bool:
    """Tell, once, that the fault is to happen now."""
    if fault != FAULT or FLAG.exists():
        return False
    FLAG.touch()
    return True


def die_if_due(fault: str) -> None:
    """Be killed, if that is the fault."""
    if is_due(fault):
        os.kill(os.getpid(), signal.SIGKILL)


def dying(fault: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Give `function`, before which to be killed."""

    def called(*args: Any) -> Any:
        die_if_due(fault)
        return function(*args)

    return called


class FaultyServer(Server):
    """A server with the fault."""

    def receive(self, data: bytes) -> list[Event]:
        """Take input, without what asks for answers if it is a plain editor."""
        return super().receive(data.replace(b'"symphony":1', b'"plain":1') if FAULT == "plain" else data)

    def _edit(self, params: Edit, reply: Callable[[object], None]) -> None:
        if params.method == "insert":
            if is_due("mute"):
                threading.Event().wait()
            if is_due("wrong"):
                params = Edit(params.method, params.view_id, msgspec.Raw(b'{"chars":"wrong"}'))
        super()._edit(params, reply)

    def _save(self, params: Save, reply: Callable[[object], None]) -> None:
        def last_words(result: object) -> None:
            die_if_due("save:reply")
            reply(result)

        super()._save(params, last_words)


def main() -> int:
    """Run the editor."""
    if is_due("early"):
        os.write(2, b"no licence\n")
        return 3
    os.fsync = dying("save:fsync", os.fsync)
    files._has_changed = dying("save:check", files._has_changed)
    files._sync_folder = dying("save:renamed", files._sync_folder)
    Path.rename = dying("save:rename", Path.rename)
    xi.__main__.Server = FaultyServer
    return xi.__main__.main()


if __name__ == "__main__":
    sys.exit(main())
