"""Our decorator makes classes that behave as those of `dataclasses.dataclass`."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
import typing
from collections.abc import Callable
from dataclasses import field
from functools import cached_property
from typing import Any

import pytest

from signer.records import dataclass as ours
from tests.support.files import ROOT

FORMS: dict[str, dict[str, bool]] = {
    "frozen-slots": {"frozen": True, "slots": True},
    "frozen": {"frozen": True},
    "plain": {},
    "slots": {"slots": True},
    "identity": {"frozen": True, "eq": False},
    "ordered": {"frozen": True, "slots": True, "order": True},
}


def point(decorate: Callable[..., Any], **form: bool) -> Any:
    """Return a class with every kind of field that this project uses."""

    @decorate(**form)
    class Point:
        """A point."""

        x: int
        y: int = 2
        name: str = field(default="", compare=False)
        hidden: str = field(default="secret", repr=False)
        made: list[int] = field(default_factory=list, compare=False)
        encoded: bytes = field(default=b"", init=False, repr=False, compare=False)
        only: int = field(default=0, kw_only=True, repr=False)

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("negative")

        @property
        def double(self) -> int:
            return 2 * self.x

    return Point


def outcome(call: Callable[[], Any]) -> Any:
    """Return what a call returns, or the type of what it raises."""
    try:
        return call()
    except (TypeError, ValueError, AttributeError) as error:
        return type(error)


CALLS: dict[str, Callable[[Any], Any]] = {
    "positional": lambda kind: dataclasses.astuple(kind(1, 3, "n", "h", [4], only=9)),
    "keywords": lambda kind: dataclasses.asdict(kind(y=3, x=1)),
    "keyword-only": lambda kind: kind(1, 2, "", "", [], 7),
    "too-few": lambda kind: kind(),
    "too-many": lambda kind: kind(1, 2, 3, 4, 5, 6, 7),
    "unknown": lambda kind: kind(1, z=3),
    "not-in-init": lambda kind: kind(1, encoded=b"x"),
    "post-init": lambda kind: kind(-1),
    "factory": lambda kind: kind(1).made is not kind(1).made,
    "repr": lambda kind: repr(kind(1, name="n")).partition("Point")[2],
    "equal": lambda kind: kind(1, name="a") == kind(1, name="b"),
    "unequal": lambda kind: kind(1) == kind(2),
    "other-type": lambda kind: (kind(1) == 1, kind(1) != 1, kind(1).__eq__(1)),
    "hash": lambda kind: len({kind(1, name="a"), kind(1, name="b"), kind(2)}),
    "order": lambda kind: sorted([kind(2), kind(1)])[0].x,
    "set": lambda kind: setattr(kind(1), "x", 5),
    "set-unknown": lambda kind: setattr(kind(1), "w", 5),
    "delete": lambda kind: delattr(kind(1), "x"),
    "replace": lambda kind: dataclasses.astuple(dataclasses.replace(kind(1), x=8)),
    "replace-unknown": lambda kind: dataclasses.replace(kind(1), z=8),
    "copy": lambda kind: copy.deepcopy(kind(1, made=[1])).made,
    "match": lambda kind: kind.__match_args__,
    "fields": lambda kind: [(one.name, one.type, one.init, one.kw_only) for one in dataclasses.fields(kind)],
    "signature": lambda kind: [str(one.kind) for one in inspect.signature(kind).parameters.values()],
    "required": lambda kind: [
        name for name, one in inspect.signature(kind).parameters.items() if one.default is inspect.Parameter.empty
    ],
    "hints": lambda kind: typing.get_type_hints(kind.__init__),
    "doc": lambda kind: (kind.__doc__, kind.__name__, kind.__init__.__qualname__.rpartition(".")[2]),
    "property": lambda kind: kind(3).double,
    "dict": lambda kind: hasattr(kind(1), "__dict__"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_it_behaves_as_the_standard_library_s(form: dict[str, bool], call: Callable[[Any], Any]) -> None:
    expected = outcome(lambda: call(point(dataclasses.dataclass, **form)))
    found = outcome(lambda: call(point(ours, **form)))
    if expected is TypeError and found is dataclasses.FrozenInstanceError:
        return  # an unknown name with frozen slots, where dataclasses fails with a message about super
    assert found == expected


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_it_behaves_the_same_after_many_objects(form: dict[str, bool], call: Callable[[Any], Any]) -> None:
    few, many = point(ours, **form), point(ours, **form)
    for number in range(20):
        many(number)
    assert outcome(lambda: call(many)) == outcome(lambda: call(few))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_methods_of_the_class_itself_stay(form: dict[str, bool]) -> None:
    @ours(**{**form, "order": False})
    class Own:
        """A class with methods of its own."""

        x: int

        def __init__(self) -> None:
            object.__setattr__(self, "x", 7)

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 5

    assert (repr(Own()), Own().x, Own() == 3, hash(Own())) == ("own", 7, True, 5)


@ours(frozen=True, slots=True)
class Base:
    """A record."""

    x: int


@ours(frozen=True, slots=True)
class Derived(Base):
    """A record with another field."""

    y: int = 1


@ours(frozen=True)
class Lazy:
    """A record with a value that is computed once."""

    x: int

    @cached_property
    def double(self) -> list[int]:
        return [self.x, self.x]


class Undecorated(Base):
    """A subclass that is no data class of its own."""

    __slots__ = ()


def test_subclasses_have_the_fields_of_their_bases() -> None:
    assert Derived(1, 2) == Derived(x=1, y=2) != Derived(1)
    assert Derived(1) != Base(1)
    assert Undecorated(4).x == 4
    assert repr(Undecorated(4)) == "Undecorated(x=4)"


@pytest.mark.parametrize("one", [Base(1), Derived(1, 2), Lazy(3), Undecorated(4)], ids=repr)
def test_objects_are_pickled(one: object) -> None:
    assert pickle.loads(pickle.dumps(one)) == one


def test_values_that_are_computed_once_are_kept() -> None:
    one = Lazy(3)
    assert one.double is one.double


def test_inspect_of_new_versions_finds_the_arguments() -> None:
    """Python 3.14 gets `__init__` from the dictionary of the class, and binds it to the class."""
    kind = point(ours, frozen=True)
    bound = kind.__dict__["__init__"].__get__(kind, type(kind))
    assert list(inspect.signature(bound).parameters) == ["x", "y", "name", "hidden", "made", "only"]


def test_init_is_compiled_after_threads_counted_below_zero() -> None:
    """Two threads that read the same count both subtract one."""
    kind = point(ours, frozen=True)
    kind.__dict__["__init__"]._general_calls = -1
    assert kind(4).x == 4
    assert inspect.isfunction(kind.__dict__["__init__"])


def test_nothing_is_compiled_before_a_class_has_many_objects() -> None:
    """The reason of the module: compiling takes most of the time of `dataclasses.dataclass`."""
    program = (
        "import builtins, sys\n"
        "from signer.records import dataclass\n"
        "calls = []\n"
        "compiled = builtins.exec\n"
        "builtins.exec = lambda *arguments: (calls.append(arguments), compiled(*arguments))\n"
        "@dataclass(frozen=True, slots=True)\n"
        "class Record:\n"
        "    '''A record.'''\n"
        "    x: int\n"
        "def made(count):\n"
        "    for number in range(count):\n"
        "        assert Record(number).x == number\n"
        "    return len(calls)\n"
        "print(made(0), made(12), made(1), made(1))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["0", "0", "1", "1"]
