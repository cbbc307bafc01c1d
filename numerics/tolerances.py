"""The one table of tolerances. Every comparison of floating-point numbers in the suite takes its tolerance from here."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TOLERANCES", "Tolerance"]


@dataclass(frozen=True)
class Tolerance:
    """A bound on a floating-point discrepancy, and why it is neither larger nor smaller."""

    name: str
    value: float
    reason: str


FLOAT64_IDENTITY = Tolerance(
    "FLOAT64_IDENTITY",
    1e-11,
    "Two evaluations of one algebraic identity in float64: some hundred roundings of 1.1e-16, "
    "amplified by condition numbers of at most about 1e2 in the sampled problems.",
)
EXACT = Tolerance(
    "EXACT",
    0.0,
    "Exact numbers and truth values: they agree or they do not.",
)
FIFTY_DIGITS = Tolerance(
    "FIFTY_DIGITS",
    1e-30,
    "An eigenvalue computed with 50 digits of a Hessian that is not rational, where only mutants lead.",
)
CLOSED_FORM_GRADIENT = Tolerance(
    "CLOSED_FORM_GRADIENT",
    1e-10,
    "Gradient at a point assembled from a closed form, relative to the problem's curvature and the point's size: rounding of "
    "the singular value decomposition and of A's eigenvectors; a mutated closed form leaves more than 1e-4.",
)
CLOSED_FORM_CURVATURE = Tolerance(
    "CLOSED_FORM_CURVATURE",
    1e-10,
    "Negative curvature at such a point, relative to the problem's curvature: symmetric directions have eigenvalue 0 up to "
    "rounding; a saddle of the sampled problems is below -1e-3.",
)
MATRIX_EQUATION = Tolerance(
    "MATRIX_EQUATION",
    1e-9,
    "Two sides of a matrix equation, relative to their size: products of five matrices with condition numbers up to 1e2; "
    "candidates that break the equation break it by more than 1e-3.",
)
FLOAT64_DERIVATIVE = Tolerance(
    "FLOAT64_DERIVATIVE",
    1e-10,
    "Analytic derivative against automatic differentiation: the same algebra in another order of summation, "
    "with one more product for each order of differentiation.",
)
RANK_CUTOFF = Tolerance(
    "RANK_CUTOFF",
    1e-12,
    "Eigenvalues of A below this fraction of the largest are zero: rounding leaves null eigenvalues of a sample "
    "second moment near 1e-16, and the smallest genuine one of the bundled data is above 1e-8.",
)
SYMMETRY = Tolerance(
    "SYMMETRY",
    1e-12,
    "Asymmetry of A, or an eigenvalue below zero, relative to its largest entry: a matrix product leaves at most "
    "about 1e-14; anything larger is another matrix.",
)
RANGE_OF_A = Tolerance(
    "RANGE_OF_A",
    1e-8,
    "Part of C outside the range of A, relative to ‖C‖: a cross moment E[yxᵀ] lies in it exactly; an eigenvector of A "
    "next to the rank cutoff is only known to about the rounding error over the eigenvalue gap.",
)
RESIDUAL_MOMENT = Tolerance(
    "RESIDUAL_MOMENT",
    1e-10,
    "r = y2 − ‖Z‖² relative to y2: within this of zero it is zero (a difference of two sums, divided by the smallest "
    "eigenvalue of A); below minus this, no data has these moments.",
)
PLANTED_SPECTRUM = Tolerance(
    "PLANTED_SPECTRUM",
    1e-9,
    "Planted singular values against those recomputed from A and C, relative to the largest: whitening divides by the "
    "square root of the smallest eigenvalue of A.",
)
DESCENT_GAP = Tolerance(
    "DESCENT_GAP",
    1e-9,
    "Loss of a minimum found by descent above the closed form, relative: the loss is flat to second order, so a "
    "gradient of 1e-7 leaves far less; a wrong mode or a saddle leaves far more.",
)
DESCENT_BELOW = Tolerance(
    "DESCENT_BELOW",
    1e-12,
    "Loss of a minimum found by descent below the closed form, relative: only the rounding of the loss itself, some "
    "hundred operations. One run below this refutes the closed form.",
)
DESCENT_INFIMUM = Tolerance(
    "DESCENT_INFIMUM",
    1e-5,
    "Loss where descent towards an infimum that is not attained was stopped, above it, relative to E‖y‖²: the steps grow with the "
    "parameters and leave less than 1e-6; a mutated infimum of a sampled problem is off by more than 1e-3.",
)
DESCENT_INVARIANT = Tolerance(
    "DESCENT_INVARIANT",
    1e-5,
    "Singular values of UVᵀ, encoder standard deviations and KL per mode at a minimum, relative: an argument is known "
    "to about the square root of the precision of the loss, and to less at an exact threshold, where the loss is quartic.",
)
DOUBT = Tolerance(
    "DOUBT",
    1e-9,
    "Two exact numbers nearer than this in float64, relative to the larger (at least 1), are compared exactly: a thousand "
    "times the rounding of the few operations that lead to them.",
)
COLLAPSED_MODE = Tolerance(
    "COLLAPSED_MODE",
    1e-5,
    "Singular values of UVᵀ below this, relative to the largest of Z, belong to collapsed modes: at an exact threshold the loss "
    "is quartic and a gradient of 1e-9 leaves lengths of 1e-3, a product of 1e-6; sampled active modes are above 1e-3.",
)
TRANSITION = Tolerance(
    "TRANSITION",
    1e-3,
    "A jump of the least loss, its slope or its curvature in beta where a mode collapses, relative to the mode's own: polynomials "
    "through five values a two-hundredth apart lose 1e-4 at most; rounding of 1e-13 leaves 1e-6; a mutant is off by 1e-2 or more.",
)
FLOW = Tolerance(
    "FLOW",
    1e-5,
    "What gradient flow does, relative to its fastest rate: integration is told 1e-10; of directions slower by a thousandth or "
    "more a Rayleigh quotient keeps less after two thousand units of time; a mutant is off by 1e-2 or more.",
)
REDUCED_GRADIENT = Tolerance(
    "REDUCED_GRADIENT",
    1e-7,
    "Gradient of the reduced objective where descent ended, relative to the loss and the point: descent leaves a gradient of "
    "1e-9 in the original parameters, which whitening may enlarge; a mutated objective leaves more than 1e-3.",
)
GRADIENT_NORM = Tolerance(
    "GRADIENT_NORM",
    1e-7,
    "Euclidean norm of the gradient in (W, U, log σ²) at a minimum: a thousand times the rounding of a gradient whose "
    "terms reach 1e4.",
)
HESSIAN_EIGENVALUE = Tolerance(
    "HESSIAN_EIGENVALUE",
    1e-7,
    "Smallest Hessian eigenvalue at a minimum may be this far below zero: symmetric directions have eigenvalue zero up "
    "to the remaining gradient; a strict saddle of the sampled problems is below −1e-4.",
)
DECODER_CUTOFF = Tolerance(
    "DECODER_CUTOFF",
    1e-7,
    "Descent ends where the learned decoder variance is below this fraction of E‖y‖²/d2. At a stationary point d2 η_dec² is the "
    "mean squared error, at least r: a minimum beyond would have r/E‖y‖² below 1e-7; the sampled r are above 1e-3, or 0. Much "
    "further down rounding, relative to E‖y‖²/η_dec², drowns the loss.",
)
DECODER_SLOPE = Tolerance(
    "DECODER_SLOPE",
    1e-3,
    "Slope of the loss in log η_dec², in nats, at a tiny η_dec²: within this of zero the loss is level. Rounding leaves 1e-8 at "
    "DECODER_CUTOFF; where the loss of a sampled problem falls or rises for ever, it does so by more than 1e-2.",
)
DIFFERENCE_QUOTIENT = Tolerance(
    "DIFFERENCE_QUOTIENT",
    1e-5,
    "Slope of a loss against its central difference over a relative step of 1e-6: truncation is 1e-12, and the rounding of the "
    "loss, 1e-16 of terms up to 1e3, is divided by the step.",
)
STEP_ROUNDING = Tolerance(
    "STEP_ROUNDING",
    1e-15,
    "Descent accepts a step that raises the loss by less than this, relative to its largest term, if the gradient "
    "falls: near a minimum the change in loss drowns in rounding before the gradient does.",
)
STEP_DECREASE = Tolerance(
    "STEP_DECREASE",
    1e-13,
    "Descent goes on while the quadratic model promises a decrease above this, relative to the largest term of the "
    "loss: four decades below DESCENT_GAP.",
)
STEP_GRADIENT = Tolerance(
    "STEP_GRADIENT",
    1e-9,
    "Descent goes on while the gradient norm in the original parameters is above this: two decades below GRADIENT_NORM.",
)
STEP_CURVATURE = Tolerance(
    "STEP_CURVATURE",
    1e-9,
    "Descent leaves a stationary point whose smallest Hessian eigenvalue is below minus this: two decades below "
    "HESSIAN_EIGENVALUE.",
)
STEP_FLATNESS = Tolerance(
    "STEP_FLATNESS",
    1e-9,
    "Conjugate gradients stop at a direction whose curvature, relative to the Hessian's own diagonal blocks, is within "
    "this of zero: there the sign is rounding (null space of A, of either sign at 1e-16) and the gain negligible.",
)
PROJECTED_LEVEL = Tolerance(
    "PROJECTED_LEVEL",
    1e-14,
    "Variable projection: a promised decrease below this, relative to the loss's terms, is about to drown in rounding; damping is "
    "let go, and a step may be taken that does not lower the loss.",
)
PROJECTED_ROUNDING = Tolerance(
    "PROJECTED_ROUNDING",
    4e-15,
    "Variable projection: how much such a step may raise the loss, relative to its terms: some ten roundings of 1.1e-16. A long "
    "step along a valley that is level to 1e-14 raises it by far more.",
)
PROJECTED_DECREASE = Tolerance(
    "PROJECTED_DECREASE",
    1e-18,
    "Variable projection ends once the quadratic model promises less than this, relative to the loss's terms: the model comes "
    "from the gradient and knows decreases far below the rounding of the loss; along level directions rounding promises 1e-20.",
)
PROJECTED_STEEPNESS = Tolerance(
    "PROJECTED_STEEPNESS",
    1e-13,
    "Variable projection: a gradient below this, relative to the loss's terms, is rounding: they are sums of a hundred products. "
    "Where modes are a hundred thresholds large, rounding left 5e-14.",
)
PROJECTED_DAMPING = Tolerance(
    "PROJECTED_DAMPING",
    1e-12,
    "Variable projection ends only where the Hessian, plus this times its largest diagonal entry (at least 1), is positive "
    "definite. In 12,000 spectra of three nearly tied modes the worst gap was 4e-10 with 1e-6, 3e-12 with 1e-8 and 6e-13 with "
    "1e-12; Cholesky's own rounding is about 1e-15.",
)
CERTIFIED_GRADIENT = Tolerance(
    "CERTIFIED_GRADIENT",
    1e-7,
    "Norm of the gradient in the original parameters, in units of their usual sizes and of the loss, at a certified point.",
)
CERTIFIED_CURVATURE = Tolerance(
    "CERTIFIED_CURVATURE",
    1e-9,
    "Curvature in those units may be this far below zero: where A has a null space it is 0 up to rounding.",
)
PROJECTED_CURVATURE = Tolerance(
    "PROJECTED_CURVATURE",
    1e-10,
    "Curvature of the projected loss may be this far below zero, relative to its largest diagonal entry (at least 1): a tenth of "
    "DESCENT_GAP, since a nearly tied mode in another's place costs about its negative curvature.",
)
CERTIFIED_DECREASE = Tolerance(
    "CERTIFIED_DECREASE",
    1e-11,
    "Decrease that Newton's step still promises at a certified point, relative to the projected loss (at least 1). Without it 22 "
    "of 45,696 points planted about minima had a certificate, between nearly tied modes, up to 4e-8 above; descent leaves below "
    "1e-12.",
)
COLUMN_OVERLAP = Tolerance(
    "COLUMN_OVERLAP",
    1e-11,
    "What overlapping columns of the decoder cost at a certified point, relative to the loss or its largest term (at least 1 nat): "
    "a hundredth of DESCENT_GAP, since a point is at least that far above the minimum. In 15,000 instances of every hardship "
    "descent left 1e-14.",
)
SPECTRUM = Tolerance(
    "SPECTRUM",
    1e-10,
    "Eigenvalues of a covariance by two routes, relative to the largest, and what is inverted from them: a thousand roundings.",
)
KRYLOV_RESIDUAL = Tolerance(
    "KRYLOV_RESIDUAL",
    1e-8,
    "Residual of a leading eigenvector of a covariance, relative to the largest eigenvalue; the eigenvalue's own error is the "
    "square of that over the gap to the rest.",
)
LANCZOS = Tolerance(
    "LANCZOS",
    1e-10,
    "Lanczos' residual relative to the largest eigenvalue, which is about 2: a decade below STEP_CURVATURE, and above "
    "the rounding of some hundred products with the Hessian.",
)
TRAINED_LINEAR = Tolerance(
    "TRAINED_LINEAR",
    1e-6,
    "Loss of a linear model after Adam on exact expectations, relative to the least loss: at the last rate, 1e-3, Adam's steps "
    "leave about the square of that.",
)
TRAINED_NETWORK = Tolerance(
    "TRAINED_NETWORK",
    2e-2,
    "A trained network's loss, or a median of such, relative to the least loss of a linear model, which is its infimum on Gaussian "
    "data: noise of batches and of the measurement is below 1e-2, a mode more or less costs more except beside its threshold.",
)
CONSTANT_OUTPUT = Tolerance(
    "CONSTANT_OUTPUT",
    1e-3,
    "What a trained network's output varies with input and noise, as a share of the target's variance, where no latent has 0.01 "
    "nats: 4e-4 at most was seen, and 4e-2 at least where a latent is used.",
)

TOLERANCES: dict[str, Tolerance] = {row.name: row for row in list(globals().values()) if isinstance(row, Tolerance)}
