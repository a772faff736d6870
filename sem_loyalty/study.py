"""`run`: from study.toml to a folder of results; read it as a table of contents of the analysis."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sem_loyalty.diagnosis.diagnose import diagnose
from sem_loyalty.errors import DataWarning
from sem_loyalty.fitting.fit import fit
from sem_loyalty.inference.measures import fit_measures
from sem_loyalty.inference.verdicts import verdicts
from sem_loyalty.model.roles import roles
from sem_loyalty.model.syntax import parse
from sem_loyalty.publish import measurement_tables, records
from sem_loyalty.publish.demo_study import demo_study
from sem_loyalty.publish.diagram.layout_cache import LayoutCache
from sem_loyalty.publish.exploration import explore
from sem_loyalty.publish.files import check_folder
from sem_loyalty.publish.hypotheses import hypotheses_table
from sem_loyalty.publish.hypothesis_part import hypothesis_part
from sem_loyalty.publish.loyalty_part import loyalty_part
from sem_loyalty.publish.one_model import one_model
from sem_loyalty.publish.outcome import Outcome, outcome_of, unchanged
from sem_loyalty.publish.output import write_results
from sem_loyalty.publish.paper import build_paper
from sem_loyalty.publish.pls_part import pls_part
from sem_loyalty.publish.recorded import messages, recorded
from sem_loyalty.publish.results import LAYOUT, Results
from sem_loyalty.publish.settings import BootstrapChoice, Study
from sem_loyalty.publish.steps import Steps
from sem_loyalty.publish.study_estimates import study_estimates
from sem_loyalty.publish.study_exports import study_exports
from sem_loyalty.publish.study_figures import evidence_plots, measurement_plots, path_diagrams
from sem_loyalty.publish.study_file import check_study, read_study
from sem_loyalty.publish.study_inputs import study_inputs, study_model
from sem_loyalty.publish.study_sample import read_sample
from sem_loyalty.publish.study_tables import excluded_by_rule, fit_part, sample_part, study_edition, study_title
from sem_loyalty.publish.table_notes import explained


def run(
    study: Study | str | Path,
    *,
    out: str | Path | None = None,
    draws: int | None = None,
    workers: int | None = None,
    fresh: bool = False,
) -> Results:
    """Run a study and write its folder of results, whole or not at all.

    Bootstrap draws, the robustness analysis and segments are kept beside the study file, in `.sem-loyalty/`, and taken
    from there where nothing that they depend on has changed; the results are the same to the last bit.

    Parameters
    ----------
    study : Study, str or Path
        A study file (see docs/study.md), or a Study.
    out : str or Path, optional
        Folder of results; by default the one that the study names.
    draws, workers : int, optional
        Bootstrap draws and processes, instead of those that the study names.
    fresh : bool, default False
        Compute everything; nothing is taken from an earlier run.

    Returns
    -------
    Results
        Look at `certified` before reporting anything.

    Raises
    ------
    ConfigurationError
        The study file is wrong (one message lists everything), or the folder holds files that are not results.
    DataError, SpecificationError, ModelSyntaxError, NotSupported
        The data or the model cannot be analysed as asked.
    OSError
        The disk refuses.
    """
    asked, folder = _asked(study, out, draws, workers)
    return _run(asked, folder, _steps(asked, fresh), fresh)[0]


def update(
    study: Study | str | Path,
    *,
    out: str | Path | None = None,
    draws: int | None = None,
    workers: int | None = None,
    fresh: bool = False,
) -> Outcome:
    """Run a study unless its folder of results is up to date, as the command line does.

    Parameters
    ----------
    study, out, draws, workers
        As in `run`.
    fresh : bool, default False
        Run in any case, and compute everything.

    Returns
    -------
    Outcome
        The folder is up to date where the inputs, the settings, the code of this package and the versions of all
        packages are those of the last run, and every file in it is as that run left it.

    Raises
    ------
    SemLoyaltyError, OSError
        As `run`.
    """
    asked, folder = _asked(study, out, draws, workers)
    found = None if fresh else unchanged(asked, folder)
    return _run(asked, folder, _steps(asked, fresh), fresh)[1] if found is None else found


def _asked(
    study: Study | str | Path, out: str | Path | None, draws: int | None, workers: int | None
) -> tuple[Study, Path]:
    """Return the study as it is asked for, and the folder of its results."""
    asked = (study if isinstance(study, Study) else read_study(study)).with_bootstrap(draws, workers)
    folder = asked.at(asked.output.dir) if out is None else Path(out)
    check_folder(folder)  # before the work, not after it
    return asked, folder


def _steps(study: Study, fresh: bool) -> Steps:
    """Return the steps of a study, with those that an earlier run has left."""
    check_study(study)
    steps = Steps.beside(study, study_inputs(study, study_model(study)))
    if fresh:
        steps.clear()
    return steps


def _run(study: Study, folder: Path, steps: Steps, fresh: bool) -> tuple[Results, Outcome]:
    """Analyse and write, and leave word of it for the next run."""
    layouts = folder / "figures" / LAYOUT
    kept = layouts.read_text(encoding="utf-8", errors="replace") if layouts.is_file() and not fresh else ""
    results = analyse(study, steps, layouts=kept)
    write_results(results, folder)
    outcome = outcome_of(results, folder, steps.summary())
    steps.finish(outcome.record())
    for complaint in steps.complaints:
        warnings.warn(complaint, DataWarning, stacklevel=3)
    return results, outcome


def build_study_paper(folder: str | Path, *, out: str | Path | None = None, fresh: bool = False) -> Path:
    """Build a paper, and before it the study that it reports where that is not up to date.

    Parameters
    ----------
    folder : str or Path
        As `build_paper`; the study is study.toml one folder up, where there is one.
    out : str or Path, optional
        The PDF.
    fresh : bool, default False
        Compute and run again in any case.

    Returns
    -------
    Path
        The PDF.

    Raises
    ------
    ConfigurationError
        As `build_paper` and `run`.
    OSError
        The disk refuses.
    """
    file = Path(folder).expanduser().resolve().parent / "study.toml"
    if file.is_file():
        update(file, fresh=fresh)
    return build_paper(folder, out=out, fresh=fresh)


def run_demo(out: str | Path = "results/demo", *, lang: str = "en") -> Results:
    """Run the model "core" on the simulated survey that travels with the package, with 5,000 bootstrap draws.

    Parameters
    ----------
    out : str or Path, default "results/demo"
        Folder of results.
    lang : {"en", "zh"}, default "en"
        Language of the report.

    Returns
    -------
    Results
        Of simulated data, and marked so everywhere.
    """
    return run(demo_study(out, lang), out=out)


def fit_once(
    model: str,
    data: str | None = None,
    *,
    codebook: str = "",
    cov: str = "",
    nobs: int | None = None,
    group: str = "",
    lang: str = "en",
    seed: int = 1,
    draws: int = 0,
    interval: str | None = None,
    workers: int = 1,
    evidence: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    **choice: Any,
) -> Results:
    """Fit one model without screening and exploration, as the command line does.

    Parameters
    ----------
    model : str
        Id of the library, or path of a .lav file.
    data, codebook : str, optional
        Paths of a survey and its codebook.
    cov : str, optional
        Instead of a survey: path of a covariance matrix, or id of published figures.
    nobs : int, optional
        Respondents behind a matrix from a file.
    group, lang, seed
        As in the study file.
    draws, interval, workers
        The keys of [bootstrap].
    evidence : mapping, optional
        Sections on hypotheses, as `hypothesis_sections` gives them.
    out : str or Path, optional
        Folder of results; by default nothing is written.
    **choice
        Further keys of [model].

    Returns
    -------
    Results

    Raises
    ------
    SemLoyaltyError, OSError
        As `run`.
    """
    study = one_model(
        model,
        data,
        codebook=codebook,
        cov=cov,
        nobs=nobs,
        group=group,
        lang=lang,
        written=out is not None,
        seed=seed,
        bootstrap=BootstrapChoice(draws=draws, interval=interval, workers=workers),
        evidence=evidence,
        **choice,
    )
    return analyse(study) if out is None else run(study, out=out)


def analyse(study: Study, steps: Steps | None = None, *, layouts: str = "") -> Results:
    """Do everything that a study asks for, without writing results.

    Parameters
    ----------
    study : Study
    steps : Steps, optional
        Keep slow steps between runs; by default everything is computed and nothing kept.
    layouts : str, default ""
        Layouts of path diagrams of an earlier run, which save time and change nothing.

    Returns
    -------
    Results

    Raises
    ------
    SemLoyaltyError
        As `run`.
    """
    check_study(study)
    steps = Steps(study) if steps is None else steps
    with recorded() as caught:
        model = study_model(study)
        text = model.rival_text(study.model.rival) if study.model.rival else model.text
        items = roles(parse(text).statements).observed
        sample = read_sample(study, model, items)
        factors = explore(study, sample, model, text)
        fitted = fit(text, sample.data, **study.fit_options(), **sample.moments)
        measures = fit_measures(fitted)
        found, drawn, draws = study_estimates(study, fitted, steps)
        judged = verdicts(model.hypotheses, found, certified=fitted.certificate.certified)
        edition = study_edition(study, model, fitted, drawn)
        evidence = hypothesis_part(study, sample, fitted, model, edition, draws, steps)
        composites = pls_part(study, sample, fitted, text, edition)
        loyalty = loyalty_part(study, sample.data, fitted, model, edition, steps)
        content = {
            table.id: explained(table)
            for table in (
                *sample_part(study, sample, fitted, edition),
                *(measurement_tables.efa_tables(factors, edition) if factors is not None else ()),
                *fit_part(fitted, found, measures, edition),
                *((hypotheses_table(judged, edition, evidence.survival),) if judged else ()),
                *evidence.tables,
                *composites.tables,
                *loyalty.tables,
                *measurement_tables.question_tables(model, edition),
            )
        }
        exports = study_exports(study.output.export, fitted)
        cache = LayoutCache(layouts)
        figures = path_diagrams(study, fitted, found, edition, cache)
        figures |= measurement_plots(study, fitted, factors, draws, edition)
        figures |= evidence_plots(study, evidence, edition) | loyalty.figures
        told = records.merged(
            records.sample_records(
                sample.collected,
                fitted.moments.n,
                excluded_by_rule(study, sample.screening),
                sample.screening,
            ),
            records.factor_records(factors) if factors is not None else {},
            records.measurement_records(fitted),
            evidence.records,
            loyalty.records,
        )
        cause = None if fitted.certificate.certified else diagnose(fitted)
    return Results(
        study=study,
        title=study_title(study, model),
        model=model,
        fit=fitted,
        estimates=found,
        measures=measures,
        drawn=drawn,
        verdicts=judged,
        weakest=evidence.weakest,
        statements={**evidence.statements, **composites.statements},
        records=told,
        tables=content,
        figures=figures,
        exports=exports,
        layouts=cache.text(),
        notes=sample.notes,
        warnings=messages(caught, fitted),
        inputs=study_inputs(study, model),
        simulated=study.study.simulated,
        diagnosis=cause,
    )
