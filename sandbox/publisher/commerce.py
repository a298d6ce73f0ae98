"""Consents, newsletters, subscriptions and orders of one chunk."""

from __future__ import annotations

import numpy as np

from sandbox.publisher import words
from sandbox.publisher.catalogue import CAMPAIGNS, PRODUCTS
from sandbox.publisher.population import DAY, Ints, People, addresses
from sandbox.publisher.rows import constant, pick, stamps, uuids, where


def write_commerce(people: People) -> None:
    """Rows of ``consent``, ``crm`` and ``commerce``."""
    _consents(people)
    _newsletters(people)
    _subscriptions(people)
    _orders(people)


def _days(values: np.ndarray) -> list[str]:  # type: ignore[type-arg]
    out: list[str] = np.datetime_as_string(values, unit="D").tolist()
    return out


def _consents(people: People) -> None:
    rng, rows, n = people.rng, people.rows, people.size
    who = np.repeat(np.arange(n), rng.integers(1, 3, n))
    m = len(who)
    purposes = ("MARKETING_EMAIL", "MARKETING_POST", "THIRD_PARTY", "INTERACTIVE")
    rows.columns(
        "consent.consent_event",
        id=[str(i) for i in people.ids.take("consent.consent_event", m)],
        user_id=people.at(people.user_id, who),
        purpose=pick(purposes, rng.choice(4, m, p=(0.6, 0.1, 0.1, 0.2))),
        action=pick(("GIVEN", "REFUSED", "WITHDRAWN"), rng.choice(3, m, p=(0.7, 0.2, 0.1))),
        at=stamps(people.between(people.created[who], people.end, m)),
        form_version_id=pick(("1", "2", "3"), rng.integers(0, 3, m)),
        channel=constant("web", m),
        wording_hash=constant(f"{7:064x}", m),
    )
    some = people.some(0.6)
    flags = [pick(("f", "t"), (rng.random(len(some)) < p).astype(np.int64)) for p in (0.3, 0.05, 0.4, 0.02)]
    rows.columns(
        "consent.preference_current",
        user_id=people.at(people.user_id, some),
        no_marketing=flags[0],
        no_contact=flags[1],
        no_third_party=flags[2],
        no_statistics=flags[3],
        updated_at=stamps(people.between(people.created[some], people.end, len(some))),
    )


def _newsletters(people: People) -> None:
    rng, rows = people.rng, people.rows
    some = people.some(0.5)
    outsiders = int(people.size * 0.05) if people.size > people.planted else 0
    m = len(some)
    first = people.ids.take("crm.email_subscriber", m + outsiders)
    since = stamps(people.between(people.created[some], people.end, m))
    numbers = [str(i) for i in first]
    rows.columns(
        "crm.email_subscriber",
        subscriber_id=numbers[:m],
        email=people.at(people.account["email_norm"], some),
        list=pick(("hiv-weekly", "hepatitis-monthly"), rng.integers(0, 2, m)),
        source=constant("website", m),
        double_opt_in_at=since,
        status=pick(("subscribed", "unsubscribed"), (rng.random(m) < 0.15).astype(np.int64)),
        user_id=people.at(people.user_id, some),
        added_at=since,
    )
    came = stamps(people.between(people.ago(700), people.end, outsiders))
    rows.columns(
        "crm.email_subscriber",
        subscriber_id=numbers[m:],
        email=[f"visitor.{people.label}{people.first + i}@list.example.org" for i in range(outsiders)],
        list=constant("hiv-weekly", outsiders),
        source=constant("website", outsiders),
        double_opt_in_at=came,
        status=constant("subscribed", outsiders),
        added_at=came,
    )
    who = np.repeat(np.arange(m + outsiders), rng.integers(1, 4, m + outsiders))
    sent = people.between(people.ago(330), people.end, len(who))
    opened = rng.random(len(who)) < 0.3
    rows.columns(
        "crm.campaign_send",
        id=[str(i) for i in people.ids.take("crm.campaign_send", len(who))],
        campaign_id=[str(c) for c in rng.integers(1, CAMPAIGNS + 1, len(who)).tolist()],
        subscriber_id=[numbers[i] for i in who.tolist()],
        sent_at=stamps(sent),
        opened_at=where(opened, stamps(sent + np.timedelta64(7200, "s"))),
        clicked_url=where(opened & (rng.random(len(who)) < 0.3), constant("https://www.example.org/news", len(who))),
    )


def _subscriptions(people: People) -> None:
    rng = people.rng
    some = people.some(0.15)
    begins = people.between(people.created[some], people.end, len(some))
    people.rows.columns(
        "commerce.subscription",
        id=[str(i) for i in people.ids.take("commerce.subscription", len(some))],
        user_id=people.at(people.user_id, some),
        product_id=[str(p) for p in rng.integers(1, PRODUCTS + 1, len(some)).tolist()],
        valid_from=_days(begins),
        valid_to=_days(begins + np.timedelta64(365 * DAY, "s")),
        status=constant("active", len(some)),
    )


def write_orders(people: People, some: Ints) -> list[int]:
    """One order for each of the people at ``some``; returns the order numbers."""
    rng, rows, m = people.rng, people.rows, len(some)
    orders = list(people.ids.take("commerce.order_header", m))
    at = people.between(people.created[some], people.end, m)
    price = rng.choice((19.0, 45.0, 120.0, 400.0), m, p=(0.4, 0.3, 0.2, 0.1))
    profile = people.profile
    rows.columns(
        "commerce.order_header",
        order_id=[str(o) for o in orders],
        user_id=people.at(people.user_id, some),
        bill_name=[f"{profile['given_name'][i]} {profile['family_name'][i]}" for i in some.tolist()],
        bill_address=people.at(profile["address_1"], some),
        country=pick(words.COUNTRY_CODES, people.country[some]),
        total=[f"{p:.2f}" for p in price.tolist()],
        currency=constant("GBP", m),
        tax_point=_days(at),
        invoice_no=[f"INV-{o:08d}" for o in orders],
        invoice_type=["simplified" if p <= 250 else "full" for p in price.tolist()],
        location_evidence_1=pick(words.COUNTRY_CODES, people.country[some]),
        location_evidence_2=addresses(rng, m),
        psp_reference=[f"psp-{u[:13]}" for u in uuids(rng, m)],
    )
    rows.columns(
        "commerce.order_line",
        id=[str(i) for i in people.ids.take("commerce.order_line", m)],
        order_id=[str(o) for o in orders],
        sku=[f"SKU-{p:03d}" for p in rng.integers(1, PRODUCTS + 1, m).tolist()],
        qty=constant("1", m),
        price=[f"{p:.2f}" for p in price.tolist()],
    )
    rows.columns(
        "commerce.payment_ref",
        id=[str(i) for i in people.ids.take("commerce.payment_ref", m)],
        order_id=[str(o) for o in orders],
        psp=constant("paywell", m),
        psp_token=[f"tok-{u}" for u in uuids(rng, m)],
        brand=pick(("visa", "mastercard", "sepa"), rng.integers(0, 3, m)),
        psp_message=constant("approved", m),
        created_at=stamps(at),
    )
    return orders


def _orders(people: People) -> None:
    ordinary = people.some(0.12)
    write_orders(people, ordinary[ordinary >= people.planted])
