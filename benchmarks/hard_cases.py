"""Hard replicates, on which engines fail or end in improper solutions, fitted by this package and by lavaan.

    python benchmarks/hard_cases.py [--engine kernel] [--store]

draws the data, fits them here and, with --store, by lavaan (benchmarks/hard_cases.R), and prints by family how many end
in a converged, and how many in an admissible solution, and the largest excess of our minimum over lavaan's.
With --store the outcomes of lavaan go to tests/reference/hard_cases.json, which a test reads.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
STORED = HERE.parent / "tests" / "reference" / "hard_cases.json"
IMPROPER = {"negative variance", "latent covariance", "residual covariance"}
ECSI = """
Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Expectation =~ CUEX1 + CUEX2 + CUEX3
Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Loyalty =~ CUSL1 + CUSL2 + CUSL3
Expectation ~ Image
Quality ~ Expectation
Value ~ Expectation + Quality
Satisfaction ~ Image + Expectation + Quality + Value
Loyalty ~ Image + Satisfaction
"""
REPLICATES = 45


@dataclass(frozen=True)
class Case:
    """One replicate: a model, its data and the options of the fit."""

    family: str
    number: int
    model: str
    data: pd.DataFrame
    options: dict[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Family and number."""
        return f"{self.family}-{self.number:02d}"


def factor_items(
    generator: np.random.Generator, factors: np.ndarray, loadings: list[list[float]], names: list[str]
) -> pd.DataFrame:
    """Return standardised items of the columns of `factors`."""
    columns = {}
    for k, own in enumerate(loadings):
        for i, loading in enumerate(own, start=1):
            noise = np.sqrt(max(0.0, 1.0 - loading**2)) * generator.standard_normal(len(factors))
            columns[f"{names[k]}{i}"] = loading * factors[:, k] + noise
    return pd.DataFrame(columns)


def correlated(generator: np.random.Generator, n: int, correlation: np.ndarray) -> np.ndarray:
    return generator.standard_normal((n, len(correlation))) @ np.linalg.cholesky(correlation).T


def ecsi(generator: np.random.Generator, number: int) -> Case:
    """Draw the whole satisfaction index from the published moments of the mobile-phone survey."""
    import sem_loyalty as sl

    cov = sl.load_published("ecsi_mobile").frame()
    names = [word for line in ECSI.splitlines() if "=~" in line for word in line.split("=~")[1].split(" + ")]
    names = [name.strip() for name in names]
    rows = generator.standard_normal((250, len(names))) @ np.linalg.cholesky(cov.loc[names, names].to_numpy()).T
    return Case("ecsi", number, ECSI, pd.DataFrame(rows, columns=names))


def collinear(generator: np.random.Generator, number: int) -> Case:
    """Two predictors that correlate .95 to .99."""
    r, n = (0.95, 0.97, 0.99)[number % 3], (100, 250)[number % 2]
    x = correlated(generator, n, np.array([[1.0, r], [r, 1.0]]))
    y = 0.4 * x[:, 0] + 0.3 * x[:, 1] + 0.7 * generator.standard_normal(n)
    data = factor_items(generator, np.column_stack([x, y]), [[0.8, 0.7, 0.75]] * 3, ["a", "b", "c"])
    return Case("collinear", number, "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nC ~ A + B", data)


def two_items(generator: np.random.Generator, number: int) -> Case:
    """Three constructs of two items in a chain, 50 to 100 respondents."""
    n = (50, 75, 100)[number % 3]
    a = generator.standard_normal(n)
    b = 0.3 * a + np.sqrt(0.91) * generator.standard_normal(n)
    c = 0.3 * b + np.sqrt(0.91) * generator.standard_normal(n)
    data = factor_items(generator, np.column_stack([a, b, c]), [[0.7, 0.6]] * 3, ["a", "b", "c"])
    return Case("two-items", number, "A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2\nB ~ A\nC ~ B", data)


def heywood(generator: np.random.Generator, number: int) -> Case:
    """Items with hardly any error, 30 to 60 respondents."""
    n = (30, 45, 60)[number % 3]
    x = correlated(generator, n, np.array([[1.0, 0.4], [0.4, 1.0]]))
    data = factor_items(generator, x, [[0.98, 0.5, 0.4], [0.95, 0.6, 0.4]], ["a", "b"])
    return Case("heywood", number, "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A", data)


def weak(generator: np.random.Generator, number: int) -> Case:
    """Draw loadings of .3 and .4, one of them on the marker."""
    n = (100, 150)[number % 2]
    x = correlated(generator, n, np.array([[1.0, 0.5, 0.4], [0.5, 1.0, 0.5], [0.4, 0.5, 1.0]]))
    data = factor_items(generator, x, [[0.3, 0.4, 0.35, 0.4]] * 3, ["a", "b", "c"])
    model = "A =~ a1 + a2 + a3 + a4\nB =~ b1 + b2 + b3 + b4\nC =~ c1 + c2 + c3 + c4\nB ~ A\nC ~ A + B"
    return Case("weak", number, model, data)


def crossed(generator: np.random.Generator, number: int) -> Case:
    """Cross-loadings of most items on two constructs that correlate .8: nearly not identified."""
    n = (100, 200)[number % 2]
    x = correlated(generator, n, np.array([[1.0, 0.8], [0.8, 1.0]]))
    data = factor_items(generator, x, [[0.8, 0.7, 0.7, 0.6], [0.8, 0.7, 0.7, 0.6]], ["a", "b"])
    model = "A =~ a1 + a2 + a3 + a4 + b3 + b4\nB =~ b1 + b2 + b3 + b4 + a3"
    return Case("crossed", number, model, data)


def growth(generator: np.random.Generator, number: int) -> Case:
    """Growth over four waves with hardly any variance of the slope, 25 to 50 respondents."""
    n = (25, 35, 50)[number % 3]
    level = 3.0 + generator.standard_normal(n)
    slope = 0.3 + 0.15 * generator.standard_normal(n)
    data = {f"t{k}": level + k * slope + 0.8 * generator.standard_normal(n) for k in range(4)}
    model = "i =~ 1*t0 + 1*t1 + 1*t2 + 1*t3\ns =~ 0*t0 + 1*t1 + 2*t2 + 3*t3"
    return Case("growth", number, model, pd.DataFrame(data), {"kind": "growth"})


def groups(generator: np.random.Generator, number: int) -> Case:
    """Two groups of 40, loadings equal or free, items of some reliability."""
    parts = []
    for label, r in (("n", 0.5), ("s", 0.8)):
        x = correlated(generator, 40, np.array([[1.0, r], [r, 1.0]]))
        part = factor_items(generator, x, [[0.7, 0.6, 0.5], [0.8, 0.5, 0.5]], ["a", "b"])
        parts.append(part.assign(site=label))
    options: dict[str, object] = {"group": "site"}
    if number % 2:
        options["group_equal"] = ["loadings"]
    data = pd.concat(parts, ignore_index=True)
    return Case("groups", number, "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A", data, options)


FAMILIES = (ecsi, collinear, two_items, heywood, weak, crossed, growth, groups)


def cases(numbers: Iterable[int] = range(REPLICATES), families: Iterable[str] = ()) -> Iterator[Case]:
    """Yield the replicates, of some families and numbers only; the seed of each is its family and number."""
    wanted, only = sorted(numbers), set(families)
    for place, family in enumerate(FAMILIES):
        if only and family.__name__.replace("_", "-") not in only:
            continue
        for number in wanted:
            yield family(np.random.default_rng([20240611, place, number]), number)


def outcome(case: Case, engine: str) -> dict[str, object]:
    """Fit a replicate here."""
    import sem_loyalty as sl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitted = sl.fit(case.model, case.data, engine=engine, **case.options)
        except sl.errors.SpecificationError as error:
            return {"converged": False, "admissible": False, "F": None, "error": str(error)}
    codes = {problem.code for problem in fitted.certificate.problems}
    converged = "not converged" not in codes
    return {"converged": converged, "admissible": converged and not codes & IMPROPER, "F": fitted.value}


def by_lavaan(everything: list[Case]) -> dict[str, dict[str, object]]:
    """Fit all replicates by lavaan, in one process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        listed = []
        for case in everything:
            case.data.to_csv(folder / f"{case.name}.csv", index=False, float_format="%.17g")
            listed.append({"name": case.name, "model": case.model, **case.options})
        (folder / "cases.json").write_text(json.dumps(listed), encoding="utf-8")
        subprocess.run(
            ["Rscript", str(HERE / "hard_cases.R"), str(folder)],
            check=True,
            env=os.environ | {"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"},
        )
        return dict(json.loads((folder / "lavaan.json").read_text(encoding="utf-8")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="kernel")
    parser.add_argument("--store", action="store_true")
    words = parser.parse_args()
    everything = list(cases())
    if STORED.exists() and not words.store:
        stored = json.loads(STORED.read_text(encoding="utf-8"))["outcomes"]
    else:
        start = time.perf_counter()
        stored = by_lavaan(everything)
        print(f"lavaan: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    if words.store:
        about = "lavaan 0.6-14 on the replicates of benchmarks/hard_cases.py; F is twice fmin"
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(stored.items()))
        STORED.write_text(f'{{"about": {json.dumps(about)}, "outcomes": {{\n{lines}\n}}}}\n', encoding="utf-8")
    start = time.process_time()
    ours = {case.name: outcome(case, words.engine) for case in everything}
    print(f"here: {time.process_time() - start:.0f} s", file=sys.stderr)
    print("| family | replicates | converged | lavaan | admissible | lavaan | largest F - lavaan's |")
    print("|---|---|---|---|---|---|---|")
    for family in dict.fromkeys(case.family for case in everything):
        names = [case.name for case in everything if case.family == family]
        counts = [
            sum(bool(found[name][key]) for name in names)
            for key in ("converged", "admissible")
            for found in (ours, stored)
        ]
        both = [name for name in names if ours[name]["converged"] and stored[name]["converged"]]
        excess = max((float(ours[name]["F"]) - float(stored[name]["F"]) for name in both), default=0.0)
        print(f"| {family} | {len(names)} | {counts[0]} | {counts[1]} | {counts[2]} | {counts[3]} | {excess:.1e} |")
        for key in ("converged", "admissible"):
            short = [name for name in names if stored[name][key] and not ours[name][key]]
            if short:
                print(f"  {key} by lavaan only: {' '.join(short)}", file=sys.stderr)


if __name__ == "__main__":
    main()
