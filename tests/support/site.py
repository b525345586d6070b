"""Hooks of mkdocs: pages that are elsewhere in the checkout, and the API reference from the docstrings.

The links between docs/ and the top of the checkout become links between pages.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

from tests.support.api_signatures import API, data_classes, has_signature

ROOT = Path(__file__).resolve().parents[2]
TOP = {"README.md": "index.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
TOP |= {"SECURITY.md": "SECURITY.md", "LICENSE": "LICENSE"}
"""Files at the top of the checkout, and their place in the site."""


def on_files(files: Any, config: Any) -> Any:
    """Add the files at the top and the API reference to those of docs/."""
    for name, place in TOP.items():
        files.append(File.generated(config, place, content=(ROOT / name).read_text("utf-8")))
    files.append(File.generated(config, "api-reference.md", content="\n".join(api_reference())))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Make links between docs/ and the top of the checkout links between pages."""
    at_top = page.file.src_uri in TOP.values()
    return re.sub(r"\]\(((?:\.\./|docs/)?)([^)#:]+)", lambda link: _link(link[1], link[2], at_top=at_top), markdown)


def on_page_content(content: str, page: Any, **_: Any) -> str:
    """Require the signature of every public data class. Raises PluginError, which ends the build."""
    if page.file.src_uri == "api-reference.md":
        missing = [name for name, fields in data_classes() if not has_signature(content, name, fields)]
        if missing:
            raise PluginError(f"API reference: constructors without their parameters: {', '.join(missing)}")
    return content


def _link(folder: str, name: str, *, at_top: bool) -> str:
    if folder == "docs/" and at_top:
        return f"]({name}"
    if name in TOP and (folder == "../" or at_top):
        return f"]({TOP[name]}"
    return f"]({folder}{name}"


def api_reference() -> Iterator[str]:
    """Yield the page with every public name of the packages, for mkdocstrings to expand."""
    yield "# API reference\n\nEvery public name, from its docstring. [api.md](api.md) shows them in use.\n"
    for package in API:
        yield f"## {package}\n"
        yield from (f"::: {package}.{name}\n" for name in importlib.import_module(package).__all__)
