"""Differences of chi-square between nested models: against lavaan, and where there is none."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, InferenceWarning, NotSupported

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "difference_tests.json").read_text(encoding="utf-8"))
SURVEYS = {name: pd.DataFrame(columns) for name, columns in REFERENCE["data"].items()}
CASES = [(name, estimator) for name, case in REFERENCE["cases"].items() for estimator in case["tests"]]
METHODS = {
    "default": {},
    "sb2001": {"method": "satorra.bentler.2001"},
    "sb2010": {"method": "satorra.bentler.2010"},
    "delta_shifted": {"method": "satorra.2000"},
    "delta": {"method": "satorra.2000", "scaled_shifted": False},
    "exact_shifted": {"method": "satorra.2000", "a_method": "exact"},
    "exact": {"method": "satorra.2000", "a_method": "exact", "scaled_shifted": False},
}


def pair(name, estimator):
    case = REFERENCE["cases"][name]
    options = {key.replace(".", "_"): value for key, value in case.get("options", {}).items()}
    shared = {"data": SURVEYS[case["data"]], "estimator": estimator, "engine": "kernel"}
    wide = sl.fit(case["wide"], **shared, **options)
    if "equal" in case:
        options["group_equal"] = case["equal"]
    return wide, sl.fit(case["narrow"], **shared, **options)


def refused(name, estimator, method):
    """Whether lavaan computes what has no meaning, and is not followed."""
    if method.startswith("sb") and estimator in ("MLMV", "WLSMV", "ULSMV"):
        return True  # the factor of a scaled and shifted test is not its expected value
    return (name == "gaps" and "delta" in method) or ("exact" in method and name in ("gaps", "scalar"))


@pytest.mark.parametrize(("name", "estimator"), CASES)
@pytest.mark.filterwarnings("ignore::sem_loyalty.errors.ImproperSolutionWarning")
def test_differences_are_those_of_lavaan(name, estimator):
    wide, narrow = pair(name, estimator)
    compared = 0
    for method, there in REFERENCE["cases"][name]["tests"][estimator].items():
        if refused(name, estimator, method):
            with pytest.raises(NotSupported):
                sl.likelihood_ratio_test(wide, narrow, **METHODS[method])
            continue
        if (name, estimator, method) == ("scalar", "MLR", "sb2010"):
            continue  # lavaan keeps latent means at zero there, and so not the moments of the restricted model
        found = sl.likelihood_ratio_test(wide, narrow, **METHODS[method]).iloc[1]
        # lavaan's optimiser stops some 1e-6 from the minimum.
        assert found["chisq_diff"] == pytest.approx(there["chisq_diff"], rel=3e-6), method
        assert found["df_diff"] == pytest.approx(there["df_diff"], rel=1e-6), method
        assert found["pvalue"] == pytest.approx(there["pvalue"], rel=3e-5), method
        compared += 1
    assert compared >= 3


def test_defaults_are_those_of_lavaan():
    names = {
        estimator: sl.likelihood_ratio_test(*pair("plain", estimator)).attrs["method"] for estimator in ("MLM", "MLMV")
    }
    assert names == {"MLM": "satorra.bentler.2001", "MLMV": "satorra.2000"}
    found = sl.likelihood_ratio_test(*pair("plain", "MLM"), method="standard")
    assert found.loc[1, "chisq_diff"] == pytest.approx(found.loc[1, "chisq"] - found.loc[0, "chisq"])


def test_the_order_of_the_items_does_not_matter():
    wide, narrow = pair("plain", "MLM")
    turned = "B =~ b1 + l*b3 + l*b2\nA =~ a1 + k*a3 + k*a2\nA ~~ 0.5*B"
    other = sl.fit(turned, SURVEYS["complete"], estimator="MLM", engine="kernel")
    for options in METHODS.values():
        here, there = (sl.likelihood_ratio_test(wide, fit, **options).loc[1, "chisq_diff"] for fit in (narrow, other))
        assert here == pytest.approx(there, rel=1e-7)


def small_sample():
    generator = np.random.default_rng(30)
    first = generator.standard_normal(40) * np.exp(0.5 * generator.standard_normal(40))
    second = 0.6 * first + 0.8 * generator.standard_normal(40)
    columns = {
        f"a{i}": 0.7 * (first if i < 4 else second) + 0.7 * generator.standard_t(4, 40) for i in range(1, 7)
    }  # fmt: skip
    return pd.DataFrame(columns)


def test_a_negative_difference_is_said_and_2010_has_none():
    data, text = small_sample(), "A =~ a1 + k*a2 + a3\nB =~ a4 + a5 + a6"
    fits = [sl.fit(model, data, estimator="MLM", engine="kernel") for model in (text, text + "\nk == 2")]
    with pytest.warns(InferenceWarning, match=r"factor is -.*satorra.bentler.2010"):
        found = sl.likelihood_ratio_test(*fits)
    assert np.isnan(found.loc[1, "pvalue"])
    assert sl.likelihood_ratio_test(*fits, method="satorra.bentler.2010").loc[1, "chisq_diff"] > 0


def test_models_that_are_not_nested_are_found_out():
    data = SURVEYS["complete"]
    one = sl.fit("A =~ a1 + a2 + a3 + b1\nB =~ b1 + b2 + b3", data, estimator="MLM", engine="kernel")
    other = sl.fit("A =~ a1 + b2 + a3\nB =~ b1 + a2 + b3\nA ~~ 0*B", data, estimator="MLM", engine="kernel")
    with pytest.raises(ConfigurationError, match="not nested"):
        sl.likelihood_ratio_test(one, other, method="satorra.bentler.2010")


def test_what_does_not_go_together_is_refused():
    wide, narrow = pair("plain", "MLM")
    with pytest.raises(ConfigurationError, match="method"):
        sl.likelihood_ratio_test(wide, narrow, method="satorra")
    data = SURVEYS["complete"]
    plain = [sl.fit(REFERENCE["cases"]["plain"][name], data, engine="kernel") for name in ("wide", "narrow")]
    with pytest.raises(NotSupported, match="available: 'standard'"):
        sl.likelihood_ratio_test(*plain, method="satorra.2000")
    with_means = sl.fit(
        REFERENCE["cases"]["plain"]["narrow"], data, estimator="MLM", engine="kernel", meanstructure=True
    )
    with pytest.raises(ConfigurationError, match="mean structure"):
        sl.likelihood_ratio_test(wide, with_means, method="satorra.2000")
