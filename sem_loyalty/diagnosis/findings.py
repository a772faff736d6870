"""What a diagnosis found, as values that can be said in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sem_loyalty.diagnosis.wording import listed, reasons, say

# What is looked at, in the order in which it is said.
CHECKS = (
    "identification",
    "information",
    "units",
    "variances",
    "constructs",
    "standardised",
    "items",
    "sample_covariance",
    "sample_size",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that may keep a solution from being trusted.

    Attributes
    ----------
    code : str
        What it is, for instance "collinear_constructs"; keys of `wording.WORDS` without "finding_".
    check : str
        The check that found it, one of CHECKS.
    names : tuple of str
        Constructs or items.
    parameters : tuple of str
        Parameters, as one writes them.
    values : mapping of str to float or str
        Numbers behind it, by the name that the text gives them.
    serious : bool
        Whether it can make a solution improper by itself; False for what only adds to the trouble.
    """

    code: str
    check: str
    names: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    values: Mapping[str, float | str] = field(default_factory=dict)
    serious: bool = True

    def text(self, lang: str = "en") -> str:
        """Return the finding as a sentence in English or Chinese."""
        said: dict[str, object] = {"names": listed(self.names, lang), "parameters": listed(self.parameters, lang)}
        said |= self.values
        if "reason" in self.values:
            said["reason"] = reasons(str(self.values["reason"]).split("; "), lang)
        return say(f"finding_{self.code}", lang, **said)

    def __str__(self) -> str:
        return self.text()
