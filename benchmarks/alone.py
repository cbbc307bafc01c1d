"""One small instance at a time: the fast route in NumPy beside SciPy, with singular values far apart or nearly tied."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from peers import block, chosen, descended, fast, row, with_scipy

from numerics.certificates import certify_lone
from numerics.descent import minimise
from numerics.falsify import certified
from numerics.fast_descent import lone_minimum
from numerics.minimum import FAST
from numerics.objective import LEARNED_VARIANCES, Parameters, Statistics, vae_loss
from numerics.problem import Problem
from numerics.tolerances import GRADIENT_NORM, HESSIAN_EIGENVALUE
from numerics.volume import Block

SMALL, SMALL_COUNT = (1, 2, 3, 4, 5), 100
TIED, TIES, TIED_COUNT = (2, 3, 5), (1e-3, 1e-5), 20


def one_by_one(instances: Block, count: int, *, certificate: bool = True) -> list[float]:
    """The fast route, each instance by itself: in NumPy, or where that hands over, in torch."""
    losses = []
    for place in range(count):
        statistics = Statistics(*(np.asarray(value[place]) for value in instances.statistics))
        start = Parameters(*(value[place].numpy() for value in instances.start))
        end = lone_minimum(start, statistics, LEARNED_VARIANCES)
        if end is None:
            losses.append(float((fast if certificate else descended)(chosen(instances, torch.tensor([place])))[0]))
            continue
        losses.append(float(vae_loss(*end, *statistics)))
        if certificate:
            found = certify_lone(end, statistics, LEARNED_VARIANCES)
            if (
                found.gradient_norm > GRADIENT_NORM.value
                or found.smallest_hessian_eigenvalue < -HESSIAN_EIGENVALUE.value
            ):
                raise SystemExit("the fast route left an instance without a certificate")
    return losses


def called(problems: Sequence[Problem]) -> list[float]:
    """`minimise`, called for one instance after another: with a random start of its own, and the certificate."""
    return [minimise([problem], seed=0, route=FAST)[0].loss for problem in problems]


def problems_of(instances: Block) -> list[Problem]:
    """The same instances as minimise takes them."""
    A, C, y2, beta, eta_dec, eta_enc = (value.numpy() for value in instances.statistics)
    return [
        Problem(A[k], C[k], float(y2[k]), instances.shape[2], float(beta[k]), float(eta_dec[k]), float(eta_enc[k]))
        for k in range(len(A))
    ]


def certified_share(instances: Block, ends: Sequence[np.ndarray]) -> float:
    """How many of such points have the certificate that `collapse falsify` asks for."""
    D0, d2, d1 = instances.shape
    W, U, log_variance = torch.tensor(np.array(ends)).split([D0 * d1, d2 * d1, d1], dim=1)
    points = Parameters(W.reshape(-1, D0, d1), U.reshape(-1, d2, d1), log_variance)
    return float(certified(chosen(instances, torch.arange(len(ends))), points).double().mean())


def small_table(count: int = SMALL_COUNT) -> str:
    """A Markdown table of single small instances, one after another; SciPy gives no certificate."""
    lines = [
        "### One small instance at a time",
        "",
        "| d0 = d1 = d2 | SciPy, ms | fast route with its certificate, ms | times as fast as SciPy | without, ms | times as fast | "
        "a call of `minimise`, ms | times as fast | worst gap of SciPy | of the fast route | of `minimise` |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for size in SMALL:
        instances = block(size, count)
        problems = problems_of(instances)
        with_scipy(instances, 4), one_by_one(instances, 4), called(problems[:4])
        peer = row("SciPy", instances, count, lambda of=instances: with_scipy(of, count))
        ours = row("certified", instances, count, lambda of=instances: one_by_one(of, count))
        bare = row("uncertified", instances, count, lambda of=instances: one_by_one(of, count, certificate=False))
        whole = row("minimise", instances, count, lambda of=problems: called(of))
        times = [f"{1000 * peer.seconds:.3g}"]
        times += [f"{1000 * each.seconds:.3g} | {peer.seconds / each.seconds:.3g}" for each in (ours, bare, whole)]
        gaps = [f"{each.worst_gap:.1e}" for each in (peer, ours, whole)]
        lines.append(f"| {size} | {' | '.join(times + gaps)} |")
    return "\n".join(lines)


def tied_table(count: int = TIED_COUNT) -> str:
    """The same where all singular values are nearly equal."""
    lines = [
        "### One small instance at a time, nearly tied",
        "",
        "All singular values of Z within a relative distance of 3. The fast route goes on until the tied modes are told apart.",
        "",
        "| d0 = d1 = d2 | distance | SciPy, ms | of its ends certified | fast route with its certificate, ms | times as fast as "
        "SciPy | worst gap of SciPy | of the fast route |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for size in TIED:
        for tie in TIES:
            instances = block(size, count, tie=tie)
            with_scipy(instances, 2), one_by_one(instances, 2)
            peer = row("SciPy", instances, count, lambda of=instances: with_scipy(of, count))
            ours = row("certified", instances, count, lambda of=instances: one_by_one(of, count))
            ends: list[np.ndarray] = []
            with_scipy(instances, count, ends)
            share = f"{100 * certified_share(instances, ends):.3g} %"
            times = (
                f"{1000 * peer.seconds:.3g} | {share} | {1000 * ours.seconds:.3g} | {peer.seconds / ours.seconds:.3g}"
            )
            lines.append(f"| {size} | {tie:g} | {times} | {peer.worst_gap:.1e} | {ours.worst_gap:.1e} |")
    return "\n".join(lines)
