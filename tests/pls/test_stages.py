from __future__ import annotations

from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, DataError, NotSupported, SpecificationError

SECOND = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nG =~ A + B\nC =~ c1 + c2 + c3\nC ~ G"
INTERACTION = "S =~ s1 + s2 + s3\nW =~ w1 + w2 + w3\nL =~ l1 + l2 + l3\nL ~ S + W + S:W"


def scores(found: dict[str, dict[str, np.ndarray]], *names: str) -> np.ndarray:
    return np.column_stack([found["scores"][name] for name in names])


def test_disjoint_two_stages_by_hand(halo: pd.DataFrame, oracle: ModuleType) -> None:
    X = halo.to_numpy()
    first = oracle.naive_pls(X, {"A": [0, 1, 2], "B": [3, 4, 5], "C": [6, 7, 8]}, {"C": ["A", "B"]})
    stacked = np.column_stack([scores(first, "A", "B"), X[:, 6:]])
    second = oracle.naive_pls(stacked, {"G": [0, 1], "C": [2, 3, 4]}, {"C": ["G"]})
    found = sl.pls(SECOND, halo)
    assert found.first is not None
    np.testing.assert_allclose(found.first.weights, np.concatenate(list(first["weights"].values())), atol=1e-9)
    np.testing.assert_allclose(found.weights, np.concatenate(list(second["weights"].values())), atol=1e-9)
    assert found.path_coefficients().iloc[0].tolist()[:2] == ["G", "C"]
    assert found.path_coefficients()["est"][0] == pytest.approx(second["paths"]["C"][0], abs=1e-9)
    np.testing.assert_allclose(found.scores().to_numpy(), scores(second, "G", "C"), atol=1e-8)


@pytest.mark.parametrize("method", ["repeated", "embedded"])
def test_repeated_indicators_and_the_embedded_stage_by_hand(
    halo: pd.DataFrame, oracle: ModuleType, method: str
) -> None:
    blocks = {"A": [0, 1, 2], "B": [3, 4, 5], "G": [0, 1, 2, 3, 4, 5], "C": [6, 7, 8]}
    first = oracle.naive_pls(halo.to_numpy(), blocks, {"A": ["G"], "B": ["G"], "C": ["G"]})
    found = sl.pls(SECOND, halo, second_order=method)
    table = found.path_coefficients().set_index(["cause", "outcome"])["est"]
    if method == "repeated":
        assert table["G", "C"] == pytest.approx(first["paths"]["C"][0], abs=1e-9)
        assert table["G", "A"] == pytest.approx(first["paths"]["A"][0], abs=1e-9)
    else:
        second = oracle.naive_pls(scores(first, "A", "B", "C"), {"G": [0, 1], "C": [2]}, {"C": ["G"]})
        assert table["G", "C"] == pytest.approx(second["paths"]["C"][0], abs=1e-9)


def test_a_second_order_construct_has_reliability_from_its_dimensions(halo: pd.DataFrame) -> None:
    quality = sl.pls_quality(sl.pls(SECOND, halo))
    frame = quality.reliability.set_index("construct")
    r = quality.fit.correlation[0, 1]
    assert frame.loc["G", "items"] == 2
    assert frame.loc["G", "alpha"] == pytest.approx(2 * r / (1 + r))
    assert quality.fit.first is not None
    assert set(sl.pls_quality(quality.fit.first).reliability["construct"]) == {"A", "B", "C"}


def test_formed_second_order_construct_takes_regression_weights(halo: pd.DataFrame) -> None:
    found = sl.pls(SECOND.replace("G =~", "G <~") + "\nD =~ c1 + c2\nG ~ D", halo.assign(c3=halo["c3"]))
    assert found.outer_model().set_index("construct").loc["G", "mode"].tolist() == ["B", "B"]
    with pytest.raises(NotSupported, match="explain it completely"):
        sl.pls(SECOND.replace("G =~", "G <~") + "\nD =~ c1 + c2\nG ~ D", halo, second_order="repeated")


def test_interaction_in_two_stages_by_hand(moderated: pd.DataFrame, oracle: ModuleType) -> None:
    blocks = {"S": [0, 1, 2], "W": [3, 4, 5], "L": [6, 7, 8]}
    first = oracle.naive_pls(moderated.to_numpy(), blocks, {"L": ["S", "W"]})
    S = scores(first, "S", "W")
    product = S[:, 0] * S[:, 1]
    X = np.column_stack([np.ones(len(S)), S, product])
    beta = np.linalg.lstsq(X, first["scores"]["L"], rcond=None)[0]
    found = sl.pls(INTERACTION, moderated)
    table = found.path_coefficients().set_index("cause")["est"]
    np.testing.assert_allclose(table[["S", "W"]], beta[1:3], atol=1e-9)
    assert table["S:W"] == pytest.approx(beta[3] * product.std(), abs=1e-9)
    slopes = found.slopes().set_index(["cause", "at"])
    assert slopes.loc[("S", 1.0), "slope"] == pytest.approx(beta[1] + beta[3], abs=1e-9)
    assert slopes.loc[("W", -1.0), "slope"] == pytest.approx(beta[2] - beta[3], abs=1e-9)
    residual = first["scores"]["L"] - X @ beta
    assert found.r2[2] == pytest.approx(1 - residual.var(), abs=1e-9)


def test_square_of_a_construct(moderated: pd.DataFrame) -> None:
    found = sl.pls("S =~ s1 + s2 + s3\nL =~ l1 + l2 + l3\nL ~ S + S:S", moderated)
    slopes = found.slopes(at=(0.0, 1.0))
    assert len(slopes) == 2
    assert slopes["slope"][1] - slopes["slope"][0] == pytest.approx(2 * slopes["interaction"][0])
    score = found.scores()
    z = score["S"] ** 2
    np.testing.assert_allclose(score["S:S"], (z - z.mean()) / z.std(ddof=0), atol=1e-9)


def test_product_indicators_are_products_of_standardised_items(moderated: pd.DataFrame, oracle: ModuleType) -> None:
    found = sl.pls(INTERACTION, moderated, interactions="product-indicator")
    Z = oracle.standardise(moderated.to_numpy())
    made = np.column_stack([Z[:, i] * Z[:, j] for i in (0, 1, 2) for j in (3, 4, 5)])
    blocks = {"S": [0, 1, 2], "W": [3, 4, 5], "L": [6, 7, 8], "S:W": list(range(9, 18))}
    expected = oracle.naive_pls(np.column_stack([Z, made]), blocks, {"L": ["S", "W", "S:W"]})
    table = found.path_coefficients().set_index("cause")["est"]
    np.testing.assert_allclose(table[["S", "W", "S:W"]], expected["paths"]["L"], atol=1e-8)
    assert table["S:W"] < 0
    with pytest.raises(NotSupported, match="two-stage"):
        found.slopes()


@pytest.mark.parametrize("text", [SECOND, INTERACTION, SECOND + "\nD =~ c1 + c2\nC ~ D + G:D"])
def test_draws_repeat_all_stages(halo: pd.DataFrame, moderated: pd.DataFrame, text: str) -> None:
    from sem_loyalty.kernel.resample import counts, stream
    from sem_loyalty.pls_sem.resamples import LANES

    data = halo if text.startswith("A") else moderated
    drawn = sl.pls_bootstrap(sl.pls(text, data), 20)
    often = counts(stream(1, 0, 0), len(data), LANES).astype(int)
    refit = sl.pls(text, data.iloc[np.repeat(np.arange(len(data)), often[5])])
    values = drawn.statistics.assign(value=drawn.draws[:, 5])
    np.testing.assert_allclose(values[values["kind"] == "path"]["value"], refit.path_coefficients()["est"], atol=1e-6)
    assert refit.first is not None
    chosen = values[(values["kind"] == "loading") & (values["stage"] == 1)]
    first = refit.first if refit.first.first is None else refit.first.first
    np.testing.assert_allclose(chosen["value"], first.loadings, atol=1e-6)


def test_interaction_of_the_answers_is_found(moderated: pd.DataFrame) -> None:
    frame = sl.pls_bootstrap(sl.pls(INTERACTION, moderated), 300).estimates("interaction")
    assert frame["name"].tolist() == ["S:W -> L"]
    assert frame["ci_upper"][0] < 0


def test_ordered_items_take_polychoric_correlations(chain: pd.DataFrame) -> None:
    text = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A"
    cut = chain.apply(lambda column: np.digitize(column, [-1.0, 0.5, 1.2]))[["a1", "a2", "a3", "b1", "b2", "b3"]]
    found = sl.pls(text, cut, ordered=True, consistent=True)
    continuous = sl.pls(text, chain, consistent=True).paths[1, 0]
    coarse = sl.pls(text, cut, consistent=True)
    assert found.paths[1, 0] == pytest.approx(continuous, abs=0.05)
    assert found.loadings.mean() > coarse.loadings.mean()  # coarse answers attenuate loadings
    drawn = sl.pls_bootstrap(found, 6)
    assert drawn.failed == 0
    assert np.ptp(drawn.draws[0]) > 0
    with pytest.raises(NotSupported, match="numeric"):
        found.scores()


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("S =~ s1 + s2\nW =~ w1 + w2\nL =~ l1 + l2\nL ~ S + S:W", SpecificationError, "add L ~ W"),
        ("S =~ s1 + s2\nL =~ l1 + l2\nL ~ S + S:S:S", NotSupported, "two constructs"),
        (INTERACTION + "\nG =~ S + W\nL ~ G", SpecificationError, "stands in a path"),
        ("S =~ s1 + s2\nG =~ S + w1\nL =~ l1 + l2\nL ~ G", NotSupported, "by items"),
        ("S =~ s1 + s2\nW =~ w1 + w2\nG =~ S + W\nH =~ G\nL =~ l1 + l2\nL ~ H", NotSupported, "two orders"),
    ],
)
def test_stages_that_make_no_sense_are_refused(
    moderated: pd.DataFrame, text: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        sl.pls(text, moderated)


def test_options_that_do_not_go_together_are_refused(halo: pd.DataFrame, moderated: pd.DataFrame) -> None:
    with pytest.raises(NotSupported, match="PLSc"):
        sl.pls(SECOND, halo, consistent=True)
    with pytest.raises(NotSupported, match="PLSc"):
        sl.pls(SECOND, halo, consistent=True, second_order="repeated")
    with pytest.raises(NotSupported, match="numeric answers"):
        sl.pls(INTERACTION, sample_cov=moderated.cov(), sample_nobs=400)
    with pytest.raises(ConfigurationError, match="ordered"):
        sl.pls(SECOND, sample_cov=halo.cov(), sample_nobs=400, ordered=True)
    with pytest.raises(DataError, match="400 values"):
        sl.pls(SECOND, halo, ordered=True)
    with pytest.raises(ConfigurationError, match="second_order"):
        sl.pls(SECOND, halo, second_order="joint")
    with pytest.raises(NotSupported, match="one stage"):
        sl.pls_fit_test(sl.pls(SECOND, halo), 10)
