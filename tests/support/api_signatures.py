"""Tell whether the API reference shows the constructors of data classes."""

from __future__ import annotations

import dataclasses
import html
import importlib
import re
from collections.abc import Iterator

API = ("signer", "catalogs", "testcerts")
"""The packages with public names."""


def data_classes() -> Iterator[tuple[str, list[str]]]:
    """Yield the public data classes, and the parameters of their constructors."""
    for package in API:
        module = importlib.import_module(package)
        for name in module.__all__:
            found = getattr(module, name)
            if isinstance(found, type) and dataclasses.is_dataclass(found) and "__init__" in vars(found):
                yield f"{package}.{name}", [one.name for one in dataclasses.fields(found) if one.init]


def has_signature(page: str, name: str, parameters: list[str]) -> bool:
    """Return whether a page shows the constructor of a class with these parameters below its heading."""
    below = page.partition(f'id="{name}"')[2].partition("</pre>")[0]
    code = html.unescape(re.sub(r"<[^>]+>", "", below.rpartition("<pre")[2]))
    signature = code.partition(name.rpartition(".")[2])[2]
    return all(re.search(rf"[(\s]{one}: ", signature) for one in parameters)
