"""The option --loss: names, parts, and what is refused."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from collapse.conventions import CHOICES, Convention, effective_water
from collapse.libraries import LIBRARIES
from collapse.loss_option import EXAMPLE, describe, parse_loss
from derivations.errors import DataError

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_name_is_the_published_loss(name: str) -> None:
    assert parse_loss(name) is LIBRARIES[name]
    assert parse_loss(f" {name} ", weight=3) == replace(LIBRARIES[name], weight=3.0)


@pytest.mark.parametrize("name", LIBRARIES)
def test_its_parts_are_the_published_loss(name: str) -> None:
    loss = LIBRARIES[name]
    text = (
        f"reconstruction={loss.reconstruction},factor={loss.factor!r},kl={loss.kl},weight={loss.weight!r},"
        f"likelihood={loss.likelihood},eta_dec={loss.decoder_std!r},batch={loss.batch}"
    )
    one, other = (effective_water(each, 784, 20) for each in (loss, parse_loss(text)))
    assert (one.effective, one.a, one.b) == (other.effective, other.a, other.b)


def test_parts_in_any_order_with_defaults() -> None:
    loss = parse_loss("kl=mean, factor = 1/2 ,reconstruction=sum")
    assert (loss.reconstruction, loss.factor, loss.kl) == ("sum", 0.5, "mean")
    assert (loss.weight, loss.decoder_std, loss.likelihood, loss.batch) == (1, 1, "gaussian", "mean")
    assert parse_loss("reconstruction=sum,factor=1,kl=sum,eta_dec=0.3").decoder_std == 0.3


def test_the_users_weight_goes_before_that_of_the_parts() -> None:
    assert parse_loss(EXAMPLE).weight == 0.00025
    assert parse_loss(EXAMPLE, weight=2.5).weight == 2.5


def test_the_factor_on_a_likelihood_is_one_unless_given() -> None:
    assert parse_loss("reconstruction=mean,kl=sum,likelihood=bernoulli").factor == 1
    assert parse_loss("reconstruction=mean,kl=sum,likelihood=bernoulli,factor=3").factor == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "pyhtae",
            r"no loss is called 'pyhtae' \(did you mean pythae\?\); the names are theory, .*world-models; or give",
        ),
        ("Keras", r"no loss is called 'Keras' \(did you mean keras\?\)"),
        ("", "no loss is called ''; the names are"),
        ("xyz", "no loss is called 'xyz'; the names are"),
        ("reconstruction=mean,kl=sum", r"factor is missing \(the number on the squared error: 1/2, 1 or another\)"),
        ("factor=1,kl=sum", "reconstruction is missing"),
        ("factor=1,reconstruction=sum", "kl is missing"),
        (
            "recon=mean",
            r"no part is called 'recon' \(did you mean reconstruction\?\); the parts are reconstruction, factor",
        ),
        ("kl=sum,", "'' is not of the form part=value"),
        ("kl=sum,pythae", "'pythae' is not of the form part=value"),
        ("kl=sum,kl=mean", "kl is given twice"),
        ("reconstruction=maen", r"reconstruction must be one of sum, mean; got 'maen' \(did you mean mean\?\)"),
        ("kl=", "kl must be one of sum, mean; got ''"),
        ("likelihood=normal", "likelihood must be one of gaussian, bernoulli"),
        ("factor=half", "factor must be a number, such as 0.5 or 1/2; got 'half'"),
        ("factor=1/0", "factor must be a number, such as 0.5 or 1/2; got '1/0'"),
        ("factor=1/2/3", "factor must be a number"),
        ("weight=", "weight must be a number"),
        ("reconstruction=sum,factor=1,kl=sum,weight=0", "weight must be positive, from .* got 0"),
        ("reconstruction=sum,factor=-1,kl=sum", "factor must be positive, from .* got -1"),
        ("reconstruction=sum,factor=1e999999999,kl=sum", "factor must be positive, from .* got inf"),
        ("reconstruction=sum,factor=nan,kl=sum", "factor must be positive, from .* got nan"),
        ("reconstruction=sum,factor=1,kl=sum,eta_dec=0", "decoder_std must be positive"),
        ("reconstruction=sum,kl=sum,likelihood=bernoulli,eta_dec=2", "decoder_std is of a Gaussian likelihood"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as refusal:
        parse_loss(text)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("weight", [0, -2.0, float("nan")])
def test_a_wrong_weight_is_refused(weight: float | int) -> None:
    with pytest.raises(DataError, match="loss pythae: weight must be positive"):
        parse_loss("pythae", weight=weight)


def test_the_list_shows_every_loss_with_its_source() -> None:
    lines = describe()
    assert [line for line in lines if not line.startswith(" ")] == list(LIBRARIES)
    assert all(loss.source and f"  source  {loss.source}" in lines for loss in LIBRARIES.values())
    assert "  loss    1 × mean over features of squared error + 0.1 × mean over latents of KL" in lines
    assert "  weight  0.1, the knob kl_coeff" in lines
    assert all("\n" not in line for line in lines)


def test_a_formula_shows_eta_dec() -> None:
    loss = Convention("mine", reconstruction="sum", factor=0.5, kl="mean", decoder_std=0.3)
    assert loss.formula == (
        "0.5 × sum over features of squared error / eta_dec² with eta_dec = 0.3 + 1 × mean over latents of KL"
    )


def test_words_in_the_option_are_those_of_a_convention() -> None:
    for likelihood in CHOICES["likelihood"]:
        assert parse_loss(f"reconstruction=sum,factor=1,kl=sum,likelihood={likelihood}").likelihood == likelihood


def test_the_modules_are_quick_to_import() -> None:
    heavy = "torch sympy scipy numpy typer rich".split()
    code = f"import sys, collapse.loss_option; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
