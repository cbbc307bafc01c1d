"""What §4.5 concludes about causes and remedies, as statements about two problems that differ in one respect."""

from __future__ import annotations

from sympy import And, Eq, Equivalent, Gt, Implies, Le, Lt, Max, Not

from derivations.claim import Assumption, Claim, Erratum, Severity, Statement
from derivations.collapse_conditions import LEVEL, LEVEL_THERE, SAME_MINIMUM, SAME_WATER
from derivations.learned_variance_consequences import GARROTE
from derivations.notation import beta, d1, eta_dec, eta_enc, i, root_water, sigma_sorted, zeta
from derivations.situations import FIXED, LEARNED, PRIOR, diverges, lam, product, rank, there
from derivations.universal import Universal, for_every_sigma

# ------------------------------------------------------------------------------------------ as printed
SAME_COMPLETE_COLLAPSE = Equivalent(Eq(lam[1], 0), Eq(there(lam[1]), 0))
SAME_COLLAPSE = Equivalent(Eq(product[i], 0), Eq(there(product[i]), 0))
SMALL_BETA = Gt(there(lam[1]), 0)
CUT = And(Le(rank, d1), Eq(product[i], there(product[i])))
"""Hard thresholding by the latent dimension: no mode beyond d1, and the others as they are with another d1."""
SPARSE = And(Eq(product[i], Max(0, zeta[i] - root_water)), CUT)
STABLE = Implies(diverges, Not(there(diverges)))
UP_AS_DOWN = Implies(Eq(beta / there(beta), (eta_dec / there(eta_dec)) ** 2), SAME_MINIMUM)

ENDS_AT_THE_LEVEL = Implies(
    And(Lt(LEVEL, zeta[i]), Le(zeta[i], LEVEL_THERE)), And(Gt(product[i], 0), Eq(there(product[i]), 0))
)
NO_EFFECT_OF_DECODER = Implies(Eq(beta, there(beta)), SAME_COLLAPSE)

# ------------------------------------------------------------------------------------------ as corrected
SPARSE_LEARNED = And(GARROTE, CUT)
UP_AS_UP = Implies(Eq(beta / there(beta), (there(eta_dec) / eta_dec) ** 2), SAME_MINIMUM)
COLLAPSE_BY_DEVIATION = Equivalent(Eq(product[i], 0), Le(zeta[i] * eta_enc, root_water * sigma_sorted[i]))
SAME_BY_DEVIATION = Implies(Eq(sigma_sorted[i], there(sigma_sorted[i])), SAME_COLLAPSE)

FROM_PRIOR, FROM_FIXED = Universal(PRIOR, kind_there=LEARNED), Universal(FIXED, kind_there=LEARNED)
WEAK = for_every_sigma("a sufficiently small beta")
WIDTH, WIDTH_AT_PRIOR, ANY_WIDTH = (Universal(kind, "d1") for kind in (LEARNED, PRIOR, FIXED))
ANY_SCALES, ANY_SCALES_FIXED = (Universal(kind, "beta, eta_dec and eta_enc") for kind in (LEARNED, FIXED))
ANY_LEVEL, ANY_LEVEL_FIXED = (Universal(kind, "beta and eta_dec") for kind in (LEARNED, FIXED))
ANY_SIGMA, ANY_SIGMA_ANY_LEVEL = Universal(FIXED, "Sigma"), for_every_sigma("beta and eta_dec")

CLAIMS = (
    Claim(
        "s4.4.no-causal-relation-value",
        "§4.4",
        "the same sentence read of eta_dec's value, with a learned Sigma: at equal beta the same latents collapse at any eta_dec",
        printed=Statement(NO_EFFECT_OF_DECODER, ANY_LEVEL),
        corrected=Statement(ENDS_AT_THE_LEVEL, ANY_LEVEL),
        observable=ANY_LEVEL.observable,
        uses=("thm-2.minimum",),
        assumptions=(Assumption("Sigma is learned", ANY_LEVEL_FIXED),),
        erratum=Erratum(
            "eta_dec does not have a causal relation with posterior collapse",
            "raising eta_dec alone ends mode i once it reaches zeta_i/sqrt(beta)",
            Severity.CONCLUSION,
        ),
    ),
    Claim(
        "s4.5.values-crucial",
        "§4.5",
        "eta_dec and beta decide collapse: with a learned Sigma, changing them ends mode i where sqrt(beta) eta_dec rises from "
        "below zeta_i to it or above",
        printed=Statement(ENDS_AT_THE_LEVEL, ANY_LEVEL),
        observable=ANY_LEVEL.observable,
        uses=("thm-2.minimum",),
        assumptions=(Assumption("Sigma is learned", ANY_LEVEL_FIXED),),
    ),
    Claim(
        "s4.5.latent-variance",
        "§4.5",
        "a learned latent variance does not cause collapse: complete collapse occurs with it iff it occurs at sigma_i = eta_enc "
        "(of one that depends on the data: app-c.input-variance)",
        printed=Statement(SAME_COMPLETE_COLLAPSE, FROM_PRIOR),
        observable=FROM_PRIOR.observable,
        uses=("thm-1.minimum", "thm-2.minimum"),
        assumptions=(Assumption("compared with sigma_i = eta_enc", FROM_FIXED),),
    ),
    Claim(
        "s4.5.prior-variance",
        "§4.5",
        "with a learned Sigma, eta_enc does not influence which latents collapse: at equal beta eta_dec^2 the same do",
        printed=Statement(Implies(SAME_WATER, SAME_COLLAPSE), ANY_SCALES),
        observable=ANY_SCALES.observable,
        uses=("thm-2.minimum",),
        assumptions=(Assumption("Sigma is learned", ANY_SCALES_FIXED),),
    ),
    Claim(
        "s4.5.prior-variance-fixed",
        "§4.5",
        "the same sentence for a Sigma that is fixed and stays as it is when eta_enc changes",
        printed=Statement(Implies(SAME_WATER, SAME_COLLAPSE), ANY_SCALES_FIXED),
        corrected=Statement(COLLAPSE_BY_DEVIATION, ANY_SCALES_FIXED),
        observable=ANY_SCALES_FIXED.observable,
        uses=("prop-2.minimum",),
        erratum=Erratum(
            "changing the variance of the prior cannot influence posterior collapse",
            "with a fixed Sigma mode i collapses iff zeta_i eta_enc <= sqrt(beta) eta_dec sigma_(i): where zeta_i > 0 a "
            "larger eta_enc prevents it",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "s4.5.small-beta",
        "§4.5",
        "for every Sigma, fixed or learned, every beta below some value avoids complete collapse, whatever the data",
        printed=Statement(SMALL_BETA, WEAK),
        corrected=Statement(Equivalent(Gt(zeta[1], 0), SMALL_BETA), WEAK),
        observable=WEAK.observable,
        uses=("prop-2.minimum", "thm-2.minimum"),
        erratum=Erratum(
            "a sufficiently small beta can avoid posterior collapse",
            "it does iff Z != 0; so it can",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "s4.5.sigma-irrelevant",
        "§4.5, before Theorem 3",
        "sigma_i does not affect collapse: for two fixed Sigma at the same scales the same modes collapse",
        printed=Statement(SAME_COLLAPSE, ANY_SIGMA),
        corrected=Statement(SAME_BY_DEVIATION, ANY_SIGMA),
        observable=ANY_SIGMA.observable,
        uses=("prop-2.minimum",),
        erratum=Erratum(
            "sigma_i does not affect the collapse",
            "for a fixed Sigma the i-th smallest sigma decides whether mode i collapses (s4.5.prior-variance-fixed)",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "s4.5.sparse-learning",
        "§4.5, Insights",
        "soft and hard thresholding at sigma_i = eta_enc: U V^T is Z soft-thresholded at sqrt(beta) eta_dec and cut beyond d1, "
        "which leaves the other modes as they are",
        printed=Statement(SPARSE, WIDTH_AT_PRIOR),
        observable=WIDTH_AT_PRIOR.observable,
        uses=("thm-1.minimum",),
        assumptions=(Assumption("sigma_i = eta_enc for all i", ANY_WIDTH),),
    ),
    Claim(
        "s4.5.sparse-learning-learned",
        "§4.5, Insights",
        "the same sentence for a learned Sigma",
        printed=Statement(SPARSE, WIDTH),
        corrected=Statement(SPARSE_LEARNED, WIDTH),
        observable=WIDTH.observable,
        uses=("thm-2.minimum",),
        assumptions=(Assumption("Sigma is learned", ANY_WIDTH),),
        erratum=Erratum(
            "latent variable models perform sparse learning through soft thresholding or hard thresholding or both",
            "with a learned Sigma through the non-negative garrote, zeta_i - beta eta_dec^2/zeta_i, and a hard cut beyond d1",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "s4.5.stability",
        "§4.5, Insights",
        "where a layer's norm diverges as beta tends to 0 with a fixed Sigma, it does not with a learned Sigma",
        printed=Statement(STABLE, FROM_FIXED),
        observable=FROM_FIXED.observable,
        uses=("prop-2.minimum", "thm-2.minimum"),
        assumptions=(Assumption("Sigma is learned", Universal(FIXED, kind_there=FIXED)),),
    ),
    Claim(
        "s4.5.beta-versus-eta",
        "§4.5, Insights",
        "multiplying beta by k gives the same minimiser as dividing eta_dec by sqrt(k), for every Sigma, fixed or learned",
        printed=Statement(UP_AS_DOWN, ANY_SIGMA_ANY_LEVEL),
        corrected=Statement(UP_AS_UP, ANY_SIGMA_ANY_LEVEL),
        observable=ANY_SIGMA_ANY_LEVEL.observable,
        uses=("prop-2.minimum", "thm-2.minimum"),
        erratum=Erratum(
            "the effect of increasing beta is identical to the effect of decreasing eta_dec",
            "it is identical to the effect of increasing eta_dec: both raise beta eta_dec^2",
            Severity.CONCLUSION,
        ),
    ),
)
