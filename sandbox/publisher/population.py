"""One chunk of people: accounts, profiles and what belongs to an account. All adults, until plants say otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from sandbox.publisher import words
from sandbox.publisher.objects import Put
from sandbox.publisher.rows import NULL, Ids, Rows, Stamps, constant, pick, stamps, text, uuids, where

DAY = 86_400
PHOTO_SHARE = 0.02  # of ordinary people, at 20,000; see objects_share
NETWORKS = ("192.0.2", "198.51.100", "203.0.113")  # documentation networks (RFC 5737, RFC 3849)
TRUNCATED = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8:1::/48", "2001:db8:2::/48")

Ints = npt.NDArray[np.int64]


@dataclass
class People:
    """A chunk in the making. Positions 0…planted-1 are planted people; the rest are ordinary adults."""

    rng: np.random.Generator
    ids: Ids
    rows: Rows
    anchor: date
    first: int  # position of the chunk's first person among all people
    size: int
    planted: int
    label: str  # what keeps mail addresses of different nights apart
    objects_share: float  # thins objects out so that their number does not grow with people
    user_id: list[str] = field(default_factory=list)
    created: Stamps = field(default_factory=lambda: np.array([], dtype="datetime64[s]"))
    country: Ints = field(default_factory=lambda: np.array([], dtype=np.int64))
    institution: Ints = field(default_factory=lambda: np.array([], dtype=np.int64))
    account: dict[str, list[str]] = field(default_factory=dict)
    profile: dict[str, list[str]] = field(default_factory=dict)
    objects: list[Put] = field(default_factory=list)

    @property
    def end(self) -> np.datetime64:
        """Midnight (UTC) at the beginning of the anchor day: nothing happened later."""
        return np.datetime64(self.anchor, "s")

    def ago(self, days: float) -> np.datetime64:
        return self.end - np.timedelta64(int(days * DAY), "s")

    def between(self, first: Stamps | np.datetime64, last: Stamps | np.datetime64, n: int) -> Stamps:
        """``n`` instants, uniform from ``first`` to ``last`` (or ``first`` where that is later)."""
        span = np.maximum((last - first).astype(np.int64), 0)
        moments: Stamps = first + (self.rng.random(n) * span).astype("timedelta64[s]")
        return moments

    def some(self, share: float) -> Ints:
        """Positions of a random share of the people."""
        return np.flatnonzero(self.rng.random(self.size) < share)

    def at(self, values: list[str], positions: Ints) -> list[str]:
        return [values[i] for i in positions.tolist()]

    def override(self, position: int, *, account: dict[str, Any], profile: dict[str, Any]) -> None:
        """Replace values of one person's account and profile."""
        for columns, values in ((self.account, account), (self.profile, profile)):
            for name, value in values.items():
                columns[name][position] = text(value)
        if "created_at" in account:
            self.created[position] = np.datetime64(account["created_at"], "s")


def addresses(rng: np.random.Generator, n: int) -> list[str]:
    """Host addresses from the documentation networks, a tenth of them IPv6."""
    net, host = rng.integers(0, 3, n).tolist(), rng.integers(1, 255, n).tolist()
    six = (rng.random(n) < 0.1).tolist()
    return [f"2001:db8:{a + 1}::{b:x}" if v6 else f"{NETWORKS[a]}.{b}" for a, b, v6 in zip(net, host, six, strict=True)]


def make_people(people: People) -> None:
    """Fill ``people`` with ordinary adults; the first ``planted`` carry no date of birth and no profession yet."""
    rng, n = people.rng, people.size
    people.user_id = uuids(rng, n)
    back = rng.random(n) * 2900 + 1
    years = rng.normal(42, 12, n)
    odd = (years < 21) | (years > 85)  # drawn anew, not cut off: a pile of people on one birthday looks like a default
    years[odd] = rng.uniform(21, 60, int(odd.sum()))
    born = np.datetime64(people.anchor, "D") - (years * 365.25).astype("timedelta64[D]")
    adult_since = (born + np.timedelta64(int(18.6 * 365.25), "D")).astype("datetime64[s]")
    people.created = np.maximum(people.end - (back * DAY).astype("timedelta64[s]"), adult_since)
    people.created = np.minimum(people.created, people.ago(1))
    people.country = rng.choice(len(words.COUNTRY_CODES), n, p=words.COUNTRY_SHARES)
    people.institution = rng.choice(len(words.INSTITUTIONS), n, p=words.INSTITUTION_SHARES)
    _accounts(people)
    _profiles(people, born)


def _accounts(people: People) -> None:
    rng, n = people.rng, people.size
    given = pick(words.GIVEN, rng.integers(0, len(words.GIVEN), n))
    family = pick(words.FAMILY, rng.integers(0, len(words.FAMILY), n))
    names = [
        f"{g}.{f}.{people.label}{people.first + i}".lower() for i, (g, f) in enumerate(zip(given, family, strict=True))
    ]
    domains = pick(("mail.example.org", "post.example.org", "clinic.example.org"), rng.integers(0, 3, n))
    emails = [f"{name}@{domain}" for name, domain in zip(names, domains, strict=True)]
    shouting = (rng.random(n) < 0.05).tolist()
    kind = np.where(rng.random(n) < 0.005, 1, np.where(rng.random(n) < 0.001, 2, 0))
    kind[: people.planted] = 0
    status = np.where(rng.random(n) < 0.97, 0, rng.integers(1, 3, n))
    status[: people.planted] = 0
    declared = rng.random(n) < 0.8
    sources = rng.choice(4, n, p=(0.8, 0.1, 0.06, 0.04))
    sources[: people.planted] = 0
    created = stamps(people.created)
    people.account = {
        "user_id": people.user_id,
        "email_raw": [e.upper() if s else e for e, s in zip(emails, shouting, strict=True)],
        "email_norm": emails,
        "username": names,
        "status": pick(("active", "locked", "closed"), status),
        "account_type": pick(("member", "staff", "bot"), kind),
        "created_at": created,
        "registration_form_version_id": pick(("1", "2", "3"), rng.integers(0, 3, n)),
        "age_declared_18": where(declared, constant("t", n)),
        "age_declared_at": where(declared, created),
        "age_declaration_ip": where(declared, pick(TRUNCATED, rng.integers(0, len(TRUNCATED), n))),
        "country_declared": pick(words.COUNTRY_CODES, people.country),
        "locale": pick(words.LOCALES, people.country),
        "timezone": pick(words.TIMEZONES, people.country),
        "last_login_at": stamps(people.between(people.created, people.end, n)),
        "source": pick(("web", "import", "conference", "api"), sources),
    }
    people.profile = {"user_id": people.user_id, "given_name": given, "family_name": family}


def _profiles(people: People, born: npt.NDArray[np.datetime64]) -> None:
    rng, n, planted = people.rng, people.size, people.planted
    occupation = rng.choice(len(words.OCCUPATIONS), n, p=[o[3] for o in words.OCCUPATIONS])
    registered = (rng.random(n) < 0.5) & np.array([o[2] for o in words.OCCUPATIONS])[occupation]
    registered[:planted] = False
    numbers = [f"{v:07d}" for v in rng.integers(1_000_000, 9_999_999, n).tolist()]
    iso = np.datetime_as_string(born, unit="D").tolist()
    # How a date of birth came in: as a date, as ISO text, as day/month/year text, or not at all.
    form = rng.choice(4, n, p=(0.55, 0.05, 0.08, 0.32))
    form[:planted] = 3
    raw = [
        NULL if f == 3 else (f"{d[8:]}/{d[5:7]}/{d[:4]}" if f == 2 else d)
        for d, f in zip(iso, form.tolist(), strict=True)
    ]
    feeds = {"web": "web_form", "import": "import_csv", "conference": "conference", "api": "api"}
    unclear = rng.random(n) < 0.04  # a spelling that no list of institutions knows
    where_from = pick(words.INSTITUTIONS, people.institution)
    has_photo = rng.random(n) < np.where(np.arange(n) < planted, 0.4, PHOTO_SHARE) * people.objects_share
    street = pick(words.STREETS, rng.integers(0, len(words.STREETS), n))
    house = rng.integers(1, 200, n).tolist()
    not_planted = np.arange(n) >= planted
    people.profile |= {
        "title": pick(words.TITLES, rng.integers(0, len(words.TITLES), n)),
        "address_1": [f"{h} {s}" for h, s in zip(house, street, strict=True)],
        "address_2": constant(NULL, n),
        "address_3": constant(NULL, n),
        "postcode": [f"X{h:03d}" for h in house],
        "telephone": [f"+44 1632 960{h:03d}" for h in rng.integers(0, 1000, n).tolist()],
        "occupation_code": where(not_planted, pick([o[0] for o in words.OCCUPATIONS], occupation)),
        "occupation_text": where(not_planted, pick([o[1] for o in words.OCCUPATIONS], occupation)),
        "specialty": where(not_planted, pick(words.SPECIALTIES, rng.integers(0, len(words.SPECIALTIES), n))),
        "institution": [f"the {w} (dept)" if u else w for w, u in zip(where_from, unclear, strict=True)],
        "year_of_study": constant(NULL, n),
        "professional_reg_no": where(registered, numbers),
        "reg_body": where(registered, pick(words.REG_BODIES, rng.integers(0, 3, n))),
        "dob_raw": raw,
        "dob_date": where(form == 0, iso),
        "dob_source": where(form != 3, [feeds[s] for s in people.account["source"]]),
        "died_on": constant(NULL, n),
        "orcid": constant(NULL, n),
        "bio": where((rng.random(n) < 0.06) & not_planted, constant("I work on guidelines for care.", n)),
        "photo_key": where(has_photo, [f"photos/{u}/portrait.jpg" for u in people.user_id]),
        "updated_at": people.account["created_at"],
    }


def write_people(people: People) -> None:
    """Rows of the schema ``core``, after plants have changed what they change."""
    rows = people.rows
    rows.columns("core.user_account", **people.account)
    rows.columns("core.user_profile", **people.profile)
    _history(people)
    _access(people)
    _registration(people)
    for position, key in enumerate(people.profile["photo_key"]):
        if key != NULL:
            body = f"JPEG (made up) portrait of {people.user_id[position]}"
            people.objects.append(Put("imp-profile-photos", key, body, versions=2 if position % 2 == 0 else 1))


def _history(people: People) -> None:
    """Some changed an address; the old profile is kept with the same evidence of age."""
    some = people.some(0.08)
    names = [c for c in people.profile if c not in {"updated_at", "address_1", "died_on"}]
    since = people.created[some]
    people.rows.columns(
        "core.user_profile_history",
        **{c: people.at(people.profile[c], some) for c in names},
        address_1=constant("1 Former Street", len(some)),
        valid_from=stamps(since),
        valid_to=stamps(people.between(since, people.end, len(some))),
        changed_by=constant("user", len(some)),
        reason=constant("address", len(some)),
    )


def _access(people: People) -> None:
    rng, n, rows = people.rng, people.size, people.rows
    rows.columns(
        "core.credential",
        user_id=people.user_id,
        password_hash=[f"$argon2id$made-up${v:08x}" for v in rng.integers(0, 2**32, n).tolist()],
        algo=constant("argon2id", n),
        mfa=pick(("f", "t"), (rng.random(n) < 0.1).astype(np.int64)),
    )
    some = people.some(0.3)
    began = people.between(np.maximum(people.created[some], people.ago(30)), people.end, len(some))
    rows.columns(
        "core.session",
        session_id=uuids(rng, len(some)),
        user_id=people.at(people.user_id, some),
        created_at=stamps(began),
        last_seen_at=stamps(began + np.timedelta64(900, "s")),
        expires_at=stamps(began + np.timedelta64(30 * DAY, "s")),
        ip=addresses(rng, len(some)),
        ua=pick(words.USER_AGENTS, rng.integers(0, 4, len(some))),
    )
    who = np.repeat(np.arange(n), rng.poisson(1.0, n))
    at = people.between(np.maximum(people.created[who], people.ago(90)), people.end, len(who))
    rows.columns(
        "core.login_event",
        id=[str(i) for i in people.ids.take("core.login_event", len(who))],
        user_id=people.at(people.user_id, who),
        at=stamps(at),
        ip=addresses(rng, len(who)),
        country=pick(words.COUNTRY_CODES, people.country[who]),
        success=pick(("t", "f"), (rng.random(len(who)) < 0.05).astype(np.int64)),
    )
    linked = people.some(0.3)
    kinds = rng.integers(0, 4, len(linked))
    rows.columns(
        "core.identity_link",
        id=[str(i) for i in people.ids.take("core.identity_link", len(linked))],
        user_id=people.at(people.user_id, linked),
        kind=pick(("esp_id", "psp_customer_id", "crm_id", "app_install_id"), kinds),
        external_id=[f"x-{u}" for u in uuids(rng, len(linked))],
        confidence=pick(("FK", "VERIFIED_EMAIL", "EMAIL_MATCH"), rng.integers(0, 3, len(linked))),
    )


def _registration(people: People) -> None:
    recent = np.flatnonzero(people.created > people.ago(400))
    people.rows.columns(
        "core.registration_event",
        id=[str(i) for i in people.ids.take("core.registration_event", len(recent))],
        at=stamps(people.created[recent]),
        session_id=uuids(people.rng, len(recent)),
        user_id=people.at(people.user_id, recent),
        email_norm=people.at(people.account["email_norm"], recent),
        event=constant("REGISTERED", len(recent)),
    )
