"""Trees of a user's own for tests: modules written into a folder, run by `symphony` as real processes."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

from actors.runtime.control.client import ControlClient
from actors.runtime.run_directory import RunDirectory

PROGRAM = [sys.executable, "-P", "-m", "symphony"]
EXAMPLES = Path(__file__).parents[2] / "examples"
BOUND_S = 20.0

SHOP = """
    import os
    from actors.runtime import Actor, ChildSpec, SupervisorSpec

    class Till(Actor):
        def __init__(self, start=0):
            self.total = start

        def on_receive(self, message):
            if message == "cwd":
                import notes
                return notes.NAME
            self.total += message
            return self.total

    class NoActor:
        pass

    tree = SupervisorSpec("shop", [ChildSpec("till", Till, process=True)])
    stray = SupervisorSpec("shop", [ChildSpec("till", Till), ChildSpec("other", "shop:NoActor", process=True)])
    twisted = SupervisorSpec("shop", [ChildSpec("till", "shop:Tilt", process=True), ChildSpec("x", "gone:Y", process=True)])
    odd = SupervisorSpec("shop", [SupervisorSpec("sup", [ChildSpec("till", Till, process=True)], shutdown=1.0)])
    alone = ChildSpec("till", Till, process=True)

    def give():
        return tree

    def inside():
        class Hidden(Actor):
            pass
        return SupervisorSpec("shop", [ChildSpec("hidden", Hidden, process=True)])

    def fail():
        raise RuntimeError("no shop today")

    def wrong():
        return SupervisorSpec("shop", [ChildSpec("till", Till, args=(object(),), process=True)])
"""


STUBBORN = """
    import threading
    from actors.runtime import Actor, ChildSpec, SupervisorSpec

    class Stubborn(Actor):
        def on_stop(self):
            open("stopping", "w").close()
            threading.Event().wait()

    class Late(Actor):
        def on_start(self):
            open("starting", "w").close()
            threading.Event().wait()

    slow = SupervisorSpec("slow", [ChildSpec("one", Stubborn, process=True, shutdown=60.0)])
    nested = SupervisorSpec(
        "nested",
        [
            SupervisorSpec("below", [ChildSpec("deep", Stubborn, process=True, shutdown=60.0)]),
            ChildSpec("last", Stubborn, process=True, shutdown=60.0),
        ],
    )
    late = SupervisorSpec(
        "late", [ChildSpec(name, actor, process=True, shutdown=0.5) for name, actor in (("up", Stubborn), ("late", Late))]
    )
"""


@contextmanager
def short_run_dir() -> Iterator[RunDirectory]:
    """A run directory with a short name, at which nothing runs afterwards."""
    path = Path(tempfile.mkdtemp(prefix="sy-"))
    try:
        yield RunDirectory(path)
    finally:
        subprocess.run([*PROGRAM, "down", "--now", "--run-dir", str(path)], capture_output=True, check=False, timeout=60)
        shutil.rmtree(path)


def write_shop(folder: Path) -> Path:
    """Write the modules `shop`, `notes`, `stubborn` and `workers` into `folder`, and give it."""
    (folder / "shop.py").write_text(dedent(SHOP))
    (folder / "notes.py").write_text("NAME = 'beside'\n")
    (folder / "stubborn.py").write_text(dedent(STUBBORN))
    shutil.copy(EXAMPLES / "workers.py", folder)
    return folder


class Shell:
    """Runs `symphony` commands to their ends, in a folder, against a run directory."""

    def __init__(self, run_dir: RunDirectory, folder: Path) -> None:
        self._run_dir = run_dir
        self._folder = folder

    def __call__(self, *arguments) -> subprocess.CompletedProcess[str]:
        command = [*PROGRAM, *map(str, arguments), "--run-dir", str(self._run_dir.path)]
        return subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False, timeout=60)


def pids_of(document):
    def walk(actor):
        yield actor
        for child in actor["children"]:
            yield from walk(child)

    return {actor["path"]: actor["pid"] for actor in walk(document["root"])}


def ask(run_dir, path, message):
    with ControlClient(run_dir.control_socket) as client:
        return client.ask(path, message)


class Foreground:
    """`symphony up` in the foreground; its standard error is read line by line, each within a bound."""

    def __init__(self, run_dir, app, *arguments, environ=None):
        command = [*PROGRAM, "up", *map(str, arguments), "--run-dir", str(run_dir.path)]
        self.process = subprocess.Popen(
            command,
            cwd=app,
            env={**os.environ, **(environ or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def read_until(self, stream, text):
        timer = threading.Timer(BOUND_S, self.process.kill)
        timer.start()
        try:
            return next(line for line in stream if text in line)
        finally:
            timer.cancel()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=BOUND_S)
