"""Models of ordinal items with observed covariates, held to lavaan (conditional.x = TRUE)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import DataError, DataWarning, ImproperSolutionWarning, NotSupported, SpecificationError
from sem_loyalty.kernel.conditional_responses import ConditionalModel

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "conditional.json").read_text(encoding="utf-8"))
CASES = REFERENCE["cases"]
ITEMS = REFERENCE["items"]
# lavaan 0.6-14 gives p-values of statistics that are no chi-square; the others repeat measures under another name.
ELSEWHERE = {
    "pvalue", "baseline.pvalue", "rmsea.ci.level", "rmsea.close.h0", "rmsea.notclose.h0", "rmr_nomean",
    "srmr_bentler", "srmr_bentler_nomean", "crmr_nomean", "srmr_mplus", "srmr_mplus_nomean", "cn_05", "cn_01",
    "rmsea.notclose.pvalue.scaled",
}  # fmt: skip


def survey(*, gaps=False):
    return pd.DataFrame(REFERENCE["gaps" if gaps else "data"])


def fitted_as(case, data=None, **changed):
    options = dict(CASES[case]["options"])
    model = options.pop("model")
    data = survey(gaps=options.get("missing") == "pairwise") if data is None else data
    arguments = {name.replace(".", "_"): value for name, value in options.items()} | changed
    return sl.fit(model, data, **({"ordered": [name for name in ITEMS if name in model]} | arguments))


@pytest.fixture(scope="module")
def fits():
    return {case: fitted_as(case) for case in CASES}


def by_name(frame):
    """Return estimates by what they are of; covariances under both orders, definitions by name alone."""
    found = {}
    for _, row in frame.iterrows():
        if row["op"] == ":=":
            found[row["lhs"], ":=", "", 1] = row
            continue
        found[row["lhs"], row["op"], row["rhs"], row["group"]] = row
        if row["op"] == "~~":
            found[row["rhs"], row["op"], row["lhs"], row["group"]] = row
    return found


def key(row):
    return (row["lhs"], ":=", "", 1) if row["op"] == ":=" else (row["lhs"], row["op"], row["rhs"], row["group"])


@pytest.mark.parametrize("case", sorted(CASES))
def test_estimates_errors_and_standardised_values_are_those_of_lavaan(fits, case):
    fitted = fits[case]
    assert fitted.certificate.certified
    frame = sl.estimates(fitted)
    found, expected = by_name(frame), CASES[case]["estimates"]
    assert len(frame) == len(expected)
    # lavaan stops some 1e-6 from the minimum: a few 1e-5 of a residual variance with theta, and of a p-value.
    tolerance = 6e-5 if case.startswith("groups") else 2.5e-5
    for row in expected:
        own = found[key(row)]
        for theirs, ours in (
            ("est", "est"), ("se", "se"), ("pvalue", "pvalue"), ("std.lv", "std_lv"), ("std.all", "std_all"),
        ):  # fmt: skip
            # What is fixed has no error here, and 0 there.
            if row[theirs] is None or (ours == "se" and row["se"] == 0):
                assert not own[ours] > 0
                continue
            scale = max(1.0, abs(row[theirs]))
            assert own[ours] == pytest.approx(row[theirs], abs=tolerance * scale), (row, ours)


@pytest.mark.parametrize("case", sorted(CASES))
def test_fit_measures_are_those_of_lavaan(fits, case):
    found = sl.fit_measures(fits[case])
    compared = 0
    for name, value in CASES[case]["measures"].items():
        if name in ELSEWHERE and not (case.endswith("wls") and "dwls" not in case and name.endswith("pvalue")):
            continue
        # Minima of lavaan are some 1e-7 too high, which ratios of small statistics magnify.
        assert found[name.replace(".", "_")] == pytest.approx(value, rel=1e-5, abs=1e-5), name
        compared += 1
    assert compared > 25
    assert {"srmr", "cfi", "tli", "rmsea"} <= set(CASES[case]["measures"])


def group_by_group(found):
    """Return entries by group: R writes a list where there is one group, and names otherwise."""
    return list(found.values()) if isinstance(found, dict) else found


@pytest.mark.parametrize("case", [case for case in sorted(CASES) if case != "ecsi_uls"])
def test_sample_statistics_are_those_of_lavaan(fits, case):
    fitted = fits[case]
    spreads = group_by_group(CASES[case]["gamma_diagonal"])
    for sample, expected, gamma in zip(
        fitted.moments.ordinal, group_by_group(CASES[case]["sample"]), spreads, strict=True
    ):
        own = [fitted.moments.names.index(name) for name in expected["names"]]
        order = [list(fitted.specification.exogenous).index(name) for name in expected["covariates"]]
        # The optimiser of lavaan ends some 1e-7 from the maximum.
        np.testing.assert_allclose(sample.correlation[np.ix_(own, own)], expected["cov"], atol=5e-7)
        np.testing.assert_allclose(sample.slopes[np.ix_(own, order)], expected["slopes"], atol=5e-7)
        for name, value in expected["th"].items():
            item, number = name.split("|t")
            cuts = sample.thresholds[fitted.moments.names.index(item)]
            assert cuts[int(number) - 1] == pytest.approx(value, abs=5e-7)
        spread = np.sort(np.diagonal(sample.covariance))
        np.testing.assert_allclose(spread, np.sort(gamma), rtol=1e-6)


@pytest.mark.parametrize("case", sorted(CASES))
def test_explained_variance_is_that_of_lavaan(fits, case):
    found = sl.r_squared(fits[case])
    names = list(fits[case].specification.groups)
    for group, expected in enumerate(group_by_group(CASES[case]["r2"])):
        own = found[found["group"] == group + 1] if len(names) > 1 else found
        own = own.set_index("variable")["r2"]
        for name, value in expected.items():
            assert own[name] == pytest.approx(value, abs=3e-5), name


@pytest.mark.parametrize("case", [case for case in sorted(CASES) if not case.startswith("groups")])
def test_errors_of_standardised_values_are_those_of_lavaan(fits, case):
    found = sl.standardised_solution(fits[case]).set_index(["lhs", "op", "rhs"])
    for row in CASES[case]["standard"]:
        if row["op"] in (":=", "~*~") or (row["lhs"], row["op"], row["rhs"]) not in found.index:
            continue
        own = found.loc[(row["lhs"], row["op"], row["rhs"])]
        assert own["est_std"] == pytest.approx(row["est.std"], abs=2.5e-5 * max(1.0, abs(row["est.std"])))
        # lavaan differentiates numerically.
        assert own["se"] == pytest.approx(row["se"], abs=1e-4), row


@pytest.mark.parametrize("case", ["ecsi", "ecsi_theta", "wls", "mixed", "mixed_theta", "outcome", "groups_theta"])
def test_derivatives_match_differences(fits, case):
    fitted = fits[case]
    size = len(fitted.specification.observed) + len(fitted.specification.latent)
    pattern = 0.05 * np.cos(np.arange(len(fitted.theta)))
    theta = fitted.theta + pattern * np.maximum(np.abs(fitted.theta), 0.2)
    step = 1e-5
    unit = np.eye(len(theta)) * step
    for problem in (fitted.discrepancy, fitted.discrepancy.rescaled(np.linspace(0.5, 2.0, size))):
        point = problem.evaluate(theta)
        # Central differences with this step are good to some 1e-9 of the values involved.
        for model, found in zip(problem.models, problem.jacobians(point), strict=True):
            assert isinstance(model, ConditionalModel)
            moved = [(model.predicted(t, model.moments(t)) for t in (theta + u, theta - u)) for u in unit]
            slopes = np.array([np.subtract(*pair) / (2 * step) for pair in moved]).T
            np.testing.assert_allclose(found, slopes, atol=1e-8)
        slope = [(problem.evaluate(theta + u).value - problem.evaluate(theta - u).value) / (2 * step) for u in unit]
        np.testing.assert_allclose(problem.gradient(point), slope, atol=1e-8 * (1 + np.abs(slope).max()))
        curve = np.array(
            [
                (problem.gradient(problem.evaluate(theta + u)) - problem.gradient(problem.evaluate(theta - u)))
                / (4 * step)
                for u in unit
            ]
        )
        np.testing.assert_allclose(problem.hessian(point), curve, atol=1e-8 * np.abs(curve).max())
        squares = sum(
            problem.used * sample.weight * (J.T @ (W[:, None] * J if W.ndim == 1 else W @ J))
            for J, W, sample in zip(problem.jacobians(point), problem.weights, problem.samples, strict=True)
        )
        np.testing.assert_allclose(problem.information(point), squares, atol=1e-10 * np.abs(squares).max())


@pytest.mark.parametrize("case", ["ecsi", "mixed_theta"])
def test_the_unit_and_the_origin_of_a_covariate_change_nothing_but_its_effects(fits, case):
    moved = fitted_as(case, survey().assign(age=lambda data: 10.0 * data["age"] - 180.0))
    assert moved.chisq == pytest.approx(fits[case].chisq, rel=1e-9)
    measured = sl.fit_measures(moved)
    assert measured["chisq_scaled"] == pytest.approx(sl.fit_measures(fits[case])["chisq_scaled"], rel=1e-8)
    own, other = (sl.estimates(one).set_index(["lhs", "op", "rhs"]) for one in (moved, fits[case]))
    for name in own.index:
        if name[2] == "age" and name[1] == "~":
            np.testing.assert_allclose(10.0 * own.loc[name, ["est", "se"]], other.loc[name, ["est", "se"]], rtol=1e-6)
        elif name[1] in ("=~", "~"):
            np.testing.assert_allclose(own.loc[name, ["est", "se"]], other.loc[name, ["est", "se"]], rtol=1e-6)
    np.testing.assert_allclose(
        own.loc[own.index.get_level_values("op") == "~", "std_all"],
        other.loc[other.index.get_level_values("op") == "~", "std_all"],
        atol=1e-8,
    )


def test_the_two_parameterisations_are_one_model(fits):
    assert fits["ecsi_theta"].chisq == pytest.approx(fits["ecsi"].chisq, abs=1e-8)
    own, other = (
        sl.estimates(fits[name]).set_index(["lhs", "op", "rhs"])["std_all"] for name in ("ecsi", "ecsi_theta")
    )
    np.testing.assert_allclose(own, other[own.index], atol=1e-7)


def simulated(n, seed, slopes):
    """Return answers to six items of two constructs that depend on two covariates by `slopes`."""
    rng = np.random.default_rng(seed)
    age, female = rng.normal(45.0, 12.0, n), rng.integers(0, 2, n)
    sat = slopes[0] * age + slopes[1] * female + 0.8 * rng.normal(size=n)
    loy = 0.5 * sat + slopes[2] * age + 0.7 * rng.normal(size=n)
    data = {"age": age, "female": female}
    for name, construct, loading in (
        ("s1", sat, 1.0), ("s2", sat, 0.8), ("s3", sat, 0.9), ("l1", loy, 1.0), ("l2", loy, 1.2), ("l3", loy, 0.9),
    ):  # fmt: skip
        response = loading * construct + 0.6 * rng.normal(size=n)
        data[name] = np.digitize(response, [-1.0, 0.0, 1.1]) if name != "l3" else (response > 0.2).astype(int)
    return data


TWO = "sat =~ s1 + s2 + s3\nloy =~ l1 + l2 + l3\nsat ~ age + female\nloy ~ sat + age + female"


def test_simulated_truth_is_recovered():
    data = simulated(20000, 5, (0.03, 0.5, -0.02))
    fitted = sl.fit(TWO, data, ordered=["s1", "s2", "s3", "l1", "l2", "l3"], parameterization="theta")
    found = sl.estimates(fitted).set_index(["lhs", "op", "rhs"])
    # Responses are divided by the standard deviation of their residual, 0.6.
    expected = {
        ("sat", "~", "age"): 0.03 / 0.6, ("sat", "~", "female"): 0.5 / 0.6, ("loy", "~", "sat"): 0.5,
        ("loy", "~", "age"): -0.02 / 0.6, ("loy", "~", "female"): 0.0, ("sat", "=~", "s2"): 0.8,
        ("loy", "=~", "l2"): 1.2, ("s1", "|", "t3"): 1.1 / 0.6, ("l3", "|", "t1"): 0.2 / 0.6,
    }  # fmt: skip
    for name, value in expected.items():
        row = found.loc[name]
        assert abs(row["est"] - value) < 3.5 * row["se"], name
        assert row["se"] < 0.1


def test_the_example_of_the_documentation_gives_what_it_simulates():
    page = (Path(__file__).parents[2] / "docs" / "fitting.md").read_text(encoding="utf-8")
    code = page.split("### Covariates of ordinal items")[1].split("```python\n")[1].split("```")[0]
    names = {"sl": sl}
    exec(code, names)
    aged = names["aged"]
    assert aged.certificate.certified
    found = sl.estimates(aged).set_index(["lhs", "op", "rhs"])
    # In the units of the first item: responses are divided by the standard deviation that age leaves them.
    for path, value in ((("SAT", "~", "age"), 0.3 * 0.8), (("LOY", "~", "age"), 0.2 * 0.8), (("l3", "~", "age"), 0.0)):
        assert abs(found.loc[path, "est"] - value / 1.3) < 3.5 * found.loc[path, "se"] + 0.05, path


def test_covariates_without_effects_have_slopes_near_zero():
    data = simulated(20000, 3, (0.0, 0.0, 0.0))
    found = sl.estimates(sl.fit(TWO, data, ordered=["s1", "s2", "s3", "l1", "l2", "l3"]))
    slopes = found[(found["op"] == "~") & found["rhs"].isin(["age", "female"])]
    assert len(slopes) == 4
    # One in three thousand would be further away.
    assert (slopes["z"].abs() < 3.5).all()
    assert (slopes["std_all"].abs() < 0.03).all()


def test_all_items_are_ordinal_but_the_covariates_with_ordered_true():
    data = simulated(500, 8, (0.03, 0.5, -0.02))
    whole = sl.fit(TWO, data, ordered=True)
    named = sl.fit(TWO, data, ordered=["s1", "s2", "s3", "l1", "l2", "l3"])
    np.testing.assert_array_equal(whole.theta, named.theta)
    again = sl.fit(whole.specification, data)
    np.testing.assert_array_equal(again.theta, whole.theta)


def test_the_order_of_the_rows_and_of_the_statements_changes_nothing(fits):
    data = survey().sample(frac=1.0, random_state=1)
    turned = "\n".join(reversed(CASES["mixed"]["options"]["model"].split("\n")))
    moved = sl.fit(turned, data, ordered=[name for name in ITEMS if name in turned])
    assert moved.chisq == pytest.approx(fits["mixed"].chisq, rel=1e-8)


def test_rows_without_a_covariate_are_left_out():
    data = survey(gaps=True)
    data.loc[:19, "age"] = np.nan
    with pytest.warns(DataWarning, match="20 of 600 rows were left out, because they lack an answer on a covariate"):
        fitted = fitted_as("pairwise", data)
    assert fitted.moments.n == 580
    assert fitted_as("ecsi", data).moments.n == len(data.dropna(subset=[*ITEMS, "age"]))


@pytest.mark.parametrize(
    ("model", "changes", "error", "message"),
    [
        ("sat =~ s1 + s2 + s3\nsat ~ i1", {"ordered": ["i1"]}, NotSupported, "i1: ordinal items.*as numbers"),
        ("sat =~ s1 + s2\nsat ~ age + twice", {"missing": "pairwise"}, DataError, "age, twice determine each other"),
        ("sat =~ s1 + s2 + i3\nsat ~ tell", {"ordered": ["i3"]}, DataError, "determine answers to i3"),
        ("sat =~ s1 + s2 + s3\nsat ~ same", {}, DataError, "same answer in every row: 'same' = 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(model, changes, error, message):
    data = survey()
    data = data.assign(twice=2 * data["age"] + 1, tell=data["i3"] + (data["age"] > 60), same=1)
    with pytest.raises(error, match=message):
        sl.fit(model, data, **({"ordered": ["s1", "s2"]} | changes))


@pytest.mark.parametrize(
    "more", ["\ns1 ~ age\ns2 ~ age\ns3 ~ age", "\ns1 ~ age\ns2 ~ age\ns3 ~ age\nsat ~ female\ns2 ~~ s3"]
)
def test_effects_on_a_construct_and_on_all_its_items_are_not_identified(more):
    with pytest.raises(SpecificationError, match="not identified"):
        sl.fit("sat =~ s1 + s2 + s3\nsat ~ age" + more, survey(), ordered=True)


def test_an_improper_solution_is_said():
    data = simulated(300, 4, (0.03, 0.5, 0.0))
    data["l3"] = np.digitize(data["l1"] + np.random.default_rng(1).normal(0, 0.3, 300), [0.5, 1.5, 2.5])
    with pytest.warns(ImproperSolutionWarning, match="Negative variance: l1 ~~ l1"):
        fitted = sl.fit(TWO, data, ordered=["s1", "s2", "s3", "l1", "l2", "l3"])
    assert not fitted.certificate.certified


@pytest.mark.parametrize("case", ["ecsi", "groups_theta"])
def test_other_start_values_lead_to_the_same_minimum(fits, case):
    fitted = fits[case]
    assert fitted.certificate.rescaled_difference < 1e-8
    options = dict(CASES[case]["options"])
    text = options["model"].replace("sat ~ p*image", "sat ~ p*image + start(-0.5)*image", 1)
    moved = sl.fit(
        text.replace("i1 + i2", "i1 + start(2.5)*i2"), survey(), ordered=ITEMS,
        **{name.replace(".", "_"): value for name, value in options.items() if name != "model"},
    )  # fmt: skip
    assert moved.chisq == pytest.approx(fitted.chisq, abs=1e-7)
