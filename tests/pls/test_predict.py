from __future__ import annotations

from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, DataError, NotSupported, SpecificationError
from sem_loyalty.kernel.resample import stream

MODEL = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A\nC ~ A + B"
BLOCKS = {"A": [0, 1, 2], "B": [3, 4, 5], "C": [6, 7, 8]}


@pytest.fixture(scope="module")
def fitted(chain: pd.DataFrame) -> sl.Pls:
    return sl.pls(MODEL, chain)


@pytest.mark.parametrize("antecedents", ["earliest", "direct"])
def test_predictions_of_one_fold_by_hand(
    chain: pd.DataFrame, fitted: sl.Pls, oracle: ModuleType, antecedents: str
) -> None:
    found = sl.pls_predict(fitted, folds=5, repeats=1, seed=3, antecedents=antecedents)
    order = stream(3, 0, 0).permutation(300)
    test = order[np.arange(300) % 5 == 2]
    X = chain.to_numpy()
    train = np.delete(X, test, axis=0)
    mean, sd = train.mean(axis=0), train.std(axis=0)
    own = oracle.naive_pls(train, BLOCKS, {"B": ["A"], "C": ["A", "B"]})
    score = {name: ((X[test] - mean) / sd)[:, items] @ own["weights"][name] for name, items in BLOCKS.items()}
    b = own["paths"]["B"][0] * score["A"]
    middle = b if antecedents == "earliest" else score["B"]
    c = own["paths"]["C"] @ np.stack([score["A"], middle])
    loading = np.corrcoef(own["scores"]["C"], train[:, 6])[0, 1]
    expected = X[test, 6] - (mean[6] + sd[6] * loading * c)
    np.testing.assert_allclose(found.errors[0, 0, test, found.items.index("c1")], expected, atol=1e-6)
    known = [0, 1, 2] if antecedents == "earliest" else [0, 1, 2, 3, 4, 5]
    design = np.column_stack([np.ones(len(train)), train[:, known]])
    beta = np.linalg.lstsq(design, train[:, 6], rcond=None)[0]
    linear = X[test, 6] - np.column_stack([np.ones(len(test)), X[np.ix_(test, known)]]) @ beta
    np.testing.assert_allclose(found.errors[1, 0, test, found.items.index("c1")], linear, atol=1e-9)
    np.testing.assert_allclose(found.errors[2, 0, test, found.items.index("c1")], X[test, 6] - mean[6], atol=1e-12)


def test_table_and_verdict(fitted: sl.Pls) -> None:
    found = sl.pls_predict(fitted, repeats=2)
    frame = found.table().set_index("item")
    error = found.errors[:, :, :, 0]
    assert frame.loc["b1", "rmse_pls"] == pytest.approx(np.sqrt((error[0] ** 2).mean(axis=1)).mean())
    assert frame.loc["b1", "mae_lm"] == pytest.approx(np.abs(error[1]).mean())
    assert frame.loc["b1", "q2_predict"] == pytest.approx(1 - (error[0] ** 2).sum() / (error[2] ** 2).sum())
    assert 0 < frame.loc["b1", "q2_predict"] < fitted.r2[1]
    assert found.verdict() in ("medium", "high")
    assert "Predictive power" in str(found)


def test_noise_is_not_predicted() -> None:
    noise = pd.DataFrame(
        np.random.default_rng(3).standard_normal((120, 9)), columns=[f"{c}{k}" for c in "abc" for k in (1, 2, 3)]
    )
    found = sl.pls_predict(sl.pls(MODEL, noise), repeats=3)
    assert (found.table()["q2_predict"] < 0.03).all()


def test_predictions_depend_on_the_seed_alone(fitted: sl.Pls) -> None:
    first, same = (sl.pls_predict(fitted, repeats=2, seed=4) for _ in range(2))
    assert np.array_equal(first.errors, same.errors)
    assert not np.array_equal(first.errors, sl.pls_predict(fitted, repeats=2, seed=5).errors)


def test_cvpat_is_a_paired_test_of_losses(chain: pd.DataFrame, fitted: sl.Pls) -> None:
    found = sl.pls_predict(fitted, repeats=2)
    frame = sl.cvpat(found).set_index(["construct", "against"])
    mine, _, mean = (found.losses()[k].mean(axis=1) for k in range(3))
    expected = ttest_rel(mine, mean)
    assert frame.loc[("", "mean"), "t"] == pytest.approx(expected.statistic)
    assert frame.loc[("", "mean"), "pvalue"] == pytest.approx(expected.pvalue)
    assert frame.loc[("B", "mean"), "difference"] < 0
    rival = sl.pls_predict(sl.pls(MODEL.replace("C ~ A + B", "C ~ A"), chain), repeats=2)
    against = sl.cvpat(found, rival).set_index("construct")
    assert against.loc["B", "loss"] == pytest.approx(frame.loc[("B", "mean"), "loss"])
    with pytest.raises(ConfigurationError, match="seed"):
        sl.cvpat(found, sl.pls_predict(fitted, repeats=2, seed=9))
    with pytest.raises(ConfigurationError, match="one model only"):
        sl.cvpat(found, sl.pls_predict(sl.pls("A =~ a1 + a2\nB =~ b1 + b2\nB ~ A", chain), repeats=2))
    with pytest.raises(ConfigurationError, match="different respondents"):
        sl.cvpat(found, sl.pls_predict(sl.pls(MODEL, chain.iloc[::-1]), repeats=2))


def test_predictions_that_make_no_sense_are_refused(chain: pd.DataFrame, fitted: sl.Pls) -> None:
    with pytest.raises(NotSupported, match="PLSc"):
        sl.pls_predict(sl.pls(MODEL, chain, consistent=True))
    with pytest.raises(ConfigurationError, match="folds=1"):
        sl.pls_predict(fitted, folds=1)
    with pytest.raises(DataError, match="1 of 10 training samples"):
        sl.pls_predict(sl.pls(MODEL, chain.assign(c1=np.where(np.arange(300) == 3, 1.0, 0.0))))
    with pytest.raises(NotSupported, match="respondents"):
        sl.pls_predict(sl.pls(MODEL, sample_cov=chain.cov(), sample_nobs=300))


@pytest.fixture(scope="module")
def rated(chain: pd.DataFrame) -> pd.DataFrame:
    return (chain * 1.2 + 4).round().clip(1, 7)


def test_map_equals_regressions_of_scores_from_0_to_100(rated: pd.DataFrame) -> None:
    fit = sl.pls(MODEL, rated)
    found = sl.pls_ipma(fit, "C", scale=(1, 7), draws=200)
    raw = (rated - 1) / 6 * 100
    weights = fit.outer_model().set_index("item")["weight"] / rated.std(ddof=0)
    score = {}
    for name, own in (("A", ["a1", "a2", "a3"]), ("B", ["b1", "b2", "b3"]), ("C", ["c1", "c2", "c3"])):
        score[name] = (raw[own] * weights[own]).sum(axis=1) / weights[own].sum()
    X = np.column_stack([np.ones(300), score["A"], score["B"]])
    _, a, b = np.linalg.lstsq(X, score["C"], rcond=None)[0]
    through = np.polyfit(score["A"], score["B"], 1)[0]
    frame = found.constructs.set_index("construct")
    assert frame.loc["A", "importance"] == pytest.approx(a + through * b, abs=1e-7)
    assert frame.loc["B", "importance"] == pytest.approx(b, abs=1e-7)
    assert frame.loc["B", "performance"] == pytest.approx(score["B"].mean(), abs=1e-7)
    assert found.performance == pytest.approx(score["C"].mean(), abs=1e-7)
    items = found.items.set_index("item")
    assert items.loc["a1", "performance"] == pytest.approx(raw["a1"].mean())
    assert items.loc[["b1", "b2", "b3"], "importance"].sum() == pytest.approx(b, abs=1e-7)
    for name in ("importance", "performance"):
        assert (frame[f"{name}_lower"] < frame[name]).all()
        assert (frame[name] < frame[f"{name}_upper"]).all()
    assert "Importance and performance for C" in str(found)


def test_maps_that_make_no_sense_are_refused(rated: pd.DataFrame) -> None:
    fit = sl.pls(MODEL, rated)
    with pytest.raises(SpecificationError, match="Nothing acts on A"):
        sl.pls_ipma(fit, "A", scale=(1, 7))
    with pytest.raises(SpecificationError, match="no construct"):
        sl.pls_ipma(fit, "D", scale=(1, 7))
    with pytest.raises(ConfigurationError, match="do not lie on the scale"):
        sl.pls_ipma(fit, "C", scale=(1, 5))
    with pytest.raises(ConfigurationError, match="no entry for a2"):
        sl.pls_ipma(fit, "C", scale={"a1": (1, 7)})
    turned = sl.pls(MODEL, rated.assign(a1=8 - rated["a1"]))
    with pytest.raises(NotSupported, match="Negative weights"):
        sl.pls_ipma(turned, "C", scale=(1, 7))
