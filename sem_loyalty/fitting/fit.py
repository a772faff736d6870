"""`fit`: from a model and data to a certified solution."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from sem_loyalty.display import format_p
from sem_loyalty.errors import (
    ConfigurationError,
    ImproperSolutionWarning,
    NotSupported,
    SpecificationError,
    check_choice,
)
from sem_loyalty.fitting.certificate import Certificate, certify
from sem_loyalty.fitting.identification import unidentified_parameters
from sem_loyalty.fitting.ordinal import (
    ROBUST,
    WEIGHTS,
    category_counts,
    check_ordered,
    is_ordinal,
    ordinal_discrepancy,
    ordinal_moments,
    with_thresholds,
)
from sem_loyalty.fitting.search import Problem, pose, search
from sem_loyalty.fitting.threads import one_thread
from sem_loyalty.kernel.discrepancy import Discrepancy
from sem_loyalty.kernel.likelihood import Likelihood, Point, Sample, log_determinant
from sem_loyalty.kernel.ram import Block
from sem_loyalty.kernel.solver import Subspace
from sem_loyalty.model.defaults import refuse_unsupported, specify
from sem_loyalty.model.library import load_model
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.roles import roles
from sem_loyalty.model.scatter import blocks as make_blocks
from sem_loyalty.model.spec import Specification
from sem_loyalty.model.syntax import ModelText, parse
from sem_loyalty.survey.moments import Moments
from sem_loyalty.survey.sample import moments_from_cov, moments_from_data

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

ESTIMATORS = ("ML", "MLM", "MLMV", "MLR")
ENGINES = ("auto", "semopy", "kernel")
MISSING = ("listwise",)


@dataclass(frozen=True)
class Fit:
    """A fitted model. Small: uncertainty and fit measures are computed from it by functions.

    Attributes
    ----------
    specification : Specification
        The complete model.
    moments : Moments
        What was fitted.
    theta : ndarray, shape (q,)
        Estimates, in the order of `specification.free_parameters`.
    value : float
        Minimum of the discrepancy F; N F is the chi-square.
    certificate : Certificate
        What was checked about the solution. Look at `certificate.certified` before reporting anything.
    engine : str
        "semopy" (polished by the kernel) or "kernel".
    estimator : str
        "ML", "MLM", "MLMV" or "MLR"; of ordinal items "WLSMV", "ULSMV", "DWLS", "ULS" or "WLS".
    iterations : int
        Steps of the kernel.
    notes : tuple of str
        How the engines ended.
    """

    specification: Specification
    moments: Moments
    theta: Array
    value: float
    certificate: Certificate
    engine: str
    estimator: str
    iterations: int
    notes: tuple[str, ...]
    blocks: tuple[Block, ...] = field(repr=False)
    samples: tuple[Sample, ...] = field(repr=False)
    space: Subspace = field(repr=False)
    point: Point = field(repr=False)
    discrepancy: Discrepancy[Any] = field(repr=False)

    @cached_property
    def df(self) -> int:
        """Degrees of freedom: sample moments less free parameters; moments of fixed covariates count in neither."""
        return degrees_of_freedom(self.specification)

    @cached_property
    def chisq(self) -> float:
        """Test statistic against the saturated model, N F: the likelihood ratio, or the minimum of least squares."""
        return max(0.0, self.moments.n * self.value)

    @property
    def test_n(self) -> int:
        """What chi-square grows with: N, or with ordinal items N - 1; indices divide by it."""
        return self.moments.n - (1 if self.specification.ordered else 0)

    @property
    def tested(self) -> bool:
        """Whether the plain statistic has a p-value: not with df 0, nor where its weight is not the efficient one."""
        return self.df > 0 and (not self.specification.ordered or self.estimator == "WLS")

    def __str__(self) -> str:
        """Summarise the fit; the first line says whether it can be trusted."""
        test = f"chi-square {self.chisq:.3f}, df {self.df}"
        if self.tested:
            test += f", p {format_p(float(chdtrc(self.df, self.chisq)))}"
        if self.specification.ordered and self.df and not self.tested:
            corrected = "; `fit_measures` has the corrected test" if self.estimator in ROBUST else ""
            test = f"minimum {self.chisq:.3f}, df {self.df} (not a chi-square{corrected})"
        elif self.estimator in ("MLM", "MLMV", "MLR"):
            test += " (uncorrected; `fit_measures` has the corrected test)"
        groups = [f"{group.label} {group.n}" for group in self.moments.groups if group.label]
        used = f"N = {self.moments.n}" + (f" ({', '.join(groups)})" if groups else "")
        lost = self.moments.n_collected - self.moments.n
        if lost:
            used += f" of {self.moments.n_collected}; {lost} rows left out ({self.moments.missing})"
        lines = [
            self.certificate.summary,
            f"{self.estimator} estimates by {self.engine}; {used}",
            f"{test}; {self.specification.n_parameters} parameters",
        ]
        lines += [f"  - {problem}" for problem in self.certificate.problems]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        first, *rest = str(self).split("\n")
        colour = "#1a1a1a" if self.certificate.certified else "#b00020"
        body = "".join(f"<div>{escape(line.strip(' -'))}</div>" for line in rest)
        head = f'<b style="color:{colour}">{escape(first)}</b>'
        return f'<div style="border-left:3px solid {colour};padding-left:.8em">{head}{body}</div>'


def degrees_of_freedom(specification: Specification) -> int:
    """Return sample moments less free parameters, over all groups."""
    p, x = len(specification.observed), len(specification.exogenous)
    if specification.ordered:
        return p * (p - 1) // 2 + specification.n_thresholds - specification.n_parameters
    moments = p * (p + 1) // 2 - x * (x + 1) // 2
    if specification.meanstructure:
        moments += p - x
    return moments * len(specification.groups) - specification.n_parameters


def fit(
    model: str | Path | ModelText | ModelFile | Specification,
    data: pd.DataFrame | Mapping[str, Any] | None = None,
    *,
    estimator: str | None = None,
    missing: str = "listwise",
    ordered: bool | str | tuple[str, ...] | list[str] | None = None,
    group: str | None = None,
    group_equal: tuple[str, ...] | list[str] | str = (),
    group_partial: tuple[str, ...] | list[str] | str = (),
    std_lv: bool = False,
    meanstructure: bool | None = None,
    fixed_x: bool = True,
    orthogonal: bool = False,
    kind: str = "sem",
    sample_cov: Any = None,
    sample_mean: Any = None,
    sample_nobs: Any = None,
    sample_sd: Any = None,
    engine: str = "auto",
) -> Fit:
    """Fit a structural equation model and certify the solution.

    Parameters
    ----------
    model : str, Path, ModelText, ModelFile or Specification
        lavaan syntax, a path to a .lav file, the id of a library model such as "core", or a parsed or
        completed model (the defaults below then stay as they are in it).
    data : DataFrame or mapping, optional
        One row per respondent. Either `data` or `sample_cov`.
    estimator : str, optional
        "ML" (the default), "MLM", "MLMV" or "MLR"; with `ordered` "WLSMV" (the default there), "ULSMV", "DWLS", "ULS"
        or "WLS". ML is normal-theory maximum likelihood, with moments divided by n. The next three have the same
        estimates, and standard errors and tests corrected for answers that are not normal: Satorra-Bentler (MLM),
        scaled and shifted (MLMV), sandwich and Yuan-Bentler-Mplus (MLR). They need `data`. Those for ordinal items
        are least squares on thresholds and polychoric correlations; see Notes.
    missing : {"listwise"}, default "listwise"
        Rows with a missing answer on an item of the model are left out, and counted.
    ordered : bool, str or sequence of str, optional
        True, or the names of all observed variables: the items are ordinal. Some ordinal and some continuous
        variables, or ordinal items in several groups, raise NotSupported.
    group : str, optional
        Column that splits the sample, for a multi-group model.
    group_equal : sequence of str, default ()
        Parameters held equal across groups: "loadings", "intercepts", "means", "residuals",
        "residual_covariances", "lv_variances", "lv_covariances", "regressions".
    group_partial : sequence of str, default ()
        Parameters that `group_equal` spares, such as "x3 ~ 1".
    std_lv : bool, default False
        Unit latent variances instead of marker loadings.
    meanstructure : bool, optional
        Model the means; by default only where the model needs it.
    fixed_x : bool, default True
        Hold the moments of exogenous observed covariates at their sample values.
    orthogonal : bool, default False
        No covariances among exogenous latent variables unless written.
    kind : {"sem", "cfa", "growth"}, default "sem"
        Which of lavaan's sets of defaults completes the model.
    sample_cov : DataFrame or array, optional
        Covariance matrix divided by n - 1 (or a correlation matrix, with `sample_sd`), instead of `data`; a list,
        one per group, for a multi-group model.
    sample_mean, sample_sd : Series, mapping or array, optional
        Means, and standard deviations that turn a correlation matrix into a covariance matrix.
    sample_nobs : int, optional
        Respondents behind `sample_cov`.
    engine : {"auto", "semopy", "kernel"}, default "auto"
        Who finds the minimum first: semopy where it can express the model, else the kernel. The kernel always
        polishes, and a second minimisation in other units always checks.

    Returns
    -------
    Fit

    Raises
    ------
    ModelSyntaxError, SpecificationError
        The model cannot be read, contradicts itself or is not identified.
    DataError
        The data cannot be analysed.
    NotSupported
        The combination is not available; the message names what is.

    Warns
    -----
    ImproperSolutionWarning
        The solution is not certified.

    Notes
    -----
    With `ordered`, answers are categories of normal responses of unit variance, divided by thresholds (delta
    parameterisation). WLSMV and ULSMV weight the statistics by the inverse of their variances and equally; standard
    errors are sandwiches, and the test is scaled and shifted. DWLS and ULS are the same estimates with plain standard
    errors and no test, as lavaan has them: not to be reported. WLS weights by the full inverse and needs thousands of
    respondents.

    References
    ----------
    Muthen, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous
    latent variable indicators. Psychometrika, 49, 115-132. doi:10.1007/BF02294210

    Joreskog, K. G. (1969). A general approach to confirmatory maximum likelihood factor analysis.
    Psychometrika, 34, 183-202. doi:10.1007/BF02289343

    Examples
    --------
    >>> import sem_loyalty as sl
    >>> matrix = sl.load_published("iacobucci2009")
    >>> fitted = sl.fit(matrix.model_text, sample_cov=matrix.cov, sample_nobs=matrix.n)
    >>> fitted.df
    83
    """
    text = _text_of(model)
    if ordered is None and isinstance(model, Specification) and model.ordered:
        ordered = True
    ordinal = is_ordinal(ordered)
    estimator = estimator or ("WLSMV" if ordinal else "ML")
    _check_options(estimator, missing, engine, ordinal=ordinal)
    refuse_unsupported(text)
    if ordinal:
        names = roles(text.statements).observed
        check_ordered(ordered, names, estimator, group=group, matrix=data is None)
        if data is None or sample_cov is not None:
            raise ConfigurationError("Give either `data`, or `sample_cov` with `sample_nobs`.")
        with one_thread():
            moments = ordinal_moments(data, names, missing)
    else:
        moments = _moments(text, data, group, missing, sample_cov, sample_mean, sample_nobs, sample_sd)
    if isinstance(model, Specification):
        specification = model
        if len(specification.groups) != len(moments.groups):
            raise SpecificationError(
                f"The specification has {len(specification.groups)} groups and the data {len(moments.groups)}."
            )
    else:
        specification = specify(
            text,
            kind=kind,
            std_lv=std_lv,
            meanstructure=meanstructure,
            fixed_x=fixed_x,
            orthogonal=orthogonal,
            groups=tuple(entry.label for entry in moments.groups),
            group_equal=_names(group_equal),
            group_partial=_names(group_partial),
            ordered=category_counts(moments),
        )
    if bool(specification.ordered) != ordinal:
        raise ConfigurationError("The specification was made for ordinal items; leave out `ordered` or set it to True.")
    if estimator != "ML" and moments.raw is None:
        raise NotSupported(
            f"estimator={estimator!r} corrects by the distribution of the answers, so it needs `data`, not "
            "`sample_cov`; available for a covariance matrix: 'ML'."
        )
    if specification.meanstructure and any(entry.mean is None for entry in moments.groups):
        raise ConfigurationError("The model has a mean structure; give `sample_mean` beside `sample_cov`.")
    with one_thread():
        result = solve(specification, moments, engine=engine, estimator=estimator)
    if not result.certificate.certified:
        reasons = " ".join(str(problem) for problem in result.certificate.problems)
        warnings.warn(f"{result.certificate.summary} {reasons}", ImproperSolutionWarning, stacklevel=2)
    return result


def _check_options(estimator: str, missing: str, engine: str, *, ordinal: bool) -> None:
    """Raise NotSupported for what is not available, ConfigurationError for what does not exist."""
    check_choice("engine", engine, ENGINES)
    if estimator not in ESTIMATORS and not ordinal:
        listed = ", ".join(repr(name) for name in ESTIMATORS)
        more = "; it is for ordinal items: give ordered=True" if estimator in WEIGHTS else ""
        raise NotSupported(f"estimator={estimator!r} is not supported; available: {listed}{more}.")
    if missing not in MISSING:
        raise NotSupported(f"missing={missing!r} is not supported; available: 'listwise'.")


def _names(value: tuple[str, ...] | list[str] | str) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _text_of(model: str | Path | ModelText | ModelFile | Specification) -> ModelText:
    """Return the parsed model, wherever it comes from."""
    if isinstance(model, ModelText):
        return model
    if isinstance(model, (ModelFile, Specification)):
        return parse(model.text)
    looks_like_text = isinstance(model, str) and ("\n" in model or any(sign in model for sign in "~=～＝∼"))
    if looks_like_text:
        return parse(str(model))
    return parse(load_model(model).text)


def _moments(
    text: ModelText,
    data: Any,
    group: str | None,
    missing: str,
    sample_cov: Any,
    sample_mean: Any,
    sample_nobs: Any,
    sample_sd: Any,
) -> Moments:
    """Return the moments of the variables of the model, from rows or from a matrix."""
    if (data is None) == (sample_cov is None):
        raise ConfigurationError("Give either `data`, or `sample_cov` with `sample_nobs`.")
    names = roles(text.statements).observed
    if data is not None:
        return moments_from_data(data, names, group=group, missing=missing)
    if group is not None:
        raise ConfigurationError("`group` names a column of `data`; for matrices give a list, one per group.")
    if sample_nobs is None:
        raise ConfigurationError("`sample_cov` needs `sample_nobs`, the number of respondents behind it.")
    return moments_from_cov(sample_cov, sample_nobs, names=names, sample_mean=sample_mean, sample_sd=sample_sd)


def solve(specification: Specification, moments: Moments, *, engine: str = "auto", estimator: str = "ML") -> Fit:
    """Minimise, check in other units, certify.

    Parameters
    ----------
    specification : Specification
    moments : Moments
    engine : {"auto", "semopy", "kernel"}
    estimator : str
        As in `fit`. The likelihood estimators minimise the same discrepancy; the name says how uncertainty is computed.

    Returns
    -------
    Fit

    Raises
    ------
    SpecificationError
        The model has more parameters than moments, or is not identified.
    NotSupported
        `engine="semopy"` and semopy cannot express the model.
    """
    if degrees_of_freedom(specification) < 0:
        raise SpecificationError(
            f"The model is not identified: {specification.n_parameters} parameters, but only "
            f"{specification.n_parameters + degrees_of_freedom(specification)} sample moments. "
            "Fix or remove parameters, or add indicators."
        )
    index = [moments.names.index(name) for name in specification.observed]
    covs = tuple(np.ascontiguousarray(entry.cov[np.ix_(index, index)]) for entry in moments.groups)
    means = tuple(None if entry.mean is None else entry.mean[index] for entry in moments.groups)
    blocks = make_blocks(specification, covs, means)
    samples = make_samples(moments, covs, means, means_modelled=specification.meanstructure)
    discrepancy: Discrepancy[Point] = Likelihood(blocks, samples)
    if specification.ordered:
        least = ordinal_discrepancy(specification, moments, blocks[0], estimator)
        discrepancy = least
        problem = with_thresholds(pose(specification, discrepancy, covs, means), least)
    else:
        problem = pose(specification, discrepancy, covs, means)
    found = search(problem, covs[0], engine)
    if found.solution is None:
        _raise_if_unidentified(problem)
        raise SpecificationError(
            "No usable start: the implied covariance matrix is not positive definite at the start values. "
            "Check the fixed values and the start() modifiers of the model."
        )
    certificate = certify(
        specification,
        problem.discrepancy,
        found.solution.point,
        problem.space,
        converged=found.solution.converged,
        other_value=found.other_value,
    )
    if any(fault.code == "singular information" for fault in certificate.problems):
        _raise_if_unidentified(problem)
    return Fit(
        specification=specification,
        moments=moments,
        theta=found.solution.point.theta,
        value=max(0.0, found.solution.point.value),
        certificate=certificate,
        engine=found.engine,
        estimator=estimator,
        iterations=found.solution.iterations,
        notes=found.notes,
        blocks=blocks,
        samples=samples,
        space=problem.space,
        point=found.solution.point,
        discrepancy=discrepancy,
    )


def _raise_if_unidentified(problem: Problem[Point]) -> None:
    names = unidentified_parameters(problem.specification, problem.discrepancy, problem.start, problem.space)
    if names:
        raise SpecificationError(
            f"The model is not identified, whatever the data: {', '.join(names)} cannot all be estimated. "
            "Fix one of them, hold some equal, or add indicators."
        )


def make_samples(
    moments: Moments, covs: tuple[Array, ...], means: tuple[Array | None, ...], *, means_modelled: bool
) -> tuple[Sample, ...]:
    """Return what the likelihood needs of the moments, one per group."""
    return tuple(
        Sample(
            weight=entry.n / moments.n,
            cov=cov,
            mean=mean if mean is not None and means_modelled else np.zeros(len(cov)),
            logdet=log_determinant(cov) or 0.0,
        )
        for entry, cov, mean in zip(moments.groups, covs, means, strict=True)
    )
