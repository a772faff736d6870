"""The options of `fit`: what exists, and what can be had together."""

from __future__ import annotations

from sem_loyalty.errors import NotSupported, check_choice
from sem_loyalty.fitting.discrepancies import ESTIMATORS, LEAST_SQUARES
from sem_loyalty.fitting.ordinal import WEIGHTS

ENGINES = ("auto", "semopy", "kernel")
MISSING = ("listwise", "fiml")
ORDINAL_MISSING = ("listwise", "pairwise")
# Other programs' names of the same rule.
ALIASES = {"ml": "fiml", "direct": "fiml"}


def check_options(estimator: str, missing: str, engine: str, *, ordinal: bool) -> None:
    """Raise NotSupported for what is not available, ConfigurationError for what does not exist."""
    check_choice("engine", engine, ENGINES)
    if estimator not in ESTIMATORS and not ordinal:
        listed = ", ".join(repr(name) for name in ESTIMATORS)
        more = "; it is for ordinal items: give ordered=True" if estimator in WEIGHTS else ""
        raise NotSupported(f"estimator={estimator!r} is not supported; available: {listed}{more}.")
    known = ORDINAL_MISSING if ordinal else MISSING
    if missing not in known:
        listed = ", ".join(repr(name) for name in known)
        where = "with" if ordinal else "without"
        raise NotSupported(f"missing={missing!r} is not supported {where} ordinal items; available: {listed}.")
    if missing == "fiml" and estimator not in ("ML", "MLR"):
        raise NotSupported(
            f"estimator={estimator!r} corrects by the fourth moments of complete rows; with missing='fiml' available: "
            "'ML', 'MLR'."
        )
    if engine == "semopy" and not ordinal and estimator in LEAST_SQUARES:
        raise NotSupported(f"engine='semopy' is for likelihood; use engine='auto' or 'kernel' with {estimator!r}.")


def names_of(value: tuple[str, ...] | list[str] | str) -> tuple[str, ...]:
    """Return one name or several as a tuple."""
    return (value,) if isinstance(value, str) else tuple(value)
