"""Manifests: what a right one becomes, and what is said about a wrong one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.domain.errors import InvalidRequestError, NotBuiltError
from symphony.domain.extension import DataPort, Manifest, digest_of, unmet_requirements
from symphony.domain.manifest import read_manifest

RIGHT = """
manifest = 1
id = "acme.csv-clean"
name = "CSV cleaner"
version = "0.3.1"
kind = "operator"
summary = "Normalises CSV"
license = "MIT"
requires = { runtime = ">=0.1,<1.0", python = ">=3.11" }

[run]
python = "csv_clean:CsvClean"
activate = ["on-demand"]

[[ports.in]]
name = "table"
type = "text/csv"

[[ports.in]]
name = "header"
type = "text/plain"
required = false

[[ports.out]]
name = "table"
type = "text/csv"

[limits]
deadline = "5s"
startup = "1.5 min"
"""


def changed(old: str, new: str) -> str:
    assert old in RIGHT
    return RIGHT.replace(old, new, 1)


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidRequestError) as caught:
        read_manifest(text, source="extension.toml")
    return list(caught.value.problems)


def unbuilt(text: str) -> str:
    with pytest.raises(NotBuiltError) as caught:
        read_manifest(text, source="extension.toml")
    return str(caught.value)


def test_a_right_manifest_is_read_whole():
    assert read_manifest(RIGHT, source="extension.toml") == Manifest(
        id="acme.csv-clean",
        name="CSV cleaner",
        version="0.3.1",
        kind="operator",
        summary="Normalises CSV",
        entry="csv_clean:CsvClean",
        license="MIT",
        runtime=">=0.1,<1.0",
        python=">=3.11",
        inputs=(DataPort("table", "text/csv"), DataPort("header", "text/plain", required=False)),
        outputs=(DataPort("table", "text/csv"),),
        deadline_s=5.0,
        startup_s=90.0,
    )


def test_every_problem_is_listed_with_file_line_key_and_rule():
    text = """
manifest = 2
id = "CSV"
nmae = "CSV cleaner"
version = "1"
kind = "operater"
summary = 3

[run]
python = "csv_clean"
activates = ["on-demand"]

[[ports.in]]
name = "table"
type = "csv"

[[ports.in]]
name = "table"
type = "text/csv"
required = "yes"

[limits]
deadline = "5"
dealine = "5s"
"""

    assert problems(text) == [
        "extension.toml:4: nmae: there is no such key; did you mean name?",
        "extension.toml:2: manifest: must be 1, the only version, not 2",
        "extension.toml:6: kind: must be one of instrument, operator, motif, xi-plugin, not 'operater'; did you mean operator?",
        "extension.toml:24: limits.dealine: there is no such key; did you mean deadline?",
        "extension.toml:23: limits.deadline: must be a time above 0 in ms, s, min or h, such as 5s, not '5'",
        "extension.toml:11: run.activates: there is no such key; did you mean activate?",
        "extension.toml:10: run.python: must be module:Class, not 'csv_clean'",
        "extension.toml:3: id: must be publisher.name in a-z, 0-9 and -, not 'CSV'",
        "extension.toml: name: is missing",
        "extension.toml:5: version: must be a version such as 1.2.0, not '1'",
        "extension.toml:7: summary: must be a text of 1 to 200 printable characters, not 3",
        "extension.toml:15: ports.in[0].type: must be a media type such as text/plain, not 'csv'",
        "extension.toml:20: ports.in[1].required: must be true or false, not 'yes'",
        "extension.toml:18: ports.in[1].name: there is another port table on this side",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("manifest = ", "extension.toml: it is not TOML: Invalid value (at end of document)"),
        ("# " + "x" * 65536, "extension.toml: it has 65538 characters; 65536 is the most"),
        ("a = " + "[" * 30000, "extension.toml: it is nested too deep"),
        (changed("manifest = 1", ""), "extension.toml: manifest: must be 1, the only version; it is missing"),
        (
            changed("manifest = 1", "manifest = true"),
            "extension.toml:2: manifest: must be 1, the only version, not True",
        ),
        (
            changed('"CSV cleaner"', r'"\u001b[31mCSV"'),
            "extension.toml:4: name: must be a text of 1 to 200 printable characters, not ",
        ),
        (changed("csv_clean:", "json:"), "run.python: the standard library has a module json, which would be imported instead"),
        (
            changed("csv_clean:", "symphony.evil:"),
            "run.python: Symphony brings a module symphony, which would be imported instead",
        ),
        (changed("csv_clean:", "class:"), "run.python: class:CsvClean has a part that is a keyword of Python"),
        (
            changed('activate = ["on-demand"]', 'wasm = "a.wasm"'),
            "run: must have exactly one of python, wasm, command, not python and",
        ),
        (
            changed('python = "csv_clean:CsvClean"', ""),
            "extension.toml:11: run: must have exactly one of python, wasm, command, not none",
        ),
        (changed('["on-demand"]', '"on-demand"'), "run.activate: must be a list of texts, not 'on-demand'"),
        (changed('["on-demand"]', '["ondemand"]'), "run.activate: 'ondemand' is no moment; did you mean on-demand?"),
        (changed("[run]", "[run]\nscope = 'global'"), "extension.toml:12: run.scope: only an xi-plugin has a scope"),
        (
            changed(">=0.1,<1.0", "about 1"),
            "extension.toml:9: requires.runtime: must be versions such as >=0.1,<1.0, not 'about 1'",
        ),
        (changed("python = ", "pyhton = "), "extension.toml:9: requires.pyhton: there is no such key; did you mean python?"),
        (changed("runtime = ", "xi-protocol = '1', runtime = "), "requires.xi-protocol: only an xi-plugin requires this"),
        (
            RIGHT + "[[contributes.panels]]\nid = 'a'",
            "contributes.panels: only a motif or an xi-plugin contributes, and this is an oper",
        ),
        (RIGHT + "[permissions]\nfs_read = []", "permissions.fs_read: there is no such key"),
        (
            changed("[[ports.in]]", "[ports.in]").split("[[ports.in]]")[0],
            "ports.in: must be an array of tables, [[ports.in]], not {",
        ),
        ("limits = 3\nports = 3\nrequires = 3\npermissions = 3", "extension.toml:1: limits: must be a table, not 3"),
        (changed("[run]", "[rum]"), "extension.toml:11: rum: there is no such key; did you mean run?"),
    ],
)
def test_a_broken_rule_is_told(text, problem):
    assert any(problem in found for found in problems(text)), problems(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (changed('"operator"', '"instrument"'), "kind: instrument extensions are not built yet"),
        (changed('"operator"', '"motif"'), "kind: motif extensions are not built yet"),
        (changed('"operator"', '"xi-plugin"'), "kind: xi-plugin extensions are not built yet"),
        (changed('python = "csv_clean:CsvClean"', 'wasm = "a.wasm"'), "run.wasm: it is not built yet"),
        (changed('python = "csv_clean:CsvClean"', 'command = ["bin/a"]'), "run.command: it is not built yet"),
        (changed('["on-demand"]', '["on-demand", "startup"]'), "run.activate: startup is not built yet"),
        (changed("runtime = ", "isolation = 'full', runtime = "), "requires.isolation: isolation is not built yet"),
    ],
)
def test_what_is_right_and_not_built_yet_is_refused_as_such(text, told):
    assert told in unbuilt(text)


def test_permissions_and_limits_are_refused_by_name_rather_than_passed_over():
    asked = 'memory = "1 GiB"\n[permissions]\nfs.read = ["$data/**"]\nenv = []\n[permissions.optional]\nnet.connect = ["a.b:1"]'

    assert unbuilt(RIGHT + asked) == (
        "extension.toml: permissions and limits are not built yet, so an extension that asks for them is refused: "
        "permissions.fs.read, permissions.env, permissions.optional.net.connect, limits.memory"
    )


def test_empty_permissions_ask_for_nothing():
    assert read_manifest(RIGHT + "[permissions]\n", source="extension.toml").id == "acme.csv-clean"


def test_a_wrong_manifest_is_wrong_first_and_not_built_second():
    assert problems(changed('"operator"', '"motif"').replace("manifest = 1", "manifest = 7"))


TOML_LIKE = st.text(st.sampled_from("abkrun.=[]\"'{}, \n1"), max_size=60)
KEYS = st.sampled_from(["manifest", "id", "kind", "run", "ports", "limits", "permissions", "requires", "contributes", "version"])
VALUES = st.sampled_from(
    ["1", "true", '"x"', "[]", "{}", "[1]", "{ python = 1, in = 2 }", "[{}]", "{ in = [1, {}] }", "1979-05-27"]
)


@given(TOML_LIKE | st.dictionaries(KEYS, VALUES).map(lambda table: "\n".join(f"{key} = {value}" for key, value in table.items())))
def test_no_text_gets_anything_but_a_manifest_or_a_declared_error(text):
    with pytest.raises((InvalidRequestError, NotBuiltError)):
        read_manifest(text, source="extension.toml")


def test_a_digest_depends_on_names_and_bytes_and_not_on_order_or_caches():
    files = {"a.py": b"1", "b/c.py": b"2"}
    digest = digest_of(files)

    assert digest.startswith("sha256:")
    assert len(digest) == 71
    assert digest_of(dict(reversed(files.items()))) == digest
    assert digest_of({**files, "b/__pycache__/c.cpython-311.pyc": b"x"}) == digest
    assert digest_of({**files, "a.py": b"2"}) != digest
    assert digest_of({"a.py": b"1", "b/d.py": b"2"}) != digest
    assert digest_of({}) != digest_of({"": b""})


NAMES = st.text(st.sampled_from("ab/"), min_size=1, max_size=4)


@given(st.dictionaries(NAMES, st.binary(max_size=4)), st.dictionaries(NAMES, st.binary(max_size=4)))
def test_two_folders_have_the_same_digest_only_when_they_are_the_same(one, other):
    assert (digest_of(one) == digest_of(other)) == (one == other)


@pytest.mark.parametrize(
    ("wanted", "present", "fits"),
    [
        ("", "0.1.0", True),
        (">=0.1", "0.1.0", True),
        (">=0.1, <1.0", "1.0.0", False),
        (">= 0.9", "0.10.0", True),
        ("==1.0", "1.0.0", True),
        ("!=1.0", "1.0.0", False),
        (">1.0", "1.0.1", True),
        ("<=3.11", "3.11.7", False),
    ],
)
def test_a_required_version_is_compared_by_number(wanted, present, fits):
    manifest = Manifest("acme.a", "A", "1.0.0", "operator", "A", "a:A", runtime=wanted)

    unmet = unmet_requirements(manifest, runtime=present, python="3.11.0")

    assert unmet == (() if fits else (f"acme.a: requires.runtime: it needs Symphony {wanted}, and this is {present}",))
