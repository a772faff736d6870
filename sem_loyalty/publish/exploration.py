"""The exploratory factor analysis of a study."""

from __future__ import annotations

import warnings
from typing import Any

from sem_loyalty.errors import DataError, DataWarning
from sem_loyalty.measurement.efa import efa
from sem_loyalty.measurement.factors import EFA
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.syntax import parse
from sem_loyalty.publish.settings import Study
from sem_loyalty.publish.study_sample import StudySample


def explore(study: Study, sample: StudySample, model: ModelFile, text: str) -> EFA | None:
    """Explore the factors behind the items of constructs, products of items left out; None where that is not asked."""
    measured = [s.rhs.name for s in parse(text).statements if s.op == "=~" and s.lhs not in model.products]
    latent = {statement.lhs for statement in parse(text).statements if statement.op == "=~"}
    items = [name for name in dict.fromkeys(measured) if name not in latent]
    if not study.efa.run or len(items) < 3:
        return None
    choice = study.efa
    options: dict[str, Any] = {
        "items": items,
        "extraction": choice.extraction,
        "rotation": choice.rotation,
        "seed": study.study.seed,
    }
    try:
        if sample.data is not None:
            return efa(sample.data, choice.factors, **options)
        return efa(sample.moments["sample_cov"], choice.factors, n_obs=sample.moments["sample_nobs"], **options)
    except DataError as error:
        # The model does not depend on it: items that no factor joins must not keep the model from being fitted.
        warnings.warn(f"No exploratory factor analysis: {error}", DataWarning, stacklevel=2)
        return None
