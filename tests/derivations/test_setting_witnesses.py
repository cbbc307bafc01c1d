"""The counterexamples of §3, §4.1, §4.4 and Appendix B, with plain fractions: only their numbers are read from the suite."""

import re
from fractions import Fraction
from functools import cache

from derivations.claim import Verdict
from derivations.ledger import claims_by_id

NUMBER = re.compile(r"-?\d+(?:/\d+)?")


@cache
def witness(name):
    statement = claims_by_id()[name].printed
    return values_of(statement.decide(statement.formula))


def values_of(decision):
    assert decision.verdict is Verdict.REFUTED and decision.witness is not None
    return dict(decision.witness.values)


def numbers(text):
    return [Fraction(number) for number in NUMBER.findall(text)]


def rows(text, columns):
    entries = numbers(text)
    return [entries[k : k + columns] for k in range(0, len(entries), columns)]


def times(left, right):
    assert all(len(row) == len(right) for row in left), "these matrices have no product"
    return [
        [sum(a * b for a, b in zip(row, column, strict=True)) for column in zip(*right, strict=True)] for row in left
    ]


def transpose(matrix):
    return [list(column) for column in zip(*matrix, strict=True)]


def fits(left, right):
    return len(left[0]) == len(right)


def ones(height, width):
    return [[Fraction(1)] * width for _ in range(height)]


def average(values):
    return sum(values, Fraction(0)) / len(values)


def sizes(name):
    return {size: int(value) for size, value in witness(name).items()}


def test_the_decoder_gives_what_has_the_dimension_of_y_not_of_the_latent():
    size = sizes("notation.variables")
    code = times(ones(size["d1"], size["D0"]), ones(size["D0"], 1))
    output = times(ones(size["d2"], size["d1"]), code)
    printed = {"x": size["D0"], "y": size["d1"], "z": size["d2"]}
    assert (len(output), len(code)) == (size["d2"], size["d1"]) != (printed["y"], printed["z"])


def test_square_diagonals_do_not_fit():
    size = sizes("thm-2.shapes")
    F, G, square = (ones(size[name], size[name]) for name in ("d2", "d0", "d1"))
    assert not (fits(F, square) and fits(G, square))
    assert fits(F, ones(size["d2"], size["d1"])) and fits(G, ones(size["d0"], size["d1"]))


def test_noise_of_standard_deviation_sigma_has_another_variance():
    values = witness("notation.latent-variance")
    deviation = numbers(values["sigma"])[int(values["i"]) - 1]
    assert average([deviation**2, (-deviation) ** 2]) == deviation**2 != deviation


def test_sigma_is_no_eigenvalue_of_the_outer_product():
    values = witness("s4.1.eigenvalue")
    Z, place = rows(values["Z"], int(values["d0"])), int(values["i"]) - 1
    outer = times(Z, transpose(Z))

    def determinant(shift):
        ((a, b), (c, d)) = outer
        return (a - shift) * (d - shift) - b * c

    assert determinant(numbers(values["sigma"])[place]) != 0
    assert determinant(numbers(values["zeta"])[place] ** 2) == 0


def test_equation_9_with_the_transpose_on_the_other_side():
    values = witness("eq-9.alignment")
    (strength,), M, points = numbers(values["gamma"]), rows(values["M"], 2), rows(values["x"], 2)
    A = [[average([x[j] * x[k] for x in points]) for k in range(2)] for j in range(2)]
    assert A == rows(values["A"], 2) and A[0][1] == 0
    roots = [Fraction(1), Fraction(2)]
    assert [root**2 for root in roots] == [A[0][0], A[1][1]]
    targets = [[strength * sum(M[j][k] * x[k] for k in range(2)) for j in range(2)] for x in points]
    Z = [
        [average([y[j] * x[k] / roots[k] for x, y in zip(points, targets, strict=True)]) for k in range(2)]
        for j in range(2)
    ]
    outer = times(Z, transpose(Z))
    printed, holds = times(times(transpose(M), A), M), times(times(M, A), transpose(M))
    assert outer != [[strength**2 * entry for entry in row] for row in printed]
    assert outer == [[strength**2 * entry for entry in row] for row in holds]


def test_a_strong_signal_that_is_not_aligned_has_no_eigenvalue():
    values = witness("s4.1.large-eigenvalues")
    (strength,), (large,) = numbers(values["gamma"]), numbers(values["bound"])
    M, A = rows(values["M"], 2), rows(values["A"], 2)
    assert sum(entry**2 for row in M for entry in row) == 1 and strength >= large >= 1
    outer = [[strength**2 * entry for entry in row] for row in times(times(M, A), transpose(M))]
    assert outer == [[0, 0], [0, 0]] and A != outer


def test_a_stronger_signal_that_is_not_aligned_has_no_larger_eigenvalue():
    values = witness("s4.1.larger-eigenvalues")
    (strength,), (stronger,) = numbers(values["gamma"]), numbers(values["gamma there"])
    M, M_there, A = (rows(values[name], 2) for name in ("M", "M there", "A"))
    assert stronger > strength and M == M_there
    assert times(times(M, A), transpose(M)) == [[0, 0], [0, 0]] != A


def test_biases_change_what_is_learned_from_given_data():
    """Z Z^T = (E y x)^2/E x^2, of the points as they are and about their means."""
    values = witness("s3.bias-results")
    entries = numbers(values["points"])
    points = [entries[k : k + 2] for k in range(0, len(entries), 2)]

    def outer(pairs):
        return average([x * y for x, y in pairs]) ** 2 / average([x * x for x, _ in pairs])

    means = [average([pair[k] for pair in points]) for k in range(2)]
    assert means[0] != 0 and outer(points) != outer([(x - means[0], y - means[1]) for x, y in points])


def test_more_than_one_encoder_solves_the_equation():
    values = witness("thm-2.solution")
    outer, inner = int(values["D0"]), int(values["d0"])
    basis, (size,) = numbers(values["P_A"]), numbers(values["Phi"])
    assert (outer, inner) == (2, 1) and sum(entry**2 for entry in basis) == 1 and size > 0
    beside = [-basis[1], basis[0]]
    assert any(beside) and sum(a * b for a, b in zip(basis, beside, strict=True)) == 0


def test_the_second_moment_is_not_the_covariance():
    points = numbers(witness("s4.1.covariance")["x"])
    second_moment, mean = average([x**2 for x in points]), average(points)
    assert [mean] == numbers(witness("s4.1.covariance")["E x"])
    covariance = average([(x - mean) ** 2 for x in points])
    assert covariance != second_moment == covariance + mean**2
    root = Fraction(5)
    assert root**2 == second_moment
    assert average([x * x / root for x in points]) ** 2 == second_moment


def test_the_logarithm_of_the_partition_function_is_not_0_where_that_of_the_variance_is():
    """2 pi eta_dec^2 > 6 at eta_dec = 1, and the logarithm of a power of it is positive, while log eta_dec^2 is 0."""
    values = witness("s4.4.partition")
    assert numbers(values["eta_dec"]) == [1] and int(values["d2"]) > 0
    above_pi = Fraction(3)
    assert 2 * above_pi * numbers(values["eta_dec"])[0] ** 2 > 1


# ------------------------------------------------------------------------------ without one of the biases
def test_one_bias_alone_does_not_centre():
    """One latent and 1 for all scales: (error^2 + spread + latent^2) / 2, beside a constant, at latent x + b and output + b'."""
    claim = claims_by_id()["app-b.bias"]
    without_encoder, without_decoder = (
        values_of(assumption.without(claim.standing.formula)) for assumption in claim.assumptions
    )
    for values in (without_encoder, without_decoder):
        assert all(numbers(values[name]) == [1] for name in ("sigma", "beta", "eta_dec", "eta_enc", "W", "U"))
    points = rows(without_encoder["points"], 2)
    mean_x, mean_y = (average([point[k] for point in points]) for k in (0, 1))

    def loss(encoder_bias, decoder_bias):
        errors = [(x + encoder_bias + decoder_bias - y) ** 2 for x, y in points]
        return (average(errors) + 1 + average([(x + encoder_bias) ** 2 for x, _ in points])) / 2

    both = loss(-mean_x, mean_y)
    assert both == average([(x - mean_x - y + mean_y) ** 2 + 1 + (x - mean_x) ** 2 for x, y in points]) / 2
    quarter = Fraction(1, 4)
    for first in range(-32, 33):
        assert loss(0, first * quarter) > both
        assert loss(first * quarter, 0) > both
        assert loss(-mean_x + first * quarter, mean_y) > both or first == 0


def test_one_latent_does_not_express_what_regression_does():
    """|u v^T - Z|^2 is at least |Z|^2 - |Z b|^2 with b the unit vector along v; here over all b of a rational grid."""
    values = witness("s2.expressivity")
    large, small = numbers(values["zeta"])
    assert values["d1"] == "1" and large >= small > 0 and "r" not in values
    errors = []
    for k in range(-40, 41):
        t = Fraction(k, 20)
        along = ((1 - t**2) / (1 + t**2), 2 * t / (1 + t**2))
        assert along[0] ** 2 + along[1] ** 2 == 1
        errors.append(large**2 + small**2 - (large * along[0]) ** 2 - (small * along[1]) ** 2)
    assert min(errors) == small**2 > 0, "U W^T has one direction, and Z has two"
