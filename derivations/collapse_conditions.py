"""When latents collapse at a fixed Sigma, and how the minimum moves with beta and eta_dec (§4.1 and §4.2, after Theorem 1)."""

from __future__ import annotations

import sympy
from sympy import And, Eq, Equivalent, Ge, Gt, Implies, Le, Lt, Rational

from derivations.claim import Assumption, Claim, Erratum, Severity, Statement
from derivations.notation import beta, d1, dstar, eta_dec, eta_enc, i, root_water, sigma, sigma_sorted, zeta
from derivations.situations import FIXED, LEARNED, PRIOR, deviation, diverges, lam, least, product, rank, there, theta
from derivations.universal import Universal, for_every_sigma

# ------------------------------------------------------------------------------------------ as printed
CRUCIAL_SIGN = Equivalent(Ge(rank, i), Gt(zeta[i] - sympy.sqrt(beta) * sigma[i] * eta_dec / eta_enc, 0))
RANK = Equivalent(Ge(rank, i), Gt(zeta[i] - sympy.sqrt(beta) * eta_dec, 0))
SIGN = zeta[i] - sympy.sqrt(beta) * eta_dec
DEFICIENT = Implies(Lt(SIGN, 0), Lt(rank, dstar))
PARTIAL_COLLAPSE = Implies(Le(zeta[i] ** 2 - sympy.sqrt(beta) * eta_dec, 0), Eq(lam[i], 0))
NO_COLLAPSE = Gt(there(lam[1]), 0)
NO_PARTIAL_COLLAPSE = Gt(there(lam[i]), 0)
SAME_WATER = Eq(beta * eta_dec**2, there(beta * eta_dec**2))
SAME_MINIMUM = And(Eq(lam[i], there(lam[i])), Eq(theta[i], there(theta[i])))
SAME_LOSS = Implies(SAME_WATER, Eq(least, there(least)))
INDEPENDENT_OF_PRIOR = Implies(SAME_WATER, Equivalent(Eq(product[i], 0), Eq(there(product[i]), 0)))
LEVEL, LEVEL_THERE = root_water, there(root_water)
TREND = Implies(Lt(LEVEL, LEVEL_THERE), Le(lam[i], there(lam[i])))
TREND_OF_ENCODER = Implies(Lt(LEVEL, LEVEL_THERE), Gt(theta[i], there(theta[i])))
TREND_WHILE_ACTIVE = Implies(And(Lt(LEVEL, LEVEL_THERE), Lt(LEVEL_THERE, zeta[i])), Le(lam[i], there(lam[i])))
TREND_OF_ENCODER_WHILE_ACTIVE = Implies(
    And(Lt(LEVEL, LEVEL_THERE), Lt(LEVEL_THERE, zeta[i])), Gt(theta[i], there(theta[i]))
)
PRIOR_WHERE_COLLAPSED = Equivalent(Eq(lam[i], 0), And(Eq(theta[i], 0), Eq(deviation[i], eta_enc)))

# ------------------------------------------------------------------------------------------ as corrected
SORTED_SIGN = Equivalent(Ge(rank, i), Gt(zeta[i] - sympy.sqrt(beta) * sigma_sorted[i] * eta_dec / eta_enc, 0))
COLLAPSED_LATENT = Equivalent(Le(zeta[i] - sympy.sqrt(beta) * eta_dec, 0), Eq(lam[i], 0))
DEFICIENT_WITHIN = And(
    Implies(Lt(d1, dstar), Lt(rank, dstar)), Implies(Eq(i, dstar), Equivalent(Lt(rank, dstar), Le(SIGN, 0)))
)
RISE_AND_FALL = Implies(
    Lt(LEVEL, LEVEL_THERE),
    And(
        Implies(Le(LEVEL_THERE, zeta[i] / 2), Lt(lam[i], there(lam[i]))),
        Implies(And(Ge(LEVEL, zeta[i] / 2), Lt(LEVEL, zeta[i])), Gt(lam[i], there(lam[i]))),
        Implies(Ge(LEVEL, zeta[i]), Eq(lam[i], there(lam[i]))),
    ),
)
FALL_OF_ENCODER = Implies(
    Lt(LEVEL, LEVEL_THERE),
    And(
        Implies(Lt(LEVEL, zeta[i]), Gt(theta[i], there(theta[i]))),
        Implies(Ge(LEVEL, zeta[i]), And(Eq(theta[i], 0), Eq(there(theta[i]), 0))),
    ),
)
CORRECTED_TREND = Implies(
    And(Lt(LEVEL, LEVEL_THERE), Le(LEVEL_THERE, zeta[i])),
    And(
        Implies(Le(LEVEL_THERE, zeta[i] / 2), Lt(lam[i], there(lam[i]))),
        Implies(Ge(LEVEL, zeta[i] / 2), Gt(lam[i], there(lam[i]))),
    ),
)

AT_PRIOR, ANY_FIXED = Universal(PRIOR), Universal(FIXED)
SMALL_BETA, ANY_SIGMA_ANY_LEVEL = for_every_sigma("a sufficiently small beta"), for_every_sigma("beta and eta_dec")
ANY_LEVEL, ANY_LEVEL_AT_PRIOR = Universal(FIXED, "beta and eta_dec"), Universal(PRIOR, "beta and eta_dec")
ANY_PRIOR = Universal(PRIOR, "beta, eta_dec and eta_enc")
TREND_AT_PRIOR, ANY_TREND = (
    Universal(kind, "beta and eta_dec", landmarks=(Rational(1, 2), sympy.S.One)) for kind in (PRIOR, FIXED)
)

CLAIMS = (
    Claim(
        "s4.1.sign",
        "§4.1, after Proposition 2",
        "the sign of zeta_i - sqrt(beta) sigma_i eta_dec/eta_enc decides the rank of U and V, that of U V^T, for every fixed "
        "Sigma: it is at least i iff the i-th sign is positive, i <= d1",
        printed=Statement(CRUCIAL_SIGN, ANY_FIXED),
        corrected=Statement(SORTED_SIGN, ANY_FIXED),
        observable=ANY_FIXED.observable,
        uses=("prop-2.minimum",),
        erratum=Erratum(
            "the sign of zeta_i - sqrt(beta) sigma_i eta_dec/eta_enc is crucial, with sigma_i in the latents' order",
            "the sign of zeta_i - sqrt(beta) sigma_(i) eta_dec/eta_enc is, with the i-th smallest sigma: see prop-2.minimum",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "thm-1.low-rank",
        "§4.2, after Theorem 1",
        "a negative sign for some i makes the learned model low-rank: rank U V^T is the number of i <= d1 with "
        "zeta_i - sqrt(beta) eta_dec > 0, that is, at least i iff this is positive",
        printed=Statement(RANK, AT_PRIOR),
        observable=AT_PRIOR.observable,
        uses=("thm-1.minimum",),
        assumptions=(Assumption("sigma_i = eta_enc for all i", ANY_FIXED),),
    ),
    Claim(
        "thm-1.rank-deficient",
        "§4.2, after Theorem 1",
        "the same sentence read of the matrix: where zeta_i - sqrt(beta) eta_dec < 0 for some i <= d1 (zeta_i = 0 beyond d*), "
        "rank U V^T < d* = min(d0, d2)",
        printed=Statement(DEFICIENT, AT_PRIOR),
        corrected=Statement(DEFICIENT_WITHIN, AT_PRIOR),
        observable=AT_PRIOR.observable,
        uses=("thm-1.minimum",),
        assumptions=(Assumption("sigma_i = eta_enc for all i", ANY_FIXED),),
        erratum=Erratum(
            "when the sign is negative for some i, the learned model becomes low-rank",
            "rank U V^T < d* iff d1 < d* or the sign at i = d* is not positive; what collapses beyond d* leaves the rank full, "
            "if below d1 (thm-1.low-rank)",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "thm-1.prior-distribution",
        "§4.2, after Theorem 1",
        "the latent of mode i has the prior's distribution, mean 0 whatever x and sigma_i = eta_enc, iff lambda_i = 0: where "
        "U = V = 0 all latents have",
        printed=Statement(PRIOR_WHERE_COLLAPSED, AT_PRIOR),
        observable=AT_PRIOR.observable,
        uses=("thm-1.minimum",),
        assumptions=(Assumption("sigma_i = eta_enc for all i", ANY_FIXED),),
    ),
    Claim(
        "thm-1.partial-collapse",
        "§4.2, after Theorem 1",
        "mode i collapses (lambda_i = theta_i = 0) if zeta_i^2 - sqrt(beta) eta_dec <= 0, i <= d1",
        printed=Statement(PARTIAL_COLLAPSE, AT_PRIOR),
        corrected=Statement(COLLAPSED_LATENT, AT_PRIOR),
        observable=AT_PRIOR.observable,
        uses=("thm-1.minimum",),
        assumptions=(Assumption("sigma_i = eta_enc for all i", ANY_FIXED),),
        erratum=Erratum(
            "zeta_i^2 - sqrt(beta) eta_dec <= 0",
            "mode i <= d1 collapses iff zeta_i - sqrt(beta) eta_dec <= 0",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "thm-1.small-beta",
        "§4.2, after Theorem 1",
        "for every Sigma, fixed or learned, every beta below some value prevents complete collapse (or eta_dec: thm-1.beta-eta)",
        printed=Statement(NO_COLLAPSE, SMALL_BETA),
        corrected=Statement(Equivalent(Gt(zeta[1], 0), NO_COLLAPSE), SMALL_BETA),
        observable=SMALL_BETA.observable,
        uses=("prop-2.minimum", "thm-2.minimum"),
        erratum=Erratum(
            "always prevents posterior collapse",
            "prevents complete collapse iff Z != 0, that is E[y x^T] != 0",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "thm-1.small-beta-partial",
        "§4.2, after Theorem 1",
        "the same sentence read of partial collapse: every beta below some value keeps every mode i <= d1",
        printed=Statement(NO_PARTIAL_COLLAPSE, SMALL_BETA),
        corrected=Statement(Equivalent(Gt(zeta[i], 0), NO_PARTIAL_COLLAPSE), SMALL_BETA),
        observable=SMALL_BETA.observable,
        uses=("prop-2.minimum", "thm-2.minimum"),
        erratum=Erratum(
            "always prevents posterior collapse",
            "mode i is kept iff zeta_i > 0: all of them iff d1 <= rank Z",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "thm-1.beta-eta",
        "§4.2, after Theorem 1",
        "beta and eta_dec act alike: the minimiser depends on them through beta eta_dec^2 alone, for every Sigma, fixed or learned",
        printed=Statement(Implies(SAME_WATER, SAME_MINIMUM), ANY_SIGMA_ANY_LEVEL),
        observable=ANY_SIGMA_ANY_LEVEL.observable,
        uses=("prop-2.minimum", "thm-2.minimum"),
    ),
    Claim(
        "thm-1.beta-eta-loss",
        "§4.2, after Theorem 1",
        "the same sentence read of the loss: beta and eta_dec always appear together in the least L_VAE",
        printed=Statement(SAME_LOSS, ANY_SIGMA_ANY_LEVEL),
        corrected=Statement(
            Implies(SAME_WATER, Eq(eta_dec**2 * least, there(eta_dec**2 * least))), ANY_SIGMA_ANY_LEVEL
        ),
        observable=ANY_SIGMA_ANY_LEVEL.observable,
        uses=("eq-13.reduced", "thm-2.variance", "thm-2.extra-latents"),
        erratum=Erratum(
            "sqrt(beta) and eta_dec always appear together",
            "so they do in the minimiser and in eta_dec^2 L_VAE; L_VAE itself has a factor 1/(2 eta_dec^2)",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "thm-1.prior-independence",
        "§4.2, after Theorem 1",
        "whether mode i collapses does not depend on eta_enc: at equal beta eta_dec^2 it does here iff it does there",
        printed=Statement(INDEPENDENT_OF_PRIOR, ANY_PRIOR),
        observable=ANY_PRIOR.observable,
        uses=("thm-1.minimum",),
        assumptions=(
            Assumption("sigma_i = eta_enc, before and after the change", Universal(FIXED, "beta, eta_dec and eta_enc")),
        ),
    ),
    Claim(
        "thm-1.norm-trend",
        "§4.2, last paragraph",
        "as sqrt(beta) eta_dec rises, the singular value of U rises, or at least never falls",
        printed=Statement(TREND, TREND_AT_PRIOR),
        corrected=Statement(RISE_AND_FALL, TREND_AT_PRIOR),
        observable=TREND_AT_PRIOR.observable,
        uses=("thm-1.minimum",),
        assumptions=(Assumption("sigma_i = eta_enc for all i", ANY_TREND),),
        erratum=Erratum(
            "the eigenvalue of U increases with sqrt(beta) eta_dec",
            "it increases up to sqrt(beta) eta_dec = zeta_i/2, decreases from there to 0 at zeta_i, and stays 0",
            Severity.CONCLUSION,
        ),
    ),
    Claim(
        "thm-1.norm-trend-active",
        "§4.2, last paragraph",
        "the same read of an active mode: while sqrt(beta) eta_dec stays below zeta_i, the singular value of U never falls",
        printed=Statement(TREND_WHILE_ACTIVE, TREND_AT_PRIOR),
        corrected=Statement(CORRECTED_TREND, TREND_AT_PRIOR),
        observable=TREND_AT_PRIOR.observable,
        uses=("thm-1.minimum",),
        assumptions=(Assumption("sigma_i = eta_enc for all i", ANY_TREND),),
        erratum=Erratum(
            "the eigenvalue of U increases with sqrt(beta) eta_dec",
            "for an active mode too it increases up to sqrt(beta) eta_dec = zeta_i/2 only, and decreases from there",
            Severity.CONCLUSION,
        ),
    ),
    Claim(
        "thm-1.norm-trend-encoder",
        "§4.2, last paragraph",
        "as sqrt(beta) eta_dec rises, the singular value of V falls, strictly",
        printed=Statement(TREND_OF_ENCODER, ANY_LEVEL_AT_PRIOR),
        corrected=Statement(FALL_OF_ENCODER, ANY_LEVEL_AT_PRIOR),
        observable=ANY_LEVEL_AT_PRIOR.observable,
        uses=("thm-1.minimum",),
        assumptions=(Assumption("sigma_i = eta_enc for all i", ANY_LEVEL),),
        erratum=Erratum(
            "the first layer decreases with sqrt(beta) eta_dec",
            "it does as long as sqrt(beta) eta_dec < zeta_i; from there on it is 0",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "thm-1.norm-trend-encoder-active",
        "§4.2, last paragraph",
        "the same read of an active mode: while sqrt(beta) eta_dec stays below zeta_i, the singular value of V falls, strictly",
        printed=Statement(TREND_OF_ENCODER_WHILE_ACTIVE, ANY_LEVEL_AT_PRIOR),
        observable=ANY_LEVEL_AT_PRIOR.observable,
        uses=("thm-1.minimum",),
        assumptions=(Assumption("sigma_i = eta_enc for all i", ANY_LEVEL),),
    ),
    Claim(
        "thm-1.divergence",
        "§4.2, last paragraph",
        "for every fixed Sigma the norm of a layer grows beyond every bound as beta tends to 0 (or eta_dec: thm-1.beta-eta)",
        printed=Statement(diverges, ANY_FIXED),
        corrected=Statement(Equivalent(Gt(zeta[1], 0), diverges), ANY_FIXED),
        observable=ANY_FIXED.observable,
        uses=("prop-2.minimum",),
        assumptions=(Assumption("Sigma is fixed", Universal(LEARNED)),),
        erratum=Erratum(
            "a too small beta or eta_dec makes a norm very large",
            "so it does iff Z != 0; otherwise both layers are 0 at every beta",
            Severity.CONDITION,
        ),
    ),
)
