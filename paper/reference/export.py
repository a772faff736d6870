"""Write the data sets of the simulation for lavaan: `python paper/reference/export.py FOLDER`.

Then `Rscript paper/reference/lavaan.R FOLDER` writes lavaan.json beside itself.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import sem_loyalty as sl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from design import CONDITIONS, answers, model_text
from matrices import matrices

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
cases = []
for condition in CONDITIONS:
    for replicate in range(condition.replications):
        name = f"{condition.model}_{condition.id}_{replicate}.csv"
        answers(condition, replicate).to_csv(folder / name, index=False, float_format="%.17g")
        cases.append({"file": name, "model": condition.model, "condition": condition.id, "replicate": replicate})
texts = {f"{one.model}/{one.id}": model_text(one) for one in CONDITIONS}
printed = {
    name: {"text": text, "n": n, "names": list(cov.columns), "cov": cov.to_numpy().tolist()}
    for name, (text, cov, n) in matrices().items()
}
listed = {
    "cases": cases,
    "texts": texts,
    "rival": sl.load_model("core").rival_text("full_mediation"),
    "matrices": printed,
}
(folder / "cases.json").write_text(json.dumps(listed), encoding="utf-8")
