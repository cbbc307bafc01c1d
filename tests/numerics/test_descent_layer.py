"""The descent layer: a closed form off the true minimum is caught, to either side; minima carry their certificates."""

from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

import pytest

from derivations.ledger import claims_by_id
from numerics.evidence import gather, refutes
from numerics.layers import descent as descent_module
from numerics.layers.descent import DescentLayer, loss_findings, within_descent
from numerics.layers.floating import closed_form_minimum
from numerics.points import Point
from numerics.problem import Problem
from numerics.problems import regime_counts
from numerics.tolerances import DESCENT_BELOW, DESCENT_GAP, Tolerance


@pytest.fixture(scope="module")
def descent() -> DescentLayer:
    layer = DescentLayer(seed=0, count=60, real_data=False)
    for kind in ("learned", "fixed"):
        assert layer.minimum(layer.problems(kind)[0]).certificate
    return layer


GAPS = {
    "found above by half the gap": (1 + DESCENT_GAP.value / 2, True),
    "found above by ten gaps": (1 + 10 * DESCENT_GAP.value, False),
    "found below by half of what rounding does": (1 - DESCENT_BELOW.value / 2, True),
    "found below by ten times that": (1 - 10 * DESCENT_BELOW.value, False),
    "found below by a tenth of the gap": (1 - DESCENT_GAP.value / 10, False),
    "found below by ten gaps": (1 - 10 * DESCENT_GAP.value, False),
}


@pytest.mark.parametrize("name", GAPS)
@pytest.mark.parametrize("stated", [1e-3, 1.0, 50.0])
def test_loss_gap(name: str, stated: float) -> None:
    factor, agrees = GAPS[name]
    findings = loss_findings("", stated * factor, stated)
    assert all(finding.residual >= 0 for finding in findings)
    assert all(finding.agrees for finding in findings) is agrees


@pytest.mark.parametrize(("found", "stated"), [(1.0, float("nan")), (1.0, float("inf")), (float("nan"), 1.0)])
def test_a_loss_that_is_not_finite_is_no_agreement(found: float, stated: float) -> None:
    assert not any(finding.agrees for finding in loss_findings("", found, stated))


def test_within_descent() -> None:
    assert within_descent(DESCENT_GAP.value / 2, 1.0) == 0
    assert within_descent(-DESCENT_GAP.value / 2, 1.0) == 0
    assert within_descent(-2 * DESCENT_GAP.value, 1.0) < 0 < within_descent(2 * DESCENT_GAP.value, 1.0)
    assert within_descent(2 * DESCENT_GAP.value, 10.0) == 0


class Misstated(DescentLayer):
    """Descent's minima, found before, beside closed forms whose loss is off by a factor."""

    factor = 1.0

    def __init__(self, honest: DescentLayer) -> None:
        super().__init__(honest.seed, honest.device, honest.count, real_data=honest.real_data)
        self.__dict__.update(honest.__dict__)

    def loss(self, problem: Any, point: Point) -> float:
        return super().loss(problem, point) * self.factor


PLANTED = {
    "honest": (1.0, True),
    "above the minimum by 1e-10": (1 + DESCENT_GAP.value / 10, False),
    "above the minimum by 1e-8": (1 + 10 * DESCENT_GAP.value, False),
    "below the minimum by 1e-8": (1 - 10 * DESCENT_GAP.value, False),
}


@pytest.mark.parametrize("claim_id", ["prop-2.minimum", "thm-1.minimum", "thm-2.minimum"])
@pytest.mark.parametrize("name", PLANTED)
def test_a_closed_form_off_the_true_minimum_is_caught(claim_id: str, name: str, descent: DescentLayer) -> None:
    claim = claims_by_id()[claim_id]
    layer = Misstated(descent)
    layer.factor, agrees = PLANTED[name]
    losses = [row for row in gather(claim, claim.standing.formula, layer) if row.quantity.startswith("loss")]
    assert len(losses) == 2
    assert all(row.passed for row in losses) is agrees, losses
    assert refutes(claim, claim.standing.formula, layer) is not agrees


@pytest.mark.parametrize("name", [name for name in PLANTED if name != "honest"])
def test_each_instance_alone_catches_it(name: str, descent: DescentLayer) -> None:
    layer = Misstated(descent)
    for kind in ("learned", "fixed"):
        for problem in layer.problems(kind):
            layer.factor = PLANTED[name][0]
            above, below, *_ = layer.minimum_findings(problem, closed_form_minimum(problem))
            assert above.quantity.startswith("loss") and below.quantity.startswith("loss")
            assert not (above.agrees and below.agrees), problem.name


def test_descent_certifies_its_minima_without_a_closed_form(
    descent: DescentLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = list(descent.certificate_findings())
    assert {finding.quantity for finding in findings} == {"gradient norm", "negative curvature", "overlap of columns"}
    assert len(findings) == 3 * len(descent.minima()) > 0
    assert all(finding.agrees for finding in findings)
    monkeypatch.setattr(descent_module, "GRADIENT_NORM", Tolerance("none", -1.0, "for a test"))
    assert not any(finding.agrees for finding in descent.certificate_findings() if finding.quantity == "gradient norm")


def test_each_group_descends_once(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, calls = DescentLayer(seed=3, count=12, real_data=False), []

    def counted(problems: Any, **options: Any) -> list[Any]:
        calls.append((options["route"], len(problems)))
        return descent_module_minimise(problems, **options)

    descent_module_minimise = descent_module.minimise
    monkeypatch.setattr(descent_module, "minimise", counted)
    for problem in (*layer.problems("learned"), *layer.problems("fixed"), *layer.problems("prior")):
        assert layer.minimum(problem).problem is problem
    assert [route for route, _ in calls] == ["plain", "fast"] * 2  # learned variances, then fixed ones
    assert sum(count for _, count in calls[:2]) == len(layer.problems("learned"))
    assert all(count > 0 for _, count in calls)
    assert len(layer.minima()) == 12


def test_progress_is_told_where_somebody_listens() -> None:
    layer, heard = DescentLayer(seed=0, count=1, real_data=False), []
    layer._tell(2)
    layer.progress = heard.append
    layer._tell(3)
    assert heard == [3]


def test_the_sample_of_the_plain_route_is_of_every_kind() -> None:
    """Kinds alternate: a sample in step with them would be of one kind."""
    layer = DescentLayer(seed=0, real_data=False)
    random = [*(problem for kind in ("learned", "fixed") for problem in layer._random[kind]), *layer._decoders]
    drawn = {id(problem) for problem in random}
    sample = [problem for problem in layer._plain if id(problem) in drawn]
    everywhere, here = regime_counts(random), regime_counts(sample)
    for name, count in everywhere.items():
        assert here[name] >= count / descent_module.SAMPLE / 3, name
    assert min(here[name] for name in everywhere if everywhere[name]) >= 3


class Given(Executor):
    """Does what it is given at once, and remembers it; or keeps it waiting, so that it can be taken back."""

    def __init__(self, *, waits: bool) -> None:
        self.waits, self.problems = waits, list[Problem]()

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.problems += arguments[0]
        if not self.waits:
            future.set_running_or_notify_cancel()
            future.set_result(function(*arguments, **named))
        return future


@pytest.mark.parametrize("waits", [False, True], ids=["done by the pool", "taken back"])
def test_only_real_data_is_handed_over_and_every_instance_has_its_own_minimum(waits: bool) -> None:
    pool = Given(waits=waits)
    layer, alone = (DescentLayer(seed=0, count=30, real_data=False, pool=each) for each in (pool, None))
    random = layer.problems("learned")[:3]
    real = replace(random[0], regimes=random[0].regimes | {"real-data"}, name="real")
    for each in (layer, alone):
        each.__dict__["_problems"] = {"learned": [*random, real], "prior": [], "fixed": []}
        told: list[int] = []
        each.progress = told.append
        each.descend([*random, real])
        assert sum(told) == 4
    assert [problem.name for problem in pool.problems] == ["real"]
    for problem in (*random, real):
        found = layer.minimum(problem)
        assert found.problem is problem and found.certificate
        assert found.loss == pytest.approx(alone.minimum(problem).loss, rel=DESCENT_GAP.value)


def test_findings_name_what_was_compared_and_the_instance(descent: DescentLayer) -> None:
    problem = next(each for each in descent.problems("learned") if "at-threshold" not in each.regimes)
    found = list(descent.minimum_findings(problem, closed_form_minimum(problem)))
    assert {one.instance for one in found} == {problem.name}
    assert {"singular values of U", "singular values of V", "encoder standard deviations"} <= {
        one.quantity for one in found
    }
