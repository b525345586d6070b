"""Check that a call reads the standard input once, and writes one result to the standard output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from inspect import Parameter
from pathlib import Path
from typing import Any

from signer.cli.output import Output
from signer.cli.param_types import to_file, to_input, to_output
from signer.errors import UsageError
from signer.storage.streams import STANDARD, is_standard_output


def check_streams(parameters: Iterable[Parameter], values: Mapping[str, Any], output: Output | None) -> None:
    """Raise UsageError if two arguments name the standard input, or two results go to the standard output."""
    read, written = [], []
    for parameter in parameters:
        value = values.get(parameter.name)
        paths = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Path)]
        for label, parser in _declared(parameter):
            if parser in (to_input, to_file) and STANDARD in paths:
                read.append(label)
            if parser is to_output and any(map(is_standard_output, paths)):
                written.append(label)
    if len(read) > 1:
        raise UsageError(
            f"{' and '.join(read)} can't both be the standard input", hint="Name a file for all of them but one."
        )
    if len(written) > 1:
        raise UsageError(
            f"{' and '.join(written)} can't both be the standard output", hint="Name a file for all of them but one."
        )
    if written and output is not None:
        output.reserve_stdout(written[0])


def _declared(parameter: Parameter) -> Iterable[tuple[str, Any]]:
    """Yield the name and the parser of a parameter's declaration: the long option, or the metavar of an argument."""
    for about in getattr(parameter.annotation, "__metadata__", ()):
        names = (getattr(about, "default", None), *(getattr(about, "param_decls", None) or ()))
        option = next((name for name in names if isinstance(name, str) and name.startswith("--")), None)
        yield option or getattr(about, "metavar", None) or parameter.name, getattr(about, "parser", None)
