"""YAML files with their line numbers, and typed models read from them.

Every fault of a file becomes a `Problem`: malformed YAML, a key given twice, a field that the model does not accept.
Fields carry their mending text in the model: the `description` of a pydantic field says what belongs there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from strategy.model_fields import choices, describe_field, field_names, holds_secret
from strategy.problems import InputErrors, Problem, pick_from

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # wheels for odd platforms come without libyaml; the pure loader gives the same, slower
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

Location = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

_RULE = "plumbline_rule"
# Pydantic's kinds of error that say no more than what should have been there.
_KINDS = {
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "list_type": "a list",
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "date_type": "a day",
}
_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_TAGS = {"timestamp": "date", "int": "number"}


def rule_broken(what: str, mend: str, *field: str | int) -> PydanticCustomError:
    """The error a model's validator raises: `what` is wrong, how to `mend` it, and the `field` below the model, if any."""
    return PydanticCustomError(_RULE, "{what}", {"what": what, "mend": mend, "field": field})


@dataclass(frozen=True)
class Document:
    """The data of one YAML file and the lines it stands on.

    Decimal fractions are `Decimal`, dates are `datetime.date`; everything else is as PyYAML's safe loader gives it.
    """

    path: Path
    data: Any
    _root: yaml.Node

    def line(self, location: Location) -> int:
        """Line (1-based) of what stands at a location; of the nearest thing around it where nothing does."""
        node, line = self._root, self._root.start_mark.line
        for part in location:
            found = _child(node, part)
            if found is None:
                continue
            node, line = found
        return line + 1

    def problem(self, location: Location, what: str, mend: str) -> Problem:
        """An error at a location of this file."""
        return Problem(self.path, self.line(location), field_path(location), what, mend)

    def warning(self, location: Location, what: str, mend: str) -> Problem:
        """A warning at a location of this file."""
        return Problem(self.path, self.line(location), field_path(location), what, mend, "warning")

    def at(self, location: Location) -> Any:
        """The data at a location, None where there is none."""
        value = self.data
        for part in location:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def validate(
        self, model: type[Model], context: object = None, location: Location = ()
    ) -> tuple[Model | None, list[Problem]]:
        """The model read from the data at a location, or None with every problem found."""
        try:
            return model.model_validate(self.at(location), context=context), []
        except ValidationError as error:
            return None, [
                self._problem_of(model, details, location) for details in error.errors(include_url=False)
            ]

    def _problem_of(self, model: type[BaseModel], details: ErrorDetails, start: Location) -> Problem:
        location = self._real_location(model, start, details)
        inside = location[len(start) :]
        what, mend = _sentences(model, details, inside, self.at(location))
        return self.problem(location, what, mend)

    def _real_location(self, model: type[BaseModel], start: Location, details: ErrorDetails) -> Location:
        """Pydantic's location without the names of union members, which no file contains."""
        location, node = start, self._node_at(start)
        for part in details["loc"]:
            found = _child(node, part) if node is not None else None
            if found is not None:
                node, location = found[0], (*location, part)
            elif part in field_names(model, location[len(start) :]):
                location = (*location, part)
        below: Location = tuple(details.get("ctx", {}).get("field", ())) if details["type"] == _RULE else ()
        return (*location, *below)

    def _node_at(self, location: Location) -> yaml.Node | None:
        node: yaml.Node | None = self._root
        for part in location:
            found = _child(node, part) if node is not None else None
            node = found[0] if found else None
        return node


def read(path: Path) -> Document:
    """The YAML file at `path`. Raises `InputErrors` when it is missing, empty, not UTF-8, or not well-formed YAML."""
    text = _text_of(path)
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _unreadable(
            path, line, f"a character that YAML does not allow ({error.reason})", "Remove it."
        ) from error
    except yaml.MarkedYAMLError as error:
        line, what = _malformed(error)
        raise _unreadable(path, line, what, "Check the indentation, quotes and brackets here.") from error
    if root is None:
        raise _unreadable(path, 1, "the file is empty", "Write its content, or remove the file.")
    builder = _Builder(path)
    data = builder.value(root, ())
    if builder.problems:
        raise InputErrors(builder.problems)
    return Document(path, data, root)


def field_path(location: Location) -> str:
    """`("key_results", 0, "owner")` as `key_results[0].owner`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _unreadable(path: Path, line: int, what: str, mend: str) -> InputErrors:
    return InputErrors([Problem(path, line, "", what, mend)])


def _malformed(error: yaml.MarkedYAMLError) -> tuple[int, str]:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else 1
    what = f"not well-formed YAML: {error.problem or error.context}"
    if error.context and error.context_mark is not None and error.context_mark.line + 1 != line:
        what += f" ({error.context} that begins on line {error.context_mark.line + 1})"
    return line, what


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise _unreadable(path, 1, "the file is missing", "Write it, or correct its name.") from error
    except OSError as error:
        raise _unreadable(
            path, 1, f"the file cannot be read: {error.strerror}", "Check its kind and permissions."
        ) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, line, "not UTF-8 text", "Save the file as UTF-8.") from error


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, int] | None:
    """The node at a key or index, and the line (0-based) on which a person would look for it."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part or key.value == str(part):
                return value, key.start_mark.line
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item = node.value[part]
        return item, item.start_mark.line
    return None


class _Builder:
    """Builds the data of a node tree, collecting what is wrong with it on the way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self._scalars = yaml.SafeLoader("")
        # An alias stands for one node in several places: built once, so that aliases of aliases cannot grow without bound.
        self._built: dict[int, object] = {}
        self._open: set[int] = set()

    def value(self, node: yaml.Node, location: Location) -> object:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, location)
        if node.tag not in _COLLECTIONS:
            self._report(node, location, f"the tag `{node.tag}` has no meaning here", "Remove it.")
            return None
        if id(node) in self._built:
            return self._built[id(node)]
        if id(node) in self._open:
            self._report(node, location, "an alias that contains itself", "Write the value out instead.")
            return None
        self._open.add(id(node))
        value = (
            self._mapping(node, location)
            if isinstance(node, yaml.MappingNode)
            else self._sequence(node, location)
        )
        self._open.discard(id(node))
        self._built[id(node)] = value
        return value

    def _mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, object]:
        data: dict[str, object] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._report(key_node, location, "a key that is not plain text", "Write the key as one word.")
                continue
            key = key_node.value
            inside = (*location, key)
            if key in data:
                what = f"`{key}` is given twice, first on line {first[key]}"
                self._report(key_node, inside, what, "Keep one of the two.")
                continue
            first[key] = key_node.start_mark.line + 1
            data[key] = self.value(value_node, inside)
        return data

    def _sequence(self, node: yaml.Node, location: Location) -> list[object]:
        return [self.value(item, (*location, index)) for index, item in enumerate(node.value)]

    def _scalar(self, node: yaml.ScalarNode, location: Location) -> object:
        if node.tag == "tag:yaml.org,2002:str":
            return node.value
        if node.tag == "tag:yaml.org,2002:float":
            try:
                return Decimal(node.value.replace("_", ""))
            except InvalidOperation:
                pass  # .inf, .nan and base 60, which only YAML knows
        try:
            return self._scalars.construct_object(node)
        except (ValueError, yaml.YAMLError):
            kind = node.tag.rsplit(":", 1)[-1]
            kind = _TAGS.get(kind, kind)
            what = f"`{node.value}` is not a valid {kind}"
            self._report(node, location, what, "Correct it, or put it in quotes if it is meant as text.")
            return None

    def _report(self, node: yaml.Node, location: Location, what: str, mend: str) -> None:
        self.problems.append(Problem(self.path, node.start_mark.line + 1, field_path(location), what, mend))


def _sentences(
    model: type[BaseModel], details: ErrorDetails, inside: Location, value: object
) -> tuple[str, str]:
    """What is wrong and how to mend it, in the words of the file's author."""
    context: Mapping[str, Any] = details.get("ctx", {})
    if details["type"] == _RULE:
        return str(context["what"]), str(context["mend"])
    name = next((str(part) for part in reversed(inside) if isinstance(part, str)), "")
    belongs = describe_field(model, inside)
    if details["type"] == "missing":
        return f"`{name}` is missing", f"Add `{name}`: {belongs}." if belongs else f"Add `{name}`."
    if details["type"] == "literal_error" and isinstance(value, str):
        return f"`{_short(value)}` is no {name.replace('_', ' ')}", pick_from(value, choices(model, inside))
    if details["type"] == "extra_forbidden":
        return f"`{name}` is not a field here", pick_from(name, field_names(model, inside[:-1]))
    shown = (
        f"`{name}`" if isinstance(value, dict | list) or holds_secret(model, inside) else f"`{_short(value)}`"
    )
    kind = _KINDS.get(details["type"])
    if value is None:
        what = f"`{name}` is empty"
    elif kind is not None:
        what = f"{shown} is not {kind}"
    else:
        what = f"{shown} does not fit: {details['msg'][:1].lower()}{details['msg'][1:]}"
    quoted = (
        ' Put it in quotes: "..".'
        if details["type"] == "string_type" and isinstance(value, int | Decimal)
        else ""
    )
    return what, (
        f"`{name}` is {belongs}." if belongs else f"Correct `{name}`." if name else "Correct it."
    ) + quoted


def _short(value: object) -> str:
    text = "true" if value is True else "false" if value is False else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
