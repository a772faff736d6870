"""A path model of composites in several groups, and random reassignments of respondents to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.errors import ConfigurationError, NotSupported, check_choice
from sem_loyalty.fitting.fit import text_of
from sem_loyalty.kernel.resample import stream
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.syntax import ModelText
from sem_loyalty.pls_sem.estimate import from_sample
from sem_loyalty.pls_sem.path_model import PathModel
from sem_loyalty.pls_sem.solution import Pls
from sem_loyalty.pls_sem.solve import Sample
from sem_loyalty.pls_sem.stages import path_model
from sem_loyalty.pls_sem.weights import SCHEMES
from sem_loyalty.survey.sample import moments_from_data

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two groups and their respondents together.

    Attributes
    ----------
    names : tuple of str
        Labels of the two groups.
    pooled : Pls
        The model estimated from both; the respondents of the first group come first.
    fits : tuple of Pls
        The model in either group, its composites turned towards those of both.
    """

    names: tuple[str, str]
    pooled: Pls = field(repr=False)
    fits: tuple[Pls, Pls] = field(repr=False)

    @property
    def sizes(self) -> tuple[int, int]:
        """Respondents of the two groups."""
        return self.fits[0].n, self.fits[1].n

    def reassigned(self, seed: int, permutations: int) -> Array:
        """Return random first groups of the same size, 1 for a member, shape (n, permutations).

        Permutation k is the same however many there are.
        """
        n, size = self.pooled.n, self.sizes[0]
        member = np.zeros((n, permutations))
        generator = stream(seed, 0, 0)
        for k in range(permutations):
            member[generator.permutation(n)[:size], k] = 1.0
        return member


def pairs_of_groups(
    model: str | Path | ModelText | ModelFile,
    data: pd.DataFrame | Mapping[str, Any],
    group: str,
    *,
    scheme: str,
    consistent: bool,
    modes: dict[str, str] | None,
    second_order: str,
) -> list[Pair]:
    """Estimate a model in every two groups, and from both together.

    Raises
    ------
    NotSupported
        PLSc with second order or products, as for `pls`.
    ConfigurationError
        There is one group only.
    """
    check_choice("scheme", scheme, SCHEMES)
    path = path_model(text_of(model), modes=modes, second_order=second_order)
    if consistent and (path.first is not None or second_order == "repeated"):
        raise NotSupported("PLSc is available for constructs of items, without products. Leave out `consistent`.")
    moments = moments_from_data(data, path.observed, group=group, missing="listwise")
    if len(moments.groups) < 2:
        raise ConfigurationError(f"The column '{group}' holds one group; a comparison needs two.")
    assert moments.raw is not None
    order = [moments.names.index(item) for item in path.observed]
    rows = {entry.label: raw[:, order] for entry, raw in zip(moments.groups, moments.raw, strict=True)}
    return [
        _pair(path, (first, second), (rows[first], rows[second]), scheme, consistent)
        for first, second in combinations(rows, 2)
    ]


def _pair(path: PathModel, names: tuple[str, str], rows: tuple[Array, Array], scheme: str, consistent: bool) -> Pair:
    pooled = _fit(path, np.concatenate(rows), scheme, consistent, None)
    first, second = (_fit(path, one, scheme, consistent, pooled) for one in rows)
    return Pair(names, pooled, (first, second))


def _fit(path: PathModel, rows: Array, scheme: str, consistent: bool, towards: Pls | None) -> Pls:
    sample = Sample(np.asarray(np.corrcoef(rows.T))[:, :, None], rows)
    guides = () if towards is None else towards.guides
    return from_sample(path, sample, len(rows), scheme, consistent=consistent, guides=guides)
