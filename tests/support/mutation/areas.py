"""The code that is mutated, the tests that must notice, and the mutants of a module."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

ROOT = Path(__file__).resolve().parents[3]
TESTS = {
    "signer/verify": "tests/signer/verify -k 'not no_changed_byte and not mangled'",
    "signer/trust": "tests/signer/trust -k 'not hostile and not corpus_roots'",
    "signer/policy": "tests/signer/policy --ignore tests/signer/policy/si_policy -k 'not invariants'",
    "signer/policy/si_policy": "tests/signer/policy/si_policy -k 'not byte_changed and not changed_policy'",
    "signer/pkcs7": "tests/signer/pkcs7 tests/signer/verify -k 'not fuzz and not http_post and not no_changed_byte'",
    "signer/pkcs7/http_post.py": "tests/signer/pkcs7/test_http_post.py",
    "signer/formats": "tests/signer/formats",
    "catalogs/verification/release_check.py": "tests/catalogs/verification/test_release_check.py",
}
"""For each area of code, the arguments of pytest for its tests: those of its package, without the slowest.

The longest name that fits a module counts.
"""
OPERATORS = frozenset(
    {
        *("AddNot", "ReplaceUnaryOperator_Delete_Not", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
        *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
        *("ExceptionReplacer", "NumberReplacer", "ZeroIterationForLoop"),
        *("ReplaceComparisonOperator_Eq_NotEq", "ReplaceComparisonOperator_NotEq_Eq"),
        *("ReplaceComparisonOperator_Is_IsNot", "ReplaceComparisonOperator_IsNot_Is"),
        *("ReplaceComparisonOperator_Lt_LtE", "ReplaceComparisonOperator_Lt_GtE"),
        *("ReplaceComparisonOperator_LtE_Lt", "ReplaceComparisonOperator_LtE_Gt"),
        *("ReplaceComparisonOperator_Gt_GtE", "ReplaceComparisonOperator_Gt_LtE"),
        *("ReplaceComparisonOperator_GtE_Gt", "ReplaceComparisonOperator_GtE_Lt"),
        *("ReplaceBinaryOperator_Add_Sub", "ReplaceBinaryOperator_Sub_Add", "ReplaceBinaryOperator_Mul_FloorDiv"),
        *("ReplaceBinaryOperator_BitOr_BitAnd", "ReplaceBinaryOperator_BitAnd_BitOr"),
        *("ReplaceBinaryOperator_LShift_RShift", "ReplaceBinaryOperator_RShift_LShift"),
    }
)
"""Of Cosmic Ray's operators, one for each way to get a condition, a boundary or a number wrong."""


def area_of(module: str) -> str:
    """Return the area of a module, a key of TESTS."""
    return max((name for name in TESTS if module == name or module.startswith(f"{name}/")), key=len)


def modules(only: Iterable[str]) -> list[str]:
    """Return the modules to mutate, all or those in the places named. Ends the program if there are none."""
    every = sorted(
        path.relative_to(ROOT).as_posix()
        for name in TESTS
        for path in ([ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*.py"))
        if path.name != "__init__.py"
    )
    places = [place.rstrip("/") for place in only]
    chosen = [one for one in dict.fromkeys(every) if not places or any(f"{one}/".startswith(f"{p}/") for p in places)]
    return chosen or sys.exit(f"nothing to mutate in {' '.join(places)}; choose from {' '.join(TESTS)}")


@dataclass(frozen=True)
class Mutant:
    """A place in a module that an operator changes."""

    operator: str
    occurrence: int
    """Number of the place among those of the operator."""
    begin: tuple[int, int]
    """Line, from 1, and column, from 0."""
    end: tuple[int, int]
    unit: str
    """Digest of the function, method or statement that is changed: the rest of the module may change meanwhile."""
    number: int
    """Number of the place among those of the operator in the unit."""

    @property
    def key(self) -> str:
        """The name of the mutant among those of its module, which edits elsewhere in the module leave alone."""
        return f"{self.operator} {self.number} {self.unit}"

    def of(self, source: str) -> str | None:
        """Return the module with the change; None where the operator can't make it: `except (a.b, c)`."""
        try:
            changed: str | None = mutate_code(source, get_operator(f"core/{self.operator}")(), self.occurrence)
        except AttributeError:
            return None
        return changed


@cache
def mutants(module: str) -> tuple[Mutant, ...]:
    """Return the mutants of a module, without those that change no behavior that a test could see."""
    source = (ROOT / module).read_text(encoding="utf-8")
    return tuple(mutants_of(source))


def mutants_of(source: str) -> Iterator[Mutant]:
    """Yield the mutants of a source text."""
    tree = ast.parse(source)
    spans, units = list(_left_out(tree)), dict(_units(tree, source.splitlines()))
    nodes = list(ast_nodes(get_ast(source)))
    seen = Counter[tuple[str, str]]()
    for name in sorted(OPERATORS):
        for number, (begin, end) in enumerate(_places(name, nodes)):
            unit = units.get(begin[0], "")
            one = Mutant(name, number, begin, end, unit, seen[name, unit])
            seen[name, unit] += 1
            left_out = any(first <= begin < last for first, last in spans)
            if not left_out and not _is_made_otherwise(one, source) and _is_code(one, source):
                yield one


def _is_made_otherwise(mutant: Mutant, source: str) -> bool:
    """Return whether AddNot turns a comparison or a `not` around, which other operators do as well."""
    if mutant.operator != "AddNot":
        return False
    (first, begin), (last, end) = mutant.begin, mutant.end
    lines = source.splitlines()[first - 1 : last]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][begin:]
    condition = ast.parse(f"({' '.join(lines)})", mode="eval").body
    if isinstance(condition, ast.Compare):
        return not isinstance(condition.ops[0], (ast.In, ast.NotIn)) and len(condition.ops) == 1
    return isinstance(condition, ast.UnaryOp) and isinstance(condition.op, ast.Not)


def _is_code(mutant: Mutant, source: str) -> bool:
    """Return whether a change is possible: not in `except (a.b, c)`, nor of the `*` before parameters."""
    if mutant.operator not in ("ExceptionReplacer", "ReplaceBinaryOperator_Mul_FloorDiv"):
        return True
    changed = mutant.of(source)
    with contextlib.suppress(SyntaxError):
        return changed is not None and bool(ast.parse(changed))
    return False


def first_line(node: ast.stmt) -> int:
    """Return the first line of a statement, that of its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])


def _units(tree: ast.Module, lines: list[str]) -> Iterator[tuple[int, str]]:
    """Yield every line with the digest of the function, method or statement that it belongs to."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    for node in [*tree.body, *(inner for one in classes for inner in one.body)]:
        begin, end = first_line(node), node.end_lineno or node.lineno
        if isinstance(node, ast.ClassDef):
            end = first_line(node.body[0]) - 1
        digest = hashlib.sha256("\n".join(lines[begin - 1 : end]).encode()).hexdigest()[:16]
        for line in range(begin, end + 1):
            yield line, digest


def _places(operator: str, nodes: list[Any]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    found = get_operator(f"core/{operator}")()
    for node in nodes:
        for begin, end in found.mutation_positions(node):
            yield tuple(begin), tuple(end)


def _left_out(tree: ast.AST) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield what no test could notice: annotations, typing, `@dataclass(frozen=True)`, strict, maxsize and repr."""
    for node in ast.walk(tree):
        option = node.value if isinstance(node, ast.keyword) and node.arg in ("strict", "maxsize", "repr") else None
        decorators = node.decorator_list if isinstance(node, ast.ClassDef) else []
        typing = node.test if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" else None
        for found in (getattr(node, "annotation", None), getattr(node, "returns", None), option, typing, *decorators):
            if isinstance(found, ast.expr):
                assert found.end_lineno is not None and found.end_col_offset is not None
                yield (found.lineno, found.col_offset), (found.end_lineno, found.end_col_offset)
