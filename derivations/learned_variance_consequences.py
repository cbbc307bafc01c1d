"""What follows from Theorem 2: what a learned Sigma leaves unchanged, bounds, prunes and shrinks (§4.3, Figure 3)."""

from __future__ import annotations

import sympy
from sympy import And, Eq, Equivalent, Ge, Gt, Implies, Le, Lt, Max, Piecewise

from derivations.claim import Assumption, Claim, Erratum, Severity, Statement
from derivations.collapse_conditions import LEVEL, LEVEL_THERE
from derivations.notation import beta, d0, d1, dstar, eta_dec, eta_enc, i, root_water, zeta
from derivations.situations import (
    FIXED,
    LEARNED,
    PRIOR,
    deviation,
    lam,
    product,
    rank,
    rank_of_Z,
    there,
    theta,
)
from derivations.universal import Universal, for_every_sigma

# ------------------------------------------------------------------------------------------ as printed
WATER = beta * eta_dec**2
PRIOR_VALUE = Equivalent(Eq(deviation[i], eta_enc), Ge(WATER, zeta[i] ** 2))
STRONG_KL = Eq(there(deviation[i]), eta_enc)
SAME_CONDITIONS = Equivalent(Eq(product[i], 0), Eq(there(product[i]), 0))
PRINTED_CONDITION = Implies(Le(zeta[i] ** 2 - sympy.sqrt(beta) * eta_dec, 0), Eq(product[i], 0))
BOUNDED_NORM = And(Le(lam[i], zeta[i] / eta_enc), Le(theta[i], eta_enc))
NO_SCALING = And(Eq(lam[i], there(lam[i])), Eq(theta[i], there(theta[i])))
PRUNED_BELOW = Implies(Lt(zeta[i] ** 2, WATER), Eq(product[i], 0))
NONE_BELOW = Implies(Gt(product[i], 0), Ge(product[i] ** 2, WATER))
LOST = dstar - there(rank)
PRUNED_COUNT = Implies(And(Eq(rank_of_Z, dstar), Lt(d1, d0)), Eq(LOST, d1 - d0))
SAME_MODES = Eq(product[i], there(product[i]))
SHRINKAGE = And(
    Implies(Lt(zeta[i], WATER), Eq(product[i], 0)), Implies(Ge(zeta[i], WATER), Lt(product[i], zeta[i])), SAME_MODES
)
SOFT = Eq(product[i], Max(0, zeta[i] - root_water))
VARIATION = eta_enc**2 * lam[i] ** 2
"""The i-th eigenvalue of the covariance of generated data, eta_enc^2 U U^T: of U z with z from the prior."""
LESS_VARIATION = Implies(
    Lt(LEVEL, LEVEL_THERE),
    And(Ge(VARIATION, there(VARIATION)), Implies(Gt(lam[i], 0), Gt(VARIATION, there(VARIATION)))),
)

# ------------------------------------------------------------------------------------------ as corrected
COLLAPSED = Equivalent(Le(zeta[i] - sympy.sqrt(beta) * eta_dec, 0), Eq(product[i], 0))
BOTH_FALL = Implies(
    And(Lt(LEVEL, LEVEL_THERE), Lt(LEVEL, zeta[i])), And(Gt(lam[i], there(lam[i])), Gt(theta[i], there(theta[i])))
)
ONLY_ABOVE = Equivalent(Gt(product[i], 0), Gt(zeta[i] ** 2, WATER))
CORRECTED_COUNT = Implies(Eq(rank_of_Z, dstar), Eq(LOST, Max(0, dstar - d1)))
CORRECTED_SHRINKAGE = And(
    Equivalent(Le(zeta[i] ** 2, WATER), Eq(product[i], 0)),
    Implies(Gt(product[i], 0), Lt(product[i], zeta[i])),
    SAME_MODES,
)
GARROTE = Eq(product[i], Piecewise((zeta[i] - WATER / zeta[i], zeta[i] > root_water), (0, True)))

HERE, ANY_LEVEL, WIDTH = Universal(LEARNED), Universal(LEARNED, "beta and eta_dec"), Universal(LEARNED, "d1")
STRONG, WEAK = Universal(LEARNED, "a sufficiently large beta"), for_every_sigma("a sufficiently small beta")
FROM_PRIOR, FROM_FIXED = Universal(PRIOR, kind_there=LEARNED), Universal(FIXED, kind_there=LEARNED)


def _learned(change: str = "nothing") -> Assumption:
    return Assumption("Sigma is learned", Universal(FIXED, change))


CLAIMS = (
    Claim(
        "s4.strong-kl",
        "§4",
        "at every beta above some value every learned sigma_i is eta_enc (and then every latent is collapsed: prop-3.prior-value)",
        printed=Statement(STRONG_KL, STRONG),
        observable=STRONG.observable,
        uses=("thm-2.variance",),
        assumptions=(_learned("a sufficiently large beta"),),
    ),
    Claim(
        "prop-3.prior-value",
        "§4.3, after Proposition 3",
        "sigma_i at the minimum is eta_enc when and only when beta eta_dec^2 >= zeta_i^2",
        printed=Statement(PRIOR_VALUE, HERE),
        observable=HERE.observable,
        uses=("thm-2.variance",),
        assumptions=(_learned(),),
    ),
    Claim(
        "thm-2.same-conditions",
        "§4.3 (a)",
        "mode i collapses with a learned Sigma iff it does at sigma_i = eta_enc",
        printed=Statement(SAME_CONDITIONS, FROM_PRIOR),
        observable=FROM_PRIOR.observable,
        uses=("thm-1.minimum", "thm-2.minimum"),
        assumptions=(Assumption("compared with sigma_i = eta_enc", FROM_FIXED),),
    ),
    Claim(
        "thm-2.same-conditions-printed",
        "§4.3 (a)",
        "the same sentence with the condition for partial collapse as §4.2 prints it",
        printed=Statement(PRINTED_CONDITION, HERE),
        corrected=Statement(COLLAPSED, HERE),
        observable=HERE.observable,
        uses=("thm-2.minimum",),
        assumptions=(_learned(),),
        erratum=Erratum(
            "the conditions of §4.2 remain, with zeta_i^2 - sqrt(beta) eta_dec <= 0",
            "latent i <= d1 collapses iff zeta_i - sqrt(beta) eta_dec <= 0",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "thm-2.bounded-norm",
        "§4.3 (b)",
        "no layer's norm diverges as beta or eta_dec tends to 0: lambda_i <= zeta_i/eta_enc and theta_i <= eta_enc throughout",
        printed=Statement(BOUNDED_NORM, HERE),
        observable=HERE.observable,
        uses=("thm-2.minimum",),
        assumptions=(_learned(),),
    ),
    Claim(
        "thm-2.norm-scaling",
        "§4.3 (b)",
        "the same sentence read as independence: the norms do not change with sqrt(beta) eta_dec",
        printed=Statement(NO_SCALING, ANY_LEVEL),
        corrected=Statement(BOTH_FALL, ANY_LEVEL),
        observable=ANY_LEVEL.observable,
        uses=("thm-2.minimum",),
        assumptions=(_learned("beta and eta_dec"),),
        erratum=Erratum(
            "the magnitude of the layers no longer scales with sqrt(beta) eta_dec",
            "both are bounded, and both fall strictly as sqrt(beta) eta_dec rises to zeta_i",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "thm-2.pruning-level",
        "§4.3",
        "every eigenvalue zeta_i^2 of Z Z^T below beta eta_dec^2 is removed from the learned model",
        printed=Statement(PRUNED_BELOW, HERE),
        observable=HERE.observable,
        uses=("thm-2.minimum",),
        assumptions=(_learned(),),
    ),
    Claim(
        "thm-2.pruning-level-learned",
        "§4.3",
        "the same sentence to the letter: the learned model U V^T has no squared singular value below beta eta_dec^2",
        printed=Statement(NONE_BELOW, HERE),
        corrected=Statement(ONLY_ABOVE, HERE),
        observable=HERE.observable,
        uses=("thm-2.minimum",),
        assumptions=(_learned(),),
        erratum=Erratum(
            "removes all the eigenvalues of the learned model below beta eta_dec^2",
            "it removes the modes with zeta_i^2 <= beta eta_dec^2; the others become zeta_i - beta eta_dec^2/zeta_i, down to 0",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "thm-2.pruned-count",
        "§4.3",
        "for Z of full rank and d1 < d0, a small latent dimension prunes d1 - d0 singular values (at a beta that prunes none)",
        printed=Statement(PRUNED_COUNT, WEAK),
        corrected=Statement(CORRECTED_COUNT, WEAK),
        observable=WEAK.observable,
        uses=("prop-2.minimum", "thm-2.minimum"),
        erratum=Erratum(
            "the smallest d1 - d0 singular values are pruned",
            "max(0, min(d0, d2) - d1) are pruned, where rank Z = min(d0, d2) and beta is small",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "thm-2.shrinkage",
        "§4.3",
        "a zeta_i below beta eta_dec^2 is removed and any other shrunk; another d1 leaves the common modes as they are",
        printed=Statement(SHRINKAGE, WIDTH),
        corrected=Statement(CORRECTED_SHRINKAGE, WIDTH),
        observable=WIDTH.observable,
        uses=("thm-2.minimum",),
        assumptions=(_learned("d1"),),
        erratum=Erratum(
            "a large beta eta_dec^2 removes all the singular values below it and shrinks the remaining ones",
            "it removes those with zeta_i^2 <= beta eta_dec^2, that is zeta_i <= sqrt(beta) eta_dec, and shrinks the others",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "fig-3.variation",
        "§5, Figure 3",
        "generated data lose variation as beta (or eta_dec) rises: each eigenvalue of the covariance of U z, z from the prior, "
        "falls until it is 0, in the linear model with a learned Sigma",
        printed=Statement(LESS_VARIATION, ANY_LEVEL),
        observable=ANY_LEVEL.observable,
        uses=("thm-2.minimum",),
        assumptions=(Assumption("Sigma is learned", Universal(PRIOR, "beta and eta_dec")),),
    ),
    Claim(
        "thm-2.soft-thresholding",
        "§4.3",
        "the same passage read as identity, not as likeness: the learned model is Z soft-thresholded at sqrt(beta) eta_dec",
        printed=Statement(SOFT, HERE),
        corrected=Statement(GARROTE, HERE),
        observable=HERE.observable,
        uses=("thm-2.minimum",),
        assumptions=(_learned(),),
        erratum=Erratum(
            "similar to soft thresholding",
            "with a learned Sigma it is the non-negative garrote zeta_i - beta eta_dec^2/zeta_i; "
            "soft thresholding is right for sigma_i = eta_enc (s4.5.sparse-learning)",
            Severity.CONDITION,
        ),
    ),
)
