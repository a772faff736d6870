"""Published covariance matrices that all three programs fit by maximum likelihood."""

from __future__ import annotations

import pandas as pd

import sem_loyalty as sl


def matrices() -> dict[str, tuple[str, pd.DataFrame, int]]:
    """Return model text, covariance matrix and respondents by id of the published figures."""
    found = {}
    for id in ("iacobucci2009", "ecsi_mobile"):
        figures = sl.load_published(id)
        lines = [line.split("#")[0].strip() for line in sl.load_model(id).text.splitlines()]
        text = "\n".join(line for line in lines if line) + "\n"
        found[id] = (text, figures.frame(), figures.n)
    return found
