"""Data classes whose methods are made when they are first used.

`dataclasses.dataclass` compiles six methods of every class while its module is imported: 0.5 ms a class with Python
3.11, a quarter of the time that `drvsign verify` takes for one driver (bench/PROFILE.md). This decorator is the same to
type checkers and to `dataclasses.fields`, `replace` and `asdict`, but compiles only `__init__`, of classes in use.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

_T = TypeVar("_T")


def _dataclass(
    *, frozen: bool = False, slots: bool = False, eq: bool = True, order: bool = False
) -> Callable[[type[_T]], type[_T]]:
    """Return the decorator; the arguments are those of `dataclasses.dataclass`."""

    def decorate(cls: type[_T]) -> type[_T]:
        own = {name for name, value in cls.__dict__.items() if value is not None}
        made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
        for name, method in _methods(made, frozen, slots, eq, order).items():
            if name not in own:
                setattr(made, name, method)
        return made

    return decorate


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    dataclass = _dataclass


def _methods(cls: type[Any], frozen: bool, slots: bool, eq: bool, order: bool) -> dict[str, Any]:
    """Return the methods of a data class."""
    methods: dict[str, Any] = {"__init__": _DeferredInit(cls, frozen), "__repr__": _repr}
    if frozen:
        methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
    if frozen and slots:
        methods |= {"__getstate__": _state, "__setstate__": _restore}
    values = _values([one.name for one in dataclasses.fields(cls) if one.compare])
    if eq:
        methods |= {"__eq__": _comparison(values, operator.eq), "__hash__": _hash(values) if frozen else None}
    if order:
        methods |= {
            f"__{one.__name__}__": _comparison(values, one)
            for one in (operator.lt, operator.le, operator.gt, operator.ge)
        }
    return methods


class _DeferredInit:
    """Compile `__init__` of a class when it is first looked up, by a call or by `inspect`, and replace this object."""

    def __init__(self, cls: type[Any], frozen: bool) -> None:
        self._cls, self._frozen = cls, frozen

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        made = _initializer(self._cls, self._frozen)
        self._cls.__init__ = made
        return made.__get__(instance, owner)


def _initializer(cls: type[Any], frozen: bool) -> Any:
    """Compile the `__init__` of a data class."""
    fields = dataclasses.fields(cls)
    positional = [_parameter(one) for one in fields if one.init and not one.kw_only]
    keywords = [_parameter(one) for one in fields if one.init and one.kw_only]
    names: dict[str, Any] = {"_set": object.__setattr__, "_MISSING": dataclasses.MISSING}
    lines = [f"def __init__({', '.join(['self', *positional, *(['*', *keywords] if keywords else [])])}):"]
    for one in fields:
        names |= {f"_default_{one.name}": one.default, f"_make_{one.name}": one.default_factory}
        lines.append(f"_set(self, {one.name!r}, {_value(one)})" if frozen else f"self.{one.name} = {_value(one)}")
    lines.append("self.__post_init__()" if hasattr(cls, "__post_init__") else "pass")
    exec("\n  ".join(lines), names)  # noqa: S102 - the source is made of the names of fields, as in dataclasses
    made = names["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = {one.name: one.type for one in fields if one.init} | {"return": None}
    return made


def _parameter(one: dataclasses.Field[Any]) -> str:
    """Return the source of the parameter for a field."""
    if one.default_factory is not dataclasses.MISSING:
        return f"{one.name}=_MISSING"
    return one.name if one.default is dataclasses.MISSING else f"{one.name}=_default_{one.name}"


def _value(one: dataclasses.Field[Any]) -> str:
    """Return the source of the value that a field gets."""
    if one.default_factory is dataclasses.MISSING:
        return one.name if one.init else f"_default_{one.name}"
    made = f"_make_{one.name}()"
    return f"{made} if {one.name} is _MISSING else {one.name}" if one.init else made


def _values(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that returns the values of these fields of an object."""
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda one: tuple(getattr(one, name) for name in names)


def _comparison(
    values: Callable[[Any], tuple[Any, ...]], compare: Callable[[Any, Any], bool]
) -> Callable[[Any, Any], bool]:
    return lambda self, other: compare(values(self), values(other)) if type(other) is type(self) else NotImplemented


def _hash(values: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any], int]:
    return lambda self: hash(values(self))


def _repr(self: Any) -> str:
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in dataclasses.fields(self) if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(self: Any, name: str, value: object = None) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot change field {name!r} of a frozen {type(self).__name__}")


def _state(self: Any) -> list[Any]:
    """Return what pickle saves of a frozen object with slots."""
    return [getattr(self, one.name) for one in dataclasses.fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for one, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)
