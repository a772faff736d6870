from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import NotSupported

MODEL = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A\nC ~ A + B"


@pytest.fixture(scope="module")
def proper(chain: pd.DataFrame) -> sl.MethodComparison:
    return sl.compare_methods(MODEL, chain)


@pytest.fixture(scope="module")
def mobile() -> sl.MethodComparison:
    matrix = sl.load_published("ecsi_mobile")
    return sl.compare_methods("ecsi_mobile", sample_cov=matrix.frame(), sample_nobs=matrix.n)


def test_each_column_is_what_its_method_gives(chain: pd.DataFrame, proper: sl.MethodComparison) -> None:
    own = sl.estimates(sl.fit(MODEL, chain)).query("op == '~'").set_index(["rhs", "lhs"])["std_all"]
    frame = proper.paths.set_index(["cause", "outcome"])
    for arrow in (("A", "B"), ("A", "C"), ("B", "C")):
        assert frame.loc[arrow, "cb"] == pytest.approx(own[arrow], abs=1e-6)
    np.testing.assert_allclose(frame["pls"], sl.pls(MODEL, chain).path_coefficients()["est"])
    np.testing.assert_allclose(frame["plsc"], sl.pls(MODEL, chain, consistent=True).path_coefficients()["est"])
    Z = (chain - chain.mean()) / chain.std()
    sums = {name: Z[[f"{name.lower()}{k}" for k in (1, 2, 3)]].sum(axis=1) for name in "AB"}
    assert frame.loc[("A", "B"), "sums"] == pytest.approx(np.corrcoef(sums["A"], sums["B"])[0, 1])


def test_differences_add_up_and_attenuation_is_the_factor(proper: sl.MethodComparison) -> None:
    frame = proper.paths
    np.testing.assert_allclose(frame["pls"] - frame["cb"], frame["misfit"] + frame["attenuation"])
    pairs = proper.correlations
    np.testing.assert_allclose(pairs["pls"], pairs["plsc"] * pairs["factor"])
    assert frame.set_index(["cause", "outcome"]).loc[("A", "B"), "reason"] == "attenuation"


def test_a_proper_fit_is_what_to_report(proper: sl.MethodComparison) -> None:
    assert not proper.cb_reason
    assert str(proper.advice[0]).startswith("Report covariance-based SEM")
    # Where the model is true the consistent methods agree; composites are attenuated.
    assert proper.paths["misfit"].abs().max() < 0.05
    assert proper.paths["attenuation"][0] < -0.05


def test_the_mobile_survey_leaves_composites_only(mobile: sl.MethodComparison) -> None:
    assert "beyond 1" in mobile.cb_reason
    assert not mobile.consistent.admissible
    assert str(mobile.advice[0]).startswith("The covariance-based solution is not certified")
    assert "between composites" in str(mobile.advice[1])
    assert "Quality and Satisfaction (0.95)" in str(mobile.advice[2])
    heads = [column.head for column in mobile.tables()[0].columns]
    assert "CB-SEM (not certified)" in heads
    assert "PLSc (not admissible)" in heads
    assert "PLS" in heads
    assert str(mobile).startswith("The covariance-based solution is not certified")
    worst = mobile.paths.set_index(["cause", "outcome"]).loc[("Satisfaction", "Loyalty")]
    assert worst["cb"] > 3
    assert worst["reason"] == "no proper solution"


def test_a_model_that_does_not_fit_is_said_first(chain: pd.DataFrame) -> None:
    wrong = "A =~ a1 + a2 + b1\nB =~ b2 + b3 + c1\nC =~ c2 + c3 + a3\nB ~ A\nC ~ B"
    found = sl.compare_methods(wrong, chain)
    text = " ".join(map(str, found.advice))
    assert "does not fit" in text or "not certified" in text


def test_stages_are_refused(halo: pd.DataFrame) -> None:
    with pytest.raises(NotSupported, match="second order"):
        sl.compare_methods("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nG =~ A + B\nC =~ c1 + c2 + c3\nC ~ G", halo)
