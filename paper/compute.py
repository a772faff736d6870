"""Everything that paper.typ prints: `python compute.py` writes results.json and figures/ beside itself.

`sem-loyalty paper` calls it where an input has changed. lavaan's answers are read from reference/lavaan.json, so R is
not needed. Replicates are spread over two processes; results do not depend on how many there are.
"""

from __future__ import annotations

import json
import os

# Before NumPy loads: one thread per process, and one order of sets, on which semopy's last digits depend.
os.environ.update({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONHASHSEED": "0"})

import warnings
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

from arms import Answer, by_package, by_semopy
from design import CONDITIONS, MISSING, Condition, answers, model_text, true_paths
from judge import LEVEL, PATH, TEST, UNCERTAINTY, Verdict, agreement, judge, recovery, reference, shares, wilson
from matrices import matrices

import sem_loyalty as sl

HERE = Path(__file__).resolve().parent
WORKERS = 2
SCRIPTS = ("compute.py", "design.py", "arms.py", "judge.py", "matrices.py")
REFERENCES = ("reference/lavaan.json", "reference/semopy_fiml.json")
MODELS = ("core", "servqual", "ecsi_mobile", "iacobucci2009")
Found = dict[str, Answer]


def fitted(task: tuple[int, int]) -> tuple[dict[str, Answer], float, dict[str, float]]:
    """Return every live program's answer to one replicate, the sum of its data, and the rival's AIC by program."""
    condition, replicate = CONDITIONS[task[0]], task[1]
    data, text = answers(condition, replicate), model_text(condition)
    found = {"semopy": by_semopy(text, data), "package_default": by_package(text, data)}
    if condition.incomplete:
        found["package"] = by_package(text, data, missing="fiml")
    elif condition.categories:
        found["package"] = by_package(text, data, ordered=True)
    else:
        found["package"] = found["package_default"]
    rivals = {}
    if condition.id == "clean" and condition.model == "core":
        rival = sl.load_model("core").rival_text("full_mediation")
        rivals = {"semopy": by_semopy(rival, data).aic, "package": by_package(rival, data).aic}
    return found, float(data.sum().sum()), rivals


def simulate() -> dict[str, object]:
    """Return the simulation: cells by model and condition, totals by program, and what AIC chooses."""
    tasks = [(k, replicate) for k, one in enumerate(CONDITIONS) for replicate in range(one.replications)]
    stored = {
        (one["model"], one["condition"], one["replicate"]): one for one in _read("reference/lavaan.json")["answers"]
    }
    slow = {one["replicate"]: one for one in _read("reference/semopy_fiml.json")["answers"]}
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        outcomes = dict(zip(tasks, pool.map(fitted, tasks, chunksize=5), strict=True))
    cells: dict[str, dict[str, object]] = defaultdict(dict)
    totals: dict[str, list[Verdict]] = defaultdict(list)
    chosen: dict[str, list[bool]] = defaultdict(list)
    for k, condition in enumerate(CONDITIONS):
        replicates = []
        for replicate in range(condition.replications):
            found, total, rivals = outcomes[k, replicate]
            kept = stored[condition.model, condition.id, replicate]
            _same(total, kept["total"], f"{condition.model}/{condition.id}/{replicate}")
            lavaan = {"lavaan_default": Answer.read(kept["default"])}
            lavaan["lavaan"] = Answer.read(kept["prescribed"]) if "prescribed" in kept else lavaan["lavaan_default"]
            extra = {}
            if condition.incomplete and condition.model == "core" and replicate in slow:
                extra = {arm: Answer.read(slow[replicate][arm]) for arm in ("semopy_fiml", "semopy_means")}
            replicates.append(found | lavaan | extra)
            for arm, rival in rivals.items():
                chosen[arm].append(found[arm].aic < rival)
            if rivals:
                chosen["lavaan"].append(kept["default"]["aic"] < kept["rival_aic"])
        cells[condition.model][condition.id] = cell(condition, replicates, totals)
    summary = {}
    for arm, verdicts in totals.items():
        counted = shares(verdicts)
        low, high = wilson(counted["silent_n"], counted["n"])
        summary[arm] = counted | {"low": low, "high": high}
    aic = {arm: sum(right) / len(right) for arm, right in chosen.items()}
    return {"cells": cells, "total": summary, "aic": aic}


def cell(condition: Condition, replicates: list[Found], totals: dict[str, list[Verdict]]) -> dict[str, object]:
    """Return the outcomes of every program in one cell, and add the verdicts to the totals."""
    found: dict[str, object] = {}
    truth = true_paths(condition)
    arms = ("semopy", "package", "lavaan", "package_default", "lavaan_default", "semopy_fiml", "semopy_means")
    for arm in arms:
        with_arm = [one for one in replicates if arm in one]
        if not with_arm:
            continue
        verdicts = [judge(one[arm], _reference_of(arm, condition, one)) for one in with_arm]
        reported = [one[arm] for one in with_arm if one[arm].answered and not one[arm].flagged]
        beside = (
            "lavaan_default" if arm.endswith("_default") or (arm == "semopy" and condition.categories) else "lavaan"
        )
        compared = agreement([one[arm] for one in with_arm], [one[beside] for one in with_arm])
        found[arm] = shares(verdicts) | recovery(reported, truth) | {"chisq": compared}
        if arm in ("semopy", "package", "lavaan"):
            totals[arm] += verdicts
    return found


def _reference_of(arm: str, condition: Condition, found: Found) -> Answer | None:
    """Return the reference solution of the method that an arm claims to use.

    Of incomplete data semopy's default call claims none: likelihood of all answers and of complete rows both count, and
    it is compared with whichever is nearer.
    """
    prescribed = reference([found["lavaan"], found["package"]])
    default = reference([found["lavaan_default"], found["package_default"]])
    if arm.endswith("_default") or (arm == "semopy" and condition.categories):
        return default
    if arm == "semopy" and condition.incomplete and default is not None and prescribed is not None:
        answer = found["semopy"]
        if answer.answered:
            return min(
                (prescribed, default), key=lambda one: max(abs(answer.std[path] - one.std[path]) for path in one.std)
            )
    return prescribed


def printed() -> dict[str, object]:
    """Return the replication of published analyses, study by study."""
    studies: dict[str, dict[str, object]] = defaultdict(dict)
    for one in sl.replicate():
        if one.analysis is None:
            continue
        rows = one.rows.to_dict("records")
        studies[one.figures.id][one.analysis.id] = {
            "n": one.figures.n,
            "figures": len(rows),
            "same": int((one.rows["difference"].abs() <= ROUNDING).sum()),
            "largest": one.largest,
            "certified": one.certified,
            "rows": rows,
        }
    return dict(studies)


ROUNDING = 0.005


def programs_on_matrices() -> dict[str, object]:
    """Return what the programs say of published covariance matrices."""
    stored = _read("reference/lavaan.json")["matrices"]
    found: dict[str, object] = {}
    for id, (text, cov, n) in matrices().items():
        said = {
            "semopy": by_semopy(text, cov=cov, nobs=n),
            "package": by_package(text, sample_cov=cov, sample_nobs=n),
            "lavaan": Answer.read(stored[id]),
        }
        found[id] = {"n": n} | {arm: _finite(answer.record()) for arm, answer in said.items()}
        found[id] |= {f"{arm}_largest": _largest(answer) for arm, answer in said.items()}
    return found


def _largest(answer: Answer) -> float | None:
    return max(map(abs, answer.std.values())) if answer.std else None


def draw() -> None:
    """Draw the population model of the simulation, and the replicated model with its estimates."""
    (HERE / "figures").mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = sl.load_model("core")
        sl.model_diagram(file, HERE / "figures" / "core.svg")
        figures = sl.load_published("iacobucci2009")
        fit = sl.fit("iacobucci2009", sample_cov=figures.frame(), sample_nobs=figures.n, engine="kernel")
        sl.path_diagram(fit, HERE / "figures" / "iacobucci2009.svg")


def main() -> None:
    """Write results.json."""
    reference_versions = _read("reference/lavaan.json")["versions"]
    results = {
        "inputs": sl.paper_inputs(HERE, (*SCRIPTS, *REFERENCES), MODELS),
        "versions": reference_versions | {"sem_loyalty": sl.__version__, "semopy": version("semopy")},
        "design": {
            "conditions": {
                f"{one.model}/{one.id}": {
                    "nobs": one.nobs,
                    "replications": one.replications,
                    "unit": one.unit,
                    "weak": one.weak,
                    "categories": one.categories,
                    "skew": one.skew,
                    "residual_correlation": max((r for *_, r in one.residual_correlations), default=None),
                }
                for one in CONDITIONS
            },
            "datasets": sum(one.replications for one in CONDITIONS),
            "missing": MISSING["core"].rate,
            "tolerance": {"path": PATH, "uncertainty": UNCERTAINTY, "test": TEST, "rounding": ROUNDING},
            "monte_carlo": {
                model: 0.5 / max(one.replications for one in CONDITIONS if one.model == model) ** 0.5
                for model in ("core", "servqual")
            },
            "level": LEVEL,
            "truth": {
                model: {path: std for path, (std, _) in true_paths(one).items()}
                for model, one in {one.model: one for one in reversed(CONDITIONS)}.items()
            },
        },
        "simulation": simulate(),
        "replication": printed(),
        "matrices": programs_on_matrices(),
    }
    draw()
    text = json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (HERE / "results.json").write_text(text + "\n", encoding="utf-8")


def _finite(value: object) -> object:
    """Replace numbers that JSON does not know."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    return None if isinstance(value, float) and value != value else value


def _read(name: str) -> dict:
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def _same(total: float, stored: float, name: str) -> None:
    if abs(total - stored) > 1e-8 * max(1.0, abs(stored)):
        raise SystemExit(
            f"The data of {name} are not those that lavaan saw; run reference/export.py and lavaan.R again."
        )


if __name__ == "__main__":
    main()
