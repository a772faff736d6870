"""Multiple and logistic regression: against base R, closed forms and simulated truth."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_curve

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.loyalty.classification import auc, brier, calibration, roc
from sem_loyalty.loyalty.design_matrix import separated

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "regression.json").read_text(encoding="utf-8"))
DATA = pd.DataFrame(REFERENCE["data"])
PREDICTORS = REFERENCE["predictors"]


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    generator = np.random.default_rng(9)
    n = 3000
    frame = pd.DataFrame({"SAT": generator.normal(60, 15, n), "VAL": generator.normal(55, 20, n)})
    frame["channel"] = np.where(generator.random(n) < 0.4, "store", "online")
    score = -4 + 0.05 * frame["SAT"] + 0.02 * frame["VAL"] + 0.5 * (frame["channel"] == "store")
    frame["retained"] = (generator.random(n) < 1 / (1 + np.exp(-score))).astype(int)
    spread = np.where(frame["channel"] == "store", 3.0, 0.5)
    frame["spend"] = 10 + 0.2 * frame["SAT"] + 0.1 * frame["VAL"] + spread * generator.standard_normal(n)
    return frame


def test_multiple_regression_agrees_with_r():
    wanted = REFERENCE["multiple"]
    robust = sl.regress(DATA, "Fertility", PREDICTORS)
    plain = sl.regress(DATA, "Fertility", PREDICTORS, errors="model")
    assert robust.coefficients["b"].tolist() == pytest.approx(wanted["b"], rel=1e-9)
    assert robust.coefficients["se"].tolist() == pytest.approx(wanted["hc3"], rel=1e-9)
    assert plain.coefficients["se"].tolist() == pytest.approx(wanted["se"], rel=1e-9)
    assert robust.coefficients["vif"].tolist()[1:] == pytest.approx(wanted["vif"], rel=1e-9)
    for name in ("r2", "adjusted_r2", "sigma"):
        assert robust.measures[name] == pytest.approx(wanted[name], rel=1e-9)


def test_logistic_regression_agrees_with_r():
    wanted = REFERENCE["logistic"]
    robust = sl.logistic(DATA, "high", PREDICTORS)
    plain = sl.logistic(DATA, "high", PREDICTORS, errors="model")
    assert robust.coefficients["b"].tolist() == pytest.approx(wanted["b"], rel=1e-7)
    assert robust.coefficients["se"].tolist() == pytest.approx(wanted["hc3"], rel=1e-6)
    assert plain.coefficients["se"].tolist() == pytest.approx(wanted["se"], rel=1e-6)
    assert robust.measures["lr_chisq"] == pytest.approx(wanted["null_deviance"] - wanted["deviance"], rel=1e-8)
    assert robust.measures["auc"] == pytest.approx(wanted["auc"], abs=1e-12)
    assert robust.measures["brier"] == pytest.approx(wanted["brier"], rel=1e-7)


def test_delongs_error_agrees_with_r():
    y = DATA["high"].to_numpy(dtype=float)
    X = np.column_stack([np.ones(len(DATA)), DATA[PREDICTORS]])
    p = 1 / (1 + np.exp(-X @ REFERENCE["logistic"]["b"]))
    area, se, lower, upper = auc(y, p)
    assert (area, se) == pytest.approx((REFERENCE["logistic"]["auc"], REFERENCE["logistic"]["auc_se"]), rel=1e-9)
    assert lower < area < upper < 1


def test_the_area_is_mann_whitneys_share_with_ties():
    y = np.array([1, 1, 1, 0, 0, 0, 0.0])
    p = np.array([3, 2, 2, 2, 1, 1, 3.0])
    assert auc(y, p)[0] == pytest.approx(mannwhitneyu(p[y == 1], p[y == 0]).statistic / 12)
    false, true, threshold = roc(y, p)
    known = roc_curve(y, p, drop_intermediate=False)
    np.testing.assert_allclose(false, known[0])
    np.testing.assert_allclose(true, known[1])
    assert threshold[-1] == 1
    assert np.trapezoid(true, false) == pytest.approx(auc(y, p)[0])


def test_delongs_interval_covers():
    generator = np.random.default_rng(10)
    truth = 0.760250  # P(N(1, 1) > N(0, 1)) = Phi(1 / sqrt 2)
    covered = 0
    for _ in range(400):
        y = np.repeat([1.0, 0.0], [40, 60])
        _, _, lower, upper = auc(y, generator.standard_normal(100) + y)
        covered += lower <= truth <= upper
    # Binomial error of 400 trials at .95: .011.
    assert covered / 400 == pytest.approx(0.95, abs=0.033)


def test_calibration_by_hand():
    p = np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.8])
    y = np.array([0, 0, 1, 0, 1, 1.0])
    found = calibration(y, p, groups=3)
    assert found.n.tolist() == [2, 2, 2]
    assert found.predicted.tolist() == pytest.approx([0.15, 0.45, 0.75])
    assert found.observed.tolist() == [0.0, 0.5, 1.0]
    wanted = 0.3**2 / (0.3 * 0.85) + 0.1**2 / (0.9 * 0.55) + 0.5**2 / (1.5 * 0.25)
    assert found.chisq == pytest.approx(wanted)
    assert found.df == 1
    assert brier(y, p) == pytest.approx(np.mean([0.01, 0.04, 0.49, 0.36, 0.09, 0.04]))


def test_equal_probabilities_stay_together():
    assert len(calibration(np.tile([0.0, 1.0], 50), np.repeat([0.3, 0.6], 50)).n) == 2


def test_hosmer_and_lemeshow_hold_their_level_under_the_model(customers):
    generator = np.random.default_rng(12)
    rejected = 0
    x = generator.standard_normal(500)
    for _ in range(100):
        y = (generator.random(500) < 1 / (1 + np.exp(-0.3 - x))).astype(int)
        found = sl.logistic(pd.DataFrame({"x": x, "y": y}), "y", ["x"])
        rejected += found.measures["hosmer_lemeshow_pvalue"] < 0.05
    assert rejected <= 12  # 5 expected; 12 or more has probability below .005


def test_a_simulated_population_is_recovered(customers):
    found = sl.logistic(customers, "retained", ["SAT", "VAL", "channel"])
    truth = pd.Series({"(constant)": -4.0, "SAT": 0.05, "VAL": 0.02, "channel: store": 0.5})
    distance = (found.coefficients["b"] - truth) / found.coefficients["se"]
    assert distance.abs().max() < 3
    assert found.references == ("channel: online",)
    assert "Compared with channel: online" in str(found)
    assert found.groups["n"].sum() == 3000
    assert np.abs(found.groups["predicted"] - found.groups["observed"]).max() < 0.08


def test_marginal_effects_agree_with_differences_of_probabilities(customers):
    found = sl.logistic(customers, "retained", ["SAT", "VAL", "channel"], errors="model")
    b = found.coefficients["b"].to_numpy()
    X = np.column_stack([np.ones(3000), customers["SAT"], customers["VAL"], customers["channel"] == "store"]).astype(
        float
    )

    def mean(shift_sat=0.0, store=None):
        Z = X.copy()
        Z[:, 1] += shift_sat
        if store is not None:
            Z[:, 3] = store
        return (1 / (1 + np.exp(-Z @ b))).mean()

    assert found.coefficients.loc["SAT", "ame"] == pytest.approx((mean(1e-4) - mean(-1e-4)) / 2e-4, rel=1e-6)
    assert found.coefficients.loc["channel: store", "ame"] == pytest.approx(mean(store=1.0) - mean(store=0.0))
    from statsmodels.api import Logit

    known = Logit(customers["retained"], X).fit(disp=0).get_margeff(dummy=True)
    np.testing.assert_allclose(found.coefficients["ame"].iloc[1:], known.margeff, rtol=1e-6)
    np.testing.assert_allclose(found.coefficients["ame_se"].iloc[1:], known.margeff_se, rtol=1e-4)


def test_robust_errors_differ_where_variances_do(customers):
    robust = sl.regress(customers, "spend", ["SAT", "VAL", "channel"])
    plain = sl.regress(customers, "spend", ["SAT", "VAL", "channel"], errors="model")
    assert robust.measures["breusch_pagan_pvalue"] < 1e-6
    ratio = robust.coefficients["se"] / plain.coefficients["se"]
    # Of the store mean: sqrt(9 / .4 / n + .25 / .6 / n) against the pooled sqrt(3.75 (1 / .4 + 1 / .6) / n).
    assert ratio["channel: store"] == pytest.approx(
        math.sqrt((9 / 0.4 + 0.25 / 0.6) / (3.75 / 0.4 + 3.75 / 0.6)), abs=0.05
    )
    assert robust.coefficients.loc["SAT", "b"] == pytest.approx(0.2, abs=0.02)
    standard = customers[["SAT", "VAL", "spend"]].apply(lambda x: (x - x.mean()) / x.std())
    beta = sl.regress(standard, "spend", ["SAT", "VAL"]).coefficients["b"]
    assert sl.regress(customers, "spend", ["SAT", "VAL"]).coefficients["beta"].iloc[1:].tolist() == pytest.approx(
        beta.iloc[1:].tolist()
    )


def test_missing_rows_are_counted(customers):
    data = customers.copy()
    data.loc[:9, "SAT"] = np.nan
    data.loc[10:14, "channel"] = None
    found = sl.regress(data, "spend", ["SAT", "channel"])
    assert (found.n, found.n_collected) == (2985, 3000)


def test_separation_is_found_by_a_linear_programme():
    X = np.column_stack([np.ones(6), [1, 2, 3, 4, 5, 6.0]])
    assert separated(np.array([0, 0, 0, 1, 1, 1.0]), X)
    assert separated(np.array([0, 0, 0, 0, 1, 1.0]), np.column_stack([np.ones(6), [1, 2, 2, 2, 2, 3.0]]))  # quasi
    assert not separated(np.array([0, 1, 0, 1, 0, 1.0]), X)


@pytest.mark.parametrize(
    ("function", "change", "predictors", "message"),
    [
        (sl.logistic, {"retained": 2}, ["SAT"], "'retained' is 2 in every complete row"),
        (sl.regress, {"twin": lambda d: 2 * d["SAT"] + 1}, ["SAT", "twin", "VAL"], "determine each other: SAT; twin"),
        (sl.regress, {"flat": 3.0}, ["SAT", "flat"], "do not vary among the complete rows: flat"),
        (sl.logistic, {"known": lambda d: d["retained"] * 2.0}, ["known", "SAT"], "separate 'retained' perfectly"),
        (sl.regress, {"who": lambda d: d.index.map(str)}, ["who"], "has 3000 levels"),
    ],
)
def test_predictors_that_cannot_be_used(customers, function, change, predictors, message):
    outcome = "retained" if function is sl.logistic else "spend"
    with pytest.raises(DataError, match=message):
        function(customers.assign(**change), outcome, predictors)


def test_arguments_that_make_no_sense(customers):
    with pytest.raises(DataError, match="must be 0 or 1; it holds"):
        sl.logistic(customers, "spend", ["SAT"])
    with pytest.raises(ConfigurationError, match="without the outcome"):
        sl.regress(customers, "spend", ["spend"])
    with pytest.raises(ConfigurationError, match="errors='HC9'"):
        sl.regress(customers, "spend", ["SAT"], errors="HC9")
    with pytest.raises(DataError, match="too few for 2 predictors"):
        sl.regress(customers.iloc[:8], "spend", ["SAT", "VAL"])
