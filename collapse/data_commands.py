"""The commands about a person's own data: what they take, and how it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from collapse.output import as_json, console_for, interrupted, refuse_equal, writable, write
from derivations.errors import DataError


def _list_losses(loss: str | None) -> str | None:
    """Show the losses and stop where that is asked, whatever else is given or missing."""
    if loss != "list":
        return loss
    from collapse.loss_option import describe

    for line in describe():
        typer.echo(line)
    raise typer.Exit(0)


Loss = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|PARTS",
        callback=_list_losses,
        is_eager=True,
        help="Whose loss it is, or its parts; `list` shows all, without DATA. Default: the theory's.",
    ),
]


def predict(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A file (.npy, .npz, .csv, .parquet, .zarr; one sample a row) or a name: digits, mnist, fashion-mnist, iris, "
            "wine, breast-cancer, diabetes.",
        ),
    ],
    target: Annotated[
        str | None, typer.Option(metavar="Y", help="What is to be predicted, likewise. Default: the data, as in a VAE.")
    ] = None,
    key: Annotated[str | None, typer.Option(metavar="NAME", help="Of the array in an .npz file.")] = None,
    target_key: Annotated[str | None, typer.Option(metavar="NAME", help="The same for the target.")] = None,
    beta: Annotated[
        float | None, typer.Option(metavar="B", help="Weight of the KL term. Default: 1, or what the loss has.")
    ] = None,
    eta_dec: Annotated[
        float | None, typer.Option(metavar="S", help="The decoder's standard deviation. Default: 1.")
    ] = None,
    eta_enc: Annotated[float, typer.Option(metavar="S", help="The prior's standard deviation.")] = 1.0,
    latents: Annotated[
        int | None, typer.Option(metavar="K", help="How many latents. Default: as many as modes.")
    ] = None,
    loss: Loss = None,
    learn_eta_dec: Annotated[
        bool, typer.Option("--learn-eta-dec", help="The decoder's variance is learned too.")
    ] = False,
    active: Annotated[int | None, typer.Option(metavar="K", help="Find the beta that keeps exactly K modes.")] = None,
    nats: Annotated[float | None, typer.Option(metavar="R", help="Find the beta that spends R nats.")] = None,
    explained: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Find the beta that explains this share of the variance.")
    ] = None,
    centre: Annotated[bool, typer.Option(help="Whether the model has biases, which centre the data.")] = True,
    standardise: Annotated[
        bool, typer.Option("--standardise", help="Divide each feature by its standard deviation first.")
    ] = False,
    modes: Annotated[
        int | None, typer.Option(metavar="K", help="Compute K leading modes only, for many features.")
    ] = None,
    intervals: Annotated[
        str,
        typer.Option(
            metavar="asymptotic|bootstrap|none",
            help="Sampling intervals: for Gaussian data of an autoencoder; by resampling, slower; or none.",
        ),
    ] = "asymptotic",
    show: Annotated[int, typer.Option(min=1, metavar="N", help="Rows of the table.")] = 10,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Of a Dask cluster that reads the data.")
    ] = None,
    json_path: Annotated[
        str | None,
        typer.Option("--json", metavar="PATH|-", help="Write the prediction as JSON; - for standard output."),
    ] = None,
    plot: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Draw spectrum, active units and rate–distortion curve (.png, .pdf, .svg)."),
    ] = None,
) -> None:
    """Say which latents of a linear VAE collapse on your data, at your beta and in your loss convention, and what to change.

    Exact for linear encoder and decoder with Gaussian likelihood; a first guide beyond. Exit code 2 for bad usage or data.
    """
    refuse_equal({"--json": json_path, "--plot": plot}, {"DATA": data, "--target": target})
    document_path, plot_path = writable("--json", json_path), writable("--plot", plot)
    if plot is not None and not plot.lower().endswith((".png", ".pdf", ".svg")):
        raise DataError(f"--plot: {plot} must end in .png, .pdf or .svg.")
    console = console_for(json_path == "-")
    arguments: dict[str, Any] = {
        "key": key, "target_key": target_key, "beta": beta, "eta_dec": eta_dec, "eta_enc": eta_enc, "latents": latents,
        "loss": loss, "learn_eta_dec": learn_eta_dec, "active": active, "nats": nats, "explained": explained, "centre": centre,
        "scale": "standard" if standardise else None, "modes": modes, "intervals": intervals,
    }  # fmt: skip
    from collapse.prediction import predict as predicted
    from collapse.report.prediction import print_prediction

    try:
        with console.status(f"reading {data}") if console.is_terminal else _quietly():
            if scheduler is not None:
                from collapse.cluster import cluster

                with cluster(scheduler) as (pool, _):
                    found = predicted(data, target, **arguments, pool=pool)
            else:
                found = predicted(data, target, **arguments)
    except KeyboardInterrupt:
        interrupted("interrupted: nothing was predicted")
    if json_path != "-" or console.is_terminal:
        print_prediction(console, found, show)
    if json_path is not None:
        write("--json", document_path, as_json(found.document()))
    if plot_path is not None:
        from collapse.report.prediction_plot import draw

        draw(found, Path(plot_path))


def diagnose(
    codes: Annotated[
        Path,
        typer.Argument(
            metavar="CODES", help="An .npz file with the encoder's means and log_variances on the data, (n, latents)."
        ),
    ],
    data: Annotated[str, typer.Argument(metavar="DATA", help="What was encoded, as in predict.")],
    target: Annotated[str | None, typer.Option(metavar="Y", help="What was reconstructed, if not the data.")] = None,
    key: Annotated[str | None, typer.Option(metavar="NAME", help="Of the array in an .npz file.")] = None,
    target_key: Annotated[str | None, typer.Option(metavar="NAME", help="The same for the target.")] = None,
    beta: Annotated[float | None, typer.Option(metavar="B", help="Weight of the KL term that was meant.")] = None,
    eta_dec: Annotated[float | None, typer.Option(metavar="S", help="The decoder's standard deviation.")] = None,
    eta_enc: Annotated[float, typer.Option(metavar="S", help="The prior's standard deviation.")] = 1.0,
    loss: Loss = None,
    centre: Annotated[bool, typer.Option(help="Whether the model has biases.")] = True,
    standardise: Annotated[
        bool, typer.Option("--standardise", help="Features were divided by their standard deviations, as in predict.")
    ] = False,
    json_path: Annotated[
        str | None, typer.Option("--json", metavar="PATH|-", help="Write the diagnosis as JSON; - for standard output.")
    ] = None,
) -> None:
    """Hold a trained VAE against the linear optimum on its data: what it spends, which beta it really had, and what went wrong.

    Exit code 0 if it is as expected, 1 if not, 2 for bad usage or data.
    """
    refuse_equal({"--json": json_path}, {"CODES": codes, "DATA": data, "--target": target})
    document_path = writable("--json", json_path)
    console = console_for(json_path == "-")
    from collapse.diagnosis import diagnose as diagnosed
    from collapse.diagnosis import read_codes
    from collapse.prediction import predict as predicted
    from collapse.reading import open_rows
    from collapse.report.diagnosis import lines

    scale = "standard" if standardise else None
    try:
        means, log_variances = read_codes(codes)
        latents = means.shape[1] if means.ndim == 2 else None
        prediction = predicted(
            data, target, key=key, target_key=target_key, beta=beta, eta_dec=eta_dec, eta_enc=eta_enc, loss=loss, latents=latents,
            centre=centre, scale=scale, intervals="none",
        )  # fmt: skip
        if len(means) != prediction.spectrum.n:
            raise DataError(
                f"{codes} holds codes of {len(means)} samples, and {data} has {prediction.spectrum.n}: encode these, in order."
            )
        decoded = open_rows(data, key) if target is None else open_rows(target, target_key)
        found = diagnosed(
            means, log_variances, prediction.spectrum.zeta_squared, beta_eta_dec_squared=prediction.optimum.level, eta_enc=eta_enc,
            features=prediction.spectrum.outputs, data=decoded, centre=centre, scale=scale,
        )  # fmt: skip
    except KeyboardInterrupt:
        interrupted("interrupted: nothing was diagnosed")
    warning = prediction.translation.warning
    if json_path != "-" or console.is_terminal:
        notes = [f"note: {line}" for line in (*decoded.notes, *([warning] if warning else []))]
        console.print("\n".join([*notes, *lines(found, indicative=prediction.indicative)]))
    if json_path is not None:
        write("--json", document_path, as_json(found.document() | {"indicative": prediction.indicative}))
    raise typer.Exit(0 if found.verdict == "expected" else 1)


def _quietly() -> Any:
    from contextlib import nullcontext

    return nullcontext()
