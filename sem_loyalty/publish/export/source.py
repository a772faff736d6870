"""What is exported: a complete model, how it is estimated, and the moments or answers behind it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sem_loyalty.model.expression import format_constant
from sem_loyalty.model.spec import Specification
from sem_loyalty.publish.export.names import Names
from sem_loyalty.survey.moments import Moments


@dataclass(frozen=True, slots=True)
class Source:
    """A model to be written for another program.

    Attributes
    ----------
    specification : Specification
    estimator : str
    missing : str
        "listwise", "fiml", "pairwise", or "none" for a matrix.
    moments : Moments or None
        None where a model comes without data.
    made_by : str
        The first line of every file.
    """

    specification: Specification
    estimator: str
    missing: str
    moments: Moments | None
    made_by: str

    @property
    def group_column(self) -> str:
        """The name of the column that holds the groups; no variable bears it."""
        taken = {*self.specification.observed, *self.specification.latent}
        return next(name for name in ("group", *(f"group_{k}" for k in range(1, len(taken) + 2))) if name not in taken)

    @property
    def has_answers(self) -> bool:
        """Whether there are rows to write."""
        return self.moments is not None and self.moments.raw is not None

    def rows(self) -> Iterable[tuple[int, list[float]]]:
        """Yield the number of the group, from 0, and the answers of every respondent that was used."""
        if self.moments is None or self.moments.raw is None:
            return
        for group, matrix in enumerate(self.moments.raw):
            yield from ((group, row) for row in matrix.tolist())


def number(value: float) -> str:
    """Return the shortest text that reads back as a number."""
    return format_constant(float(value))


def answers_csv(source: Source, names: Names) -> str:
    """Return the answers that were used, missing ones empty; groups have a column of their own, the last."""
    assert source.moments is not None
    labels = [group.label for group in source.moments.groups]
    grouped = labels != [""]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([names[name] for name in source.moments.names] + [names[source.group_column]] * grouped)
    for group, row in source.rows():
        cells = ["" if math.isnan(value) else number(value) for value in row]
        writer.writerow(cells + [labels[group]] * grouped)
    return stream.getvalue()


def shared_positions(specification: Specification) -> Mapping[int, int]:
    """Return how many rows of the parameter table stand at each position of the parameter vector."""
    counts: dict[int, int] = {}
    for row in specification.parameters:
        if row.free >= 0:
            counts[row.free] = counts.get(row.free, 0) + 1
    return counts
