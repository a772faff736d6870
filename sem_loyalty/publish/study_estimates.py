"""The estimates of a study, with the uncertainty that it asks for."""

from __future__ import annotations

import pandas as pd

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.bootstrap import Bootstrap
from sem_loyalty.inference.estimates import estimates
from sem_loyalty.publish.drawn import Drawn
from sem_loyalty.publish.settings import Study
from sem_loyalty.publish.steps import Steps


def study_estimates(study: Study, fitted: Fit, steps: Steps) -> tuple[pd.DataFrame, Drawn | None, Bootstrap | None]:
    """Return every parameter, with the uncertainty of bootstrap draws where the study asks for them, and the draws.

    Draws around a solution that is not certified mean nothing; then there are none.
    """
    choice = study.bootstrap
    if not choice.draws or not fitted.certificate.certified:
        return estimates(fitted), None, None
    draws = steps.draws(fitted, choice.draws, workers=choice.workers, file=choice.file)
    found = draws.estimates(interval=choice.interval)
    drawn = Drawn(
        draws=choice.draws,
        failed=draws.failed,
        rescued=draws.rescued,
        improper=draws.improper,
        interval=found.attrs["interval"],
        seed=study.study.seed,
    )
    return found, drawn, draws
