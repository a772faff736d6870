"""The model as arrays: which items make which construct, in which mode, and which construct acts on which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """A path model of composites.

    An entry is one item of one construct; an item of two constructs has two.

    Attributes
    ----------
    item, construct : ndarray of int, shape (m,)
        Item and construct of every entry; the entries of a construct stand together.
    mode_b : ndarray of bool, shape (J,)
        Constructs whose weights are regression weights (mode B); the others take correlation weights (mode A).
    common : ndarray of bool, shape (J,)
        Constructs that are common factors behind their items, which consistent PLS corrects for unreliability.
    path : ndarray of bool, shape (J, J)
        path[i, j]: construct j acts on construct i.
    """

    item: Index
    construct: Index
    mode_b: Flags
    common: Flags
    path: Flags

    @property
    def size(self) -> int:
        """Number of constructs, J."""
        return len(self.mode_b)

    def entries(self, construct: int) -> slice:
        """Return where the entries of a construct stand."""
        found = np.flatnonzero(self.construct == construct)
        return slice(int(found[0]), int(found[-1]) + 1)

    def causes(self, construct: int) -> Index:
        """Return the constructs that act on a construct."""
        return np.flatnonzero(self.path[construct])

    def measured(self) -> Index:
        """Return the constructs that can be told apart by HTMT: common factors and single items, not what is formed."""
        single = np.bincount(self.construct, minlength=self.size) == 1
        return np.flatnonzero(self.common | single)
