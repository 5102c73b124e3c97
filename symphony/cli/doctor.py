"""`symphony doctor`: every check there is, and what to do about what is wrong."""

from collections.abc import Iterator

import click
from msgspec import to_builtins

from actors.runtime.run_directory import RunDirectory
from symphony.domain.errors import RequestError

from .editor_check import editor_finding
from .errors import CommandError
from .exit_codes import ExitCode
from .finding import Finding
from .installation_checks import installation_findings
from .invocation import Invocation
from .invocation import command as symphony_command
from .output import write_json, write_line
from .places import Places
from .settings_file import load_settings
from .system_checks import system_findings


@symphony_command("doctor", timeout_s=30.0)
@click.option("--config", metavar="FILE", help="The settings to check; by default those that `up` would read.")
def command(invocation: Invocation, config: str | None) -> ExitCode:
    """Check the environment, and say what to do about it.

    The exit code is 1 where there is something to do.
    """
    places = invocation.places()
    findings = []
    for finding in _all(places, config):
        findings.append(finding)
        if not invocation.as_json:
            _print(finding)
    if invocation.as_json:
        found = [{**to_builtins(finding), "is_well": finding.is_well} for finding in findings]
        write_json("symphony.doctor/1", {"findings": found})
    return ExitCode.DONE if all(finding.is_well for finding in findings) else ExitCode.FAILED


def _all(places: Places, config: str | None) -> Iterator[Finding]:
    yield from installation_findings()
    yield from system_findings(RunDirectory(places.run_dir))
    try:
        settings = load_settings(places, config)
    except (RequestError, CommandError) as error:
        yield Finding(
            "settings", "; ".join(str(error).splitlines()), "correct the file; `symphony up --help-config` lists the keys"
        )
        return
    yield Finding("settings", "are right")
    yield editor_finding(settings.xi_command)


def _print(finding: Finding) -> None:
    write_line(f"{'✓' if finding.is_well else '✗'} {finding.name}: {finding.text}")
    if finding.remedy:
        write_line(f"    do: {finding.remedy}")
