"""A row of the parameter table while it is being completed."""

from __future__ import annotations

from dataclasses import dataclass, field

from sem_loyalty.model.formula import Statement


@dataclass
class Row:
    """A row of the table while it is being completed."""

    lhs: str
    op: str
    rhs: str
    group: int
    user: bool
    fixed: float | None = None
    label: str = ""
    start: float | None = None
    exogenous: bool = False
    derived: bool = False
    equal_to: str = ""
    lower: float | None = None
    upper: float | None = None
    statement: Statement | None = field(default=None, repr=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """The parameter this row stands for; a covariance is the same in both orders."""
        if self.op == "~~" and self.rhs < self.lhs:
            return (self.rhs, self.op, self.lhs)
        return (self.lhs, self.op, self.rhs)
