"""The unit that systemd is given."""

import shutil
import subprocess
import sys

import pytest

from actors.runtime.supervision.shutdown_plan import ShutdownPlan
from symphony.cli.unit_file import unit_file

ANALYZE = shutil.which("systemd-analyze")
PLAN = ShutdownPlan((), 6.5)


def unit(**changes):
    given = {"start": ["/usr/bin/env", "up"], "reload": ["/usr/bin/env", "reload"], "stop": PLAN, "start_timeout_s": 60.0}
    return unit_file("shop", **{**given, "folder": "/srv/my shop", **changes})


def test_it_says_how_the_tree_starts_stops_and_is_watched():
    lines = unit().splitlines()

    assert {
        "Type=notify",
        "ExecStart=/usr/bin/env up",
        "ExecReload=/usr/bin/env reload",
        "KillMode=mixed",
        "TimeoutStopSec=17",
        "WatchdogSec=30",
        "Restart=on-failure",
        "RestartPreventExitStatus=2 4 6",
        "WorkingDirectory=/srv/my shop",
    } <= set(lines)


def test_a_stop_without_a_bound_has_none():
    assert "TimeoutStopSec=infinity" in unit(stop=ShutdownPlan((), None))


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("plain/a-b_c.d", "plain/a-b_c.d"),
        ("two words", '"two words"'),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("50%", "50%%"),
        ("$HOME", "$$HOME"),
        ("", '""'),
        ("a;b", '"a;b"'),
    ],
)
def test_words_are_quoted_as_systemd_reads_them(word, quoted):
    assert f"ExecStart=/usr/bin/env {quoted}\n" in unit(start=["/usr/bin/env", word])


@pytest.mark.skipif(ANALYZE is None, reason="there is no systemd-analyze here")
@pytest.mark.parametrize(("wrong", "complaints"), [("KillMode=mixed", 0), ("KillMode=mxed", 1)])
def test_systemd_accepts_it_and_would_say_so_if_it_did_not(tmp_path, monkeypatch, wrong, complaints):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    file = tmp_path / "shop.service"
    text = unit(start=["/usr/bin/env", "a b", "$x", "100%", 'q"'], folder="/")
    file.write_text(text.replace("KillMode=mixed", wrong))

    done = subprocess.run([ANALYZE, "verify", "--user", str(file)], capture_output=True, text=True, check=False, timeout=30)

    assert len([line for line in done.stderr.splitlines() if "shop.service" in line]) == complaints


def test_symphony_s_own_unit_names_the_run_directory_whoever_runs_it(symphony, run_dir):
    done = symphony("up", "--print-unit")

    assert done.code == 0, done.err
    (start,) = [line for line in done.out.splitlines() if line.startswith("ExecStart=")]
    assert start == f"ExecStart={sys.executable} -P -m symphony up --run-dir {run_dir.path}"
    assert "TimeoutStopSec=25" in done.out
