"""Answers to ordinal items as numbered categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Categories:
    """The distinct answers to every item.

    Attributes
    ----------
    values : ndarray
        Distinct answers, item by item, each in numerical order.
    item : ndarray of int
        The item of every one of them.
    levels : ndarray of int, shape (p,)
        How many an item has.
    """

    values: Array
    item: Index
    levels: Index

    def of(self, item: int) -> Array:
        """Return the distinct answers to one item."""
        return np.asarray(self.values[self.item == item])

    def codes(self, answers: Array) -> Index:
        """Return the number of every answer among those to its item, from 0; -1 for a missing one, shape (n, p).

        Parameters
        ----------
        answers : ndarray, shape (n, p)
            nan where missing; otherwise among the distinct answers.
        """
        union = np.unique(self.values)
        # A missing answer sorts behind all others: the last column.
        number = np.full((len(self.levels), len(union) + 1), -1, dtype=np.intp)
        first = np.cumsum(self.levels) - self.levels
        number[self.item, np.searchsorted(union, self.values)] = np.arange(len(self.values)) - first[self.item]
        place = np.searchsorted(union, answers.T)
        place += np.arange(0, number.size, number.shape[1])[:, None]
        return np.asarray(number.take(place).T)


def categories(answers: Array) -> Categories:
    """Return the distinct answers.

    Parameters
    ----------
    answers : ndarray, shape (n, p)
        nan where missing; every item has an answer.
    """
    ordered = np.sort(answers.T, axis=1)
    new = np.ones(ordered.shape, dtype=np.bool_)
    np.greater(ordered[:, 1:], ordered[:, :-1], out=new[:, 1:])
    return Categories(ordered[new], np.nonzero(new)[0], new.sum(axis=1))


def respondents(codes: Index, most: int) -> Index:
    """Return how many respondents chose each category, shape (p, most).

    Parameters
    ----------
    codes : ndarray of int, shape (n, p)
        -1 for a missing answer.
    most : int
        Categories of the item that has the most.
    """
    p = codes.shape[1]
    # Missing answers are counted before the first category.
    place = codes.T + np.arange(1, p * (most + 1), most + 1)[:, None]
    return np.bincount(place.ravel(), minlength=p * (most + 1)).reshape(p, most + 1)[:, 1:]
