"""Why changes of numerics/ may survive, by module, function and change."""

from __future__ import annotations

NUMERICS_N_Z: dict[tuple[str, str, str], str] = {
    (
        "numerics.newton",
        "_step",
        "(-newton[:, 0] * slope).sum(-1) / 2 -> (-newton[:, 0]).sum(-1) / 2",
    ): (
        "A promise that is only compared with a bound, decades below what is asked of a minimum: descent ends a step "
        "earlier or later."
    ),
    (
        "numerics.newton",
        "_step",
        "(-newton[:, 0] * slope).sum(-1) / 2 -> (-newton[:, 1] * slope).sum(-1) / 2",
    ): (
        "A promise that is only compared with a bound, decades below what is asked of a minimum: descent ends a step "
        "earlier or later."
    ),
    (
        "numerics.newton",
        "_step",
        "change.min(-1) -> change.min(1)",
    ): "A batch of vectors has two dimensions: the last one is number 1.",
    (
        "numerics.newton",
        "_step",
        "decrease < -STEP_ROUNDING.value -> decrease < STEP_ROUNDING.value",
    ): "A step within rounding is chosen by the loss instead of by the gradient: another path, to the same points.",
    (
        "numerics.newton",
        "_step",
        "size_of.amax(-1)[:, None, None] -> size_of.amax(1)[:, None, None]",
    ): "A batch of vectors has two dimensions: the last one is number 1.",
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
        "((2, 1), (1, 2), (1, 1), (2, 0), (1, 0), (3, 2)) -> ((2, 1), (0, 2), (1, 1), (2, 0), (1, 0), (3, 2))",
    ): "Which factors are looked at: the others still tell every mutant.",
    (
        "numerics.observables.alignment",
        "signal_growth",
        "((2, 1), (1, 2), (1, 1), (2, 0), (1, 0), (3, 2)) -> ((2, 1), (1, 1), (1, 1), (2, 0), (1, 0), (3, 2))",
    ): "Which factors are looked at: the others still tell every mutant.",
    (
        "numerics.observables.alignment",
        "signal_growth",
        "((2, 1), (1, 2), (1, 1), (2, 0), (1, 0), (3, 2)) -> ((2, 1), (1, 2), (1, 1), (2, 0), (1, 0), (2, 2))",
    ): "Which factors are looked at: the others still tell every mutant.",
    (
        "numerics.observables.alignment",
        "signal_growth",
        "(values[gamma] * factor, matrix * stretch) -> (factor, matrix * stretch)",
    ): "Another gamma to look at, the factor itself: it is larger or smaller than the draw's as often.",
    (
        "numerics.observables.alignment",
        "signal_growth",
        "EXACT if layer.name == 'exact' else FLOAT64_IDENTITY -> FLOAT64_IDENTITY if layer.name == 'exact' else EXACT",
    ): "What is compared is equal to the last bit where it is equal, and further apart than rounding where not.",
    (
        "numerics.observables.alignment",
        "vae_covariance",
        "(yield layer.difference('Z Z^T for y = x', draw, stated, outer)) -> (yield layer.difference('Z Z^T for y = x', "
        "draw, outer, stated))",
    ): "How far two arrays are apart has no order.",
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
        "numerics.observables.depth",
        "_descends",
        "problem.d1 + 1 -> problem.d1",
    ): "Units between the layers: the statement is about any width.",
    (
        "numerics.observables.depth",
        "_exact_curvatures.integers",
        "np.array([sympy.Integer(int(k)) for k in rng.integers(-2, 3, shape).flat], dtype=object) -> "
        "np.array([sympy.Integer(int(k)) for k in rng.integers(-3, 3, shape).flat], dtype=object)",
    ): "Which directions are looked at: any that are not 0 would serve.",
    (
        "numerics.observables.gradient_flow",
        "_exact_movements",
        "[sympy.Rational(k + 1, 2) for k in range(min(problem.d1, problem.dstar))] -> [sympy.Rational(k + 2, 2) for k in "
        "range(min(problem.d1, problem.dstar))]",
    ): "Which lengths are looked at: any would serve.",
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
        "numerics.observables.stationary_points",
        "exact_stationary_points",
        "((1, 0), (0, 1)) -> ((1, 0), (0, 0))",
    ): "Where c v^2 = eta_enc^2 u^2, the slopes in u and in v vanish together.",
    (
        "numerics.observables.stationary_points",
        "exact_stationary_points",
        "mode_point(problem, decoder + sign * u * step, encoder + sign * v * step) -> mode_point(problem, decoder, "
        "encoder + sign * v * step)",
    ): "Where c v^2 = eta_enc^2 u^2, the slopes in u and in v vanish together.",
    (
        "numerics.observables.stationary_points",
        "matched",
        "products[products > DESCENT_INVARIANT.value * problem.spectrum[0]] -> products[products > "
        "DESCENT_INVARIANT.value * problem.spectrum[1]]",
    ): "A cut between products of 1e-16 and of a fiftieth of the largest singular value: it may lie anywhere in between.",
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
