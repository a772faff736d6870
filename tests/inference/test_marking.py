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


@pytest.mark.parametrize("name", ["left", "right", "objs", "input_objs"])
def test_a_column_may_have_any_name(name):
    # pandas tells a frame what it is made from by an object with attributes of these names.
    frame = marked(pd.DataFrame({name: [1.0, 2.0], "x": [1.0, 2.0]}), "a reason")
    made = [frame.round(1), frame[name], frame.merge(pd.DataFrame({"x": [1.0]})), pd.concat([frame, frame]), frame.T]
    assert [repr(value).splitlines()[0] for value in made] == ["NOT CERTIFIED: a reason"] * len(made)


def test_a_prompt_shows_what_print_shows(bad, good, answers):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = sl.fit(HEYWOOD.replace("G ~ p*F", "F ~~ p*G"), answers)
        shown = [sl.fit_measures(bad), sl.wald_test(bad, "p == 0"), sl.effects(bad), sl.compare(bad, other),
                 sl.vuong_test(bad, other), sl.method_bias(bad)]  # fmt: skip
    assert all(MARK in repr(value) for value in shown)
    assert [repr(value) for value in shown] == [str(value) for value in shown]
    assert MARK not in repr(sl.fit_measures(good))


def test_a_table_made_of_a_marked_frame_is_marked_in_every_form(bad, good):
    table = sl.method_bias(bad).tables()[1]
    written = [table.to_text(), table.to_html(), table.to_latex(), table.to_typst(), table.to_markdown()]
    assert [MARK in text and "negative variance" in text for text in written] == [True] * 5
    read = pd.read_csv(io.StringIO(table.to_csv()))
    assert read.columns[0] == MARK
    assert set(read[MARK]) == {bad.certificate.reason}
    assert MARK not in sl.method_bias(good).tables()[1].to_csv()


def test_models_of_method_variance_are_compared_only_where_both_are_certified(bad):
    models = sl.method_bias(bad).models
    assert not models["certified"].all()
    assert models["pvalue"].isna().all()
    assert "constructs (NOT CERTIFIED)" in sl.method_bias(bad).tables()[0].to_text()


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
    column = pd.read_csv(io.StringIO(table["r2"].to_csv(index=False)))
    assert column.columns[0] == MARK
    assert table["r2"].to_latex().startswith(r"\textbf{NOT CERTIFIED")
    table.to_excel(tmp_path / "table.xlsx", index=False)
    assert pd.read_excel(tmp_path / "table.xlsx", engine="openpyxl").columns[0] == MARK
    table.to_html(tmp_path / "table.html")
    assert MARK in (tmp_path / "table.html").read_text(encoding="utf-8")
    buffer = io.StringIO()
    table.to_string(buffer)
    assert buffer.getvalue().startswith(MARK)


def test_what_pandas_styles_has_the_mark_as_its_caption(bad):
    pytest.importorskip("jinja2")
    assert (
        f"<caption>{MARK}: {bad.certificate.reason}</caption>" in sl.r_squared(bad).style.format(precision=2).to_html()
    )


def test_a_reason_is_escaped_in_html():
    assert "<b>NOT CERTIFIED: a &lt; b</b>" in marked(pd.DataFrame({"x": [1.0]}), "a < b")._repr_html_()


def test_no_reason_no_mark():
    frame = pd.DataFrame({"x": [1.0]})
    assert marked(frame, "") is frame
