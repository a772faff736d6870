"""semopy's two likelihoods of incomplete data, which take seconds a fit: writes semopy_fiml.json beside itself.

PYTHONHASHSEED=0 OPENBLAS_NUM_THREADS=1 python paper/reference/semopy_fiml.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import semopy

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent))
from arms import by_semopy
from design import CONDITIONS, answers, model_text

REPLICATES = 20
condition = next(one for one in CONDITIONS if one.id == "missing" and one.model == "core")
text = model_text(condition)
answered = []
for replicate in range(REPLICATES):
    data = answers(condition, replicate)
    calls = {"semopy_fiml": {"objective": "FIML"}, "semopy_means": {"means": True}}
    found = {arm: by_semopy(text, data, **options).record() for arm, options in calls.items()}
    answered.append({"replicate": replicate, "total": float(data.sum().sum()), **found})
stored = {"versions": {"semopy": semopy.__version__}, "answers": answered}
(here / "semopy_fiml.json").write_text(json.dumps(stored, sort_keys=True) + "\n", encoding="utf-8")
