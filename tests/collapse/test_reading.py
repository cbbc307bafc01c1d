"""Data of every kind read as rows, and what cannot be read refused in one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from collapse.reading import Rows, open_rows
from derivations.errors import DataError

X = np.random.default_rng(0).standard_normal((11, 3))


def content(rows: Rows) -> np.ndarray:
    return np.concatenate(list(rows.chunks(4)))


def saved(folder: Path, kind: str) -> Path:
    path = folder / f"x.{kind}"
    if kind == "npy":
        np.save(path, X)
    elif kind == "npz":
        np.savez(path, x=X)
    elif kind == "csv":
        np.savetxt(path, X, delimiter=",", header="a,b,c", comments="", fmt="%.17g")
    elif kind == "parquet":
        pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        pq.write_table(pa.table(dict(zip("abc", X.T, strict=True))), path)
    else:
        zarr = pytest.importorskip("zarr")
        zarr.save_array(str(path), X)
    return path


@pytest.mark.parametrize("kind", ["npy", "npz", "csv", "parquet", "zarr"])
def test_files(kind: str, tmp_path: Path) -> None:
    rows = open_rows(saved(tmp_path, kind))
    assert rows.shape == (11, 3)
    assert np.array_equal(content(rows), X)
    assert np.array_equal(content(rows), X)  # and again
    assert all(len(chunk) <= 4 for chunk in rows.chunks(4))


def test_a_csv_without_a_heading(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "x.csv", X, delimiter=",", fmt="%.17g")
    assert np.array_equal(content(open_rows(tmp_path / "x.csv")), X)


def test_numbers_of_columns_on_top_of_a_csv_are_a_heading(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("0,1,2\n5,6,7\n8,9,7\n")  # as pandas writes a table without names
    assert content(open_rows(tmp_path / "x.csv")).tolist() == [[5, 6, 7], [8, 9, 7]]
    (tmp_path / "y.csv").write_text("0,1\n1,0\n")
    assert content(open_rows(tmp_path / "y.csv")).tolist() == [[0, 1], [1, 0]]


def test_an_npy_file_is_mapped_not_read(tmp_path: Path) -> None:
    path = saved(tmp_path, "npy")
    base: Any = next(iter(open_rows(path).blocks(4)))
    while base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)


def test_objects_in_memory() -> None:
    dask = pytest.importorskip("dask.array")
    tensor = torch.tensor(X, requires_grad=True)
    loader = DataLoader(TensorDataset(tensor.detach(), torch.zeros(11)), batch_size=4)
    for source in (X, X.tolist(), tensor, loader, _Batches([X[:5], X[5:]]), dask.from_array(X, chunks=(3, 3))):
        assert np.array_equal(content(open_rows(source)), X)


def test_a_list_of_batches_is_no_matrix() -> None:
    for batches in ([X[:5], X[5:]], [torch.tensor(X[:4]), torch.tensor(X[4:])], [(X[:5], 1), (X[5:], 2)]):
        assert np.array_equal(content(open_rows(batches)), X)
    with pytest.raises(DataError, match="different lengths"):
        open_rows([[1, 2], [3]])
    half = open_rows(torch.tensor(X).bfloat16())
    assert content(half) == pytest.approx(X, abs=10**-1)


def test_a_byte_order_mark_and_a_comment_sign_are_no_data(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"\xef\xbb\xbf1,2\n3,4\n")
    assert content(open_rows(tmp_path / "x.csv")).tolist() == [[1, 2], [3, 4]]
    (tmp_path / "y.csv").write_text("1,2\n3,#4\n")
    with pytest.raises(DataError, match="the text '#4' at row 1, column 1"):
        open_rows(tmp_path / "y.csv")
    (tmp_path / "z.csv").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        open_rows(tmp_path / "z.csv")
    np.save(tmp_path / "none.npy", np.zeros((0, 4)))
    with pytest.raises(DataError, match="no samples"):
        open_rows(tmp_path / "none.npy")


def test_images_become_rows() -> None:
    assert open_rows(np.zeros((5, 4, 3))).shape == (5, 12)
    assert open_rows(DataLoader(torch.zeros((6, 1, 4, 4)), batch_size=4)).shape == (None, 16)


def test_bundled_sets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert open_rows("digits").shape == (1797, 64)
    assert open_rows("iris").shape == (150, 4)
    images = np.zeros((60_000, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / "fashion_mnist.npz", x_train=images)
    monkeypatch.setenv("COLLAPSE_DATA", str(tmp_path))
    rows = open_rows("fashion-mnist")
    assert rows.shape == (60_000, 784) and rows.factor == 1 / 255 and "[0, 1]" in rows.unit


def broken(folder: Path, name: str) -> Any:
    path = folder / name
    if name == "pickled.npy":
        np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    elif name == "short.npy":
        np.save(path, X)
        path.write_bytes(path.read_bytes()[:-20])
    elif name == "short.npz":
        np.savez(path, x=X)
        path.write_bytes(path.read_bytes()[:-20])
    elif name == "nothing.npz":
        np.savez(path)
    elif name in ("two.npz", "other.npz"):
        np.savez(path, a=X, b=X)
    elif name == "text.csv":
        path.write_text("a,b\n1,2\n3,red\n")
    elif name == "hole.csv":
        path.write_text("1,2\n3,\n")
    elif name == "ragged.csv":
        path.write_text("1,2\n3\n")
    elif name == "empty.csv":
        path.write_text("")
    elif name == "heading.csv":
        path.write_text("a,b\n")
    elif name == "complex.npy":
        np.save(path, X + 1j)
    elif name == "line.npy":
        np.save(path, X[:, 0])
    elif name == "no.parquet" or name == "no.zarr":
        path.write_text("nothing")
    elif name == "text.parquet":
        pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        pq.write_table(pa.table({"a": ["red", "blue"]}), path)
    elif name == "other.txt":
        path.write_text("1")
    return path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pickled.npy", "pickled objects"),
        ("short.npy", "damaged or cut short|cannot be read"),
        ("short.npz", "damaged"),
        ("nothing.npz", "holds no array: write it again"),
        ("two.npz", "several arrays: choose one by --key: a, b"),
        ("text.csv", "the text 'red' at row 1, column 1"),
        ("hole.csv", "no value at row 1, column 1"),
        ("ragged.csv", "different lengths"),
        ("empty.csv", "is empty"),
        ("heading.csv", "a heading and no rows"),
        ("complex.npy", "complex numbers"),
        ("line.npy", "one sample a row"),
        ("no.parquet", "as Parquet"),
        ("no.zarr", "Zarr"),
        ("text.parquet", "column 'a' holds string"),
        ("other.txt", "give a file that ends in"),
        ("missing.npy", "there is no file and no data set"),
    ],
)
@pytest.mark.filterwarnings("ignore:genfromtxt")
def test_broken_files_are_refused(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message) as found:
        open_rows(broken(tmp_path, name))
    assert "\n" not in str(found.value)


def test_a_parquet_file_with_damaged_pages_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, "parquet")
    content_of = bytearray(path.read_bytes())
    content_of[4:40] = bytes(range(200, 236))  # the heading of the first page; the file's own is at its end
    path.write_bytes(content_of)
    with pytest.raises(DataError, match=r"is damaged .*: write it again") as found:
        content(open_rows(path))
    assert "\n" not in str(found.value)


def test_other_refusals(tmp_path: Path) -> None:
    for source, key, message in (
        (broken(tmp_path, "other.npz"), "c", "no array 'c': it holds a, b"),
        (np.ma.masked_less(X, -1), None, "masked values"),
        (saved(tmp_path, "npy"), "x", "--key is for .npz"),
        ("digitz", None, "did you mean digits"),
        (iter([X]), None, "read once only"),
        ([], None, "empty|shape"),
        (3, None, "cannot read data from int"),
        (np.array([["a", "b"]]), None, "only real numbers"),
        (np.zeros((3, 0)), None, "no features"),
    ):
        with pytest.raises(DataError, match=message):
            open_rows(source, key)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_named_with_its_place(value: float) -> None:
    x = X.copy()
    x[9, 1] = value
    with pytest.raises(DataError, match=r"at row 9, column 1 \(from 0\)"):
        content(open_rows(x))


def test_batches_of_other_widths_are_noticed() -> None:
    with pytest.raises(DataError, match="rows from 5 on have shape"):
        content(open_rows(_Batches([X[:5], X[5:, :2]])))


class _Batches:
    def __init__(self, batches: list[np.ndarray]) -> None:
        self.batches = batches

    def __iter__(self) -> Any:
        return iter(self.batches)
