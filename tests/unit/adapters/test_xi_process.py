"""Bytes go to and from an editor's process, its end is told once and at once, and nothing it does holds anybody up."""

import os
import shutil
import signal
import sys
import threading
from queue import SimpleQueue

import psutil
import pytest

from adapters.text_editing.xi_process import XiProcess
from tests.support.process_ends import has_ended
from tests.support.xi_harness import until

BOUND_S = 20.0


class Run:
    """A process, and what it wrote and how it ended."""

    def __init__(self, *command, log_file=None, environment=None):
        self.output = SimpleQueue()
        self.ends = SimpleQueue()
        self.process = XiProcess(
            command, environment=environment, log_file=log_file, on_bytes=self.output.put, on_end=self.ends.put
        )
        self.process.begin()

    def read(self, size):
        data = b""
        while len(data) < size:
            data += self.output.get(timeout=BOUND_S)
        return data

    def end(self):
        return self.ends.get(timeout=BOUND_S)


def script(text, **options):
    return Run(sys.executable, "-I", "-S", "-c", text, **options)


@pytest.fixture
def stopping():
    runs = []
    yield runs.append
    for run in runs:
        run.process.stop(0)


CAT = shutil.which("cat")


def test_what_is_sent_comes_back_from_an_echo(stopping):
    run = Run(CAT)
    stopping(run)
    run.process.send(b"one ")
    run.process.send(b"two")

    assert run.read(7) == b"one two"


def test_more_than_the_pipes_hold_is_sent_without_waiting_for_the_reader(stopping):
    run = Run(CAT)
    stopping(run)
    data = os.urandom(1 << 20)
    for _ in range(4):
        run.process.send(data)

    assert run.read(4 << 20) == data * 4


def test_a_process_that_does_not_read_holds_up_neither_sender_nor_stop(stopping):
    run = script("import signal, os; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.write(1, b'!'); signal.pause()")
    stopping(run)
    run.read(1)
    run.process.send(bytes(10 << 20))
    run.process.stop(0.02)

    assert run.end() == -signal.SIGKILL


def test_it_is_ended_by_the_end_of_its_input(stopping):
    run = Run(CAT)
    stopping(run)
    run.process.stop(BOUND_S)

    assert run.end() == 0
    assert not psutil.pid_exists(run.process.pid)


def test_one_that_goes_on_is_ended_by_sigterm(stopping):
    run = script("import signal, os; os.write(1, b'!'); signal.pause()")
    stopping(run)
    run.read(1)
    run.process.stop(0.02)

    assert run.end() == -signal.SIGTERM


@pytest.mark.parametrize(("how", "status"), [("os._exit(7)", 7), ("os.kill(os.getpid(), 9)", -9), ("os._exit(0)", 0)])
def test_its_end_is_told_once_with_its_last_words_before(stopping, how, status):
    run = script(f"import os; os.write(1, b'last words'); {how}")
    stopping(run)

    assert run.end() == status
    assert run.read(10) == b"last words"
    run.process.stop(0)
    assert run.ends.empty()


def test_its_end_is_told_though_a_child_of_it_holds_the_pipes_and_the_child_ends_too(stopping):
    child = "import signal; signal.pause()"
    run = script(
        f"import subprocess, sys, os; p = subprocess.Popen([sys.executable, '-I', '-S', '-c', {child!r}]);"
        "os.write(1, b'%010d' % p.pid); os._exit(5)"
    )
    stopping(run)
    grandchild = int(run.read(10))

    assert run.end() == 5
    until(lambda: has_ended(grandchild), "its end")


def test_one_that_closes_its_output_and_lives_is_ended(stopping):
    run = script("import os, signal; os.close(1); signal.pause()")
    stopping(run)

    assert run.end() == -signal.SIGKILL


def test_sending_to_one_that_has_ended_does_nothing(stopping):
    run = Run(CAT)
    stopping(run)
    os.kill(run.process.pid, signal.SIGKILL)
    run.end()
    run.process.send(b"x")
    run.process.stop(0)


def test_many_threads_may_stop_it_at_once(stopping):
    run = Run(CAT)
    stopping(run)
    threads = [threading.Thread(target=run.process.stop, args=(BOUND_S,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(BOUND_S)

    assert (run.end(), run.ends.empty()) == (0, True)


def test_what_it_says_on_stderr_is_appended_to_the_log(stopping, tmp_path):
    log = tmp_path / "log"
    log.write_text("before\n")
    run = script("import os; os.write(2, b'after\\n')", log_file=str(log))
    stopping(run)
    run.end()

    assert log.read_text() == "before\nafter\n"


def test_it_has_a_session_of_its_own_the_root_for_a_folder_and_the_environment_given(stopping):
    text = "import os; print(os.getsid(0) == os.getpid(), os.getcwd(), sorted(os.environ)[:2], flush=True)"
    run = script(text, environment={"AN_ENVIRONMENT": "1"})
    stopping(run)

    # And the one by which it is granted the time to write its recovery files.
    assert run.read(10) == b"True / ['ACTORS_LEAVES_WITHIN_S', 'AN_ENVIRONMENT']\n"


@pytest.mark.parametrize("command", ["/missing", "/"])
def test_a_command_that_cannot_be_run_is_told_and_leaves_nothing(command):
    with pytest.raises(OSError, match=r"/"):
        Run(command)
