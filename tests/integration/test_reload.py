"""A reload makes a running tree what its target says now, and leaves alone what that does not change."""

import json
import os
import signal
import sys
from textwrap import dedent

import pytest

from tests.support.own_trees import BOUND_S, EXAMPLES, ask, pids_of
from tests.support.wardens import wait_until


def test_a_reload_applies_the_difference_and_leaves_the_unchanged_alone(run_dir, symphony, app):
    file = app / "tree.toml"
    text = (EXAMPLES / "tree.toml").read_text()
    file.write_text(text)
    before = pids_of(json.loads(symphony("up", file, "--detach", "--json").stdout)["tree"])
    ask(run_dir, "/pair/left", ["count", 5])

    file.write_text(text.replace("start = 100", "start = 7").replace('id = "right"', 'id = "middle"'))
    planned = json.loads(symphony("reload", "--plan", "--json").stdout)
    assert pids_of(json.loads(symphony("tree", "--json").stdout)) == before
    done = symphony("reload", "--json")

    assert done.returncode == 0, done.stderr
    expected = {
        "/alone": "changed",
        "/pair": "adjusted",
        "/pair/left": "unchanged",
        "/pair/middle": "added",
        "/pair/right": "removed",
    }
    for document, applied in ((planned, False), (json.loads(done.stdout), True)):
        assert {change["path"]: change["kind"] for change in document["changes"]} == expected
        assert document["applied"] is applied
    after = pids_of(json.loads(symphony("tree", "--json").stdout))
    assert list(after) == ["/", "/alone", "/pair", "/pair/left", "/pair/middle"]
    assert (after["/pair"], after["/alone"] == before["/alone"]) == (before["/pair"], False)
    assert ask(run_dir, "/pair/left", ["total"]) == 5
    assert ask(run_dir, "/alone", ["total"]) == 7


def test_a_kernel_that_takes_the_place_of_another_runs_what_was_reloaded(run_dir, symphony, app):
    file = app / "tree.toml"
    file.write_text((EXAMPLES / "tree.toml").read_text())
    kernel = pids_of(json.loads(symphony("up", file, "--detach", "--json").stdout)["tree"])["/"]
    file.write_text(file.read_text().replace("start = 100", "start = 7"))
    assert symphony("reload").returncode == 0

    os.kill(kernel, signal.SIGKILL)

    def is_back():
        done = symphony("status", "--json")
        return done.returncode == 0 and json.loads(done.stdout)["kernel"] != kernel

    assert wait_until(is_back, BOUND_S)
    assert ask(run_dir, "/alone", ["total"]) == 7


def test_a_reload_that_is_wrong_changes_nothing(run_dir, symphony, app):
    before = pids_of(json.loads(symphony("up", "shop:tree", "--detach", "--json").stdout)["tree"])
    (app / "shop.py").write_text("raise RuntimeError('half edited')\n")

    broken, another = symphony("reload"), symphony("reload", EXAMPLES / "tree.toml")

    assert (broken.returncode, "half edited" in broken.stderr) == (2, True)
    assert (another.returncode, "the tree that runs is 'shop'" in another.stderr) == (2, True)
    assert pids_of(json.loads(symphony("tree", "--json").stdout)) == before


def test_what_a_reload_adds_and_does_not_start_is_said(run_dir, symphony, app):
    file = app / "tree.toml"
    file.write_text((EXAMPLES / "tree.toml").read_text())
    assert symphony("up", file, "--detach").returncode == 0
    file.write_text(
        file.read_text() + '\n[[child]]\nid = "bad"\nactor = "workers:Counter"\nkwargs = { stop = 1 }\nprocess = true\n'
    )

    done = symphony("reload")

    assert (done.returncode, "not running: /bad" in done.stdout) == (5, True), done


FRAIL = """
    from actors.runtime import Actor, ChildSpec, SupervisorSpec

    class Frail(Actor):
        def on_start(self):
            raise RuntimeError("no such till")

    class Fine(Actor):
        pass

    tree = SupervisorSpec("frail", [ChildSpec("fine", Fine, process=True)])
"""


@pytest.mark.parametrize("alone", [True, False], ids=["an actor", "a supervisor"])
def test_a_reload_that_adds_what_never_starts_names_it_with_its_error_and_the_tree_goes_on(run_dir, symphony, app, alone):
    module = app / "frail.py"
    module.write_text(dedent(FRAIL))
    before = pids_of(json.loads(symphony("up", "frail:tree", "--detach", "--json").stdout)["tree"])
    bad = 'ChildSpec("bad", Frail, process=True)'
    more = bad if alone else f'SupervisorSpec("bad", [{bad}])'
    module.write_text(module.read_text().replace("process=True)])", f"process=True), {more}])"))

    done = symphony("reload")

    assert done.returncode == 5, done
    assert "not running: /bad" in done.stdout
    assert "no such till" in done.stdout
    after = pids_of(json.loads(symphony("tree", "--json").stdout))
    assert {path: after[path] for path in before} == before


def test_symphony_s_own_tree_is_reloaded_with_other_settings(run_dir, symphony, app):
    config = app / "symphony.toml"
    config.write_text("")
    before = pids_of(json.loads(symphony("up", "--config", config, "--detach", "--json").stdout)["tree"])
    config.write_text(f'[xi]\ncommand = ["{sys.executable}", "-P", "-m", "xi", "--"]\n'.replace(', "--"', ""))
    same = json.loads(symphony("reload", "--plan", "--json").stdout)
    config.write_text(f'[xi]\ncommand = ["/usr/bin/env", "{sys.executable}", "-P", "-m", "xi"]\n')
    done = symphony("reload")

    assert {change["kind"] for change in same["changes"]} == {"unchanged"}
    assert (done.returncode, "~ /xi  changed: is restarted" in done.stdout) == (0, True), done.stderr
    after = pids_of(json.loads(symphony("tree", "--json").stdout))
    assert {path for path in before if before[path] != after[path]} == {"/xi"}
