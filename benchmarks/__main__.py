"""`python -m benchmarks [NAME] [--json] [--rounds N]`: run one question, or all that are built.

Exit codes: 0 every bar holds, 1 one does not, 2 it could not be measured. Of several questions, a missed bar outweighs the rest.
"""

import argparse
import importlib
import sys

from .report import FAILS, HOLDS, NOT_MEASURED, NotMeasuredError, Report

BUILT = ("inprocess", "restart")
NOT_BUILT = ("transport", "xi", "pit", "extensions", "core", "console")


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure, and hold the figures against their bars.")
    parser.add_argument("name", nargs="?", choices=(*BUILT, *NOT_BUILT), help="one question; all that are built if left out")
    parser.add_argument("--json", action="store_true", help="print one document a question")
    parser.add_argument("--rounds", type=int, help="how often to measure; the question's own default if left out")
    arguments = parser.parse_args()
    if arguments.name in NOT_BUILT:
        print(f"benchmarks: {arguments.name} is not built yet; there is: {', '.join(BUILT)}", file=sys.stderr)
        return NOT_MEASURED
    if arguments.rounds is not None and arguments.rounds < 1:
        parser.error("--rounds: a whole number, 1 or more")
    codes = [_ask(name, arguments.rounds, as_json=arguments.json) for name in ([arguments.name] if arguments.name else BUILT)]
    return worst(codes)


def worst(codes: list[int]) -> int:
    """Give one exit code for several questions: a missed bar is certain, so it outweighs what could not be measured."""
    return next((code for code in (FAILS, NOT_MEASURED) if code in codes), HOLDS)


def _ask(name: str, rounds: int | None, *, as_json: bool) -> int:
    question = importlib.import_module(f"benchmarks.{name}")
    try:
        report: Report = question.measure(rounds or question.DEFAULT_ROUNDS)
    except NotMeasuredError as error:
        print(f"benchmarks: {name} could not be measured: {error}", file=sys.stderr)
        return NOT_MEASURED
    print(report.as_json() if as_json else report.as_text())
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
