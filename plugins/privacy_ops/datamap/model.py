"""The data map: what a publisher stores, how it leads to a person, and what is to happen to it.

Written as YAML below ``include/datamap/<publisher>/``. Column categories are fideslang keys: those that begin
with ``user.`` are personal data. Everything the jobs touch by name comes from here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[^\x00\"]+$")]
TableName = Annotated[str, StringConstraints(min_length=1, max_length=127, pattern=r"^[^\x00\"]+$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EraseAction(StrEnum):
    """What erasure does to a table's rows, a column or an object."""

    DELETE = "DELETE"  # the row goes
    NULL = "NULL"  # the row stays, this column is emptied
    UNLINK = "UNLINK"  # the row stays, its key to the person is emptied
    RETAIN_MIN = "RETAIN_MIN"  # the law keeps a minimum; identifying columns are emptied
    OBJ_ALL_VERSIONS = "OBJ_ALL_VERSIONS"  # every version and delete marker of the object
    OBJ_ROWS = "OBJ_ROWS"  # the person's rows inside objects that many people share
    PROCESSOR = "PROCESSOR"  # a processor is told to delete
    AGE_OUT = "AGE_OUT"  # goes with its age; never earlier
    KEEP_ANON = "KEEP_ANON"  # holds nobody
    KEEP = "KEEP"  # not about the person


class Purpose(StrEnum):
    """Purposes that policy section 1 names, and what the law and running a site add."""

    PROVIDE_SERVICE = "provide_service"
    CERTIFY = "certify"
    FULFIL_ORDERS = "fulfil_orders"
    MARKETING_WITH_CONSENT = "marketing_with_consent"
    INTERACTIVE_FEATURES = "interactive_features"
    SERVICE_NOTICES = "service_notices"
    IMPROVE_SERVICES = "improve_services"
    CONFERENCES = "conferences"
    PUBLISH = "publish"
    SECURITY = "security"
    AGGREGATE_STATISTICS = "aggregate_statistics"
    LEGAL_OBLIGATION = "legal_obligation"


EvidenceKind = Literal[
    "birth_date",  # a date column
    "birth_text",  # a date, or a year, or a year and a month, as somebody wrote it
    "age_number",  # completed years on the day of the statement
    "age_band",  # "<18", "16-18", "18-24": years on the day of the statement
    "school_year",  # "Year 12", "9th grade", on the day of the statement
    "declared_adult",  # a box or answer: yes or no
    "age_gate",  # an event: `says_minor` names the refusals
    "attendee_type",  # `says_minor` names the kinds that are children (default: CHILD_KINDS)
    "guardian",  # that the row exists
    "youth_list",  # an import or list: `says_minor` names those for the young
    "report",  # somebody told us that a person is under 18
    "free_text",
    "mail_domain",  # an e-mail address: only its domain is looked at
    "occupation",
    "payment_text",  # what a payment service answered
    "scan",  # what a scan found inside a submitted file; `says_minor` empty: anything it found
    "identity_link",  # rows that are the same in this column and in `same` are one person's accounts
]

# Ages are declared or reported, never guessed (policy section 5: no profiling): evidence stands in no column that
# holds a name, a picture of somebody or what they did.
NO_EVIDENCE = (
    "user.name",
    "user.content.self_image",
    "user.biometric",
    "user.behavior",
    "user.social_activity",
    "user.location",
    "user.device",
    "user.sensor",
    "user.telemetry",
    "user.health",
    "user.demographic.gender",
    "user.demographic.race_ethnicity",
)
_STATES_VALUES = {"age_gate", "youth_list"}
# Kinds of attendance that are children's wherever the map does not say otherwise.
CHILD_KINDS = ("child", "accompanying_child", "youth", "youth_delegate")


class Quarantine(_Frozen):
    """How the publisher's applications are told that a row is out of use: ``column`` becomes ``value``."""

    column: Identifier
    value: str


class AgeEvidence(_Frozen):
    """This column says something about somebody's age. ``kind`` decides how it is read and how strong it is."""

    signal: str = Field(pattern=r"^SIG-\d\d$")
    kind: EvidenceKind
    subject: Literal["person", "row"] = "person"  # "row": whose age this is, is the row itself, never the account
    order: Literal["dmy", "mdy", "unknown"] = "unknown"  # of day and month in text that is not ISO
    source: Identifier | None = None  # column that names the feed a value came from
    path: str | None = None  # key inside a JSON column
    month: str | None = None  # where the month stands when the year stands alone: key of the same JSON, or column
    country: str | None = None  # whose school years: key of the same JSON, or column
    stated_on: Identifier | None = None  # when it was said; default: the table's `created_at`
    says_minor: tuple[str, ...] = ()  # values that say "under 18"
    ages: bool = False  # a bare number is an age in years on the day it was said
    changed_by: Identifier | None = None  # rows are earlier states: who changed them into later ones
    verified: tuple[str, ...] = ()  # values of `changed_by` that mean: corrected after a check of the person
    where: dict[Identifier, tuple[str, ...]] = Field(default_factory=dict)  # only rows that hold one of these values
    same: tuple[Identifier, ...] = ()
    quarantine: Quarantine | None = None

    @model_validator(mode="after")
    def _consistent(self) -> AgeEvidence:
        if self.kind in _STATES_VALUES and not self.says_minor:
            raise ValueError(f"evidence of kind {self.kind} needs says_minor: the values that say under 18")
        if self.month and self.kind != "birth_text":
            raise ValueError("a month belongs to a year: kind birth_text")
        if self.quarantine and self.subject != "row":
            raise ValueError("only rows are put in quarantine; a person is restricted")
        return self

    @property
    def minor_values(self) -> tuple[str, ...]:
        """The values that say "under 18"."""
        return self.says_minor or (CHILD_KINDS if self.kind == "attendee_type" else ())

    def columns(self) -> set[str]:
        """Every other column of the table that has to be read with this one."""
        named = {self.source, self.stated_on, self.changed_by, *self.where, *self.same}
        if self.path is None:
            named |= {self.month, self.country}
        return {name for name in named if name}


class CounterSignal(_Frozen):
    """What this column holds speaks against childhood: a machine no longer decides alone.

    ``values``: only these. ``older_than_years``: a date, instant or year at least so long ago. ``domains``: an e-mail
    address below one of these. Nothing named: anything but empty. ``died`` says that the person has died: nobody is let
    go for it, and the privacy lead decides, not just any reviewer.
    """

    code: Literal[
        "registration_number",
        "qualification",
        "speaker",
        "publication",
        "occupation",
        "mail_domain",
        "account_age",
        "first_order",
        "died",
    ]
    values: tuple[str, ...] = ()
    older_than_years: int | None = Field(default=None, ge=1)
    domains: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_that_somebody_died(self) -> CounterSignal:
        if self.died and (self.domains or self.older_than_years):
            raise ValueError("a record of death is any value, or one of values")
        return self

    @property
    def died(self) -> bool:
        """Whether it records that a person has died."""
        return self.code == "died"


class Column(_Frozen):
    """One column. Unset purpose, retention and erase are taken from the table."""

    category: str = Field(pattern=r"^(user|system)(\.[a-z_]+)*$")
    purpose: tuple[Purpose, ...] | None = None
    retention: str | None = None
    erase: EraseAction | None = None
    evidence: AgeEvidence | None = None
    more_evidence: tuple[AgeEvidence, ...] = ()  # a JSON column may answer several questions
    counter_signal: CounterSignal | None = None
    identifier: Literal["account", "email", "phone", "name", "external", "session"] | None = None
    lists: bool = False  # identifiers of several people stand in it, separated by commas or the like
    aggregate: Literal["never", "filter", "feed"] = "never"
    object: str | None = None  # the store (key of `objects`) whose key this column holds
    note: str | None = None

    @property
    def personal(self) -> bool:
        return self.category == "user" or self.category.startswith("user.")

    @property
    def evidences(self) -> tuple[AgeEvidence, ...]:
        """Everything this column says about an age."""
        return ((self.evidence,) if self.evidence else ()) + self.more_evidence

    @model_validator(mode="after")
    def _states_facts(self) -> Column:
        guessed = next((c for c in NO_EVIDENCE if self.category == c or self.category.startswith(c + ".")), None)
        if guessed and self.evidences:
            raise ValueError(f"no age is read from {guessed}: names, pictures and behaviour are not evidence")
        if sum(1 for e in self.evidences if e.path is None) > 1:
            raise ValueError("several pieces of evidence in one column need a path each")
        return self


class Link(_Frozen):
    """How rows of a table lead one step nearer to the person: ``columns`` equal ``references`` in ``to``."""

    to: TableName
    columns: tuple[Identifier, ...] = Field(min_length=1)
    references: tuple[Identifier, ...] = ()  # default: the key of ``to``
    optional: bool = False  # empty for rows that belong to nobody (visitors)

    @model_validator(mode="after")
    def _same_width(self) -> Link:
        if self.references and len(self.references) != len(self.columns):
            raise ValueError("columns and references differ in number")
        return self


class Disclosure(_Frozen):
    """Somebody else holds what a row says too, and is told when the row goes (GDPR Art. 19, 28).

    ``who`` names them; else the value of column ``by`` does (of this table, or of the one that ``through`` leads to):
    by ``values``, where "*" stands for any other and an empty name for nobody, or as ``prefix:value``.
    ``known_by``: columns by which they know the person, each with the name that they use for it. ``located`` leads to
    the row that says in ``country`` where they are.
    """

    who: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")
    by: Identifier | None = None
    through: Link | None = None
    prefix: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")
    values: dict[str, str] = Field(default_factory=dict)
    known_by: dict[Identifier, str] = Field(min_length=1)
    located: Link | None = None
    country: Identifier | None = None

    @model_validator(mode="after")
    def _names_somebody(self) -> Disclosure:
        if (self.who is None) == (self.by is None):
            raise ValueError("say who, or by which column; not both")
        if self.by is not None and bool(self.values) == bool(self.prefix):
            raise ValueError("a column that names them needs values or a prefix")
        if self.who is not None and (self.values or self.prefix or self.through):
            raise ValueError("values, prefix and through go with a column that names them")
        if (self.located is None) != (self.country is None) or (self.located and self.by is None):
            raise ValueError("located and country go together, and with a column that names them")
        return self

    def party(self, value: str | None) -> str | None:
        """Who is told, by the value of ``by``. None: nobody. A value that nobody explained is ``unknown:value``."""
        if self.who is not None:
            return self.who
        if not value:
            return None
        if self.prefix:
            return f"{self.prefix}:{value}"
        return self.values.get(value, self.values.get("*", f"unknown:{value}")) or None


class Condition(_Frozen):
    """What a column of a row must hold. An empty column fulfils none but ``is_in`` with null among its values."""

    column: Identifier
    is_in: tuple[str | None, ...] = ()
    at_most: float | None = None

    @model_validator(mode="after")
    def _one_test(self) -> Condition:
        if bool(self.is_in) == (self.at_most is not None):
            raise ValueError("a condition says is_in or at_most")
        return self


class RetainedMinimum(_Frozen):
    """What the law makes us keep of a row whose person is erased, apart from everything else, and until when.

    The first rule whose conditions hold decides. ``keep`` names columns by what they are in the record; nothing else
    of the row gets there. ``years`` run from ``counted_from``, or from the end of its year.
    """

    rule: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    ground: str  # the law that asks for it, with its paragraph
    when: tuple[Condition, ...] = ()  # none: every row
    keep: dict[str, Identifier] = Field(min_length=1)
    years: int = Field(ge=1, le=30)
    counted_from: Identifier
    from_year_end: bool = False


class Table(_Frozen):
    """One table. ``link`` empty means its rows are about nobody, unless it is the subject table itself."""

    about: Literal["subject", "nobody", "others"] = "subject"
    key: tuple[Identifier, ...] = Field(min_length=1)
    link: Link | None = None
    also: tuple[Link, ...] = ()  # further ways in which rows belong to a person (say, by a shared identifier)
    created_at: Identifier | None = None
    changed_at: Identifier | None = None  # when a row was last changed; empty: never
    purpose: tuple[Purpose, ...] = ()
    retention: str | None = None
    erase: EraseAction = EraseAction.KEEP
    expect_rows: bool = False  # zero rows here is suspicious
    published: bool = False  # a public record: about whom it names an editor and a privacy lead decide, never a job
    disclosed_to: tuple[Disclosure, ...] = ()
    retain: tuple[RetainedMinimum, ...] = ()
    columns: dict[Identifier, Column]
    note: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Table:
        if self.about == "nobody" and (self.link or self.also):
            raise ValueError("a table about nobody has no link to a person")
        named = set(self.key) | set(self.link.columns if self.link else ())
        named |= {c for link in self.also for c in link.columns} | set(self.moments())
        for disclosure in self.disclosed_to:
            named |= set(disclosure.known_by)
            named |= set(disclosure.through.columns) if disclosure.through else set(filter(None, [disclosure.by]))
        for column in self.columns.values():
            for evidence in column.evidences:
                named |= evidence.columns() - {evidence.source}
                if evidence.quarantine:
                    named.add(evidence.quarantine.column)
        for rule in self.retain:
            named |= {*rule.keep.values(), rule.counted_from, *(c.column for c in rule.when)}
        if missing := sorted(named - set(self.columns)):
            raise ValueError("columns named but not listed: " + ", ".join(missing))
        if self.published and (self.about != "others" or self.erase is not EraseAction.KEEP):
            raise ValueError("a public record is about others, and kept: people decide what goes from it")
        self._retains_little()
        return self

    def moments(self) -> tuple[Identifier, ...]:
        """The columns by which a row is known to be new: when it came, and when it was last changed."""
        return tuple(filter(None, (self.created_at, self.changed_at)))

    def _retains_little(self) -> None:
        if not self.retain:
            return
        if self.erase is not EraseAction.RETAIN_MIN:
            raise ValueError("only a table with erase RETAIN_MIN retains a minimum")
        if self.retain[-1].when or any(not rule.when for rule in self.retain[:-1]):
            raise ValueError("the last rule, and only that, is for every other row")
        person = set(self.link.columns) if self.link else set()
        for rule in self.retain:
            for name in rule.keep.values():
                column = self.columns[name]
                if name in person or column.identifier in {"account", "email", "phone"} or column.evidences:
                    raise ValueError(f"a retained record never holds {name}: key, address or age of the person")

    def erase_of(self, column: str) -> EraseAction:
        """Erase action of ``column``: its own, else the table's."""
        return self.columns[column].erase or self.erase

    def free_texts(self) -> tuple[str, ...]:
        """Columns in which people write as they like, the whole column over: a mention may be taken out of them."""
        return tuple(
            name
            for name, column in self.columns.items()
            if any(e.kind == "free_text" and e.path is None for e in column.evidences)
        )

    def redactable(self) -> tuple[str, ...]:
        """Columns of which people may have characters taken out: texts, and what names somebody in a public record."""
        named = (
            name
            for name, column in self.columns.items()
            if self.published
            and column.personal
            and name not in self.key
            and (column.identifier or column.category != "user.unique_id")
        )
        return tuple(dict.fromkeys((*self.free_texts(), *named)))

    def emptied(self) -> tuple[str, ...]:
        """Columns that erasure sets to NULL where the row stays.

        Those that say NULL or UNLINK themselves, and the key to the person where the whole table says UNLINK. In a
        table whose rows go, such a column empties rows of others that lean on the ones that go.
        """
        unlinked = self.link.columns if self.link and self.erase is EraseAction.UNLINK else ()
        return tuple(
            name
            for name, column in self.columns.items()
            if column.erase in {EraseAction.NULL, EraseAction.UNLINK} or (column.erase is None and name in unlinked)
        )

    def links(self) -> tuple[Link, ...]:
        return ((self.link,) if self.link else ()) + self.also


class Subject(_Frozen):
    """The table whose rows are the people."""

    table: TableName
    key: tuple[Identifier, ...] = Field(min_length=1)
    registered_at: Identifier


class Restriction(_Frozen):
    """How the publisher's applications are told that a person is restricted."""

    table: TableName
    key: tuple[Identifier, ...] = Field(min_length=1)  # in the order of the subject's key
    column: Identifier
    value: str


class RowKey(_Frozen):
    """Fields of a row that together name its person.

    ``kind`` says which identifier they hold: ``subject`` (the subject key, field by field), ``email``, or
    ``account:<column>`` and ``external:<column>`` for a column that the map marks so.
    """

    fields: tuple[str, ...] = Field(min_length=1)  # column, 1-based number without a header, or dotted path
    kind: str = Field(pattern=r"^(subject|email|phone|(account|external|session):.+)$")

    @model_validator(mode="after")
    def _one_field(self) -> RowKey:
        if self.kind != "subject" and len(self.fields) != 1:
            raise ValueError(f"{self.kind} stands in one field")
        return self


class SharedRows(_Frozen):
    """Objects that hold rows of many people: how to read them, and which fields name the person of a row."""

    format: Literal["csv", "jsonl", "parquet"]
    compression: Literal["none", "gzip"] = "none"
    pattern: str = "*"  # which keys below the prefix (as in file names)
    keys: tuple[RowKey, ...] = Field(min_length=1)  # a row that any of these names is that person's
    delimiter: str = Field(default=",", pattern=r"^[\x01-\x7e]$")
    quote: str = Field(default='"', pattern=r"^[!-/]$")
    # Those in which a comma, a quote and a line end are the same bytes as in ASCII.
    encoding: Literal["utf-8", "latin-1", "iso8859-15", "cp1252"] = "utf-8"
    header: bool = True

    @model_validator(mode="after")
    def _fits(self) -> SharedRows:
        if self.format == "parquet" and self.compression != "none":
            raise ValueError("Parquet is compressed inside")
        if not self.header and any(not f.isdigit() or int(f) < 1 for key in self.keys for f in key.fields):
            raise ValueError("without a header, fields are numbers from 1")
        return self


class ObjectStoreEntry(_Frozen):
    """One bucket or prefix. ``person_key`` is a key template such as ``photos/{user_id}/``; names in braces are
    columns of ``person_table`` (default: the subject table). Keys may also stand in a table column (`object:`)."""

    bucket: str = Field(min_length=3, max_length=63)
    prefix: str = ""
    region: str
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    versioned: bool = False
    locked: bool = False
    category: str = Field(pattern=r"^(user|system)(\.[a-z_]+)*$")
    purpose: tuple[Purpose, ...] = ()
    retention: str | None = None
    erase: EraseAction
    backup: bool = False  # copies of the stores; beyond use until they are overwritten
    processor: str | None = None  # who keeps it, when a processor is told to delete
    person_table: TableName | None = None
    person_key: str | None = None
    rows: SharedRows | None = None
    replicas: tuple[str, ...] = ()  # buckets that hold the same keys; those of a replication rule are found by itself
    note: str | None = None

    @model_validator(mode="after")
    def _rows_are_declared(self) -> ObjectStoreEntry:
        if (self.erase is EraseAction.OBJ_ROWS) != (self.rows is not None):
            raise ValueError("`rows` and the erase action OBJ_ROWS belong together")
        return self

    @property
    def personal(self) -> bool:
        return self.category == "user" or self.category.startswith("user.")


class UsageEvent(_Frozen):
    """One source of the canonical usage view: who did what in which module, when, for how many seconds."""

    kind: Literal["activity", "start", "complete"]
    table: TableName
    module: Identifier
    at: Identifier
    seconds: Identifier | None = None


class UsageExclusion(_Frozen):
    """People whose rows never enter a statistic: ``column`` of ``table`` (linked to the person) is in ``values``."""

    table: TableName
    column: Identifier
    values: tuple[str | bool, ...] = Field(min_length=1)
    why: Literal["staff", "bot", "objection", "restricted"]


class UsagePass(_Frozen):
    """Assessments that people pass: ``column`` of ``table`` holds one of ``values``."""

    table: TableName
    module: Identifier
    at: Identifier
    column: Identifier
    values: tuple[str | bool, ...] = Field(min_length=1)


class UsageCountry(_Frozen):
    """Where people are, as a two-letter code: a dimension of the statistics."""

    table: TableName
    column: Identifier


class UsageInstitution(_Frozen):
    """Where people work: never published, but a cell of too few institutions, or of mostly one, is withheld.

    ``resolved_by``: ``register`` looks spellings up in ``include/registry/institutions.csv``, and all that are not in
    it count as one institution; ``as_written`` trusts every spelling (for a list that people choose from).
    """

    table: TableName
    column: Identifier
    resolved_by: Literal["register", "as_written"]


class UsageView(_Frozen):
    """The columns that make the canonical usage view."""

    course_table: TableName
    course_key: Identifier
    course_title: Identifier
    module_table: TableName
    module_key: Identifier
    module_course: Identifier
    module_title: Identifier
    events: tuple[UsageEvent, ...] = Field(min_length=1)
    exclusions: tuple[UsageExclusion, ...] = ()
    passes: UsagePass | None = None
    country: UsageCountry | None = None
    institution: UsageInstitution | None = None

    def feeds(self) -> list[tuple[str, str]]:
        """Every (table, column) whose values are counted or shown."""
        found = [(self.course_table, c) for c in (self.course_key, self.course_title)]
        found += [(self.module_table, c) for c in (self.module_key, self.module_course, self.module_title)]
        found += [(e.table, c) for e in self.events for c in (e.module, e.at, e.seconds) if c]
        if self.passes:
            found += [(self.passes.table, c) for c in (self.passes.module, self.passes.at)]
        if self.country:
            found.append((self.country.table, self.country.column))
        return found

    def filters(self) -> list[tuple[str, str]]:
        """Every (table, column) that only decides who or what is left out."""
        found = [(x.table, x.column) for x in self.exclusions]
        if self.passes:
            found.append((self.passes.table, self.passes.column))
        if self.institution:
            found.append((self.institution.table, self.institution.column))
        return found


class Location(_Frozen):
    """Where the database is, and who runs it."""

    country: str = Field(pattern=r"^[A-Z]{2}$")
    region: str
    provider: str
    processor: str | None = None


class Publisher(_Frozen):
    key: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str
    country: str = Field(pattern=r"^[A-Z]{2}$")
    regimes: tuple[Literal["UK", "EU"], ...] = Field(min_length=1)
    legal_timezone: str


class DataMap(_Frozen):
    """The whole map of one publisher."""

    version: Literal[1]
    publisher: Publisher
    location: Location
    subject: Subject
    restriction: Restriction
    usage: UsageView | None = None
    tables: dict[TableName, Table]
    objects: dict[str, ObjectStoreEntry] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _refers_to_itself(self) -> DataMap:
        wrong: list[str] = []

        def need(table: str, columns: tuple[str, ...], where: str) -> None:
            if table not in self.tables:
                wrong.append(f"{where}: no table {table} in the map")
                return
            wrong.extend(
                f"{where}: no column {table}.{column} in the map"
                for column in columns
                if column not in self.tables[table].columns
            )

        need(self.subject.table, (*self.subject.key, self.subject.registered_at), "subject")
        need(self.restriction.table, (*self.restriction.key, self.restriction.column), "restriction")
        restricted = self.tables.get(self.restriction.table)
        column = restricted.columns.get(self.restriction.column) if restricted else None
        if column and column.counter_signal and column.counter_signal.died:
            wrong.append("restriction: restricting a person would overwrite the record that it has died")
        for name, table in self.tables.items():
            for link in table.links():
                need(link.to, link.references, f"tables.{name}.link")
            for disclosure in table.disclosed_to:
                if (through := disclosure.through) and disclosure.by:
                    need(through.to, (*through.references, disclosure.by), f"tables.{name}.disclosed_to")
                if (located := disclosure.located) and disclosure.country:
                    need(located.to, (*located.references, disclosure.country), f"tables.{name}.disclosed_to")
                    here = disclosure.through.to if disclosure.through else name
                    need(here, located.columns, f"tables.{name}.disclosed_to")
            if table.about == "subject" and not table.links() and name != self.subject.table:
                wrong.append(f"tables.{name}: it is about the subject but has no link to a person")
            for column_name, column in table.columns.items():
                if column.object and column.object not in self.objects:
                    wrong.append(f"tables.{name}.columns.{column_name}: no object store {column.object} in the map")
        told = {d.who for t in self.tables.values() for d in t.disclosed_to}
        told |= {who for t in self.tables.values() for d in t.disclosed_to for who in d.values.values()}
        for key, entry in self.objects.items():
            if entry.processor and entry.processor not in told:
                wrong.append(f"objects.{key}: no table says by what {entry.processor} knows people")
            if entry.person_table:
                need(entry.person_table, (), f"objects.{key}")
        if self.usage:
            u = self.usage
            need(u.course_table, (u.course_key, u.course_title), "usage")
            need(u.module_table, (u.module_key, u.module_course, u.module_title), "usage")
            for index, e in enumerate(u.events):
                need(e.table, tuple(c for c in (e.module, e.at, e.seconds) if c), f"usage.events[{index}]")
            for index, x in enumerate(u.exclusions):
                need(x.table, (x.column,), f"usage.exclusions[{index}]")
            if p := u.passes:
                need(p.table, (p.module, p.at, p.column), "usage.passes")
            if u.country:
                need(u.country.table, (u.country.column,), "usage.country")
            if u.institution:
                need(u.institution.table, (u.institution.column,), "usage.institution")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def path_to_subject(self, table: str) -> tuple[Link, ...]:
        """Links from ``table`` to the subject table, along each table's first link. Empty for the subject itself.

        Raises ValueError when the links end elsewhere or run in a circle.
        """
        path: list[Link] = []
        here = table
        while here != self.subject.table:
            link = self.tables[here].link
            if link is None or len(path) > len(self.tables):
                raise ValueError(f"the links of {table} do not lead to {self.subject.table}")
            path.append(link)
            here = link.to
        return tuple(path)

    def address_column(self) -> str | None:
        """The subject table's column that holds the person's mail address: the first one marked so."""
        columns = self.tables[self.subject.table].columns
        return next((name for name, column in columns.items() if column.identifier == "email"), None)

    def quarantines(self) -> dict[str, Quarantine]:
        """How rows are taken out of use, by table; the first that a table names."""
        found: dict[str, Quarantine] = {}
        for name, table in self.tables.items():
            for column in table.columns.values():
                for evidence in column.evidences:
                    if evidence.quarantine:
                        found.setdefault(name, evidence.quarantine)
        return found

    def references_of(self, link: Link) -> tuple[str, ...]:
        """The columns in ``link.to`` that the link's columns equal."""
        return link.references or self.tables[link.to].key
