"""What a pydantic model says of the field at a location inside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo


def describe_field(model: type[BaseModel], location: tuple[str | int, ...]) -> str:
    """The description of the field at a location, without its full stop; empty when it has none."""
    field = _field_at(model, location)
    return (field.description or "").rstrip(".") if field is not None else ""


def holds_secret(model: type[BaseModel], location: tuple[str | int, ...]) -> bool:
    """Whether the value at a location may be a secret, so that no message shows it."""
    field = _field_at(model, location)
    return field is not None and any(kind is SecretStr for kind in _kinds(field.annotation))


def choices(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """The words that the field at a location takes, empty when it takes others than a fixed few."""
    field = _field_at(model, location)
    return [str(word) for word in _words(field.annotation)] if field is not None else []


def field_names(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """The names that a file may use at a location."""
    return sorted({name for inner in _models_at(model, location) for name, _ in _fields(inner)})


def _field_at(model: type[BaseModel], location: tuple[str | int, ...]) -> FieldInfo | None:
    keys = [position for position, part in enumerate(location) if isinstance(part, str)]
    if not keys:
        return None
    last = keys[-1]
    for inner in _models_at(model, location[:last]):
        for name, field in _fields(inner):
            if name == location[last]:
                return field
    return None


def _models_at(model: type[BaseModel], location: tuple[str | int, ...]) -> list[type[BaseModel]]:
    # Beside each model: whether the next part of the location is a free key of a mapping to it.
    found: list[tuple[type[BaseModel], bool]] = [(model, False)]
    for part in location:
        if isinstance(part, int):
            continue
        inside = [(outer, False) for outer, is_key in found if is_key]
        inside += [
            (inner, get_origin(field.annotation) is dict)
            for outer, is_key in found
            if not is_key
            for name, field in _fields(outer)
            if name == part
            for inner in _kinds(field.annotation)
            if issubclass(inner, BaseModel)
        ]
        found = inside
    return [inner for inner, _ in found]


def _fields(model: type[BaseModel]) -> Iterable[tuple[str, FieldInfo]]:
    return [(field.alias or name, field) for name, field in model.model_fields.items()]


def _kinds(annotation: object) -> Iterator[type[Any]]:
    """The classes an annotation is made of, through lists, unions and annotations."""
    if get_origin(annotation) is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif get_args(annotation):
        for inner in get_args(annotation):
            yield from _kinds(inner)
    elif isinstance(annotation, type):
        yield annotation


def _words(annotation: object) -> Iterator[object]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for inner in get_args(annotation):
            yield from _words(inner)
