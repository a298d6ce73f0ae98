"""Finds first-person statements of an age under 18 in free text, and reports about children of the writer.

Pure: no model, no library, no input or output. Declared facts only: nothing is guessed from names or style.
"""

from __future__ import annotations

from datetime import date
from functools import cache

from privacy_ops.errors import ConfigError
from privacy_ops.minors.freetext import de, en, es, fr
from privacy_ops.minors.freetext.engine import search, speaks, strongest
from privacy_ops.minors.freetext.model import Finding, Language
from privacy_ops.minors.freetext.prefilter import Stages
from privacy_ops.minors.freetext.prefilter import stages as _stages
from privacy_ops.minors.freetext.sieve import Sieve

__all__ = ["LANGUAGES", "Finding", "Stages", "find", "prefilter", "speaks_of_writer"]

LANGUAGES: dict[str, Language] = {
    language.code: language for language in (en.ENGLISH, es.SPANISH, fr.FRENCH, de.GERMAN)
}


def find(text: str, languages: tuple[str, ...] = tuple(LANGUAGES), *, on: date | None = None) -> tuple[Finding, ...]:
    """Statements in ``text`` that somebody is under 18, in order, none overlapping another.

    ``languages``: codes to read the text in, all of them on every text. ``on``: the day the text was written; without
    it a year of birth gives a finding without ages. Ages are as of the writing: whoever calls ages them to the day of
    judgement. Any text is accepted; linear in its length. Raises ConfigError for an unknown language.
    """
    return strongest(search(text, _languages(languages), on))


def speaks_of_writer(text: str) -> bool:
    """Whether ``find`` may find anything that writers say of themselves; much cheaper than finding it."""
    return any(speaks(text, language, others=False) for language in LANGUAGES.values())


@cache
def prefilter(languages: tuple[str, ...] = tuple(LANGUAGES), *, others: bool = True) -> Stages:
    """Regular expressions for ``text ~* …`` in PostgreSQL that every text with a finding matches, as ``Stages`` says.

    Case-insensitive matching is expected. They let many texts without a finding through. Python's ``re`` reads them
    alike. others: with findings about other people; otherwise only those about the writer.
    """
    return _stages(_languages(languages), others=others)


@cache
def sieve(*, others: bool) -> Sieve:
    """Finds among many texts those in which ``find`` may find something; others: about anybody, not only writers."""
    return Sieve(prefilter(others=others).exact)


def _languages(codes: tuple[str, ...]) -> list[Language]:
    unknown = sorted(set(codes) - set(LANGUAGES))
    if unknown:
        raise ConfigError(
            f"free text cannot be read in {', '.join(unknown)}", where="languages", do=f"use {', '.join(LANGUAGES)}"
        )
    return [LANGUAGES[code] for code in dict.fromkeys(codes)]
