"""Published paths are found again, as far as the printed figures allow, and the rest says why not."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

import sem_loyalty as sl
from sem_loyalty.cli import DONE, WRONG, main
from sem_loyalty.errors import DataError
from sem_loyalty.publish.replication import overview
from sem_loyalty.survey.published import FOLDER, matrix_from

ALL = {(entry.figures.id, entry.analysis.id if entry.analysis else ""): entry for entry in sl.replicate()}


@pytest.mark.parametrize(
    ("id", "analysis", "paths", "largest"),
    [
        # Largest differences, each explained in the file: figures of two decimals, other reliabilities, other controls.
        ("schivinski2015", "structure", 8, 0.017),
        ("fitness2023", "plsc", 10, 0.0025),
        ("fitness2023", "consistent", 10, 0.006),
        # Six decimals of the correlations: paths to all that they hold, loadings to the three digits in print.
        ("ecsi_mobile", "centroid", 12, 5e-6),
        ("ecsi_mobile", "path-weighting", 12, 5e-6),
        ("ecsi_mobile", "loadings", 24, 0.00051),
        ("fitness2023", "uncorrected", 10, 0.09),
        ("dwivedi2019", "hypothesised", 5, 0.05),
        ("dwivedi2019", "alternative", 5, 0.09),
    ],
)
def test_published_paths_are_found_again(id: str, analysis: str, paths: int, largest: float) -> None:
    entry = ALL[id, analysis]
    assert entry.certified
    assert len(entry.rows) == paths
    assert entry.largest < largest
    np.testing.assert_allclose(entry.rows["reproduced"] - entry.rows["printed"], entry.rows["difference"])
    text = str(entry)
    assert f"of {paths} figures within 0.005 of print" in text
    assert entry.figures.note in text


def test_recursive_paths_equal_regressions_on_the_printed_matrix() -> None:
    # With uncorrelated residuals, maximum likelihood of a recursive model is least squares equation by equation.
    entry = ALL["schivinski2015", "structure"]
    cor = entry.figures.frame()
    causes = ["FC", "UG", "BAW"]
    slopes = np.linalg.solve(cor.loc[causes, causes], cor.loc[causes, "BL"])
    rows = entry.rows.set_index("path")["reproduced"]
    np.testing.assert_allclose([rows[f"{cause} -> BL"] for cause in causes], slopes, rtol=1e-8)


def test_correction_for_attenuation_is_what_brings_the_paths_back() -> None:
    assert ALL["fitness2023", "uncorrected"].largest > 10 * ALL["fitness2023", "consistent"].largest


@pytest.mark.parametrize("id", ["gidakovic2021", "yoo2000", "iacobucci2009"])
def test_a_matrix_alone_is_no_replication(id: str) -> None:
    entry = ALL[id, ""]
    assert entry.rows.empty
    assert np.isnan(entry.largest)
    assert "Not replicated: no results in print were read" in str(entry)


def test_paths_of_composites_stay_within_the_rounding_of_print() -> None:
    # Printed with eight decimals, found from correlations with six.
    for analysis in ("centroid", "path-weighting"):
        rows = ALL["ecsi_mobile", analysis].rows
        assert (rows["difference"].abs() < 5e-6).all()
    assert ALL["fitness2023", "plsc"].largest < ALL["fitness2023", "consistent"].largest


def test_the_command_prints_what_was_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replicate", "schivinski2015"]) == DONE
    out = capsys.readouterr().out
    assert "UG -> BL" in out
    assert max(map(len, out.splitlines())) <= 120
    assert "again to their printed figures" not in out  # one study needs no overview
    assert "10.1108/JRIM-02-2014-0007" in out
    assert main(["replicate", "schivinsky2015"]) == WRONG
    assert "Did you mean 'schivinski2015'" in capsys.readouterr().err


def test_the_overview_has_a_row_for_every_analysis() -> None:
    rows = {(row["id"], row["analysis"]): row for row in overview(list(ALL.values())).rows}
    assert len(rows) == len(ALL)
    assert rows["fitness2023", "consistent"]["same"] == 10
    assert rows["yoo2000", "not replicated"]["largest"] is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"printed": "table9"}, "'table9' is not among the printed results"),
        ({"reliability": {"CL": 0.9}}, "a value from 0 to 1 for each of CL, FMC"),
        ({"note": None}, "note missing"),
    ],
)
def test_a_damaged_analysis_is_refused(change: dict[str, object], expected: str) -> None:
    content = json.loads((FOLDER / "fitness2023.json").read_text(encoding="utf-8"))
    broken = copy.deepcopy(content)
    broken["analyses"][0] |= change
    if change.get("note", "") is None:
        del broken["analyses"][0]["note"]
    with pytest.raises(DataError, match=expected):
        matrix_from(broken)
    assert matrix_from(content).analyses
