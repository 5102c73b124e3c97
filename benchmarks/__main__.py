"""`python -m benchmarks [NAME] [--json] [--rounds N]`: run one question, or all that are built.

Exit codes: 0 every bar holds, 1 one does not, 2 it could not be measured.
"""

import argparse
import importlib
import sys

BUILT = ("restart",)
NOT_BUILT = ("inprocess", "transport", "xi", "pit", "extensions", "core", "console")


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure, and hold the figures against their bars.")
    parser.add_argument("name", nargs="?", choices=(*BUILT, *NOT_BUILT), help="one question; all that are built if left out")
    parser.add_argument("--json", action="store_true", help="print one document a question")
    parser.add_argument("--rounds", type=int, help="how often to measure; the question's own default if left out")
    arguments = parser.parse_args()
    if arguments.name in NOT_BUILT:
        print(f"benchmarks: {arguments.name} is not built yet; there is: {', '.join(BUILT)}", file=sys.stderr)
        return 2
    if arguments.rounds is not None and arguments.rounds < 1:
        parser.error("--rounds: a whole number, 1 or more")
    holds = True
    for name in [arguments.name] if arguments.name else BUILT:
        question = importlib.import_module(f"benchmarks.{name}")
        report = question.measure(arguments.rounds or question.DEFAULT_ROUNDS)
        print(report.as_json() if arguments.json else report.as_text())
        holds = holds and report.all_hold
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
