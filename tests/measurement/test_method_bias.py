"""Checks of common method bias on simulated answers whose bias is known."""

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, ImproperSolutionWarning, NotSupported, SpecificationError

MODEL = "S =~ s1 + s2 + s3\nT =~ t1 + t2 + t3\nV =~ v1 + v2 + v3\nT ~ S\nV ~ T + S"
MARKER = ["k1", "k2", "k3"]


def survey(method, seed=2, n=900):
    """Answers of three constructs and a marker; every item holds `method` times one common style of answering."""
    rng = np.random.default_rng(seed)
    s = rng.normal(size=n)
    t = 0.5 * s + rng.normal(size=n)
    v = 0.4 * t + 0.2 * s + rng.normal(size=n)
    style = rng.normal(size=n)
    constructs = {"s": s, "t": t, "v": v, "k": rng.normal(size=n)}
    return pd.DataFrame(
        {f"{k}{i}": x + method * style + rng.normal(size=n) for k, x in constructs.items() for i in (1, 2, 3)}
    )


@pytest.fixture(scope="module")
def clean():
    data = survey(0.0)
    return data, sl.fit(MODEL, data, engine="kernel")


@pytest.fixture(scope="module")
def biased():
    data = survey(0.8)
    return data, sl.fit(MODEL, data, engine="kernel")


def test_a_marker_finds_the_bias_that_is_there_and_none_where_it_is_not(clean, biased):
    data, fit = biased
    found = sl.method_bias(fit, marker=MARKER, data=data)
    models = found.models.set_index("model")
    assert models.loc["marker: Method-C", "pvalue"] < 0.001
    assert "it influences the items" in " ".join(found.statements)
    data, fit = clean
    found = sl.method_bias(fit, marker=MARKER, data=data)
    assert found.models.set_index("model").loc["marker: Method-C", "pvalue"] > 0.05
    assert "no influence on the items" in " ".join(found.statements)


def test_correlations_come_down_towards_the_truth(biased):
    data, fit = biased
    found = sl.method_bias(fit, marker=MARKER, data=data).correlations.set_index(["first", "second"])
    truth = 0.5 / np.sqrt(1.25)
    row = found.loc[("S", "T")]
    assert row["correlation"] > truth + 0.1
    assert abs(row["with_marker"] - truth) < abs(row["correlation"] - truth)
    assert abs(row["partial"] - truth) < abs(row["correlation"] - truth)


def test_degrees_of_freedom_of_the_sequence(clean):
    data, fit = clean
    models = sl.method_bias(fit, marker=MARKER, data=data).models.set_index("model")
    df = models["df"]
    assert df["constructs"] == 24
    assert df["single factor"] == 27
    assert df["constructs and method factor"] == 23
    # Baseline fixes 2 loadings, 3 residual variances and a variance of the marker, and 3 of its covariances.
    assert df["marker: Baseline"] == df["marker: CFA"] + 9
    assert df["marker: Method-C"] == df["marker: Baseline"] - 1
    assert df["marker: Method-U"] == df["marker: Baseline"] - 9
    assert df["marker: Method-R"] == df[models.loc["marker: Method-R", "against"]] + 3


def test_baseline_fits_where_the_marker_is_unrelated(clean):
    data, fit = clean
    models = sl.method_bias(fit, marker=MARKER, data=data).models.set_index("model")
    written = "S =~ s1 + s2 + s3\nT =~ t1 + t2 + t3\nV =~ v1 + v2 + v3\nK =~ k1 + k2 + k3\nK ~~ 0*S\nK ~~ 0*T\nK ~~ 0*V"
    free = sl.fit(written, data, kind="cfa", engine="kernel")
    # Fixing the marker's own parameters at the values of the CFA costs next to nothing.
    assert models.loc["marker: Baseline", "chisq"] == pytest.approx(free.chisq, abs=0.5)
    assert models.loc["marker: Baseline", "chisq"] >= free.chisq - 1e-6


def test_harman_is_the_first_component_of_the_correlations(clean):
    data, fit = clean
    items = [name for name in data if name[0] != "k"]
    found = sl.method_bias(fit)
    expected = np.linalg.eigvalsh(np.corrcoef(data[items].to_numpy().T))[-1] / 9
    assert found.single_factor_share == pytest.approx(expected)
    assert "Weak evidence" in found.statements[0]
    assert found.correlations is None


def test_full_collinearity_is_that_of_the_correlations(clean):
    _, fit = clean
    implied = sl.model_implied(sl.fit(MODEL.split("T ~ S")[0], clean[0], kind="cfa", engine="kernel"))["cor_lv"]
    found = sl.method_bias(fit).vif.set_index("construct")["vif"]
    np.testing.assert_allclose(found[implied.columns], np.diag(np.linalg.inv(implied.to_numpy())), rtol=1e-5)


def test_a_method_factor_with_known_loadings():
    # Loadings on the constructs differ, so that the method factor can be told from their correlations.
    rng = np.random.default_rng(9)
    n = 6000
    style = rng.normal(size=n)
    loadings, method = (1.2, 0.8, 0.4), 0.7
    data = pd.DataFrame(
        {
            f"{name}{i}": loading * construct + method * style + rng.normal(size=n)
            for name in "stvw"
            for construct in [rng.normal(size=n)]
            for i, loading in enumerate(loadings, start=1)
        }
    )
    text = "\n".join(f"{name.upper()} =~ {name}1 + {name}2 + {name}3" for name in "stvw")
    found = sl.method_bias(sl.fit(text, data, kind="cfa", engine="kernel"))
    truth = np.mean([method**2 / (loading**2 + method**2 + 1.0) for loading in loadings])
    assert found.models.set_index("model").loc["constructs and method factor", "certified"]
    assert found.method_variance == pytest.approx(truth, abs=0.03)
    expected = [loading / np.sqrt(loading**2 + method**2 + 1.0) for loading in loadings]
    np.testing.assert_allclose(found.loadings["with_method"].to_numpy().reshape(4, 3), [expected] * 4, atol=0.06)


def test_what_cannot_be_checked_is_refused(clean):
    data, fit = clean
    with pytest.raises(ConfigurationError, match="needs `data`"):
        sl.method_bias(fit, marker=MARKER)
    with pytest.raises(ConfigurationError, match="s1"):
        sl.method_bias(fit, marker=["s1"], data=data)
    with pytest.raises(SpecificationError, match="fewer than two"):
        sl.method_bias(sl.fit("S =~ s1 + s2 + s3", data, engine="kernel"))
    halves = data.assign(half=np.where(np.arange(len(data)) % 2, "odd", "even"))
    with pytest.raises(NotSupported, match="one group"):
        sl.method_bias(sl.fit(MODEL, halves, group="half", engine="kernel"))
    with pytest.raises(NotSupported, match="maximum likelihood"):
        sl.method_bias(sl.fit(MODEL, data, estimator="GLS", engine="kernel"))


def test_a_marker_of_one_item(clean):
    data, fit = clean
    found = sl.method_bias(fit, marker="k1", data=data)
    assert found.models.set_index("model").loc["marker: Method-C", "pvalue"] > 0.01


def test_constructs_without_an_admissible_solution_are_not_judged():
    matrix = sl.load_published("ecsi_mobile")
    with pytest.warns(ImproperSolutionWarning):
        fit = sl.fit("ecsi_mobile", sample_cov=matrix.frame(), sample_nobs=250, engine="kernel")
    found = sl.method_bias(fit)
    assert not found.models["certified"].iloc[0]
    assert found.statements[0].startswith("NOT CERTIFIED")
    assert repr(found.vif).startswith("NOT CERTIFIED")
    assert "VIF" not in " ".join(found.statements)
    assert repr(sl.stability_index(fit)).startswith("NOT CERTIFIED")
