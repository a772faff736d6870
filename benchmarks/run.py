"""Run the benchmark and write its table into benchmarks/README.md."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
MARK = "<!-- table -->"
CONSTRUCTS = {
    "Image": [f"IMAG{i}" for i in range(1, 6)],
    "Expectation": [f"CUEX{i}" for i in range(1, 4)],
    "Quality": [f"PERQ{i}" for i in range(1, 8)],
    "Value": [f"PERV{i}" for i in range(1, 3)],
    "Satisfaction": [f"CUSA{i}" for i in range(1, 4)],
    "Loyalty": [f"CUSL{i}" for i in range(1, 4)],
}
PATHS = {
    "Expectation": {"Image": 0.6},
    "Quality": {"Expectation": 0.6},
    "Value": {"Expectation": 0.2, "Quality": 0.5},
    "Satisfaction": {"Image": 0.2, "Expectation": 0.1, "Quality": 0.4, "Value": 0.2},
    "Loyalty": {"Image": 0.2, "Satisfaction": 0.5},
}


def survey(n: int = 250, seed: int = 1) -> pd.DataFrame:
    """Return simulated answers of the population above, with loadings of .75."""
    generator = np.random.default_rng(seed)
    latent: dict[str, np.ndarray] = {}
    for name in CONSTRUCTS:
        explained = sum((weight * latent[cause] for cause, weight in PATHS.get(name, {}).items()), np.zeros(n))
        latent[name] = explained + generator.standard_normal(n) * (0.7 if name in PATHS else 1.0)
    items = {
        item: 0.75 * latent[name] + 0.66 * generator.standard_normal(n)
        for name, found in CONSTRUCTS.items()
        for item in found
    }
    return pd.DataFrame(items).round(4)


def environment() -> dict[str, str]:
    """Return the environment of the runs: one thread, and compiled modules kept as an installation keeps them."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | ONE_THREAD


def timed(command: list[str]) -> float:
    """Return the shortest of five cold runs in seconds of wall-clock time, from start to end of the process."""
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=environment())
        best = min(best, time.perf_counter() - start)
    return best


def tasks(command: list[str]) -> dict[str, float]:
    run = subprocess.run(command, check=True, capture_output=True, text=True, env=environment())
    return dict(json.loads(run.stdout))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        data, model = Path(folder) / "survey.csv", HERE / "ecsi.lav"
        survey().to_csv(data, index=False)
        cold = "cold process: import, read csv, fit, print"
        framed = "cold process: the same with the csv read by pandas"
        surveyed = "cold process: the same with the csv read and checked by read_survey"
        columns = {
            "sem_loyalty": tasks([sys.executable, str(HERE / "tasks.py"), "sem_loyalty", str(data)]),
            "semopy": tasks([sys.executable, str(HERE / "tasks.py"), "semopy", str(data)]),
        }
        # All print every parameter with its standard error.
        ours, by_pandas, by_survey = (
            f"{imports}import sem_loyalty as sl; print(sl.summary(sl.fit({str(model)!r}, {read}, engine='kernel')))"
            for imports, read in (
                ("", repr(str(data))),
                ("import pandas as pd; ", f"pd.read_csv({str(data)!r})"),
                ("", f"sl.read_survey({str(data)!r}).data"),
            )
        )
        for row, script in ((cold, ours), (framed, by_pandas), (surveyed, by_survey)):
            columns["sem_loyalty"][row] = timed([sys.executable, "-c", script])
        rscript = shutil.which("Rscript")
        if rscript:
            columns["lavaan"] = tasks([rscript, str(HERE / "tasks.R"), str(model), str(data)])
            theirs = (
                "suppressMessages(library(lavaan)); "
                f"summary(sem(paste(readLines('{model}'), collapse='\\n'), read.csv('{data}')))"
            )
            columns["lavaan"] |= dict.fromkeys((cold, framed, surveyed), timed([rscript, "-e", theirs]))
    lines = ["| task | sem_loyalty | semopy | lavaan | lavaan / sem_loyalty |", "|---|---|---|---|---|"]
    for task, seconds in columns["sem_loyalty"].items():
        others = [columns.get(name, {}).get(task) for name in ("semopy", "lavaan")]
        cells = [f"{1000 * value:.1f} ms" if value is not None else "" for value in (seconds, *others)]
        times = others[1] / seconds if others[1] is not None else None
        ratio = "" if times is None else f"{times:.{1 if times < 10 else 0}f} ×"
        lines.append("| " + " | ".join([task, *cells, ratio]) + " |")
    page = HERE / "README.md"
    text = page.read_text(encoding="utf-8").split(MARK)[0].rstrip()
    table = "\n".join(lines)
    page.write_text(f"{text}\n\n{MARK}\n\n{table}\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
