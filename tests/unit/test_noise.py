"""Noise as it was promised: of the right size, whole, paid for, and gone from what a small count shows."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops.disclosure import noise
from privacy_ops.disclosure.noise import Noise
from privacy_ops.settings import home_directory

WEEKLY = Noise(Fraction("0.0147"), 5)


def test_a_draw_costs_what_it_may_and_hardly_less():
    assert WEEKLY.scale == pytest.approx(math.sqrt(5 / (2 * 0.0147)))
    cost = Fraction(noise.cost(WEEKLY.scale, WEEKLY.distance))
    assert Fraction("0.0146999") < cost <= WEEKLY.rho
    assert noise.epsilon(Fraction("0.015"), 1e-7) == pytest.approx(0.855, abs=0.001)


def test_noise_for_one_cell_costs_five_times_as_much_where_a_person_is_in_five():
    too_little = Noise(WEEKLY.rho, 1).scale
    assert noise.cost(too_little, WEEKLY.distance) == pytest.approx(5 * 0.0147)


@settings(max_examples=40, deadline=None)
@given(st.decimals("0.0001", "1", places=4), st.integers(1, 20))
def test_no_noise_ever_costs_more_than_was_asked(rho, cells):
    dice = Noise(Fraction(rho), cells)
    assert Fraction(noise.cost(dice.scale, dice.distance)) <= dice.rho


def test_noise_is_whole_centred_and_as_wide_as_a_discrete_gaussian():
    """Each bound is five standard errors: one run in a million fails by chance."""
    many = 20_000
    drawn = noise.draw([100] * many, WEEKLY)
    assert all(type(count) is int for count in drawn)
    off = [count - 100 for count in drawn]
    variance = WEEKLY.scale**2
    assert abs(sum(off) / many) < 5 * WEEKLY.scale / math.sqrt(many)
    assert abs(sum(x * x for x in off) / many - variance) < 5 * variance * math.sqrt(2 / many)
    for width, share in ((1, 0.6827), (2, 0.9545), (3, 0.9973)):
        # The mass of whole numbers: the continuous law at a half beyond them.
        edge = math.floor(width * WEEKLY.scale)
        expected = math.erf((edge + 0.5) / WEEKLY.scale / math.sqrt(2))
        assert expected == pytest.approx(share, abs=0.02)
        found = sum(abs(x) <= edge for x in off) / many
        assert abs(found - expected) < 5 * math.sqrt(expected * (1 - expected) / many)


def test_two_draws_differ_and_neighbouring_counts_are_independent():
    one, two = noise.draw([50] * 2_000, WEEKLY), noise.draw([50] * 2_000, WEEKLY)
    assert one != two
    pairs = [(a - 50) * (b - 50) for a, b in itertools.pairwise(one)]
    assert abs(sum(pairs) / len(pairs)) < 5 * WEEKLY.scale**2 / math.sqrt(len(pairs))


@pytest.mark.parametrize(
    ("name", "noisy", "shown"),
    [
        ("far_below", -40, None),
        ("rounds_to_below", 22, None),
        ("rounds_to_the_least", 23, 25),
        ("rounds_down", 27, 25),
        ("rounds_up", 28, 30),
    ],
)
def test_what_is_shown_follows_from_the_noisy_count_alone(name, noisy, shown):
    assert noise.shown(noisy, 25, 5) == shown


@pytest.mark.parametrize(("rho", "cells"), [(0, 5), (-1, 5), (1, 0)])
def test_noise_without_a_cost_or_a_bound_is_refused(rho, cells):
    with pytest.raises(ValueError, match="noise needs"):
        Noise(Fraction(rho), cells)


def test_nothing_drawn_of_nothing():
    assert noise.draw([], WEEKLY) == []


def test_no_dag_waits_for_the_library_of_the_dice():
    script = (
        "import sys, importlib, pathlib\n"
        f"sys.path.insert(0, {str(home_directory() / 'dags')!r})\n"
        f"names = [p.stem for p in pathlib.Path({str(home_directory() / 'dags')!r}).glob('*.py')]\n"
        "import privacy_ops.cli, privacy_ops.usage.release\n"
        "[importlib.import_module(name) for name in names]\n"
        "print(len(names), 'opendp' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ).stdout.split()
    assert int(said[-2]) > 5
    assert said[-1] == "False"
