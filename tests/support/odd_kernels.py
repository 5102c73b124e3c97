"""Kernels that hang in a part, or cannot start: what `SYMPHONY_TEST_KERNEL` may name for a warden of the tests.

What goes wrong is the text of the file that the variable SYMPHONY_TEST_FLAG names: `root` or `watcher` for the thread that hangs
from then on (the file is removed then), `refuse` for kernels that find no room to start.
"""

import os
import sys
import threading
from pathlib import Path

from actors.runtime.errors import SpecError
from actors.runtime.kernel import kernel
from actors.runtime.node.watcher import Watcher
from actors.runtime.supervision.supervisor import SupervisorActor


def wanted(what: str) -> bool:
    try:
        return Path(os.environ["SYMPHONY_TEST_FLAG"]).read_text() == what
    except FileNotFoundError:
        return False


def hang_where(what: str) -> None:
    if wanted(what):
        Path(os.environ["SYMPHONY_TEST_FLAG"]).unlink()
        threading.Event().wait()


def main() -> int:
    on_signal, around = SupervisorActor.on_signal, Watcher._round

    def slow_on_signal(self, signal):
        hang_where("root")
        return on_signal(self, signal)

    def slow_round(self, pause_s):
        hang_where("watcher")
        return around(self, pause_s)

    def at_step(step):
        if step == "plan_read" and wanted("refuse"):
            raise SpecError("no room for a kernel")

    SupervisorActor.on_signal, Watcher._round = slow_on_signal, slow_round
    return kernel.main(sys.argv[1:], at_step=at_step)


if __name__ == "__main__":
    os._exit(main())
