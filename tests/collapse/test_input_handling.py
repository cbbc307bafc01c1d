"""Input that is empty, waits or is cut off, and output that cannot be written: one line, and the exit code of each."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import ROOT, environment, run
from planted_codes import planted

from collapse import diagnose, predict
from collapse.reading import open_rows
from collapse.report.prediction import summary
from collapse.scaled_rows import standardised
from derivations.errors import DataError
from numerics.spectra import spectrum_of
from numerics.tolerances import SPECTRUM

X = np.random.default_rng(0).standard_normal((200, 3)) * [3, 2, 1]


def test_numbers_of_columns_on_top_are_mentioned(tmp_path: Path) -> None:
    for first, width, words in (
        ("0,1,2", 3, "0, 1, 2, is taken for numbers of columns, and is no sample"),
        ("0,1", 2, "0, 1, is taken for a sample: drop it if it numbers columns"),
        ("0", 1, "0, is taken for a sample: drop it if it numbers columns"),
        ("0,1,2,3,4,5", 6, "0, 1, 2, …, 5, is taken for numbers of columns"),
    ):
        path = tmp_path / f"{width}.csv"
        path.write_text(
            first + "\n" + "\n".join(",".join(str(k * k + j * 7 % 5) for j in range(width)) for k in range(40)) + "\n"
        )
        rows = open_rows(path)
        assert rows.shape == (40 if width > 2 else 41, width)
        assert len(rows.notes) == 1 and words in rows.notes[0]
        assert rows.notes[0] in predict(str(path)).notes
    for first in ("a,b,c", "1,2,3", "0,1,3"):
        (tmp_path / "x.csv").write_text(f"{first}\n4,5,6\n7,8,1\n")
        assert open_rows(tmp_path / "x.csv").notes == ()
    target = predict(str(tmp_path / "3.csv"), str(tmp_path / "6.csv"), intervals="none").notes
    assert sum("the first row of" in note for note in target) == 2
    np.savez(tmp_path / "codes.npz", means=np.zeros((40, 2)), log_variances=np.zeros((40, 2)))
    ran = run("diagnose", str(tmp_path / "codes.npz"), str(tmp_path / "3.csv"))
    assert "note: the first row of 3.csv" in ran.stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize(
    "arguments",
    [("predict", "iris"), ("predict", "iris", "--json", "-"), ("predict", "--loss", "list"), ("errata", "--help")],
    ids=" ".join,
)
def test_output_that_cannot_be_written_is_one_line(arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "collapse.cli", *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            env=environment(), cwd=ROOT,
        )  # fmt: skip
    assert ran.returncode == 2 and ran.stderr == "error: cannot write to standard output: No space left on device.\n"


@pytest.mark.parametrize("suffix", ["npy", "npz", "csv", "parquet"])
def test_a_named_pipe_is_refused(suffix: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"x.{suffix}")
    with pytest.raises(DataError, match="is no regular file"):
        open_rows(tmp_path / f"x.{suffix}")


@pytest.mark.parametrize(
    "arguments", [("predict", "iris"), ("diagnose", "codes.npz", "iris")], ids=lambda each: each[0]
)
def test_an_empty_loss_is_no_loss(arguments: tuple[str, ...], tmp_path: Path) -> None:
    np.savez(tmp_path / "codes.npz", means=np.zeros((150, 2)), log_variances=np.zeros((150, 2)))
    named = [str(tmp_path / each) if each.endswith("npz") else each for each in arguments]
    ran = run(*named, "--loss", "")
    assert (
        ran.returncode == 2
        and ran.stderr.startswith("error: --loss: no loss is called ''")
        and ran.stderr.count("\n") == 1
    )


def test_an_interrupted_diagnosis_says_so(tmp_path: Path) -> None:
    """Interrupted where the command reads its codes."""
    code = (
        "import os, signal, collapse.codes as codes\n"
        "def read(path): os.kill(os.getpid(), signal.SIGINT)\n"
        "codes.read_codes = read\n"
        "import collapse.cli\n"
        "collapse.cli.main()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "diagnose", "codes.npz", "iris"], capture_output=True, text=True, check=False,
        env=environment(), cwd=ROOT,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "interrupted: nothing was diagnosed\n")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("unit", [1e-160, 1e-100, 1e100, 1e150])
@pytest.mark.parametrize("beta", [1e-29, 1.0, 1e29])
def test_extreme_units_are_computed_or_refused(unit: float, beta: float) -> None:
    for eta_dec in (1e-14, 1.0, 1e14):
        try:
            found = predict(unit * X, beta=beta, eta_dec=eta_dec)
        except DataError as error:
            assert "too far apart to compute with" in str(error) and unit > 1
            continue
        json.dumps(found.document(), allow_nan=False)
        assert not any("inf" in line or "nan" in line for line in summary(found))


@pytest.mark.filterwarnings("error")
def test_thresholds_beyond_float64_are_none() -> None:
    found = predict(1e150 * X, beta=1e10, eta_dec=1e-4)
    assert (
        found.document()["modes"][0]["critical_beta"] is None or found.document()["modes"][0]["critical_beta"] > 1e300
    )
    mixed = predict(X * [1e-150, 1, 1e150])
    assert mixed.intervals is not None and np.isfinite(mixed.intervals[0]).all()  # the others are rounding


@pytest.mark.parametrize("n", [None, 200])
def test_rows_are_standardised_as_spectra_are(n: int | None) -> None:
    x = np.concatenate([X * 4 + 100, np.full((200, 1), 7.0)], 1)
    rows = standardised(open_rows(x if n else [x[:90], x[90:]]))
    again = spectrum_of(rows)
    assert again.zeta_squared == pytest.approx(
        spectrum_of(open_rows(x), scale="standard").zeta_squared, abs=SPECTRUM.value
    )
    whole = np.concatenate(list(rows.chunks(50)))
    assert whole.std(0) == pytest.approx([1, 1, 1, 0], rel=SPECTRUM.value)
    assert standardised(open_rows(x.astype(np.float32))).factor == 1


def test_standardised_data_are_diagnosed(tmp_path: Path) -> None:
    """A model of standardised features is as expected with the option, in Python and on the command line, and not without."""
    raw = planted(0).x * 10.0 ** np.arange(12) + 5  # what was measured; the model saw each divided by its deviation
    scaled = predict(raw, scale="standard")
    seen = (raw - raw.mean(0)) / raw.std(0)
    values, vectors = np.linalg.eigh(seen.T @ seen / len(seen))
    values, vectors = values[::-1], vectors[:, ::-1]
    level = float(np.sqrt(values[2] * values[3]))
    variance = level / values[:3]
    means = seen @ vectors[:, :3] * np.sqrt((1 - variance) / values[:3])
    log_variances = np.tile(np.log(variance), (len(seen), 1))
    settings = {"beta_eta_dec_squared": level, "data": torch.tensor(raw)}
    found = diagnose(means, log_variances, scaled.spectrum.zeta_squared, scale="standard", **settings)
    assert found.verdict == "expected" and found.modes_told_by == "data"
    with pytest.raises(DataError, match="scale must be None or 'standard'"):
        diagnose(means, log_variances, scaled.spectrum.zeta_squared, scale="range", **settings)
    np.savez(tmp_path / "codes.npz", means=means, log_variances=log_variances)
    np.save(tmp_path / "x.npy", raw)
    arguments = ("diagnose", str(tmp_path / "codes.npz"), str(tmp_path / "x.npy"), "--beta", repr(level), "--json", "-")
    with_it = run(*arguments, "--standardise")
    assert with_it.returncode == 0, with_it.stderr
    document = json.loads(with_it.stdout)
    assert (document["verdict"], document["modes_told_by"]) == ("expected", "data")
    assert run(*arguments).returncode == 1


def test_rows_that_repeat_others_are_counted() -> None:
    rng = np.random.default_rng(0)
    some = rng.standard_normal((40, 3))
    assert open_rows(some).notes == ()
    (note,) = open_rows(np.tile(some, (3, 1))).notes
    assert note.startswith("80 of the 120 rows of array repeat another one exactly")
    assert open_rows(np.vstack([rng.standard_normal((400, 3)), some[:1], some[:1]])).notes == ()  # one in 400
    assert note in predict(np.tile(some, (3, 1)), intervals="none").notes


@pytest.mark.parametrize("start", [0, 1])
def test_a_column_that_counts_the_rows_is_named(start: int, tmp_path: Path) -> None:
    table = np.column_stack([np.arange(30) + start, np.random.default_rng(1).standard_normal((30, 2))])
    path = tmp_path / "indexed.csv"
    np.savetxt(path, table, delimiter=",", header=",a,b", comments="")
    (note,) = open_rows(path).notes
    assert note.startswith("the first column of indexed.csv counts its rows") and note in predict(str(path)).notes
    np.savetxt(path, table[:, 1:], delimiter=",")
    assert open_rows(path).notes == ()
    np.savetxt(path, table[:, :1], delimiter=",")
    assert open_rows(path).notes == (), "alone it is the data"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1.5;2.5;3\n4;5;7\n1;2;9\n", "separate values by commas, not by semicolons"),
        ('"1.5","2.5"\n"4","5"\n"1","2"\n', "write numbers without quotes"),
        ("a,b\n1,x\n2,3\n", "drop or encode that column, or that row"),
    ],
)
def test_text_in_a_table_is_refused_with_what_would_mend_it(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=words):
        open_rows(tmp_path / "t.csv")


def test_more_nats_than_numbers_can_hold_are_refused_by_name() -> None:
    ran = run("predict", "digits", "--nats", "1e6")
    assert ran.returncode == 2 and "--nats 1e+06 is more than float64 can tell" in ran.stderr + ran.stdout
