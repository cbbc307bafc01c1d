"""Matrix and trace polynomials with symbolic dimensions: normal form, equality, gradient, differential.

A matrix polynomial is a sum of words, a word a product of letters, a letter a symbol (or the inverse of an expression) with
a rational exponent, perhaps transposed. Under a trace a word is kept in one canonical form among its cyclic rotations and
its transpose. Equal normal forms mean equal expressions for all dimensions.

SymPy's own derivative of a sum of traces with respect to a MatrixSymbol is silently 0 (SymPy 1.14), hence this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import sympy
from sympy import Basic, Expr, Identity, MatAdd, MatMul, MatPow, MatrixExpr, MatrixSymbol, Trace, Transpose, ZeroMatrix

from derivations.notation import D0, SYMMETRIC, A, C, Mean, MeanMatrix, S_y, Sigma, SquaredNorm, d1, d2, noise, x, y


class Letter(NamedTuple):
    """A factor of a word: base^exponent, perhaps transposed."""

    base: MatrixExpr
    exponent: Expr
    transposed: bool

    def flipped(self) -> Letter:
        """The transpose of this letter."""
        return self if _is_symmetric(self.base) else self._replace(transposed=not self.transposed)

    def expression(self) -> MatrixExpr:
        """The letter as a SymPy matrix."""
        matrix = self.base if self.exponent == 1 else MatPow(self.base, self.exponent)
        return Transpose(matrix) if self.transposed else matrix


Word = tuple[Letter, ...]
Terms = dict[Word, Expr]
Facts = tuple[tuple[MatrixExpr, MatrixExpr], ...]
"""Equations (product, value) that may be used as rewriting rules."""

# The second moments of the data and of the encoder's noise, which is independent of the data and has mean zero.
MOMENTS: Facts = (
    (x * x.T, A),
    (y * x.T, C),
    (y * y.T, S_y),
    (noise * noise.T, Sigma),
    (noise * x.T, ZeroMatrix(d1, D0)),
    (noise * y.T, ZeroMatrix(d1, d2)),
)


def matrix_normal_form(matrix: MatrixExpr, facts: Facts = ()) -> Terms:
    """The matrix as a sum of words, rewritten by `facts` until none applies; zero is the empty sum."""
    return _rewritten(_read(matrix), _rules(facts))


def trace_normal_form(scalar: Expr, facts: Facts = ()) -> Terms:
    """A scalar linear in traces as a sum of canonical cyclic words; what has no trace stands under the empty word."""
    scalar = sympy.sympify(scalar)
    if not scalar.has(Trace, SquaredNorm, Mean):
        return _collect([((), _plain(scalar))])
    if isinstance(scalar, Trace):
        rules = _rules(facts)
        return _collect(
            (canonical, factor * value)
            for word, factor in _read(scalar.arg).items()
            for canonical, value in _cyclic(word, scalar.arg.shape[0], rules).items()
        )
    if isinstance(scalar, SquaredNorm):
        return trace_normal_form(Trace(Transpose(scalar.args[0]) * scalar.args[0]), facts)
    if isinstance(scalar, Mean):
        _check_order(trace_normal_form(scalar.args[0]), scalar)
        return trace_normal_form(scalar.args[0], MOMENTS + facts)
    if isinstance(scalar, sympy.Add):
        return _collect(pair for term in scalar.args for pair in trace_normal_form(term, facts).items())
    if isinstance(scalar, sympy.Mul):
        plain, traces = sympy.sift(scalar.args, lambda factor: factor.has(Trace, SquaredNorm, Mean), binary=True)[::-1]
        if len(traces) == 1:
            factor = _plain(sympy.Mul(*plain))
            return _collect((word, factor * value) for word, value in trace_normal_form(traces[0], facts).items())
    raise ValueError(f"{scalar} is not linear in traces; expand it into a sum of scalar multiples of single traces.")


def differs(left: sympy.Basic, right: sympy.Basic, facts: Facts = ()) -> Terms:
    """The normal form of left - right without the terms that simplify to 0: empty means that they are equal."""
    if isinstance(left, MatrixExpr) or isinstance(right, MatrixExpr):
        terms = matrix_normal_form(left - right, facts)
    else:
        terms = trace_normal_form(left - right, facts)
    return {word: factor for word, factor in terms.items() if sympy.simplify(factor) != 0}


def gradient(scalar: Expr, variable: MatrixSymbol) -> MatrixExpr:
    """The matrix of partial derivatives of a trace polynomial with respect to the entries of `variable`, taken as independent."""
    total: MatrixExpr = ZeroMatrix(*variable.shape)
    for word, factor in trace_normal_form(scalar).items():
        for place, letter in _occurrences(word, variable):
            rest = (*word[place + 1 :], *word[:place])
            total += factor * product(rest if letter.transposed else _transposed(rest), variable.shape[0])
    return total


def differential(scalar: Expr, directions: Mapping[MatrixSymbol, MatrixExpr]) -> Expr:
    """The derivative of a trace polynomial at all symbols of `directions` at once, each along its direction."""
    total = sympy.S.Zero
    for word, factor in trace_normal_form(scalar).items():
        for variable, direction in directions.items():
            for place, letter in _occurrences(word, variable):
                along = Transpose(direction) if letter.transposed else direction
                before, after = ([other.expression() for other in part] for part in (word[:place], word[place + 1 :]))
                total += factor * Trace(MatMul(*before, along, *after))
    return total


def product(word: Word, dimension: Expr | None = None) -> MatrixExpr:
    """The word as a SymPy matrix; the empty word is the identity of the given dimension."""
    return MatMul(*(letter.expression() for letter in word)) if word else Identity(dimension)


def _occurrences(word: Word, variable: MatrixSymbol) -> Iterable[tuple[int, Letter]]:
    for place, letter in enumerate(word):
        if letter.base == variable and letter.exponent == 1:
            yield place, letter
        elif letter.base.has(variable):
            raise ValueError(
                f"cannot differentiate {letter.expression()} with respect to {variable}: not a polynomial."
            )


def _is_symmetric(matrix: MatrixExpr) -> bool:
    if isinstance(matrix, MatrixSymbol):
        return matrix in SYMMETRIC
    return matrix.shape[0] == matrix.shape[1] and _read(matrix) == _read(Transpose(matrix).doit())


@lru_cache(maxsize=4096)
def _read_cached(matrix: MatrixExpr) -> tuple[tuple[Word, Expr], ...]:
    if isinstance(matrix, ZeroMatrix):
        return ()
    if isinstance(matrix, Identity):
        return (((), sympy.S.One),)
    if isinstance(matrix, MatAdd):
        return tuple(_collect(pair for term in matrix.args for pair in _read(term).items()).items())
    if isinstance(matrix, MatMul):
        factor, factors = matrix.as_coeff_matrices()
        terms: Terms = {(): _plain(factor)}
        for next_factor in factors:
            terms = _times(terms, _read(next_factor))
        return tuple(terms.items())
    if isinstance(matrix, Transpose):
        return tuple((_transposed(word), factor) for word, factor in _read(matrix.arg).items())
    if isinstance(matrix, MeanMatrix):
        _check_order(_read(matrix.args[0]), matrix)
        return tuple(matrix_normal_form(matrix.args[0], MOMENTS).items())
    if isinstance(matrix, MatPow):
        base, exponent = matrix.args
        if exponent.is_Integer and exponent > 0:
            return tuple(_read(MatMul(*[base] * int(exponent))).items())
        return (((_power(base, exponent),), sympy.S.One),)
    return (((Letter(matrix, sympy.S.One, False),), sympy.S.One),)


def _plain(scalar: Expr) -> Expr:
    """A scalar without matrices, or an error: what hides in it would be taken for a constant."""
    if scalar.has(MatrixExpr):
        raise ValueError(f"{scalar} depends on a matrix otherwise than linearly in traces.")
    return scalar


def _power(base: MatrixExpr, exponent: Expr) -> Letter:
    """A power of a symbol or of a sum, which is written in one way for itself and its transpose."""
    if isinstance(base, Transpose) and isinstance(base.arg, MatrixSymbol):
        return Letter(base.arg, exponent, False).flipped()
    if isinstance(base, MatrixSymbol):
        return Letter(base, exponent, False)
    upright, flipped = (_written(_read(matrix), base.shape[0]) for matrix in (base, Transpose(base).doit()))
    transposed = str(flipped) < str(upright)
    return Letter(flipped if transposed else upright, exponent, transposed)


def _written(terms: Terms, dimension: Expr) -> MatrixExpr:
    ordered = sorted(terms.items(), key=lambda term: _sort_key(term[0]))
    return MatAdd(*(factor * product(word, dimension) for word, factor in ordered)).doit()


def _check_order(terms: Terms, average: Basic) -> None:
    """Only means of second order in x, y and noise follow from the second moments."""
    for word in terms:
        if sum(letter.base in (x, y, noise) for letter in word) not in (0, 2):
            raise ValueError(
                f"{average} is not of second order in x, y and noise: the mean of {product(word)} is not known."
            )


def _read(matrix: MatrixExpr) -> Terms:
    return dict(_read_cached(matrix))


def _times(left: Terms, right: Terms) -> Terms:
    return _collect((_powers_joined((*a, *b)), f * g) for a, f in left.items() for b, g in right.items())


def _collect(pairs: Iterable[tuple[Word, Expr]]) -> Terms:
    terms: Terms = {}
    for word, factor in pairs:
        terms[word] = terms.get(word, sympy.S.Zero) + factor
    expanded = ((word, sympy.expand(factor)) for word, factor in terms.items())
    return {word: factor for word, factor in expanded if factor != 0}


def _transposed(word: Word) -> Word:
    return tuple(letter.flipped() for letter in reversed(word))


def _powers_joined(word: Word) -> Word:
    """Neighbouring powers of one base joined: a whole power as repeated letters, a zeroth power left out."""
    letters: list[Letter] = []
    for (base, transposed), run in groupby(word, key=lambda letter: (letter.base, letter.transposed)):
        exponent = sum((letter.exponent for letter in run), sympy.S.Zero)
        whole = exponent.is_Integer and exponent >= 0
        letters += (
            [Letter(base, sympy.S.One, transposed)] * int(exponent) if whole else [Letter(base, exponent, transposed)]
        )
    joined = tuple(letters)
    return joined if joined == word else _powers_joined(joined)


@lru_cache(maxsize=256)
def _rules(facts: Facts) -> tuple[tuple[Word, tuple[tuple[Word, Expr], ...]], ...]:
    rules = []
    for left, right in facts:
        ((word, factor),) = _read(left).items()
        value = [(key, coefficient / factor) for key, coefficient in _read(right).items()]
        if any(key[k : k + len(word)] == word for key, _ in value for k in range(len(key))):
            raise ValueError(f"the fact that {left} is {right} leads back to itself, and would be used for ever.")
        rules.append((word, tuple(value)))
        if _transposed(word) != word:
            rules.append((_transposed(word), tuple((_transposed(key), coefficient) for key, coefficient in value)))
    return tuple(rules)


def _rewritten(terms: Terms, rules: tuple) -> Terms:
    changed = True
    while changed:
        changed = False
        pairs: list[tuple[Word, Expr]] = []
        for word, factor in terms.items():
            match = _first_match(word, rules)
            if match is None:
                pairs.append((word, factor))
                continue
            changed = True
            start, length, value = match
            pairs += [(_powers_joined((*word[:start], *key, *word[start + length :])), factor * f) for key, f in value]
        terms = _collect(pairs)
    return terms


def _first_match(word: Word, rules: tuple) -> tuple[int, int, tuple] | None:
    for pattern, value in rules:
        for start in range(len(word) - len(pattern) + 1):
            if word[start : start + len(pattern)] == pattern:
                return start, len(pattern), value
    return None


def _cyclic(word: Word, dimension: Expr, rules: tuple) -> Terms:
    """Canonical terms of the trace of one word."""
    if not word:
        return {(): dimension}
    for turn in range(len(word)):
        rotated = (*word[turn:], *word[:turn])
        joined = _powers_joined(rotated)
        reduced = _rewritten({joined: sympy.S.One}, rules)
        if reduced != {rotated: sympy.S.One}:
            rows = rotated[0].expression().shape[0]
            return _collect(
                (canonical, factor * value)
                for key, factor in reduced.items()
                for canonical, value in _cyclic(key, rows, rules).items()
            )
    flipped = _transposed(word)
    turns = [(*w[turn:], *w[:turn]) for w in (word, flipped) for turn in range(len(word))]
    return {min(turns, key=_sort_key): sympy.S.One}


def _sort_key(word: Word) -> tuple:
    return tuple(map(_letter_key, word))


@lru_cache(maxsize=1024)
def _letter_key(letter: Letter) -> tuple:
    return str(letter.base), str(letter.exponent), letter.transposed
