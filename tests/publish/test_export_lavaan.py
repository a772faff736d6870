"""The R scripts: what stands in them always, and, where R and lavaan are there, that they give our numbers."""

import functools
import os
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.fitting.ordinal import ROBUST
from sem_loyalty.publish.export.names import lavaan_names

DUMP = """
source('lavaan.R', encoding = 'UTF-8')
options(digits = 17)
write.csv(parameterEstimates(fit, remove.nonfree = FALSE, rsquare = FALSE), 'estimates.csv', row.names = FALSE,
          fileEncoding = 'UTF-8')
write.csv(data.frame(name = names(fitMeasures(fit)), value = as.numeric(fitMeasures(fit))), 'measures.csv')
"""


@functools.cache
def has_lavaan():
    """Whether Rscript finds lavaan."""
    if shutil.which("Rscript") is None:
        return False
    asked = ["Rscript", "-e", "quit(status = as.integer(!requireNamespace('lavaan', quietly = TRUE)))"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def answers(n=300, seed=11):
    rng = np.random.default_rng(seed)
    first = rng.normal(size=n)
    second = 0.6 * first + 0.8 * rng.normal(size=n)
    third = 0.5 * second + 0.3 * first + 0.8 * rng.normal(size=n)
    columns = {}
    for name, trait in (("a", first), ("b", second), ("d", third)):
        for k in range(1, 4):
            columns[f"{name}{k}"] = (0.6 + 0.1 * k) * trait + 0.7 * rng.normal(size=n) + k
    return pd.DataFrame(columns).round(3)


MODEL = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nD =~ d1 + d2 + d3\nB ~ p*A\nD ~ q*B + r*A\n"


def holes(frame):
    rng = np.random.default_rng(5)
    return frame.mask(rng.random(frame.shape) < 0.08)


def grouped(frame):
    return frame.assign(market=np.where(np.arange(len(frame)) % 3 == 0, "北京", 'it\'s "B"'))


def ordinal(frame):
    return frame.apply(lambda column: pd.cut(column, 4, labels=False) + 1)


def waves():
    rng = np.random.default_rng(4)
    level, slope = rng.normal(5, 1, 300), rng.normal(0.5, 0.3, 300)
    return pd.DataFrame({f"t{k}": level + k * slope + rng.normal(0, 0.6, 300) for k in range(4)}).round(3)


def matrix():
    data = answers()
    return {"sample_cov": data.cov(), "sample_nobs": len(data)}


GROWTH = "i =~ 1*t0 + 1*t1 + 1*t2 + 1*t3\ns =~ 0*t0 + 1*t1 + 2*t2 + 3*t3"
CASES = {
    "ML": lambda: sl.fit(MODEL, answers()),
    "MLR": lambda: sl.fit(MODEL, answers(), estimator="MLR"),
    "MLM": lambda: sl.fit(MODEL, answers(), estimator="MLM"),
    "GLS": lambda: sl.fit(MODEL, answers(), estimator="GLS"),
    "FIML": lambda: sl.fit(MODEL, holes(answers()), missing="fiml"),
    "groups": lambda: sl.fit(
        MODEL.replace("p*", "").replace("q*", "").replace("r*", ""), grouped(answers()), group="market",
        group_equal=["loadings", "intercepts"], group_partial=["a2 ~ 1", "B =~ b3"],
    ),
    "ordinal": lambda: sl.fit(MODEL, ordinal(answers()), ordered=True),
    "ordinal groups": lambda: sl.fit(
        "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3", grouped(ordinal(answers(500))), ordered=True, group="market",
        group_equal=["thresholds", "loadings"],
    ),
    "growth": lambda: sl.fit(GROWTH, waves(), kind="growth"),
    "constraints": lambda: sl.fit(
        MODEL + "indirect := p*q\ntotal := p*q + r\np == q\na1 ~~ v*a1\nv > 0.001\n", answers()
    ),
    "matrix": lambda: sl.fit(MODEL, **matrix(), std_lv=True),
    "covariate": lambda: sl.fit("A =~ a1 + a2 + a3\nA ~ b1 + b2\nd1 ~ A + b1", answers()),
    "chinese": lambda: sl.fit(
        "满意 =~ 满意1 + 满意2 + \"满意 3\"\n忠诚 =~ b1 + b2 + b3\n忠诚 ~ 影响*满意\n\"两 倍\" := 2*影响",
        answers().rename(columns={"a1": "满意1", "a2": "满意2", "a3": "满意 3"}),
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not has_lavaan(), reason="needs Rscript with lavaan")
@pytest.mark.parametrize("case", CASES)
def test_lavaan_gives_our_numbers(case, tmp_path):
    fit = CASES[case]()
    export = sl.export_model(fit, "lavaan", tmp_path / "r")
    (tmp_path / "r" / "dump.R").write_text(DUMP, encoding="utf-8")
    ran = subprocess.run(
        ["Rscript", "dump.R"], cwd=tmp_path / "r", capture_output=True, text=True, check=False,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr + export.text
    theirs = pd.read_csv(tmp_path / "r" / "estimates.csv", keep_default_na=False, na_values=["NA"])
    names = lavaan_names([*fit.specification.observed, *fit.specification.latent, "两 倍"])
    ours = sl.estimates(fit)
    group = (
        theirs["group"] if "group" in theirs else theirs["block"] if "block" in theirs else pd.Series(1, theirs.index)
    )
    by_name = {}
    for row, number in zip(theirs.to_dict("records"), group, strict=True):
        by_name[row["lhs"], row["op"], row["rhs"], int(number)] = (row["est"], row["se"])
    compared = 0
    for row in ours.to_dict("records"):
        lhs, rhs = (names.own.get(row[key], row[key]) for key in ("lhs", "rhs"))
        if row["op"] == ":=":
            found = next(value for key, value in by_name.items() if key[:2] == (lhs, ":="))
        else:
            key = (lhs, row["op"], rhs, row["group"])
            if row["op"] == "~1" and key not in by_name:
                key = (lhs, "~1", "", row["group"])
            found = by_name.get(key) or by_name.get((rhs, row["op"], lhs, row["group"]))
        assert found is not None, row
        if not row["se"] > 0 and (row["op"] == "~*~" or pd.isna(row["est"])):
            continue
        # Both stop at the minimum to about this.
        assert row["est"] == pytest.approx(found[0], abs=1e-5), row
        if row["se"] > 0:
            assert row["se"] == pytest.approx(found[1], rel=2e-4, abs=1e-5), row
        compared += 1
    assert compared > 8
    measures = pd.read_csv(tmp_path / "r" / "measures.csv").set_index("name")["value"]
    mine = sl.fit_measures(fit)
    key = "chisq_scaled" if fit.estimator in (*ROBUST, "MLR", "MLM") else "chisq"
    assert mine[key] == pytest.approx(measures[key.replace("_", ".")], rel=1e-5, abs=1e-5)
    assert mine["df"] == measures["df"]
