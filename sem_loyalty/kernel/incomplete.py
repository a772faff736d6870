"""Full-information maximum likelihood: normal data with missing answers, as the minimiser sees it.

F = (-2 log L + 2 log L of the saturated model) / N (Finkbeiner 1979, doi:10.1007/BF02296204; Arbuckle 1996). Its
derivatives are those of complete data at the moments that complete answers would be expected to have (Fisher's
identity), second derivatives less what the missing answers would have added (Louis 1982,
doi:10.1111/j.2517-6161.1982.tb01203.x).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel import likelihood
from sem_loyalty.kernel.expectation import Expectation, expectation, expectation_at
from sem_loyalty.kernel.likelihood import Point, Sample, rescaled_sample, spd_inverse
from sem_loyalty.kernel.memory import keep_freed_memory
from sem_loyalty.kernel.missing_information import expected_loss, observed_loss, pair_loss
from sem_loyalty.kernel.patterns import Patterns, find_patterns
from sem_loyalty.kernel.ram import Block, Implied, implied, matrix_to_parameters, rescaled_block

Array = NDArray[np.float64]


class Known:
    """What was computed already and may be asked for again: `matrices` by name, read-only, and what they share.

    A copy for another process begins without it: it can be had again.
    """

    __slots__ = ("expected", "matrices", "pairs")

    def __init__(self) -> None:
        self.matrices: dict[str, Array] = {}
        self.pairs: list[Array] | None = None
        self.expected: tuple[Expectation, ...] | None = None

    def __reduce__(self) -> tuple[type[Known], tuple[()]]:
        """Leave the content behind."""
        return Known, ()

    def keep(self, name: str, matrix: Array) -> Array:
        """Keep a matrix, and return it."""
        matrix.flags.writeable = False
        self.matrices[name] = matrix
        return matrix


@dataclass(frozen=True, slots=True)
class IncompletePoint(Point):
    """A parameter vector with the expected answers of every group.

    Attributes
    ----------
    expected : tuple of Expectation
        One per group.
    known : Known
        Information matrices, and what they share. Searches, the certificate and standard errors ask for the same ones
        at the solution, and each takes as long as several evaluations.
    """

    expected: tuple[Expectation, ...]
    known: Known = field(init=False, repr=False, compare=False, default_factory=Known)


@dataclass(frozen=True, slots=True)
class Incomplete:
    """The full-information discrepancy.

    Attributes
    ----------
    blocks : tuple of Block
        The model, one block per group, with means.
    patterns : tuple of Patterns
        Answers, one per group.
    samples : tuple of Sample
        Weights n_g / N and the moments of the saturated model.
    saturated : float
        The weighted sum over groups of `Expectation.value` at the moments of the saturated model.
    known : Known
        The expected answers there, once they were asked for.
    """

    blocks: tuple[Block, ...]
    patterns: tuple[Patterns, ...]
    samples: tuple[Sample, ...]
    saturated: float
    known: Known = field(init=False, repr=False, compare=False, default_factory=Known)

    @property
    def n_observed(self) -> int:
        """Observed variables over all groups."""
        return sum(block.n_observed for block in self.blocks)

    def evaluate(self, theta: Array) -> IncompletePoint | None:
        """Return F and its ingredients, or None where some Sigma is not positive definite."""
        value = -self.saturated
        moments, inverses, expected = [], [], []
        for block, sample, patterns in zip(self.blocks, self.samples, self.patterns, strict=True):
            at = implied(block, theta)
            if at is None or not np.isfinite(at.cov).all():
                return None
            solved = spd_inverse(at.cov)
            if solved is None:
                return None
            found = expectation(patterns, at.mean, *solved)
            if found is None:
                return None
            value += sample.weight * found.value
            moments.append(at)
            inverses.append(solved[0])
            expected.append(found)
        if not np.isfinite(value):
            return None
        return IncompletePoint(theta, value, tuple(moments), tuple(inverses), tuple(expected))

    def expected(self, point: Point) -> tuple[Expectation, ...]:
        """Return the expected answers of every group at a point."""
        return _incomplete(point).expected

    def expected_saturated(self) -> tuple[Expectation, ...]:
        """Return the expected answers of every group at the moments of the saturated model."""
        if self.known.expected is None:
            self.known.expected = tuple(map(expectation_at, self.patterns, self.samples))
        return self.known.expected

    def gradient(self, point: Point) -> Array:
        """Return dF / d theta, shape (q,)."""
        return likelihood.gradient(self.blocks, self._completed(point), point)

    def information(self, point: Point) -> Array:
        """Return the expected information per respondent, given who answered what, shape (q, q)."""
        known = _incomplete(point).known
        if "information" in known.matrices:
            return known.matrices["information"]
        groups = self._groups(point)
        if known.pairs is None:
            known.pairs = [pair_loss(*group) for group in groups]
        lost = [expected_loss(*group, pairs) for group, pairs in zip(groups, known.pairs, strict=True)]
        complete = likelihood.information(self.blocks, self._completed(point), point)
        return known.keep("information", complete - self._over_groups(lost, len(point.theta)))

    def hessian(self, point: Point) -> Array:
        """Return half the second derivative of F, the observed information per respondent, shape (q, q)."""
        known = _incomplete(point).known
        if "hessian" in known.matrices:
            return known.matrices["hessian"]
        found = [observed_loss(*group) for group in self._groups(point)]
        known.pairs = [pairs for _, pairs in found]
        complete = likelihood.hessian(self.blocks, self._completed(point), point)
        return known.keep("hessian", complete - self._over_groups([lost for lost, _ in found], len(point.theta)))

    def _completed(self, point: Point) -> tuple[Sample, ...]:
        """Return the moments that complete answers would be expected to have, by group."""
        return tuple(found.sample(sample) for found, sample in zip(self.expected(point), self.samples, strict=True))

    def _groups(self, point: Point) -> list[tuple[Block, Implied, Patterns, Expectation]]:
        """Return what the information that missing answers would have added depends on, by group."""
        return list(zip(self.blocks, point.implied, self.patterns, self.expected(point), strict=True))

    def _over_groups(self, by_entry: list[Array], size: int) -> Array:
        """Return the weighted sum over groups of matrices over entries as one over parameters, symmetric."""
        total = np.zeros((size, size))
        for block, sample, found in zip(self.blocks, self.samples, by_entry, strict=True):
            total += sample.weight * matrix_to_parameters(block, found, size)
        return 0.5 * (total + total.T)

    def rescaled(self, scale: Array) -> Incomplete:
        """Return the same problem in other units: v' = D v, A' = D A D^-1, S' = D S D, m' = D m."""
        units = scale[: self.blocks[0].n_observed]
        shift = sum(
            sample.weight * 2.0 * float(found.share @ (found.seen @ np.log(units)))
            for sample, found in zip(self.samples, self.patterns, strict=True)
        )
        return Incomplete(
            tuple(rescaled_block(block, scale) for block in self.blocks),
            tuple(replace(found, rows=found.rows * units) for found in self.patterns),
            tuple(rescaled_sample(sample, units) for sample in self.samples),
            self.saturated + shift,
        )


def _incomplete(point: Point) -> IncompletePoint:
    if not isinstance(point, IncompletePoint):
        raise TypeError("A point of the full-information likelihood is wanted.")
    return point


def incomplete_likelihood(
    blocks: tuple[Block, ...],
    samples: tuple[Sample, ...],
    rows: tuple[Array, ...],
    patterns: tuple[Patterns, ...] | None = None,
) -> Incomplete:
    """Return the discrepancy of incomplete rows.

    Parameters
    ----------
    blocks : tuple of Block
        With means.
    samples : tuple of Sample
        Moments of the saturated model.
    rows : tuple of ndarray, each (n_g, p)
        NaN for missing.
    patterns : tuple of Patterns, optional
        Those of the rows, where they are known.
    """
    keep_freed_memory()
    patterns = tuple(find_patterns(answers) for answers in rows) if patterns is None else patterns
    there = tuple(map(expectation_at, patterns, samples))
    saturated = sum(sample.weight * found.value for sample, found in zip(samples, there, strict=True))
    discrepancy = Incomplete(blocks, patterns, samples, float(saturated))
    discrepancy.known.expected = there
    return discrepancy
