"""A model looked at before it is fitted: can it be read, is it identified, do the data hold its items."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sem_loyalty.display import Column, Table
from sem_loyalty.errors import DataError, SpecificationError
from sem_loyalty.fitting.identification import unidentified_parameters
from sem_loyalty.fitting.solution import degrees_of_freedom
from sem_loyalty.fitting.starts import start_values
from sem_loyalty.kernel.likelihood import Likelihood, Sample, log_determinant
from sem_loyalty.model.defaults import specify
from sem_loyalty.model.library import load_model
from sem_loyalty.model.scatter import blocks, subspace
from sem_loyalty.model.spec import Specification
from sem_loyalty.publish.study_file import is_file
from sem_loyalty.survey.codebook import apply_codebook
from sem_loyalty.survey.model_columns import with_model_columns
from sem_loyalty.survey.read import read_survey
from sem_loyalty.survey.sample import moments_from_data

# Any positive definite matrix serves: identification at a generic point does not depend on the data.
_CORRELATION = 0.3


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """What is known of a model without fitting it.

    Attributes
    ----------
    specification : Specification
    df : int
        Degrees of freedom.
    moments : int
        Sample moments that the parameters are found from.
    unidentified : tuple of str
        Parameters that no data can determine; empty for a locally identified model.
    """

    specification: Specification
    df: int
    moments: int
    unidentified: tuple[str, ...]

    @property
    def problem(self) -> str:
        """What is wrong, or ""."""
        if self.df < 0:
            return (
                f"The model is not identified: {self.specification.n_parameters} parameters from {self.moments} "
                "sample moments. Fix or remove parameters, or add indicators."
            )
        if self.unidentified:
            return (
                f"The model is not identified, whatever the data: {', '.join(self.unidentified)} cannot all be "
                "estimated. Fix one of them, hold some equal, or add indicators."
            )
        return ""

    def table(self) -> Table:
        """Return constructs with their indicators, and the counts, as a Table."""
        spec = self.specification
        rows: list[dict[str, object]] = [
            {"what": f"{name} =~", "value": ", ".join(items)} for name, items in spec.indicators.items()
        ]
        explained = {name: [row.rhs for row in spec.parameters if row.op == "~" and row.lhs == name and row.group == 1]
                     for name in spec.outcomes}  # fmt: skip
        rows += [{"what": f"{name} ~", "value": ", ".join(causes)} for name, causes in explained.items()]
        rows += [
            {"what": "observed variables", "value": str(len(spec.observed))},
            {"what": "sample moments", "value": str(self.moments)},
            {"what": "free parameters", "value": str(spec.n_parameters)},
            {"what": "degrees of freedom", "value": str(self.df).replace("-", "−")},
            {"what": "identified", "value": "no" if self.problem else "yes, locally"},
        ]
        return Table("check", "", (Column("what", "Part"), Column("value", "Content")), tuple(rows))


def check_model(specification: Specification) -> ModelCheck:
    """Count degrees of freedom and find parameters that no data can determine.

    Parameters
    ----------
    specification : Specification
        A complete model.

    Returns
    -------
    ModelCheck

    Notes
    -----
    Local identification by the rank of the information matrix at random points; see `unidentified_parameters`.
    """
    df = degrees_of_freedom(specification)
    moments = df + specification.n_parameters
    if df < 0:
        return ModelCheck(specification, df, moments, ())
    p, groups = len(specification.observed), len(specification.groups)
    cov = np.full((p, p), _CORRELATION) + (1 - _CORRELATION) * np.eye(p)
    covs, means = (cov,) * groups, (np.zeros(p),) * groups
    space = subspace(specification)
    sample = Sample(weight=1.0 / groups, cov=cov, mean=np.zeros(p), logdet=log_determinant(cov) or 0.0)
    likelihood = Likelihood(blocks(specification, covs, means), (sample,) * groups)
    start = start_values(specification, covs, means, space)
    unidentified = unidentified_parameters(specification, likelihood, start, space)
    return ModelCheck(specification, df, moments, unidentified)


def _respondents(scored: pd.DataFrame, items: tuple[str, ...]) -> str:
    """Return how many respondents the model would use, by either rule for missing answers."""
    kept = moments_from_data(scored, items, missing="fiml")
    try:
        complete = moments_from_data(scored, items).n
        every = f"{complete} of {kept.n_collected} respondents answered every item"
    except DataError as error:
        every = f"the complete answers alone cannot be analysed: {str(error).rstrip('.')}"
        complete = 0
    if complete == kept.n:
        return f"{every}."
    return f"{every}; with missing=fiml, {kept.n} of {kept.n_collected} are used."


def check(model: str, data: str | None = None, *, codebook: str | None = None, kind: str = "sem") -> str:
    """Check a model, and that a survey has what it needs.

    Parameters
    ----------
    model : str
        Id of the library, or path of a .lav file.
    data, codebook : str, optional
        Paths of a survey and its codebook.
    kind : {"sem", "cfa", "growth"}, default "sem"
        Whose defaults complete the model.

    Returns
    -------
    str
        Constructs, paths, counts, and how many respondents the model would use.

    Raises
    ------
    ModelSyntaxError, SpecificationError
        The model cannot be read, contradicts itself or is not identified.
    DataError
        The survey cannot be read, lacks an item (the nearest is named), or has no usable answers to one.
    """
    file = load_model(Path(model) if is_file(model) else model)
    groups = file.grouping.levels if file.grouping is not None else ("",)
    specification = specify(file.text, kind=kind, groups=groups)
    found = check_model(specification)
    if found.problem:
        raise SpecificationError(f"{found.problem}\n{found.table()}")
    lines = [str(found.table())]
    if data is not None:
        scored = with_model_columns(file, apply_codebook(read_survey(data, codebook=codebook)))
        lines.append(f"{Path(data).name}: {_respondents(scored, specification.observed)}")
    return "\n".join(lines)
