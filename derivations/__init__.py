"""The theory: printed statements, their derivations from the definitions, and verdicts. SymPy only."""
