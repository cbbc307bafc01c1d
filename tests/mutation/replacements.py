"""What one expression may be replaced by: each time by a slip that a person could have made."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

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


def replacements(node: ast.expr, parent: ast.AST, field: str) -> Iterator[ast.expr]:
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
