"""The study of one model, as the command line asks for it."""

from __future__ import annotations

from typing import Any

from sem_loyalty.errors import ConfigurationError
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
from sem_loyalty.publish.study_file import contradictions

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
    )
    wrong = contradictions(study)
    if wrong:
        for key, said in _SAID.items():
            wrong = [text.replace(key, said) for text in wrong]
        raise ConfigurationError("\n".join(wrong))
    return study
