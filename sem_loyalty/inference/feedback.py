"""Feedback loops: whether they settle, and whether their equations are identified."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.marking import mark
from sem_loyalty.inference.standardise import row_values
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.model.defaults import specify
from sem_loyalty.model.library import load_model
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.spec import Specification

Array = NDArray[np.float64]
_TOLERANCE = 1e-8


def stability_index(fit: Fit) -> pd.Series[float]:
    """Return the stability index of a non-recursive model.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    Series
        By group label: the largest modulus of the eigenvalues of B, the matrix of effects among the variables that
        something explains. Below 1 the effects of a loop settle and total effects exist; it is 0 for a recursive model.

    References
    ----------
    Bentler, P. M., & Freeman, E. H. (1983). Tests for stability in linear structural equation systems. Psychometrika,
    48, 143-145. doi:10.1007/BF02294011
    """
    specification = fit.specification
    position = {name: i for i, name in enumerate(specification.outcomes)}
    B = np.zeros((len(specification.groups), len(position), len(position)))
    for row, value in zip(specification.parameters, row_values(fit), strict=True):
        if row.op == "~" and row.rhs in position:
            B[row.group - 1, position[row.lhs], position[row.rhs]] = value
    blocks = [_loops(matrix != 0) for matrix in B]
    index = []
    for matrix, loops in zip(B, blocks, strict=True):
        with one_thread():
            # Eigenvalues are those of the loops; taken one by one, a recursive part is exactly 0.
            moduli = [float(np.abs(np.linalg.eigvals(matrix[np.ix_(loop, loop)])).max()) for loop in loops]
        index.append(max(moduli, default=0.0))
    groups = pd.Index(specification.groups, name="group")
    return mark(pd.DataFrame({"stability_index": index}, index=groups, dtype=float), fit)["stability_index"]


def _loops(effects: NDArray[np.bool_]) -> list[list[int]]:
    """Return the sets of two or more variables that reach each other."""
    return [block for block in _blocks(effects) if len(block) > 1]


def _blocks(effects: NDArray[np.bool_]) -> list[list[int]]:
    """Return the strongly connected sets of variables, those that depend on nothing else first."""
    size = len(effects)
    reach = np.eye(size, dtype=bool) | effects
    for middle in range(size):
        reach |= np.outer(reach[:, middle], reach[middle])
    mutual = reach & reach.T
    sets = list(dict.fromkeys(tuple(map(int, np.flatnonzero(row))) for row in mutual))
    # A variable depends on all that it reaches, so sets with fewer of those come first.
    return [list(block) for block in sorted(sets, key=lambda block: int(reach[block[0]].sum()))]


def equation_identification(model: str | ModelFile | Specification) -> pd.DataFrame:
    """Check each equation of a structural model by the order and rank conditions.

    Parameters
    ----------
    model : str, ModelFile or Specification
        lavaan text, id of a library model, or a completed model.

    Returns
    -------
    DataFrame
        One row per explained variable: equation, block (the variables that are explained together with it, through
        loops or covariances of their residuals), excluded (variables of the block's system that its equation leaves
        out), needed (one fewer than the block has equations), order (excluded >= needed), rank (of the coefficients
        of the excluded variables in the block's other equations, at generic values) and identified (rank = needed).

    Notes
    -----
    Sufficient where the residuals of a block covary freely and constructs are identified by their indicators. Where
    residuals of a loop are uncorrelated the conditions are sufficient, not necessary. Identification of the whole
    model by its moments is checked by `fit` as well.

    References
    ----------
    Bollen, K. A. (1989). Structural equations with latent variables. Wiley. doi:10.1002/9781118619179

    Examples
    --------
    >>> import sem_loyalty as sl
    >>> sl.equation_identification("reciprocal")[["equation", "excluded", "needed", "rank", "identified"]]
      equation  excluded  needed  rank  identified
    0      CRM         2       1     1        True
    1      LOY         2       1     1        True
    """
    specification = model if isinstance(model, Specification) else _specified(model)
    rows = [row for row in specification.parameters if row.group == 1]
    outcomes = list(specification.outcomes)
    position = {name: i for i, name in enumerate(outcomes)}
    causes = {name: [r.rhs for r in rows if r.op == "~" and r.lhs == name and _present(r.free, r.value)]
              for name in outcomes}  # fmt: skip
    effects = np.zeros((len(outcomes), len(outcomes)), dtype=bool)
    for name, by in causes.items():
        for cause in by:
            if cause in position:
                effects[position[name], position[cause]] = True
    for row in rows:
        if row.op == "~~" and row.lhs != row.rhs and {row.lhs, row.rhs} <= set(outcomes) and _present(
            row.free, row.value
        ):  # fmt: skip
            effects[position[row.lhs], position[row.rhs]] = effects[position[row.rhs], position[row.lhs]] = True
    generator = np.random.default_rng(7)
    found = {}
    for indices in _blocks(effects):
        block = [outcomes[i] for i in indices]
        system = list(dict.fromkeys([*block, *(cause for name in block for cause in causes[name])]))
        table = np.zeros((len(block), len(system)))
        for i, name in enumerate(block):
            table[i, system.index(name)] = 1.0
            for cause in causes[name]:
                table[i, system.index(cause)] = generator.uniform(0.3, 0.9)
        for i, name in enumerate(block):
            out = [j for j in range(len(system)) if table[i, j] == 0]
            others = np.delete(table, i, axis=0)[:, out]
            with one_thread():
                rank = int(np.linalg.matrix_rank(others, tol=_TOLERANCE)) if others.size else 0
            needed = len(block) - 1
            found[name] = (name, ", ".join(block), len(out), needed, len(out) >= needed, rank, rank == needed)
    columns = ["equation", "block", "excluded", "needed", "order", "rank", "identified"]
    return pd.DataFrame([found[name] for name in outcomes], columns=columns)


def _present(free: int, value: float | None) -> bool:
    return free >= 0 or value != 0


def _specified(model: str | ModelFile) -> Specification:
    is_text = isinstance(model, str) and ("\n" in model or "~" in model)
    if is_text:
        return specify(str(model))
    file = model if isinstance(model, ModelFile) else load_model(str(model))
    return specify(file.text, groups=file.grouping.levels if file.grouping is not None else ("",))
