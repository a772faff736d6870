"""Ordinal items in several groups, the theta parameterisation, and ordinal beside continuous variables, by lavaan."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import DataError, ImproperSolutionWarning
from sem_loyalty.kernel.ordinal_discrepancy import OrdinalDiscrepancy
from sem_loyalty.model.defaults import specify

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "ordinal_groups.json").read_text(encoding="utf-8"))
FITS = REFERENCE["fits"]
# lavaan 0.6-14 computes these otherwise, or not for this estimator: p-values of statistics that are no chi-square;
# measures that repeat others under another name.
ELSEWHERE = {
    "pvalue", "baseline.pvalue", "rmsea.ci.level", "rmsea.close.h0", "rmsea.notclose.h0", "rmr_nomean",
    "srmr_bentler", "srmr_bentler_nomean", "crmr_nomean", "srmr_mplus", "srmr_mplus_nomean", "cn_05", "cn_01",
    "rmsea.notclose.pvalue.scaled", "rmsea.notclose.pvalue.robust",
}  # fmt: skip
# Two dichotomies a construct leave a variance of 72 with a standard error of 241.
FLAT = ("binary",)


def arguments(request):
    found = {key.replace(".", "_"): value for key, value in request.items() if key not in ("model", "conditional.x")}
    for key in ("group_equal", "group_partial"):
        named = found.get(key, [])
        found[key] = [name.replace("lv.", "lv_") for name in ([named] if isinstance(named, str) else named)]
    return found


@pytest.fixture(scope="module")
def survey():
    return pd.DataFrame(REFERENCE["data"])


@pytest.fixture(scope="module")
def holes():
    return pd.DataFrame({name: pd.Series(values) for name, values in REFERENCE["holes"].items()})


@pytest.fixture(scope="module")
def fits(survey, holes):
    return {
        name: sl.fit(
            kept["request"]["model"],
            holes if "missing" in kept["request"] else survey,
            **arguments(kept["request"]),
        )
        for name, kept in FITS.items()
    }


def by_name(frame):
    """Return the rows by parameter; a covariance is found in either order."""
    found = {}
    for row in frame.to_dict("records"):
        found[row["lhs"], row["op"], row["rhs"], row["group"]] = row
        if row["op"] == "~~":
            found[row["rhs"], row["op"], row["lhs"], row["group"]] = row
    return found


@pytest.mark.parametrize("name", sorted(FITS))
def test_estimates_and_errors_are_those_of_lavaan(fits, name):
    fitted, expected = fits[name], FITS[name]
    assert fitted.certificate.certified
    frame = sl.estimates(fitted)
    assert len(frame) == len(expected["estimates"])
    own = by_name(frame)
    standard = by_name(sl.standardised_solution(fitted))
    # lavaan stops some 1e-6 from the minimum; an error of 1e-5 in a standardised value is what that leaves of it.
    tolerance = {"rel": 2e-4} if name in FLAT else {"rel": 2e-5, "abs": 6e-5}
    for row, std_se in zip(expected["estimates"], expected["standard_se"], strict=True):
        key = (row["lhs"], row["op"], row["rhs"], row["group"])
        for theirs, ours in (("est", "est"), ("se", "se"), ("std.lv", "std_lv"), ("std.all", "std_all")):
            assert own[key][ours] == pytest.approx(row[theirs], **tolerance), (key, ours)
        assert standard[key]["se"] == pytest.approx(std_se, abs=1e-5), key


@pytest.mark.parametrize("name", sorted(FITS))
def test_fit_measures_are_those_of_lavaan(fits, name):
    found = sl.fit_measures(fits[name])
    compared = 0
    for measure, value in FITS[name]["measures"].items():
        if measure in ELSEWHERE and not ("WLS" in name.split("_") and measure.endswith("pvalue")):
            continue
        assert found[measure.replace(".", "_")] == pytest.approx(value, rel=1e-5, abs=1e-5), measure
        compared += 1
    assert compared > 25
    robust = {measure for measure in FITS[name]["measures"] if measure.endswith(".robust")}
    assert bool(robust) == bool(np.isfinite(found.get("rmsea_robust", np.nan)))


@pytest.mark.parametrize("name", sorted(FITS))
def test_modification_indices_are_those_of_lavaan(fits, name):
    own = by_name(sl.modification_indices(fits[name]))
    compared = 0
    for row in FITS[name]["modification"]:
        # With theta a scale is no parameter, so there is nothing to free.
        if row["op"] == "~*~" and "theta" in name:
            continue
        found = own[row["lhs"], row["op"], row["rhs"], row["group"]]
        # A score is small beside its parts, so lavaan's distance from the minimum shows.
        assert found["mi"] == pytest.approx(row["mi"], rel=5e-4, abs=5e-4), row
        assert found["epc"] == pytest.approx(row["epc"], rel=5e-4, abs=5e-4), row
        compared += 1
    assert compared >= 6


def test_the_second_group_is_freed_and_held_as_by_lavaan():
    model = "f =~ y1 + y2 + x3\ng =~ y5 + y6 + x7\ng ~ f"
    items = {"y1": 2, "y2": 4, "y5": 2, "y6": 4}
    assert len(REFERENCE["rules"]) == 256
    for rule in REFERENCE["rules"]:
        found = specify(
            model,
            groups=("north", "south"),
            group_equal=tuple(name.replace("lv.", "lv_") for name in rule["equal"]),
            std_lv=rule["std_lv"],
            ordered=items,
            parameterization=rule["parameterization"],
        )
        first = {row.free for row in found.parameters if row.group == 1}
        # lavaan writes one for what follows from the other parameters.
        text = {
            op: "".join(
                ("e" if row.free in first else "F") if row.free >= 0 else f"{1.0 if row.value is None else row.value:g}"
                for row in found.parameters
                if row.group == 2 and row.op == op
            )
            for op in ("=~", "~", "|", "~~", "~*~", "~1")
        }
        assert " ".join(text.values()) == rule["pattern"], rule


@pytest.mark.parametrize(
    "name", ["scalar", "written", "theta_scalar", "mixed", "mixed_theta", "mixed_scalar", "mixed_WLS"]
)
def test_derivatives_match_differences(fits, name):
    fitted = fits[name]
    discrepancy = fitted.discrepancy
    assert isinstance(discrepancy, OrdinalDiscrepancy)
    theta = fitted.theta + 0.05 * np.cos(np.arange(len(fitted.theta)))
    size = len(discrepancy.blocks[0].directed)
    for problem in (discrepancy, discrepancy.rescaled(np.linspace(0.7, 1.5, size))):
        step = 1e-5
        unit = np.eye(len(theta)) * step
        slope = [(problem.evaluate(theta + u).value - problem.evaluate(theta - u).value) / (2 * step) for u in unit]
        point = problem.evaluate(theta)
        # Central differences with this step are good to some 1e-9 of the values involved.
        np.testing.assert_allclose(problem.gradient(point), slope, atol=1e-6 * (1 + abs(point.value)))
        for k, J in enumerate(problem.jacobians(point)):
            ahead, behind = ([problem.residuals(problem.evaluate(theta + s * u))[k] for u in unit] for s in (1, -1))
            moved = (np.array(behind) - np.array(ahead)).T / (2 * step)
            np.testing.assert_allclose(J, moved, atol=1e-7 * (1 + np.abs(moved).max()))
        curve = [
            (problem.gradient(problem.evaluate(theta + u)) - problem.gradient(problem.evaluate(theta - u))) / (4 * step)
            for u in unit
        ]
        np.testing.assert_allclose(problem.hessian(point), curve, rtol=1e-6, atol=1e-6 * np.abs(curve).max())


def test_the_order_of_groups_and_items_does_not_matter(survey, fits):
    once = fits["mixed_groups"]
    turned = sl.fit(
        FITS["mixed_groups"]["request"]["model"].replace("y1 + y2 + x3 + y4", "y1 + x3 + y4 + y2"),
        survey[::-1],
        ordered=["y8", "y6", "y5", "y4", "y2", "y1"],
        group="region",
    )
    assert turned.moments.groups[0].label == "south"
    assert turned.chisq == pytest.approx(once.chisq, rel=1e-9)
    one, two = sl.fit_measures(once), sl.fit_measures(turned)
    assert two["chisq_scaled"] == pytest.approx(one["chisq_scaled"], rel=1e-8)
    here, there = by_name(sl.estimates(once)), by_name(sl.estimates(turned))
    for (lhs, op, rhs, group), row in here.items():
        other = there[lhs, op, rhs, 3 - group]
        assert other["est"] == pytest.approx(row["est"], abs=1e-8)
        assert other["se"] == pytest.approx(row["se"], abs=1e-8)


@pytest.mark.parametrize("parameterization", ["delta", "theta"])
def test_two_groups_alike_are_one(survey, parameterization):
    model = FITS["mixed"]["request"]["model"]
    items = FITS["mixed"]["request"]["ordered"]
    one = sl.fit(model, survey, ordered=items, parameterization=parameterization)
    twice = pd.concat([survey.assign(half="a"), survey.assign(half="b")])
    both = sl.fit(
        model,
        twice,
        ordered=items,
        parameterization=parameterization,
        group="half",
        group_equal=["loadings", "thresholds", "residuals", "lv_variances", "lv_covariances", "regressions", "means"],
    )
    alone = by_name(sl.estimates(one))
    for (lhs, op, rhs, _group), row in by_name(sl.estimates(both)).items():
        assert row["est"] == pytest.approx(alone[lhs, op, rhs, 1]["est"], abs=1e-6)
    n = one.moments.n
    # Each group counts n - 1 respondents.
    assert both.chisq == pytest.approx(2.0 * one.chisq, rel=1e-8)
    assert both.moments.n == 2 * n


def test_delta_and_theta_are_one_model(fits):
    for delta, theta in (("mixed", "mixed_theta"), ("scalar", "theta_scalar"), ("configural", "theta_groups")):
        assert fits[theta].chisq == pytest.approx(fits[delta].chisq, abs=1e-8)
        one, two = (sl.fit_measures(fits[name])["chisq_scaled"] for name in (delta, theta))
        assert two == pytest.approx(one, abs=1e-6)
        here, there = (by_name(sl.estimates(fits[name])) for name in (delta, theta))
        for key, row in here.items():
            if key[1] in ("=~", "~", "~~") and key[0] != key[2]:
                assert there[key]["std_all"] == pytest.approx(row["std_all"], abs=1e-7), key


def test_groups_without_equality_are_fitted_each_by_itself(survey, fits):
    request = FITS["mixed_groups"]["request"]
    both = by_name(sl.estimates(fits["mixed_groups"]))
    for number, label in enumerate(("north", "south"), start=1):
        one = sl.fit(request["model"], survey[survey["region"] == label], ordered=request["ordered"])
        for (lhs, op, rhs, _group), row in by_name(sl.estimates(one)).items():
            assert both[lhs, op, rhs, number]["est"] == pytest.approx(row["est"], abs=1e-8)


def test_a_category_that_a_group_lacks_is_named(survey):
    lacking = survey.copy()
    lacking.loc[(lacking["region"] == "south") & (lacking["y4"] == 5), "y4"] = 4
    with pytest.raises(DataError, match=r"Nobody in group 'south' answered 5 to 'y4'.*Join the category"):
        sl.fit(FITS["configural"]["request"]["model"], lacking, ordered=True, group="region")
    # In one group there is no such category, so nothing is lacking.
    assert sl.fit(FITS["configural"]["request"]["model"], lacking[lacking["region"] == "south"], ordered=True).df == 18


def test_pairwise_deletion_is_listwise_where_nothing_is_missing(survey, fits):
    request = FITS["mixed"]["request"]
    again = sl.fit(request["model"], survey, ordered=request["ordered"], missing="pairwise")
    np.testing.assert_allclose(again.theta, fits["mixed"].theta, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(
        again.moments.ordinal[0].covariance, fits["mixed"].moments.ordinal[0].covariance, rtol=1e-9, atol=1e-12
    )


def test_rows_without_any_answer_are_counted(holes):
    empty = holes.copy()
    empty.loc[[3, 300], ["y2", "y3", "y4", "y5"]] = np.nan
    fitted = sl.fit("f =~ y2 + y3 + y4 + y5", empty, ordered=True, missing="pairwise")
    assert fitted.moments.n_collected == 390
    assert fitted.moments.n < 389
    assert "rows left out (nothing to use); missing answers left out pair by pair" in str(fitted)
    apart = holes.copy()
    apart.loc[: len(apart) // 2, "y2"] = np.nan
    apart.loc[len(apart) // 2 :, "y3"] = np.nan
    with pytest.raises(DataError, match="nobody answered together"):
        sl.fit("f =~ y2 + y3 + y4 + y5", apart, ordered=True, missing="pairwise")


def test_residuals_are_those_of_correlations(fits):
    fitted = fits["scalar"]
    found = sl.residuals(fitted, group=2)
    np.testing.assert_allclose(np.diagonal(found), 0.0, atol=1e-12)
    e = fitted.discrepancy.residuals(fitted.point)[1][fitted.discrepancy.models[1].n_single :]
    np.testing.assert_allclose(found.to_numpy()[np.triu_indices(8, 1)], e, atol=1e-12)


def test_simulated_differences_between_groups_are_found():
    generator = np.random.default_rng(31)
    loadings, cuts = np.array([0.8, 0.7, 0.6, 0.75, 0.7]), [-1.0, 0.2, 1.3]
    frames = []
    for label, mean, sd in (("a", 0.0, 1.0), ("b", 0.5, 1.3)):
        factor = mean + sd * generator.standard_normal((3000, 1))
        noise = generator.standard_normal((3000, 5)) * np.sqrt(1 - loadings**2)
        rows = factor * loadings + noise
        frame = pd.DataFrame(np.digitize(rows, cuts), columns=list("vwxyz"))
        frames.append(frame.assign(z=2.0 + rows[:, 4], where=label))
    fitted = sl.fit(
        "f =~ v + w + x + y + z", pd.concat(frames), ordered=list("vwxy"), group="where", std_lv=True,
        group_equal=["loadings", "thresholds"],
    )  # fmt: skip
    found = by_name(sl.estimates(fitted))
    mean, variance = found["f", "~1", "", 2], found["f", "~~", "f", 2]
    assert abs(mean["est"] - 0.5) < 3 * mean["se"] < 0.2
    assert abs(variance["est"] - 1.69) < 3 * variance["se"] < 0.6
    assert sl.fit_measures(fitted)["pvalue_scaled"] > 0.001


def test_a_negative_residual_variance_is_reported_with_its_group():
    generator = np.random.default_rng(3)
    factor = generator.standard_normal((300, 1))
    responses = factor * [0.99, 0.5, 0.4] + generator.standard_normal((300, 3)) * [0.1, 0.85, 0.9]
    data = pd.DataFrame(np.digitize(responses, [-0.5, 0.7]), columns=["a", "b", "c"])
    data["where"] = np.repeat(["north", "south"], 150)
    with pytest.warns(ImproperSolutionWarning, match="Negative variance in group 'north': a ~~ a"):
        sl.fit("f =~ a + b + c", data, ordered=True, group="where")
