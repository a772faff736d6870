"""Transactions: behaviour, RFM, lifetime value, join with a survey; every kind of bad input."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import roots_genlaguerre, roots_jacobi
from scipy.stats import gamma

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, DataError, NotSupported
from sem_loyalty.loyalty import pymc_engine
from sem_loyalty.loyalty.buying import (
    Histories,
    expected_purchases,
    expected_spend,
    maximum,
    probability_active,
    purchase_likelihood,
    spend_likelihood,
)
from sem_loyalty.survey.published import demo_path, demo_transactions_path, demo_wallet_path

LOG = pd.DataFrame(
    {
        "customer": ["b", "a", "a", "b", "a", "c"],
        "date": ["2024-01-10", "2024-01-01", "2024-01-11", "2024-01-10", "2024-01-31", "2024-01-21"],
        "amount": [10.0, 5.0, 7.0, 2.0, 3.0, 20.0],
    }
)
FITTED = {"r": 1.9, "alpha": 26.0, "a": 4.7, "b": 160.0, "p": 3.7, "q": 12.0, "v": 99.0}


@pytest.fixture(scope="module")
def demo_log() -> pd.DataFrame:
    return pd.read_csv(demo_transactions_path())


def test_behaviour_by_hand():
    found = sl.purchase_behaviour(LOG, category_spend={"a": 30.0, "b": 12.0, "c": 80.0}).customers
    assert found.index.tolist() == ["a", "b", "c"]
    assert found["purchases"].tolist() == [3, 2, 1]
    assert found["purchase_days"].tolist() == [3, 1, 1]
    assert found["recency"].tolist() == [0.0, 21.0, 10.0]
    assert found["since_first"].tolist() == [30.0, 21.0, 10.0]
    assert found["amount"].tolist() == [15.0, 12.0, 20.0]
    assert found.loc["a", "mean_interval"] == 15.0
    assert found.loc["a", "sd_interval"] == pytest.approx(np.std([10, 20], ddof=1))
    assert np.isnan(found.loc["b", "mean_interval"])
    assert found["share_of_wallet"].tolist() == [0.5, 1.0, 0.25]


def test_the_order_of_rows_does_not_matter(demo_log):
    turned = demo_log.sample(frac=1.0, random_state=2)
    pd.testing.assert_frame_equal(sl.rfm(demo_log).scores, sl.rfm(turned).scores)


def test_rfm_scores_by_hand_with_ties():
    log = pd.DataFrame(
        {"customer": list("abcde"), "date": [f"2024-01-0{k}" for k in (1, 2, 2, 4, 5)], "amount": [1, 2, 3, 4, 5]}
    )
    found = sl.rfm(log).scores
    assert found["m"].tolist() == [1, 2, 3, 4, 5]
    # Mean ranks of the two equal days are 2.5: 1 + floor(5 * 2 / 5) = 3 for both.
    assert found["r"].tolist() == [1, 3, 3, 4, 5]
    assert found["f"].tolist() == [3] * 5
    assert found.loc["a", "rfm"] == "131"
    assert found.loc["e", "total"] == 13


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"amount": [10.0, -5.0, 7.0, 2.0, 3.0, 20.0]}, r"1 amounts are negative, the first in row 2 \(-5\)"),
        ({"amount": [10.0, np.nan, 7.0, 2.0, 3.0, 20.0]}, "amounts are missing"),
        (
            {"date": ["2024-01-10", "soon", "2024-01-11", "13/45/2024", "2024-01-31", ""]},
            "3 dates cannot be read: row 2",
        ),
        ({"date": [20240110] * 6}, "are not dates"),
        ({"customer": ["b", None, "a", "b", "a", "c"]}, "without a customer, the first in row 2"),
    ],
)
def test_a_log_that_cannot_be_used(change, message):
    for function in (sl.purchase_behaviour, sl.rfm, sl.lifetime_value):
        with pytest.raises(DataError, match=message):
            function(LOG.assign(**change))


def test_an_empty_log_and_unknown_columns():
    with pytest.raises(DataError, match="empty"):
        sl.rfm(LOG.iloc[:0])
    with pytest.raises(DataError, match="not in the data: 'client'"):
        sl.rfm(LOG, customer="client")
    with pytest.raises(DataError, match="later than as_of"):
        sl.rfm(LOG, as_of="2024-01-15")
    with pytest.raises(ConfigurationError, match="not a date"):
        sl.rfm(LOG, as_of="never")


def test_category_spending_that_cannot_be():
    with pytest.raises(DataError, match="the log does not know: z"):
        sl.purchase_behaviour(LOG, category_spend={"z": 3.0})
    with pytest.raises(DataError, match="less in the category than they spent here, for instance a: 10 < 15"):
        sl.purchase_behaviour(LOG, category_spend={"a": 10.0})


def test_the_demo_log_holds_the_loyalty_that_made_it(demo_log):
    """ln(spending) rises with the answers on loyalty; the slopes of the population are positive on rate and amount."""
    wallet = pd.read_csv(demo_wallet_path()).set_index("customer")["category_spend"]
    survey = pd.read_csv(demo_path()).replace(99, np.nan).drop(columns="tenure")
    joined = sl.join_behaviour(survey, demo_log, category_spend=wallet)
    assert (joined.matched, joined.survey_only, joined.log_only) == (552, 48, 23)
    loyalty = joined.data[[f"loy{k}" for k in range(1, 6)]].mean(axis=1)
    for column in ("log_amount", "log_purchases", "share_of_wallet"):
        assert joined.data[column].corr(loyalty) > 0.2, column
    assert joined.data["share_of_wallet"].dropna().between(0, 1).all()


def test_join_counts_both_sides_and_says_what_becomes_of_the_absent():
    survey = pd.DataFrame({"id": ["a", "b", "q"], "sat": [5, 6, 7]}, index=[10, 11, 12])
    found = sl.join_behaviour(survey, LOG)
    assert (found.matched, found.unmatched_survey, found.unmatched_log) == (2, ("q",), ("c",))
    assert found.data.index.tolist() == [10, 11, 12]
    assert np.isnan(found.data.loc[12, "amount"])
    assert found.data.loc[10, "log_amount"] == pytest.approx(np.log(16.0))
    zero = sl.join_behaviour(survey, LOG, absent="zero").data
    assert zero.loc[12, ["purchases", "amount", "log_amount"]].tolist() == [0.0, 0.0, 0.0]
    assert np.isnan(zero.loc[12, "recency"])
    assert len(sl.join_behaviour(survey, LOG, absent="drop").data) == 2


def test_whole_numbers_match_whatever_their_type():
    survey = pd.DataFrame({"id": [1.0, 2.0]})
    log = LOG.assign(customer=["1", "1", "2", "2", "2", "3"])
    assert sl.join_behaviour(survey, log).matched == 2


@pytest.mark.parametrize(
    ("survey", "message"),
    [
        (pd.DataFrame({"id": ["a", "a", "b"]}), "1 identifiers stand in more than one row of the survey: a"),
        (pd.DataFrame({"id": ["a", None]}), "without an identifier, the first in row 2"),
        (pd.DataFrame({"id": ["x", "y"]}), "No respondent is in the log"),
    ],
)
def test_a_survey_that_cannot_be_joined(survey, message):
    with pytest.raises(DataError, match=message):
        sl.join_behaviour(survey, LOG)


def test_columns_that_clash_are_named():
    with pytest.raises(ConfigurationError, match="columns called amount"):
        sl.join_behaviour(pd.DataFrame({"id": ["a"], "amount": [1]}), LOG)


def test_attitude_predicts_behaviour_in_one_model(demo_log):
    survey = sl.apply_codebook(sl.read_survey(demo_path(), codebook=demo_path().with_name("demo_codebook.csv")))
    joined = sl.join_behaviour(survey.drop(columns="tenure"), demo_log, absent="drop")
    fitted = sl.fit("LOY =~ loy1 + loy2 + loy3 + loy4 + loy5\nlog_amount ~ LOY", joined.data)
    assert fitted.certificate.certified
    found = sl.estimates(fitted)
    path = found[(found["op"] == "~")].iloc[0]
    # In the population of the demo the logs of rate and amount rise by .40 + .20 for one SD of loyalty.
    assert path["pvalue"] < 0.001
    assert path["std_all"] > 0.25


def test_the_whole_model_reaches_from_satisfaction_to_spending(demo_log):
    survey = sl.apply_codebook(sl.read_survey(demo_path(), codebook=demo_path().with_name("demo_codebook.csv")))
    joined = sl.join_behaviour(survey.drop(columns="tenure"), demo_log, absent="drop")
    text = f"{sl.load_model('core').text}\nlog_amount ~ loy_amount*LOY\nsat_amount := sat_total*loy_amount\n"
    fitted = sl.fit(text, joined.data, missing="fiml", estimator="MLR")
    assert fitted.certificate.certified
    assert fitted.moments.n > 500
    found = sl.estimates(fitted).set_index("label")
    assert found.loc["loy_amount", "pvalue"] < 0.001
    assert found.loc["loy_amount", "std_all"] > 0.25
    # What satisfaction does to spending goes through loyalty, and is the product of the two.
    total = found.loc["sat_total", "std_all"] * found.loc["loy_amount", "std_all"]
    assert found.loc["sat_amount", "std_all"] == pytest.approx(total, rel=1e-6)
    assert found.loc["sat_amount", "ci_lower"] > 0
    assert sl.fit_measures(fitted)["rmsea_robust"] < 0.06


# -- lifetime value ---------------------------------------------------------------------------------------------------

THETA, ETA = np.log([0.8, 6.0, 0.8, 2.5]), np.log([6.0, 4.0, 15.0])


def one(x, recency, age, spend=0.0):
    return Histories(*(np.array([float(value)]) for value in (x, recency, age, spend)))


@pytest.mark.parametrize(("x", "recency", "age"), [(0, 0, 20), (3, 12, 30), (1, 2, 40)])
def test_the_likelihood_of_purchases_is_the_integral_over_customers(x, recency, age):
    """L(x, t_x, T | λ, p) = (1 − p)^x λ^x e^(−λT) + [x > 0] p (1 − p)^(x−1) λ^x e^(−λ t_x), mixed over λ and p."""
    r, alpha, a, b = np.exp(THETA)
    # Gauss quadrature over Gamma(r, alpha) and Beta(a, b).
    node, weight = roots_genlaguerre(80, r - 1.0)
    rate, mass = node / alpha, weight / weight.sum()
    node, weight = roots_jacobi(80, b - 1.0, a - 1.0)
    p, share = (node[:, None] + 1.0) / 2.0, weight / weight.sum()
    stay = (1 - p) ** x * rate**x * np.exp(-rate * age)
    left = p * (1 - p) ** (x - 1) * rate**x * np.exp(-rate * recency) if x else 0.0
    wanted = float(share @ (stay + left) @ mass)
    assert purchase_likelihood(THETA, one(x, recency, age)) == pytest.approx(np.log(wanted), abs=1e-8)


def test_predictions_agree_with_a_simulation_of_the_model():
    """Customers with the same history, drawn from the population by rejection, behave as the formulas say."""
    generator = np.random.default_rng(5)
    r, alpha, a, b = np.exp(THETA)
    rate, p = generator.gamma(r, 1 / alpha, 400_000), generator.beta(a, b, 400_000)
    x, recency, age, weeks = 2, 10.0, 20.0, 30.0
    stay = (1 - p) ** x * rate**x * np.exp(-rate * age)
    left = p * (1 - p) ** (x - 1) * rate**x * np.exp(-rate * recency)
    weight = stay + left
    active = float((stay).sum() / weight.sum())
    # An active customer with rate λ and p buys (1 − e^(−λ p t))/p times on average.
    later = (1 - np.exp(-rate * p * weeks)) / p
    wanted = float((stay * later).sum() / weight.sum())
    seen = one(x, recency, age)
    assert probability_active(THETA, seen)[0] == pytest.approx(active, abs=0.01)
    assert expected_purchases(THETA, seen, weeks)[0] == pytest.approx(wanted, rel=0.02)


def test_the_likelihood_of_amounts_is_the_integral_over_customers():
    p, q, v = np.exp(ETA)
    x, m = 3, 8.0

    def mixed(rate):
        return gamma.pdf(m, p * x, scale=1 / (rate * x)) * gamma.pdf(rate, q, scale=1 / v)

    wanted, _ = quad(mixed, 0, 30)
    seen = one(x, 1, 2, m)
    assert spend_likelihood(ETA, seen) == pytest.approx(np.log(wanted), abs=1e-6)

    def mean(rate):
        return p / rate * mixed(rate)

    assert expected_spend(ETA, seen)[0] == pytest.approx(quad(mean, 0, 30)[0] / wanted, rel=1e-6)


def simulated(n, generator):
    """Histories of a BG/NBD and Gamma-Gamma population."""
    r, alpha, a, b = np.exp(THETA)
    p, q, v = np.exp(ETA)
    rate, stop, scale = generator.gamma(r, 1 / alpha, n), generator.beta(a, b, n), generator.gamma(q, 1 / v, n)
    age = generator.uniform(30, 100, n)
    x, last, spend = np.zeros(n), np.zeros(n), np.zeros(n)
    for i in range(n):
        now = 0.0
        while True:
            now += generator.exponential(1 / rate[i])
            if now > age[i]:
                break
            x[i], last[i] = x[i] + 1, now
            if generator.random() < stop[i]:
                break
        spend[i] = generator.gamma(p * x[i], 1 / (scale[i] * x[i])) if x[i] else 0.0
    return Histories(x, last, age, spend)


def test_the_maximum_recovers_a_simulated_population():
    seen = simulated(4000, np.random.default_rng(6))
    for likelihood, truth in ((purchase_likelihood, THETA), (spend_likelihood, ETA)):
        found = maximum(lambda theta, f=likelihood: f(theta, seen), truth + 0.3, 4000)
        assert found.regular
        assert found.gradient < 1e-7
        assert np.abs((found.theta - truth) / found.se).max() < 3.0


def test_lifetime_value_from_given_parameters(demo_log):
    found = sl.lifetime_value(demo_log, parameters=FITTED, discount=0.0, margin=0.5)
    frame = found.customers
    assert found.certified
    np.testing.assert_allclose(frame["clv"], 0.5 * frame["purchases"] * frame["purchase_value"], rtol=1e-10)
    assert (
        sl.lifetime_value(demo_log, parameters=FITTED, discount=0.2, margin=0.5).customers["clv"] < frame["clv"]
    ).all()
    assert frame["p_active"].between(0, 1).all()
    assert "the model takes 0" in str(found)


def test_lifetime_value_refuses(demo_log):
    with pytest.raises(ConfigurationError, match="positive numbers r, alpha"):
        sl.lifetime_value(demo_log, parameters={"r": 1.0})
    with pytest.raises(ConfigurationError, match="whole number of weeks"):
        sl.lifetime_value(demo_log, horizon=0)
    with pytest.raises(DataError, match="ten are needed"):
        sl.lifetime_value(LOG)
    marked = sl.lifetime_value(demo_log, parameters={**FITTED, "q": 0.5})
    assert str(marked).startswith("NOT CERTIFIED")


@pytest.mark.skipif(pymc_engine.available(), reason="pymc-marketing is installed")
def test_without_pymc_marketing_the_message_says_what_to_do(demo_log):
    with pytest.raises(NotSupported, match=r"pip install 'sem-loyalty\[clv\]'"):
        sl.lifetime_value(demo_log)


@pytest.mark.slow
@pytest.mark.skipif(not pymc_engine.available(), reason="the extra clv is not installed")
@pytest.mark.filterwarnings("ignore")
def test_pymc_marketing_finds_the_maximum_of_the_likelihood(demo_log):
    seen = simulated(1500, np.random.default_rng(7))
    purchases, spend = pymc_engine.fit_buying(seen)
    for likelihood, found in ((purchase_likelihood, purchases), (spend_likelihood, spend)):
        best = maximum(lambda theta, f=likelihood: f(theta, seen), found, 1500)
        assert best.regular
        # Its own stopping rule leaves it within a hundredth of a standard error or so of the maximum.
        assert np.abs((best.theta - found) / best.se).max() < 0.1
    assert sl.lifetime_value(demo_log).certified
