"""An import meets the suppression list: by command, and from SQL without the key in the database."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from privacy_ops import cli
from privacy_ops.erasure.returning import keys as key_changes
from privacy_ops.erasure.returning import suppression
from privacy_ops.erasure.returning.suppression import Answer, Entry, Import, check_file, decide
from privacy_ops.errors import PrivacyOpsError, UserError
from privacy_ops.settings import KeyRing, parse_keys
from privacy_ops.thresholds import MailProvider
from privacy_ops.workspace import Workspace
from sqlalchemy import text

from tests.integration.press import NOW, Press

CASE = "00000000-0000-4000-8000-00000000000a"
UNTIL = date(2028, 6, 30)
OF_AGE = datetime(2028, 7, 1, 9, tzinfo=UTC)


def suppress(press: Press, *identifiers: tuple[str, str], workspace: Workspace | None = None) -> None:
    where = workspace or press.workspace
    with where.database("erase").transaction() as connection:
        suppression.write(
            connection,
            where.settings.keys,
            [(CASE, kind, value, UNTIL) for kind, value in identifiers],
            at=NOW,
            providers=where.thresholds.suppression.providers,
        )


def one_provider(press: Press, provider: MailProvider) -> Press:
    """The same press, where only this provider delivers several spellings to one mailbox."""
    limits = press.workspace.thresholds
    ours = limits.suppression.model_copy(update={"providers": (provider,)})
    limits = limits.model_copy(update={"suppression": ours})
    return replace(press, workspace=replace(press.workspace, thresholds=limits))


def check(press: Press, file: Path, now: datetime = NOW, **changes: Any) -> dict[str, int]:
    return check_file(press.workspace, Import(file, {"email": "email"}, **changes), now=now)


def test_a_vendors_list_is_sorted_and_nobody_is_named(
    press: Press, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dots = MailProvider(
        main="dots.example.org", domains=("dots.example.org", "old-dots.example.org"), ignores=".", tag="+"
    )
    press = one_provider(press, dots)
    suppress(press, ("email", "kim.lowe@dots.example.org"), ("email", "pat@example.org"))
    lines = [
        "name,email",
        "A, KIM.LOWE@DOTS.EXAMPLE.ORG ",
        "B,kimlowe+x@old-dots.example.org",
        "C,Ｐat@example.org",
        "D,new@example.org",
    ]
    file = tmp_path / "list.csv"
    file.write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"

    found = check(press, file, outputs={Answer.ACCEPT: good, Answer.REJECT: bad})

    assert found == {"accept": 1, "review": 0, "reject": 3}
    assert good.read_text() == "name,email\nD,new@example.org\n"
    assert bad.read_text().splitlines()[1:] == lines[1:4]
    assert good.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UserError, match="there already"):
        check(press, file, outputs={Answer.ACCEPT: good})
    assert capsys.readouterr().out == ""


def test_the_same_person_signs_up_at_eighteen(press: Press, tmp_path: Path) -> None:
    suppress(press, ("email", "kim@example.org"))
    file = tmp_path / "sign_up.csv"
    file.write_text("email,since\nKim@example.org,\n")
    assert check(press, file, NOW + timedelta(days=30), sign_up=True)["review"] == 1
    assert check(press, file, OF_AGE, sign_up=True)["accept"] == 1
    assert check(press, file, OF_AGE)["review"] == 1, "a list without dates is not a sign-up"
    file.write_text("email,since\nkim@example.org,2026-01-01\n")
    assert check(press, file, OF_AGE, created="since")["reject"] == 1, "old data never comes back"


BAD_FILES = {
    "no column email": "e-mail\nx\n",
    "not as many fields": "email,since\nx\n",
    "no ISO time": "email,since\nx,yesterday\n",
    "cannot be read on": 'email,since\n"x,1\n',
}


def test_a_file_that_cannot_be_read_is_refused_without_its_content(press: Press, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    for says, content in BAD_FILES.items():
        file.write_text(content)
        with pytest.raises(UserError, match=says) as caught:
            check(press, file, created="since")
        assert "yesterday" not in str(caught.value)


def test_the_command_counts_and_says_no(
    press: Press, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    suppress(press, ("email", "kim@example.org"), ("external:badge_code", "B-1"))
    file = tmp_path / "list.csv"
    file.write_text("mail;badge\nKIM@example.org;\nx@example.org;B-1\ny@example.org;B-2\n")
    monkeypatch.setattr("privacy_ops.erasure.returning.commands._workspace", lambda: press.workspace)
    arguments = ["--file", str(file), "--column", "mail=email", "--column", "badge=external:badge_code"]
    monkeypatch.setattr("sys.argv", ["privacy_ops", "suppression", "check", *arguments, "--delimiter", ";"])
    assert cli.main() == 1
    assert capsys.readouterr().out == "1 accepted, 0 for review, 2 rejected\n"


def test_the_database_answers_as_the_command_does(press: Press) -> None:
    suppress(press, ("email", "kim@example.org"))
    ring = press.workspace.settings.keys.hmac["suppression"]
    held = json.dumps({name: key.hex() for name, key in ring.items()})
    moments = (None, NOW - timedelta(days=1), NOW + timedelta(days=1))
    with press.workspace.database("detect").transaction() as connection:
        connection.execute(text("SELECT set_config('privacy_ops.suppression_keys', :k, true)"), {"k": held})
        for made in moments:
            for today in (UNTIL, OF_AGE.date()):
                asked = connection.execute(
                    text("SELECT gov.check_import(gov.suppression_references('email', :e), :made, :today)"),
                    {"e": " KIM@Example.org\t", "made": made, "today": today},
                ).scalar_one()
                assert asked == decide([Entry(NOW, UNTIL)], record_created_at=made, today=today)
        other = "SELECT gov.is_suppressed(gov.suppression_references('email', :e), NULL)"
        assert connection.execute(text(other), {"e": "pat@example.org"}).scalar_one() is False
        assert connection.execute(text(other), {"e": "bücher@example.org"}).scalar_one() is True, "people look"
    with pytest.raises(PrivacyOpsError), press.workspace.database("detect").transaction() as connection:
        connection.execute(text(other), {"e": "kim@example.org"})


def with_keys(press: Press, keys: KeyRing) -> Workspace:
    old = press.workspace
    settings = type(old.settings)(**{**old.settings.__dict__, "keys": keys})
    return Workspace(settings, old.thresholds, old.data_map, old.map_sha256)


def test_a_key_is_changed_and_its_predecessor_stays_while_anything_lives_under_it(press: Press, tmp_path: Path) -> None:
    suppress(press, ("email", "kim@example.org"))
    old = press.workspace.settings.keys
    hmac, current = parse_keys(key_changes.rotated(old, "suppression"))
    both = with_keys(press, KeyRing(hmac, current, old.signing_key_pem))
    assert (current["suppression"], sorted(hmac["suppression"])) == ("k2", ["k1", "k2"])
    suppress(press, ("email", "pat@example.org"), workspace=both)

    file = tmp_path / "list.csv"
    file.write_text("email\nKIM@example.org\nPAT@example.org\n")
    assert check_file(both, Import(file, {"email": "email"}), now=NOW)["reject"] == 2
    held = {(k.purpose, k.key_id, k.held) for k in key_changes.in_use(both, today=NOW.date())}
    assert held == {("suppression", "k1", True), ("suppression", "k2", True)}
    with pytest.raises(UserError, match="still live under"):
        key_changes.dropped(both, "suppression", "k1", today=NOW.date())
    with pytest.raises(UserError, match="in use for new"):
        key_changes.dropped(both, "suppression", "k2", today=NOW.date())
    without, _ = parse_keys(key_changes.dropped(both, "suppression", "k1", today=OF_AGE.date()))
    assert list(without["suppression"]) == ["k2"]
    lost = with_keys(press, KeyRing({**hmac, "suppression": without["suppression"]}, current, old.signing_key_pem))
    assert [k.key_id for k in key_changes.in_use(lost, today=NOW.date()) if not k.held] == ["k1"]
