"""The part of a study on partial least squares: the same model as composites, and why the methods differ."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sem_loyalty.display import Table, format_number
from sem_loyalty.errors import DataError, DataWarning, NotSupported, SpecificationError
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.model.syntax import parse
from sem_loyalty.pls_sem.bootstrap import PlsBootstrap, pls_bootstrap
from sem_loyalty.pls_sem.estimate import pls
from sem_loyalty.pls_sem.methods import Advice, compare_methods
from sem_loyalty.pls_sem.quality import pls_quality
from sem_loyalty.pls_sem.solution import Pls
from sem_loyalty.publish import pls_tables
from sem_loyalty.publish.settings import Study
from sem_loyalty.publish.study_sample import StudySample
from sem_loyalty.publish.tables import Edition, basis


@dataclass(frozen=True, slots=True)
class PlsPart:
    """What a study says by partial least squares.

    Attributes
    ----------
    tables : tuple of Table
    statements : dict of str to tuple of str
        Under "pls": which method to report and why, in sentences.
    """

    tables: tuple[Table, ...] = ()
    statements: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def pls_part(study: Study, sample: StudySample, fitted: Fit, text: str, edition: Edition) -> PlsPart:
    """Return the model by partial least squares, beside the covariance-based fit.

    Parameters
    ----------
    study : Study
        Section [pls] says whether it is wanted; by default it is not.
    sample : StudySample
    fitted : Fit
        The covariance-based fit of the study.
    text : str
        The model.
    edition : Edition

    Returns
    -------
    PlsPart
        Empty, with a DataWarning, where partial least squares has no such model.
    """
    if not study.pls.run:
        return PlsPart()
    arguments: dict[str, Any] = {"scheme": study.pls.scheme, **_matrix(sample)}
    model = parse(text)
    try:
        found = pls(model, sample.data, ordered=study.model.ordered is True, **arguments)
    except (NotSupported, SpecificationError, DataError) as error:
        warnings.warn(f"No partial least squares: {error}", DataWarning, stacklevel=2)
        return PlsPart()
    drawn = _drawn(found, study)
    own = edition_of(found, study, edition)
    made: list[Table] = []
    said: list[str] = []
    if not found.admissible:
        said.append(edition.word("pls_bad", problems=" ".join(found.problems)))
    if found.model.first is None and not found.ordered:
        compared = compare_methods(model, sample.data, **arguments)
        said += [advice_text(entry, edition) for entry in compared.advice]
        made.append(pls_tables.methods_table(compared, own, study.pls.scheme))
    quality = pls_quality(found)
    made += [
        pls_tables.paths_table(quality, drawn, own),
        pls_tables.outer_table(quality, own),
        pls_tables.reliability_table(quality, own),
        pls_tables.htmt_table(quality, drawn, own),
        pls_tables.fit_table(quality, own),
    ]
    return PlsPart(tuple(table for table in made if table.rows), {"pls": tuple(said)})


def _matrix(sample: StudySample) -> dict[str, Any]:
    """Return the arguments for a covariance matrix; none for answers."""
    return {name: sample.moments[name] for name in ("sample_cov", "sample_nobs") if name in sample.moments}


def _drawn(found: Pls, study: Study) -> PlsBootstrap | None:
    """Return the draws that the study asks for, where there are answers and the solution means something."""
    if study.pls.draws == 0 or found.rows is None or not found.admissible:
        return None
    return pls_bootstrap(found, study.pls.draws, seed=study.study.seed, progress=False)


def edition_of(found: Pls, study: Study, edition: Edition) -> Edition:
    """Return the edition for tables of partial least squares, which have respondents and a mark of their own."""
    missing = edition.word("missing_listwise") if found.rows is not None else ""
    method = "PLS" + (f" ({edition.word(f'scheme_{study.pls.scheme}')})" if edition.lang == "zh" else "")
    return replace(
        edition,
        basis=basis(edition.lang, n={"": found.n}, estimator=method, missing=missing),
        certified=found.admissible,
        drawn="",
    )


def advice_text(advice: Advice, edition: Edition) -> str:
    """Return a piece of advice in the language of the edition, constructs called by their labels."""
    join, blank = (", ", " and ") if edition.lang == "en" else ("；", "与")
    pairs = join.join(
        f"{edition.label(one)}{blank}{edition.label(other)} ({format_number(value, bounded=True, lang=edition.lang)})"
        for one, other, value in advice.pairs
    )
    details = dict(advice.details)
    if "names" in details:
        names = [edition.label(name) for name in details["names"].split(", ")]
        details["names"] = (", " if edition.lang == "en" else "、").join(names)
    return edition.word(f"advice_{advice.code}", **details, pairs=pairs)
