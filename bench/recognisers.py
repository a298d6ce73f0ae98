"""Our rules for ages in free text beside recogniser libraries, on the labelled sentences; writes bench/RECOGNISERS.md.

Run it in an environment of its own: the libraries bind old versions of packages that Airflow needs newer.

    python -m venv /tmp/recognisers
    /tmp/recognisers/bin/pip install ms-recognizers-text-number-with-unit presidio-analyzer \\
        google-re2 pydantic pyyaml sqlalchemy
    PYTHONPATH=plugins:. /tmp/recognisers/bin/python -m bench.recognisers

A library that is not installed is left out of what is printed, and the report is left as it was: a comparison with
nothing replaces none. No test depends on this.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from privacy_ops.minors import freetext

from tests.freetext_sentences import LABELS, Sentence, label, sentences

REPORT = Path(__file__).parent / "RECOGNISERS.md"
# Given a sentence and its language: one of the labels.
Contender = Callable[[Sentence, str], str]
ADULT = 18


def own_rules(sentence: Sentence, _language: str) -> str:
    """All languages on every sentence, as in production."""
    return label(freetext.find(sentence.text, on=sentence.on))


def recognizers_text() -> dict[str, Contender]:
    """Microsoft Recognizers-Text: alone, and as finder of ages under our rules."""
    from ms_recognizers_number_with_unit import recognize_age  # type: ignore[import-not-found]

    cultures = {"en": "en-us", "es": "es-es", "fr": "fr-fr", "de": "de-de"}
    units = {"en": "years old", "es": "años", "fr": "ans", "de": "Jahre alt"}

    def ages(text: str, language: str) -> list[tuple[int, int, float, str]]:
        found = recognize_age(text, cultures[language])
        return [
            (entity.start, entity.end + 1, float(entity.resolution["value"]), entity.resolution["unit"])
            for entity in found
            if entity.resolution and entity.resolution.get("value")
        ]

    def alone(sentence: Sentence, language: str) -> str:
        return "self_minor" if any(value < ADULT for *_, value, _ in ages(sentence.text, language)) else "none"

    def under_our_rules(sentence: Sentence, language: str) -> str:
        text = sentence.text
        for start, end, value, unit in sorted(ages(text, language), reverse=True):
            if value == int(value) and unit.casefold() in {"year", "ans", "año", "jahr"}:
                text = f"{text[:start]}{int(value)} {units[language]}{text[end:]}"
        return label(freetext.find(text, on=sentence.on))

    return {"Recognizers-Text, any age under 18": alone, "Recognizers-Text under our rules": under_our_rules}


def presidio() -> dict[str, Contender]:
    """Presidio has no recogniser of ages; this is the one its documentation would have us write, on blank models."""
    import spacy  # type: ignore[import-not-found]
    from presidio_analyzer import (  # type: ignore[import-not-found]
        AnalyzerEngine,
        Pattern,
        PatternRecognizer,
        RecognizerRegistry,
    )
    from presidio_analyzer.nlp_engine import SpacyNlpEngine  # type: ignore[import-not-found]

    # Single words only: a phrase such as "date of birth" never matches as context.
    context = {
        "en": ["i", "am", "years", "old", "age", "aged"],
        "es": ["tengo", "años", "edad"],
        "fr": ["ai", "ans", "âge"],
        "de": ["ich", "bin", "jahre", "alt"],
    }

    @spacy.Language.component("words_as_lemmas")
    def words_as_lemmas(doc: Any) -> Any:
        """Context words are compared with lemmas, which blank models leave empty."""
        for token in doc:
            token.lemma_ = token.lower_
        return doc

    class Blank(SpacyNlpEngine):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(models=[{"lang_code": code, "model_name": f"blank_{code}"} for code in context])
            self.nlp = {code: spacy.blank(code) for code in context}
            for pipeline in self.nlp.values():
                pipeline.add_pipe("words_as_lemmas")

        def load(self) -> None:
            """Nothing to load."""

    registry = RecognizerRegistry(supported_languages=list(context))
    for code, words in context.items():
        registry.add_recognizer(
            PatternRecognizer(
                supported_entity="AGE",
                patterns=[Pattern("age", r"\b(?:1[0-7]|[1-9])\b", 0.2)],
                context=words,
                supported_language=code,
            )
        )
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=list(context))

    def pattern_and_context(sentence: Sentence, language: str) -> str:
        found = analyzer.analyze(sentence.text, language=language, entities=["AGE"], score_threshold=0.4)
        return "self_minor" if found else "none"

    return {"Presidio, pattern and context words": pattern_and_context}


def contenders() -> tuple[dict[str, Contender], list[str]]:
    """Whoever can be asked, and the modules that are not installed."""
    several: dict[str, Contender] = {"own rules": own_rules}
    missing = []
    for library in (recognizers_text, presidio):
        try:
            several |= library()
        except ImportError as absent:
            missing.append(str(absent.name))
    return several, missing


def measure(contender: Contender, language: str, part: str) -> Counter[tuple[str, str]]:
    """How often a label (first) got an answer (second)."""
    return Counter((s.label, contender(s, language)) for s in sentences(language, part))


def share(right: int, of: int) -> str:
    return f"{right / of:.3f}" if of else "–"


def scores(judged: Counter[tuple[str, str]], kind: str) -> tuple[str, str]:
    """Precision and recall of one label."""
    right = judged[kind, kind]
    answered = sum(n for (_, answer), n in judged.items() if answer == kind)
    meant = sum(n for (truth, _), n in judged.items() if truth == kind)
    return share(right, answered), share(right, meant)


def table(several: dict[str, Contender], part: str) -> list[str]:
    """Precision / recall of clear statements of being under 18."""
    lines = ["| | " + " | ".join(freetext.LANGUAGES) + " |", "|---|" + "---:|" * len(freetext.LANGUAGES)]
    for name, contender in several.items():
        cells = [" / ".join(scores(measure(contender, code, part), "self_minor")) for code in freetext.LANGUAGES]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def by_label() -> list[str]:
    lines = ["| label | " + " | ".join(freetext.LANGUAGES) + " |", "|---|" + "---:|" * len(freetext.LANGUAGES)]
    judged = {code: measure(own_rules, code, "held_out") for code in freetext.LANGUAGES}
    for kind in LABELS:
        cells = [" / ".join(scores(judged[code], kind)) for code in freetext.LANGUAGES]
        lines.append(f"| `{kind}` | " + " | ".join(cells) + " |")
    return lines


def installed() -> str:
    names = ("ms-recognizers-text-number-with-unit", "presidio-analyzer", "spacy")
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found) or "no library"


def main() -> int:
    """Exit code 1 when a library was missing."""
    warnings.filterwarnings("ignore")
    several, absent = contenders()
    counts = ", ".join(f"{code} {len(sentences(code))}" for code in freetext.LANGUAGES)
    text = "\n".join([
        "# Recognising ages in free text",
        "",
        f"Written by `python -m bench.recognisers` with {installed()}.",
        f"Made-up sentences: {counts}.",
        "Precision / recall of `self_minor`: the writer says clearly to be under 18 now.",
        "",
        *(line for part, title in PARTS.items() for line in (f"## {title}", "", *table(several, part), "")),
        "## Our rules by label, held-out part",
        "",
        *by_label(),
        "",
        NOTES,
    ])
    print(text)
    if absent:
        print(f"{REPORT.name} is left as it was: install {', '.join(absent)} first")
        return 1
    REPORT.write_text(text.rstrip() + "\n", encoding="utf-8")
    return 0


PARTS = {
    "held_out": "Held out: written before the rules, never used to mend them",
    "later": "Later: messages written when the rules were done",
    "fresh": "Fresh: written without sight of the rules, then used to mend them",
    "seen": "Seen while writing the rules",
}
NOTES = """\
## What the numbers say, and what not
One hand wrote sentences and rules, so the held-out part flatters us. Four batches, written after the rules
and measured before anything was mended for them, came out lower. Clear statements, precision / recall:

| first measurement | en | es | fr | de |
|---|---:|---:|---:|---:|
| first batch (now in the seen part) | 1.000 / 0.750 | 0.900 / 0.750 | 1.000 / 0.667 | 0.889 / 0.667 |
| second batch (the later part) | 0.938 / 1.000 | 1.000 / 1.000 | 1.000 / 0.833 | 1.000 / 1.000 |
| third batch, by somebody who looked for gaps | 1.000 / 0.467 | 1.000 / 1.000 | 1.000 / 0.833 | 1.000 / 0.714 |
| fourth batch, by one who had seen no rule (fresh) | 1.000 / 0.821 | 1.000 / 0.759 | 1.000 / 0.897 | 1.000 / 0.767 |

The fourth row is the best guess for strangers' messages: 28 to 30 clear statements per language, 94 of 116 found, none
false; still made up by us. In the second, by the hand that wrote the rules, 49 of 51 were found and one was false. What
the batches showed was then mended, so the tables above are better than these rows.
The third holds 34 clear statements that somebody else thought up against the rules (23 found, none false): "I haven't
turned 18 yet", "Age: 15", "17f here", "being 16, I cannot …". Some forms of it are mended; the others are not, and a
signal other than free text has to show these people.
A finding never confirms a minor by itself: people look before anything is erased.

## Decision
Own rules stay. Recognizers-Text finds ages with a unit, but not "I am 16", knows neither subject nor tense, and found
nothing in German; its last Python release is of October 2024, and the packages under its first name (2019) cannot be
imported beside a current `emoji`. As a finder of ages under our rules it changed no label of any sentence.
Presidio has no recogniser of ages; a pattern with context words cannot tell "I am 16" from "my daughter is 16".
Neither earns a dependency.
"""

if __name__ == "__main__":
    raise SystemExit(main())
