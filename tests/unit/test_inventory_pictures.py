"""Map and diagram: small places are there, nothing depends on the machine, and a page may take them as they are."""

from __future__ import annotations

import re

import pytest
from privacy_ops.transfers.publishing import flow_diagram, paint, world_map
from privacy_ops.transfers.publishing.flow_diagram import OTHERS, Strand
from privacy_ops.transfers.reasons import Verdict

from tests.unit.transfer_flows import reference

TABLES = reference()
FAR = ("GP", "MQ", "GF", "RE", "YT", "AX", "GI", "JE", "GG", "IM", "SG", "MT", "LI", "AD", "FO", "HK")


def test_every_country_of_the_reference_data_has_a_dot() -> None:
    codes = {t.code for t in TABLES.territories if t.kind in {"COUNTRY", "TERRITORY"} and len(t.code) == 2}
    # No principal place in the time zone database: an island without people, and a code that is not ISO's.
    assert codes - world_map.places().keys() <= {"BV", "HM", "XK", "AC", "TA", "CP", "DG", "EA", "IC", "CQ"}


@pytest.mark.parametrize("code", FAR)
def test_small_and_far_destinations_are_marked(code: str) -> None:
    both = "".join(world_map.drawing(view, {code: Verdict.UNCOVERED}) for view in (world_map.WORLD, world_map.EUROPE))

    assert f">{code}</text>" in both
    assert f"var(--{paint.css_name(Verdict.UNCOVERED)})" in both


def test_a_country_has_the_colour_of_its_verdict_and_the_others_none() -> None:
    plain = world_map.drawing(world_map.WORLD, {})
    drawn = world_map.drawing(world_map.WORLD, {"BR": Verdict.COVERED})

    assert "var(--covered)" not in plain
    assert drawn.count("var(--covered)") == 2  # the outline and the dot


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("+513030-0000731", (-(7 / 60 + 31 / 3600), 51 + 30 / 60 + 30 / 3600)),
        ("-2052+05528", (55 + 28 / 60, -(20 + 52 / 60))),
    ],
)
def test_places_are_read_from_iso_6709(where: str, place: tuple[float, float]) -> None:
    assert world_map._degrees(where) == pytest.approx(place)


def test_equal_earth_is_what_its_authors_say() -> None:
    # Edges of the published projection: x = ±2.70663, y = ±1.31736 for a sphere of radius 1.
    assert world_map.project(180, 0, 0)[0] == pytest.approx(2.70663, abs=1e-5)
    assert world_map.project(0, 90, 0)[1] == pytest.approx(1.31736, abs=1e-5)


STRANDS = (
    Strand(("conferences", "Acme <b>", "India"), Verdict.UNCOVERED),
    Strand(("publish", "Acme <b>", "India"), Verdict.COVERED),
)


@pytest.mark.parametrize("strands", [STRANDS, ()])
def test_the_diagram_is_the_same_twice_and_escapes_its_names(strands: tuple[Strand, ...]) -> None:
    first = flow_diagram.drawing(strands)

    assert first == flow_diagram.drawing(strands)
    assert "<b>" not in first


def test_the_map_is_the_same_twice_and_takes_nothing_from_outside() -> None:
    first = world_map.drawing(world_map.EUROPE, {"MT": Verdict.COVERED})

    assert first == world_map.drawing(world_map.EUROPE, {"MT": Verdict.COVERED})
    assert not re.search(r"style=|http|<script|<image|url\((?!#map-)", first)


def test_a_large_inventory_keeps_the_gravest_names_and_counts_the_rest_together() -> None:
    many = [Strand((f"purpose {n}", f"importer {n}", f"country {n}"), Verdict.COVERED) for n in range(200)]
    grave = Strand(("zz", "the one that matters", "zz"), Verdict.UNCOVERED)
    drawn = flow_diagram.drawing([*many, grave])

    assert "the one that matters" in drawn
    assert drawn.count(f">{OTHERS}</text>") == 3
    assert drawn.count("importer ") == flow_diagram.MOST - 1
