"""`collapse predict` and `collapse diagnose` from the command line and from Python."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch.utils.data import DataLoader

from collapse import diagnose, predict
from collapse.report.prediction import summary
from derivations.errors import DataError
from numerics.certificates import gap
from numerics.descent import minimise
from numerics.moments import digit_images, second_moments
from numerics.noise import FALSE_ALARM
from numerics.tolerances import DESCENT_GAP, FLOAT64_IDENTITY, SPECTRUM

DATA = os.environ.get("COLLAPSE_DATA")


def command(*arguments: str, **others: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "collapse.cli", *arguments], capture_output=True, text=True, check=False,
        env=os.environ | others,
    )  # fmt: skip


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return digit_images().reshape(-1, 64)


@pytest.mark.skipif(DATA is None, reason="COLLAPSE_DATA names no folder with mnist.npz")
def test_mnist() -> None:
    found = predict("mnist", beta=3.5)
    squares = found.spectrum.zeta_squared
    assert [round(float(value), 4) for value in squares[:5]] == [5.1168, 3.7413, 3.2527, 2.8416, 2.5671]
    assert found.active_modes == 2 and predict("mnist", beta=6.0).active_modes == 0


@pytest.mark.parametrize(("beta", "eta_dec", "latents"), [(2.0, 3.0, 6), (40.0, 1.0, 8)])
def test_descent_on_the_same_data_ends_there(digits: np.ndarray, beta: float, eta_dec: float, latents: int) -> None:
    moments = second_moments(digits)
    (minimum,) = minimise([moments.problem(latents, beta, eta_dec=eta_dec, eta_enc=1.0)], seed=0)
    found = predict(digits, beta=beta, eta_dec=eta_dec, latents=latents)
    assert abs(gap(minimum.loss, found.loss)) <= DESCENT_GAP.value
    assert found.optimum.level == pytest.approx(beta * eta_dec**2)


def test_with_a_learned_decoder_variance_at_beta_1_it_is_probabilistic_pca(digits: np.ndarray) -> None:
    n = len(digits)
    for latents in (3, 10):
        pca = PCA(latents).fit(digits)
        found = predict(digits, latents=latents, learn_eta_dec=True)
        assert found.optimum.level == pytest.approx(pca.noise_variance_ * (n - 1) / n, rel=SPECTRUM.value)
        expected = pca.explained_variance_ * (n - 1) / n
        assert found.spectrum.zeta_squared[:latents] == pytest.approx(expected, rel=SPECTRUM.value)


def test_a_change_of_unit_rescales_thresholds(digits: np.ndarray) -> None:
    one, other = predict(digits), predict(digits / 16)
    assert one.critical_weights[:9] == pytest.approx(other.critical_weights[:9] * 256, rel=SPECTRUM.value)


def test_inverse_questions_answer_themselves(digits: np.ndarray) -> None:
    for loss in (None, "lightning-bolts"):
        low, high = predict(digits, active=4, loss=loss, latents=10).weights or (0.0, 0.0)
        for beta in (low * (1 + SPECTRUM.value), high * (1 - SPECTRUM.value)):
            assert predict(digits, beta=beta, loss=loss, latents=10).active_modes == 4
        found = predict(digits, nats=2.5, loss=loss, latents=10)
        again = predict(digits, beta=found.weight, loss=loss, latents=10)
        assert again.optimum.rate_nats == pytest.approx(2.5, rel=SPECTRUM.value)
        found = predict(digits, explained=0.4, loss=loss, latents=10)
        assert found.optimum.explained == pytest.approx(0.4, rel=SPECTRUM.value)


def test_critical_weights_are_where_modes_collapse(digits: np.ndarray) -> None:
    found = predict(digits, loss="pytorch-vae", latents=8)
    for k in (0, 3):
        critical = float(found.critical_weights[k])
        for factor, kept in ((1 - SPECTRUM.value, k + 1), (1 + SPECTRUM.value, k)):
            assert predict(digits, loss="pytorch-vae", beta=critical * factor, latents=8).active_modes == kept


def test_a_librarys_loss_has_its_own_units(digits: np.ndarray) -> None:
    found = predict(digits, loss="lightning-bolts", latents=5)
    level = 0.1 * 64 / (2 * 5)
    assert found.optimum.level == pytest.approx(level, rel=FLOAT64_IDENTITY.value)
    plain = predict(digits, beta=level, latents=5)
    assert found.loss == pytest.approx(plain.loss * 2 / 64, rel=FLOAT64_IDENTITY.value)


def test_targets(digits: np.ndarray) -> None:
    left, right = digits[:, :30], digits[:, 30:]
    found = predict(left, right, beta=5.0, latents=4)
    problem = second_moments(left, right).problem(4, 5.0, eta_dec=1.0, eta_enc=1.0)
    assert found.spectrum.zeta_squared[:4] == pytest.approx(problem.spectrum[:4] ** 2, rel=SPECTRUM.value)
    (minimum,) = minimise([problem], seed=0)
    assert abs(gap(minimum.loss, found.loss)) <= DESCENT_GAP.value
    assert found.intervals is None


def test_tensors_and_noise(digits: np.ndarray) -> None:
    noise = torch.randn((400, 50), generator=torch.Generator().manual_seed(0))
    found = predict(noise)
    assert found.noise_edge is not None
    assert (found.spectrum.zeta_squared <= found.noise_edge).all()
    assert any("no mode stands out of sampling noise" in note for note in found.notes)
    assert found.document()["noise_edge"] == found.noise_edge and found.document()["noise_false_alarm"] == FALSE_ALARM
    assert found.intervals is not None and np.isnan(found.intervals).all()


def test_the_document(tmp_path: Path) -> None:
    ran = command("predict", "digits", "--beta", "50", "--latents", "9", "--json", "-")
    assert (ran.returncode, ran.stderr) == (0, "")
    document = json.loads(ran.stdout)
    keys = {"active_modes", "rate_nats", "distortion", "loss", "effective_beta_eta_dec_squared", "modes"}
    assert keys <= document.keys()
    mode = document["modes"][0]
    assert {"zeta_squared", "critical_beta", "active", "encoder_std", "kl_nats"} <= mode.keys()
    assert document["active_modes"] == sum(each["active"] for each in document["modes"]) == 7
    assert document["rate_nats"] == pytest.approx(sum(each["kl_nats"] for each in document["modes"]))


def test_shares_bits_and_margins_of_the_document() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 3)) * [3, 2, 1]
    y = x + rng.standard_normal((300, 3))
    document = predict(x, y, beta=2.0, latents=1, intervals="none").document()
    rows, squares = document["modes"], [row["zeta_squared"] for row in document["modes"]]
    assert [row["kl_bits"] * np.log(2) for row in rows] == pytest.approx([row["kl_nats"] for row in rows])
    assert [row["variance_share"] * y.var(0).sum() for row in rows] == pytest.approx(squares)
    assert document["nearest_mode"] == 1 and document["nearest_margin"] == pytest.approx(squares[0] / 2 - 1)
    assert "more latents would be used: 2 modes" in " ".join(summary(predict(x, y, beta=2.0, latents=1)))


def test_critical_settings_are_the_user_s_own() -> None:
    """Each is where β η_dec² would be ζ², all else being as it is."""
    x = np.random.default_rng(0).standard_normal((100, 3)) * [4, 2, 1]
    for row in predict(x, beta=2.0, eta_dec=3.0).document()["modes"]:
        assert row["critical_beta"] * 3.0**2 == pytest.approx(row["zeta_squared"])
        assert 2.0 * row["critical_eta_dec"] ** 2 == pytest.approx(row["zeta_squared"])
        assert [end * 3.0**2 for end in row["critical_beta_interval"]] == pytest.approx(row["zeta_squared_interval"])


def test_the_terminal_and_the_plot(tmp_path: Path) -> None:
    ran = command("predict", "digits", "--beta", "50", "--show", "2", "--plot", str(tmp_path / "p.png"))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "active modes 7 of 64" in ran.stdout and "to keep mode 8 too" in ran.stdout
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_predictions_do_without_what_is_slow_to_import_or_derive() -> None:
    code = (
        "import sys; from collapse import predict; predict('digits').document(); from derivations.elbo import kl_of_one_latent; "
        "print({'torch', 'sympy.physics', 'sklearn'} & set(sys.modules) or kl_of_one_latent.cache_info().misses)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "0\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("predict", "nowhere.npy"), "there is no file"),
        (("predict", "digits", "--beta", "0"), "--beta must be positive"),
        (("predict", "digits", "--beta", "1e99"), "--beta must be positive and of a sensible size"),
        (("predict", "digits", "--eta-dec", "-1"), "--eta-dec"),
        (("predict", "digits", "--eta-enc", "0"), "--eta-enc"),
        (("predict", "digits", "--latents", "0"), "--latents"),
        (("predict", "digits", "--latents", "10000000000"), "--latents"),
        (("predict", "digits", "--eta-enc", "1e300"), "--eta-enc"),
        (("predict", "digits", "--active", "99"), "--active"),
        (("predict", "digits", "--active", "3", "--nats", "2"), "both choose beta"),
        (("predict", "digits", "--active", "3", "--beta", "2"), "leave --beta out"),
        (("predict", "digits", "--explained", "2"), "--explained"),
        (("predict", "digits", "--learn-eta-dec", "--eta-dec", "2"), "leave --eta-dec out"),
        (("predict", "digits", "--learn-eta-dec", "--loss", "pythae"), "leave --loss out"),
        (("predict", "digits", "--eta-dec", "2", "--loss", "pythae"), "--eta-dec is for the theory"),
        (("predict", "digits", "--target", "iris"), "the same samples"),
        (("predict", "digits", "--plot", "p.txt"), "--plot"),
        (("diagnose", "nowhere.npz", "digits"), "there is no file"),
    ],
)
def test_bad_usage_is_one_line(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "collapse.cli", *arguments], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert ran.returncode == 2
    assert message in ran.stderr and ran.stderr.count("\n") == 1, ran.stderr


def test_shuffled_loaders_are_not_paired() -> None:
    x = torch.randn((20, 3), generator=torch.Generator().manual_seed(0))
    plain, shuffled = DataLoader(x, batch_size=4), DataLoader(x, batch_size=4, shuffle=True)
    assert predict(plain, plain).spectrum.residual <= SPECTRUM.value
    assert predict(shuffled).spectrum.zeta_squared == pytest.approx(predict(x).spectrum.zeta_squared)
    with pytest.raises(DataError, match="shuffle=False"):
        predict(plain, shuffled)


def test_no_mode_at_all_can_be_asked_for() -> None:
    for seed in range(20):
        x = np.random.default_rng(seed).standard_normal((40, 3)) * [3, 2, 1]
        assert predict(x, active=0).active_modes == 0
        assert predict(x, active=0, loss="lightning-bolts", latents=2).active_modes == 0


def test_codes_of_other_data_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "codes.npz", means=np.zeros((5, 2)), log_variances=np.zeros((5, 2)))
    ran = command("diagnose", str(tmp_path / "codes.npz"), "digits")
    assert ran.returncode == 2 and "codes of 5 samples, and digits has 1797" in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_loss_without_a_bound_is_refused(digits: np.ndarray) -> None:
    with pytest.raises(DataError, match="no lower bound"):
        predict(np.random.default_rng(0).standard_normal((50, 3)), beta=0.5, learn_eta_dec=True)


def test_diagnose_from_the_command_line(tmp_path: Path, digits: np.ndarray) -> None:
    x = digits - digits.mean(0)
    values, vectors = np.linalg.eigh(x.T @ x / len(x))
    values, vectors = values[::-1][:4], vectors[:, ::-1][:, :4]
    power = 1 - 50 / values
    means = x @ vectors / np.sqrt(values) * np.sqrt(power)
    np.savez(tmp_path / "codes.npz", means=means, log_variances=np.tile(np.log(50 / values), (len(x), 1)))
    ran = command("diagnose", str(tmp_path / "codes.npz"), "digits", "--beta", "50")
    assert (ran.returncode, ran.stderr) == (0, "") and "expected: " in ran.stdout
    assert "mode 4 (100 %)" in ran.stdout  # told by the data, in their order
    assert "  E[m²]+E[σ²]  " in ran.stdout
    other = command("diagnose", str(tmp_path / "codes.npz"), "digits", "--beta", "100", "--json", "-")
    assert other.returncode == 1 and json.loads(other.stdout)["verdict"] == "other-beta"
    assert diagnose(0 * means, 0 * means, values, beta_eta_dec_squared=50.0).verdict == "dead-encoder"


@pytest.mark.parametrize("option", ["--json", "--plot"])
def test_what_is_read_is_not_written_over(option: str, tmp_path: Path) -> None:
    path = tmp_path / "data.npy"
    np.save(path, np.eye(4))
    before = path.read_bytes()
    target = tmp_path / "same.npy"
    target.symlink_to(path)
    for arguments in (("predict", str(path)), ("predict", "digits", "--target", str(path))):
        process = command(*arguments, option, str(target))
        assert process.returncode == 2 and "both name" in process.stderr and "Traceback" not in process.stderr
    if option == "--json":
        codes = tmp_path / "codes.npz"
        np.savez(codes, means=np.zeros((4, 2)), log_variances=np.zeros((4, 2)))
        for read in (str(codes), str(path)):
            process = command("diagnose", str(codes), str(path), "--json", read)
            assert process.returncode == 2 and "both name" in process.stderr
    assert path.read_bytes() == before
