"""What a report says of the bootstrap behind its standard errors, p-values and intervals."""

from __future__ import annotations

from dataclasses import dataclass

from sem_loyalty.publish.lang import word


@dataclass(frozen=True, slots=True)
class Drawn:
    """How the draws of a study went.

    Attributes
    ----------
    draws, failed, rescued, improper : int
        All draws; those that did not converge and are left out; those that took a second search; those with a
        negative variance, which are kept.
    interval : {"bca", "percentile", "basic"}
    seed : int
    """

    draws: int
    failed: int
    rescued: int
    improper: int
    interval: str
    seed: int


def drawn_note(drawn: Drawn, lang: str) -> str:
    """Return the sentence for the note of a table."""
    return _filled("drawn_note", drawn, lang)


def drawn_fact(drawn: Drawn, lang: str) -> str:
    """Return the words for the facts of the first section."""
    return _filled("bootstrap_fact", drawn, lang)


def _filled(key: str, drawn: Drawn, lang: str) -> str:
    counts = [
        word(f"drawn_{name}", lang, n=f"{count:,}")
        for name, count in (("failed", drawn.failed), ("improper", drawn.improper))
        if count
    ]
    separator = "; " if lang == "en" else "；"
    said = separator + separator.join(counts or [word("drawn_all", lang)])
    return word(key, lang, draws=f"{drawn.draws:,}", interval=word(f"interval_{drawn.interval}", lang), counts=said)
