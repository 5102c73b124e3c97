"""Log lines are whole documents of JSON, whatever is logged; and logging never harms who logs."""

import json
import subprocess
import sys

import pytest

from actors.runtime.log_setup import MAX_LINE

SCRIPT = """
import sys, pathlib
import structlog
from actors.runtime.log_setup import set_up_logging
file = pathlib.Path(sys.argv[1]).open("ab", buffering=0)
set_up_logging(lambda line: file.write(line + b"\\n"), node="/n")
log = structlog.get_logger("actors.runtime")
{body}
print("went on")
"""


def run(file, body):
    """In a process of its own: logging is set up once a process."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(body=body), str(file)], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "went on\n"
    return done


def test_an_event_is_one_line_that_says_when_and_where(tmp_path):
    run(tmp_path / "log", "log.info('actor.started', incarnation=2)")

    (line,) = (tmp_path / "log").read_text().splitlines()
    document = json.loads(line)
    assert document.pop("at").endswith("Z")
    assert document == {"event": "actor.started", "incarnation": 2, "level": "info", "node": "/n"}


def test_an_activity_is_in_the_line(tmp_path):
    body = """
from actors.runtime.current import Activity, During
from actors.runtime.envelope import Envelope
from actors.runtime.future import Future

act = Activity(None, "/n/a", 3)
act.in_hand = Envelope("hello", reply=Future(), correlation=77)
with During(act):
    log.info("x")
"""
    run(tmp_path / "log", body)

    document = json.loads((tmp_path / "log").read_text())
    assert (document["path"], document["incarnation"], document["correlation_id"]) == ("/n/a", 3, 77)


@pytest.mark.parametrize(
    "body",
    [
        "log.info('x', file='a\\udc80b')",
        "log.info('x', thing=object())",
        "log.info('x', number=2**80)",
        "class Broken:\n    def __repr__(self): raise RuntimeError\nlog.info('x', thing=Broken())",
        "log.info('x', **{'inner': {(1, 2): 3}})",
        "try:\n    open('a\\udc80b')\nexcept OSError as error:\n    log.error('x', exc_info=error)",
    ],
    ids=["no unicode", "object", "large number", "cannot be shown", "odd keys", "traceback"],
)
def test_whatever_is_logged_is_a_line_of_json_and_the_program_goes_on(tmp_path, body):
    run(tmp_path / "log", body)

    (line,) = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["event"] == "x"


def test_what_takes_the_lines_may_fail_and_harms_nobody():
    run("/dev/full", "log.info('x')\nlog.error('y')")


def test_a_line_that_is_far_too_long_is_cut_in_its_texts_and_stays_a_document(tmp_path):
    run(tmp_path / "log", "log.error('x', text='a' * 10**6, exception='first' + 'b' * 10**6 + 'last')")

    (line,) = (tmp_path / "log").read_bytes().splitlines()
    document = json.loads(line)
    assert len(line) <= MAX_LINE
    assert document["event"] == "x"
    assert document["exception"].startswith("first")
    assert document["exception"].endswith("last")
