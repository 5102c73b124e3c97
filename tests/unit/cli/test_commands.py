"""The commands that ask a kernel, against a fake one: what they ask, print and exit with."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from actors.runtime import ChildSpec, SupervisorSpec
from actors.runtime.control import words
from actors.runtime.supervision.spec import encode_spec
from symphony.cli.processes import HeldProcesses
from tests.unit.cli.fake_kernel import FakeKernel, answering
from tests.unit.cli.samples import EVENTS, PARKED, TREE, actor

PONG = words.Pong(1, 100, 99, "symphony", ready=True)
SPEC = words.Spec(encode_spec(SupervisorSpec("shop", [ChildSpec("till", "shop.actors:Till", process=True)])))
TEXT = {"path": "/x", "text": "höllo\r\n", "revision": 4, "pristine": False, "sha256": "00"}


@pytest.fixture
def child():
    """A process that does nothing but wait to be killed."""
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def answers(tree=TREE, **more):
    return answering(tree=[words.Tree(tree)], ping=[PONG], **more)


def test_tree_prints_the_tree(run_dir, symphony):
    with FakeKernel(run_dir, answers()):
        done = symphony("tree", "--depth", "1")

    assert done.code == 0
    assert done.out.splitlines()[0] == "symphony: kernel pid 100, warden pid 99"
    assert "● /xi" in done.out
    assert "/engine/core" not in done.out


def test_tree_as_json_is_the_snapshot_as_documented(run_dir, symphony):
    with FakeKernel(run_dir, answers()):
        document = json.loads(symphony("tree", "--json").out)

    assert next(iter(document)) == "schema"
    assert document["schema"] == "symphony.tree/1"
    assert document["warden"] == {"pid": 99}
    assert document["root"]["children"][1]["os_process"] == {"pid": 103, "command": "python -P -m xi"}
    assert document["root"]["children"][1]["last_exit"]["signal"] == "SIGKILL"
    assert msgspec.convert(document, type(TREE)) == TREE


def test_tree_as_json_can_be_cut(run_dir, symphony):
    with FakeKernel(run_dir, answers()):
        document = json.loads(symphony("tree", "/engine", "--json", "--depth", "0").out)

    assert (document["root"]["path"], document["root"]["children"]) == ("/engine", [])


def test_a_path_where_nobody_lives_is_not_found(run_dir, symphony):
    with FakeKernel(run_dir, answers()):
        done = symphony("tree", "/engine/cor")

    assert (done.code, done.err) == (4, "symphony: nobody lives at /engine/cor; did you mean /engine/core?\n")


def test_tree_is_printed_again_whenever_something_happens(run_dir, symphony):
    def answer(question):
        if isinstance(question, words.FollowEvents) and question.follow:
            assert question.since == 4
            return [words.Events(EVENTS[:1]), words.Events(EVENTS[1:2]), words.Events([])]
        return answers(events=[words.Events(EVENTS), words.Events([])])(question)

    with FakeKernel(run_dir, answer):
        done = symphony("tree", "--watch", "--json", "--depth", "0")

    assert [json.loads(line)["schema"] for line in done.out.splitlines()] == ["symphony.tree/1"] * 3


def test_status_is_0_where_all_runs(run_dir, symphony):
    with FakeKernel(run_dir, answers()):
        done = symphony("status")

    assert done.code == 0
    assert "symphony is running for 12.5 s: kernel pid 100, warden pid 99" in done.out


def test_status_is_5_and_names_what_does_not_run(run_dir, symphony):
    with FakeKernel(run_dir, answers(PARKED)):
        done = symphony("status")
        document = json.loads(symphony("status", "--json").out)

    assert done.code == 5
    assert "✖ /xi  parked" in done.out
    assert (document["state"], document["not_running"]) == ("degraded", ["/xi"])


def test_status_of_an_actor_ends_with_its_last_log_lines(run_dir, symphony):
    run_dir.logs.mkdir()
    records = [{"event": f"line {number}", "path": "/xi", "level": "info", "at": "2026-01-01T00:00:00Z"} for number in range(9)]
    lines = [*(json.dumps(record) for record in records), json.dumps({"event": "other", "path": "/"}), "no json", "[1]"]
    (run_dir.logs / "xi.jsonl").write_text("\n".join(lines))
    with FakeKernel(run_dir, answers()):
        text = symphony("status", "/xi")
        document = json.loads(symphony("status", "/xi", "--json").out)

    assert text.code == 0
    assert "last exit    killed by SIGKILL" in text.out
    assert [line.strip() for line in text.out.splitlines()[-5:]] == [f"00:00:00Z info line {number}" for number in range(4, 9)]
    assert [record["event"] for record in document["log"]] == [f"line {number}" for number in range(4, 9)]
    assert document["since"] == "2025-12-31T23:59:57.500000Z"


def test_events_are_documents_one_a_line(run_dir, symphony):
    with FakeKernel(run_dir, answers(events=[words.Events(EVENTS), words.Events([])])):
        done = symphony("events", "--json")

    assert [json.loads(line) for line in done.out.splitlines()] == [event.document() for event in EVENTS]


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ([], [1, 2, 3, 4]),
        (["--type", "actor.exited,step.finished"], [2, 4]),
        (["--type", "actor.*"], [1, 2, 3]),
        (["--path", "/engine*"], [1, 4]),
        (["--path", "/xi", "--type", "actor.restarted"], [3]),
        (["--since", "2026-01-01T00:00:02Z"], [3, 4]),
        (["--since", "1d"], []),
        (["--since", "36500d"], [1, 2, 3, 4]),
    ],
)
def test_events_are_chosen_by_type_path_and_time(run_dir, symphony, options, numbers):
    with FakeKernel(run_dir, answers(events=[words.Events(EVENTS), words.Events([])])):
        done = symphony("events", "--json", *options)

    assert [json.loads(line)["seq"] for line in done.out.splitlines()] == numbers


def test_the_number_to_begin_after_is_the_kernels_to_apply(run_dir, symphony):
    with FakeKernel(run_dir, answers(events=[words.Events([])])) as kernel:
        symphony("events", "--since", "17")

    assert kernel.asked == [words.FollowEvents(since=17, follow=False)]


def test_following_ends_well_when_its_time_is_over(run_dir, symphony):
    with FakeKernel(run_dir, answers(events=[words.Events(EVENTS[:1])])):
        done = symphony("events", "--follow", "--timeout", "0.2")

    assert (done.code, len(done.out.splitlines())) == (0, 1)


def test_following_a_kernel_that_goes_away_is_exit_5(run_dir, symphony):
    with FakeKernel(run_dir, lambda _: None):
        assert symphony("events", "--follow").code == 5


def test_a_kernel_that_does_not_answer_in_time_is_exit_7(run_dir, symphony):
    with FakeKernel(run_dir, lambda _: []):
        assert symphony("tree", "--timeout", "0.1").code == 7


def test_kill_says_what_else_ends_before_it_asks(run_dir, symphony):
    killed = words.Killed(101, ["/engine", "/engine/core", "/engine/conductor"])
    with FakeKernel(run_dir, answers(kill=[killed])) as kernel:
        done = symphony("kill", "/engine/core")

    assert kernel.asked[-1] == words.KillNode("/engine/core")
    assert done.err == "this ends 3 actors: /engine, /engine/core, /engine/conductor\n"
    assert done.out == "killed pid 101: /engine, /engine/core, /engine/conductor\n"


def test_kill_of_an_os_process_kills_just_that(run_dir, symphony, child):
    tree = msgspec.structs.replace(TREE, root=actor("/xi", os_process=msgspec.convert({"pid": child.pid, "command": "c"}, dict)))
    tree = msgspec.convert(msgspec.to_builtins(tree), type(TREE))
    with FakeKernel(run_dir, answers(tree)) as kernel:
        done = symphony("kill", "/xi", "--os-process", "--json")

    assert json.loads(done.out) == {
        "schema": "symphony.kill/1",
        "path": "/xi",
        "pid": child.pid,
        "os_process": True,
        "paths": ["/xi"],
    }
    assert child.wait(5) == -signal.SIGKILL
    assert not any(isinstance(question, words.KillNode) for question in kernel.asked)


def test_an_actor_that_stands_for_no_process_has_none_to_kill(run_dir, symphony):
    with FakeKernel(run_dir, answers()):
        assert symphony("kill", "/engine", "--os-process").code == 4


def test_what_the_kernel_refuses_is_said_in_its_words(run_dir, symphony):
    refused = words.Refused("RejectedError", "/ runs in the kernel itself")
    with FakeKernel(run_dir, answers(kill=[refused])):
        done = symphony("kill", "/")

    assert done.code == 6
    assert done.err.endswith("symphony: / runs in the kernel itself\n")


def test_cat_prints_the_text_and_not_a_byte_more(run_dir, symphony):
    with FakeKernel(run_dir, answering(core=lambda _: TEXT)) as kernel:
        done = symphony("cat", "some/file")

    assert done.out == "höllo\r\n"
    assert msgspec.msgpack.decode(kernel.asked[0].body)["path"] == str(Path.cwd() / "some/file")


def test_cat_as_json_has_the_revision_too(run_dir, symphony):
    with FakeKernel(run_dir, answering(core=lambda _: TEXT)):
        assert json.loads(symphony("cat", "x", "--json").out) == {"schema": "symphony.text/1", **TEXT}


@pytest.mark.parametrize(
    ("kind", "code"), [("NotFoundError", 4), ("InvalidRequestError", 2), ("UnavailableError", 5), ("ConflictError", 6)]
)
def test_what_the_core_declares_is_the_exit_code(run_dir, symphony, kind, code):
    with FakeKernel(run_dir, answering(core=lambda _: words.Refused(kind, "what it says", declared=True))):
        assert symphony("cat", "x") == (code, "", "symphony: what it says\n")


def test_down_returns_when_every_process_has_ended(run_dir, symphony, child):
    tree = msgspec.structs.replace(TREE, root=actor("/", pid=child.pid))

    def answer(question):
        if isinstance(question, words.Stop):
            child.kill()
            return [words.Stopping([child.pid])]
        pong = words.Pong(1, child.pid, child.pid, "symphony", ready=True)
        return answering(tree=[words.Tree(tree)], ping=[pong], spec=[SPEC])(question)

    with FakeKernel(run_dir, answer):
        done = symphony("down", "--json")

    assert (done.code, json.loads(done.out)) == (0, {"schema": "symphony.down/1", "ended": [child.pid], "bound_s": 2.0})


def test_down_names_the_processes_that_stay(run_dir, symphony, child):
    tree = msgspec.structs.replace(TREE, root=actor("/", pid=child.pid))
    pong = words.Pong(1, child.pid, child.pid, "symphony", ready=True)
    replies = {"tree": [words.Tree(tree)], "ping": [pong], "stop": [words.Stopping([child.pid])], "spec": [SPEC]}
    with FakeKernel(run_dir, answering(**replies)):
        done = symphony("down", "--timeout", "0.1")

    assert done.code == 7
    assert done.err.startswith("stopping in order, at most 2.0 s\n")
    assert f"pid {child.pid}" in done.err


def test_down_now_does_not_kill_what_only_a_stale_file_names(run_dir, symphony, child):
    """The lock is held by this test, and its file names a process that has nothing to do with it."""
    from actors.runtime.run_directory import Holder

    run_dir.claim()
    run_dir.sign(Holder(kernel=child.pid, warden=child.pid))
    try:
        done = symphony("down", "--now")
    finally:
        run_dir.release()

    assert done.code == 6
    assert child.poll() is None


def test_a_process_that_has_ended_cannot_be_held(child):
    child.kill()
    child.wait()
    with HeldProcesses([child.pid]) as held:
        assert held.pids == []
        assert held.wait_gone(0.0) == []
        assert held.kill(child.pid) is False


def test_waiting_gives_those_that_are_left(child):
    with HeldProcesses([child.pid]) as held:
        assert held.wait_gone(0.0) == [child.pid]
        assert held.kill(child.pid)
        assert held.wait_gone(5.0) == []


def test_a_reload_with_nothing_to_do_says_so_and_one_that_only_plans_changes_nothing(run_dir, symphony, tmp_path):
    file = tmp_path / "tree.toml"
    file.write_text(
        '[tree]\nid = "shop"\n[[child]]\nid = "a"\nactor = "tests.support.actors_for_tests:Counter"\nprocess = true\n'
    )
    child = ChildSpec("b", "tests.support.actors_for_tests:Counter", process=True)
    running = words.Spec(encode_spec(SupervisorSpec("shop", [child])), origin={"name": str(file), "app_dir": str(tmp_path)})
    with FakeKernel(run_dir, answering(spec=[running])) as kernel:
        done = symphony("reload", "--plan")

    assert done.code == 0, done.err
    assert done.out.splitlines() == ["+ /a  added: is started", "- /b  removed: is stopped", "0 unchanged"]
    assert kernel.asked == [words.GetSpec()]


def test_ask_sends_json_and_prints_the_reply_as_json(run_dir, symphony):
    asked = words.Answer(msgspec.Raw(msgspec.msgpack.encode({"total": 3})))
    with FakeKernel(run_dir, answering(ask=[asked])) as kernel:
        done = symphony("ask", "/till", '["count", 1]', "--timeout", "2")

    assert done == (0, '{"total":3}\n', "")
    (question,) = kernel.asked
    assert (question.path, msgspec.msgpack.decode(question.body), question.timeout_s) == ("/till", ["count", 1], 2.0)


def test_tell_sends_a_text_where_it_is_no_json(run_dir, symphony):
    with FakeKernel(run_dir, answering(tell=[words.Told("/till")])) as kernel:
        done = symphony("tell", "/till", "hello")

    assert done == (0, "sent to /till\n", "")
    assert msgspec.msgpack.decode(kernel.asked[0].body) == "hello"


def test_the_schema_of_a_tree_knows_every_key_that_a_file_may_have(symphony):
    schema = json.loads(symphony("schema", "tree").out)
    definitions = schema["$defs"]

    assert set(schema["properties"]) == {"tree", "child"}
    assert {"id", "actor", "hang_after", "backoff", "process"} <= set(definitions["worker"]["properties"])
    assert {"id", "child", "strategy", "auto_shutdown"} <= set(definitions["supervisor"]["properties"])
    assert not {"type", "children"} & {*definitions["worker"]["properties"], *definitions["supervisor"]["properties"]}
    used = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(schema)))
    assert used == set(definitions)
    assert symphony("schema", "melody").code == 6
