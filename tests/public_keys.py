"""The row set of a release, written apart from ``usage.frames``: tests hold rows and counted cells against it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from privacy_ops.usage.counting import CellKey, Table
from privacy_ops.usage.periods import Period
from privacy_ops.usage.places import Places
from privacy_ops.usage.view import PublicCourse


def public_keys(
    period: Period, places: Places, courses: Mapping[str, PublicCourse], tables: Mapping[str, Collection[Table]]
) -> list[CellKey]:
    """The row set: every cell that exists, whether anybody was counted in it or not.

    ``tables``: which tables each course has, as ``due`` says. All modules of a course, all countries and all regions
    of the reference; nothing here depends on what people did.
    """
    keys: list[CellKey] = []
    for course_id in sorted(tables):
        for table in tables[course_id]:
            here = CellKey(table, course_id, period.key)
            if table == "country_quarter":
                keys += [here._replace(country=country.code) for country in places.countries]
                continue
            keys.append(here)
            if table == "period":
                keys += [here._replace(module_id=module) for module, _ in courses[course_id].modules]
            else:
                keys += [here._replace(region=region) for region in places.regions]
    return sorted(keys, key=lambda key: tuple(part or "" for part in key))
