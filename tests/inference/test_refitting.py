"""Draws by fitting every resample on its own: ordinal items, missing answers kept, least squares."""

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import NotSupported
from sem_loyalty.inference.intervals import acceleration
from sem_loyalty.inference.jackknife import jackknife_influence
from sem_loyalty.inference.refitting import RefitPlan
from sem_loyalty.inference.uncertainty import answers
from sem_loyalty.kernel.resample import counts, stream

MODEL = "f =~ a + b + c + x*d\ndouble := 2*x"
CUTS = [-np.inf, -0.8, 0.3, 1.1, np.inf]


def survey(n=250):
    generator = np.random.default_rng(17)
    noise = generator.standard_normal((n, 4))
    return pd.DataFrame(generator.standard_normal((n, 1)) + 0.8 * noise, columns=list("abcd"))


def gaps(data):
    return data.where(np.random.default_rng(5).random(data.shape) > 0.1)


CASES = {
    "ordinal": (survey().apply(lambda column: pd.cut(column, CUTS, labels=False)), {"ordered": True}),
    "fiml": (gaps(survey()), {"missing": "fiml", "engine": "kernel"}),
    "fiml in groups": (
        gaps(survey()).assign(g=["u", "v"] * 125),
        {"missing": "fiml", "engine": "kernel", "group": "g", "group_equal": ["loadings"]},
    ),
    "gls": (survey(), {"estimator": "GLS"}),
    "dwls": (survey(), {"estimator": "DWLS"}),
}


@pytest.mark.parametrize("case", CASES)
def test_draws_are_the_fits_of_the_resamples(case):
    data, options = CASES[case]
    fitted = sl.fit(MODEL, data, **options)
    drawn = RefitPlan(fitted, seed=3, lanes=4).draw(0)
    assert drawn.converged.all()
    assert not drawn.single.any()
    se = sl.estimates(fitted)["se"].to_numpy()[: drawn.values.shape[1]]
    for lane in (0, 3):
        parts = []
        for group, rows in enumerate(answers(fitted)):
            weight = counts(stream(3, 0, group), len(rows), 4)[lane].astype(int)
            part = pd.DataFrame(np.repeat(rows, weight, axis=0), columns=list(fitted.specification.observed))
            parts.append(part.assign(g=fitted.moments.groups[group].label))
        again = sl.estimates(sl.fit(MODEL, pd.concat(parts), **options))
        for which, column in enumerate(("est", "std_lv", "std_all")):
            apart = drawn.values[which, :, lane] - again[column].to_numpy()[: len(se)]
            # In standard errors; what has none (a threshold's unit, a fixed loading) agrees in its own unit.
            assert (np.abs(apart) / np.where(se > 0, se, 1.0)).max() < 1e-4


def test_standard_errors_agree_with_theory():
    data, options = CASES["ordinal"]
    fitted = sl.fit(MODEL, data, **options)
    drawn = sl.bootstrap(fitted, 200)
    found, plain = drawn.estimates(), sl.estimates(fitted)
    assert found.attrs["interval"] == "percentile"
    free = plain["se"] > 0
    np.testing.assert_allclose(found["se"][free], plain["se"][free], rtol=0.3)
    defined, loading = found.iloc[-1], found[found["label"] == "x"].iloc[0]
    assert defined["se"] == pytest.approx(2 * loading["se"])
    assert defined["ci_lower"] == pytest.approx(2 * loading["ci_lower"])


def test_the_same_bytes_from_one_process_and_from_two():
    data, options = CASES["fiml"]
    fitted = sl.fit(MODEL, data, **options)
    seen = []
    alone = sl.bootstrap(fitted, 50, seed=6)
    both = sl.bootstrap(fitted, 50, seed=6, workers=2, progress=lambda done, total: seen.append((done, total)))
    assert alone.rows.tobytes() == both.rows.tobytes()
    assert seen == [(0, 50), (20, 50), (40, 50), (50, 50)]
    assert alone.rows.tobytes() != sl.bootstrap(fitted, 50, seed=7).rows.tobytes()


def test_a_resample_without_one_of_the_categories_fails_and_is_counted():
    data = CASES["ordinal"][0].copy()
    data["a"] = data["a"].clip(upper=2)
    data.loc[[4, 80], "a"] = 3  # two respondents: about one resample in seven has neither
    fitted = sl.fit(MODEL, data, ordered=True)
    drawn = sl.bootstrap(fitted, 60)
    codes = answers(fitted)[0]
    lost = 0
    for block in range(3):
        weights = counts(stream(1, block, 0), len(codes), 20)
        lost += int((weights[:, codes[:, 0] == 3].sum(axis=1) == 0).sum())
    assert 0 < lost == drawn.failed
    assert drawn.estimates().attrs["failed"] == lost


def test_what_is_not_available_names_what_is():
    data, options = CASES["gls"]
    fitted = sl.fit(MODEL, data, **options)
    with pytest.raises(NotSupported, match="available for this fit: 'nonparametric'"):
        sl.bootstrap(fitted, 20, kind="bollen-stine")


def test_robust_corrections_have_the_draws_of_maximum_likelihood():
    plain, robust = (sl.bootstrap(sl.fit(MODEL, survey(), estimator=name), 100) for name in ("ML", "MLR"))
    assert plain.rows.tobytes() == robust.rows.tobytes()


def test_the_jackknife_agrees_with_the_infinitesimal_one():
    """Where both are known; they differ by terms of the order 1 / n."""
    fitted = sl.fit(MODEL, survey())
    drawn = sl.bootstrap(fitted, 50)
    known, found = drawn.influence, jackknife_influence(fitted)
    assert found.shape == known.shape
    for exact, near in zip(found, known, strict=True):
        varies = np.abs(near).max(axis=1) > 1e-9
        np.testing.assert_allclose(acceleration(exact)[varies], acceleration(near)[varies], atol=0.005)
        assert np.corrcoef(exact[varies].ravel(), near[varies].ravel())[0, 1] > 0.999


@pytest.mark.parametrize("case", sorted(CASES))
def test_every_fit_has_bca_intervals(case):
    data, options = CASES[case]
    drawn = sl.bootstrap(sl.fit(MODEL, data, **options), 40)
    assert drawn.estimates().attrs["interval"] == "percentile"
    table = drawn.estimates(interval="bca")
    free = table[table["se"] > 0]
    assert (free["ci_lower"] < free["ci_upper"]).all()


def test_without_a_category_there_is_no_jackknife():
    """One respondent alone chose a category: without that one the item has other thresholds."""
    data, options = CASES["ordinal"]
    data = data.copy()
    item = data.columns[0]
    data.loc[data[item] == data[item].max(), item] = data[item].max() - 1
    data.loc[3, item] = data[item].max() + 1
    drawn = sl.bootstrap(sl.fit(MODEL, data, **options), 20)
    with pytest.raises(NotSupported, match=r"without respondent 4 there is none; available here: 'percentile'"):
        drawn.estimates(interval="bca")
