"""The command line. Everything heavy is imported by the command that needs it, so that help is instant."""

from __future__ import annotations

import gc
import json
import os
import sys
from enum import StrEnum
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from derivations.claim import Claim

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Machine-checked theory of posterior collapse in linear latent variable models (Wang & Ziyin, NeurIPS 2022).",
)


PIPE_WIDTH = 160
"""Columns of a report that no terminal shows."""


class LayerName(StrEnum):
    """The layers of evidence."""

    SYMBOLIC = "symbolic"
    EXACT = "exact"
    NUMERIC = "numeric"
    DESCENT = "descent"


class Device(StrEnum):
    """Where descent runs."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


@app.callback()
def about() -> None:
    """Machine-checked theory of posterior collapse in linear latent variable models (Wang & Ziyin, NeurIPS 2022)."""


@app.command()
def audit(
    claim: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="ID of a claim, such as thm-2.minimum; may be repeated. Default: all."),
    ] = None,
    layer: Annotated[
        list[LayerName] | None, typer.Option(help="Layer of evidence; may be repeated. Default: all.")
    ] = None,
    device: Annotated[Device, typer.Option(help="Where descent runs.")] = Device.AUTO,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of the random instances and of descent's starts.")] = 0,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="Show the kill matrix: which layer refutes which mutant.")
    ] = False,
    json_path: Annotated[
        str | None, typer.Option("--json", metavar="PATH|-", help="Write the report as JSON; - for standard output.")
    ] = None,
) -> None:
    """Judge the paper's claims as printed: by derivation, in exact numbers, in float64, and against minima found by descent.

    Exit code 0 if every claim is decided, every layer agrees and every mutant is refuted; 1 if not; 2 for bad usage.
    """
    from derivations.census import ORDER

    if not set(claim or ()) <= set(ORDER):
        _selected(claim)  # says so
    layers = tuple(name.value for name in (layer or LayerName))
    target = _writable("--json", json_path)

    from collapse.workers import workers

    try:
        preload = ["collapse.decisions" if layers == (LayerName.SYMBOLIC,) else "collapse.judgement"]
        with workers(len(claim or ORDER) * len(layers), preload) as pool:  # they import while this process does
            claims = _selected(claim)
            from collapse.audit import run_audit, testable
            from collapse.report.json_document import document
            from collapse.report.terminal import LiveTable, print_report

            claims = testable(claims, layers, all_of_them=claim is not None)
            console = _console(json_path == "-")
            with LiveTable(console, claims, layers) as live:
                report = run_audit(claims, layers=layers, device=device.value, seed=seed, listener=live, pool=pool)
            if json_path != "-" or console.is_terminal:
                print_report(console, report, layers, mutants=mutants, detailed=claim is not None)
            if json_path is not None:
                _write("--json", target, _json(document(report, mutants=mutants)))
    except KeyboardInterrupt:
        _interrupted()
    raise typer.Exit(0 if report.passed else 1)


@app.command()
def errata(
    claim: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="ID of a claim, such as prop-3.variance; may be repeated. Default: all."),
    ] = None,
    json_path: Annotated[
        str | None, typer.Option("--json", metavar="PATH|-", help="Write the errata as JSON; - for standard output.")
    ] = None,
    markdown_path: Annotated[
        str | None,
        typer.Option("--markdown", metavar="PATH|-", help="Write them as a Markdown table; - for standard output."),
    ] = None,
    into: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Replace the table between the errata markers of a Markdown file."),
    ] = None,
) -> None:
    """List what fails or is incomplete as printed: the smallest exact counterexample found, what holds, and how it is proved.

    Every entry is judged anew, by derivation. Exit code 0 if every printed statement is refuted and every corrected one
    proved; 1 if not; 2 for bad usage.
    """
    from derivations.errors import DataError

    if json_path == markdown_path == "-":
        raise DataError("--json - and --markdown - cannot share standard output; name a file for one of them.")
    if into is not None and claim:
        raise DataError(
            "--into writes the table of all errata; leave --claim out, or write the chosen ones with --markdown."
        )
    _differ({"--json": json_path, "--markdown": markdown_path, "--into": into})
    claims = _selected(claim)
    target, markdown_target = _writable("--json", json_path), _writable("--markdown", markdown_path)

    from collapse.errata import collect_errata
    from collapse.report.errata import errata_document, inserted, markdown, print_errata
    from collapse.report.progress import Counter
    from collapse.workers import workers

    text = inserted(_read(into), "") if into is not None else ""
    console = _console("-" in (json_path, markdown_path))
    try:
        with workers(len(claims), ["collapse.decisions"]) as pool, Counter(console, "judging", claims) as progress:
            found = collect_errata(claims, pool, progress)
    except KeyboardInterrupt:
        _interrupted()
    if console.is_terminal or not (json_path or markdown_path or into):
        print_errata(console, found)
    if json_path is not None:
        _write("--json", target, _json(errata_document(found)))
    if markdown_path is not None:
        _write("--markdown", markdown_target, markdown(found))
    if into is not None:
        _write("--into", Path(into), inserted(text, markdown(found)))
    raise typer.Exit(1 if found.failures() else 0)


def _differ(paths: dict[str, str | None]) -> None:
    """Refuse two options that would write one file."""
    from derivations.errors import DataError

    files = {name: Path(path).resolve() for name, path in paths.items() if path not in (None, "-")}
    for one, other in combinations(files, 2):
        if files[one] == files[other]:
            raise DataError(f"{one} and {other} both name {files[one]}; give them different files.")


def _selected(claim: list[str] | None) -> tuple[Claim, ...]:
    from derivations.ledger import selected

    return selected(claim)


def _console(on_standard_error: bool) -> Console:
    """A console for the report; of a fixed width where no terminal shows it."""
    from rich.console import Console

    console = Console(stderr=on_standard_error, highlight=False)
    return console if console.is_terminal else Console(stderr=on_standard_error, highlight=False, width=PIPE_WIDTH)


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _interrupted() -> NoReturn:
    print("interrupted: no report was written", file=sys.stderr)
    raise typer.Exit(130) from None


def _read(path: str) -> str:
    from derivations.errors import DataError

    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"--into: cannot read {path}: {error.strerror}. Name a Markdown file that exists.") from None


def _writable(option: str, given: str | None) -> Path | None:
    """The file to write, checked before anything is computed; None for none or for standard output."""
    from derivations.errors import DataError

    if given is None or given == "-":
        return None
    if not given:
        raise DataError(f"{option}: the path is empty; name a file, or - for standard output.")
    path = Path(given)
    if path.is_dir():
        raise DataError(f"{option}: {path} is a folder; name a file in it.")
    try:
        existed = path.exists()
        with path.open("a", encoding="utf-8"):
            pass
        if not existed:
            path.unlink()
    except OSError as error:
        raise DataError(
            f"{option}: cannot write {path}: {error.strerror}. Name a file in a folder you can write to."
        ) from None
    return path


def _write(option: str, path: Path | None, text: str) -> None:
    """Write to a file, or to standard output where there is none."""
    from derivations.errors import DataError

    if path is None:
        sys.stdout.write(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{option}: cannot write {path}: {error.strerror}. The report above is complete.") from None


def _one_thread_a_process() -> None:
    """Keep linear algebra to one thread: matrices this small gain nothing from more, and waiting threads take the workers' time."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def main() -> None:
    """Run the command line; input that cannot be used ends in one line on standard error and exit code 2."""
    from derivations.errors import DataError

    _one_thread_a_process()
    try:
        app()
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    finally:
        gc.freeze()  # a process that ends need not look through all that it has imported for what to free


if __name__ == "__main__":
    main()
