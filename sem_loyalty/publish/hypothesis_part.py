"""The part of a study on its hypotheses: effects, rivals, groups, robustness and method bias."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, DataWarning, NotSupported, SpecificationError, nearest
from sem_loyalty.fitting.fit import fit
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.bootstrap import Bootstrap
from sem_loyalty.inference.comparison import compare
from sem_loyalty.inference.effects import Effects, effects
from sem_loyalty.inference.group_paths import PathComparison, compare_paths
from sem_loyalty.inference.invariance import Invariance, invariance
from sem_loyalty.inference.robustness import Robustness, robustness
from sem_loyalty.inference.specifications import OUTLIER_P
from sem_loyalty.measurement.method_bias import method_bias
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.publish import group_tables, hypothesis_tables, records
from sem_loyalty.publish.settings import Study
from sem_loyalty.publish.steps import Steps
from sem_loyalty.publish.stored_outcomes import plain_robustness, robustness_of_plain
from sem_loyalty.publish.study_sample import StudySample
from sem_loyalty.publish.tables import Edition, basis
from sem_loyalty.survey.answers import numeric_matrix
from sem_loyalty.survey.careless import mahalanobis
from sem_loyalty.survey.screen_rules import check_rules, hits


@dataclass(frozen=True, slots=True)
class HypothesisPart:
    """What a study says beyond the estimates of its model.

    Attributes
    ----------
    tables : tuple of Table
    statements : dict of str to tuple of str
        By section of the report: what was found, in sentences.
    robustness : Robustness or None
    paths : PathComparison or None
        Paths by group.
    survival : dict of str to (float, int)
        By hypothesis: share of the certified specifications that support it, and their number.
    records : mapping of str to list of dict
        What was found, by section.
    """

    tables: tuple[Table, ...] = ()
    statements: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    robustness: Robustness | None = None
    paths: PathComparison | None = None
    survival: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    records: records.Records = field(default_factory=dict)

    @property
    def weakest(self) -> str:
        """The hypothesis with the least support over the certified specifications; "" where none is tested.

        Among equals that of the smallest effect.
        """
        rows = self.robustness.summary().to_dict("records") if self.robustness is not None else []
        tested = [row for row in rows if row["certified"]]
        return str(min(tested, key=lambda row: (row["supported"], abs(row["median"])))["hypothesis"]) if tested else ""


def hypothesis_part(
    study: Study,
    sample: StudySample,
    fitted: Fit,
    model: ModelFile,
    edition: Edition,
    draws: Bootstrap | None,
    steps: Steps,
) -> HypothesisPart:
    """Return effects, rivals, groups, robustness and method bias, as far as a study asks for them.

    Parameters
    ----------
    study : Study
    sample : StudySample
    fitted : Fit
        Without certificate nothing is computed: there is no result to be corroborated.
    model : ModelFile
    edition : Edition
    draws : Bootstrap or None
        Draws of the fit, for intervals of effects.
    steps : Steps
        Keep the robustness analysis between runs.

    Returns
    -------
    HypothesisPart

    Raises
    ------
    ConfigurationError
        Unknown rivals, or columns that are not in the data.
    """
    if not fitted.certificate.certified:
        return HypothesisPart()
    made: list[Table] = []
    said: dict[str, tuple[str, ...]] = {}
    told: list[records.Records] = []
    if study.effects.run:
        found = _effects(study, fitted, draws)
        if found is not None:
            made += hypothesis_tables.effect_tables(found, edition)
            told.append(records.effect_records(found))
    if study.rivals.run:
        made.append(_rivals(study, sample, fitted, model, edition, said, told))
    paths = None
    if study.invariance.group and sample.data is not None:
        tables, paths = _groups(study, sample.data, fitted, edition, said, told)
        made += tables
    many = _robustness(study, sample, fitted, model, steps) if study.robustness.run else None
    if many is not None:
        table, said["robustness"] = hypothesis_tables.robustness_table(many, edition)
        made.append(table)
        told.append(records.robustness_records(many))
    if study.method_bias.run:
        try:
            bias = method_bias(fitted)
            tables, said["method_bias"] = hypothesis_tables.method_bias_tables(bias, edition)
            made += tables
            told.append(records.method_records(bias))
        except (NotSupported, SpecificationError) as error:
            _left_out("method bias", error)
    return HypothesisPart(tuple(made), said, many, paths, _survival(many), records.merged(*told))


def _left_out(what: str, error: Exception) -> None:
    """Say that a part is not available; the report goes on without it."""
    warnings.warn(f"No section on {what}: {error}", DataWarning, stacklevel=3)


def _effects(study: Study, fitted: Fit, draws: Bootstrap | None) -> Effects | None:
    if not any(row.op == "~" for row in fitted.specification.parameters):
        return None
    return effects(fitted, draws, interval=study.bootstrap.interval if draws is not None else None)


def _rivals(
    study: Study,
    sample: StudySample,
    fitted: Fit,
    model: ModelFile,
    edition: Edition,
    said: dict[str, tuple[str, ...]],
    told: list[records.Records],
) -> Table:
    """Compare the model with its rivals; where the study fits a rival, the model of the file is one of the others."""
    known = [rival.id for rival in model.rivals]
    for id in study.rivals.ids:
        if id not in known:
            raise ConfigurationError(
                f"[rivals] ids: the model has no rival {id!r} (it has: {', '.join(known) or 'none'}). "
                f"{nearest(id, known)}".strip()
            )
    titles = {rival.id: rival.title.text(edition.lang) for rival in model.rivals}
    ids = {title: id for id, title in titles.items()} | {edition.word("own_model"): records.OWN_MODEL}
    texts = {titles[id]: model.rival_text(id) for id in study.rivals.ids or known if id != study.model.rival}
    if study.model.rival:
        texts = {model.title.text(edition.lang): model.text} | texts
        ids[model.title.text(edition.lang)] = model.id
    if not texts:
        raise ConfigurationError("[rivals] run = true, but the model's description brings no rivals.")
    with warnings.catch_warnings():
        # Whether a rival is certified stands in the table.
        warnings.simplefilter("ignore")
        fits = [fit(text, sample.data, **study.fit_options(), **sample.moments) for text in texts.values()]
    own = edition.word("own_model")
    found = compare(fitted, *fits, names=[own, *texts])
    told.append(records.rival_records(found, ids))
    table, said["rivals"] = hypothesis_tables.rivals_table(found, own, edition)
    return table


def _groups(
    study: Study,
    data: pd.DataFrame,
    fitted: Fit,
    edition: Edition,
    said: dict[str, tuple[str, ...]],
    told: list[records.Records],
) -> tuple[list[Table], PathComparison | None]:
    """Test the invariance of the measurement, then compare means and paths as far as it goes."""
    wanted = study.invariance
    if wanted.group not in data.columns:
        columns = [str(name) for name in data.columns]
        raise ConfigurationError(
            f"Groups to compare: the data have no column {wanted.group!r}. {nearest(wanted.group, columns)}".strip()
        )
    text = fitted.specification.text
    options: dict[str, Any] = {"estimator": fitted.estimator, "missing": study.model.missing}
    try:
        found = invariance(text, data, wanted.group, rule=wanted.rule, partial=wanted.partial, **options)
    except (NotSupported, SpecificationError) as error:
        _left_out("groups", error)
        return [], None
    edition = _of_groups(found, fitted, edition)
    table, sentences = group_tables.invariance_table(found, edition)
    told.append(records.invariance_records(found))
    made, spoken = [table], list(sentences)
    means = group_tables.means_table(found, edition)
    if means is not None:
        made.append(means[0])
        spoken += means[1]
    paths = None
    equal = any(name in found.level for name in ("metric", "scalar", "strict"))
    if wanted.paths and not equal:
        spoken.append(edition.word("paths_not_compared"))
    elif wanted.paths:
        released = tuple(name for step in found.steps if step.holds for name in step.released if "=~" in name)
        try:
            paths = compare_paths(text, data, wanted.group, group_partial=tuple(dict.fromkeys(released)), **options)
        except SpecificationError as error:
            _left_out("paths by group", error)
    if paths is not None and paths.certified:
        table, sentences = group_tables.group_paths_table(paths, edition)
        told.append(records.group_path_records(paths))
        made.append(table)
        spoken += sentences
    said["invariance"] = tuple(spoken)
    return made, paths if paths is not None and paths.certified else None


def _of_groups(found: Invariance, fitted: Fit, edition: Edition) -> Edition:
    """Return the edition with the respondents by group in its notes."""
    counts = {group.label: group.n for group in found.steps[0].fit.moments.groups}
    missing = edition.word(f"missing_{fitted.moments.missing}")
    return replace(edition, basis=basis(edition.lang, n=counts, estimator=fitted.estimator, missing=missing), drawn="")


def _robustness(study: Study, sample: StudySample, fitted: Fit, model: ModelFile, steps: Steps) -> Robustness | None:
    """Estimate the hypotheses under other choices; the main specification is the one that the study fits."""
    wanted = study.robustness
    if sample.data is None or sample.everyone is None:
        return None
    unknown = [name for name in wanted.controls if name not in sample.data.columns]
    if unknown:
        columns = [str(name) for name in sample.data.columns]
        raise ConfigurationError(
            f"[robustness] controls: the data have no column {unknown[0]!r}. {nearest(unknown[0], columns)}".strip()
        )
    screened = _screened(study, sample) if wanted.screening else {}
    everyone = sample.everyone if screened else sample.data
    exclude = screened | ({"outliers": _outliers(fitted, everyone)} if wanted.outliers else {})

    def run() -> Robustness:
        return robustness(
            fitted.specification.text,
            everyone,
            hypotheses=model.hypotheses or None,
            estimators=tuple(dict.fromkeys((fitted.estimator, *wanted.estimators))),
            missing=tuple(dict.fromkeys((study.model.missing, *wanted.missing))),
            exclude=exclude,
            applied=tuple(screened),
            drop_items=wanted.drop_items,
            controls=wanted.controls,
            most=wanted.most,
            seed=study.study.seed,
            workers=wanted.workers,
        )

    def restored(plain: Any) -> Robustness:
        return robustness_of_plain(plain, model.hypotheses)

    return steps.take("robustness", ("robustness",), run, plain=plain_robustness, restore=restored)


def _screened(study: Study, sample: StudySample) -> dict[str, np.ndarray]:
    """Return, by rule of the screening, who is left out by it, whatever the other rules do."""
    if sample.screening is None:
        return {}
    stated = check_rules(study.screen.rules, study.screen.arguments())
    flags = sample.screening.respondents
    return {rule: np.asarray(hits(rule, limit, flags), dtype=bool) for rule, limit in stated.items()}


def _outliers(fitted: Fit, data: pd.DataFrame) -> np.ndarray:
    probability = mahalanobis(numeric_matrix(data, fitted.specification.observed))[1]
    return np.nan_to_num(probability, nan=1.0) < OUTLIER_P


def _survival(found: Robustness | None) -> dict[str, tuple[float, int]]:
    if found is None:
        return {}
    rows = found.summary().to_dict("records")
    return {row["hypothesis"]: (float(row["supported"]), int(row["certified"])) for row in rows}
