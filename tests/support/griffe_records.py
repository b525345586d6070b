"""Extension of griffe, which reads the code for the API reference: `signer.records.dataclass` makes data classes too.

griffe knows only `dataclasses.dataclass`, and shows constructors of classes with another decorator without parameters.
"""

from __future__ import annotations

from typing import Any

import griffe

_OURS = "signer.records.dataclass"


class Records(griffe.Extension):
    """Replaces the decorator before griffe's own extension looks for data classes."""

    def on_class_instance(self, *, cls: griffe.Class, **_: Any) -> None:
        """Replace the decorator of a class that was read."""
        for decorator in cls.decorators:
            if decorator.callable_path == _OURS:
                standard = griffe.ExprName("dataclass", parent=griffe.ExprName("dataclasses"))
                arguments = decorator.value.arguments if isinstance(decorator.value, griffe.ExprCall) else []
                decorator.value = griffe.ExprCall(standard, arguments)
