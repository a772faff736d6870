"""Exploratory factor analysis by factor_analyzer, polished and corrected; the only file that knows factor_analyzer."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.errors import (
    ConfigurationError,
    DataError,
    ImproperSolutionWarning,
    NotSupported,
    check_choice,
)
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.measurement.extraction import (
    Extraction,
    components,
    degrees_of_freedom,
    most_factors,
    polish,
    positive_sums,
    sufficiency,
)
from sem_loyalty.measurement.factorability import sampling_adequacy, sphericity
from sem_loyalty.measurement.factors import EFA, factor_tables
from sem_loyalty.measurement.retention import Retention, retention
from sem_loyalty.measurement.rotation import (
    ORTHOGONAL,
    ROTATIONS,
    UNAVAILABLE,
    Rotation,
    arranged,
    communalities_of,
    criterion,
    kaiser_weights,
    turned,
)
from sem_loyalty.measurement.rotation import polish as polish_rotation
from sem_loyalty.survey.moments import Moments
from sem_loyalty.survey.sample import moments_from_cov, moments_from_data

Array = NDArray[np.float64]

EXTRACTIONS = ("minres", "ml", "principal")
# Random starts beside the unrotated solution: geomin has many local minima, the others rarely a second one.
_STARTS = {"geomin": 30, "oblimin": 8, "quartimin": 8, "varimax": 4, "quartimax": 4}
_NAMES = {"geomin": "geomin_obl", "oblimin": "quartimin"}


def efa(
    data: pd.DataFrame | Mapping[str, Any] | Array,
    n_factors: int | None = None,
    *,
    items: Sequence[str] | None = None,
    extraction: str = "minres",
    rotation: str = "oblimin",
    missing: str = "listwise",
    n_obs: int | None = None,
    draws: int = 500,
    seed: int = 1,
) -> EFA:
    """Explore the factors behind a set of items.

    factor_analyzer finds the factors and the rotation. The uniquenesses are then brought to a gradient at rounding
    error, rotations that may have several minima are repeated from random starts, and everything derived
    (communalities, factor correlations, variance accounted for, the test of sufficiency) is computed here, because
    factor_analyzer 0.5.1 derives it wrongly for oblique rotations.

    Parameters
    ----------
    data : DataFrame, mapping of columns or ndarray
        One row per respondent; or, with `n_obs`, a covariance or correlation matrix.
    n_factors : int, optional
        Factors to keep. By default as many as parallel analysis of components keeps (95th percentile).
    items : sequence of str, optional
        Columns to analyse; by default all.
    extraction : {"minres", "ml", "principal"}, default "minres"
        Minimum residuals, maximum likelihood, or principal components (which are not factors: no test, and
        loadings larger than those of factors).
    rotation : {"oblimin", "quartimin", "promax", "geomin", "varimax", "quartimax", "none"}, default "oblimin"
        "oblimin" is direct oblimin with gamma 0 ("quartimin"), without Kaiser's normalisation; "promax" (power 4) and
        "varimax" normalise; "geomin" is oblique with delta .01.
    missing : {"listwise"}, default "listwise"
        Rows with a missing answer are left out, and counted.
    n_obs : int, optional
        Respondents behind a matrix; says that `data` is one.
    draws, seed : int, default 500 and 1
        Random data sets of the parallel analysis, and the seed of every random number here.

    Returns
    -------
    EFA
        Factors sorted by the variance they account for, each reflected to a positive sum of loadings. The same input
        gives the same bytes whatever the number of threads.

    Raises
    ------
    ConfigurationError
        An unknown option, or a number of factors that the items cannot identify.
    NotSupported
        A rotation, an extraction or a rule for missing answers that is not available; the message names what is.
    DataError
        Data that cannot be factored; the message names the items.

    Warns
    -----
    ImproperSolutionWarning
        A Heywood case (communality of 1 or more, or a uniqueness at its bound), or no convergence.

    References
    ----------
    Harman, H. H., & Jones, W. H. (1966). Factor analysis by minimizing residuals (minres). Psychometrika, 31,
    351-368. doi:10.1007/BF02289468
    Lawley, D. N., & Maxwell, A. E. (1971). Factor analysis as a statistical method (2nd ed.). Butterworths.
    """
    _check_options(extraction, rotation, missing)
    moments = _moments(data, items, missing, n_obs)
    group = moments.groups[0]
    p = len(moments.names)
    if p < 3:
        raise DataError(f"Factor analysis needs at least 3 items; there are {p}: {', '.join(moments.names)}.")
    with one_thread():
        spread = np.sqrt(np.diag(group.cov))
        R = group.cov / np.outer(spread, spread)
        R = (R + R.T) / 2.0
        np.fill_diagonal(R, 1.0)
        kept = retention(R, group.n, draws=draws, seed=seed)
        m, notes = _number_of_factors(n_factors, kept, p, extraction)
        extracted, more = _extract(R, m, extraction)
        rotated = _rotate(extracted.loadings, rotation, seed, moments.names)
        rotated = arranged(rotated, positive_sums(rotated.loadings))
        test = None if extraction == "principal" else sufficiency(R, extracted.loadings, extracted.psi, group.n)
        communalities = communalities_of(rotated.loadings, rotated.phi)
        heywood = tuple(
            name
            for name, bound, h2 in zip(moments.names, extracted.at_bound, communalities, strict=True)
            if extraction != "principal" and (bound or h2 >= 1.0)
        )
        result = EFA(
            items=moments.names,
            n=group.n,
            n_collected=moments.n_collected,
            missing=moments.missing,
            n_factors=m,
            extraction=extraction,
            rotation=rotation if m > 1 else "none",
            **factor_tables(moments.names, R, rotated),
            kmo=sampling_adequacy(R),
            bartlett=sphericity(R, group.n),
            sufficiency=test,
            retention=kept,
            heywood=heywood,
            converged=extracted.converged and rotated.converged,
            problems=_problems(extracted, rotated, heywood),
            notes=(*notes, *more),
        )
    if result.problems:
        warnings.warn(" ".join(result.problems), ImproperSolutionWarning, stacklevel=2)
    return result


def _check_options(extraction: str, rotation: str, missing: str) -> None:
    check_choice("extraction", extraction, EXTRACTIONS)
    if rotation in UNAVAILABLE:
        listed = ", ".join(repr(name) for name in ROTATIONS)
        raise NotSupported(f"rotation={rotation!r} is not available; these are: {listed}.")
    check_choice("rotation", rotation, ROTATIONS)
    if missing != "listwise":
        raise NotSupported(f"missing={missing!r} is not available; this is: 'listwise'.")


def _moments(data: Any, items: Sequence[str] | None, missing: str, n_obs: int | None) -> Moments:
    """Return the moments of the items, from rows or from a matrix."""
    if isinstance(items, str):
        raise ConfigurationError(f"items={items!r} is one text; give a list of names.")
    if n_obs is not None:
        return moments_from_cov(data, n_obs, names=items, rescale=False)
    if isinstance(data, np.ndarray):
        if data.ndim != 2:
            raise DataError(f"data must have rows and columns; its shape is {data.shape}.")
        data = pd.DataFrame(data, columns=[f"x{i + 1}" for i in range(data.shape[1])])
    frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame(dict(data))
    if frame.shape[0] == frame.shape[1] and frame.shape[0] > 0:
        square = frame.to_numpy()
        if square.dtype.kind in "fiu" and np.array_equal(square, square.T):
            raise DataError("data is a symmetric matrix. Give n_obs, the respondents behind it.")
    return moments_from_data(frame, [str(name) for name in frame.columns] if items is None else items, missing=missing)


def _number_of_factors(wanted: int | None, kept: Retention, p: int, extraction: str) -> tuple[int, tuple[str, ...]]:
    """Return the number of factors, and how it was chosen."""
    most = p if extraction == "principal" else most_factors(p)
    if wanted is None:
        m = kept.components.n_factors
        if m == 0:
            raise DataError(
                "Parallel analysis keeps no factor: no eigenvalue exceeds those of uncorrelated items. "
                "Look at the correlations; give n_factors to extract all the same."
            )
        how = f"Number of factors by parallel analysis (Horn, 1965; components, 95th percentile): {m}."
        if m > most:
            return most, (f"{how} {p} items identify only {most}.",)
        return m, (how,)
    if isinstance(wanted, bool) or not isinstance(wanted, (int, np.integer)) or wanted < 1:
        raise ConfigurationError(f"n_factors={wanted!r} must be a whole number from 1, or None for parallel analysis.")
    if wanted > most:
        df = "" if extraction == "principal" else f" ({degrees_of_freedom(p, int(wanted))} degrees of freedom)"
        raise ConfigurationError(f"n_factors={wanted} is too many for {p} items{df}; at most {most}.")
    return int(wanted), (f"Number of factors given: {wanted}.",)


def _extract(R: Array, m: int, extraction: str) -> tuple[Extraction, tuple[str, ...]]:
    """Return unrotated loadings: components, or factor_analyzer's factors polished."""
    if extraction == "principal":
        loadings = components(R, m)
        none = np.zeros(len(R), dtype=bool)
        return Extraction(loadings, 1.0 - (loadings**2).sum(axis=1), none, 0.0, True), ()
    from factor_analyzer import FactorAnalyzer

    analyzer = FactorAnalyzer(n_factors=m, rotation=None, method=extraction, is_corr_matrix=True)
    notes: tuple[str, ...] = ()
    with warnings.catch_warnings():
        # factor_analyzer 0.5.1 passes an argument that scikit-learn renamed; nothing else is silenced.
        warnings.filterwarnings("ignore", message=".*force_all_finite.*", category=FutureWarning)
        # Convergence is judged by our own gradient, so that factor_analyzer's remark becomes a note.
        warnings.filterwarnings("error", message="Failed to converge", category=UserWarning)
        try:
            start = 1.0 - (analyzer.fit(R.copy()).loadings_ ** 2).sum(axis=1)
        except (UserWarning, np.linalg.LinAlgError) as trouble:
            start = 1.0 / np.diag(np.linalg.inv(R))
            notes = (f"factor_analyzer: {str(trouble).rstrip('.')}; restarted from squared multiple correlations.",)
    return polish(start, R, m, extraction), notes


def _rotate(loadings: Array, rotation: str, seed: int, items: Sequence[str]) -> Rotation:
    """Return factor_analyzer's rotation from the best of several starts, with its stationarity checked."""
    m = loadings.shape[1]
    if rotation == "none" or m == 1:
        return Rotation(loadings, np.eye(m), float("nan"), float("nan"))
    weights = kaiser_weights(loadings) if rotation in ("varimax", "promax") else np.ones((len(loadings), 1))
    empty = [item for item, weight in zip(items, weights[:, 0], strict=True) if weight < 1e-8]
    if empty:
        raise DataError(f"These items share nothing with the others, so that {rotation} cannot rotate: {empty}.")
    base = loadings / weights
    if rotation == "promax":
        found = _promax(_best(base, "varimax", seed).loadings)
        return replace(found, loadings=found.loadings * weights)
    found = _best(base, rotation, seed)
    return replace(found, loadings=found.loadings * weights)


def _best(base: Array, rotation: str, seed: int) -> Rotation:
    """Return the lowest minimum over starts; the unturned start wins unless another is clearly lower."""
    lowest, start = np.inf, base
    for turn in turned(base.shape[1], _STARTS[rotation], seed):
        rough, _ = _rotator(base @ turn, rotation, tol=1e-4, steps=300)
        value, _ = criterion(rough, rotation)
        if not value >= lowest - 1e-5 * abs(lowest):
            lowest, start = value, base @ turn
    # varimax measures tol on the relative growth of its criterion. The others measure it on the projected gradient,
    # whose line search compares values of the criterion and so stalls below the root of rounding error.
    rotated, phi = _rotator(start, rotation, tol=1e-12 if rotation == "varimax" else 1e-5, steps=5000)
    return polish_rotation(rotated, phi, rotation)


def _rotator(base: Array, rotation: str, *, tol: float, steps: int) -> tuple[Array, Array]:
    """Return loadings and factor correlations of factor_analyzer's rotator."""
    from factor_analyzer import Rotator

    rotator = Rotator(method=_NAMES.get(rotation, rotation), normalize=False, tol=tol, max_iter=steps)
    rotated = np.asarray(rotator.fit_transform(base.copy()), dtype=np.float64)
    phi = np.eye(base.shape[1]) if rotation in ORTHOGONAL else np.asarray(rotator.phi_, dtype=np.float64)
    return rotated, phi


def _promax(loadings: Array) -> Rotation:
    """Return the promax rotation (power 4) of converged, row-normalised varimax loadings.

    References
    ----------
    Hendrickson, A. E., & White, P. O. (1964). Promax: A quick method for rotation to oblique simple structure.
    British Journal of Statistical Psychology, 17, 65-70. doi:10.1111/j.2044-8317.1964.tb00244.x
    """
    # factor_analyzer's varimax inside promax starts from the solution, so that it has nothing left to turn.
    rotated, phi = _rotator(loadings, "promax", tol=1e-15, steps=1000)
    return Rotation(rotated, phi, float("nan"), float("nan"))


def _problems(extracted: Extraction, rotated: Rotation, heywood: tuple[str, ...]) -> tuple[str, ...]:
    """Return what forbids reporting the solution, one sentence each."""
    problems = []
    if heywood:
        problems.append(
            f"Heywood case: {', '.join(heywood)} leave no unique variance (communality of 1 or more, or uniqueness "
            "at its bound). Extract fewer factors, or look at these items."
        )
    if not extracted.converged:
        problems.append(f"The extraction did not converge (gradient {extracted.gradient:.1e}).")
    if not rotated.converged:
        problems.append(f"The rotation did not converge (departure from stationarity {rotated.departure:.1e}).")
    return tuple(problems)
