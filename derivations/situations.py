"""Statements about the minima of one problem, or of two that differ in one respect: "independent of", "increases with", ...

Such a statement is a Boolean over the scalars and over what the minimum is like, mode by mode; it has to hold in every
situation and for every latent i. "Here" is a problem, "there" (the symbols called other) the same data with something changed.
What the minimum is like is read off the closed forms that the ledger has proved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import sympy
from sympy import Basic, Expr, Indexed, IndexedBase, Integer, Rational, Sum, Symbol

from derivations.instances import Instance, instances, smallest_instances
from derivations.notation import beta, d1, dstar, eta_dec, eta_enc, i, residual, sigma_sorted, zeta
from derivations.proof import margin, resolved
from derivations.proposition_2_fixed_variance import CORRECTED_8
from derivations.proposition_3_mode_variance import mode_objective
from derivations.theorem_1_prior_variance import EQUATION_10
from derivations.theorem_2_learned_variance import EQUATION_17_18, EQUATION_19

# ------------------------------------------------------------ what the minimum is like, in the order of Z's modes
lam = IndexedBase("lambda", nonnegative=True)
"""Singular values of U at the global minimum; 0 beyond the last latent."""
theta = IndexedBase("theta", nonnegative=True)
"""Singular values of V."""
product = IndexedBase("m", nonnegative=True)
"""Singular values of U V^T, the learned model."""
deviation = IndexedBase("s", positive=True)
"""Standard deviations of the encoder; the prior's beyond the last latent."""
least = Symbol("L_min", real=True)
"""The least L_VAE."""
rank = Symbol("rank", integer=True, nonnegative=True)
"""The rank of U V^T."""
rank_of_Z = Symbol("rank_Z", integer=True, nonnegative=True)
"""How many singular values of Z are not 0."""
diverges = Symbol("diverges")
"""Whether the norm of U or of V grows beyond every bound as beta tends to 0 and nothing else changes."""


def _other(symbol: Basic) -> Basic:
    kind, name = (IndexedBase, symbol.label) if isinstance(symbol, IndexedBase) else (Symbol, symbol)
    assumed = {"integer", "positive", "nonnegative", "real"} & symbol.assumptions0.keys()
    return kind(f"{name}_other", **{key: True for key in assumed if symbol.assumptions0[key]})


OTHER: dict[Basic, Basic] = {
    symbol: _other(symbol)
    for symbol in (beta, eta_dec, eta_enc, d1, sigma_sorted, lam, theta, product, deviation, least, rank, diverges)
}
"""The counterpart of each symbol there."""


def there(formula: Basic) -> Basic:
    """A formula about here as the same formula about there; zeta, r and the dimensions of the data are the same."""
    return formula.xreplace(OTHER)


# --------------------------------------------------------------------------------------------------- closed forms
FIXED, PRIOR, LEARNED = "fixed", "prior", "learned"
"""Kinds of problems: any fixed Sigma, sigma_i = eta_enc for all i, and learned Sigma."""

_FORMS: dict[str, tuple[Expr, Expr, Expr]] = {
    FIXED: (CORRECTED_8.args[0], CORRECTED_8.args[1], sigma_sorted[i]),
    PRIOR: (*EQUATION_10.args, eta_enc),
    LEARNED: (*EQUATION_17_18.args, EQUATION_19),
}
"""(lambda_i, theta_i, sigma_i) for i <= d1, from Propositions 2 and Theorems 1 and 2 as they stand."""


@lru_cache(maxsize=4)
def least_loss_of(kind: str) -> Expr:
    """The least L_VAE: the modes as Eq 13 has them at the kind's standard deviations, and r and the modes beyond d1."""
    modes = Sum(mode_objective(zeta[i], _FORMS[kind][2]), (i, 1, d1))
    return (residual + modes + Sum(zeta[i] ** 2, (i, d1 + 1, dstar))) / (2 * eta_dec**2)


def closed_forms(kind: str) -> dict[Basic, Expr]:
    """The minimum's sequences as functions of i, and the least loss."""
    decoder, encoder, standard = _FORMS[kind]
    return {lam: decoder, theta: encoder, product: decoder * encoder, deviation: standard, least: least_loss_of(kind)}


@lru_cache(maxsize=16)
def _forms_of(kind: str, kind_there: str) -> Mapping[Basic, Expr]:
    return closed_forms(kind) | {OTHER[key]: there(form) for key, form in closed_forms(kind_there).items()}


def substituted(formula: Basic, kind: str, kind_there: str) -> Basic:
    """A statement with the closed forms in the place of what they are closed forms of."""
    forms = _forms_of(kind, kind_there)
    entries = {entry for entry in formula.atoms(Indexed) if entry.base in forms}
    return formula.xreplace(
        {entry: forms[entry.base].xreplace({i: entry.indices[0]}) for entry in entries}
        | {symbol: forms[symbol] for symbol in formula.atoms(Symbol) if symbol in forms}
    )


@lru_cache(maxsize=4096)
def limits(kind: str, signal: Expr, standard: Expr, decoder: Expr, prior: Expr) -> tuple[Expr, ...]:
    """lambda_1 and theta_1 as beta tends to 0, for a first mode with this zeta_1 and this smallest sigma_i.

    beta stays below the threshold of the mode, at which sqrt(beta) eta_dec (times sigma_i/eta_enc where Sigma is fixed) is zeta_1.
    """
    level = signal / (1 + margin) if signal != 0 else margin
    scale = standard / prior if kind == FIXED else sympy.S.One
    case = {beta: (level / (scale * decoder)) ** 2, eta_dec: decoder, eta_enc: prior}
    case |= {zeta[i]: signal, sigma_sorted[i]: standard}
    lengths = (resolved(form.xreplace(case)) for form in _FORMS[kind][:2])
    return tuple(sympy.limit(length, margin, sympy.oo if signal != 0 else 0) for length in lengths)


# ------------------------------------------------------------------------------------------------ exact situations
def _scaled(instance: Instance, **factors: object) -> Instance:
    return replace(instance, **{name: getattr(instance, name) * sympy.sympify(f) for name, f in factors.items()})


FAR = 400
"""Values of beta eta_dec^2 beyond this show nothing new."""


def small_beta(instance: Instance) -> Instance:
    """The level sqrt(beta) eta_dec at a quarter of the smallest signal's threshold."""
    signal = min((value for value in instance.zeta if value > 0), default=sympy.S.One)
    ratio = max(sympy.S.One, max(instance.sigma) / instance.eta_enc)
    return replace(instance, beta=(signal / (4 * ratio * instance.eta_dec)) ** 2)


def _large_beta(instance: Instance) -> Instance:
    return replace(instance, beta=(2 * max(*instance.zeta, sympy.S.One) / instance.eta_dec) ** 2)


def _water(instance: Instance) -> Iterator[Instance]:
    yield _scaled(instance, beta=4)
    yield _scaled(instance, beta=Rational(1, 4))
    yield _scaled(instance, eta_dec=2)
    yield _scaled(instance, beta=4, eta_dec=Rational(1, 2))
    yield _scaled(instance, beta=4, eta_dec=2)
    yield _scaled(instance, beta=Rational(1, 9), eta_dec=3)
    yield _scaled(instance, beta=Rational(1, 4), eta_dec=4)  # the same beta eta_dec
    yield _scaled(instance, beta=Rational(9, 4))
    for signal in instance.zeta if instance.d1 > 2 else ():
        for share in (Rational(1, 4), Rational(1, 2), Rational(3, 5), Rational(9, 10)):
            if signal:
                yield replace(instance, beta=(share * signal / instance.eta_dec) ** 2)
    if instance.eta_dec != 1:
        yield _scaled(instance, beta=instance.eta_dec)
        yield _scaled(instance, beta=1 / instance.eta_dec)
    if instance.eta_dec != 1 and instance.d1 > 2:
        for power in (-4, -2, 2, 4):
            if instance.beta * instance.eta_dec ** (power + 2) < FAR:
                yield _scaled(instance, beta=instance.eta_dec**power)


def _scales(instance: Instance) -> Iterator[Instance]:
    yield from _water(instance)
    yield from _prior(instance)
    yield _scaled(instance, beta=4, eta_dec=Rational(1, 2), eta_enc=2)
    yield _scaled(instance, beta=Rational(1, 9), eta_dec=3, eta_enc=Rational(1, 2))


def _prior(instance: Instance) -> Iterator[Instance]:
    yield _scaled(instance, eta_enc=2)
    yield _scaled(instance, eta_enc=Rational(1, 3))


def _width(instance: Instance) -> Iterator[Instance]:
    yield replace(instance, sigma=(*instance.sigma, instance.sigma[-1]))
    if instance.d1 > 1:
        yield replace(instance, sigma=instance.sigma[:-1])


def _deviations(instance: Instance) -> Iterator[Instance]:
    yield replace(instance, sigma=instance.sigma[::-1])
    yield replace(instance, sigma=tuple(2 * s for s in instance.sigma))
    yield replace(instance, sigma=(instance.sigma[0] / 3, *instance.sigma[1:]))
    yield replace(instance, sigma=tuple(s**2 for s in instance.sigma))
    yield replace(instance, sigma=tuple(sympy.sqrt(s) for s in instance.sigma))


CHANGES = {
    "nothing": lambda instance: iter([instance]),
    "beta and eta_dec": _water,
    "beta, eta_dec and eta_enc": _scales,
    "d1": _width,
    "Sigma": _deviations,
    "a sufficiently small beta": lambda instance: iter([small_beta(instance)]),
    "a sufficiently large beta": lambda instance: iter([_large_beta(instance)]),
}
"""What is changed there, in exact instances; the last two stand for all beta below, or above, some value."""

MOST = 25
"""Exact instances that are changed, besides those of `spread`."""


@lru_cache(maxsize=1)
def spread() -> tuple[Instance, ...]:
    """Three modes far apart, or one without signal; levels sqrt(beta) eta_dec from below the least mode to near the largest, one at
    the least."""
    zeta = (Integer(10), Integer(7), Rational(3, 5))
    deviations = (Integer(1), Integer(2), Rational(1, 2))
    levels = (Rational(1, 4), Rational(1, 2), Integer(1), Integer(4), Integer(6))
    small = Rational(1, 4)
    scales = [
        *((level, decoder) for decoder in (1, 8) for level in levels),
        (8, 1),
        (8, small),
        (1, small),
        (3 * small, 1),
    ]
    found = [
        Instance(zeta, deviations, (Rational(level) / decoder) ** 2, Rational(decoder), Integer(2), 3, 3)
        for level, decoder in scales
    ]
    narrow = replace(found[2], zeta=(*zeta[:2], sympy.S.Zero), sigma=deviations[:1])
    fewer = replace(found[2], sigma=deviations[:2])
    silent = Instance((sympy.S.Zero,), deviations[1:2], Integer(4), Integer(1), Integer(2), 1, 1, Integer(1))
    level = replace(found[2], zeta=(*zeta[:2], sympy.S.One))
    return (*found, narrow, fewer, silent, level)


@dataclass(frozen=True)
class Situation:
    """A problem here and one there, each an exact instance of its kind."""

    here: Instance
    there: Instance
    kind: str
    kind_there: str

    def value(self, formula: Basic, index: int | None = None) -> Basic:
        """The exact value of a formula at latent `index`."""
        here, away = _letters(formula)
        known = dict(facts(self.here, self.kind, here))
        known |= {rank_of_Z: Integer(sum(bool(value > 0) for value in self.here.zeta)), residual: self.here.residual}
        known |= {OTHER[key]: value for key, value in facts(self.there, self.kind_there, away).items()}
        return self.here.value(formula, index, known)

    @property
    def modes(self) -> range:
        """The latents that are both here and there."""
        return range(1, min(self.here.d1, self.there.d1) + 1)

    def named(self) -> dict[str, object]:
        """The values here, and those that differ there."""
        values = self.here.named(learned=self.kind == LEARNED)
        changed = self.there.named(learned=self.kind_there == LEARNED)
        other = {f"{name} there": value for name, value in changed.items() if values.get(name) != value}
        return values | other


@lru_cache(maxsize=1 << 14)
def _letters(formula: Basic) -> tuple[frozenset[Basic], frozenset[Basic]]:
    """Of what a problem has, what a formula names here, and what it names there."""
    named = formula.atoms(IndexedBase, Symbol)
    return frozenset(named & OTHER.keys()), frozenset(key for key, symbol in OTHER.items() if symbol in named)


@lru_cache(maxsize=32768)
def facts(instance: Instance, kind: str, wanted: frozenset[Basic]) -> Mapping[Basic, Any]:
    """What the minimum of an exact instance is like, and its scalars; sequences as (entries, what is beyond them)."""
    values: dict[Basic, Any] = {
        beta: instance.beta,
        eta_dec: instance.eta_dec,
        eta_enc: instance.eta_enc,
        d1: Integer(instance.d1),
        sigma_sorted: (tuple(sorted(instance.sigma)), instance.eta_enc),
    }
    forms = closed_forms(kind)
    for symbol in wanted & {lam, theta, product, deviation}:
        entries = tuple(instance.value(forms[symbol], k) for k in range(1, instance.d1 + 1))
        values[symbol] = entries, instance.eta_enc if symbol == deviation else sympy.S.Zero
    if least in wanted:
        values[least] = instance.value(forms[least], None, {residual: instance.residual})
    if rank in wanted:
        values[rank] = Integer(sum(bool(instance.value(forms[product], k) > 0) for k in range(1, instance.d1 + 1)))
    if diverges in wanted:
        found = limits(kind, instance.zeta[0], min(instance.sigma), instance.eta_dec, instance.eta_enc)
        values[diverges] = sympy.true if sympy.oo in found else sympy.false
    return values


def of_kind(instance: Instance, kind: str) -> Instance:
    """The instance with its standard deviations at the prior's where the kind says so."""
    return replace(instance, sigma=(instance.eta_enc,) * instance.d1) if kind == PRIOR else instance


@lru_cache(maxsize=64)
def situations(kind: str, kind_there: str, change: str) -> tuple[Situation, ...]:
    """Exact situations, small ones first: the first at which a statement fails is what is shown."""
    found = [
        Situation(of_kind(instance, kind), of_kind(changed, kind_there), kind, kind_there)
        for instance in (*smallest_instances(), *instances()[:MOST], *spread())
        for changed in CHANGES[change](instance)
    ]
    return tuple(sorted(found, key=lambda situation: situation.here.size + situation.there.size))
