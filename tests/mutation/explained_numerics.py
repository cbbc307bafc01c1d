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
        "numerics.closed_forms",
        "_padded",
        "np.pad(rows, ((0, 0), (0, max(0, size - rows.shape[1]))), constant_values=value) -> np.pad(rows, ((0, 0), (0, "
        "max(0, size))), constant_values=value)",
    ): "More is padded, and cut off again.",
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
        "_descend_one_by_one",
        "_ESCAPE_LENGTH * scale ** 0.5 -> _ESCAPE_LENGTH * scale ** 1.0",
    ): "How far off a saddle descent is sent was chosen by trial; it ends at the same minima.",
    (
        "numerics.descent",
        "_descend_one_by_one",
        "_ESCAPE_LENGTH * scale ** 0.5 -> _ESCAPE_LENGTH / scale ** 0.5",
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
        "numerics.layers.descent",
        "DescentLayer.__init__",
        "0 -> 1",
    ): "The seed that is taken where none is given: any would serve.",
    (
        "numerics.layers.descent",
        "DescentLayer._plain",
        "[*random, *real, *(variant for sweep in self._sweeps for variant in sweep[1:])] -> [*random, *real, *(variant "
        "for sweep in self._sweeps for variant in sweep[2:])]",
    ): "Which instances take the plain route: the others end at the same minima by the fast one.",
    (
        "numerics.layers.descent",
        "DescentLayer.nearby_minima",
        "minimise(chosen, seed=self.seed, device=self.device, start_scale=1 / 1000) -> minimise(chosen, seed=self.seed, "
        "device=self.device, start_scale=2 / 1000)",
    ): "How near to the origin descent begins was chosen by trial.",
    (
        "numerics.layers.exact",
        "ExactLayer.decoder_variance_findings",
        "(yield self.difference('decoder variance', problem, stated, found)) -> (yield self.difference('decoder "
        "variance', problem, found, stated))",
    ): "How far apart two numbers are has no order.",
    (
        "numerics.levenberg_marquardt",
        "_State.first",
        "FIRST_DAMPING * one -> FIRST_DAMPING / one",
    ): "Times one, or divided by it.",
    (
        "numerics.levenberg_marquardt",
        "_calmed",
        "torch.linalg.vector_norm(there.gradient, dim=-1) -> torch.linalg.vector_norm(there.gradient, dim=1)",
    ): "A batch of vectors has two dimensions: the last one is number 1.",
    (
        "numerics.levenberg_marquardt",
        "_step",
        "1 + at.loss.abs() + torch.linalg.matrix_norm(projection.Y) -> 0 + at.loss.abs() + "
        "torch.linalg.matrix_norm(projection.Y)",
    ): (
        "What rounding is relative to: a smaller size lets descent go on a step or two, to the same points within "
        "rounding."
    ),
    (
        "numerics.levenberg_marquardt",
        "_step",
        "1 + at.loss.abs() + torch.linalg.matrix_norm(projection.Y) -> torch.linalg.matrix_norm(projection.Y)",
    ): (
        "What rounding is relative to: a smaller size lets descent go on a step or two, to the same points within "
        "rounding."
    ),
    (
        "numerics.levenberg_marquardt",
        "_step",
        "state.damping <= PROJECTED_DAMPING.value -> state.damping >= PROJECTED_DAMPING.value",
    ): "Damping is let go as soon as steps promise next to nothing, so that it is least where this is asked.",
    (
        "numerics.levenberg_marquardt",
        "_step",
        "torch.where(level & ~calmer, state.idle + 1, 0) -> torch.where(level | ~calmer, state.idle + 1, 0)",
    ): (
        "How many steps in a row may come to nothing was chosen by trial; where they are counted later or earlier "
        "descent ends at the same points."
    ),
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
}
