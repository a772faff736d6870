"""Factor scores with means, groups and missing answers against lavaan."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "factor_scores.json").read_text(encoding="utf-8"))
ITEMS = ["a1", "a2", "a3", "b1", "b2", "b3"]
SURVEYS = {
    name: pd.DataFrame(columns).astype(dict.fromkeys(ITEMS, float)) for name, columns in REFERENCE["data"].items()
}


@pytest.mark.parametrize("method", ["regression", "bartlett"])
@pytest.mark.parametrize("name", REFERENCE["cases"])
def test_scores_are_those_of_lavaan(name, method):
    case = REFERENCE["cases"][name]
    data = SURVEYS[case["data"]]
    options = {key.replace(".", "_"): value for key, value in case["options"].items()}
    fitted = sl.fit(REFERENCE["model"], data, engine="kernel", **options)
    found = sl.factor_scores(fitted, data, method=method, group=options.get("group")).scores
    for latent, expected in case["scores"][method].items():
        # lavaan's optimiser stops some 1e-5 from the minimum.
        np.testing.assert_allclose(found[latent], np.array(expected, dtype=float), atol=3e-5)


def test_a_respondent_without_answers_has_no_score():
    data = SURVEYS["gaps"].copy()
    fitted = sl.fit(REFERENCE["model"], data, missing="fiml", engine="kernel")
    data.loc[5, ITEMS] = np.nan
    for method in ("regression", "bartlett"):
        found = sl.factor_scores(fitted, data, method=method).scores
        assert found.loc[5].isna().all()
        assert found.drop(index=5).notna().any(axis=1).all()
