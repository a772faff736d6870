"""The tasks of the benchmark for this package and for semopy; prints seconds by task as JSON."""

import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

MODEL = (Path(__file__).parent / "ecsi.lav").read_text(encoding="utf-8")

CORRELATED = MODEL + "\nIMAG1 ~~ CUEX1\nPERQ1 ~~ PERQ2\nCUSA1 ~~ CUSL1\nPERQ5 ~~ IMAG5\n"


def median(work: Callable[[], object], repeats: int) -> float:
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def wide(constructs: int = 48, items: int = 5, n: int = 1000) -> tuple[str, pd.DataFrame]:
    """Return a measurement model of many constructs, and answers."""
    generator = np.random.default_rng(3)
    scores = np.sqrt(0.7) * generator.standard_normal((n, constructs)) + np.sqrt(0.3) * generator.standard_normal(
        (n, 1)
    )
    names = [[f"x{j}_{k}" for k in range(items)] for j in range(constructs)]
    answers = {
        name: 0.75 * score + 0.66 * generator.standard_normal(n)
        for found, score in zip(names, scores.T, strict=True)
        for name in found
    }
    return "\n".join(f"F{j} =~ {' + '.join(found)}" for j, found in enumerate(names)), pd.DataFrame(answers)


def ours(data: pd.DataFrame) -> dict[str, float]:
    import sem_loyalty as sl

    def full(**options: object) -> None:
        fitted = sl.fit(MODEL, data, engine="kernel", **options)
        sl.estimates(fitted)
        sl.fit_measures(fitted)

    groups = data.assign(group=["a", "b"] * (len(data) // 2))

    def metric() -> None:
        fitted = sl.fit(MODEL, groups, group="group", group_equal=["loadings"], engine="kernel")
        sl.estimates(fitted)
        sl.fit_measures(fitted)

    gaps = data.where(np.random.default_rng(2).random(data.shape) >= 0.1)
    levels = data.apply(lambda column: pd.cut(column, [-np.inf, -1.2, -0.4, 0.4, 1.2, np.inf], labels=False) + 1)
    fitted = sl.fit(MODEL, data, engine="kernel")

    def fiml() -> None:
        found = sl.fit(MODEL, gaps, missing="fiml", engine="kernel")
        sl.estimates(found)
        sl.fit_measures(found)

    def wlsmv() -> None:
        found = sl.fit(MODEL, levels, ordered=True)
        sl.estimates(found)
        sl.fit_measures(found)

    correlated = sl.fit(CORRELATED, data, engine="kernel")

    def bootstrap(of: object = fitted) -> None:
        sl.bootstrap(of, draws=5000, seed=1, progress=False).estimates()

    times = {
        "one ML fit with standard errors, standardised solution and fit measures": median(full, 30),
        "the same with MLR corrections": median(lambda: full(estimator="MLR"), 15),
        "metric invariance, two groups": median(metric, 10),
        "FIML, 10 % of answers missing, with fit measures": median(fiml, 5),
        "WLSMV, five categories, with fit measures": median(wlsmv, 10),
        "5,000 bootstrap draws with intervals": median(bootstrap, 3),
        "the same with four correlated residuals": median(lambda: bootstrap(correlated), 3),
    }
    # Large data come last, each made for its own task: the pages that it takes slow down what runs beside it.
    return times | {
        "one ML fit to a million respondents": million(data),
        "one ML fit with 48 constructs, 240 items and 1,608 parameters": constructs(),
    }


def million(data: pd.DataFrame) -> float:
    import sem_loyalty as sl

    many = pd.DataFrame(np.tile(data.to_numpy(), (4000, 1)), columns=data.columns)
    return median(lambda: sl.estimates(sl.fit(MODEL, many, engine="kernel")), 3)


def constructs() -> float:
    import sem_loyalty as sl

    model, answers = wide()

    def full() -> None:
        found = sl.fit(model, answers, engine="kernel")
        sl.estimates(found)
        sl.fit_measures(found)

    return median(full, 3)


def theirs(data: pd.DataFrame) -> dict[str, float]:
    warnings.simplefilter("ignore")
    import semopy

    def full() -> None:
        model = semopy.Model(MODEL)
        model.fit(data)
        model.inspect(std_est=True)
        semopy.calc_stats(model)

    return {"one ML fit with standard errors, standardised solution and fit measures": median(full, 10)}


if __name__ == "__main__":
    survey = pd.read_csv(sys.argv[2])
    print(json.dumps({"sem_loyalty": ours, "semopy": theirs}[sys.argv[1]](survey)))
