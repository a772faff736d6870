"""One BLAS thread before NumPy loads, and the fixtures that several rooms share."""

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=25)
settings.load_profile("repeatable")

# Reference surveys that are not part of the project; tests that use them are skipped where they are absent.
REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "conformance"

MODEL_Q = """
Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Loyalty =~ CUSL1 + CUSL2 + CUSL3
Value ~ a1*Quality
Satisfaction ~ a2*Quality + b1*Value
Loyalty ~ c1*Satisfaction + c2*Value
indirect := a1*b1*c1
"""


@pytest.fixture(scope="session")
def reference_folder() -> Path:
    if not REFERENCE.is_dir():
        pytest.skip("the reference surveys are not on this machine")
    return REFERENCE


@pytest.fixture(scope="session")
def mobi(reference_folder: Path) -> pd.DataFrame:
    return pd.read_csv(reference_folder / "data" / "mobi.csv")


@pytest.fixture(scope="session")
def chain() -> pd.DataFrame:
    """300 answers to nine items of three constructs, A -> B -> C, with standardised paths .6 and .5."""
    generator = np.random.default_rng(11)
    n = 300
    a = generator.standard_normal(n)
    b = 0.6 * a + 0.8 * generator.standard_normal(n)
    c = 0.5 * b + np.sqrt(0.75) * generator.standard_normal(n)
    columns = {}
    for name, factor in (("a", a), ("b", b), ("c", c)):
        for k, loading in enumerate((0.8, 0.7, 0.75), start=1):
            columns[f"{name}{k}"] = loading * factor + np.sqrt(1 - loading**2) * generator.standard_normal(n)
    return pd.DataFrame(columns)


@pytest.fixture(scope="session")
def halo() -> pd.DataFrame:
    """400 answers to nine items of three constructs that one second-order factor explains."""
    generator = np.random.default_rng(12)
    general = generator.standard_normal(400)
    columns = {}
    for name, weight in (("a", 0.8), ("b", 0.7), ("c", 0.6)):
        factor = weight * general + np.sqrt(1 - weight**2) * generator.standard_normal(400)
        for k, loading in enumerate((0.8, 0.7, 0.75), start=1):
            columns[f"{name}{k}"] = loading * factor + np.sqrt(1 - loading**2) * generator.standard_normal(400)
    return pd.DataFrame(columns)


CHAIN = """
A =~ a1 + a2 + a3
B =~ b1 + b2 + b3
C =~ c1 + c2 + c3
B ~ x*A
C ~ y*B
xy := x*y
"""


@pytest.fixture(scope="session")
def chain_model() -> str:
    return CHAIN


@pytest.fixture(scope="session")
def model_q() -> str:
    return MODEL_Q
