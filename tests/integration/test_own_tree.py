"""A tree of the user's own, from its file or its module to the last process, and every way in which it can be no tree."""

import json
from textwrap import dedent

import psutil
import pytest

from tests.support.own_trees import BOUND_S, EXAMPLES, SHOP, ask, pids_of
from tests.support.wardens import wait_until


def test_the_example_runs_from_its_file_and_every_command_works_on_it(run_dir, symphony):
    done = symphony("up", EXAMPLES / "tree.toml", "--detach", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    pids = pids_of(document["tree"])

    assert document["tree"]["system"] == "counters"
    assert list(pids) == ["/", "/alone", "/pair", "/pair/left", "/pair/right"]
    assert ask(run_dir, "/alone", ["count", 1]) == 101
    assert symphony("status", "/alone").returncode == 0
    assert "actor.started" in symphony("events").stdout
    killed = symphony("kill", "/pair/left")
    assert (killed.returncode, "/pair/right" in killed.stdout) == (0, True)
    refused = symphony("cat", "shop.py")
    assert (refused.returncode, "the tree that runs is 'counters', which has no /engine/core" in refused.stderr) == (6, True)
    down = symphony("down", "--json")
    assert (down.returncode, json.loads(down.stdout)["bound_s"]) == (0, 5.0)
    assert not any(psutil.pid_exists(pid) for pid in pids.values())


@pytest.mark.parametrize("target", ["shop:tree", "shop:give"])
def test_a_module_s_tree_runs_and_its_nodes_find_what_lies_beside_it(run_dir, symphony, target):
    assert symphony("up", target, "--detach").returncode == 0

    assert ask(run_dir, "/till", 3) == 3
    assert ask(run_dir, "/till", "cwd") == "beside"


def test_the_kernel_itself_never_imports_the_user_s_code(run_dir, symphony, app):
    (app / "shop.py").write_text(dedent(SHOP) + f"\nopen({str(app / 'pids')!r}, 'a').write(f'{{os.getpid()}}\\n')\n")
    document = json.loads(symphony("up", "shop:tree", "--detach", "--json").stdout)
    importers = {int(line) for line in (app / "pids").read_text().split()}

    pids = pids_of(document["tree"])
    assert pids["/till"] in importers
    assert not importers & {pids["/"], document["tree"]["warden"]["pid"]}


@pytest.mark.parametrize(
    ("target", "code", "said"),
    [
        ("shop:nothing", 2, "shop:nothing: shop has no nothing"),
        ("shop:give2", 2, "did you mean 'give'?"),
        ("shop:alone", 2, "is a ChildSpec, which can be the child of one: a SupervisorSpec"),
        ("shop:Till", 2, "is a class: a SupervisorSpec"),
        ("shop:fail", 2, "RuntimeError: no shop today"),
        ("shop:wrong", 2, "plain data"),
        ("shop:inside", 2, "a class inside a function cannot be imported"),
        ("nowhere:tree", 2, "cannot import nowhere: ModuleNotFoundError"),
        ("shop", 2, "write it as module:attr"),
        ("__main__:tree", 2, "`__main__` cannot be imported"),
        ("none.toml", 4, "none.toml: no such file"),
    ],
)
def test_what_is_no_tree_is_one_clear_error_and_nothing_is_started(run_dir, symphony, target, code, said):
    done = symphony("up", target, "--detach")

    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not run_dir.is_held()


def test_every_actor_that_cannot_run_is_named_at_once(symphony):
    stray, twisted = symphony("up", "shop:stray").stderr, symphony("up", "shop:twisted").stderr

    assert "/till: process: False: no actor runs in the kernel" in stray
    assert "/other: actor: shop:NoActor: not a subclass of actors.runtime.Actor" in stray
    assert "/till: actor: shop:Tilt: shop has no Tilt; did you mean 'Till'?" in twisted
    assert "/x: actor: gone:Y: cannot import gone" in twisted


def test_what_the_user_s_code_printed_is_shown_where_it_fails(symphony, app):
    (app / "loud.py").write_text("print('half way')\nraise OSError('no disk')\n")
    (app / "dead.py").write_text("import os\nprint('last words', flush=True)\nos._exit(3)\n")

    loud, dead = symphony("up", "loud:tree"), symphony("up", "dead:tree")

    assert (loud.returncode, "no disk" in loud.stderr, "half way" in loud.stderr) == (2, True, True)
    assert (dead.returncode, "with exit code 3" in dead.stderr, "last words" in dead.stderr) == (1, True, True)


def test_code_that_never_ends_to_be_imported_is_ended_with_all_that_it_started(symphony, app):
    (app / "stuck.py").write_text(
        "import pathlib, subprocess, sys, threading\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
        f"pathlib.Path({str(app / 'child')!r}).write_text(str(child.pid))\n"
        "threading.Event().wait()\n"
    )
    done = symphony("up", "stuck:tree", "--timeout", "2")

    assert done.returncode == 1
    assert "stuck:tree: importing it did not come to an end within 2 s" in done.stderr
    pid = int((app / "child").read_text())
    assert wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie", BOUND_S)


def test_a_module_that_another_one_hides_is_refused_and_not_mixed_up(symphony, app):
    (app / "queue.py").write_text("tree = None\n")

    assert "queue.py is not what `import queue` finds" in symphony("up", "queue:tree").stderr


def test_what_is_odd_is_said_at_the_start_and_by_check_alone(symphony):
    started, checked = symphony("up", "shop:odd", "--detach"), symphony("up", "shop:odd", "--check")

    assert (started.returncode, "warning: /sup: supervisor-shutdown-finite" in started.stderr) == (0, True)
    assert (checked.returncode, "warning: /sup: supervisor-shutdown-finite" in checked.stderr) == (1, True)
    assert "spec.warned" in symphony("events").stdout
    assert symphony("up", "shop:tree", "--check").returncode == 0
    assert symphony("up", "--check").returncode == 0
