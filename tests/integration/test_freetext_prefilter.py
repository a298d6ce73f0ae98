"""The database's pre-filter lets every text through in which something is found."""

from __future__ import annotations

import unicodedata

from privacy_ops.minors import freetext
from privacy_ops.stores.database import Database
from sqlalchemy import text as sql

from tests.freetext_sentences import sentences


def test_postgresql_matches_every_text_with_a_finding(empty_database: str) -> None:
    texts = [sentence.text for language in freetext.LANGUAGES for sentence in sentences(language)]
    changed = (lambda text: unicodedata.normalize("NFD", text), str.upper, lambda text: text.replace(" ", "\u00a0 "))
    texts = [text if number % 4 == 3 else changed[number % 4](text) for number, text in enumerate(texts)]
    expected = {text for text in texts if freetext.find(text)}
    with Database(empty_database).transaction() as connection:
        rows = connection.execute(
            sql("SELECT body FROM unnest(CAST(:texts AS text[])) AS body WHERE body ~* :candidates"),
            {"texts": texts, "candidates": freetext.prefilter_regex()},
        ).all()
    passed = {row.body for row in rows}
    assert len(expected) > 500
    assert [text for text in expected if text not in passed] == []


def test_postgresql_passes_by_most_texts_without_an_age(empty_database: str) -> None:
    ordinary = [
        f"I watched lesson {lesson} on my phone and the sound stopped after {minute} minutes."
        for lesson in ("A", "B", "C")
        for minute in range(20, 60)
    ] + ["Please send me the certificate of the course on virology.", "The video does not play on my tablet."]
    with Database(empty_database).transaction() as connection:
        passed = connection.execute(
            sql("SELECT count(*) FROM unnest(CAST(:texts AS text[])) AS body WHERE body ~* :candidates"),
            {"texts": ordinary, "candidates": freetext.prefilter_regex()},
        ).scalar_one()
    assert passed == 0
