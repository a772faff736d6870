"""Models that fit exactly as well with an arrow reversed: what the author must argue against, since no data can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sem_loyalty.errors import NotSupported, SemLoyaltyError
from sem_loyalty.fitting.discrepancies import LIKELIHOOD
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.fitting.solve import solve
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.model.defaults import specify
from sem_loyalty.model.modifiers import Modifier
from sem_loyalty.model.roles import roles
from sem_loyalty.model.spec import Specification
from sem_loyalty.model.syntax import ModelText, Statement, Term, parse, unparse

# Two minima of F that differ by less than this are one: the rounding of two minimisations.
SAME = 1e-8


@dataclass(frozen=True, slots=True)
class EquivalentModel:
    """A model that no data can tell from the one that was fitted.

    Attributes
    ----------
    change : str
        What differs: "SAT ~ TRU in place of TRU ~ SAT".
    text : str
        The model in lavaan syntax. Definitions (`:=`) are left out.
    chisq : float
    df : int
    certified : bool
        Whether its solution is certified; if not, the data speak against it after all.
    """

    change: str
    text: str
    chisq: float
    df: int
    certified: bool


def equivalent_models(fit: Fit) -> tuple[EquivalentModel, ...]:
    """Return the equivalent models that one change of the structural part leads to.

    Every path between constructs is reversed and replaced by a covariance of residuals, every covariance between
    constructs replaced by a path either way; what then fits exactly as well with as many parameters is listed.

    Parameters
    ----------
    fit : Fit
        By maximum likelihood. Paths with fixed values or in constraints, and paths from fixed covariates, stay.

    Returns
    -------
    tuple of EquivalentModel
        In the order of the model. There are more where several changes are combined.

    Raises
    ------
    NotSupported
        Least squares or ordinal items; or options such as `group_equal` that the model text does not hold.

    Notes
    -----
    Replacing rules: Stelzl (1986), doi:10.1207/s15327906mbr2103_3; Lee and Hershberger (1990),
    doi:10.1207/s15327906mbr2503_4. Here the fit decides, not the rule. Why it matters: MacCallum, Wegener, Uchino and
    Fabrigar (1993), doi:10.1037/0033-2909.114.1.185.
    """
    if fit.estimator not in LIKELIHOOD or fit.specification.ordered:
        raise NotSupported(f"Equivalent models are found by maximum likelihood; this fit is by {fit.estimator}.")
    specification = fit.specification
    text = replace(parse(specification.text), definitions=())
    if _respecified(text, specification).parameters != specification.parameters:
        raise NotSupported(
            "The model was made with options that its text does not hold (`group_equal`, `orthogonal`, ...), so it "
            "cannot be rewritten. Write them into the model."
        )
    found = []
    for change, candidate in _candidates(text, specification):
        try:
            candidate = _with_covariances_of(specification, candidate)
            changed = _respecified(candidate, specification)
            if changed.n_parameters != specification.n_parameters or set(changed.exogenous) != set(
                specification.exogenous
            ):
                continue
            with one_thread():
                again = solve(changed, fit.moments, engine="kernel")
        except SemLoyaltyError:
            # Not identified, or feedback without instruments: no rival.
            continue
        if again.df == fit.df and abs(again.value - fit.value) < SAME * max(1.0, fit.value):
            found.append(
                EquivalentModel(change, unparse(candidate), again.chisq, again.df, again.certificate.certified)
            )
    return tuple(found)


def _respecified(text: ModelText, like: Specification) -> Specification:
    """Complete a text with the options that the specification remembers."""
    return specify(
        text,
        kind=like.kind,
        std_lv=like.std_lv,
        meanstructure=like.meanstructure,
        fixed_x=bool(like.exogenous) or not like.covariates,
        groups=like.groups,
    )


def _with_covariances_of(like: Specification, text: ModelText) -> ModelText:
    """Return the text with the default covariances of constructs that the fitted model has, and no others.

    Reversing an arrow changes which constructs are exogenous or pure outcomes, and defaults would follow that.
    """
    latent = set(like.latent)

    def defaults(specification: Specification) -> dict[frozenset[str], Statement]:
        return {
            frozenset((row.lhs, row.rhs)): Statement("~~", row.lhs, Term(row.rhs))
            for row in specification.parameters
            if row.op == "~~" and not row.user and row.lhs != row.rhs and {row.lhs, row.rhs} <= latent
        }

    wanted, got = defaults(like), defaults(_respecified(text, like))
    related = {frozenset((s.lhs, s.rhs.name)) for s in text.statements if s.op in ("~", "~~")}
    zero = Modifier("fixed", (0.0,))
    more = [s for pair, s in wanted.items() if pair not in got and pair not in related]
    more += [replace(s, rhs=Term(s.rhs.name, (zero,))) for pair, s in got.items() if pair not in wanted]
    return replace(text, statements=(*text.statements, *more)) if more else text


def _candidates(text: ModelText, specification: Specification) -> Iterator[tuple[str, ModelText]]:
    """Yield every single change of the structural part, with words for it."""
    latent = set(specification.latent)
    part = roles(text.statements)
    structural = {name for s in text.statements if s.op == "~" for name in (s.lhs, s.rhs.name)} | latent
    fixed = set(part.exogenous)
    constrained = {name for item in text.constraints for name in (*item.lhs.names(), *item.rhs.names())}
    labels: dict[str, int] = {}
    for s in text.statements:
        for label in _labels(s):
            labels[label] = labels.get(label, 0) + 1
    for k, s in enumerate(text.statements):
        ends = (s.lhs, s.rhs.name)
        if s.op not in ("~", "~~") or len(set(ends)) < 2 or not set(ends) <= structural or set(ends) & fixed:
            continue
        tied = any(label in constrained or labels[label] > 1 for label in _labels(s))
        if tied or any(m.kind not in ("label", "start") for m in s.rhs.modifiers):
            continue
        plain = {
            f"{s.rhs.name} ~ {s.lhs}": replace(s, op="~", lhs=s.rhs.name, rhs=Term(s.lhs)),
            f"{s.lhs} ~ {s.rhs.name}": replace(s, op="~", rhs=Term(s.rhs.name)),
            f"{s.lhs} ~~ {s.rhs.name}": replace(s, op="~~", rhs=Term(s.rhs.name)),
        }
        for words, new in plain.items():
            if (new.op, new.lhs, new.rhs.name) != (s.op, s.lhs, s.rhs.name) and not _written(text, new, k):
                statements = (*text.statements[:k], new, *text.statements[k + 1 :])
                yield f"{words} in place of {s.lhs} {s.op} {s.rhs.name}", replace(text, statements=statements)
    if len(specification.groups) == 1:
        for row in specification.parameters:
            if row.op == "~~" and not row.user and row.lhs != row.rhs and {row.lhs, row.rhs} <= latent:
                for outcome, cause in ((row.lhs, row.rhs), (row.rhs, row.lhs)):
                    added = Statement("~", outcome, Term(cause))
                    change = f"{outcome} ~ {cause} in place of {row.lhs} ~~ {row.rhs}"
                    yield change, replace(text, statements=(*text.statements, added))


def _labels(statement: Statement) -> tuple[str, ...]:
    return tuple(
        str(value) for m in statement.rhs.modifiers if m.kind == "label" for value in m.values if value is not None
    )


def _written(text: ModelText, new: Statement, but: int) -> bool:
    """Return whether the model has the new relation already."""
    ends = {new.lhs, new.rhs.name}
    return any(
        i != but and s.op == new.op and s.block == new.block and {s.lhs, s.rhs.name} == ends
        for i, s in enumerate(text.statements)
    )
