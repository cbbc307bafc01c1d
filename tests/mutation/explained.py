"""Why a change may survive: it is no change of the mathematics. Keyed by module, function and change, as REPORT.md shows them."""

from __future__ import annotations

from explained_numerics import NUMERICS
from explained_numerics_n_z import NUMERICS_N_Z
from explained_theory import THEORY

EXPLAINED: dict[tuple[str, str, str], str] = THEORY | NUMERICS | NUMERICS_N_Z
