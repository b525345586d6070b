"""Declare options that several commands share once: a dataclass whose fields are options.

Typer reads the signature of a function. A parameter whose type is a dataclass is spread out into one option per field
before Typer sees it, and put together again when the command runs.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from signer.cli.output import Output
from signer.cli.standard_streams import check_streams


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Replace each dataclass parameter by the dataclass's fields, for Typer to read."""
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, type[Any]] = {}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(function).parameters.items():
        kind = hints[name]
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            groups[name] = kind
            parameters += _fields(kind)
        else:
            parameters.append(_keyword(name, kind, parameter.default))

    def run(**values: Any) -> None:
        given = dict(values)
        for name, kind in groups.items():
            values[name] = kind(**{field.name: values.pop(field.name) for field in dataclasses.fields(kind)})
        check_streams(parameters, given, next((one for one in values.values() if isinstance(one, Output)), None))
        function(**values)

    run.__name__ = function.__name__
    run.__doc__ = _unwrapped(inspect.getdoc(function) or "")
    run.__module__ = function.__module__
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # the attribute of PEP 362
    return run


def examples(*lines: str) -> str:
    """Format calls of a command as the text below its help, one a line."""
    return "\n\n".join((f"Example{'s' if len(lines) > 1 else ''}:", *lines))


def _unwrapped(text: str) -> str:
    """Put each paragraph on one line, because Typer keeps the line feeds of all but the first."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _fields(kind: type[Any]) -> list[inspect.Parameter]:
    """Return a keyword parameter for each field of a dataclass."""
    hints = get_type_hints(kind, include_extras=True)
    return [_keyword(field.name, hints[field.name], _default(field)) for field in dataclasses.fields(kind)]


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    for information in getattr(annotation, "__metadata__", ()):
        if hasattr(information, "readable"):
            information.readable = False  # an unreadable file is not a usage error: the command reports it
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
