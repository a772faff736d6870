"""Indirect effects at levels of a moderator, against the same written out as defined parameters."""

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, NotSupported, SpecificationError

PATHS = "m ~ a1*x + a2*w + a3*xw\ny ~ b1*m + c1*x + b2*w + b3*mw"


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(12)
    n = 600
    x, w = rng.normal(size=n), rng.normal(size=n)
    m = 0.4 * x + 0.2 * w + 0.3 * x * w + rng.normal(size=n)
    y = 0.5 * m + 0.2 * x + 0.15 * m * w + rng.normal(size=n)
    frame = pd.DataFrame({"x": x, "w": w - w.mean(), "m": m, "y": y})
    return frame.assign(xw=frame["x"] * frame["w"], mw=frame["m"] * frame["w"])


@pytest.fixture(scope="module")
def fitted(data):
    sd = float(data["w"].std(ddof=0))
    text = PATHS + f"\nlow := (a1 - {sd!r}*a3)*(b1 - {sd!r}*b3)\nhigh := (a1 + {sd!r}*a3)*(b1 + {sd!r}*b3)"
    return sl.fit(text + "\nindex := a3*b1 + a1*b3", data, engine="kernel")


def test_effects_and_index_are_those_written_out(fitted):
    found = sl.moderated_mediation(fitted, "x", "m", "y", moderator="w", on_mediator="xw", on_outcome="mw")
    table = sl.estimates(fitted).set_index("lhs")
    columns = ["est", "se", "pvalue", "ci_lower", "ci_upper"]
    np.testing.assert_allclose(found.index[columns].iloc[0], table.loc["index", columns].astype(float), atol=1e-10)
    np.testing.assert_allclose(found.effects[columns].iloc[0], table.loc["low", columns].astype(float), atol=1e-7)
    np.testing.assert_allclose(found.effects[columns].iloc[2], table.loc["high", columns].astype(float), atol=1e-7)
    assert "Index of moderated mediation" in str(found)


def test_draws_give_the_intervals_of_the_defined_parameter(fitted):
    drawn = sl.bootstrap(fitted, draws=300, seed=4, progress=False)
    found = sl.moderated_mediation(
        fitted, "x", "m", "y", moderator="w", on_mediator="xw", on_outcome="mw", bootstrap=drawn
    )
    expected = drawn.estimates().set_index("lhs").loc["index", ["est", "se", "pvalue", "ci_lower", "ci_upper"]]
    np.testing.assert_allclose(found.index.iloc[0].astype(float), expected.astype(float), atol=1e-8)
    assert found.method == "bca"


def test_one_stage_is_the_product_of_its_paths(data):
    fitted = sl.fit("m ~ x + w + xw\ny ~ m + x", data, engine="kernel")
    found = sl.moderated_mediation(fitted, "x", "m", "y", moderator="w", on_mediator="xw")
    route = sl.effects(fitted, cause="xw", outcome="y").to_frame().query("kind == 'specific indirect'").iloc[0]
    assert found.index["est"].iloc[0] == pytest.approx(route["est"])
    assert found.index["se"].iloc[0] == pytest.approx(route["se"])
    assert found.index["ci_lower"].iloc[0] > 0  # 0.3 * 0.5 in truth
    assert np.ptp(np.diff(found.effects["est"])) == pytest.approx(0.0, abs=1e-12)


def test_what_makes_no_sense_is_refused(data, fitted):
    with pytest.raises(ConfigurationError, match="product"):
        sl.moderated_mediation(fitted, "x", "m", "y", moderator="w")
    with pytest.raises(SpecificationError, match="no path y ~ xw"):
        sl.moderated_mediation(fitted, "x", "m", "y", moderator="w", on_outcome="xw")
    with pytest.raises(SpecificationError, match="no variable"):
        sl.moderated_mediation(fitted, "x", "m", "y", moderator="v", on_mediator="xw")
    halves = data.assign(half=np.where(np.arange(len(data)) % 2, "a", "b"))
    several = sl.fit("m ~ x + w + xw\ny ~ m + x", halves, group="half", engine="kernel")
    with pytest.raises(NotSupported, match="one group"):
        sl.moderated_mediation(several, "x", "m", "y", moderator="w", on_mediator="xw")
