"""One model, as the command line asks for it: its study, its diagnosis, its export."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sem_loyalty.diagnosis.diagnose import Diagnosis, diagnose
from sem_loyalty.errors import ConfigurationError
from sem_loyalty.fitting.fit import fit
from sem_loyalty.model.library import load_model
from sem_loyalty.model.roles import roles
from sem_loyalty.model.syntax import parse
from sem_loyalty.publish.evidence_settings import InvarianceChoice, RivalChoice, RobustnessChoice
from sem_loyalty.publish.export_model import Export, export_model
from sem_loyalty.publish.settings import (
    About,
    BootstrapChoice,
    DataSource,
    FactorChoice,
    ModelChoice,
    Output,
    ScreenChoice,
    Study,
)
from sem_loyalty.publish.study_file import check_study, contradictions, is_file
from sem_loyalty.publish.study_inputs import study_model
from sem_loyalty.publish.study_sample import read_sample

# What the keys of a study are called on the command line.
_SAID = {
    "[data] nobs": "--nobs",
    "[data] group": "--group",
    "[data] codebook": "--codebook",
    "[model] id": "MODEL",
    "[model] estimator = ": "--estimator ",
    "ordered = true": "--ordered",
    "[model] ordered": "--ordered",
    "[bootstrap] draws = ": "--bootstrap ",
    "[bootstrap]": "--bootstrap",
    "[invariance] ": "--group ",
    "[robustness] ": "--robustness ",
    "[rivals] ": "A comparison with rivals ",
    "[data] needs either path (a survey) or matrix (a covariance matrix)": "Give either DATA or --cov",
}


def one_model(
    model: str,
    data: str | None,
    *,
    codebook: str,
    cov: str,
    nobs: int | None,
    group: str,
    lang: str,
    written: bool,
    seed: int = 1,
    bootstrap: BootstrapChoice | None = None,
    evidence: Mapping[str, Any] | None = None,
    **choice: Any,
) -> Study:
    """Return the study of one model without screening and exploration.

    Parameters
    ----------
    model : str
        Id of the library, or path of a .lav file.
    data, codebook, cov, nobs, group, lang
        As in `sem_loyalty.study.fit_once`.
    written : bool
        Whether results go to a folder.
    seed : int, default 1
    bootstrap : BootstrapChoice, optional
        By default no draws.
    evidence : mapping, optional
        Further sections, such as those of `hypothesis_sections`.
    **choice
        Further keys of [model].

    Raises
    ------
    ConfigurationError
        The choices contradict each other, said in the words of the command line.
    """
    study = Study(
        study=About(lang=lang, seed=seed),
        data=DataSource(path=data or "", codebook=codebook, group=group, matrix=cov, nobs=nobs),
        screen=ScreenChoice(run=False),
        model=ModelChoice(id=model, **choice),
        bootstrap=bootstrap or BootstrapChoice(),
        efa=FactorChoice(run=False),
        output=Output() if written else Output(formats=()),
        name="fit",
        **(evidence or {}),
    )
    wrong = contradictions(study)
    if wrong:
        for key, said in _SAID.items():
            wrong = [text.replace(key, said) for text in wrong]
        raise ConfigurationError("\n".join(wrong))
    return study


def hypothesis_sections(model: str, *, group: str, robustness: bool, most: int, workers: int) -> dict[str, Any]:
    """Return the sections of a study that ask for all that can be said of the hypotheses of a model.

    Parameters
    ----------
    model : str
        Id of the library, or path of a .lav file; it is compared with the rivals that its description brings.
    group : str
        Column with groups to be compared; "" compares none.
    robustness : bool
    most, workers : int
        As in [robustness].
    """
    rivals = load_model(Path(model) if is_file(model) else model).rivals
    return {
        "rivals": RivalChoice(run=bool(rivals)),
        "invariance": InvarianceChoice(group=group),
        "robustness": RobustnessChoice(run=robustness, most=most, workers=workers),
    }


def diagnose_once(
    model: str,
    data: str | None = None,
    *,
    codebook: str = "",
    cov: str = "",
    nobs: int | None = None,
    group: str = "",
    **choice: Any,
) -> Diagnosis:
    """Diagnose one model, as the command line does; it may be one that `fit_once` refuses as not identified.

    Parameters
    ----------
    model, data, codebook, cov, nobs, group, **choice
        As in `fit_once`.

    Returns
    -------
    Diagnosis

    Raises
    ------
    SemLoyaltyError, OSError
        As `fit_once`, but for a model that is not identified.
    """
    study = one_model(
        model, data, codebook=codebook, cov=cov, nobs=nobs, group=group, lang="en", written=False, **choice
    )
    check_study(study)
    file = study_model(study)
    sample = read_sample(study, file, roles(parse(file.text).statements).observed)
    return diagnose(file.text, sample.data, **study.fit_options(), **sample.moments)


def export_once(
    model: str,
    data: str | None = None,
    *,
    to: str = "lavaan",
    out: str | Path | None = None,
    codebook: str = "",
    cov: str = "",
    nobs: int | None = None,
    group: str = "",
    **choice: Any,
) -> Export:
    """Write one model for another program, as the command line does; without data the model alone.

    Parameters
    ----------
    model, data, codebook, cov, nobs, group, **choice
        As in `fit_once`.
    to : {"lavaan", "mplus", "semopy"}, default "lavaan"
    out : str or Path, optional
        Folder to write to; by default nothing is written.

    Returns
    -------
    Export

    Raises
    ------
    SemLoyaltyError, OSError
        As `fit_once` and `export_model`.
    """
    if not (data or cov):
        return export_model(load_model(model), to, out)
    study = one_model(
        model, data, codebook=codebook, cov=cov, nobs=nobs, group=group, lang="en", written=False, **choice
    )
    check_study(study)
    file = study_model(study)
    sample = read_sample(study, file, roles(parse(file.text).statements).observed)
    return export_model(fit(file.text, sample.data, **study.fit_options(), **sample.moments), to, out)
