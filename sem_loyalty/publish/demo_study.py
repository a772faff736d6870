"""The study of the simulated survey that travels with the package: everything that a study can ask for."""

from __future__ import annotations

from pathlib import Path

from sem_loyalty.publish.evidence_settings import InvarianceChoice, MethodBiasChoice, RivalChoice, RobustnessChoice
from sem_loyalty.publish.settings import (
    About,
    BootstrapChoice,
    DataSource,
    LoyaltyChoice,
    ModelChoice,
    Output,
    ScreenChoice,
    Study,
)
from sem_loyalty.survey.published import demo_codebook_path, demo_path


def demo_study(out: str | Path, lang: str) -> Study:
    """Return the study of the model "core" on the simulated survey, with 5,000 bootstrap draws.

    Parameters
    ----------
    out : str or Path
        Folder of results.
    lang : {"en", "zh"}
        Language of the report.
    """
    rules = {"longstring": 12, "duration_per_item": 2, "missing_share": 0.2}
    return Study(
        study=About(lang=lang, simulated=True),
        data=DataSource(path=str(demo_path()), codebook=str(demo_codebook_path())),
        screen=ScreenChoice(duration="duration", id="id", rules=rules),
        model=ModelChoice(id="core"),
        bootstrap=BootstrapChoice(draws=5000),
        loyalty=LoyaltyChoice(outcome="LOY", recommend="recommend"),
        rivals=RivalChoice(run=True),
        invariance=InvarianceChoice(group="channel"),
        robustness=RobustnessChoice(run=True, controls=("age",), most=150),
        method_bias=MethodBiasChoice(run=True),
        output=Output(dir=str(out)),
        folder=Path.cwd(),
        name="demo",
    )
