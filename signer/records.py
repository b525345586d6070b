"""Data classes whose methods are made when they are used.

`dataclasses.dataclass` compiles six methods of every class while its module is imported: 0.5 ms a class with Python
3.11, a quarter of the time that `drvsign verify` takes for one driver (bench/PROFILE.md). This decorator is the same to
type checkers and to `dataclasses.fields`, `replace` and `asdict`. It compiles only `__init__`, of classes with many
objects: compiling takes as long as initializing a hundred of them by a general function.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable
from dataclasses import MISSING, Field
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

_T = TypeVar("_T")

_FIELDS = "__dataclass_fields__"
"""The attribute of a class in which `dataclasses` looks for its fields."""
_GENERAL_CALLS = 12
"""Number of objects of a class that are initialized before its `__init__` is compiled."""


def _dataclass(
    *, frozen: bool = False, slots: bool = False, eq: bool = True, order: bool = False
) -> Callable[[type[_T]], type[_T]]:
    """Return the decorator; the arguments are those of `dataclasses.dataclass`."""

    def decorate(cls: type[_T]) -> type[_T]:
        fields = _Fields(cls)
        own = {name for name, value in cls.__dict__.items() if value is not None}
        made = _with_values(cls, fields, slots)
        for name, method in _methods(made, fields, frozen, slots, eq, order).items():
            if name not in own:
                setattr(made, name, method)
        return made

    return decorate


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    dataclass = _dataclass


class _Fields:
    """The fields of a class by name. `dataclasses`, which looks for its own kind in the class, gets it on demand."""

    def __init__(self, cls: type[Any]) -> None:
        self.own: dict[str, Field[Any]] = {}
        for name, kind in cls.__annotations__.items():
            value = cls.__dict__.get(name, MISSING)
            if not str(kind).startswith("ClassVar"):
                self.own[name] = value if isinstance(value, Field) else dataclasses.field(default=value)
        self.all, self.types = self.own, cls.__annotations__
        for base in cls.__mro__[1:-1]:
            inherited = base.__dict__.get(_FIELDS)
            if inherited is not None:
                self.all, self.types = inherited.all | self.all, inherited.types | self.types
        accepted = {name: one for name, one in self.all.items() if one.init}
        self.positional = [name for name, one in accepted.items() if one.kw_only is not True]
        self.arguments = accepted.keys()
        self.required = {
            name for name, one in accepted.items() if one.default is MISSING and one.default_factory is MISSING
        }
        self._standard: dict[str, Field[Any]] | None = None

    def __get__(self, instance: object, owner: type[Any]) -> dict[str, Field[Any]]:
        if self._standard is None:
            about = {"__doc__": owner.__doc__, "__module__": owner.__module__, "__annotations__": self.types}
            plain = type(owner.__name__, (), {**about, **self.all})
            self._standard = getattr(dataclasses.dataclass(init=False, repr=False, eq=False)(plain), _FIELDS)
        return self._standard

    def compared(self) -> Callable[[Any], tuple[Any, ...]]:
        """Return a function that returns the values of an object that count for comparisons."""
        names = [name for name, one in self.all.items() if one.compare]
        if len(names) > 1:
            return operator.attrgetter(*names)
        return lambda one: tuple(getattr(one, name) for name in names)


def _with_values(cls: type[_T], fields: _Fields, slots: bool) -> type[_T]:
    """Return the class with the fields' default values as attributes, or with slots: a new class without these."""
    if slots:
        namespace = {name: value for name, value in cls.__dict__.items() if name not in fields.own}
        namespace.pop("__dict__", None)
        namespace.pop("__weakref__", None)
        namespace["__slots__"] = tuple(name for name in fields.own if not hasattr(cls.__base__, name))
        kind: Any = type(cls)
        made: type[_T] = kind(cls.__name__, cls.__bases__, namespace)
        made.__qualname__ = cls.__qualname__
        return made
    for name, one in fields.own.items():
        if one.default is not MISSING:
            setattr(cls, name, one.default)
        elif name in cls.__dict__:
            delattr(cls, name)
    return cls


def _methods(cls: type[Any], fields: _Fields, frozen: bool, slots: bool, eq: bool, order: bool) -> dict[str, Any]:
    """Return the methods of a data class, and the other attributes that `dataclasses` gives it."""
    methods: dict[str, Any] = {
        _FIELDS: fields,
        "__match_args__": tuple(fields.positional),
        "__init__": _Initializer(cls, fields, frozen),
        "__repr__": _repr,
    }
    if frozen:
        methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
    if frozen and slots:
        methods |= {"__getstate__": _state, "__setstate__": _restore}
    if eq:
        values = fields.compared()
        methods |= {"__eq__": _comparison(values, operator.eq), "__hash__": _hash(values) if frozen else None}
    if order:
        methods |= {
            f"__{one.__name__}__": _comparison(fields.compared(), one)
            for one in (operator.lt, operator.le, operator.gt, operator.ge)
        }
    return methods


class _Initializer:
    """Initialize the first objects of a class; then compile its `__init__`, which replaces this object.

    Wrong arguments and `inspect` get the compiled one as well.
    """

    def __init__(self, cls: type[Any], fields: _Fields, frozen: bool) -> None:
        self._cls, self._fields, self._frozen = cls, fields, frozen
        self._general_calls = _GENERAL_CALLS

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        # `inspect` of new versions of Python passes the class as the instance.
        if isinstance(instance, self._cls) and self._general_calls > 0:  # threads may count below 0
            self._general_calls -= 1
            return partial(self._initialize, instance)
        return self._compiled().__get__(instance, owner)

    def _compiled(self) -> Any:
        self._cls.__init__ = _compiled_init(self._cls, self._fields, self._frozen)
        return self._cls.__init__

    def _initialize(self, instance: Any, /, *arguments: Any, **named: Any) -> None:
        fields = self._fields
        given = dict(zip(fields.positional, arguments, strict=False)) | named
        if len(given) < len(arguments) + len(named) or not fields.required <= given.keys() <= fields.arguments:
            self._compiled()(instance, *arguments, **named)
            return
        for name, one in fields.all.items():
            object.__setattr__(instance, name, given[name] if name in given else _default(one))
        if hasattr(instance, "__post_init__"):
            instance.__post_init__()


def _default(one: Field[Any]) -> Any:
    """Return the value of a field that was not given."""
    return one.default if one.default_factory is MISSING else one.default_factory()


def _compiled_init(cls: type[Any], fields: _Fields, frozen: bool) -> Any:
    """Compile the `__init__` of a data class, without the fields as `dataclasses` has them, which take longer."""
    positional = [_parameter(name, fields.all[name]) for name in fields.positional]
    keywords = [_parameter(name, fields.all[name]) for name in fields.arguments if name not in fields.positional]
    names: dict[str, Any] = {"_set": object.__setattr__, "_MISSING": MISSING}
    lines = [f"def __init__({', '.join(['self', *positional, *(['*', *keywords] if keywords else [])])}):"]
    for name, one in fields.all.items():
        names |= {f"_default_{name}": one.default, f"_make_{name}": one.default_factory}
        lines.append(f"_set(self, {name!r}, {_value(name, one)})" if frozen else f"self.{name} = {_value(name, one)}")
    lines.append("self.__post_init__()" if hasattr(cls, "__post_init__") else "pass")
    exec("\n  ".join(lines), names)  # noqa: S102 - the source is made of the names of fields, as in dataclasses
    made = names["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = {name: fields.types[name] for name in fields.arguments} | {"return": None}
    return made


def _parameter(name: str, one: Field[Any]) -> str:
    """Return the source of the parameter for a field."""
    if one.default_factory is not MISSING:
        return f"{name}=_MISSING"
    return name if one.default is MISSING else f"{name}=_default_{name}"


def _value(name: str, one: Field[Any]) -> str:
    """Return the source of the value that a field gets."""
    if one.default_factory is MISSING:
        return name if one.init else f"_default_{name}"
    made = f"_make_{name}()"
    return f"{made} if {name} is _MISSING else {name}" if one.init else made


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
