"""The command line. Everything heavy is imported by the command that needs it, so that help is instant."""

from __future__ import annotations

import gc
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collapse import data_commands, figure_commands
from collapse.linear_algebra import settle
from collapse.output import (
    as_json,
    console_for,
    folder,
    interrupted,
    read_markdown,
    refuse_equal,
    writable,
    write,
    written_out,
)

if TYPE_CHECKING:
    from derivations.claim import Claim

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Machine-checked theory of posterior collapse in linear latent variable models (Wang & Ziyin, NeurIPS 2022).",
)


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
    training: Annotated[
        bool,
        typer.Option("--training", help="Try the claims of section 5 by training, too, on the CPU; takes minutes."),
    ] = False,
    json_path: Annotated[
        str | None, typer.Option("--json", metavar="PATH|-", help="Write the report as JSON; - for standard output.")
    ] = None,
) -> None:
    """Judge the paper's claims as printed: by derivation, in exact numbers, in float64, and against minima found by descent.

    Exit code 0 if every claim is decided, every layer agrees, every mutant is refuted and every criterion of training is met; 1 if
    not; 2 for bad usage.
    """
    from derivations.census import ORDER

    if not set(claim or ()) <= set(ORDER):
        _selected(claim)  # says so
    layers = tuple(name.value for name in (layer or LayerName))
    target = writable("--json", json_path)

    from collapse.workers import workers

    try:
        preload = ["collapse.decisions" if layers == (LayerName.SYMBOLIC,) else "collapse.judgement"]
        with workers(len(claim or ORDER) * len(layers), preload) as pool:  # they import while this process does
            claims = _selected(claim)
            from collapse.audit import run_audit, testable
            from collapse.report.json_document import document
            from collapse.report.terminal import LiveTable, print_report

            claims = testable(claims, layers, all_of_them=claim is not None)
            console = console_for(json_path == "-")
            with LiveTable(console, claims, layers) as live:
                report = run_audit(
                    claims, layers=layers, device=device.value, seed=seed, listener=live, pool=pool, training=training
                )
            if json_path != "-" or console.is_terminal:
                print_report(console, report, layers, mutants=mutants, detailed=claim is not None)
            if json_path is not None:
                write("--json", target, as_json(document(report, mutants=mutants)))
    except KeyboardInterrupt:
        interrupted()
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
    refuse_equal({"--json": json_path, "--markdown": markdown_path, "--into": into})
    claims = _selected(claim)
    target, markdown_target = writable("--json", json_path), writable("--markdown", markdown_path)

    from collapse.errata import collect_errata
    from collapse.report.errata import errata_document, inserted, markdown, print_errata
    from collapse.report.progress import ErrataCounter
    from collapse.workers import workers

    text = inserted(read_markdown(into), "") if into is not None else ""
    console = console_for("-" in (json_path, markdown_path))
    try:
        with workers(len(claims), ["collapse.decisions"]) as pool, ErrataCounter(console, claims) as progress:
            found = collect_errata(claims, pool, progress)
    except KeyboardInterrupt:
        interrupted()
    if console.is_terminal or not (json_path or markdown_path or into):
        print_errata(console, found)
    if json_path is not None:
        write("--json", target, as_json(errata_document(found)))
    if markdown_path is not None:
        write("--markdown", markdown_target, markdown(found))
    if into is not None:
        write("--into", Path(into), inserted(text, markdown(found)))
    raise typer.Exit(1 if found.failures() else 0)


@app.command()
def falsify(
    instances: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many descents. Default: 100000.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.0, metavar="M", help="Stop after so many minutes, whatever is left.")
    ] = None,
    device: Annotated[Device, typer.Option(help="Where descent runs.")] = Device.AUTO,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="W", help="Worker processes. Default: one a core, one for a GPU.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Of a Dask cluster that does the work instead.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of instances and starts.")] = 0,
    resume: Annotated[
        Path | None,
        typer.Option(parser=folder, metavar="DIR", help="Keep what is done in this folder; go on from what it holds."),
    ] = None,
    json_path: Annotated[
        str | None, typer.Option("--json", metavar="PATH|-", help="Write the outcome as JSON; - for standard output.")
    ] = None,
) -> None:
    """Try to break the theory: draw instances, hard ones above all, descend from random starts, and look below the closed form.

    Exit code 0 if nothing speaks against the theory and every descent is certified; 1 if not; 2 for bad usage.
    """
    from collapse.report.falsify import AttemptCounter, outcome_document, print_outcome

    if instances is None and minutes is None:
        instances = 100_000
    target = writable("--json", json_path)
    console = console_for(json_path == "-")

    from collapse import falsify as engine
    from collapse.cluster import cluster
    from collapse.workers import started_here
    from derivations.errors import DataError
    from numerics.descent import resolve_device

    if scheduler is not None and workers is not None:
        raise DataError("--workers are processes of this machine, and --scheduler is a cluster's: give one of them.")
    alone = scheduler is None and str(resolve_device(device.value)) == "cuda"
    count = workers or (1 if alone else os.cpu_count() or 1)
    try:
        with (
            cluster(scheduler) if scheduler is not None else started_here(count) as (pool, threads),
            AttemptCounter(console, instances) as counter,
        ):
            outcome = engine.falsify(
                pool, seed=seed, instances=instances, minutes=minutes, device=device.value, workers=threads, directory=resume,
                listener=counter,
            )  # fmt: skip
    except KeyboardInterrupt:
        interrupted(f"interrupted: what is done is kept in {resume}" if resume else "interrupted: nothing was kept")
    if json_path != "-" or console.is_terminal:
        print_outcome(console, outcome, counter.seconds)
    if json_path is not None:
        write("--json", target, as_json(outcome_document(outcome, counter.seconds)))
    raise typer.Exit(0 if outcome.passed else 1)


app.command()(data_commands.predict)
app.command()(data_commands.diagnose)
app.command()(figure_commands.figures)


def _selected(claim: list[str] | None) -> tuple[Claim, ...]:
    from derivations.ledger import selected

    return selected(claim)


def main() -> None:
    """Run the command line; input that cannot be used ends in one line on standard error and exit code 2."""
    from derivations.errors import DataError

    settle()
    try:
        with written_out():
            app()
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    finally:
        gc.freeze()  # a process that ends need not look through all that it has imported for what to free


if __name__ == "__main__":
    main()
