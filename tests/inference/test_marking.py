"""Whatever shows numbers of an uncertified fit says so in its first line; a certified fit gives plain frames."""

import io
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.display.marked import MARK, MarkedFrame, MarkedSeries, marked

HEYWOOD = "F =~ a1 + a2 + a3\nG =~ b1 + b2 + b3\nG ~ p*F\ntwice := 2*p"


def drawn(own: tuple[tuple[float, float, float], ...]) -> pd.DataFrame:
    """200 rows whose correlations are exactly these within a and within b, and .3 between."""
    matrix = np.full((6, 6), 0.3)
    for at, (first, second, third) in zip((0, 3), own, strict=True):
        block = np.array([[1.0, first, second], [first, 1.0, third], [second, third, 1.0]])
        matrix[at : at + 3, at : at + 3] = block
    rows = np.random.default_rng(5).normal(size=(200, 6))
    rows = (rows - rows.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(rows.T))).T
    names = ["a1", "a2", "a3", "b1", "b2", "b3"]
    return pd.DataFrame(rows @ np.linalg.cholesky(matrix).T, columns=names)


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    # a2 correlates .9 and .8 with a1 and a3, which correlate .5: its loading exceeds one.
    return drawn(((0.9, 0.5, 0.8), (0.5, 0.5, 0.5)))


@pytest.fixture(scope="module")
def bad(answers: pd.DataFrame) -> sl.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = sl.fit(HEYWOOD, answers)
    assert not fitted.certificate.certified
    return fitted


@pytest.fixture(scope="module")
def good() -> sl.Fit:
    fitted = sl.fit(HEYWOOD, drawn(((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))))
    assert fitted.certificate.certified
    return fitted


FRAMES = {
    "estimates": sl.estimates,
    "standardised_solution": sl.standardised_solution,
    "modification_indices": sl.modification_indices,
    "residuals": sl.residuals,
    "r_squared": sl.r_squared,
    "reliability": sl.reliability,
    **{f"model_implied {name}": lambda fit, name=name: sl.model_implied(fit)[name]
       for name in ("cov", "cov_lv", "cor_lv", "cov_all", "mean")},
    **{f"validity {name}": lambda fit, name=name: getattr(sl.validity(fit), name)
       for name in ("loadings", "fornell_larcker", "cross_loadings", "verdict")},
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_every_frame_of_an_uncertified_fit_is_marked(bad, good, name):
    shown = FRAMES[name](bad)
    assert repr(shown).splitlines()[0] == f"{MARK}: {bad.certificate.reason}"
    assert shown._repr_html_().startswith(f'<p style="color:#b00020"><b>{MARK}: negative variance')
    assert shown.attrs["certified"] is False
    plain = FRAMES[name](good)
    assert type(plain) is pd.DataFrame
    assert MARK not in repr(plain)
    assert plain.attrs["certified"] is True


def test_other_results_say_so_first(bad, answers):
    scores = sl.factor_scores(bad, answers)
    drawn = sl.bootstrap(bad, 20, seed=1, force=True)
    shown = [bad, sl.fit_measures(bad), sl.wald_test(bad, "p == 0"), sl.validity(bad), scores, scores.scores,
             scores.reliability, drawn, drawn.estimates(interval="percentile")]  # fmt: skip
    assert [str(value)[: len(MARK)] for value in shown] == [MARK] * len(shown)
    assert repr(bad).startswith(MARK)
    assert all(MARK in value._repr_html_() for value in shown if hasattr(value, "_repr_html_"))
    assert "diagnose(fit)" in str(bad)


def test_a_comparison_is_marked_where_one_model_is_not_certified(bad, good, answers):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        narrow = sl.fit(HEYWOOD.replace("p*F", "p*F\nF ~~ 1*F").replace("=~ a1", "=~ NA*a1") + "\np == 0", answers)
    assert repr(sl.likelihood_ratio_test(bad, narrow)).startswith(MARK)


def test_what_is_made_of_a_marked_frame_is_marked(bad):
    table = sl.estimates(bad)
    made = [
        table.round(2), table.sort_values("est"), table[["lhs", "est"]], table.query("op == '~'"), table.head(2),
        table.set_index("lhs"), table.loc[table["est"] > 0], table.copy(), table.T, table.assign(extra=1),
        table.merge(pd.DataFrame({"lhs": ["F"]})), pd.concat([table, table]), pickle.loads(pickle.dumps(table)),
        table["est"], table["est"].round(1), table.iloc[0], pickle.loads(pickle.dumps(table["est"])),
        table[["est"]] * 2.0, table["est"].to_frame(), table.groupby("op")[["est"]].mean(),
    ]  # fmt: skip
    first = f"{MARK}: {bad.certificate.reason}"
    assert [repr(value).splitlines()[0] for value in made] == [first] * len(made)
    assert all(isinstance(value, MarkedFrame | MarkedSeries) for value in made)
    assert isinstance(table["est"].mean(), float)


def test_in_a_concatenation_the_first_frame_decides(bad, good):
    assert repr(pd.concat([sl.r_squared(bad), sl.r_squared(good)])).startswith(MARK)
    # pandas builds the result by the class of the first frame; the docstring of MarkedFrame says so.
    assert type(pd.concat([sl.r_squared(good), sl.r_squared(bad)])) is pd.DataFrame


def test_files_and_markup_carry_the_mark(bad, tmp_path):
    table = sl.r_squared(bad)
    assert table.to_string(index=False).startswith(MARK)
    assert table["r2"].to_string().startswith(MARK)
    assert table.to_html().splitlines()[0].startswith('<p style="color:#b00020">')
    read = pd.read_csv(io.StringIO(table.to_csv(index=False)))
    assert read.columns[0] == MARK
    assert set(read[MARK]) == {bad.certificate.reason}
    np.testing.assert_allclose(read["r2"], table["r2"], rtol=1e-12)
    assert table.to_csv(index=False, columns=["r2"]).splitlines()[0] == f"{MARK},r2"
    table.to_html(tmp_path / "table.html")
    assert MARK in (tmp_path / "table.html").read_text(encoding="utf-8")
    buffer = io.StringIO()
    table.to_string(buffer)
    assert buffer.getvalue().startswith(MARK)


def test_a_reason_is_escaped_in_html():
    assert "<b>NOT CERTIFIED: a &lt; b</b>" in marked(pd.DataFrame({"x": [1.0]}), "a < b")._repr_html_()


def test_no_reason_no_mark():
    frame = pd.DataFrame({"x": [1.0]})
    assert marked(frame, "") is frame
