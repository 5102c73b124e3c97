"""The runtime's example and the README's program: they run as they are written, and the bank's promise holds for any orders."""

import re
import subprocess
import sys

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from actors.runtime import ConsistentHash, RoundRobin, Router
from actors.runtime.errors import ActorFailedError, RejectedError
from actors.runtime.testing import EventProbe, SteppingSystem
from examples import bank
from tests.architecture.checkout import ROOT

MAX_LINES = 220
NAMES = list(bank.OPENING)
OPENING = sum(bank.OPENING.values())
A_TELLERS_PAD = 3


def run(*command):
    return subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture(scope="module")
def day():
    """Run the example once, as a newcomer does."""
    return run("examples/bank.py")


def section(day, head):
    """Give the lines of one part of the story."""
    _, _, rest = day.stdout.partition(f"{head}:\n")
    return re.match(r"(?:  .*\n)*", rest)[0].splitlines()


def test_the_day_ends_well_with_all_the_money(day):
    assert day.returncode == 0
    assert day.stdout.endswith(f"In the evening: {OPENING} free, 0 set aside; in the morning it was {OPENING}.\n")


def test_an_order_that_cannot_be_paid_is_answered_and_fails_nobody(day):
    lines = section(day, "Five orders, one of which nobody can pay")

    assert [line for line in lines if " pays " not in line] == ["  2: /accounts/cleo has 250 and cannot pay 999"]
    assert len(lines) == 5
    assert day.stderr.count("actor.failed") == 1  # the teller's, in the next part


def test_a_death_is_told_to_asker_and_watcher_and_the_next_life_ends_what_was_begun(day):
    told, heard, books, again = section(day, "A teller dies half way")

    assert "/tellers/mia failed on Transfer: IndexError" in told
    assert "life 1 of /tellers/mia has failed" in heard
    assert books == f"  the books say: {OPENING - 60} free, 60 set aside"
    assert again.endswith("/accounts/ada pays 60 to /accounts/cleo")


def test_a_full_queue_is_told_to_who_finds_it_so(day):
    late, refused, printed = section(day, "A queue is full")

    assert "did not answer within 0.1 s" in late
    assert "the mailbox is full (3 messages wait)" in refused
    assert printed.endswith("a letter to bob")


def test_the_example_fits_one_sitting():
    assert (ROOT / "examples/bank.py").read_text().count("\n") <= MAX_LINES


@pytest.fixture
def system():
    with SteppingSystem("bank", bank.BANK) as system:
        yield system


def orders():
    """Draw orders, also such as cannot be paid, and such as are given twice under one number."""
    order = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(-5, 60) | st.just(700))
    return st.lists(st.tuples(order, st.booleans()), min_size=6, max_size=25)


def insist(tellers, order):
    """Order until it is done: by turns, the second attempt may meet the other teller, who dies of it as well."""
    try:
        bank.pay(tellers, order)
    except ActorFailedError:
        bank.pay(tellers, order)


@settings(max_examples=40)
@given(orders=orders(), by_turns=st.booleans())
def test_whatever_is_ordered_and_whoever_dies_each_order_is_carried_out_once_or_refused(orders, by_turns):
    """One order in four kills the teller that has it; the model knows nothing of that."""
    model = dict(bank.OPENING)
    with SteppingSystem("bank", bank.BANK) as system:
        strategy = RoundRobin() if by_turns else ConsistentHash(lambda order: order.payer.path)
        tellers = Router(system.find("/tellers/*"), strategy)
        for number, ((payer, payee, amount), twice) in enumerate(orders):
            order = bank.Transfer(number, system.ref(f"/accounts/{payer}"), system.ref(f"/accounts/{payee}"), amount)
            if 0 < amount <= model[payer]:
                for _ in range(1 + twice):
                    insist(tellers, order)
                    system.advance(60.0)  # so that no supervisor sees too many deaths in a row
                model[payer] -= amount
                model[payee] += amount
            else:
                with pytest.raises(bank.InsufficientFundsError):
                    bank.pay(tellers, order)
            assert bank.books(system) == (OPENING, 0)
        event(f"{sum(one.type == 'actor.exited' for one in system.events.since(0))} deaths")
        assert {name: system.ref(f"/accounts/{name}").ask(bank.GetBalance()) for name in NAMES} == {
            name: (amount, 0) for name, amount in model.items()
        }


def test_a_teller_dies_of_its_fourth_order_with_the_money_set_aside_and_is_there_again(system):
    ada, bob, _ = system.find("/accounts/*")
    mia = system.ref("/tellers/mia")
    events = EventProbe(system.events)
    for number in range(A_TELLERS_PAD):
        mia.ask(bank.Transfer(number, ada, bob, 10))

    with pytest.raises(ActorFailedError):
        mia.ask(bank.Transfer(3, ada, bob, 10))

    assert bank.books(system) == (OPENING - 10, 10)
    system.run_until_idle()
    events.expect("actor.restarted", "/tellers/mia", incarnation=2)
    assert mia.ask(bank.Transfer(3, ada, bob, 10)) == "/accounts/ada pays 10 to /accounts/bob"
    assert bank.books(system) == (OPENING, 0)
    events.close()


def test_an_account_does_a_step_once_however_often_it_is_asked_for(system):
    ada, *_ = system.find("/accounts/*")

    for _ in range(3):
        ada.ask(bank.Step("set aside", 1, 100))

    assert ada.ask(bank.GetBalance()) == (400, 100)


def test_an_account_refuses_what_it_does_not_know(system):
    ada, *_ = system.find("/accounts/*")

    with pytest.raises(RejectedError, match="does not handle messages of type str"):
        ada.ask("give me everything")


def readme_programs():
    return re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), flags=re.DOTALL | re.MULTILINE)


def test_the_readme_has_a_program():
    assert len(readme_programs()) == 1


@pytest.mark.parametrize("program", readme_programs())
def test_the_readmes_program_prints_what_its_comments_say(program, tmp_path):
    """A comment behind a `print` is what it prints, up to a semicolon."""
    said = [line.partition("#")[2].partition(";")[0].strip() for line in program.splitlines() if "print(" in line]
    (tmp_path / "program.py").write_text(program)

    done = run(str(tmp_path / "program.py"))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == said
    assert all(said)


def test_the_readme_names_only_files_that_are_there():
    named = re.findall(r"`((?:actors|examples|benchmarks)/[\w./-]*\w)`", (ROOT / "README.md").read_text())

    assert "examples/bank.py" in named
    assert [path for path in named if not (ROOT / path).exists()] == []
