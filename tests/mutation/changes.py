"""Small changes of a module's mathematics, each one a slip that a person could have made.

Left alone is what no mathematics hangs on: text, annotations, decorators (caches), error messages, imports, the switches in
`DISPLAY`, which decide how something is shown or how strictly a loop is checked.
"""

from __future__ import annotations

import ast
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from replacements import replacements

Site = tuple[ast.AST, str, int | None]
"""A place in a tree: a parent, its field, and the position where the field is a list."""

DISPLAY = {
    "evaluate",
    "strict",
    "maxsize",
    "default",
    "init",
    "repr",
    "dtype",
    "device",
    "text",
    "latex",
    "id",
    "factor",
}
WIDEST = 88


@dataclass(frozen=True)
class Change:
    """One change of one module.

    Args:
        where: the function or class it is in, dotted, or "module".
        what: the expression before and after, with its number where the same change occurs again in the same function.
        line: of the source.
        source: the whole module, changed.
    """

    where: str
    what: str
    line: int
    source: str


def changes(source: str) -> list[Change]:
    """Every change of a module, in the order of its source."""
    tree = ast.parse(source)
    _mark_parents(tree)
    pieces = [ast.unparse(statement) for statement in tree.body]
    found: list[Change] = []
    numbers = Counter[tuple[str, str]]()
    for number, statement in enumerate(tree.body):
        seen = {pieces[number]}
        for parent, field, place, node in list(_sites(ast.Module([statement], []))):
            others = list(replacements(node, parent, field))
            shown = _shown_around(node) if others else node
            before = ast.unparse(shown) if others else ""
            for replacement in others:
                _put(parent, field, place, replacement)
                changed = ast.unparse(statement)
                # what is shown may be the node itself
                after = ast.unparse(replacement if shown is node else shown)
                _put(parent, field, place, node)
                if changed in seen:
                    continue
                seen.add(changed)
                where = _name_of(node)
                what = f"{' '.join(before.split())} -> {' '.join(after.split())}"
                numbers[where, what] += 1
                if numbers[where, what] > 1:
                    what = f"{what} (#{numbers[where, what]})"
                whole = "\n".join([*pieces[:number], changed, *pieces[number + 1 :]])
                found.append(Change(where, what, node.lineno, whole))
        assert ast.unparse(statement) == pieces[number]
    return found


def sampled(found: list[Change], most: int | None, seed: str) -> list[Change]:
    """At most so many of the changes, the same ones for the same seed, in the order of the source."""
    if most is None or most >= len(found):
        return found
    return [found[k] for k in sorted(random.Random(seed).sample(range(len(found)), most))]


# -------------------------------------------------------------------------------------- where and what
def _mark_parents(tree: ast.AST) -> None:
    for parent in ast.walk(tree):
        for child in ast.iter_child_nodes(parent):
            child.parent = parent  # type: ignore[attr-defined]


def _ancestors(node: ast.AST) -> Iterator[ast.AST]:
    while (node := getattr(node, "parent", None)) is not None:  # type: ignore[assignment]
        yield node


def _name_of(node: ast.AST) -> str:
    names = [each.name for each in _ancestors(node) if isinstance(each, ast.FunctionDef | ast.ClassDef)]
    return ".".join(reversed(names)) or "module"


def _shown_around(node: ast.expr) -> ast.expr:
    """The widest expression around a node that still fits on a line: a 2 alone would say nothing."""
    shown = node
    for around in _ancestors(node):
        if isinstance(around, ast.keyword | ast.comprehension):
            continue
        if not isinstance(around, ast.expr) or len(ast.unparse(around)) > WIDEST:
            break
        shown = around
    return shown


def _put(parent: ast.AST, field: str, place: int | None, node: ast.AST) -> None:
    if place is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[place] = node


def _sites(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.expr]]:
    """Every expression that mathematics hangs on, with the place it stands at."""
    for field, value in ast.iter_fields(tree):
        if _is_left_alone(tree, field):
            continue
        for place, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or isinstance(
                child, ast.JoinedStr | ast.Raise | ast.Import | ast.ImportFrom
            ):
                continue
            if isinstance(child, ast.keyword) and child.arg in DISPLAY:
                continue
            if isinstance(child, ast.expr):
                yield tree, field, place, child
            yield from _sites(child)


def _is_left_alone(node: ast.AST, field: str) -> bool:
    if field in (
        "decorator_list",
        "annotation",
        "returns",
        "ctx",
        "op",
        "ops",
        "type_comment",
        "type_params",
        "targets",
    ):
        return True
    if isinstance(node, ast.ClassDef) and field in ("bases", "keywords"):
        return True
    if isinstance(node, ast.Assign):
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        return "__all__" in names or _is_type(node.value)
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return True
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_type(value: ast.expr) -> bool:
    """Whether a value names a type: Callable[...], tuple[Expr, ...] or a union of such."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
        return _is_type(value.left)
    names = {
        "Callable",
        "Mapping",
        "Sequence",
        "tuple",
        "dict",
        "list",
        "Iterable",
        "Literal",
        "Float",
        "TypeVar",
        "Union",
    }
    return isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name) and value.value.id in names
