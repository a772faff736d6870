"""`pls`: a path model of composites, estimated by partial least squares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.errors import ConfigurationError, DataError, NotSupported, check_choice
from sem_loyalty.fitting.fit import text_of
from sem_loyalty.kernel.ordinal import polychoric_matrix
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.syntax import ModelText
from sem_loyalty.pls_sem.path_model import PRODUCT, PathModel
from sem_loyalty.pls_sem.solution import Pls
from sem_loyalty.pls_sem.solve import Guide, Sample, Solved, solve
from sem_loyalty.pls_sem.stages import path_model
from sem_loyalty.pls_sem.weights import SCHEMES
from sem_loyalty.survey.plain_file import answers_in
from sem_loyalty.survey.sample import moments_from_cov, moments_from_data

Array = NDArray[np.float64]

# More values than this are no categories of a rating scale.
MOST_CATEGORIES = 15


def pls(
    model: str | Path | ModelText | ModelFile,
    data: pd.DataFrame | Mapping[str, Any] | str | Path | None = None,
    *,
    scheme: str = "path",
    consistent: bool = False,
    modes: dict[str, str] | None = None,
    ordered: bool = False,
    second_order: str = "disjoint",
    interactions: str = "two-stage",
    sample_cov: Any = None,
    sample_nobs: Any = None,
) -> Pls:
    r"""Estimate a path model of composites by partial least squares (PLS-SEM).

    Parameters
    ----------
    model : str, Path, ModelText or ModelFile
        The same text as for `fit`: `=~` measures reflectively (mode A), `<~` forms from its items (mode B), `~` are
        paths. A construct may be measured or formed by constructs, and a cause may be a product `A:B` or a square
        `A:A`. Covariances are read and without effect.
    data : DataFrame, mapping, str or Path, optional
        One row per respondent, or the path of a survey file, read as `fit` reads it; rows with a missing answer are
        left out. Either `data` or `sample_cov`.
    scheme : {"path", "centroid", "factorial"}, default "path"
        Weighting of the inner model.
    consistent : bool, default False
        PLSc: correct correlations of common factors for the unreliability of their composites.
    modes : dict of str to {"A", "B"}, optional
        Mode by construct where it differs from the text.
    ordered : bool, default False
        All items are ordered categories: polychoric correlations take the place of product-moment correlations.
    second_order : {"disjoint", "embedded", "repeated"}, default "disjoint"
        For constructs measured by constructs. "disjoint": a first stage lets the dimensions take the paths of their
        construct; in the second their composites are its items, and the other constructs keep theirs. "embedded": the
        first stage gives the construct all items of its dimensions; in the second every other construct is its
        composite of the first. "repeated": that first stage alone.
    interactions : {"two-stage", "product-indicator"}, default "two-stage"
        "two-stage" multiplies composites of the model without products. "product-indicator" makes the product a
        construct of mode A measured by all products of the standardised items.
    sample_cov : DataFrame or array, optional
        Covariance or correlation matrix of the items, instead of `data`.
    sample_nobs : int, optional
        Respondents behind `sample_cov`.

    Returns
    -------
    Pls
        Its last stage; `Pls.first` is the one before. The path of a product of composites is that of the standardised
        product; `Pls.slopes` gives effects in the units of the composites.

    Raises
    ------
    SpecificationError, NotSupported
        The model has loops, a construct without paths, or what partial least squares does not have; PLSc with second
        order or products; products without answers or of ordered items.
    DataError
        An item does not vary, or the items of a block are collinear in mode B.

    References
    ----------
    Wold, H. (1982). Soft modeling: the basic design and some extensions. In Joereskog and Wold (eds), Systems under
    Indirect Observation, Part II, 1-54.
    Tenenhaus, M., Esposito Vinzi, V., Chatelin, Y.-M. and Lauro, C. (2005). PLS path modeling. Computational Statistics
    and Data Analysis, 48, 159-205. doi:10.1016/j.csda.2004.03.005
    Dijkstra, T. K. and Henseler, J. (2015). Consistent partial least squares path modeling. MIS Quarterly, 39, 297-316.
    doi:10.25300/MISQ/2015/39.2.02
    Sarstedt, M. et al. (2019). How to specify, estimate, and validate higher-order constructs in PLS-SEM. Australasian
    Marketing Journal, 27, 197-211. doi:10.1016/j.ausmj.2019.05.003
    Schuberth, F., Henseler, J. and Dijkstra, T. K. (2018). Partial least squares path modeling using ordinal
    categorical indicators. Quality and Quantity, 52, 9-35. doi:10.1007/s11135-016-0401-7

    Examples
    --------
    >>> import sem_loyalty as sl
    >>> matrix = sl.load_published("ecsi_mobile")
    >>> model = "I =~ IMAG1 + IMAG2 + IMAG3\nL =~ CUSL1 + CUSL3\nL ~ I"
    >>> found = sl.pls(model, sample_cov=matrix.frame(), sample_nobs=250)
    >>> found.admissible
    True
    """
    check_choice("scheme", scheme, SCHEMES)
    path = path_model(text_of(model), modes=modes, second_order=second_order, interactions=interactions)
    products = any(PRODUCT in item for item in path.observed)
    if consistent and (path.first is not None or products or _repeats(path)):
        raise NotSupported(
            "PLSc is available for constructs of items, without products; no rho_A corrects composites of composites. "
            "Leave out `consistent`."
        )
    if (data is None) == (sample_cov is None):
        raise ConfigurationError("Give either `data`, or `sample_cov` with `sample_nobs`.")
    if (products or path.multiplies) and (data is None or ordered):
        raise NotSupported("Products of constructs need numeric answers in `data`; a matrix or categories have none.")
    if isinstance(data, str | Path):
        data = answers_in(data)
    if data is None:
        return _from_matrix(path, sample_cov, sample_nobs, scheme, consistent=consistent, ordered=ordered)
    plain = tuple(item for item in path.observed if PRODUCT not in item)
    moments = moments_from_data(data, plain, missing="listwise")
    assert moments.raw is not None
    rows = moments.raw[0][:, [moments.names.index(item) for item in plain]]
    if ordered:
        rows = _codes(rows, plain)
        correlation: Array = polychoric_matrix(rows.astype(np.intp))
    else:
        rows = _with_products(rows, plain, path.observed)
        correlation = np.asarray(np.corrcoef(rows.T))
    return from_sample(
        path, Sample(correlation[:, :, None], rows), moments.n, scheme, consistent=consistent, ordered=ordered
    )


def _repeats(model: PathModel) -> bool:
    """Return whether an item stands in several constructs of a second-order model with repeated indicators."""
    return bool(len(model.design.item) > len(model.items) and not model.design.common.all())


def _from_matrix(
    path: PathModel, sample_cov: Any, sample_nobs: Any, scheme: str, *, consistent: bool, ordered: bool
) -> Pls:
    if ordered:
        raise ConfigurationError("`ordered` goes with `data`; give polychoric correlations as `sample_cov` without it.")
    if sample_nobs is None:
        raise ConfigurationError("`sample_cov` needs `sample_nobs`, the number of respondents behind it.")
    moments = moments_from_cov(sample_cov, sample_nobs, names=path.observed)
    order = [moments.names.index(item) for item in path.observed]
    cov = moments.groups[0].cov[np.ix_(order, order)]
    sd = np.sqrt(np.diagonal(cov))
    sample = Sample((cov / np.outer(sd, sd))[:, :, None])
    return from_sample(path, sample, moments.n, scheme, consistent=consistent)


def _codes(rows: Array, names: tuple[str, ...]) -> Array:
    """Return categories from 0 without gaps; refuse items with very many."""
    out = np.empty_like(rows)
    for k, name in enumerate(names):
        values, codes = np.unique(rows[:, k], return_inverse=True)
        out[:, k] = codes
        if len(values) > MOST_CATEGORIES:
            raise DataError(f"{name} has {len(values)} values; ordered items have {MOST_CATEGORIES} at most.")
    return out


def _with_products(rows: Array, plain: tuple[str, ...], wanted: tuple[str, ...]) -> Array:
    """Return the answers to `wanted`; a product is one of standardised items."""
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    columns = []
    for name in wanted:
        if name in plain:
            columns.append(rows[:, plain.index(name)])
        else:
            left, right = name.split(PRODUCT)
            columns.append(z[:, plain.index(left)] * z[:, plain.index(right)])
    return np.column_stack(columns)


def from_sample(
    model: PathModel,
    sample: Sample,
    n: int,
    scheme: str,
    *,
    consistent: bool,
    ordered: bool = False,
    guides: Sequence[Guide] = (),
) -> Pls:
    """Return the estimates from one sample, turned towards `guides` where there are any, as `solve` does."""
    with one_thread():
        solved = solve(model, sample, scheme, consistent=consistent, guides=guides)
    return _packed(model, solved, sample.rows, n, scheme, consistent, ordered)


def _packed(
    model: PathModel, solved: Solved, rows: Array | None, n: int, scheme: str, consistent: bool, ordered: bool
) -> Pls:
    first = None
    if model.first is not None and solved.first is not None:
        first = _packed(model.first, solved.first, rows, n, scheme, consistent, ordered)
    found = solved.composites
    problems = _problems(model, solved, consistent=consistent)
    return Pls(
        model=model,
        n=n,
        scheme=scheme,
        consistent=consistent,
        correlation=solved.correlation[:, :, 0],
        weights=found.weights[:, 0],
        loadings=solved.loadings[:, 0],
        rho_a=solved.rho_a[:, 0],
        cor=solved.cor[:, :, 0],
        paths=solved.paths[:, :, 0],
        r2=solved.r2[:, 0],
        iterations=int(found.iterations[0]),
        problems=problems if first is None else tuple(dict.fromkeys((*first.problems, *problems))),
        rows=rows,
        ordered=ordered,
        item_sd=solved.item_sd[:, 0],
        first=first,
    )


def _problems(model: PathModel, solved: Solved, *, consistent: bool) -> tuple[str, ...]:
    """Return why the solution cannot be trusted."""
    out = []
    found, rho, loadings, cor = solved.composites, solved.rho_a[:, 0], solved.loadings[:, 0], solved.cor[:, :, 0]
    if not found.converged[0]:
        out.append("The weights did not converge: a construct is hardly correlated with its neighbours.")
    if not np.isfinite(found.weights[:, 0]).all():
        out.append("The weights are not defined: the items of a block in mode B are collinear.")
    names = model.constructs
    if np.linalg.eigvalsh(solved.correlation[:, :, 0])[0] < -1e-10:
        out.append("The correlations of the items are not those of any variables (not positive definite).")
    if consistent:
        low = [name for name, value in zip(names, rho, strict=True) if not value > 0]
        if low:
            out.append(f"rho_A is not positive for {', '.join(low)}: its items do not measure one factor.")
        elif not (np.linalg.eigvalsh(cor) > 0).all():
            out.append(
                "The corrected correlations of the constructs are not those of any variables (not positive definite)."
            )
        over = [model.items[i] for i, value in zip(model.design.item, loadings, strict=True) if abs(value) > 1.0 + 1e-9]
        if over:
            out.append(f"Loadings beyond 1: {', '.join(over)}.")
    return tuple(out)
