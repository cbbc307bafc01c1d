"""Test session set-up: array shapes checked at run time, and how hypothesis searches."""

import functools
import os
import sys
import typing

import hypothesis
import jaxtyping

# As the commands do: on some processors MKL rounds by where in memory a matrix lies, unless told not to before its first use.
os.environ.setdefault("MKL_CBWR", "AUTO")

CHECKED_PACKAGES = ("numerics", "collapse")

# The hook reaches only what is imported after it. pytest loads this file before it collects, in each xdist worker too.
too_early = sorted(name for name in sys.modules if name.partition(".")[0] in CHECKED_PACKAGES)
if too_early:
    raise RuntimeError(f"imported before the shape checks were installed, so never checked: {', '.join(too_early)}")
jaxtyping.install_import_hook(CHECKED_PACKAGES, "beartype.beartype")
# Python 3.11 works out a protocol's attributes anew at each check, and there are a million; 3.12 remembers them too.
if sys.version_info < (3, 12):
    typing._get_protocol_attrs = functools.cache(typing._get_protocol_attrs)

# No deadlines: the first call of a lambdified form pays for its derivation. HYPOTHESIS_PROFILE chooses.
hypothesis.settings.register_profile("exploring", deadline=None)
hypothesis.settings.register_profile("reproducible", deadline=None, derandomize=True, database=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "exploring"))
