"""First moments through the constant 1: the calculus against explicit points."""

import pytest
import sympy

from derivations import biases
from derivations.claim import Verdict
from derivations.exact_data import data_instances
from derivations.first_moments import (
    CENTRED,
    COVARIANCE,
    about_means,
    b_dec,
    b_enc,
    mu_x,
    mu_y,
    on_a_line,
    one,
    with_means,
    x_c,
)
from derivations.matrix_calculus import differs
from derivations.notation import D0, A, Mean, MeanMatrix, Phi, SquaredNorm, U, W, Z, beta, eta_dec, eta_enc, noise, x, y


def same(left, right):
    return not differs(about_means(left), about_means(right), CENTRED)


IDENTITIES = [
    ("the second moment", MeanMatrix(x * x.T), COVARIANCE + mu_x * mu_x.T),
    ("a cross moment", MeanMatrix(y * x.T), MeanMatrix((y - mu_y) * (x - mu_x).T) + mu_y * mu_x.T),
    ("one factor centred is enough", MeanMatrix((y - mu_y) * x.T), MeanMatrix((y - mu_y) * (x - mu_x).T)),
    ("a norm", Mean(SquaredNorm(U * W.T * x - y)), Mean(SquaredNorm(U * W.T * (x - mu_x) - (y - mu_y)))
     + SquaredNorm(U * W.T * mu_x - mu_y)),
    ("a bias is no noise", Mean(SquaredNorm(W.T * x + b_enc)), Mean(SquaredNorm(W.T * (x - mu_x)))
     + SquaredNorm(W.T * mu_x + b_enc)),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), [case[1:] for case in IDENTITIES], ids=[case[0] for case in IDENTITIES])
def test_identities_hold_in_normal_form_and_on_points(left, right):
    assert same(left, right)
    if left.has(b_enc):
        return
    for data in data_instances()[:8]:
        known = with_means(data)
        assert known.value(left) == known.value(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (MeanMatrix(x * x.T), COVARIANCE),
        (MeanMatrix(x * x.T), COVARIANCE - mu_x * mu_x.T),
        (MeanMatrix(x * x.T), MeanMatrix((x + mu_x) * (x + mu_x).T) - mu_x * mu_x.T),
        (Mean(SquaredNorm(y + b_dec)), Mean(SquaredNorm(y)) + SquaredNorm(b_dec)),
        (Mean(SquaredNorm(W.T * x + noise)), Mean(SquaredNorm(W.T * x))),
    ],
)
def test_what_differs_is_told_apart(left, right):
    assert not same(left, right)


@pytest.mark.parametrize("formula", [Mean(SquaredNorm(x * x.T)), MeanMatrix(x + mu_x), MeanMatrix(x)])
def test_expectations_of_another_order_are_refused(formula):
    with pytest.raises(ValueError, match="second order"):
        about_means(formula)


def test_columns_about_the_means_have_mean_zero():
    assert not differs(x_c * one.T, sympy.ZeroMatrix(D0, 1), CENTRED)
    assert differs(x_c * x_c.T, sympy.ZeroMatrix(D0, D0), CENTRED)


def test_points_on_a_line():
    data = on_a_line((1, 1), (7, 3))
    assert data.matrices[mu_x][0] == 4 and data.matrices[mu_y][0] == 2
    assert data.value(COVARIANCE)[0] == 9
    assert data.value(MeanMatrix(x * x.T))[0] == data.matrices[A][0] == data.matrices[Phi][0] == 25
    assert data.value(MeanMatrix(y * x.T))[0] == data.matrices[Z][0] * 5 == data.scalars.zeta[0] * 5 == 11


def test_no_other_decoder_bias_does_better_without_an_encoder_bias():
    for data in biases.instances_with_means()[:6]:
        least = biases.without_encoder_bias(data)
        for shift in (1, -1):
            other = mu_y - U * W.T * mu_x + shift * mu_y
            assert biases.at_biases(data, 0 * b_enc, other) > least


def test_no_other_encoder_bias_does_better_without_a_decoder_bias():
    for data in biases.instances_with_means()[:6]:
        least = biases.without_decoder_bias(data)
        for share in (0, sympy.Rational(1, 20), sympy.Rational(1, 5), sympy.Rational(1, 2), 1, -1):
            other = share * U.T * mu_y - W.T * mu_x
            assert biases.at_biases(data, other, 0 * b_dec) >= least


def test_what_each_squared_mean_counts_in_the_loss():
    shown = {step.text: step.formula.lhs for step in biases.least_over_biases_steps() if "counts" in step.text}
    at = {beta: sympy.Integer(3), eta_dec: sympy.Integer(2), eta_enc: sympy.Integer(5)}
    assert [counts.subs(at) for counts in shown.values()] == [sympy.Rational(1, 8), sympy.Rational(3, 50)]


def test_the_change_of_the_outer_product_is_a_squared_distance():
    """Refuted at data of several inputs and targets, which are told with all their coordinates."""
    data = next(with_means(each) for each in data_instances() if min(map(len, each.points[0])) > 1)
    raw, about = (biases.outer_product(data, centred=centred) for centred in (False, True))
    distance = sum(entry**2 for entry in raw - about)
    decision = biases.leaves_spectrum(sympy.Ne(biases.change, distance))
    assert distance > 0 and decision.verdict is Verdict.REFUTED
    assert dict(decision.witness.values)["points"] == str([(list(px), list(py)) for px, py in data.points])
