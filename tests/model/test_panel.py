"""Panel models written as text: lavaan's numbers for models written by hand, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, SpecificationError

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "panel.json").read_text(encoding="utf-8"))
SCORES = ["SAT", "LOY"]
ITEMS = {"SAT": ("sat1", "sat2", "sat3"), "LOY": ("loy1", "loy2", "loy3")}
REQUESTS = {
    "clpm": {"kind": "clpm"},
    "clpm_items": {"kind": "clpm", "items": ITEMS},
    "riclpm": {"kind": "riclpm"},
    "riclpm_equal": {"kind": "riclpm", "equal": ("autoregressive", "cross_lagged")},
    "riclpm_items": {"kind": "riclpm", "items": ITEMS},
    "growth": {"kind": "growth", "times": (0, 1, 3)},
    "growth_items": {"kind": "growth", "items": ITEMS, "times": (0, 1, 3)},
}
MEASURES = ["chisq", "df", "pvalue", "cfi", "rmsea", "srmr"]
# Names in the models written for lavaan, and ours.
HAND = {f"{short}{wave}": f"W_{name}_{wave}" for short, name in (("s", "SAT"), ("l", "LOY")) for wave in (1, 2, 3)}
HAND |= {"is": "LEVEL_SAT", "ss": "SLOPE_SAT", "il": "LEVEL_LOY", "sl": "SLOPE_LOY"}


@pytest.mark.parametrize("name", REQUESTS)
def test_models_are_those_written_by_hand_for_lavaan(name):
    data = pd.DataFrame(REFERENCE["trend" if name.startswith("growth") else "data"])
    if "items" in REQUESTS[name]:
        data = data[[column for column in data if column[0].islower()]]
    fitted = sl.fit(
        sl.panel_syntax(3, SCORES, **REQUESTS[name]), data, meanstructure=name in ("riclpm", "riclpm_equal") or None
    )
    expected = REFERENCE["panel"][name]
    assert fitted.certificate.certified
    own = sl.fit_measures(fitted)
    # lavaan stops some 1e-5 before the minimum.
    np.testing.assert_allclose([own[key] for key in MEASURES], list(expected["measures"].values()), atol=2e-4)
    table = sl.estimates(fitted).set_index(["lhs", "op", "rhs"])
    for kind, op in (("paths", "~"), ("means", "~1")):
        for row in pd.DataFrame(expected[kind]).to_dict("records"):
            key = (HAND.get(row["lhs"], row["lhs"]), op, HAND.get(row.get("rhs"), row.get("rhs", "")))
            assert table.loc[key, "est"] == pytest.approx(row["est"], abs=5e-4)
            assert table.loc[key, "se"] == pytest.approx(row["se"], abs=5e-4)


def test_items_reproduce_the_panel_of_the_library():
    items = {name: tuple(f"{name.lower()}{j}" for j in (1, 2, 3)) for name in ("CRM", "SAT", "LOY")}
    survey = sl.simulate("panel", nobs=300, seed=2)
    ours = sl.fit(sl.panel_syntax(3, ("CRM", "SAT", "LOY"), items=items), survey)
    library = sl.fit("panel", survey)
    assert (ours.df, ours.chisq) == (library.df, pytest.approx(library.chisq, abs=1e-6))


def test_names_of_waves_and_variables_are_quoted_where_they_must_be():
    text = sl.panel_syntax(("t 1", "t 2"), ("Sat",), equal="autoregressive")
    assert text == '"Sat_t 2" ~ ar_Sat*"Sat_t 1"\n'
    assert len(sl.parse(text).statements) == 1


def test_what_makes_no_panel_is_refused():
    for arguments, message in (
        ((1, SCORES), "2 waves or more"),
        ((2, SCORES, "riclpm"), "3 waves or more"),
        ((3, ()), "names nothing"),
        ((3, ("SAT", "SAT")), "twice"),
        (((1, 1, 2), SCORES), "twice"),
    ):
        with pytest.raises(SpecificationError, match=message):
            sl.panel_syntax(*arguments)
    for options, message in (
        ({"items": {"TRU": ("a", "b")}}, "does not name"),
        ({"items": {"SAT": ("a",)}}, "two or more"),
        ({"kind": "growth", "equal": "cross_lagged"}, "lagged effects"),
        ({"times": (0, 1, 2)}, "is for kind='growth'"),
        ({"kind": "growth", "times": (0, 2, 1)}, "increasing"),
    ):
        with pytest.raises(SpecificationError, match=message):
            sl.panel_syntax(3, SCORES, **options)
    with pytest.raises(ConfigurationError, match="kind"):
        sl.panel_syntax(3, SCORES, kind="clmp")
