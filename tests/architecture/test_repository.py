"""What is in the repository holds for everybody: no file knows the machine that it was written on."""

import re
import tomllib

import pytest

from tests.architecture.checkout import ROOT, files, name

# The folder of this checkout and people's home folders (but /home/user, which an example may use).
SOMEBODYS_FOLDER = rf"(?<![\w.]){re.escape(str(ROOT))}(?![\w-])|(?<![\w.])/(?:(?:home|Users)/(?!user\b)\w|root/)"
# Where packages come from is for the environment of whoever installs them to say.
REGISTRY = r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.org|npmjs\.com|debian\.org|crates\.io|proxy\.golang\.org)\b"
FORBIDDEN = re.compile(f"{SOMEBODYS_FOLDER}|{REGISTRY}")


def text_of(path):
    """Return the text of a file, or nothing where it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_no_file_names_a_private_folder_or_a_package_registry():
    found = [
        f"{name(path)}:{number}: {match[0]}"
        for path in files()
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if (match := FORBIDDEN.search(line))
    ]

    assert found == []


@pytest.mark.parametrize(
    "line", [f"see {ROOT}/xi", "/home" + "/ann/x", "/Users" + "/ann", "/root" + "/x", "https://pypi" + ".org/x"]
)
def test_the_rule_sees(line):
    assert FORBIDDEN.search(line)


@pytest.mark.parametrize("line", ["/home/user/notes.txt", "ask /engine/core", "${ROOT}/xi", "https://www.apache.org/licenses"])
def test_the_rule_lets_pass(line):
    assert not FORBIDDEN.search(line)


@pytest.mark.parametrize("path", [path for path in files() if path.suffix == ".toml"], ids=name)
def test_a_toml_file_is_whole_and_says_what_it_is_for(path):
    """By a summary or a description, or by a comment that opens it."""
    text = path.read_text(encoding="utf-8")
    table = tomllib.loads(text)

    assert text.startswith("#") or any("summary" in part or "description" in part for part in (table, *table.values()) if part)


@pytest.mark.parametrize(
    "wanted", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "constraints.txt", ".ci/run"]
)
def test_what_a_newcomer_looks_for_is_there(wanted):
    assert (ROOT / wanted).is_file()
