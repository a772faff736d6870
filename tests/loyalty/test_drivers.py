"""Key drivers, importance-performance map and scores on 0 to 100."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, DataError, ImproperSolutionWarning, NotSupported
from sem_loyalty.kernel.ram import implied
from sem_loyalty.loyalty.draws import structures
from sem_loyalty.loyalty.importance import explained, relative_weights, shapley
from sem_loyalty.loyalty.scores import LoyaltyScores

FORK = """
A =~ a1 + a2 + a3
B =~ b1 + b2 + b3
C =~ c1 + c2 + c3
C ~ A + B
"""


@pytest.fixture(scope="module")
def likert(chain):
    """The answers of the chain on a scale from 1 to 7, not rounded, so that models fit alike."""
    return (4 + chain).clip(1, 7)


@pytest.fixture(scope="module")
def fork(likert):
    return sl.fit(FORK, likert)


@pytest.fixture(scope="module")
def drawn(fork):
    return sl.bootstrap(fork, 200)


def correlation(values):
    """A correlation matrix from any numbers, predictors first and the outcome last."""
    L = np.tril(np.asarray(values, dtype=float).reshape(4, 4)) + 1.5 * np.eye(4)
    cov = L @ L.T
    spread = np.sqrt(np.diag(cov))
    return cov / np.outer(spread, spread)


def r2(R, chosen):
    if not chosen:
        return 0.0
    at = list(chosen)
    return float(R[at, -1] @ np.linalg.solve(R[np.ix_(at, at)], R[at, -1]))


numbers = st.lists(st.floats(-1, 1), min_size=16, max_size=16)


@given(numbers)
def test_lmg_is_the_mean_over_orders_of_entry(values):
    R = correlation(values)
    wanted = np.zeros(3)
    for order in permutations(range(3)):
        for position, name in enumerate(order):
            wanted[name] += (r2(R, order[: position + 1]) - r2(R, order[:position])) / 6
    np.testing.assert_allclose(shapley(R[None])[0], wanted, atol=1e-9)


@given(numbers)
def test_both_methods_add_up_to_r2_and_are_not_negative(values):
    R = correlation(values)
    for method in (shapley, relative_weights):
        parts = method(R[None])[0]
        assert parts.sum() == pytest.approx(r2(R, range(3)), abs=1e-8)
        assert (parts > -1e-9).all()


@given(st.floats(-0.8, 0.8), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_with_two_predictors_both_methods_agree_and_have_a_closed_form(r12, r1, r2_):
    R = np.array([[1, r12, r1], [r12, 1, r2_], [r1, r2_, 1.0]])
    full = (r1**2 + r2_**2 - 2 * r1 * r2_ * r12) / (1 - r12**2)
    wanted = [(r1**2 + full - r2_**2) / 2, (r2_**2 + full - r1**2) / 2]
    np.testing.assert_allclose(shapley(R[None])[0], wanted, atol=1e-9)
    np.testing.assert_allclose(relative_weights(R[None])[0], wanted, atol=1e-7)


def test_independent_predictors_keep_their_squared_correlations():
    R = np.eye(4)
    R[:3, 3] = R[3, :3] = 0.5, 0.3, -0.4
    for method in (shapley, relative_weights):
        np.testing.assert_allclose(method(R[None])[0], [0.25, 0.09, 0.16], atol=1e-12)
    assert explained(R[None])[0, 0b101] == pytest.approx(0.25 + 0.16)


def test_drivers_of_a_fit_use_the_correlations_of_its_constructs(fork):
    found = sl.drivers(fork, "C")
    R = sl.model_implied(fork)["cor_lv"].loc[["A", "B", "C"], ["A", "B", "C"]].to_numpy()
    wanted = dict(zip(["A", "B"], shapley(R[None])[0], strict=True))
    assert found.importance["importance"].to_dict() == pytest.approx(wanted)
    shares = sl.r_squared(fork).set_index("variable")["r2"]
    assert found.r2 == pytest.approx(shares["C"], abs=1e-8)
    paths = sl.estimates(fork).query("op == '~'").set_index("rhs")["std_all"]
    assert found.importance["beta"].to_dict() == pytest.approx(paths.to_dict(), abs=1e-7)
    assert found.draws == 0
    assert "No intervals" in str(found)


def test_every_draw_has_the_structure_that_its_parameters_imply(fork, drawn):
    found = structures(fork, drawn)
    for k in (0, 57, 199):
        at = implied(fork.blocks[0], drawn.draws[k])
        np.testing.assert_allclose(found.cov[k + 1], at.total, atol=1e-9)
        np.testing.assert_allclose(found.effects[k + 1], at.total_inverse - np.eye(len(at.total)), atol=1e-9)


def test_the_bootstrap_gives_intervals_and_the_probability_of_being_strongest(fork, drawn):
    found = sl.drivers(fork, "C", bootstrap=drawn)
    frame = found.importance
    assert frame.index[0] == "B"  # A acts through B in the population
    assert (frame["share_lower"] < frame["share"]).all()
    assert (frame["share"] < frame["share_upper"]).all()
    assert frame["p_strongest"].sum() == pytest.approx(1.0)
    assert frame.loc["B", "p_strongest"] > 0.95
    again = sl.drivers(fork, "C", bootstrap=sl.bootstrap(fork, 200))
    pd.testing.assert_frame_equal(again.importance, frame)
    assert found._repr_html_().startswith("<table")


def test_a_null_driver_is_found_to_be_one():
    generator = np.random.default_rng(8)
    x = generator.standard_normal((500, 3))
    data = pd.DataFrame(x, columns=["strong", "weak", "nothing"])
    data["y"] = 0.6 * data["strong"] + 0.2 * data["weak"] + generator.standard_normal(500)
    found = sl.drivers(data, "y", method="weights").importance
    assert found.index.tolist() == ["strong", "weak", "nothing"]
    # In the population R² = .40/1.40 with shares .9, .1 and 0; the SE of a share is about .03 here.
    assert found["share"].tolist() == pytest.approx([0.9, 0.1, 0.0], abs=0.09)
    assert found.loc["strong", "p_strongest"] == 1.0


def test_scores_resample_the_same_whatever_the_order_of_the_antecedents(likert):
    data = pd.DataFrame({"A": likert[["a1", "a2"]].mean(axis=1), "B": likert["b1"], "C": likert["c1"]})
    one = sl.drivers(data, "C", ["A", "B"]).importance
    two = sl.drivers(data, "C", ["B", "A"]).importance
    pd.testing.assert_frame_equal(one, two.loc[one.index], rtol=1e-9)


def test_drivers_refuse(fork, likert, drawn):
    with pytest.raises(ConfigurationError, match=r"'Cc' is not in the model\. Did you mean 'C'"):
        sl.drivers(fork, "Cc")
    with pytest.raises(ConfigurationError, match="0 direct causes"):
        sl.drivers(fork, "A")
    with pytest.raises(ConfigurationError, match="each once"):
        sl.drivers(fork, "C", ["A", "A"])
    other = sl.fit(FORK, likert.iloc[:200])
    with pytest.raises(ConfigurationError, match="belongs to another fit"):
        sl.drivers(other, "C", bootstrap=drawn)
    with pytest.raises(NotSupported, match="bollen-stine"):
        sl.drivers(fork, "C", bootstrap=sl.bootstrap(fork, 50, kind="bollen-stine"))
    with pytest.raises(NotSupported, match="at most 12"):
        sl.drivers(pd.DataFrame(np.eye(20)).add_prefix("x"), "x0")
    twin = likert.assign(twin=likert["a1"] * 2)
    with pytest.raises(DataError, match="determine each other"):
        sl.drivers(twin, "c1", ["a1", "twin"])


@pytest.fixture(scope="module")
def improper():
    """A Heywood case: b1 and b2 correlate more than the model can say without a negative variance."""
    generator = np.random.default_rng(3)
    f = generator.standard_normal((60, 1))
    data = pd.DataFrame(f + 0.9 * generator.standard_normal((60, 6)), columns=[*("a1", "a2", "a3"), "b1", "b2", "b3"])
    data["b2"] = data["b1"] + 0.1 * generator.standard_normal(60)
    data["b3"] = 0.1 * generator.standard_normal(60)
    data["c1"] = f[:, 0] + generator.standard_normal(60)
    with pytest.warns(ImproperSolutionWarning):
        fitted = sl.fit("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nc1 ~ A + B", data + 4)
    assert not fitted.certificate.certified
    return fitted


def test_an_uncertified_fit_is_refused_or_marked(improper):
    with pytest.raises(ConfigurationError, match="not certified, so drivers from it mean nothing"):
        sl.drivers(improper, "c1")
    shares = sl.drivers(improper, "c1", force=True)
    assert str(shares).startswith("NOT CERTIFIED")
    assert repr(shares.importance).startswith("NOT CERTIFIED")
    assert shares.tables()[0].note.startswith("NOT CERTIFIED")
    assert shares.tables()[0].to_csv().startswith("NOT CERTIFIED,")
    with pytest.raises(ConfigurationError, match="not certified, so importance and performance"):
        sl.importance_performance(improper, "B", scale=(0, 9))


def own_weights(fit, construct):
    """Θ⁻¹λ scaled to sum to one, from the printed estimates: the regression weights of congeneric items."""
    table = sl.estimates(fit)
    loadings = table[(table["op"] == "=~") & (table["lhs"] == construct)].set_index("rhs")["est"]
    residual = table[(table["op"] == "~~") & (table["lhs"] == table["rhs"])].set_index("lhs")["est"]
    w = loadings / residual[loadings.index]
    return w / w.sum(), loadings


def test_performance_and_importance_by_hand(fork, likert):
    found = sl.importance_performance(fork, "C", scale=(1, 7))
    unit = {}
    for name in ("A", "B", "C"):
        w, loadings = own_weights(fork, name)
        means = likert[w.index].mean()
        wanted = float((w * (means - 1) / 6 * 100).sum())
        got = found.outcome_performance if name == "C" else found.constructs.loc[name, "performance"]
        assert got == pytest.approx(wanted, abs=1e-6)
        unit[name] = float((w * loadings).sum())
    slopes = sl.estimates(fork).query("op == '~'").set_index("rhs")
    for name in ("A", "B"):
        row = found.constructs.loc[name]
        assert row["effect"] == pytest.approx(slopes.loc[name, "est"], abs=1e-9)
        assert row["effect_std"] == pytest.approx(slopes.loc[name, "std_all"], abs=1e-9)
        assert row["importance"] == pytest.approx(slopes.loc[name, "est"] * unit["C"] / unit[name], abs=1e-6)


def test_the_map_shows_total_effects(likert, chain_model):
    fitted = sl.fit(chain_model, likert)
    found = sl.importance_performance(fitted, "C", scale=(1, 7)).constructs
    defined = sl.estimates(fitted).query("op == ':='").iloc[0]
    assert found.loc["A", "effect"] == pytest.approx(defined["est"])
    assert found.loc["A", "effect_std"] == pytest.approx(defined["std_all"])


def test_the_map_does_not_depend_on_the_coding_of_the_answers(fork, likert):
    coded = likert.copy()
    coded[["a1", "a2", "a3"]] = (likert[["a1", "a2", "a3"]] - 1) * 10
    scale = {name: (0, 60) if name.startswith("a") else (1, 7) for name in coded}
    one = sl.importance_performance(fork, "C", scale=(1, 7)).constructs
    two = sl.importance_performance(sl.fit(FORK, coded), "C", scale=scale).constructs
    columns = ["importance", "effect_std", "performance", "performance_lower"]
    pd.testing.assert_frame_equal(one[columns], two[columns], atol=1e-5, rtol=1e-6)
    assert two.loc["A", "effect"] == pytest.approx(one.loc["A", "effect"] / 10, abs=1e-6)


def test_the_map_has_intervals_from_draws(fork, drawn):
    found = sl.importance_performance(fork, "C", scale=(1, 7), bootstrap=drawn)
    frame = found.constructs
    assert (frame["importance_lower"] < frame["importance"]).all()
    assert (frame["importance"] < frame["importance_upper"]).all()
    assert set(frame["advice"]) <= {"improve first", "keep up", "low priority", "possible overkill"}
    assert found.draws == 200


def test_the_map_refuses(fork, likert):
    with pytest.raises(ConfigurationError, match="'D' is not a construct"):
        sl.importance_performance(fork, "D", scale=(1, 7))
    with pytest.raises(ConfigurationError, match="No construct of the model has an effect on 'A'"):
        sl.importance_performance(fork, "A", scale=(1, 7))
    with pytest.raises(DataError, match="lies outside its scale"):
        sl.importance_performance(fork, "C", scale=(5, 7))
    turned = likert.assign(a3=8 - likert["a3"])
    with pytest.raises(DataError, match="a3 would count negatively"):
        sl.importance_performance(sl.fit(FORK, turned), "C", scale=(1, 7))


def test_scores_run_from_the_least_to_the_most_favourable_answers(fork, likert):
    ends = pd.DataFrame([[1.0] * 9, [7.0] * 9, [4.0] * 9], columns=likert.columns)
    found = sl.loyalty_scores(fork, ends, scale=(1, 7), method="bartlett")
    np.testing.assert_allclose(found.scores.to_numpy(), [[0] * 3, [100] * 3, [50] * 3], atol=1e-9)
    scored = sl.loyalty_scores(fork, likert, scale=(1, 7))
    raw = sl.factor_scores(fork, likert)
    for name in ("A", "B", "C"):
        assert scored.scores[name].corr(raw.scores[name]) == pytest.approx(1.0)
    assert scored.scores.min().min() >= 0
    pd.testing.assert_frame_equal(scored.reliability, raw.reliability)
    assert "Reliability" in str(scored)


def test_scores_by_group_and_missing_answers(chain, likert, chain_model):
    data = likert.assign(g=np.where(np.arange(len(chain)) % 2, "u", "v"))
    fitted = sl.fit(chain_model, data, group="g")
    data.loc[4, "a1"] = np.nan
    found = sl.loyalty_scores(fitted, data, scale=(1, 7), group="g")
    assert found.scores.loc[4].isna().all()
    assert found.scores.drop(index=4).notna().all().all()


def test_an_uncertified_fit_marks_its_scores(improper):
    data = pd.DataFrame(improper.moments.raw[0], columns=list(improper.moments.names))
    doubtful = LoyaltyScores(pd.DataFrame(np.eye(9)[:, :3], columns=list("xyz")), pd.DataFrame(), "regression", False)
    with pytest.raises(ConfigurationError, match="drivers from them mean nothing"):
        sl.drivers(doubtful, "z")
    assert str(sl.drivers(doubtful, "z", force=True, draws=0)).startswith("NOT CERTIFIED")
    with pytest.raises(NotSupported, match="c1: observed variables that are no items"):
        sl.loyalty_scores(improper, data, scale=(-9, 19))
    with pytest.warns(ImproperSolutionWarning):
        fitted = sl.fit("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3", data)
    scores = sl.loyalty_scores(fitted, data, scale=(-9, 19))
    assert str(scores).startswith("NOT CERTIFIED")
    # A frame or a table taken out of the result is marked as well.
    parts = sl.segments(scores, references=10, draws=10)
    for frame in (scores.scores, scores.to_frame()["A"], parts.members, parts.profile):
        assert repr(frame).startswith("NOT CERTIFIED: the fit behind these numbers")
    for table in (*scores.tables(), *parts.tables()):
        assert table.note.startswith("NOT CERTIFIED")
        assert table.to_csv().startswith("NOT CERTIFIED,")


def test_models_of_ordinal_items_have_no_scores(likert):
    data = likert.round()
    fitted = sl.fit("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3", data, ordered=True)
    with pytest.raises(NotSupported, match="ordinal items"):
        sl.loyalty_scores(fitted, data, scale=(1, 7))


def test_intervals_of_performance_count_the_answers_that_there_are(likert):
    data = likert.copy()
    data.loc[:149, "a1"] = np.nan
    fitted = sl.fit(FORK, data, missing="fiml")
    frame = sl.importance_performance(fitted, "C", scale=(1, 7)).constructs
    whole = sl.importance_performance(sl.fit(FORK, likert), "C", scale=(1, 7)).constructs
    wider = (frame["performance_upper"] - frame["performance_lower"]) / (
        whole["performance_upper"] - whole["performance_lower"]
    )
    assert wider["A"] == pytest.approx(2**0.5, abs=0.1)
    assert wider["B"] == pytest.approx(1.0, abs=0.02)
