"""Why changes of numerics/ may survive, by module, function and change."""

from __future__ import annotations

NUMERICS: dict[tuple[str, str, str], str] = {
    (
        "numerics.bootstrap",
        "bootstrap_intervals",
        "(found > np.finfo(np.float64).eps * n * found[:, :1]).all(0) -> "
        "(found > np.finfo(np.float64).eps / n * found[:, :1]).all(0)",
    ): "A bound of rounding: what is left of an eigenvalue that is none lies below either, or is told by its bias.",
    (
        "numerics.decoder_descent",
        "module",
        "TypeVar('_Point', DecoderParameters, HeldParameters) -> TypeVar('_Point', HeldParameters, DecoderParameters)",
    ): "Which types a variable of types may stand for has no order.",
    (
        "numerics.decoder_problems",
        "_well_apart.misfits",
        "factor * plan.squares[:d1][plan.squares[:d1] > 0] / plan.beta -> factor * plan.squares[:d1][plan.squares[:d1] >= 0] / "
        "plan.beta",
    ): "A mode of 0 has the place 0, at any multiple of which the misfit is the same.",
    (
        "numerics.decoder_profile",
        "module",
        "(1e-06, 2.0, 40) -> (1e-06, 2.0, 39)",
    ): "At one place fewer the slope is looked at: it turns as often between the others.",
    (
        "numerics.descent",
        "_check_boundedness",
        "0 < problem.r < DECODER_CUTOFF.value * problem.y2 -> 0 < problem.r <= DECODER_CUTOFF.value * problem.y2",
    ): "No r is the cut-off to the last bit.",
    (
        "numerics.descent",
        "_descend_one_by_one",
        "_ESCAPE_LENGTH * scale ** 0.5 -> _ESCAPE_LENGTH * (scale * 0.5)",
    ): "How far off a saddle descent is sent was chosen by trial; it ends at the same minima.",
    (
        "numerics.draws",
        "_float_draw",
        "kl(np.zeros((1, d1))) -> kl(np.zeros((2, d1)))",
    ): "The average over two codes of 0 is that of one.",
    (
        "numerics.exact",
        "exact_loss",
        "quadratic.is_Rational and problem.beta.is_Rational -> problem.beta.is_Rational",
    ): "Whether a sum of roots is tidied: it is the same number, and whatever compares it with another tidies the difference.",
    (
        "numerics.exact",
        "hessian",
        "curvature[place[0]] -> curvature[place[1]]",
    ): "A place on the diagonal: row and column are the same.",
    (
        "numerics.falsify",
        "conditions",
        "max(1, _BYTES // (8 * block.scales.flat(at, block.objective.free).shape[-1] ** 2)) -> "
        "max(1, _BYTES // (8 * block.scales.flat(at, block.objective.free).shape[-1]))",
    ): "How many instances are certified together, for memory's sake: each is so by itself.",
    (
        "numerics.fast_descent",
        "module",
        "200 -> 199",
    ): "Up to which size the fast route is taken, by what a step costs: a larger instance takes the plain one, to the same minima.",
    (
        "numerics.krylov",
        "leading_eigenvalues",
        "whole or residuals.max() <= KRYLOV_RESIDUAL.value * values[0] -> whole or residuals.max() < KRYLOV_RESIDUAL.value * "
        "values[0]",
    ): "No residual is the tolerance to the last bit.",
    (
        "numerics.krylov",
        "leading_eigenvalues",
        "whole or residuals.max() <= KRYLOV_RESIDUAL.value * values[0] -> whole or residuals.max() <= KRYLOV_RESIDUAL.value * "
        "values[1]",
    ): "Relative to the second largest eigenvalue it asks for more than it promises, and ends later if anything.",
    (
        "numerics.lambdified",
        "_is_place",
        "index.free_symbols <= DIMENSIONS -> index.free_symbols < DIMENSIONS",
    ): "They differ for an index that names every dimension at once, which no entry of a vector has.",
    (
        "numerics.levenberg_marquardt",
        "module",
        "(0.1, 3.0) -> (0.1, 6.0)",
    ): "How fast damping falls and rises is the pace of the search, chosen by trial; it ends at the same points.",
    (
        "numerics.levenberg_marquardt",
        "module",
        "100 -> 101",
    ): "How long an instance is watched before it is given up as ended, chosen by trial; one step more changes no minimum.",
    (
        "numerics.levenberg_marquardt",
        "_calmed",
        "torch.linalg.vector_norm(there.gradient, dim=-1) -> torch.linalg.vector_norm(there.gradient, dim=1)",
    ): "A batch of vectors has two dimensions: the last one is number 1.",
    (
        "numerics.moments",
        "real_problems",
        "digits_conditional(4, 1.2, eta_dec=0.5, eta_enc=0.7) -> digits_conditional(4, 1.2, eta_dec=0.5, eta_enc=1.4)",
    ): "Another prior to look at: every mode is as far below its threshold, which does not depend on it.",
    (
        "numerics.moments",
        "real_problems",
        "digits_conditional(4, 1.2, eta_dec=0.5, eta_enc=0.7) -> digits_conditional(4, 2.4, eta_dec=0.5, eta_enc=0.7)",
    ): "A larger weight to look at, of a problem that is there because it collapses completely: it does so at either.",
    (
        "numerics.newton",
        "_step",
        "(-newton[:, 0] * slope).sum(-1) / 2 -> (-newton[:, 0] / slope).sum(-1) / 2",
    ): "Of two reasons to stop, a step's promise is the earlier one: without it an instance stops where nothing moves it.",
    (
        "numerics.newton",
        "_step",
        "trial_norm.min(-1) -> trial_norm.min(1)",
    ): "Norms of a batch of ladders have two dimensions: the last one is number 1.",
    (
        "numerics.newton",
        "_step",
        "~by_loss & (smallest < _CALMER * norm) -> ~by_loss & (smallest < _CALMER / norm)",
    ): "Once rounding drowns the loss, steps that calm the gradient less are taken, too; it ends by its other reason to stop.",
    (
        "numerics.projection",
        "Projection._traded",
        "self.ratio is None or self.rest is None -> self.rest is None",
    ): "Both are there where the decoder's variance is learned, and neither is where it is given.",
    (
        "numerics.quasi_newton",
        "module",
        "8 -> 7",
    ): "How often descent is begun again, at most, chosen by trial: it ends before.",
    (
        "numerics.quasi_newton",
        "module",
        "30 -> 29",
    ): "How many steps it remembers is its pace, chosen by trial.",
    (
        "numerics.streaming",
        "module",
        "100 -> 101",
    ): "From which mean on sums are taken about it, a loss of two digits either way.",
    (
        "numerics.truncated_newton",
        "_steihaug",
        "curvature <= 0 or longer >= radius ** 2 -> curvature <= 0 or longer > radius ** 2",
    ): "No step ends on the edge to the last bit.",
    (
        "numerics.noise",
        "noise_edge",
        "int(np.sum(moments > np.median(moments) / (free * middle) * _largest(free, features))) -> int(np.sum(moments > "
        "np.median(moments) * _largest(free, features)))",
    ): "Where the search begins: it goes up and down from there until what is left has its own edge.",
    (
        "numerics.pairs",
        "_of_descent",
        "(layer.minimum(problem), max(problem.d1, problem.dstar) + 1) -> "
        "(layer.minimum(problem), max(problem.d1, problem.dstar))",
    ): "One 0 fewer beyond the last latent: no statement on a latent and the next reaches it.",
    (
        "numerics.observables.conditions",
        "rotation",
        "(yield truth(problem, stated, found)) -> (yield truth(problem, found, stated))",
    ): "Whether two truths agree has no order.",
    (
        "numerics.layers.exact",
        "ExactLayer.decoder_variance_findings",
        "(yield self.difference('decoder variance', problem, stated, found)) -> "
        "(yield self.difference('decoder variance', problem, found, stated))",
    ): "How far apart two numbers are has no order.",
    (
        "numerics.observables.ablation",
        "change_at_minima",
        "evaluate(formula, tensors | at, 'torch', draws=X.shape[1]) + 0 * at[n.U].sum() -> "
        "evaluate(formula, tensors | at, 'torch', draws=X.shape[1]) - 0 * at[n.U].sum()",
    ): "0 times a number is 0 whatever its sign.",
    (
        "numerics.observables.alignment",
        "signal_strength",
        "_outer(draw, known[gamma] * blind @ draw.values[n.x]) -> _outer(draw, blind @ draw.values[n.x])",
    ): "What sees nothing of x sees nothing of it gamma times, either: Z is 0.",
    (
        "numerics.observables.collapsed_latents",
        "_happening",
        "int(np.sum(np.linalg.eigvalsh(modes) <= least)) -> int(np.sum(np.linalg.eigvalsh(modes) < least))",
    ): "No eigenvalue is the tolerance to the last bit.",
    (
        "numerics.observables.identities",
        "whitening",
        "layer.difference('moments', draw, left, right) -> layer.difference('moments', draw, right, left)",
    ): "How far apart two sides are has no order.",
    (
        "numerics.observables.identities",
        "reduction",
        "((W, U), (2 * W, U), (W, 1 + 2 * U), (-W, 3 - U), (0 * W, 0 * U)) -> "
        "((W, U), (W, U), (W, 1 + 2 * U), (-W, 3 - U), (0 * W, 0 * U))",
    ): "Other points (U, W) to look at: three more tell the objective's changes.",
    (
        "numerics.observables.identities",
        "reduction",
        "((W, U), (2 * W, U), (W, 1 + 2 * U), (-W, 3 - U), (0 * W, 0 * U)) -> "
        "((W, U), (2 * W, U), (W, 1 + 2 * U), (-W, 3 - U), (1 * W, 0 * U))",
    ): "Another point (U, W) to look at, at which the decoder is 0 as well.",
    (
        "numerics.observables.identities",
        "reduction",
        "((W, U), (2 * W, U), (W, 1 + 2 * U), (-W, 3 - U), (0 * W, 0 * U)) -> "
        "((W, U), (2 * W, U), (W, 1 + 2 * U), (-W, 3 - U), (0 * W, 1 * U))",
    ): "Another point (U, W) to look at, at which the encoder is 0 as well.",
    (
        "numerics.observables.input_variance",
        "tried",
        "constant / 2 -> constant",
    ): "A function fewer to try, which is not the best of its family.",
    (
        "numerics.observables.profile_constant",
        "_extrapolated",
        "(problem, 3 * first - 3 * second + third, max((abs(float(loss)) for loss in scaled))) -> "
        "(problem, 3 * first - 3 * second + third, max((float(loss) for loss in scaled)))",
    ): "No loss is negative: an expected square and a divergence.",
    (
        "numerics.observables.regression",
        "seed_of",
        "int(getattr(layer, 'seed', 0)) -> int(getattr(layer, 'seed', 1))",
    ): "Every layer has a seed: what stands for a missing one is never used.",
    (
        "numerics.observables.shapes",
        "variables",
        "draw.values[n.W].T @ x + noise -> draw.values[n.W].T @ x",
    ): "A sum of vectors is as long as either of them, and only its length is looked at.",
    (
        "numerics.observables.shapes",
        "variables",
        "draw.values[n.W].T @ x + noise -> noise",
    ): "A sum of vectors is as long as either of them, and only its length is looked at.",
    (
        "numerics.observables.solution_manifold",
        "_null_space",
        "W + sum((k * direction for k, direction in enumerate(basis, 1)), 0 * W) -> "
        "W + sum((k * direction for k, direction in enumerate(basis, 2)), 0 * W)",
    ): "How far the walk goes along each direction: the loss is to be the same anywhere on it.",
}
