"""LAPACK and BLAS of SciPy, imported without what SciPy drags in and nothing here uses.

`scipy.linalg` and `scipy.special` star-import NumPy, and with it `numpy.f2py` and `numpy.testing`, whose import takes
longer than fitting a model. Here they are registered as modules that load when they are first used (the standard
library's `LazyLoader`), which changes nothing else: whoever asks for them gets them.
"""

from __future__ import annotations

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec


def load_when_used(name: str) -> None:
    """Register a submodule that is executed when one of its attributes is first asked for; a loaded one stays."""
    spec = None if name in sys.modules else find_spec(name)
    if spec is None or spec.loader is None:
        return
    spec.loader = LazyLoader(spec.loader)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    parent, _, own = name.rpartition(".")
    setattr(sys.modules[parent], own, module)


for _name in ("numpy.f2py", "numpy.testing"):
    load_when_used(_name)

from scipy.linalg import blas, lapack  # noqa: E402 - after the above, which is for it

__all__ = ["blas", "lapack"]
