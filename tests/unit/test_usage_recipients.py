"""The registry of recipients, and whom an agreement covers, row by row."""

from __future__ import annotations

import copy
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from privacy_ops.errors import ConfigError
from privacy_ops.settings import home_directory
from privacy_ops.usage import periods, weeks
from privacy_ops.usage.plan import uncovered
from privacy_ops.usage.recipients import CLAUSES, read_registry

WEEK = weeks.from_key("2026-W46")  # 9 to 15 November
RELEASE = date(2026, 11, 18)
GOOD = {
    "recipients": [{"id": "author-one", "kind": "author", "name": "One", "country": "GB"}],
    "agreements": [
        {"id": "A1", "recipient": "author-one", "clauses": ["audit"], "from": date(2025, 1, 1), "to": date(2027, 1, 1)}
    ],
    "entitlements": [{"recipient": "author-one", "product": "EXP-AUTHOR", "agreement": "A1", "courses": ["1"]}],
}


def write(tmp_path: Path, registry: object) -> Path:
    path = tmp_path / "recipients.yaml"
    path.write_text(yaml.safe_dump(registry), encoding="utf-8")
    return path


def test_the_registry_of_the_project_is_valid_and_has_one_expired_supporter():
    registry = read_registry(home_directory() / "include" / "registry" / "recipients.yaml")
    kinds = [r.kind for r in registry.recipients]
    assert kinds.count("author") >= 2
    assert kinds.count("supporter") >= 3
    assert [a.recipient for a in registry.agreements if a.valid_to < date(2026, 1, 1)] == ["supporter-lapsed-fund"]


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("unknown_key", lambda r: r["recipients"][0].update(email="x"), "recipients.0.email"),
        ("unknown_clause", lambda r: r["agreements"][0].update(clauses=["trust_us"]), "unknown clauses: trust_us"),
        ("ends_before_it_begins", lambda r: r["agreements"][0].update(to=date(2020, 1, 1)), "ends before"),
        ("nobodys_agreement", lambda r: r["agreements"][0].update(recipient="x-y"), "no recipient x-y"),
        ("product_of_the_other_kind", lambda r: r["entitlements"][0].update(product="EXP-SUPPORTER"), "not for a"),
        ("no_such_agreement", lambda r: r["entitlements"][0].update(agreement="A9"), "no agreement A9"),
        ("nobody_at_all", lambda r: r.update(recipients=[]), "recipients"),
    ],
)
def test_a_registry_that_is_wrong_is_refused_by_name(tmp_path, name, change, told):
    registry = copy.deepcopy(GOOD)
    change(registry)
    with pytest.raises(ConfigError, match=told):
        read_registry(write(tmp_path, registry))


def test_a_registry_that_is_not_there_or_no_yaml(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_registry(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(ConfigError, match="not valid YAML"):
        read_registry(tmp_path / "bad.yaml")


def entry(**changes):
    values = {
        "product": "EXP-AUTHOR",
        "recipient_id": "author-one",
        "course_id": "1",
        "status": "active",
        "clauses": list(CLAUSES),
        "entitled_from": date(2026, 11, 9),
        "entitled_to": RELEASE,
        "agreed_from": date(2026, 1, 1),
        "agreed_to": date(2026, 12, 31),
    }
    return SimpleNamespace(**(values | changes))


@pytest.mark.parametrize(
    ("name", "changes", "covered"),
    [
        ("from_monday_to_the_day_of_release", {}, True),
        ("from_tuesday", {"entitled_from": date(2026, 11, 10)}, False),
        ("to_the_day_before_the_release", {"entitled_to": date(2026, 11, 17)}, False),
        ("agreement_ends_on_the_sunday", {"agreed_to": date(2026, 11, 15)}, False),
        ("recipient_ended", {"status": "ended"}, False),
        ("a_clause_is_missing", {"clauses": list(CLAUSES[1:])}, False),
        ("another_course", {"course_id": "2"}, False),
        ("another_product", {"product": "EXP-SUPPORTER"}, False),
    ],
)
def test_who_is_covered(name, changes, covered):
    pair = ("EXP-AUTHOR", "author-one", "1")
    assert uncovered([pair], [entry(**changes)], periods.of_week(WEEK), RELEASE) == ([] if covered else [pair])
