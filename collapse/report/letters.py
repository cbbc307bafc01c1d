"""Plain text as the paper would set it: Greek letters, roots and powers."""

from __future__ import annotations

import re

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "lambda": "λ", "mu": "μ", "rho": "ρ", "sigma": "σ", "phi": "φ", "Lambda": "Λ", "Theta": "Θ", "Sigma": "Σ", "Phi": "Φ",
}  # fmt: skip
_NAME = re.compile(rf"(?<![A-Za-z])({'|'.join(GREEK)})(?![A-Za-z])")
_REWRITTEN = (
    (re.compile(r"\*\*"), "^"),
    (re.compile(r"sqrt\((\w+)\)"), r"√\1"),
    (re.compile(r"\bsqrt\("), "√("),
    (re.compile(r"(?<=\w)\[(\w+)\]"), r"_\1"),
    (re.compile(r"(?<=[\w)\]])\*(?=[\w(√])"), " "),
    (re.compile(r",\)"), ")"),
    (re.compile("<="), "≤"),
    (re.compile(">="), "≥"),
    (re.compile("!="), "≠"),
)


def with_letters(text: str) -> str:
    """Names of Greek letters as letters, `sqrt(beta)*eta_dec` as √β η_dec, `zeta[i]**2` as ζ_i^2, `(5,)` as (5)."""
    text = _NAME.sub(lambda found: GREEK[found.group()], text)
    for pattern, replacement in _REWRITTEN:
        text = pattern.sub(replacement, text)
    return text
