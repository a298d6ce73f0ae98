"""The list of attacks is whole, names tests that exist, and is what the documentation says."""

from __future__ import annotations

import ast
from functools import cache

import pytest
from privacy_ops.settings import home_directory

from tests.attack.attacks import FROM_FILES
from tests.attack.catalogue import ATTACKS, PAGE, page


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((home_directory() / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_there_are_nineteen_each_with_a_release_that_survives_and_one_that_does_not():
    assert [attack.number for attack in ATTACKS] == list(range(1, 20))
    for attack in ATTACKS:
        assert attack.made_up, attack.title
        assert attack.real, attack.title
        assert bool(attack.random) != bool(attack.no_table), attack.title
        assert attack.broken, attack.title


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.title)
def test_its_tests_exist(attack):
    assert len(list(attack.tests())) >= 2
    for test in attack.tests():
        path, _, name = test.partition("::")
        name, _, case = name.partition("[")
        assert name in functions(path), test
        if case:
            assert int(case.rstrip("]")) == attack.number
            assert attack.number in FROM_FILES


def test_every_attack_on_files_is_listed():
    listed = {attack.number for attack in ATTACKS if any(f"[{attack.number}]" in test for test in attack.tests())}
    assert listed == set(FROM_FILES)


def test_the_page_is_the_catalogue():
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.attack.catalogue"
