"""Small changes of a module's mathematics, each one a slip that a person could have made.

Left alone is what no mathematics hangs on: text, annotations, decorators (caches), error messages, imports, the switches in
`DISPLAY`, which decide how something is shown or how strictly a loop is checked.
"""

from __future__ import annotations

import ast
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Site = tuple[ast.AST, str, int | None]
"""A place in a tree: a parent, its field, and the position where the field is a list."""

BINARY: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}
COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
PAIRS = (
    ("Max", "Min"),
    ("max", "min"),
    ("maximum", "minimum"),
    ("any", "all"),
    ("And", "Or"),
    ("Ge", "Gt"),
    ("Le", "Lt"),
    ("Eq", "Ne"),
    ("sin", "cos"),
    ("floor", "ceiling"),
    ("nonnegative", "positive"),
    ("mT", ""),
    ("T", ""),
)
RENAMED = {a: b for one, other in PAIRS for a, b in ((one, other), (other, one)) if a and b}
"""Functions taken for their neighbours; a sign or a strictness is decided by a function of this name too."""

DROPPED_FUNCTIONS = {"sqrt", "log", "exp", "abs", "Abs", "Not", "tuple_reversed", "Inverse"}
"""f(x) becomes x."""

DROPPED_METHODS = {"square", "sqrt", "log", "exp", "abs", "conjugate", "transpose", "cumsum", "sort"}
"""x.f() becomes x."""

TRANSPOSES = {"T", "mT"}
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
SYMMETRIC = {
    "equal",
    "same",
    "sums_equal",
    "written_out",
    "differs",
    "gcd",
    "isclose",
    "allclose",
    "Poly",
    "Claim",
    "Assumption",
    "has",
    "broadcast_shapes",
}
"""Functions whose arguments are not swapped: it would change nothing, or break at once."""

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
    original = ast.unparse(tree)
    found: list[Change] = []
    seen, numbers = {original}, Counter[tuple[str, str]]()
    for parent, field, place, node in list(_sites(tree)):
        for replacement in list(_replacements(node, parent, field)):
            shown = _shown_around(node)
            before = ast.unparse(shown)
            _put(parent, field, place, replacement)
            changed = ast.unparse(tree)
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
            found.append(Change(where, what, node.lineno, changed))
    assert ast.unparse(tree) == original
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


# ---------------------------------------------------------------------------------------- replacements
def _replacements(node: ast.expr, parent: ast.AST, field: str) -> Iterator[ast.expr]:
    maker = _MAKERS.get(type(node))
    if maker is not None:
        yield from maker(node)
    if isinstance(parent, ast.If | ast.While | ast.IfExp | ast.comprehension) and field in ("test", "ifs"):
        if not isinstance(node, ast.Compare | ast.BoolOp) or len(getattr(node, "ops", ())) > 1:
            yield ast.UnaryOp(ast.Not(), node)
    if isinstance(parent, ast.Return) and isinstance(node, ast.BinOp):
        yield ast.UnaryOp(ast.USub(), node)


def _of_binary(node: ast.BinOp) -> Iterator[ast.expr]:
    for other in BINARY.get(type(node.op), ()):
        yield ast.BinOp(node.left, other(), node.right)
    if isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.Pow | ast.BitAnd | ast.BitOr):
        yield node.left
    if isinstance(node.op, ast.Add | ast.Mult | ast.BitAnd | ast.BitOr):
        yield node.right


def _of_unary(node: ast.UnaryOp) -> Iterator[ast.expr]:
    if isinstance(node.op, ast.USub | ast.Not):
        yield node.operand


def _of_comparison(node: ast.Compare) -> Iterator[ast.expr]:
    for place, op in enumerate(node.ops):
        for other in COMPARED[type(op)]:
            yield ast.Compare(node.left, [*node.ops[:place], other(), *node.ops[place + 1 :]], node.comparators)


def _of_connective(node: ast.BoolOp) -> Iterator[ast.expr]:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for place in range(len(node.values)):
        rest = [value for other, value in enumerate(node.values) if other != place]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _of_constant(node: ast.Constant) -> Iterator[ast.expr]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
        if value > 0:
            yield ast.Constant(value - 1)
    elif isinstance(value, float):
        yield ast.Constant(2 * value)


def _of_choice(node: ast.IfExp) -> Iterator[ast.expr]:
    if not all(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in (node.body, node.orelse)):
        yield ast.IfExp(node.test, node.orelse, node.body)


def _of_call(node: ast.Call) -> Iterator[ast.expr]:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    plain = [argument for argument in node.args if not isinstance(argument, ast.Starred)]
    if name in RENAMED:
        yield ast.Call(_renamed(node.func, RENAMED[name]), node.args, node.keywords)
    if name in DROPPED_FUNCTIONS and len(plain) == 1 and isinstance(node.func, ast.Name | ast.Attribute):
        if not isinstance(node.func, ast.Attribute) or isinstance(node.func.value, ast.Name):
            yield plain[0]
    if name in DROPPED_METHODS and not node.args and isinstance(node.func, ast.Attribute):
        yield node.func.value
    for place in range(len(node.args) - 1):
        one, other = node.args[place : place + 2]
        plain_names = all(
            isinstance(each, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp) for each in (one, other)
        )
        if plain_names and name not in SYMMETRIC | RENAMED.keys() and ast.unparse(one) != ast.unparse(other):
            yield ast.Call(node.func, [*node.args[:place], other, one, *node.args[place + 2 :]], node.keywords)


def _renamed(function: ast.expr, name: str) -> ast.expr:
    return ast.Name(name) if isinstance(function, ast.Name) else ast.Attribute(function.value, name)  # type: ignore[attr-defined]


def _of_attribute(node: ast.Attribute) -> Iterator[ast.expr]:
    if node.attr in TRANSPOSES:
        yield node.value


_MAKERS: dict[type[ast.expr], Callable[..., Iterator[ast.expr]]] = {
    ast.BinOp: _of_binary,
    ast.UnaryOp: _of_unary,
    ast.Compare: _of_comparison,
    ast.BoolOp: _of_connective,
    ast.Constant: _of_constant,
    ast.IfExp: _of_choice,
    ast.Call: _of_call,
    ast.Attribute: _of_attribute,
}
