"""`fit`: from a model and data to a certified solution."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sem_loyalty.errors import ConfigurationError, ImproperSolutionWarning, NotSupported, SpecificationError
from sem_loyalty.fitting.discrepancies import FROM_MATRIX, LEAST_SQUARES
from sem_loyalty.fitting.options import ALIASES, check_options, names_of
from sem_loyalty.fitting.ordinal import category_counts, is_ordinal, ordinal_items, ordinal_moments
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.fitting.solve import solve
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.model.defaults import specify
from sem_loyalty.model.library import load_model
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.ordinal import refuse_ordinal_predictors, refuse_unsupported
from sem_loyalty.model.roles import roles, roles_of_text
from sem_loyalty.model.spec import Specification
from sem_loyalty.model.syntax import ModelText, parse
from sem_loyalty.survey.model_columns import with_model_columns
from sem_loyalty.survey.moments import Moments
from sem_loyalty.survey.plain_file import answers_in
from sem_loyalty.survey.sample import moments_from_cov, moments_from_data

if TYPE_CHECKING:
    import pandas as pd


def fit(
    model: str | Path | ModelText | ModelFile | Specification,
    data: pd.DataFrame | Mapping[str, Any] | str | Path | None = None,
    *,
    estimator: str | None = None,
    missing: str = "listwise",
    ordered: bool | str | tuple[str, ...] | list[str] | None = None,
    group: str | None = None,
    group_equal: tuple[str, ...] | list[str] | str = (),
    group_partial: tuple[str, ...] | list[str] | str = (),
    parameterization: str = "delta",
    std_lv: bool = False,
    meanstructure: bool | None = None,
    fixed_x: bool | None = None,
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
    data : DataFrame, mapping, str or Path, optional
        One row per respondent: columns, or the path of a survey file, which is read as `read_survey` reads it by
        default. Either `data` or `sample_cov`. Products of items that a model file declares, such as
        "satisfaction_trap", are made from the items (double-mean-centred, see `product_indicators`) unless they are
        there.
    estimator : str, optional
        "ML" (the default), "MLM", "MLMV", "MLR", "GLS", "ULS", "WLS" or "DWLS"; with `ordered` "WLSMV" (the default
        there), "ULSMV", "DWLS", "ULS" or "WLS". ML is normal-theory maximum likelihood, with moments divided by n. MLM,
        MLMV and MLR have the same estimates, and standard errors and tests corrected for answers that are not normal:
        Satorra-Bentler (MLM), scaled and shifted (MLMV), sandwich and Yuan-Bentler-Mplus (MLR). They need `data`. The
        next four are least squares on the moments, divided by n - 1: weighted by normal theory at the sample (GLS),
        unweighted (ULS), weighted by the inverse of the moments' estimated covariance matrix (WLS, asymptotically
        distribution-free), or of its diagonal (DWLS). WLS and DWLS need `data`. Those for ordinal items are least
        squares on thresholds and polychoric correlations; see Notes.
    missing : {"listwise", "fiml", "pairwise"}, default "listwise"
        "listwise" leaves out, and counts, rows with a missing answer on an item of the model. "fiml" ("ml", "direct")
        keeps every row with an answer and maximises the likelihood of the answers present (full-information maximum
        likelihood), which is right where answers are missing at random; means are then modelled, standard errors come
        from the observed information, and rows without an answer on a fixed covariate are left out. For ML and MLR.
        "pairwise", with `ordered`, takes thresholds from all answers to an item and correlations from all answers to
        both, which is right where answers are missing completely at random.
    ordered : bool, str or sequence of str, optional
        The ordinal items: names, or True for all observed variables but exogenous covariates. The others are
        continuous; a covariate is a number or a dummy, never one of these.
    group : str, optional
        Column that splits the sample, for a multi-group model.
    group_equal : sequence of str, default ()
        Parameters held equal across groups: "loadings", "intercepts", "means", "residuals",
        "residual_covariances", "lv_variances", "lv_covariances", "regressions"; of ordinal items "thresholds", which
        go together with "intercepts".
    group_partial : sequence of str, default ()
        Parameters that `group_equal` spares, such as "x3 ~ 1" or "y2 | t1".
    parameterization : {"delta", "theta"}, default "delta"
        Of ordinal items: whether their scales (`y ~*~ y`) or their residual variances are parameters, one where nothing
        frees them. Continuous variables know no difference.
    std_lv : bool, default False
        Unit latent variances instead of marker loadings.
    meanstructure : bool, optional
        Model the means; by default where the model needs it, where `sample_mean` is given, and for several groups.
    fixed_x : bool, optional
        Hold the moments of exogenous observed covariates at their sample values. By default, as in lavaan, likelihood
        and every estimator for ordinal items do, and least squares estimates them.
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
    Standard errors of GLS and WLS come from the expected information, which is efficient. ULS and DWLS minimise with
    a weight that is not, and their plain standard errors and test take no account of it: they equal lavaan's defaults
    and are not to be reported on their own. The statistic of ULS has no p-value.

    With `ordered`, answers are categories of normal responses, divided by thresholds; their variances are one (delta
    parameterisation), or one more than what is explained (theta). With fixed covariates those are the variances given
    them, and what is fitted are thresholds where they are zero, slopes on them and correlations given them. Thresholds
    that are equal across groups identify latent means, and scales (delta) or residual variances (theta), beyond the
    first group, which are then free, as in lavaan. Polyserial correlations join items and continuous variables. WLSMV
    and ULSMV weight the statistics by the inverse of their variances and equally; standard errors are sandwiches, and
    the test is scaled and shifted. DWLS and ULS are the same estimates with plain standard errors and no test, as
    lavaan has them: not to be reported. WLS weights by the full inverse and needs thousands of respondents.

    References
    ----------
    Browne, M. W. (1984). Asymptotically distribution-free methods for the analysis of covariance structures. British
    Journal of Mathematical and Statistical Psychology, 37, 62-83. doi:10.1111/j.2044-8317.1984.tb00789.x

    Muthen, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous
    latent variable indicators. Psychometrika, 49, 115-132. doi:10.1007/BF02294210

    Olsson, U., Drasgow, F. and Dorans, N. J. (1982). The polyserial correlation coefficient. Psychometrika, 47,
    337-347. doi:10.1007/BF02294164

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
    missing = ALIASES.get(missing, missing)
    if isinstance(data, str | Path):
        data = answers_in(data)
    file = _file_of(model)
    text = text_of(model if file is None else file)
    if file is not None and data is not None:
        data = with_model_columns(file, data)
    if ordered is None and isinstance(model, Specification) and model.ordered:
        ordered = model.ordered
    ordinal = is_ordinal(ordered)
    estimator = estimator or ("WLSMV" if ordinal else "ML")
    check_options(estimator, missing, engine, ordinal=ordinal)
    fixed_x = ordinal or estimator not in LEAST_SQUARES if fixed_x is None else fixed_x
    if missing == "fiml":
        if sample_cov is not None:
            raise ConfigurationError("missing='fiml' needs the answers, so give `data`, not `sample_cov`.")
        if meanstructure is False or (isinstance(model, Specification) and not model.meanstructure):
            raise ConfigurationError("missing='fiml' models the means; leave `meanstructure` out or set it to True.")
        meanstructure = True
    refuse_unsupported(text)
    role = roles(text.statements) if isinstance(model, ModelText) else roles_of_text(text.source)
    needed = model.exogenous if isinstance(model, Specification) else role.exogenous
    if data is None or missing != "fiml" or not (fixed_x or isinstance(model, Specification)):
        needed = ()
    if ordinal:
        fixed_x = model.fixed_x if isinstance(model, Specification) else fixed_x
        items = ordinal_items(ordered, role, estimator, matrix=data is None)
        refuse_ordinal_predictors(text, role, items)
        if data is None or sample_cov is not None:
            raise ConfigurationError("Give either `data`, or `sample_cov` with `sample_nobs`.")
        with one_thread():
            given = role.exogenous if fixed_x else ()
            moments = ordinal_moments(data, role.observed, items, group=group, missing=missing, given=given)
    else:
        moments = _moments(role.observed, data, group, missing, needed, sample_cov, sample_mean, sample_nobs, sample_sd)
    if isinstance(model, Specification):
        specification = model
        if len(specification.groups) != len(moments.groups):
            raise SpecificationError(
                f"The specification has {len(specification.groups)} groups and the data {len(moments.groups)}."
            )
    else:
        specification = specify(
            model if isinstance(model, ModelText) else text.source,
            kind=kind,
            std_lv=std_lv,
            meanstructure=True if meanstructure is None and sample_mean is not None else meanstructure,
            means_available=all(entry.mean is not None for entry in moments.groups),
            fixed_x=fixed_x,
            orthogonal=orthogonal,
            groups=tuple(entry.label for entry in moments.groups),
            group_equal=names_of(group_equal),
            group_partial=names_of(group_partial),
            ordered=category_counts(moments),
            parameterization=parameterization,
        )
    if tuple(category_counts(moments)) != specification.ordered:
        raise ConfigurationError("The specification was made for other ordinal items; leave out `ordered`.")
    if estimator not in FROM_MATRIX and moments.raw is None:
        listed = ", ".join(repr(name) for name in FROM_MATRIX)
        raise NotSupported(
            f"estimator={estimator!r} works with the distribution of the answers, so it needs `data`, not "
            f"`sample_cov`; available for a covariance matrix: {listed}."
        )
    if specification.meanstructure and any(entry.mean is None for entry in moments.groups):
        raise ConfigurationError("The model has a mean structure; give `sample_mean` beside `sample_cov`.")
    with one_thread():
        result = solve(specification, moments, engine=engine, estimator=estimator)
    if not result.certificate.certified:
        reasons = " ".join(str(problem) for problem in result.certificate.problems)
        warnings.warn(f"{result.certificate.summary} {reasons}", ImproperSolutionWarning, stacklevel=2)
    return result


def text_of(model: str | Path | ModelText | ModelFile | Specification) -> ModelText:
    """Return the parsed model, wherever it comes from."""
    if isinstance(model, ModelText):
        return model
    file = _file_of(model)
    if file is not None:
        return parse(file.text)
    return parse(model.text if isinstance(model, Specification) else str(model))


def _file_of(model: str | Path | ModelText | ModelFile | Specification) -> ModelFile | None:
    """Return the model with its description, None for a bare text or a parsed one."""
    if isinstance(model, (ModelText, Specification)):
        return None
    if isinstance(model, ModelFile):
        return model
    looks_like_text = isinstance(model, str) and ("\n" in model or any(sign in model for sign in "~=～＝∼"))
    return None if looks_like_text else load_model(model)


def _moments(
    names: tuple[str, ...],
    data: Any,
    group: str | None,
    missing: str,
    needed: tuple[str, ...],
    sample_cov: Any,
    sample_mean: Any,
    sample_nobs: Any,
    sample_sd: Any,
) -> Moments:
    """Return the moments of the variables of the model, from rows or from a matrix."""
    if (data is None) == (sample_cov is None):
        raise ConfigurationError("Give either `data`, or `sample_cov` with `sample_nobs`.")
    if data is not None:
        return moments_from_data(data, names, group=group, missing=missing, needed=needed)
    if group is not None:
        raise ConfigurationError("`group` names a column of `data`; for matrices give a list, one per group.")
    if sample_nobs is None:
        raise ConfigurationError("`sample_cov` needs `sample_nobs`, the number of respondents behind it.")
    return moments_from_cov(sample_cov, sample_nobs, names=names, sample_mean=sample_mean, sample_sd=sample_sd)
