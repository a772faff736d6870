"""The estimates of a study, with the uncertainty that it asks for."""

from __future__ import annotations

import pandas as pd

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.bootstrap import Bootstrap, bootstrap
from sem_loyalty.inference.estimates import estimates
from sem_loyalty.publish.drawn import Drawn
from sem_loyalty.publish.settings import Study


def study_estimates(study: Study, fitted: Fit) -> tuple[pd.DataFrame, Drawn | None, Bootstrap | None]:
    """Return every parameter, with the uncertainty of bootstrap draws where the study asks for them, and the draws.

    Draws around a solution that is not certified mean nothing; then there are none.
    """
    choice = study.bootstrap
    if not choice.draws or not fitted.certificate.certified:
        return estimates(fitted), None, None
    draws = bootstrap(
        fitted,
        choice.draws,
        seed=study.study.seed,
        workers=choice.workers,
        resume=study.at(choice.file) if choice.file else None,
    )
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
