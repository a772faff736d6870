from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.pls_sem.printed import reliability_from_loadings

# Customer Loyalty in the Fitness Club Industry, Global Journal of Management and Business Research: E Marketing 23(1),
# 2023, tables 3 to 5: correlations of composites, loadings and paths, which turn out to be those of PLSc.
NAMES = ["CL", "FMC", "EXP", "PSQ", "CS"]
CORRELATION = pd.DataFrame(
    [
        [1.0, 0.119, -0.085, 0.388, 0.494],
        [0.119, 1.0, 0.502, 0.375, 0.05],
        [-0.085, 0.502, 1.0, 0.3, -0.124],
        [0.388, 0.375, 0.3, 1.0, 0.355],
        [0.494, 0.05, -0.124, 0.355, 1.0],
    ],
    index=NAMES,
    columns=NAMES,
)
LOADINGS = {
    "CL": [0.892, 0.873, 0.878],
    "FMC": [0.839, 0.887, 0.854],
    "EXP": [0.843, 0.818, 0.822, 0.815, 0.8, 0.822],
    "PSQ": [0.85, 0.827, 0.805, 0.816],
    "CS": [0.857, 0.835, 0.823, 0.812, 0.814],
}
PATHS = {
    ("EXP", "PSQ"): 0.126,
    ("EXP", "CS"): -0.325,
    ("PSQ", "CS"): 0.513,
    ("FMC", "EXP"): 0.58,
    ("FMC", "PSQ"): 0.375,
    ("FMC", "CS"): 0.017,
    ("FMC", "CL"): 0.092,
    ("EXP", "CL"): -0.204,
    ("PSQ", "CL"): 0.319,
    ("CS", "CL"): 0.4,
}
MODEL = "EXP ~ FMC\nPSQ ~ EXP + FMC\nCS ~ EXP + PSQ + FMC\nCL ~ FMC + EXP + PSQ + CS"


def test_the_paths_of_the_fitness_clubs_follow_from_the_printed_figures() -> None:
    found = sl.plsc_from_printed(MODEL, CORRELATION, loadings=LOADINGS)
    frame = found.paths.set_index(["cause", "outcome"])
    assert set(frame.index) == set(PATHS)
    for arrow, printed in PATHS.items():
        assert frame.loc[arrow, "est"] == pytest.approx(printed, abs=2e-3)
        # Within what the rounding of figures and result to three digits leaves open.
        assert frame.loc[arrow, "lower"] - 5e-4 <= printed <= frame.loc[arrow, "upper"] + 5e-4
    assert not found.problems
    assert found.r2.set_index("construct").loc["CS", "r2"] == pytest.approx(0.256, abs=2e-3)
    assert found.reliability["CL"] == pytest.approx(0.857, abs=1e-3)  # printed alpha


def test_without_correction_the_printed_paths_are_missed() -> None:
    frame = sl.plsc_from_printed(MODEL, CORRELATION).paths.set_index(["cause", "outcome"])
    assert abs(frame.loc[("PSQ", "CS"), "est"] - 0.513) > 0.05


def test_reliability_of_a_composite_from_its_loadings() -> None:
    factor = np.array([0.8, 0.7, 0.6, 0.9])
    R = np.outer(factor, factor)
    np.fill_diagonal(R, 1.0)
    w = factor / np.sqrt(factor @ R @ factor)
    assert reliability_from_loadings(R @ w) == pytest.approx((w @ factor) ** 2, abs=1e-10)


def test_a_triangle_is_enough_and_reliabilities_are_as_good_as_loadings(chain: pd.DataFrame) -> None:
    text = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A\nC ~ A + B"
    plain, consistent = sl.pls(text, chain), sl.pls(text, chain, consistent=True)
    names = list(plain.model.constructs)
    below = pd.DataFrame(np.where(np.tri(3, dtype=bool), plain.cor, np.nan), index=names, columns=names)
    rho = dict(zip(names, plain.rho_a, strict=True))
    found = sl.plsc_from_printed("B ~ A\nC ~ A + B", below, reliability=rho, digits=6)
    both = found.paths.merge(consistent.path_coefficients(), on=["cause", "outcome"])
    assert len(both) == 3
    np.testing.assert_allclose(both["est_x"], both["est_y"], atol=1e-12)
    assert (found.paths["upper"] - found.paths["lower"]).max() < 1e-5


def test_figures_that_cannot_be_are_refused_or_marked() -> None:
    two = CORRELATION.loc[["CL", "CS"], ["CL", "CS"]]
    assert "beyond 1" in sl.plsc_from_printed("CL ~ CS", two, reliability={"CL": 0.4, "CS": 0.4}).problems[0]
    with pytest.raises(ConfigurationError, match="reliability of CL"):
        sl.plsc_from_printed("CL ~ CS", two, reliability={"CL": 1.2})
    with pytest.raises(ConfigurationError, match="no construct"):
        sl.plsc_from_printed("CL ~ CS", two, reliability={"XX": 0.8})
    with pytest.raises(DataError, match="lack PSQ"):
        sl.plsc_from_printed("CL ~ PSQ", two)
    with pytest.raises(DataError, match="absent"):
        sl.plsc_from_printed("CL ~ CS", two.replace(0.494, np.nan))
    with pytest.raises(DataError, match="two loadings"):
        reliability_from_loadings([0.9])
    with pytest.raises(ConfigurationError, match="digits"):
        sl.plsc_from_printed("CL ~ CS", two, digits=0)
