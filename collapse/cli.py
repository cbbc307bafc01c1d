"""The command line. Everything heavy is imported by the command that needs it, so that help is instant."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Machine-checked theory of posterior collapse in linear latent variable models (Wang & Ziyin, NeurIPS 2022).",
)


PIPE_WIDTH = 120
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
    json_path: Annotated[
        str | None, typer.Option("--json", metavar="PATH|-", help="Write the report as JSON; - for standard output.")
    ] = None,
) -> None:
    """Judge the paper's claims as printed: by derivation, in exact numbers, in float64, and against minima found by descent.

    Exit code 0 if every claim is decided, every layer agrees and every mutant is refuted; 1 if not; 2 for bad usage.
    """
    from rich.console import Console

    from derivations.ledger import selected

    claims = selected(claim)
    layers = tuple(name.value for name in (layer or LayerName))
    target = _writable(json_path)

    from collapse.audit import run_audit, testable
    from collapse.report.json_document import document
    from collapse.report.terminal import LiveTable, print_report

    claims = testable(claims, layers, all_of_them=claim is not None)
    console = Console(stderr=json_path == "-", highlight=False)
    if not console.is_terminal:
        console = Console(stderr=json_path == "-", highlight=False, width=PIPE_WIDTH)
    try:
        with LiveTable(console, claims, layers) as live:
            report = run_audit(claims, layers=layers, device=device.value, seed=seed, listener=live)
    except KeyboardInterrupt:
        print("interrupted: no report was written", file=sys.stderr)
        raise typer.Exit(130) from None
    if json_path != "-" or console.is_terminal:
        print_report(console, report, layers)
    if json_path is not None:
        text = json.dumps(document(report), indent=2, ensure_ascii=False) + "\n"
        if target is None:
            sys.stdout.write(text)
        else:
            _write(target, text)
    raise typer.Exit(0 if report.passed else 1)


def _writable(json_path: str | None) -> Path | None:
    """The file to write, checked before anything is computed; None for none or for standard output."""
    from derivations.errors import DataError

    if json_path is None or json_path == "-":
        return None
    if not json_path:
        raise DataError("--json: the path is empty; name a file, or - for standard output.")
    path = Path(json_path)
    if path.is_dir():
        raise DataError(f"--json: {path} is a folder; name a file in it.")
    try:
        existed = path.exists()
        with path.open("a", encoding="utf-8"):
            pass
        if not existed:
            path.unlink()
    except OSError as error:
        raise DataError(
            f"--json: cannot write {path}: {error.strerror}. Name a file in a folder you can write to."
        ) from None
    return path


def _write(path: Path, text: str) -> None:
    from derivations.errors import DataError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"--json: cannot write {path}: {error.strerror}. The report above is complete.") from None


def main() -> None:
    """Run the command line; input that cannot be used ends in one line on standard error and exit code 2."""
    from derivations.errors import DataError

    try:
        app()
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
