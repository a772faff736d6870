"""Partial least squares as the textbooks write it: respondents, scores and loops. Shares no code with the package."""

from __future__ import annotations

import numpy as np

Blocks = dict[str, list[int]]
Paths = dict[str, list[str]]


def standardise(X: np.ndarray) -> np.ndarray:
    return (X - X.mean(axis=0)) / X.std(axis=0)


def slopes(y: np.ndarray, X: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(X, y, rcond=None)[0]


def naive_pls(
    X: np.ndarray, blocks: Blocks, causes: Paths, scheme: str = "path", formative: tuple[str, ...] = ()
) -> dict[str, dict[str, np.ndarray]]:
    """Return weights, scores and paths; `causes` lists the causes of every endogenous construct."""
    Z = standardise(X)
    scores = {name: standardise(Z[:, items].sum(axis=1)) for name, items in blocks.items()}
    weights: dict[str, np.ndarray] = {}
    for _ in range(2000):
        moved = {}
        for name, items in blocks.items():
            effects = [other for other, before in causes.items() if name in before]
            inner = np.zeros(len(Z))
            before = causes.get(name, [])
            if scheme == "path" and before:
                beta = slopes(scores[name], np.column_stack([scores[one] for one in before]))
                for one, value in zip(before, beta, strict=True):
                    inner += value * scores[one]
                near = effects
            else:
                near = [*before, *effects]
            for one in near:
                r = np.corrcoef(scores[name], scores[one])[0, 1]
                inner += (np.sign(r) if scheme == "centroid" else r) * scores[one]
            block = Z[:, items]
            w = slopes(inner, block) if name in formative else block.T @ inner
            moved[name] = w / (block @ w).std()
        done = weights and max(np.abs(moved[k] - weights[k]).max() for k in blocks) < 1e-13
        weights = moved
        scores = {name: Z[:, items] @ weights[name] for name, items in blocks.items()}
        if done:
            break
    for name, items in blocks.items():
        if sum(np.corrcoef(scores[name], Z[:, i])[0, 1] for i in items) < 0:
            weights[name], scores[name] = -weights[name], -scores[name]
    paths = {
        name: slopes(scores[name], np.column_stack([scores[one] for one in before])) for name, before in causes.items()
    }
    return {"weights": weights, "scores": scores, "paths": paths}
