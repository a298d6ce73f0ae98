"""The database's pre-filter lets every text through in which something is found."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict

from privacy_ops.minors import freetext
from privacy_ops.stores.database import Database
from sqlalchemy import text as sql

from tests.freetext_sentences import sentences

PASSING = """
SELECT body FROM unnest(CAST(:texts AS text[])) AS body
WHERE (body ~* :opener OR body ~* :unit) AND body ~* :number AND body ~* :exact
"""


def passing(dsn: str, texts: list[str], *, others: bool) -> set[str]:
    with Database(dsn).transaction() as connection:
        values = {"texts": texts, **asdict(freetext.prefilter(others=others))}
        return set(connection.execute(sql(PASSING), values).scalars())


def test_postgresql_matches_every_text_with_a_finding(empty_database: str) -> None:
    texts = [sentence.text for language in freetext.LANGUAGES for sentence in sentences(language)]
    changed = (lambda text: unicodedata.normalize("NFD", text), str.upper, lambda text: text.replace(" ", "\u00a0 "))
    texts = [text if number % 4 == 3 else changed[number % 4](text) for number, text in enumerate(texts)]
    expected = {text for text in texts if freetext.find(text)}
    of_writers = {text for text in expected if any(f.about == "self" for f in freetext.find(text))}
    assert len(expected) > 500
    assert len(of_writers) > 400
    assert expected - passing(empty_database, texts, others=True) == set()
    assert of_writers - passing(empty_database, texts, others=False) == set()


def test_the_sieve_keeps_every_text_with_a_finding_whatever_stands_beside_it(empty_database: str) -> None:
    texts = [sentence.text for language in freetext.LANGUAGES for sentence in sentences(language)]
    changed = (lambda text: unicodedata.normalize("NFD", text), str.upper, lambda text: text.replace(" ", "\u00a0 "))
    texts += [change(text) for change in changed for text in texts]
    texts += ["", "16", "years", "\n", "I am"] * 3
    texts = texts[::3] + texts[1::3] + texts[2::3]  # beside texts of another kind and language
    for others in (True, False):
        sieve = freetext.sieve(others=others)
        kept = {texts[position] for position in sieve.speaking(texts)}
        alone = {text for text in texts if sieve.speaking([text])}
        assert len(alone) > 1000
        assert alone - kept == set()
        assert passing(empty_database, texts, others=others) - kept == set()
        assert len(kept - alone) < 0.01 * len(texts), "texts are kept for what stands beside them"


def test_postgresql_passes_by_most_texts_without_an_age(empty_database: str) -> None:
    ordinary = [
        f"I watched lesson {lesson} on my phone and the sound stopped after {minute} minutes."
        for lesson in ("A", "B", "C")
        for minute in range(20, 60)
    ] + ["Please send me the certificate of the course on virology.", "The video does not play on my tablet."]
    assert passing(empty_database, ordinary, others=True) == set()
    assert freetext.sieve(others=True).speaking(ordinary) == []
