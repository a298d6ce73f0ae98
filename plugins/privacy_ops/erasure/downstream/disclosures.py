# ruff: noqa: S608 - identifiers are quoted, values are bound
"""What others know planned subjects by, as one statement from the data map: read before the rows go."""

from __future__ import annotations

from privacy_ops.datamap.evidence import literal
from privacy_ops.datamap.model import DataMap, Disclosure
from privacy_ops.erasure.rows.builder import Builder, normal_email
from privacy_ops.stores.database import quote, quote_table

_GONE = {"DELETE", "EMPTY"}


def listed(data_map: DataMap) -> list[tuple[str, Disclosure]]:
    """Every disclosure of the map with its table, in a fixed order."""
    return [(name, d) for name, table in data_map.tables.items() for d in table.disclosed_to]


def identifiers(builder: Builder) -> str | None:
    """(case_id, number of the disclosure, who it names, known_as, value, shared) of frozen rows that go or are emptied.

    ``shared``: the value names somebody else too, so nobody may be told to delete by it. Made-up people of the
    detectors' own tests are left out: no party has heard of them. Parameter: plan_id. None: the map discloses nothing.
    """
    branches = []
    for number, (name, disclosure) in enumerate(listed(builder.map)):
        step = builder.own.get(name)
        if step is None or step.action not in _GONE:
            continue
        named, joined = "CAST(NULL AS text)", ""
        if disclosure.by is not None:
            alias = "t"
            if through := disclosure.through:
                alias = "b"
                pairs = zip(through.columns, builder.map.references_of(through), strict=True)
                matches = " AND ".join(f"b.{quote(r)} = t.{quote(c)}" for c, r in pairs)
                joined = f"JOIN {quote_table(through.to)} AS b ON {matches}"
            named = f"CAST({alias}.{quote(disclosure.by)} AS text)"
        for column, known_as in disclosure.known_by.items():
            value = f"CAST(t.{quote(column)} AS text)"
            branches.append(f"""
                SELECT r.case_id, {number} AS disclosure, {named} AS named, {literal(known_as)} AS known_as,
                       {value} AS value, {_shared(builder, name, column, value)} AS shared
                FROM gov.erasure_row AS r
                JOIN {quote_table(name)} AS t ON {builder.key_matches(name, "t", "r.row_key")} {joined}
                WHERE r.plan_id = :plan_id AND r.step_no = {step.number} AND coalesce({value}, '') <> ''""")
    if not branches:
        return None
    return f"""
        SELECT d.case_id, d.disclosure, d.named, d.known_as, d.value, d.shared
        FROM ({" UNION ALL ".join(branches)}) AS d
        JOIN gov.minor_case AS c USING (case_id)
        WHERE NOT EXISTS (SELECT 1 FROM gov.canary AS y WHERE y.subject_ref = c.subject_ref)
        ORDER BY d.case_id
    """


def _shared(builder: Builder, table: str, column: str, value: str) -> str:
    identifier = builder.map.tables[table].columns[column].identifier
    if identifier == "email":
        kind, value = "email_shared", normal_email(value)
    elif identifier in {"account", "external"}:
        kind = f"{identifier}:{column}_shared"
    else:
        return "false"
    return f"""EXISTS (SELECT 1 FROM gov.erasure_key AS k
        WHERE k.plan_id = r.plan_id AND k.kind = {literal(kind)} AND k.value = {value})"""
