"""Write plspm_mobile.json: the mobile survey by the Python package plspm, an implementation of its own.

Run by hand in an environment of its own: python tests/reference/plspm_mobile.py, with plspm 0.5.7, pandas 2.1.4 and
NumPy 1.26. The tests read the JSON only. plspm takes answers, so answers are made that have the correlations of the
published matrix exactly; it does not standardise numeric answers, which these already are.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import plspm.config as c
from plspm.mode import Mode
from plspm.plspm import Plspm
from plspm.scheme import Scheme

HERE = Path(__file__).resolve().parent
PATHS = {
    "Expectation": ["Image"],
    "Quality": ["Expectation"],
    "Value": ["Expectation", "Quality"],
    "Satisfaction": ["Image", "Expectation", "Quality", "Value"],
    "Complaints": ["Satisfaction"],
    "Loyalty": ["Image", "Satisfaction", "Complaints"],
}
BLOCKS = {
    "Image": ["IMAG1", "IMAG2", "IMAG3", "IMAG4", "IMAG5"],
    "Expectation": ["CUEX1", "CUEX2", "CUEX3"],
    "Quality": ["PERQ1", "PERQ2", "PERQ3", "PERQ4", "PERQ5", "PERQ6", "PERQ7"],
    "Value": ["PERV1", "PERV2"],
    "Satisfaction": ["CUSA1", "CUSA2", "CUSA3"],
    "Complaints": ["CUSCO"],
    "Loyalty": ["CUSL1", "CUSL2", "CUSL3"],
}


def answers() -> pd.DataFrame:
    folder = HERE.parents[1] / "sem_loyalty" / "survey" / "datasets"
    content = json.loads((folder / "ecsi_mobile.json").read_text(encoding="utf-8"))
    size = len(content["names"])
    cor = np.eye(size)
    lower = np.array([value for row in content["cor"] for value in row])
    if len(lower) == size * size:
        cor = lower.reshape(size, size)
    else:
        cor[np.tril_indices(size)] = lower
        cor = np.tril(cor) + np.tril(cor, -1).T
    z = np.random.default_rng(1).standard_normal((content["n"], size))
    z -= z.mean(axis=0)
    z = z @ np.linalg.inv(np.linalg.cholesky(z.T @ z / (len(z) - 1))).T
    return pd.DataFrame(z @ np.linalg.cholesky(cor).T, columns=content["names"])


def main() -> None:
    data = answers()
    runs = {}
    for scheme in ("path", "centroid", "factorial"):
        for formed in ([], ["Image", "Loyalty"]):
            structure = c.Structure()
            for outcome, causes in PATHS.items():
                structure.add_path(causes, [outcome])
            config = c.Config(structure.path(), scaled=True)
            for name, items in BLOCKS.items():
                config.add_lv(name, Mode.B if name in formed else Mode.A, *[c.MV(item) for item in items])
            found = Plspm(data, config, Scheme[scheme.upper()], iterations=1000, tolerance=1e-13)
            paths = found.path_coefficients()
            runs[scheme + ("_b" if formed else "_a")] = {
                "scheme": scheme,
                "mode_b": formed,
                "paths": {f"{a} -> {o}": float(paths.loc[o, a]) for o, causes in PATHS.items() for a in causes},
                "loadings": {k: float(v) for k, v in found.outer_model()["loading"].items()},
                "r2": {k: float(found.inner_summary().loc[k, "r_squared"]) for k in PATHS},
            }
    versions = {name: version(name) for name in ("plspm", "pandas", "numpy")}
    versions["python"] = sys.version.split()[0]
    text = json.dumps({"versions": versions, "runs": runs}, indent=1, sort_keys=True)
    (HERE / "plspm_mobile.json").write_text(text + "\n", encoding="utf-8")


main()
