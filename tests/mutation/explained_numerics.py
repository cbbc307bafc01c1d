"""Why changes of numerics/ may survive, by module, function and change."""

from __future__ import annotations

NUMERICS: dict[tuple[str, str, str], str] = {
    (
        "numerics.bootstrap",
        "bootstrap_intervals",
        "(found > np.finfo(np.float64).eps * n * found[:, :1]).all(0) -> (found > np.finfo(np.float64).eps / n * "
        "found[:, :1]).all(0)",
    ): "A bound of rounding: what is left of an eigenvalue that is none lies below either, or is told by its bias.",
    (
        "numerics.certificates",
        "certify_large",
        "1 / 100 -> 1",
    ): "How well the spectrum's bound is known that the shift is made of: twice it is above the spectrum either way.",
    (
        "numerics.columns",
        "overlap",
        "(-ascending(-variance) * turned).sum(-1) -> (-ascending(-variance) * turned).sum(1)",
    ): (
        "A batch of vectors has two dimensions: the last one is number 1; without a batch no fixed variances are asked "
        "for here."
    ),
    (
        "numerics.decoder_descent",
        "module",
        "TypeVar('_Point', DecoderParameters, HeldParameters) -> TypeVar('_Point', HeldParameters, DecoderParameters)",
    ): "Which types a variable of types may stand for has no order.",
    (
        "numerics.decoder_objective",
        "_DecoderObjective.escaped",
        "at.log_decoder < (DECODER_CUTOFF.value * statistics.y2 / statistics.C.shape[-2]).log() -> at.log_decoder <= "
        "(DECODER_CUTOFF.value * statistics.y2 / statistics.C.shape[-2]).log()",
    ): "No decoder variance is the cut-off to the last bit.",
    (
        "numerics.decoder_problems",
        "_well_apart.misfits",
        "factor * plan.squares[:d1][plan.squares[:d1] > 0] / plan.beta -> factor * plan.squares[:d1][plan.squares[:d1] "
        ">= 0] / plan.beta",
    ): "A mode of 0 has the place 0, at any multiple of which the misfit is the same.",
    (
        "numerics.decoder_profile",
        "least_over_decoder",
        "abs(slopes[0]) <= DECODER_SLOPE.value -> abs(slopes[1]) <= DECODER_SLOPE.value",
    ): "At the two lowest places, a factor of two apart and next to 0, the slope is the same but for rounding.",
    (
        "numerics.decoder_profile",
        "least_over_decoder",
        "int(np.argmin(np.abs(slopes) <= DECODER_SLOPE.value)) -> int(np.argmin(np.abs(slopes) < DECODER_SLOPE.value))",
    ): "No slope is the tolerance to the last bit.",
    (
        "numerics.decoder_profile",
        "least_over_decoder",
        "slopes[0] > DECODER_SLOPE.value -> slopes[1] > DECODER_SLOPE.value",
    ): "At the two lowest places, a factor of two apart and next to 0, the slope is the same but for rounding.",
    (
        "numerics.descent",
        "_descend_fast",
        "len(problems) == 1 and device.type == 'cpu' and (problems[0].d2 * problems[0].d1 <= MOST_ALONE) -> "
        "len(problems) == 1 and problems[0].d2 * problems[0].d1 <= MOST_ALONE",
    ): "They differ where torch finds CUDA, which the machine that the changes were tried on has not.",
    (
        "numerics.descent",
        "module",
        "5 -> 4",
    ): "How often a large instance is helped off a saddle: the ones that meet one need it once or twice.",
    (
        "numerics.draws",
        "_float_draw",
        "kl(np.zeros((1, d1))) -> kl(np.zeros((2, d1)))",
    ): "The average over two codes of 0 is that of one.",
    (
        "numerics.exact",
        "exact_loss",
        "quadratic.is_Rational and problem.beta.is_Rational -> problem.beta.is_Rational",
    ): (
        "Whether a sum of roots is tidied: it is the same number, and whatever compares it with another tidies the "
        "difference."
    ),
    (
        "numerics.exact",
        "hessian",
        "curvature[place[0]] -> curvature[place[1]]",
    ): "A place on the diagonal: row and column are the same.",
    (
        "numerics.falsify",
        "conditions",
        "max(1, _BYTES // (8 * block.scales.flat(at, block.objective.free).shape[-1] ** 2)) -> max(1, _BYTES // (8 * "
        "block.scales.flat(at, block.objective.free).shape[-1]))",
    ): "How many instances are certified together, for memory's sake: each is so by itself.",
    (
        "numerics.fast_descent",
        "module",
        "200 -> 199",
    ): (
        "Up to which size the fast route is taken, by what a step costs: a larger instance takes the plain one, to the "
        "same minima."
    ),
    (
        "numerics.krylov",
        "leading_eigenvalues",
        "whole or residuals.max() <= KRYLOV_RESIDUAL.value * values[0] -> whole or residuals.max() < "
        "KRYLOV_RESIDUAL.value * values[0]",
    ): "No residual is the tolerance to the last bit.",
    (
        "numerics.krylov",
        "leading_eigenvalues",
        "whole or residuals.max() <= KRYLOV_RESIDUAL.value * values[0] -> whole or residuals.max() <= "
        "KRYLOV_RESIDUAL.value * values[1]",
    ): "Relative to the second largest eigenvalue it asks for more than it promises, and ends later if anything.",
    (
        "numerics.lambdified",
        "_is_place",
        "index.free_symbols <= DIMENSIONS -> index.free_symbols < DIMENSIONS",
    ): "They differ for an index that names every dimension at once, which no entry of a vector has.",
    (
        "numerics.layers.exact",
        "ExactLayer.decoder_variance_findings",
        "(yield self.difference('decoder variance', problem, stated, found)) -> (yield self.difference('decoder "
        "variance', problem, found, stated))",
    ): "How far apart two numbers are has no order.",
    (
        "numerics.levenberg_marquardt",
        "_calmed",
        "newton_step(there, PROJECTED_DAMPING.value * largest_curvature(there)) -> newton_step(there, "
        "PROJECTED_DAMPING.value / largest_curvature(there))",
    ): (
        "A bound of rounding on how definite a Hessian is after a very last step: beside a minimum it is definite by far "
        "more, or 0."
    ),
    (
        "numerics.levenberg_marquardt",
        "_step",
        "definite & ((share > WORTHLESS) | level) & there.gradient.isfinite().all(-1) -> definite & ((share > WORTHLESS) "
        "| level) & there.gradient.isfinite().all(1)",
    ): "A batch of vectors has two dimensions: the last one is number 1.",
    (
        "numerics.levenberg_marquardt",
        "_step",
        "steepness < CALMER * state.calmest -> steepness < state.calmest",
    ): (
        "How much calmer a step must be for descent to go on was chosen by trial; it ends at the same points, within "
        "rounding."
    ),
    (
        "numerics.levenberg_marquardt",
        "module",
        "30000 -> 30001",
    ): "How many steps at most: what takes so many is given up as it is, and its certificate tells.",
    (
        "numerics.lone_descent",
        "lone_descent",
        "(steepness, 0) if steepness < CALMER * calmest else (calmest, idle + 1) -> (steepness, 0) if steepness < CALMER "
        "* calmest else (calmest, idle - 1)",
    ): "What would end after ten idle steps ends by a gradient of mere rounding, or goes on in torch.",
    (
        "numerics.lone_descent",
        "lone_descent",
        "(steepness, 0) if steepness < CALMER * calmest else (calmest, idle + 1) -> (steepness, 1) if steepness < CALMER "
        "* calmest else (calmest, idle + 1)",
    ): (
        "How many steps in a row may come to nothing was chosen by trial: one fewer ends at the same points, within "
        "rounding."
    ),
    (
        "numerics.lone_descent",
        "lone_descent",
        "1 / FACTOR if fall > GOOD * promise else 2 if fall < POOR * promise else 1 -> 1 / FACTOR if fall > GOOD * "
        "promise else 2 if fall <= POOR * promise else 1",
    ): "No decrease is that share of what was promised to the last bit.",
    (
        "numerics.lone_descent",
        "lone_descent",
        "_norm(at) <= PROJECTED_STEEPNESS.value * size -> _norm(at) < PROJECTED_STEEPNESS.value * size",
    ): "No gradient is the bound to the last bit.",
    (
        "numerics.lone_descent",
        "lone_descent",
        "falling and fall >= -PROJECTED_ROUNDING.value * size -> fall >= -PROJECTED_ROUNDING.value * size",
    ): (
        "A step that promises much and lowers the loss by next to nothing is taken as well: another path, to the same "
        "points."
    ),
    (
        "numerics.lone_descent",
        "lone_descent",
        "promise <= PROJECTED_DECREASE.value * size or idle >= PATIENCE -> promise < PROJECTED_DECREASE.value * size or "
        "idle >= PATIENCE",
    ): "No promise is the bound to the last bit.",
    (
        "numerics.measured",
        "resolved",
        "(1 - variance > TELLING) & (np.log1p(power) / 2 > least) -> (1 - variance >= TELLING) & (np.log1p(power) / 2 > "
        "least)",
    ): "No variance is the bound to the last bit.",
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
        "(-newton[:, 0] * slope).sum(-1) / 2 -> (-newton[:, 0] * slope).sum(-1) * 2",
    ): (
        "A promise compared with a bound four decades below what is asked of a minimum: a factor of two or four is "
        "within it."
    ),
    (
        "numerics.newton",
        "_step",
        "(-newton[:, 0] * slope).sum(-1) / 2 -> (-newton[:, 0] * slope).sum(-1) / 1",
    ): (
        "A promise compared with a bound four decades below what is asked of a minimum: a factor of two or four is "
        "within it."
    ),
    (
        "numerics.newton",
        "module",
        "(0.1, -0.1, 0.001, -0.001) -> (0.1, -0.2, 0.001, -0.001)",
    ): "How far off a saddle a step goes, chosen by trial; descent ends at the same minima.",
    (
        "numerics.newton",
        "module",
        "(0.1, -0.1, 0.001, -0.001) -> (0.2, -0.1, 0.001, -0.001)",
    ): "How far off a saddle a step goes, chosen by trial; descent ends at the same minima.",
    (
        "numerics.newton",
        "module",
        "(1e-11, 1e-08, 1e-06, 1e-05, 3e-05, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.1, 1.0, 10.0) -> (1e-11, 1e-08, "
        "1e-06, 1e-05, 3e-05, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.1, 2.0, 10.0)",
    ): "One rung of a ladder of dampings that every step tries, chosen by trial; descent ends at the same minima.",
    (
        "numerics.newton",
        "module",
        "4000 -> 4001",
    ): "How many steps at most: what takes so many is given up as it is, and its certificate tells.",
    (
        "numerics.noise",
        "noise_edge",
        "int(np.sum(moments > np.median(moments) / (free * middle) * _largest(free, features))) -> int(np.sum(moments > "
        "np.median(moments) * _largest(free, features)))",
    ): "Where the search begins: it goes up and down from there until what is left has its own edge.",
    (
        "numerics.objective",
        "_times",
        "moments.ndim == 2 and W.ndim > 2 -> moments.ndim == 2 and W.ndim > 1",
    ): "Which of two ways takes the same product of an unbatched W: the faster one is for a batch.",
    (
        "numerics.observables.ablation",
        "change_at_minima",
        "evaluate(formula, tensors | at, 'torch', draws=X.shape[1]) + 0 * at[n.U].sum() -> evaluate(formula, tensors | "
        "at, 'torch', draws=X.shape[1]) - 0 * at[n.U].sum()",
    ): "0 times a number is 0 whatever its sign.",
    (
        "numerics.observables.alignment",
        "_aligned_and_total",
        "((seen * seen).sum() / seen.shape[1], np.trace(_outer(draw, strength * seen)[1])) -> ((seen * seen).sum(), "
        "np.trace(_outer(draw, strength * seen)[1]))",
    ): (
        "A multiple of Tr(M A M^T), the same here and there: the statement only compares them and asks whether they are "
        "0."
    ),
    (
        "numerics.observables.alignment",
        "signal_growth",
        "((2, 1), (1, 2), (1, 1), (2, 0), (1, 0), (3, 2)) -> ((2, 1), (1, 1), (1, 1), (2, 0), (1, 0), (3, 2))",
    ): "Which factors are looked at: the others still tell every mutant.",
    (
        "numerics.observables.alignment",
        "signal_growth",
        "(values[gamma] * factor, matrix * stretch) -> (factor, matrix * stretch)",
    ): "Another gamma to look at, the factor itself: it is larger or smaller than the draw's as often.",
    (
        "numerics.observables.collapsed_latents",
        "_happening",
        "int(np.sum(np.linalg.eigvalsh(modes) <= least)) -> int(np.sum(np.linalg.eigvalsh(modes) < least))",
    ): "No eigenvalue is the tolerance to the last bit.",
    (
        "numerics.observables.conditions",
        "rotation",
        "(yield truth(problem, stated, found)) -> (yield truth(problem, found, stated))",
    ): "Whether two truths agree has no order.",
    (
        "numerics.observables.decoder",
        "_all_kept",
        "bool(value ** 2 - problem.beta * variance > tolerance * value ** 2) -> bool(value ** 2 - problem.beta * "
        "variance > tolerance * value ** 1)",
    ): "A bound of rounding: singular values are of order 1, and no mode lies as near to its threshold but on it.",
    (
        "numerics.observables.decoder",
        "_all_kept",
        "bool(value ** 2 - problem.beta * variance > tolerance * value ** 2) -> bool(value ** 2 - problem.beta * "
        "variance > tolerance / value ** 2)",
    ): "A bound of rounding: singular values are of order 1, and no mode lies as near to its threshold but on it.",
    (
        "numerics.observables.identities",
        "reduction",
        "((W, U), (2 * W, U), (W, 1 + 2 * U), (-W, 3 - U), (0 * W, 0 * U)) -> ((W, U), (2 * W, U), (W, 1 + 2 * U), (-W, "
        "3 - U), (0 * W, 1 * U))",
    ): "Another point (U, W) to look at, at which the encoder is 0 as well.",
    (
        "numerics.observables.identities",
        "reduction",
        "((W, U), (2 * W, U), (W, 1 + 2 * U), (-W, 3 - U), (0 * W, 0 * U)) -> ((W, U), (2 * W, U), (W, 1 + 2 * U), (-W, "
        "3 - U), (1 * W, 0 * U))",
    ): "Another point (U, W) to look at, at which the decoder is 0 as well.",
    (
        "numerics.observables.identities",
        "reduction",
        "((W, U), (2 * W, U), (W, 1 + 2 * U), (-W, 3 - U), (0 * W, 0 * U)) -> ((W, U), (W, U), (W, 1 + 2 * U), (-W, 3 - "
        "U), (0 * W, 0 * U))",
    ): "Other points (U, W) to look at: three more tell the objective's changes.",
    (
        "numerics.observables.identities",
        "whitening",
        "layer.difference('moments', draw, left, right) -> layer.difference('moments', draw, right, left)",
    ): "How far apart two sides are has no order.",
    (
        "numerics.observables.input_variance",
        "tried",
        "constant / 2 -> constant",
    ): "A function fewer to try, which is not the best of its family.",
    (
        "numerics.observables.minima",
        "reduction_at_minima",
        "1 + abs(float(loss.detach())) -> 1 + float(loss.detach())",
    ): "The reduced objective is a sum of squares: its absolute value is itself.",
    (
        "numerics.observables.profile_constant",
        "_extrapolated",
        "(problem, 3 * first - 3 * second + third, max((abs(float(loss)) for loss in scaled))) -> (problem, 3 * first - "
        "3 * second + third, max((float(loss) for loss in scaled)))",
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
        "numerics.observables.situations",
        "_column",
        "values[0] is None or np.ndim(values[0]) > 1 -> values[0] is None or np.ndim(values[1]) > 1",
    ): "What a symbol stands for has as many dimensions at every pair.",
    (
        "numerics.observables.situations",
        "_joint",
        "value is not None and np.ndim(value) < 2 -> value is not None and np.ndim(value) < 3",
    ): "A matrix among the values is of a symbol that no such statement names.",
    (
        "numerics.observables.solution_manifold",
        "_null_space",
        "W + sum((k * direction for k, direction in enumerate(basis, 1)), 0 * W) -> W + sum((k * direction for k, "
        "direction in enumerate(basis, 2)), 0 * W)",
    ): "How far the walk goes along each direction: the loss is to be the same anywhere on it.",
    (
        "numerics.observables.transition",
        "_modes",
        "not tied[:mode].any() and np.all(np.abs(others - 1) > 2 * _STEP * _NODES[-1]) -> not tied[:mode].any() and "
        "np.all(np.abs(others - 1) > 2 * _STEP * _NODES[-2])",
    ): "How far the next threshold must be is twice what is needed; four fifths of that are enough as well.",
    (
        "numerics.observables.transition",
        "_modes",
        "not tied[:mode].any() and np.all(np.abs(others - 1) > 2 * _STEP * _NODES[-1]) -> not tied[:mode].any() and "
        "np.all(np.abs(others - 1) >= 2 * _STEP * _NODES[-1])",
    ): "No threshold lies at that distance to the last bit.",
    (
        "numerics.pairs",
        "_of_descent",
        "(layer.minimum(problem), max(problem.d1, problem.dstar) + 1) -> (layer.minimum(problem), max(problem.d1, "
        "problem.dstar))",
    ): "One 0 fewer beyond the last latent: no statement on a latent and the next reaches it.",
    (
        "numerics.problem",
        "Problem.r",
        "0.0 if abs(residual) <= RESIDUAL_MOMENT.value * self.y2 else residual -> 0.0 if residual <= "
        "RESIDUAL_MOMENT.value * self.y2 else residual",
    ): "What is further below zero is refused when the instance is made.",
    (
        "numerics.projection",
        "Projection.alternated",
        "self.Y @ V @ torch.linalg.inv_ex(V.mT @ V + torch.diag_embed(noise))[0] -> -(self.Y @ V @ "
        "torch.linalg.inv_ex(V.mT @ V + torch.diag_embed(noise))[0])",
    ): (
        "The loss does not change where X changes its sign, and the best encoder with it: twenty alternations, each "
        "turned back by the next."
    ),
    (
        "numerics.quasi_newton",
        "module",
        "30 -> 29",
    ): "How many steps it remembers is its pace, chosen by trial.",
    (
        "numerics.quasi_newton",
        "module",
        "8 -> 7",
    ): "How often descent is begun again, at most, chosen by trial: it ends before.",
    (
        "numerics.starts",
        "Scales.flat",
        "torch.cat([part.reshape(len(part), -1) for part in parts], dim=-1) -> torch.cat([part.reshape(len(part), -1) "
        "for part in parts], dim=1)",
    ): "A batch of vectors has two dimensions: the last one is number 1.",
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
}
