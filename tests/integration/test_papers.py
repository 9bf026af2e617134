"""What the papers name is there."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def is_there(file, name):
    path = TESTS / file
    if not path.exists():
        return False
    found = rf"^Test\({name.replace('/', ', ')}\b" if path.suffix == ".c" else rf"^def {name}\("
    return re.search(found, path.read_text(), re.M) is not None


def test_the_tests_of_the_failures_list_are_there():
    rows = [line for line in (TESTS / "FAILURES.md").read_text().splitlines() if re.match(r"\| [A-Z]+\d+ \|", line)]
    named = {pair for row in rows for pair in re.findall(r"`([\w/.]+)::([\w/]+)`", row)}
    assert len(rows) > 30 and len(named) > 40
    assert [pair for pair in sorted(named) if not is_there(*pair)] == []
    assert [row for row in rows if "::" not in row and "not yet" not in row] == []


def test_a_name_that_is_not_there_is_found_out():
    assert is_there("integration/test_papers.py", "test_a_name_that_is_not_there_is_found_out")
    assert not is_there("integration/test_papers.py", "test_nothing")
    assert not is_there("unit/inputs/test_tail.c", "tail/nothing")
    assert not is_there("unit/nowhere.c", "tail/growth")
