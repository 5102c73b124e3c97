"""The executable as a frontend meets it: `python -P -m xi`, pipes and signals, and nothing of its insides."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STARTED = b'{"method":"client_started","params":{}}\n'
NEW_VIEW = b'{"id":0,"method":"new_view","params":{}}\n'
BOUND_S = 20


def line(**message):
    return json.dumps(message).encode() + b"\n"


def edit(method, **params):
    return line(method="edit", params={"method": method, "view_id": "view-id-1", "params": params})


@pytest.fixture
def start():
    running = []

    def started(**options):
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "xi"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment, **options,
        )  # fmt: skip
        running.append(process)
        return process

    yield started
    for process in running:
        process.kill()
        process.wait(BOUND_S)
        for stream in (process.stdin, process.stdout, process.stderr):
            with suppress(BrokenPipeError):  # closing stdin flushes what a test had left in it
                stream.close()


def conversation(process, *messages):
    """Send all messages and the end of input; return what came back, the log, and the exit code."""
    out, err = process.communicate(b"".join(messages), timeout=BOUND_S)
    return (
        [json.loads(answer) for answer in out.splitlines()],
        [json.loads(entry) for entry in err.splitlines()],
        process.returncode,
    )


def test_the_first_view_is_answered_as_documented(start):
    answers, log, code = conversation(start(), STARTED, NEW_VIEW)

    assert [answer.get("method", "reply") for answer in answers] == [
        "available_languages", "available_themes", "reply", "available_plugins", "config_changed", "language_changed", "update",
        "scroll_to",
    ]  # fmt: skip
    assert answers[2] == {"id": 0, "result": "view-id-1"}
    assert (log, code) == ([], 0)


def test_garbage_is_logged_and_the_next_message_served(start):
    garbage = [b"garbage\n", b"\n", b"\xff\xfe\n", b"[]\n", b"{" * 200_000 + b"\n", b'{"id":"x","method":"new_view"}\n', b"\0\n"]
    answers, log, code = conversation(start(), STARTED, *garbage, NEW_VIEW)

    assert {"id": 0, "result": "view-id-1"} in answers
    assert [(entry["event"], entry["count"]) for entry in log] == [("message.malformed", n) for n in range(1, 8)]
    assert code == 0


def test_an_unterminated_last_line_is_served(start):
    answers, _, code = conversation(start(), STARTED, NEW_VIEW.rstrip())

    assert {"id": 0, "result": "view-id-1"} in answers
    assert code == 0


def test_end_of_input_ends_it_with_success(start):
    assert conversation(start())[2] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_leave_ends_it_with_success_while_input_is_open(start, number):
    process = start()
    process.stdin.write(STARTED)
    process.stdin.flush()
    assert process.stdout.readline()  # it runs, and its handlers are set
    process.send_signal(number)

    assert process.wait(BOUND_S) == 0


def test_a_signal_to_leave_is_heard_while_nobody_reads(start):
    process = start()
    process.stdin.write(STARTED + NEW_VIEW + edit("insert", chars="x" * 300_000))
    process.stdin.flush()
    assert process.stdout.readline()
    process.send_signal(signal.SIGTERM)

    assert process.wait(BOUND_S) == 0


def test_a_frontend_that_goes_away_is_no_error(start):
    process = start()
    process.stdout.close()
    process.stdin.write(STARTED * 2 + NEW_VIEW * 100)
    process.stdin.flush()

    assert process.wait(BOUND_S) == 0


def test_a_frontend_may_write_everything_before_it_reads_anything(start):
    """Both pipes hold 64 KiB: a core that stopped reading while its output is stuck would hang here for ever."""
    process = start()
    edits = 3000
    messages = STARTED + NEW_VIEW + edit("insert", chars="some line\n" * 20) + edit("insert", chars="x") * edits
    process.stdin.write(messages + line(id=1, method="debug_get_contents", params={"view_id": "view-id-1"}))
    process.stdin.close()
    answers = [json.loads(answer) for answer in process.stdout]

    assert sum(answer.get("method") == "update" for answer in answers) == edits + 2
    assert answers[-1]["result"] == "some line\n" * 20 + "x" * edits
    assert process.wait(BOUND_S) == 0


def test_what_was_said_before_the_end_is_done_though_nobody_reads_the_answers(start, tmp_path):
    file = tmp_path / "file"
    process = start()
    process.stdin.write(STARTED + NEW_VIEW + edit("insert", chars="x" * 1000 + "\n") * 500)
    process.stdin.write(line(method="save", params={"view_id": "view-id-1", "file_path": str(file)}))
    process.stdin.close()
    deadline = time.monotonic() + BOUND_S
    while not file.exists():
        assert time.monotonic() < deadline
        os.sched_yield()

    assert file.stat().st_size == 500 * 1001
    assert process.stdout.read().endswith(b'"language_id":""}}\n')
    assert process.wait(BOUND_S) == 0


def test_a_log_that_nobody_reads_stops_nothing(start):
    """The error output is a pipe too; a core that waited for it would be mute for reasons nobody sees."""
    process = start()
    process.stdin.write(STARTED + b"garbage\n" * 5000 + NEW_VIEW)
    process.stdin.close()
    answers = [json.loads(answer) for answer in process.stdout]

    assert {"id": 0, "result": "view-id-1"} in answers
    assert process.wait(BOUND_S) == 0


def test_open_edit_undo_and_save_a_real_file(start, tmp_path):
    file = tmp_path / "file.txt"
    file.write_text("one\ntwo\n")
    answers, log, code = conversation(
        start(),
        line(method="client_started", params={"symphony": 1}),
        line(id=0, method="new_view", params={"file_path": str(file)}),
        edit("goto_line", line=1),
        edit("insert", chars="more "),
        edit("insert_newline"),
        edit("undo"),
        line(id=1, method="save", params={"view_id": "view-id-1", "file_path": str(file)}),
        line(id=2, method="debug_get_contents", params={"view_id": "view-id-1"}),
    )

    assert file.read_text() == "one\nmore two\n"
    assert {"id": 2, "result": "one\nmore two\n"} in answers
    assert next(answer["result"]["size"] for answer in answers if answer.get("id") == 1) == 13
    assert (log, code) == ([], 0)


def test_the_user_s_folder_is_never_imported_from(start, tmp_path):
    (tmp_path / "msgspec.py").write_text("raise SystemExit('imported the wrong msgspec')")
    (tmp_path / "xi").mkdir()
    (tmp_path / "xi" / "__init__.py").write_text("raise SystemExit('imported the wrong xi')")

    assert conversation(start(cwd=tmp_path), STARTED)[2] == 0
