"""`Fit`: a fitted model, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.display import format_p
from sem_loyalty.fitting.admissible import Factored
from sem_loyalty.fitting.certificate import Certificate
from sem_loyalty.fitting.discrepancies import LEAST_SQUARES, Minimised
from sem_loyalty.fitting.held import ActiveInequality
from sem_loyalty.fitting.ordinal import ROBUST
from sem_loyalty.kernel.discrepancy import Point
from sem_loyalty.kernel.indices import chisq_pvalue
from sem_loyalty.kernel.likelihood import Sample
from sem_loyalty.kernel.ram import Block
from sem_loyalty.kernel.solver import Subspace
from sem_loyalty.model.spec import Specification
from sem_loyalty.survey.moments import Moments

Array = NDArray[np.float64]


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
        Minimum of the discrepancy F; N F is the test statistic.
    certificate : Certificate
        What was checked about the solution. Look at `certificate.certified` before reporting anything.
    engine : str
        "semopy" (polished by the kernel) or "kernel".
    estimator : str
        "ML", "MLM", "MLMV", "MLR", "GLS", "ULS", "WLS" or "DWLS"; of ordinal items "WLSMV", "ULSMV", "DWLS", "ULS" or
        "WLS".
    iterations : int
        Steps of the kernel.
    notes : tuple of str
        How the engines ended.
    active : tuple of ActiveInequality
        Inequality constraints and bounds that the solution stands at. Where there are any, the statistic is not
        distributed as chi-square but as a mixture of chi-squares.
    factored : Factored or None
        The expected information within `space` as the certificate found it, without thresholds where the search held
        them at the sample's; None where it is to be computed.
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
    discrepancy: Minimised = field(repr=False)
    space: Subspace = field(repr=False)
    point: Point = field(repr=False)
    active: tuple[ActiveInequality, ...] = ()
    factored: Factored | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be computed again and is as large as the information, for other processes."""
        return {name: value for name, value in self.__dict__.items() if name != "memory"} | {"factored": None}

    @cached_property
    def memory(self) -> dict[str, Any]:
        """What one function of the fit computed and another will need."""
        return {}

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The model as arrays, one block per group."""
        return self.discrepancy.blocks

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Sample moments by group; with missing answers kept, those of the saturated model."""
        return self.discrepancy.samples

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
        """What chi-square grows with: N, or with least squares N less one per group; indices divide by it."""
        least_squares = self.specification.ordered or self.estimator in LEAST_SQUARES
        return self.moments.n - (len(self.moments.groups) if least_squares else 0)

    @property
    def tested(self) -> bool:
        """Whether the plain statistic has a p-value: not with df 0, nor where it is no chi-square.

        That of ULS never is; of ordinal items only that of WLS is, whose weight is the efficient one.
        """
        if self.specification.ordered:
            return self.df > 0 and self.estimator == "WLS"
        return self.df > 0 and self.estimator != "ULS"

    @property
    def bound_note(self) -> str:
        """Which inequalities the solution stands at the bound of, and what that means; "" where there are none."""
        if not self.active:
            return ""
        listed = "; ".join(f"{one.text} (multiplier {one.multiplier:.3g})" for one in self.active)
        return (
            f"At the bound: {listed}. P-values take the statistic for a chi-square; with a bound that holds it is a "
            "mixture of chi-squares. Standard errors are given the bound."
        )

    def __str__(self) -> str:
        """Summarise the fit; the first line says whether it can be trusted."""
        test = f"chi-square {self.chisq:.3f}, df {self.df}"
        if self.tested:
            test += f", p {format_p(chisq_pvalue(self.chisq, self.df))}"
        if self.specification.ordered and self.df and not self.tested:
            corrected = "; `fit_measures` has the corrected test" if self.estimator in ROBUST else ""
            test = f"minimum {self.chisq:.3f}, df {self.df} (not a chi-square{corrected})"
        elif self.estimator == "ULS":
            test = f"minimum {self.chisq:.3f}, df {self.df} (unweighted: no chi-square test)"
        elif self.estimator in ("MLM", "MLMV", "MLR"):
            test += " (uncorrected; `fit_measures` has the corrected test)"
        elif self.estimator == "DWLS":
            test += " (plain: takes no account of the diagonal weights)"
        groups = [f"{group.label} {group.n}" for group in self.moments.groups if group.label]
        used = f"N = {self.moments.n}" + (f" ({', '.join(groups)})" if groups else "")
        lost = self.moments.n_collected - self.moments.n
        if lost:
            why = "listwise" if self.moments.missing == "listwise" else "nothing to use"
            used += f" of {self.moments.n_collected}; {lost} rows left out ({why})"
        if self.moments.missing == "fiml":
            used += "; missing answers by full information"
        elif self.moments.missing == "pairwise":
            used += "; missing answers left out pair by pair"
        lines = [
            self.certificate.summary,
            f"{self.estimator} estimates by {self.engine}; {used}",
            f"{test}; {self.specification.n_parameters} parameters",
        ]
        lines += [self.bound_note] if self.active else []
        lines += [f"  - {problem}" for problem in self.certificate.problems]
        if not self.certificate.certified:
            lines.append("sem_loyalty.diagnose(fit) looks for the cause and tries the remedies.")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

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
        # Every continuous variable has a mean and a variance, every response its slopes on fixed covariates.
        p -= x
        moments = p * (p - 1) // 2 + 2 * (p - len(specification.ordered)) + p * x
        return moments * len(specification.groups) + specification.n_thresholds - specification.n_parameters
    moments = p * (p + 1) // 2 - x * (x + 1) // 2
    if specification.meanstructure:
        moments += p - x
    return moments * len(specification.groups) - specification.n_parameters
