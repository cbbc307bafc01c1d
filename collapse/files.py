"""Files and bundled sets, read as rows."""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from collapse.reading import Rows, as_array, from_array
from derivations.errors import DataError

__all__ = ["BUNDLED", "open_named"]

BUNDLED = {
    "digits": "grey values 0 to 16",
    "mnist": "pixels in [0, 1]",
    "fashion-mnist": "pixels in [0, 1]",
    "iris": "cm",
    "wine": "as measured, a unit a feature",
    "breast-cancer": "as measured, a unit a feature",
    "diabetes": "as scikit-learn scales them",
}
"""The sets that have a name, and their unit. MNIST and Fashion-MNIST are sought in the folder COLLAPSE_DATA, else on OpenML."""
_SUFFIXES = (".npy", ".npz", ".csv", ".parquet", ".zarr")


def open_named(name: str, key: str | None) -> Rows:
    """A bundled set by its name, or a file.

    Raises:
        DataError: there is neither, or it holds no numbers in rows; one line says what and where.
    """
    return _bundled(name) if name in BUNDLED else _from_path(Path(name), key)


def _from_path(path: Path, key: str | None) -> Rows:
    if not path.exists():
        close = difflib.get_close_matches(str(path), BUNDLED, 1)
        hint = (
            f"; did you mean {close[0]}?"
            if close
            else f". Give a file ({', '.join(_SUFFIXES)}) or one of {', '.join(BUNDLED)}."
        )
        raise DataError(f"there is no file and no data set {path}{hint}")
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise DataError(f"{path} ends in {suffix or 'nothing'}; give a file that ends in {', '.join(_SUFFIXES)}.")
    if key is not None and suffix != ".npz":
        raise DataError(f"--key is for .npz files, and {path} is none: leave it out.")
    if not (path.is_file() or path.is_dir()):  # a named pipe would wait for someone to write
        raise DataError(f"{path} is no regular file: write the data into one.")
    if path.is_dir() and suffix != ".zarr":
        raise DataError(f"{path} is a folder: name a file in it.")
    if suffix == ".csv":
        return _from_csv(path)
    if suffix == ".parquet":
        return _from_parquet(path)
    if suffix == ".zarr":
        return _from_zarr(path)
    return _from_numpy(path, key)


def _from_numpy(path: Path, key: str | None) -> Rows:
    try:
        if path.suffix.lower() == ".npy":
            array: Any = np.load(path, mmap_mode="r", allow_pickle=False)
        else:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                array = arrays[_chosen(path, arrays.files, key)]
    except DataError:
        raise
    except ValueError as error:
        if "pickle" in str(error) or "Python objects" in str(error):
            raise DataError(
                f"{path} is no NumPy file, or holds pickled objects, which are not read: save a plain array of numbers."
            ) from None
        raise DataError(f"{path} is damaged or cut short ({error}): write it again.") from None
    except (OSError, EOFError, KeyError) as error:
        raise DataError(f"{path} cannot be read ({type(error).__name__}: {error}): write it again.") from None
    except Exception as error:  # zipfile's and zlib's own
        raise DataError(f"{path} is damaged ({type(error).__name__}): write it again.") from None
    return from_array(as_array(array, str(path)), path.name)


def _chosen(path: Path, names: list[str], key: str | None) -> str:
    if key is None and len(names) == 1:
        return names[0]
    if not names:
        raise DataError(f"{path} holds no array: write it again.")
    if key is None:
        raise DataError(f"{path} holds several arrays: choose one by --key: {', '.join(names)}.")
    if key not in names:
        raise DataError(f"{path} holds no array {key!r}: it holds {', '.join(names)}.")
    return key


def _from_csv(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first = file.readline().strip()
    if not first:
        raise DataError(f"{path} is empty, or begins with an empty line: give rows of numbers separated by commas.")
    cells = [cell.strip() for cell in first.split(",")]
    # a table without names is written by pandas with the numbers of its columns on top; with one column or two that may be a sample
    counted = cells == [str(k) for k in range(len(cells))]
    heading = not all(map(_is_number, cells)) or (counted and len(cells) > 2)
    try:
        with warnings.catch_warnings(), path.open(encoding="utf-8-sig", errors="replace") as file:
            warnings.simplefilter("ignore")  # that it is empty is said below
            array = np.genfromtxt(  # type: ignore[call-overload]
                file, delimiter=",", skip_header=int(heading), dtype=np.float64, ndmin=2, comments=None
            )
    except ValueError as error:
        reason = str(error).splitlines()[-1].strip()
        raise DataError(f"{path}: rows of different lengths, or no text ({reason}): mend that row.") from None
    if array.size == 0:
        raise DataError(f"{path} has a heading and no rows.")
    if np.isnan(array).any():
        row, column = np.argwhere(np.isnan(array))[0]
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            lines = [line for line in file if line.strip()]
        cell = lines[row + int(heading)].split(",")[column].strip()
        what = f"the text {cell!r}" if cell and cell.lower() != "nan" else "no value"
        mend = "drop or encode that column, or that row"
        if ";" in cell:
            mend = "separate values by commas, not by semicolons"
        elif cell[:1] in ("'", '"'):
            mend = "write numbers without quotes"
        raise DataError(f"{path} has {what} at row {row}, column {column} (from 0): {mend}.")
    shown = ", ".join(cells if len(cells) < 5 else [*cells[:3], "…", cells[-1]])
    if counted and heading:
        note = f"the first row of {path.name}, {shown}, is taken for numbers of columns, and is no sample"
    else:
        note = (
            f"the first row of {path.name}, {shown}, is taken for a sample: drop it if it numbers columns"
            if counted
            else ""
        )
    rows = from_array(array, path.name)
    return replace(rows, notes=tuple(line for line in (note, _index_column(array, path.name), *rows.notes) if line))


def _index_column(array: np.ndarray, name: str) -> str:
    """A note where the first of several columns counts the rows, as where a table was written with its index."""
    count = np.arange(len(array))
    if array.shape[1] < 2 or len(array) < 3 or not any(np.array_equal(array[:, 0], count + start) for start in (0, 1)):
        return ""
    return f"the first column of {name} counts its rows, and is taken for a feature: drop it if it is an index"


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell.strip() == ""
    return True


def _from_parquet(path: Path) -> Rows:
    try:
        import pyarrow.parquet as parquet
        from pyarrow import types
    except ImportError:
        raise DataError(f"{path} needs pyarrow: install this project with its extra, pip install '.[data]'.") from None
    try:
        with path.open("rb") as opened, parquet.ParquetFile(opened) as file:
            schema, count = file.schema_arrow, file.metadata.num_rows
    except Exception as error:
        raise DataError(f"{path} cannot be read as Parquet ({type(error).__name__}): write it again.") from None
    for field in schema:
        if not any(kind(field.type) for kind in (types.is_integer, types.is_floating, types.is_boolean)):
            raise DataError(f"{path}: column {field.name!r} holds {field.type}, not numbers: drop or encode it.")

    def blocks(rows: int) -> Iterator[np.ndarray]:
        try:
            with parquet.ParquetFile(path) as opened:
                for batch in opened.iter_batches(batch_size=rows):
                    columns = [column.to_numpy(zero_copy_only=False) for column in batch.columns]
                    yield np.stack([column.astype(np.float64) for column in columns], 1)
        except Exception as error:  # pages are read as they are asked for
            raise DataError(f"{path} is damaged ({type(error).__name__}): write it again.") from None

    return Rows(path.name, "units of the data", (count, len(schema)), blocks)


def _from_zarr(path: Path) -> Rows:
    try:
        import zarr
    except ImportError:
        raise DataError(f"{path} needs zarr: install this project with its extra, pip install '.[data]'.") from None
    try:
        array: Any = zarr.open(str(path), mode="r")
        n, features, *rest = array.shape
    except Exception:
        raise DataError(f"{path} cannot be read as one Zarr array with samples in rows: name an array.") from None

    def blocks(rows: int) -> Iterator[np.ndarray]:
        for start in range(0, n, rows):
            chunk = as_array(array[start : start + rows], str(path))
            yield chunk.reshape(len(chunk), -1)

    return Rows(path.name, "units of the data", (int(n), int(features * np.prod(rest, dtype=int))), blocks)


# ----------------------------------------------------------------------------------------------- bundled
def _bundled(name: str) -> Rows:
    unit = BUNDLED[name]
    if name == "digits":
        from numerics.moments import digit_images

        return from_array(digit_images(), name, unit)
    from numerics.mnist import FOLDER, IMAGE_SETS, WHITE, training_images

    if name in IMAGE_SETS:
        return from_array(training_images(os.environ.get(FOLDER), *IMAGE_SETS[name]), name, unit, 1 / WHITE)
    from sklearn import datasets

    loader = getattr(datasets, f"load_{name.replace('-', '_')}")
    return from_array(loader(return_X_y=True)[0], name, unit)
