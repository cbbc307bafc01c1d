"""Why a change may survive: it is no change of the mathematics. Keyed by module, function and change, as REPORT.md shows them."""

EXPLAINED: dict[tuple[str, str, str], str] = {}
