"""README.md: what this is and what not to do with it, in plain words."""

from __future__ import annotations

from collections.abc import Iterable

from privacy_ops.usage.files.csvw import title
from privacy_ops.usage.files.model import PackContent, TableSpec
from privacy_ops.usage.files.sums import COMMAND
from privacy_ops.usage.files.text import markdown


def write(content: PackContent, key_fingerprint: str) -> bytes:
    """The README as Markdown, for a reader who was not there when the method was made."""
    n_values = sum(table.n_values for table in content.tables)
    n_withheld = sum(table.n_withheld for table in content.tables)
    replaces = (
        f"\nIt replaces the release `{markdown(content.supersedes)}`; please delete that one.\n"
        if content.supersedes
        else ""
    )
    text = f"""# {markdown(title(content))}

For {markdown(content.recipient_name)}. Release `{markdown(content.release_id)}`, product {markdown(content.product)}.
{replaces}
Anonymous, aggregated figures about registered learners, from {content.first_day.isoformat()} to
{content.last_day.isoformat()}, both days included, London time. There is no row about a person, and there never
will be. {n_values - n_withheld} of {n_values} figures are given, {n_withheld} are withheld.

## Files
{_list(_about(table.spec) for table in content.tables)}
- `report.html`: the same figures as a page with charts; it opens offline in any browser
- `DATA_DICTIONARY.md`: every column and what it means
- `csv-metadata.json`, `datapackage.json`: the same for programs (W3C CSV on the Web; Data Package v2)
- `SHA256SUMS`, `SHA256SUMS.sig`, `allowed_signers`: to check that the files are ours and whole

## Reading the tables
- An empty cell whose flag says `withheld` is **not zero**. It may be few, it may be none, or it may be withheld so
  that another cannot be worked out. Never replace it by 0, an average or a remainder.
- {_rounding(content)}
- Figures do not add up. One person may use several modules and come back in several weeks: parts add up to more than
  the whole, and periods to more than a quarter or a year. Rounding makes sums differ too.
- A title that begins like a formula has an apostrophe in front, so that a spreadsheet takes it for text.
- A spreadsheet may guess that the number of a course, or a title, is a figure or a date: import those columns as text.

## How much is given, and what the rules cost
`report.html` says it level by level: figures given, about how many people published parts of a published whole cover,
and how far rounding can move a sum. It is counted in the figures of these files and in nothing else. Which rule
withheld a figure is not said: that alone could tell something.

## Method {markdown(content.method_version)}
{_list(map(markdown, content.rules))}
- A released period is never changed, and a later one never restates it.

## What not to do
- Do not try to identify anybody, alone or together with other data, and do not work out withheld figures.
- Do not pass these files on. Delete them when we ask you to.
- If you think that somebody can be recognised, tell nobody else, and write to the contact at once.

## Withdrawal
We may withdraw a release. You will be told and given the reason; please delete it then, with all copies, and confirm.
A corrected release names the one that it replaces.

## Contact
{markdown(content.contact)}

## Checking the files
In the folder of the files, in a terminal (Windows: Command Prompt):

    {COMMAND}

It answers `Good "course-usage-pack" signature`, with the name of the key. That name has to be the one that your
agreement gives; it is

    {key_fingerprint}

Then compare the hashes: `sha256sum -c SHA256SUMS` (Linux), `shasum -a 256 -c SHA256SUMS` (macOS), or
`certutil -hashfile NAME SHA256` for each file (Windows).
"""
    return text.encode()


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _about(spec: TableSpec) -> str:
    return f"`{spec.name}.csv`, `{spec.name}.parquet`: {markdown(spec.title)}"


def _rounding(content: PackContent) -> str:
    """One sentence per rule that some table has."""
    rules = sorted({(table.spec.min_people, table.spec.round_to) for table in content.tables})
    if len(rules) == 1:
        people, base = rules[0]
        return f"Counts are rounded to the nearest {base}. Nothing is said about fewer than {people} people."
    said = [
        f"`{table.spec.name}` to the nearest {table.spec.round_to}, from {table.spec.min_people} people on"
        for table in content.tables
    ]
    return f"Counts are rounded, and nothing is said about few people: {'; '.join(said)}."
