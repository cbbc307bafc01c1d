"""The command that trains the paper's examples anew, and writes its figures with the numbers behind them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from collapse.output import as_json, console_for, folder, interrupted, writable, write
from derivations.errors import DataError


def figures(
    figure: Annotated[
        list[str] | None, typer.Option(metavar="1|2|3|a1", help="Which; may be repeated. Default: all four.")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Other data: synthetic, digits, mnist, fashion-mnist. Default: the paper's."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A first look in two minutes, shortened.")] = False,
    full: Annotated[bool, typer.Option("--full", help="The paper's sizes on images too: days without a GPU.")] = False,
    hidden: Annotated[int | None, typer.Option(min=1, metavar="D_H", help="Units of each hidden layer.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, metavar="N", help="How many random starts of each model.")] = None,
    warm_up: Annotated[
        bool,
        typer.Option(
            "--warm-up/--no-warm-up",
            help="Let the KL term's weight rise from 0 (synthetic regression), or train as the paper does.",
        ),
    ] = True,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where training runs.")] = "auto",
    output: Annotated[Path, typer.Option(parser=folder, metavar="DIR", help="Where figures and numbers go.")] = Path(
        "figures"
    ),
    resume: Annotated[
        Path | None,
        typer.Option(parser=folder, metavar="DIR", help="Keep checkpoints in this folder; go on from what it holds."),
    ] = None,
) -> None:
    """Train the paper's examples over a grid of betas, hold them beside the linear theory, and draw Figures 1 to 3 and A.1.

    For each figure: figure-N.png, figure-N.csv with a row for each model, figure-N.json with settings, versions and a summary; what
    departs from the default (data, --quick, --full, --no-warm-up, --hidden, --seeds) is in the names too. Without --figure, --data
    draws the figures that suit these data.
    Exit code 2 for bad usage or data.
    """
    from collapse.experiments import FIGURES, Effort, experiments_of, run
    from collapse.report.experiment_plots import blank
    from collapse.report.experiments import as_csv, document, print_sweep
    from collapse.store import claimed
    from numerics.datasets import data_set
    from numerics.descent import resolve_device

    if quick and full:
        raise DataError("--quick and --full exclude each other: give one of them.")
    blank(1, 1)  # so that a missing matplotlib shows before hours of training
    effort = Effort.QUICK if quick else Effort.FULL if full else Effort.DEFAULT
    names = list(dict.fromkeys(figure or (name for name in FIGURES if _fits(FIGURES[name].data, data))))
    asked = {
        name: experiments_of(name, data=data, effort=effort, hidden=hidden, seeds=seeds, warm_up=warm_up)
        for name in names
    }
    place = str(resolve_device(device))
    _make(output)
    other = ("" if data is None else f"-{data}") + ("" if effort is Effort.DEFAULT else f"-{effort}")
    warmed = any(each.data == "synthetic" for experiments in asked.values() for each in experiments)
    other += "-no-warm-up" if warmed and not warm_up else ""
    other += ("" if hidden is None else f"-hidden-{hidden}") + ("" if seeds is None else f"-seeds-{seeds}")
    targets = {
        (name, end): writable("--output", str(output / f"figure-{name}{other}.{end}"))
        for name in names
        for end in ("png", "csv", "json")
    }
    console = console_for(False)
    done: dict[str, Any] = {}
    with claimed(resume), _told(resume):
        for name, experiments in asked.items():
            with _Progress(console, name, len(experiments)) as progress:
                missing = [each for each in experiments if each.name not in done]
                if missing:
                    ended = run(
                        missing, directory=resume, device=place, watched=progress.look, finished=progress.finished
                    )
                    done |= {each.name: sweep for each, sweep in zip(missing, ended, strict=True)}
            sweeps = [done[each.name] for each in experiments]
            console.print(f"\nFigure {name.upper()}", style="bold")
            for experiment, sweep in zip(experiments, sweeps, strict=True):
                print_sweep(console, experiment, sweep)
            write("--output", targets[name, "csv"], as_csv(experiments, sweeps, place))
            write("--output", targets[name, "json"], as_json(document(name, experiments, sweeps, place)))
            _draw(name, experiments, sweeps, data_set, place, targets[name, "png"])
            console.print(f"written: {', '.join(str(targets[name, end]) for end in ('png', 'csv', 'json'))}")


def _fits(usual: str, data: str | None) -> bool:
    """Whether a figure that is usually of these data is worth drawing of the others: a regression for one, images for the other."""
    return data is None or (usual == "synthetic") == (data == "synthetic")


@contextmanager
def _told(resume: Path | None) -> Iterator[None]:
    """An interrupt ends with a line about what is kept."""
    try:
        yield
    except KeyboardInterrupt:
        interrupted(f"interrupted: figures that were written are complete; {_kept(resume)}")


def _kept(resume: Path | None) -> str:
    if resume is None:
        return "without --resume no checkpoint was kept"
    if not any(resume.glob("*.pt")):
        return f"there is no checkpoint in {resume} yet"
    return f"checkpoints are in {resume}, give the same command to go on"


def _draw(name: str, experiments: list[Any], sweeps: list[Any], data_set: Any, device: str, path: Path | None) -> None:
    from collapse.report.experiment_plots import figure_of_curves, figure_of_images

    if name == "3":
        chosen = experiments[0]
        drawn = figure_of_images(chosen, sweeps[0], data_set(chosen.data).first(chosen.samples), device)
    else:
        drawn = figure_of_curves(experiments, sweeps)
    try:
        drawn.savefig(path, dpi=150)
    except OSError as error:
        raise DataError(
            f"--output: cannot write {path}: {error.strerror}. The numbers beside it are complete."
        ) from None


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"--output: cannot make the folder {path}: {error.strerror}. Name another.") from None


class _Progress:
    """A line on a terminal: what is trained in this process, its step, rate and how many members have settled."""

    def __init__(self, console: Any, name: str, total: int) -> None:
        from collapse.report.progress import Counter

        self.counter = Counter(console, f"figure {name}: training", total)

    def __enter__(self) -> _Progress:
        self.counter.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.counter.__exit__(*error)

    def look(self, name: str, look: Any) -> None:
        """How far one has come."""
        text = f"{name}: step {look.steps}, rate {look.rate:g}, {look.settled} of {look.members} settled"
        self.counter.advance(0, text)

    def finished(self, name: str) -> None:
        """One has ended."""
        self.counter.advance(1)
