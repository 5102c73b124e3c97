"""The kernel ends every child that is no process of its nodes, since it adopts orphans: so nothing in it starts any other."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.checkout import ROOT, name, syntax_tree

LAUNCH = "actors/runtime/node/launch.py"
STARTERS = frozenset(
    {
        "fork",
        "forkpty",
        "posix_spawn",
        "posix_spawnp",
        "system",
        "popen",
        "create_subprocess_exec",
        "create_subprocess_shell",
    }
)
LOADED = """
import json, sys
sys.path.append(sys.argv[1])
import actors.runtime.kernel.kernel
print(json.dumps([module.__file__ for name, module in list(sys.modules.items())
    if name.partition(".")[0] in ("actors", "symphony", "adapters") and getattr(module, "__file__", None)]))
"""


def starts(tree: ast.Module) -> list[int]:
    """Return the lines that start a process, or import what is there for that."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found += [node.lineno for alias in names if alias.name.partition(".")[0] in ("subprocess", "multiprocessing")]
            case ast.ImportFrom(module="subprocess" | "multiprocessing"):
                found.append(node.lineno)
            case ast.Attribute(attr=attribute, value=of) if _names(of) & {"os", "asyncio"}:
                is_starter = attribute in STARTERS or attribute.startswith("spawn")
                found += [node.lineno] * is_starter
    return found


def _names(node: ast.expr) -> set[str]:
    return {node.id} if isinstance(node, ast.Name) else set()


def modules_of_the_kernel() -> list[Path]:
    """Return our own modules that a kernel has imported once it is."""
    command = [sys.executable, "-P", "-c", LOADED, str(ROOT)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    return [Path(file) for file in json.loads(done.stdout)]


def test_what_the_kernel_imports_starts_no_process_but_nodes():
    allowed = {LAUNCH, "actors/runtime/node/host.py"}
    modules = modules_of_the_kernel()
    found = [f"{name(path)}:{line}" for path in modules if name(path) not in allowed for line in starts(syntax_tree(path))]

    assert LAUNCH in {name(path) for path in modules}
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "import subprocess",
        "from subprocess import Popen",
        "def f():\n    import multiprocessing",
        "import os\nos.fork()",
        "import os\nos.spawnv(os.P_NOWAIT, 'x', [])",
        "import os\nos.system('x')",
        "import asyncio\nasyncio.create_subprocess_exec('x')",
    ],
)
def test_the_rule_sees(code):
    assert starts(ast.parse(code)) != []


def test_the_rule_lets_a_host_spawn_its_nodes():
    assert starts(ast.parse("def f(host):\n    host.spawn(1)\n")) == []
