"""How an identifier is recognised when only keyed references are left of it."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops import pseudonyms
from privacy_ops.datamap.model import ObjectStoreEntry
from privacy_ops.erasure.returning.search import Wanted, cases_of_key
from privacy_ops.erasure.returning.sweep import canonical, is_word, keyed_text
from privacy_ops.settings import KeyRing

from tests.integration.press import map_of

CASE, OTHER = UUID(int=1), UUID(int=2)
CHILD = "6f2c1c1e-6b0f-4d0c-9a3b-0123456789ab"
KEYS = KeyRing(
    {purpose: {"k1": purpose.encode().ljust(32, b"1"), "k2": purpose.encode().ljust(32, b"2")}
     for purpose in ("sweep", "ledger", "suppression")},
    dict.fromkeys(("sweep", "ledger", "suppression"), "k2"),
)  # fmt: skip


@pytest.mark.parametrize("word", [CHILD, "B-2026-000123", "kim2010x", "ORCID-0000-0002-1825-0097"])
def test_odd_identifiers_are_known_wherever_they_stand(word: str) -> None:
    assert is_word(word)
    assert is_word(word.upper())


@pytest.mark.parametrize("word", ["", "1234567", "rosebush", "secretary", "a.b@example.org", "two words 12"])
def test_short_numbers_and_words_of_a_language_name_nobody(word: str) -> None:
    assert not is_word(word)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=12), st.text(max_size=12), st.sampled_from(["email", "external:a", "account:b", "word"]))
def test_equal_texts_of_two_kinds_are_two_identifiers(one: str, other: str, kind: str) -> None:
    assert keyed_text(kind, one) != keyed_text("external:z", one)
    assert (keyed_text(kind, one) == keyed_text(kind, other)) == (canonical(kind, one) == canonical(kind, other))


def test_references_of_all_purposes_and_older_keys_match() -> None:
    wanted = Wanted(KEYS)
    old = KeyRing(KEYS.hmac, dict.fromkeys(KEYS.current, "k1"))
    for purpose, text in (
        ("ledger", pseudonyms.subject_text([CHILD])),
        ("suppression", pseudonyms.normalise_email("Kim@example.org")),
        ("sweep", keyed_text("external:badge_code", "B-1")),
    ):
        reference = pseudonyms.reference(old, purpose, text)
        wanted.add(purpose, reference.key_id, reference.value, CASE)
    assert wanted.match("subject", (CHILD,)) == {CASE}
    assert wanted.match("email", " KIM@example.org ") == {CASE}
    assert wanted.match("external:badge_code", "B-1 ") == {CASE}
    assert wanted.match("external:serial", "B-1") == set()
    assert wanted.match("subject", (CHILD[:-1],)) == set()


def test_a_reference_whose_key_is_gone_is_counted() -> None:
    wanted = Wanted(KEYS)
    wanted.add("sweep", "k0", "ab" * 32, CASE)
    assert (len(wanted), wanted.unreadable) == (0, 1)


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (f"events/{CHILD}/2026/1.json", {CASE}),
        (f"old/photos/{CHILD.upper()}.jpg", {CASE}),
        ("events/17/2026/1.json", {OTHER}),
        ("events/171/2026/1.json", set()),
        ("photos/17.jpg", set()),
    ],
)
def test_the_name_of_an_object_gives_a_person_away(key: str, found: set[UUID]) -> None:
    wanted = Wanted(KEYS)
    wanted.add_plain("subject", pseudonyms.subject_text([CHILD]), CASE)
    wanted.add_plain("word", CHILD, CASE)
    wanted.add_plain("subject", pseudonyms.subject_text(["17"]), OTHER)
    stores: list[ObjectStoreEntry] = list(map_of().objects.values())
    assert cases_of_key(map_of(), wanted, stores, key) == found
