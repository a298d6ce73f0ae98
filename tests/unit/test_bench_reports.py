"""Reports of `make bench` and `make proof` say what was missed and what was not carried out."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from privacy_ops.settings import ObjectSettings
from privacy_ops.stores.objects import ObjectStore

from bench import links, measure, proof, scale, spreadsheets, truth
from bench.erasing import Erased
from sandbox.publisher import oracle

GOOD = dict.fromkeys(oracle.MUST_BE_ZERO, 0) | {"erased": 3}


def made(peak: float = 200.0, **score: int) -> scale.Scale:
    erased = Erased(3, 30, 1, 0.1, 0.1, 0.1, 0.2)
    return scale.Scale(1000, 20_000, 40_000, {}, {"detect": peak}, 100, {}, erased, GOOD | score)


def test_a_proof_of_scale_holds() -> None:
    assert made().failures == ()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"missed": 1}, "missed is 1"),
        ({"wrongly_erased": 2}, "wrongly_erased is 2"),
        ({"residual_rows": 1}, "residual_rows is 1"),
        ({"residual_objects": 1}, "residual_objects is 1"),
        ({"retained_with_identity": 1}, "retained_with_identity is 1"),
        ({"wrongly_restricted": 4}, "wrongly_restricted is 4"),
        ({"shared_rows_of_others_lost": 1}, "shared_rows_of_others_lost is 1"),
        ({"erased": 0}, "nobody was erased"),
    ],
)
def test_each_wrong_outcome_fails_the_proof_of_scale(wrong: dict[str, int], says: str) -> None:
    assert made(**wrong).failures == (says,)


def test_the_ground_truth_holds_only_if_all_that_was_planted_is_found() -> None:
    found = GOOD | {"suspected_planted": 5, "suspected_found": 5, "flags_planted": 2, "flags_found": 2}
    assert truth.Judged(7, 100, 1.0, found).failures == ()
    assert truth.Judged(7, 100, 1.0, found | {"missed": 1}).failures == ("seed 7: missed is 1",)
    missed = truth.Judged(7, 100, 1.0, found | {"suspected_found": 4}).failures
    assert missed == ("seed 7: of 5 suspected 4 were found",)
    assert truth.Judged(7, 100, 1.0, found | {"erased": 0}).failures == ("seed 7: nobody was erased",)


def test_a_step_that_needs_too_much_memory_fails() -> None:
    assert made(peak=601).failures == ("detect took 601 MiB, more than 600",)


def test_missing_programs_are_named_with_what_they_would_prove(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof.shutil, "which", lambda name: "/usr/bin/java" if name == "java" else None)
    absent = proof.missing()
    assert set(absent) == {"chromium", "chromedriver", "LibreOffice", "Node", "Redis"}
    monkeypatch.setattr(proof.compose_stack.shutil, "which", lambda _name: None)
    report = proof.render([proof.prove_celery(2_000)], absent, date="2026-11-22", about="a machine", spent=1)
    assert "- Redis: tasks spread over Celery workers" in report
    assert "| Celery workers with Redis | not carried out |" in report


def test_without_programs_nothing_fails_and_nothing_is_proven(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(proof.shutil, "which", lambda _name: None)
    monkeypatch.setattr(spreadsheets.shutil, "which", lambda _name: None)
    output = tmp_path / "proof.md"
    assert proof.main(["--only", "browser", "spreadsheets", "--output", str(output)]) == 0
    report = output.read_text(encoding="utf-8")
    assert "proven |" not in report.replace("not proven", "")
    assert "Chromium or its driver is missing" in report
    assert capsys.readouterr().out


def test_links_that_no_server_verifies_are_recorded_as_unproven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links.shutil, "which", lambda _name: None)
    found = proof.prove_links()
    assert found.state == "not carried out"
    assert found.lines == ("- Unproven: node and npm missing.",)


@pytest.mark.parametrize(("refused", "state"), [(True, "proven"), (False, "failed")])
def test_a_link_that_gives_more_than_it_says_fails_the_proof(
    monkeypatch: pytest.MonkeyPatch, refused: bool, state: str
) -> None:
    monkeypatch.setattr(links, "server", lambda: contextlib.nullcontext())
    monkeypatch.setattr(links, "attack", lambda _settings: [links.Attack("an expired link", refused)])
    assert proof.prove_links().state == state


def test_against_a_server_that_verifies_nothing_the_attacks_get_through(
    object_settings: ObjectSettings, objects: ObjectStore
) -> None:
    """The embedded one: the proof would fail on it, so it can fail."""
    region = {"LocationConstraint": "eu-west-2"}
    objects.client.create_bucket(Bucket=links.BUCKET, CreateBucketConfiguration=region)  # type: ignore[arg-type]
    for key in (links.OURS, links.THEIRS):
        objects.put(links.BUCKET, key, links.BODY)
    found = {one.title: one.refused for one in links.attack(object_settings, sleep=lambda _seconds: None)}
    assert not found["one digit of the signature changed"]
    assert not found["signed with another secret"]
    assert not found["another recipient's release"]


def test_what_an_earlier_run_proved_stays_in_the_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(proof, "prove_schemas", lambda _examples: proof.Proof("Random schemas", "proven", ("- All.",)))
    monkeypatch.setattr(proof, "prove_crashes", lambda: proof.Proof("Crashes and concurrency", "failed", ("- One.",)))
    output = tmp_path / "proof.md"
    assert proof.main(["--only", "schemas", "--output", str(output)]) == 0
    first = proof.earlier(output.read_text(encoding="utf-8"))
    assert list(first) == ["Random schemas"]
    assert proof.main(["--only", "crashes", "--output", str(output)]) == 1
    both = proof.earlier(output.read_text(encoding="utf-8"))
    assert both["Random schemas"] == first["Random schemas"]
    assert both["Random schemas"].lines[0].startswith("Carried out on ")
    assert both["Crashes and concurrency"].state == "failed"


def test_a_proof_that_breaks_has_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def breaks(_var: Path | None) -> proof.Proof:
        raise RuntimeError("no window")

    monkeypatch.setattr(proof, "prove_browser", breaks)
    assert proof.main(["--only", "browser", "--output", str(tmp_path / "proof.md")]) == 1
    assert "## The UI in a browser: failed" in (tmp_path / "proof.md").read_text(encoding="utf-8")


def test_a_ratio_above_its_limit_is_marked() -> None:
    results = measure.Results(10, 20)
    results.ratio("good", 0.5, 0.6, "a / b")
    results.ratio("bad", 0.7, 0.6, "a / b")
    results.ratio("shown", 9.0, None, "a / b")
    report = measure.render(results, at=datetime(2026, 11, 22, tzinfo=UTC), about="a machine", spent=1)
    assert "| good | 0.50 | 0.6 |" in report
    assert "| bad | 0.70 | 0.6 ✗ |" in report
    assert "Above its limit (✗): bad." in report
