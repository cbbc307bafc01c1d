"""What constant features do: they have no mode, but wherever features are counted they are counted too."""

from __future__ import annotations

from dataclasses import replace

from collapse.conventions import Convention, effective_water
from numerics.learned_decoder import LearnedDecoder, learned_decoder
from numerics.prediction import Levels
from numerics.spectra import Spectrum

__all__ = ["remarks"]


def remarks(
    spectrum: Spectrum, levels: Levels, convention: Convention, latents: int, learned: LearnedDecoder | None
) -> list[str]:
    """A line on constant inputs of a conditional model, and one on constant features of what is reconstructed.

    Args:
        spectrum: of the data.
        levels: the same, as the theory has it.
        convention: the loss, with its weight and η_dec.
        latents: how many.
        learned: the decoder's variance where it is learned; else None.
    """
    lines = []
    if spectrum.constant and not spectrum.autoencoder:
        lines.append(
            f"{_count(spectrum.constant, spectrum.inputs)} constant, and {_do(spectrum.constant)} nothing as inputs"
        )
    count, outputs = spectrum.constant_outputs, spectrum.outputs
    if not count:
        return lines
    what = "features" if spectrum.autoencoder else "targets"
    start = f"{_count(count, outputs, what)} constant"
    if learned is not None:
        fewer = learned_decoder(replace(levels, outputs=outputs - count), latents, convention.weight)
        lines.append(
            f"{start}: no mode is theirs, but all {outputs} make the learned η_dec² what it is; without them η_dec² would be "
            f"{fewer.variance:.6g}"
        )
    elif convention.reconstruction == "mean":
        fewer_level = effective_water(convention, outputs - count, latents).effective
        lines.append(
            f"{start}: no mode is theirs, but the error is averaged over all {outputs}; without them the same weight would mean "
            f"β η_dec² = {fewer_level:.6g}"
        )
    else:
        lines.append(f"{start}: no mode is theirs, and where errors are summed they change nothing")
    return lines


def _count(count: int, whole: int, what: str = "features") -> str:
    return f"{count} of {whole} {what} {'is' if count == 1 else 'are'}"


def _do(count: int) -> str:
    return "does" if count == 1 else "do"
