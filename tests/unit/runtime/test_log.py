"""The runtime's log in a program that has said nothing about logs, and in one that has."""

import subprocess
import sys

FAILING = """
import structlog
from actors.runtime import Actor, ActorSystem, errors

class Failing(Actor):
    def on_receive(self, message):
        secret = "hunter2"
        raise ValueError(message)

{setup}
with ActorSystem("program") as system:
    try:
        system.spawn(Failing, name="a").ask("no good")
    except errors.ActorFailedError:
        pass
"""


def run(setup):
    program = FAILING.format(setup=setup)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)


def test_a_program_without_a_logging_set_up_gets_the_traceback_on_standard_error_and_no_local_variables():
    done = run("")

    assert done.stdout == ""
    assert "actor.failed" in done.stderr
    assert "path=/a" in done.stderr
    assert "ValueError: no good" in done.stderr
    assert "hunter2" not in done.stderr.replace('secret = "hunter2"', "")


def test_a_program_that_has_configured_structlog_gets_the_lines_its_own_way():
    done = run("structlog.configure(processors=[structlog.processors.KeyValueRenderer(key_order=['event'])])")

    assert "event='actor.failed'" in done.stdout
    assert done.stderr == ""
