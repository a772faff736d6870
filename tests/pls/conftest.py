from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    """Partial least squares by loops over respondents; see `oracle.py`."""
    spec = importlib.util.spec_from_file_location("oracle", Path(__file__).parent / "oracle.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def moderated() -> pd.DataFrame:
    """400 answers: L = .4 S + .2 W - .3 S W + e, three items each."""
    generator = np.random.default_rng(21)
    n = 400
    s = generator.standard_normal(n)
    w = 0.3 * s + np.sqrt(0.91) * generator.standard_normal(n)
    loyal = 0.4 * s + 0.2 * w - 0.3 * s * w + 0.7 * generator.standard_normal(n)
    columns = {}
    for name, factor in (("s", s), ("w", w), ("l", loyal)):
        for k in (1, 2, 3):
            columns[f"{name}{k}"] = 0.9 * factor + 0.4 * generator.standard_normal(n)
    return pd.DataFrame(columns)
