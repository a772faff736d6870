"""Warnings of this package, collected for the report of a study."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from sem_loyalty.errors import SemLoyaltyWarning
from sem_loyalty.fitting.solution import Fit


@contextmanager
def recorded() -> Iterator[list[warnings.WarningMessage]]:
    """Collect the warnings of this package for the report; others pass on to where they would have gone."""
    ours: list[warnings.WarningMessage] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SemLoyaltyWarning)
        yield ours
    for entry in caught:
        if issubclass(entry.category, SemLoyaltyWarning):
            ours.append(entry)
        else:
            warnings.warn_explicit(entry.message, entry.category, entry.filename, entry.lineno)


def messages(caught: list[warnings.WarningMessage], fitted: Fit) -> tuple[str, ...]:
    """Return the warnings, each once, without that of the certificate, which the report gives in full.

    Inequalities that hold the solution at their bound come first.
    """
    messages = dict.fromkeys(str(entry.message) for entry in caught)
    bounds = (fitted.bound_note,) if fitted.active else ()
    return (*bounds, *(text for text in messages if not text.startswith(fitted.certificate.summary)))
