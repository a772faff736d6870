"""The one entry: inputs, invariances, errors."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, DataError, ModelSyntaxError, NotSupported, SpecificationError
from sem_loyalty.model.defaults import specify


@given(st.permutations(range(9)), st.integers(0, 10_000))
def test_neither_item_order_nor_row_order_matter(chain, chain_model, order, seed):
    rows = np.random.default_rng(seed).permutation(len(chain))
    shuffled = chain.iloc[rows, list(order)]
    fitted = sl.fit(chain_model, shuffled, engine="kernel")
    assert fitted.chisq == pytest.approx(sl.fit(chain_model, chain, engine="kernel").chisq, abs=1e-8)


@given(st.lists(st.floats(1e-3, 1e3), min_size=9, max_size=9))
def test_each_item_may_have_its_own_unit(chain, chain_model, units):
    plain = sl.fit(chain_model, chain, engine="kernel")
    fitted = sl.fit(chain_model, chain * np.array(units), engine="kernel")
    assert fitted.certificate.certified
    assert fitted.chisq == pytest.approx(plain.chisq, abs=1e-7)
    np.testing.assert_allclose(sl.estimates(fitted)["z"].dropna(), sl.estimates(plain)["z"].dropna(), rtol=1e-6)


def test_scale_of_a_latent_variable_is_a_convention(chain, chain_model):
    marker = sl.fit(chain_model, chain, engine="kernel")
    unit = sl.fit(chain_model, chain, std_lv=True, engine="kernel")
    other = sl.fit(chain_model.replace("a1 + a2", "NA*a1 + 1*a2"), chain, engine="kernel")
    assert unit.chisq == pytest.approx(marker.chisq, abs=1e-9)
    assert other.chisq == pytest.approx(marker.chisq, abs=1e-9)
    np.testing.assert_allclose(sl.model_implied(unit)["cov"], sl.model_implied(marker)["cov"], atol=1e-9)


def test_labels_are_only_names(chain, chain_model):
    renamed = chain_model.replace("x*", "第一*").replace("x*y", "第一*y").replace("x", "第一")
    assert sl.fit(renamed, chain).chisq == pytest.approx(sl.fit(chain_model, chain).chisq, abs=1e-10)


def test_covariance_matrix_and_rows_are_the_same_input(chain, chain_model):
    rows = sl.fit(chain_model, chain, engine="kernel")
    matrix = sl.fit(chain_model, sample_cov=chain.cov(), sample_nobs=len(chain), engine="kernel")
    np.testing.assert_allclose(matrix.theta, rows.theta, atol=1e-10)
    by_correlation = sl.fit(
        chain_model, sample_cov=chain.corr(), sample_sd=chain.std(), sample_nobs=len(chain), engine="kernel"
    )
    np.testing.assert_allclose(by_correlation.theta, rows.theta, atol=1e-10)


def test_saturated_means_change_nothing_but_the_count(chain, chain_model):
    plain = sl.fit(chain_model, chain, engine="kernel")
    means = sl.fit(chain_model, chain, meanstructure=True)
    assert (means.chisq, means.df) == (pytest.approx(plain.chisq, abs=1e-9), plain.df)
    found = sl.estimates(means).set_index(["lhs", "op"])
    assert found.loc[("a1", "~1"), "est"] == pytest.approx(chain["a1"].mean(), abs=1e-9)


def test_groups_in_any_order(chain, chain_model):
    data = chain.assign(channel=np.where(np.arange(len(chain)) % 3 == 0, "online", "store"))
    model = chain_model.split("B ~")[0]
    forward = sl.fit(model, data, group="channel", group_equal=["loadings", "intercepts"])
    backward = sl.fit(model, data.iloc[::-1], group="channel", group_equal=["loadings", "intercepts"])
    assert [g.label for g in forward.moments.groups] == ["online", "store"]
    assert [g.label for g in backward.moments.groups] == ["store", "online"]
    assert backward.chisq == pytest.approx(forward.chisq, abs=1e-8)
    assert backward.df == forward.df


def test_a_constraint_equals_a_shared_label(chain):
    text = "A =~ a1 + p*a2 + {}*a3\nB =~ b1 + b2 + b3\n{}"
    shared = sl.fit(text.format("p", ""), chain, engine="kernel")
    constrained = sl.fit(text.format("q", "p == q"), chain, engine="kernel")
    assert (constrained.df, constrained.chisq) == (shared.df, pytest.approx(shared.chisq, abs=1e-9))
    ours, theirs = (sl.estimates(f).set_index(["lhs", "op", "rhs"])["se"] for f in (constrained, shared))
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_a_path_a_library_id_and_a_specification(chain, chain_model, tmp_path):
    file = tmp_path / "chain.lav"
    file.write_text(chain_model, encoding="utf-8")
    expected = sl.fit(chain_model, chain).chisq
    assert sl.fit(file, chain).chisq == expected
    assert sl.fit(str(file), chain).chisq == expected
    assert sl.fit(specify(chain_model), chain).chisq == expected
    demo = sl.load_model("core")
    assert "SAT" in specify(demo.text).latent


def test_published_covariance_matrix_of_iacobucci():
    printed = sl.load_published("iacobucci2009")
    fitted = sl.fit(printed.model_text, sample_cov=printed.frame(), sample_nobs=printed.n)
    assert fitted.certificate.certified
    # lavaan: chi-square 129.621 on 83 df, CFI .984, TLI .980, RMSEA .075, SRMR .075.
    found = sl.fit_measures(fitted)
    assert found["chisq"] == pytest.approx(129.621, abs=5e-4)
    assert found["df"] == 83
    rounded = {name: round(found[name], 3) for name in ("cfi", "tli", "rmsea", "srmr")}
    assert rounded == {"cfi": 0.984, "tli": 0.98, "rmsea": 0.075, "srmr": 0.075}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"estimator": "WLSMV"}, NotSupported, "available: 'ML', 'MLM', 'MLMV', 'MLR'"),
        ({"missing": "pairwise"}, NotSupported, "available: 'listwise', 'fiml'"),
        ({"missing": "fiml", "estimator": "MLM"}, NotSupported, "available: 'ML', 'MLR'"),
        ({"missing": "fiml", "meanstructure": False}, ConfigurationError, "models the means"),
        ({"missing": "fiml", "engine": "semopy"}, NotSupported, "mean structures"),
        ({"missing": "fiml", "ordered": True}, NotSupported, "available: 'listwise'"),
        ({"ordered": True}, DataError, "Leave it out of `ordered`"),
        ({"kind": "efa"}, ConfigurationError, "'sem', 'cfa', 'growth'"),
        ({"group_equal": ["loading"]}, ConfigurationError, "Did you mean 'loadings'"),
        ({"sample_cov": np.eye(9)}, ConfigurationError, "either"),
        ({"meanstructure": False, "kind": "growth"}, SpecificationError, "contradicts"),
    ],
)
def test_what_cannot_be_done_is_said(chain, chain_model, arguments, error, message):
    with pytest.raises(error, match=message):
        sl.fit(chain_model, chain, **arguments)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ("A =~ a1 + a2 + a9", DataError, "a9"),
        ("A =~ a1 + a2 +", ModelSyntaxError, "Line 1"),
        ("A =~ a1 + a2 + a3\na1 ~~ a2\na2 ~~ a1", SpecificationError, "given twice"),
        ("A =~ a1 + a2 + a3\nA ~ A", SpecificationError, "itself"),
        ("A =~ x*a1 + a2 + a3\nd := y*2", SpecificationError, "label"),
        ("A =~ a1 + a2 + a3\nx == 1", SpecificationError, "label"),
        ("A <~ a1 + a2 + a3", NotSupported, "composites"),
        ("A =~ a1 + a2 + a3\na1 | t1", NotSupported, "thresholds"),
        ("A =~ B\nB =~ A", SpecificationError, "circle"),
        ("A =~ a1 + c(u,v)*a2 + a3", SpecificationError, "one group"),
        ("A =~ a1 + a2 + a3\ngroup: 2\na1 ~~ a2", SpecificationError, "no group '2'"),
        ("no_such_model", SpecificationError, "core"),
    ],
)
def test_models_that_make_no_sense(chain, model, error, message):
    with pytest.raises(error, match=message):
        sl.fit(model, chain)


def test_neither_data_nor_matrix():
    with pytest.raises(ConfigurationError, match="sample_nobs"):
        sl.fit("a ~ b")
    with pytest.raises(ConfigurationError, match="needs `sample_nobs`"):
        sl.fit("a ~ b", sample_cov=pd.DataFrame(np.eye(2), index=["a", "b"], columns=["a", "b"]))


def test_rows_left_out_are_counted(chain, chain_model):
    data = chain.copy()
    data.iloc[:7, 0] = np.nan
    data.iloc[5:12, 4] = np.nan
    fitted = sl.fit(chain_model, data)
    assert (fitted.moments.n, fitted.moments.n_collected) == (288, 300)
    assert "N = 288 of 300; 12 rows left out (listwise)" in str(fitted)
    assert fitted.chisq == pytest.approx(sl.fit(chain_model, data.dropna()).chisq)
