"""The parts of all rules, and how a row of each is written in a document.

A document names rows by their names, lists them in the order in which they are tried, and leaves
out what is as a new row would have it. Another app registers a part when it is ready.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from django.db.models import Field, Model, QuerySet

from personas.models import (
    AttributeName,
    FirstStep,
    Persona,
    PersonaCondition,
    Severity,
    SignalCondition,
    SignalRule,
    listing,
    watching,
)
from personas.models.conditions import LISTED, Condition

Row = dict[str, Any]  # of a document
LABEL = 100  # letters of a name; the text of a first step is longer


class Unreadable(ValueError):
    """A document cannot be read; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Column:
    """A field and how a document writes it: as text, number, yes or no, or list as it is."""

    name: str
    is_always_told: bool = False  # also where it is as a new row would have it
    label: str = field(default="", kw_only=True)  # in differences; if empty, that of the form

    def tell(self, row: Model) -> Any:
        value = getattr(row, self.name)
        if isinstance(value, list):
            return list(value)  # the document's own
        return lined(value) if isinstance(value, str) else value

    def read(self, given: Any, field: "Field[Any, Any]") -> Any:
        """The value for the row. Raises Unreadable."""
        wanted = _type_of(field)
        if given is None and field.null:
            return None
        if wanted is str and isinstance(given, int | float) and not isinstance(given, bool):
            return str(given)  # a number that nobody put in quotation marks
        if not isinstance(given, wanted) or (isinstance(given, bool) and wanted is not bool):
            words = {str: "text", bool: "true or false", int: "a whole number", list: "a list"}
            raise Unreadable(f"“{self.name}” must be {words[wanted]}")
        return lined(given) if isinstance(given, str) else given


def _type_of(field: "Field[Any, Any]") -> type:
    kind = field.get_internal_type()
    if kind == "BooleanField":
        return bool
    if kind == "JSONField":
        return list
    return int if "Integer" in kind else str


def lined(text: str) -> str:
    """The text with line ends of one kind, without those at its end."""
    return "\n".join(text.splitlines()).rstrip()


@dataclass(frozen=True, slots=True)
class Flag(Column):
    """Yes or no."""

    on: str = ""  # what it is when it was turned on, and off, in words for a difference
    off: str = ""


@dataclass(frozen=True, slots=True)
class Listed(Column):
    """A field of words with commas between them, or with a line for each: a list in a document."""

    joint: str = ", "

    def tell(self, row: Model) -> list[str]:
        text = str(getattr(row, self.name))
        words = text.splitlines() if self.joint == "\n" else text.split(",")
        return [word.strip() for word in words if word.strip()]

    def read(self, given: Any, field: "Field[Any, Any]") -> str:
        if not isinstance(given, list) or not all(isinstance(word, str) for word in given):
            raise Unreadable(f"“{self.name}” must be a list of words")
        return self.joint.join(word.strip() for word in given)


@dataclass(frozen=True, slots=True)
class Level(Column):
    """A choice that is kept as a number: a word in a document."""

    def tell(self, row: Model) -> str:
        return Severity(getattr(row, self.name)).name.lower()

    def read(self, given: Any, field: "Field[Any, Any]") -> int:
        known = {level.name.lower(): level.value for level in Severity}
        if not isinstance(given, str) or given not in known:
            raise Unreadable(f"“{self.name}” must be one of: {', '.join(known)}")
        return known[given]


@dataclass(frozen=True, slots=True)
class Amount(Column):
    """An amount of money: text, so that no digit is lost."""

    def tell(self, row: Model) -> str:
        amount = getattr(row, self.name)
        return "" if amount is None else f"{amount:.2f}"


@dataclass(frozen=True, slots=True)
class Named(Column):
    """Another row that is named: a person, a group or a persona. Read as the name alone."""

    by: str = "name"

    def tell(self, row: Model) -> str | None:
        other = getattr(row, self.name)
        return getattr(other, self.by) if other else None

    def read(self, given: Any, field: "Field[Any, Any]") -> str | None:
        if given is not None and not isinstance(given, str):
            raise Unreadable(f"“{self.name}” must be a name")
        return given


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one table, in the order of the document."""

    key: str  # in the document
    noun: str
    model: type[Model]
    columns: tuple[Column, ...]
    rows: Callable[[], Iterable[Any]]
    order: Callable[[Any], Any]  # by which its rows are sorted: no database sorts as another
    named_by: tuple[str, ...]  # the columns that make a row's name, which is unique
    condition: type[Condition] | None = None
    condition_of: str = ""  # the field in which a condition names its row

    def take(self) -> list[Row]:
        """All rows as a document writes them."""
        return [self.tell(row) for row in sorted(self.rows(), key=self.order)]

    def own(self, row: Any) -> Row:
        """A row without its conditions."""
        told = {}
        for column in self.columns:
            value = column.tell(row)
            if column.is_always_told or value != self._unset(column):
                told[column.name] = value
        return told

    def tell(self, row: Any) -> Row:
        told = self.own(row)
        if self.condition and (conditions := [tell_condition(one) for one in row.condition_list]):
            told["conditions"] = conditions
        return told

    def fields(self, given: Row) -> dict[str, Any]:
        """The values of a row's own fields, those left out as in a new row. Raises Unreadable."""
        known = {column.name for column in self.columns}
        known |= {"conditions"} if self.condition else set()
        if strange := [key for key in given if key not in known]:
            raise Unreadable(f"“{strange[0]}” is not known here")
        read = {}
        for column in self.columns:
            value = self.value(given, column)
            read[column.name] = column.read(value, self.field(column.name))
        return read

    def conditions(self, given: Row) -> list[Condition]:
        """Unsaved conditions of a row, without the row. Raises Unreadable."""
        if self.condition is None:
            return []
        listed = given.get("conditions", [])
        if not isinstance(listed, list):
            raise Unreadable("“conditions” must be a list")
        return [self.condition(**read_condition(one)) for one in listed]

    def build(self, given: Row) -> Any:
        """An unsaved row with its conditions, without the rows that it names. Raises Unreadable."""
        named = {column.name for column in self.columns if isinstance(column, Named)}
        fields = {name: value for name, value in self.fields(given).items() if name not in named}
        row: Any = self.model(**fields)
        if self.condition:
            row.condition_list = self.conditions(given)
        return row

    def name(self, given: Row) -> tuple[str, ...]:
        """What identifies a row of a document within its part."""
        return tuple(str(given.get(key) or "") for key in self.named_by)

    def identity(self, given: Row) -> Any:
        """Its name; of the two personas that serve all others what they are."""
        fixed = [flag for flag in ("is_default", "is_unknown") if given.get(flag)]
        return fixed[0] if fixed else self.name(given)

    def case(self, identity: Any) -> Any:
        """What rows are tried one after the other for: of first steps, a signal and a persona."""
        return identity[:-1] if len(self.named_by) > 1 else ()

    def rest(self, given: Row) -> Row:
        """All of a row but its name."""
        return {key: value for key, value in given.items() if key not in self.named_by}

    def value(self, given: Row, column: Column) -> Any:
        """What a row of a document says of a column, also where it says nothing."""
        return given[column.name] if column.name in given else self._unset(column)

    @property
    def plural(self) -> str:
        return str(self.model._meta.verbose_name_plural)

    @property
    def is_ordered(self) -> bool:
        """Whether its rows are tried one after the other."""
        return any(field.name == "position" for field in self.model._meta.fields)

    def label(self, given: Row) -> str:
        """The row in words: “persona “Enterprise””."""
        name = str(given.get(self.named_by[-1]) or "")
        return f"{self.noun} “{name if len(name) <= LABEL else name[: LABEL - 1] + '…'}”"

    def field(self, name: str) -> "Field[Any, Any]":
        return cast("Field[Any, Any]", self.model._meta.get_field(name))

    def _unset(self, column: Column) -> Any:
        return column.tell(_blank(self.model)) if not isinstance(column, Named) else None


@cache
def _blank(model: type[Model]) -> Model:
    """A new row to compare with; nobody changes it. To make one for each column takes long."""
    return model()


def tell_condition(condition: Condition) -> Row:
    told: Row = {"field": condition.field.strip(), "operator": condition.operator}
    value = condition.values if condition.operator in LISTED else lined(condition.value).strip()
    return {**told, "value": value} if value else told


def read_condition(given: Any) -> dict[str, str]:
    """The fields of a condition. Raises Unreadable."""
    if not isinstance(given, dict):
        raise Unreadable("a condition must have a field, an operator and a value")
    if strange := given.keys() - {"field", "operator", "value"}:
        raise Unreadable(f"“{min(map(str, strange))}” is not known in a condition")
    value = given.get("value", "")
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str | int | float) and not isinstance(one, bool) for one in values):
        raise Unreadable("the value of a condition must be text: put it in quotation marks")
    texts = [str(one) for one in values]
    return {
        "field": str(given.get("field", "")),
        "operator": str(given.get("operator", "")),
        "value": listing.written(texts) if isinstance(value, list) else texts[0],
    }


def _personas() -> "QuerySet[Persona]":
    in_use = Persona.objects.in_use().select_related("assign_person", "assign_group")
    return in_use.prefetch_related("conditions")


def _persona_order(persona: Persona) -> Any:
    """The two that serve all others have no place, and come last."""
    return persona.is_unknown, persona.is_default, persona.position, persona.pk or 0


def _first_steps() -> "QuerySet[FirstStep]":
    return FirstStep.objects.filter(persona__retired_at=None).select_related("persona")


def _step_order(step: FirstStep) -> Any:
    """By case; the signal's own before those of personas, in the order of these."""
    persona = _persona_order(step.persona) if step.persona else ()
    return step.kind, persona, step.position, step.pk or 0


PARTS = [
    Part(
        "attribute_names", "attribute name", AttributeName,
        (Column("role", True), Column("label", True), Listed("names", True, "\n"), Column("help"),
         Column("currency"), Column("currency_attribute"), Column("period"),
         Listed("other_period_names", joint="\n"), Column("level")),
        AttributeName.objects.all, lambda name: name.role, ("role",),
    ),
    Part(
        "signal_rules", "signal rule", SignalRule,
        (Column("name", True), Flag("is_active", True, on="switched on", off="switched off"),
         Listed("object_types"),
         Listed("metrics", True), Column("level"), Column("match"), Column("kind", True),
         Column("effect", True), Level("severity", True), Column("note")),
        lambda: SignalRule.objects.prefetch_related("conditions"),
        lambda rule: (rule.position, rule.pk or 0), ("name",),
        SignalCondition, "rule",
    ),
    Part(
        "personas", "persona", Persona,
        (Column("name", True), Flag("is_default"), Flag("is_unknown"),
         Column("description", True), Column("value", True),
         Flag("opens_brief", True, on="opens briefs now", off="opens no brief any more"),
         Column("match"), Column("research_focus", True), Column("playbook", True),
         Column("reuse_hours", True), Column("month_budget"), Column("assigns"),
         Named("assign_person", label="person who gets new briefs", by="username"),
         Named("assign_group", label="group that gets new briefs"),
         Column("assign_attribute", label="attribute that names who gets new briefs")),
        _personas, _persona_order, ("name",), PersonaCondition, "persona",
    ),
    Part(
        "first_steps", "first step", FirstStep,
        (Column("kind", True), Named("persona"), Column("text", True), Column("channels", True),
         Flag("is_wait", on="waits for the customer now", off="does not wait any more"),
         Column("within_hours", True)),
        _first_steps, _step_order, ("kind", "persona", "text"),
    ),
]  # fmt: skip


def register(part: Part) -> None:
    """Add a part of another app, whose table then counts as one of rules."""
    PARTS.append(part)
    watching.TABLES.append(part.model._meta.db_table)


def part(key: str) -> Part:
    return next(part for part in PARTS if part.key == key)
