"""`run`: from study.toml to a folder of results; read it as a table of contents of the analysis."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sem_loyalty.diagnosis.diagnose import Diagnosis, diagnose
from sem_loyalty.errors import DataError, DataWarning, SemLoyaltyWarning
from sem_loyalty.fitting.fit import fit
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.measures import fit_measures
from sem_loyalty.inference.verdicts import verdicts
from sem_loyalty.measurement.efa import efa
from sem_loyalty.measurement.factors import EFA
from sem_loyalty.model.library import load_model
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.roles import roles
from sem_loyalty.model.syntax import parse
from sem_loyalty.publish import measurement_tables
from sem_loyalty.publish.diagram.layout_cache import LayoutCache
from sem_loyalty.publish.evidence_settings import (
    InvarianceChoice,
    MethodBiasChoice,
    RivalChoice,
    RobustnessChoice,
)
from sem_loyalty.publish.files import check_folder
from sem_loyalty.publish.hypotheses import hypotheses_table
from sem_loyalty.publish.hypothesis_part import hypothesis_part
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.loyalty_part import loyalty_part
from sem_loyalty.publish.one_model import one_model
from sem_loyalty.publish.output import write_results
from sem_loyalty.publish.results import LAYOUT, Results
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
from sem_loyalty.publish.study_estimates import study_estimates
from sem_loyalty.publish.study_figures import evidence_plots, path_diagrams
from sem_loyalty.publish.study_file import check_study, is_file, read_study
from sem_loyalty.publish.study_sample import StudySample, read_sample
from sem_loyalty.publish.study_tables import fit_part, sample_part, study_edition
from sem_loyalty.survey.published import demo_codebook_path, demo_path


def run(
    study: Study | str | Path,
    *,
    out: str | Path | None = None,
    draws: int | None = None,
    workers: int | None = None,
) -> Results:
    """Run a study and write its folder of results, whole or not at all.

    Parameters
    ----------
    study : Study, str or Path
        A study file (see docs/study.md), or a Study.
    out : str or Path, optional
        Folder of results; by default the one that the study names.
    draws, workers : int, optional
        Bootstrap draws and processes, instead of those that the study names.

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
    asked = study if isinstance(study, Study) else read_study(study)
    if draws is not None:
        asked = replace(asked, bootstrap=replace(asked.bootstrap, draws=draws))
    if workers is not None:
        asked = replace(asked, bootstrap=replace(asked.bootstrap, workers=workers))
    folder = asked.at(asked.output.dir) if out is None else Path(out)
    check_folder(folder)  # before the work, not after it
    layouts = folder / "figures" / LAYOUT
    kept = layouts.read_text(encoding="utf-8", errors="replace") if layouts.is_file() else ""
    results = analyse(asked, layouts=kept)
    write_results(results, folder)
    return results


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
    rules = {"longstring": 12, "duration_per_item": 2, "missing_share": 0.2}
    study = Study(
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
    return run(study, out=out)


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
    file = _model(study)
    sample = read_sample(study, file, roles(parse(file.text).statements).observed)
    return diagnose(file.text, sample.data, **study.fit_options(), **sample.moments)


def analyse(study: Study, *, layouts: str = "") -> Results:
    """Do everything that a study asks for, without writing anything.

    Parameters
    ----------
    study : Study
    layouts : str, default ""
        "layout.json" of an earlier run; it saves time and changes nothing.

    Returns
    -------
    Results

    Raises
    ------
    SemLoyaltyError
        As `run`.
    """
    check_study(study)
    with _recorded() as caught:
        model = _model(study)
        text = model.rival_text(study.model.rival) if study.model.rival else model.text
        items = roles(parse(text).statements).observed
        sample = read_sample(study, model, items)
        factors = _explore(study, sample, model, text)
        fitted = _fit(study, sample, text)
        measures = fit_measures(fitted)
        found, drawn, draws = study_estimates(study, fitted)
        judged = verdicts(model.hypotheses, found, certified=fitted.certificate.certified)
        edition = study_edition(study, model, fitted, drawn)
        evidence = hypothesis_part(study, sample, fitted, model, edition, draws)
        loyalty = loyalty_part(study, sample.data, fitted, model, edition)
        content = {
            table.id: table
            for table in (
                *sample_part(study, sample, fitted, edition),
                *(measurement_tables.efa_tables(factors, edition) if factors is not None else ()),
                *fit_part(fitted, found, measures, edition),
                *((hypotheses_table(judged, edition, evidence.survival),) if judged else ()),
                *evidence.tables,
                *loyalty.tables,
                *measurement_tables.question_tables(model, edition),
            )
        }
        cache = LayoutCache(layouts)
        figures = path_diagrams(study, fitted, found, edition, cache) | evidence_plots(study, evidence, edition)
        figures |= loyalty.figures
        cause = None if fitted.certificate.certified else diagnose(fitted)
    return Results(
        study=study,
        title=_title(study, model),
        model=model,
        fit=fitted,
        estimates=found,
        measures=measures,
        drawn=drawn,
        verdicts=judged,
        weakest=evidence.weakest,
        statements=evidence.statements,
        tables=content,
        figures=figures,
        notes=sample.notes,
        warnings=_messages(caught, fitted),
        inputs=sample.inputs | _model_inputs(study, model),
        simulated=study.study.simulated,
        layouts=cache.text(),
        diagnosis=cause,
    )


@contextmanager
def _recorded() -> Iterator[list[warnings.WarningMessage]]:
    """Collect the warnings of this package for the report; others pass on to where they would have gone."""
    ours: list[warnings.WarningMessage] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SemLoyaltyWarning)
        yield ours
    for entry in caught:
        if issubclass(entry.category, SemLoyaltyWarning):
            ours.append(entry)
        else:
            warnings.warn_explicit(entry.message, entry.category, entry.filename, entry.lineno)


def _messages(caught: list[warnings.WarningMessage], fitted: Fit) -> tuple[str, ...]:
    """Return the warnings, each once, without that of the certificate, which the report gives in full.

    Inequalities that hold the solution at their bound come first.
    """
    messages = dict.fromkeys(str(entry.message) for entry in caught)
    bounds = (fitted.bound_note,) if fitted.active else ()
    return (*bounds, *(text for text in messages if not text.startswith(fitted.certificate.summary)))


def _model(study: Study) -> ModelFile:
    """Load the model, from the library or from a file beside the study."""
    return load_model(study.at(study.model.id) if is_file(study.model.id) else study.model.id)


def _explore(study: Study, sample: StudySample, model: ModelFile, text: str) -> EFA | None:
    """Explore the factors behind the items that measure constructs, products of items left out."""
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


def _fit(study: Study, sample: StudySample, text: str) -> Fit:
    """Fit the model."""
    return fit(text, sample.data, **study.fit_options(), **sample.moments)


def _title(study: Study, model: ModelFile) -> str:
    title = study.study.title or model.title.text(study.study.lang)
    mark = word("simulated_title", study.study.lang)
    if not study.study.simulated or mark in title:
        return title
    return f"{title} ({mark})" if study.study.lang == "en" else f"{title}（{mark}）"


def _model_inputs(study: Study, model: ModelFile) -> dict[str, bytes]:
    """Return the files of the model by name, and the study file where there is one."""
    found = {path.name: path.read_bytes() for path in (model.path, model.path.with_suffix(".toml")) if path.is_file()}
    file = study.folder / study.name
    return found | ({study.name: file.read_bytes()} if study.name.endswith(".toml") and file.is_file() else {})
