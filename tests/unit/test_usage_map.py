"""What a data map may say about places, institutions and passes, and what it may not."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from privacy_ops.datamap import loader
from privacy_ops.datamap.model import DataMap
from privacy_ops.errors import DataMapError
from privacy_ops.settings import home_directory
from privacy_ops.usage import view
from pydantic import ValidationError

MAP = loader.load(home_directory() / "include" / "datamap" / "imp")
READ: dict[str, Any] = MAP.model_dump(mode="json")


def changed(where: str, value: object) -> dict[str, Any]:
    read = copy.deepcopy(READ)
    *way, last = where.split("/")
    here = read
    for step in way:
        here = here[step]
    here[last] = value
    return read


def test_the_publishers_map_says_what_the_tables_by_place_need():
    usage = view.usage_of(MAP)
    assert ("core.user_account", "country_declared") in usage.feeds()
    assert ("core.user_profile", "institution") in usage.filters(), "an institution is never shown"
    assert ("core.user_profile", "institution") not in usage.feeds()
    assert ("learn.assessment_attempt", "passed") in usage.filters()


@pytest.mark.parametrize(
    ("where", "value", "says"),
    [
        ("usage/country/column", "nationality", "no column core.user_account.nationality"),
        ("usage/institution/table", "core.employer", "no table core.employer"),
        ("usage/institution/resolved_by", "guess", "resolved_by"),
        ("usage/passes/column", "grade", "no column learn.assessment_attempt.grade"),
        ("usage/passes/values", [], "values"),
    ],
)
def test_a_map_that_names_what_is_not_there_is_refused(where, value, says):
    with pytest.raises(ValidationError, match=says):
        DataMap.model_validate(changed(where, value))


@pytest.mark.parametrize(
    "column",
    [
        "core.user_account/columns/country_declared",
        "core.user_profile/columns/institution",
        "learn.assessment_attempt/columns/passed",
        "learn.assessment_attempt/columns/at",
    ],
)
def test_a_column_that_no_review_released_is_not_read(column):
    with pytest.raises(DataMapError, match="may not"):
        view.usage_of(DataMap.model_validate(changed(f"tables/{column}/aggregate", "never")))


def test_the_country_may_not_come_from_a_column_that_only_filters():
    column = "tables/core.user_account/columns/country_declared/aggregate"
    with pytest.raises(DataMapError, match=r"country_declared may not feed"):
        view.usage_of(DataMap.model_validate(changed(column, "filter")))


def test_a_map_needs_none_of_them():
    read = copy.deepcopy(READ)
    for name in ("country", "institution", "passes"):
        del read["usage"][name]
    assert view.usage_of(DataMap.model_validate(read)).country is None
