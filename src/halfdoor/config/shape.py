"""The configuration's shape, read off `config/model.py`: for errors and for the reference page."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import NODEFAULT, Struct, inspect

from halfdoor.config.places import Keys

PLAIN: Final[dict[type[inspect.Type], str]] = {
    inspect.BoolType: "true or false",
    inspect.IntType: "whole number",
    inspect.FloatType: "number",
}


class Field(Struct, frozen=True):
    """One key of one table.

    said_type: its type in a reader's words.
    words: the closed set that it, or each of a list, is chosen from, () for free values.
    table: the struct below, if any.
    array: it is an array of tables.
    """

    name: str
    said_type: str
    description: str
    default: Any
    required: bool
    words: tuple[str, ...] = ()
    table: type[Struct] | None = None
    array: bool = False


def fields(kind: type[Struct]) -> dict[str, Field]:
    """The keys of one table, in the order in which the model has them."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return {f.encode_name: _field(f) for f in info.fields}


def table_at(kind: type[Struct], keys: Keys) -> type[Struct] | None:
    """The struct of the table that these keys lead to, None where there is none."""
    for key in keys:
        if isinstance(key, str):
            found = fields(kind).get(key)
            if found is None or found.table is None:
                return None
            kind = found.table
    return kind


def field_at(kind: type[Struct], keys: Keys) -> Field | None:
    """The field that these keys lead to; keys inside a list of words lead to the list."""
    named = [key for key in keys if isinstance(key, str)]
    above = table_at(kind, tuple(named[:-1])) if named else None
    return fields(above).get(named[-1]) if above else None


def _field(field: inspect.Field) -> Field:
    core, description = _bare(field.type)
    items = core.item_type if isinstance(core, inspect.VarTupleType) else core
    one = _bare(items)[0]
    words = one.values if isinstance(one, inspect.LiteralType) else ()
    return Field(
        name=field.encode_name,
        said_type=_said(core),
        description=description,
        default=None if field.default is NODEFAULT else field.default,
        required=field.required,
        words=tuple(str(word) for word in words),
        table=items.cls if isinstance(items, inspect.StructType) else None,
        array=isinstance(core, inspect.VarTupleType),
    )


def _bare(type_: inspect.Type) -> tuple[inspect.Type, str]:
    """A type without its description and without `| None`."""
    description = ""
    while True:
        if isinstance(type_, inspect.Metadata):
            description = (type_.extra_json_schema or {}).get("description", description)
            type_ = type_.type
        elif isinstance(type_, inspect.UnionType):
            type_ = _present(type_.types)
        else:
            return type_, description


def _present(types: Sequence[inspect.Type]) -> inspect.Type:
    return next(t for t in types if not isinstance(t, inspect.NoneType))


def _said(type_: inspect.Type) -> str:
    """The type in a reader's words."""
    match type_:
        case inspect.VarTupleType(item_type=inspect.StructType()):
            return "tables"
        case inspect.VarTupleType():
            return "list of texts"
        case inspect.StructType() | inspect.DictType():
            return "table"
        case _:
            return PLAIN.get(type(type_), "text")
