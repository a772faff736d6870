"""Partitions of respondents and how far they can be trusted, on arrays; the only file that knows scikit-learn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.spatial.distance import pdist, squareform

Array = NDArray[np.float64]
Labels = NDArray[np.intp]

METHODS = ("kmeans", "ward")
STARTS = 20  # random starts of k-means on the data
REFERENCE_STARTS = 3  # on reference and bootstrap samples, where a slightly worse minimum only adds noise


def partitions(X: Array, method: str, most: int, seed: int, starts: int = STARTS) -> list[Labels]:
    """Return partitions into 1, 2 ... `most` clusters.

    Parameters
    ----------
    X : ndarray, shape (n, p)
        Standardised scores.
    method : {"kmeans", "ward"}
        Lloyd's k-means from several k-means++ starts, or Ward's minimum variance, cut.
    most : int
        Largest number of clusters.
    seed : int
        Of the starts.
    starts : int
        Starts of k-means.

    Returns
    -------
    list of ndarray of int, each (n,)
        Labels from 0, in order of the clusters' mean over all columns, lowest first.
    """
    n = len(X)
    if method == "ward":
        cut = cut_tree(linkage(X, method="ward"), n_clusters=list(range(1, most + 1)))
        return [ordered(X, cut[:, k].astype(np.intp)) for k in range(most)]
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    found = [np.zeros(n, dtype=np.intp)]
    # One thread: sums over respondents in another order would round differently.
    with threadpool_limits(limits=1):
        for k in range(2, most + 1):
            labels = KMeans(n_clusters=k, n_init=starts, random_state=seed).fit(X).labels_
            found.append(ordered(X, labels.astype(np.intp)))
    return found


def ordered(X: Array, labels: Labels) -> Labels:
    """Return labels renumbered by the clusters' mean over all columns, lowest first."""
    names = np.unique(labels)
    means = np.array([X[labels == name].mean() for name in names])
    place = np.empty(int(names.max()) + 1, dtype=np.intp)
    place[names[np.argsort(means, kind="stable")]] = np.arange(len(names))
    return place[labels]


def dispersion(X: Array, labels: Labels) -> float:
    """Return the pooled sum of squared distances to the cluster means, W_k."""
    return float(sum(((X[labels == k] - X[labels == k].mean(axis=0)) ** 2).sum() for k in np.unique(labels)))


def silhouette(X: Array, labels: Labels) -> float:
    """Return the mean silhouette width; NaN for one cluster.

    References
    ----------
    Rousseeuw, P. J. (1987). Silhouettes: A graphical aid to the interpretation and validation of cluster analysis.
    Journal of Computational and Applied Mathematics, 20, 53-65. doi:10.1016/0377-0427(87)90125-7
    """
    names, counts = np.unique(labels, return_counts=True)
    if len(names) < 2:
        return float("nan")
    distances = squareform(pdist(X))
    sums = np.column_stack([distances[:, labels == name].sum(axis=1) for name in names])
    own = np.searchsorted(names, labels)
    row = np.arange(len(X))
    size = counts[own]
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = sums[row, own] / (size - 1)
        means = sums / counts
        means[row, own] = np.inf
        outside = means.min(axis=1)
        width = (outside - inside) / np.maximum(inside, outside)
    return float(np.where(size > 1, width, 0.0).mean())


def gap(X: Array, found: list[Labels], method: str, references: int, seed: int) -> tuple[Array, Array]:
    """Return the gap statistic and its allowance for 1, 2 ... clusters.

    Gap(k) = E* ln W_k − ln W_k, E* over uniform samples of the same size in the box of the principal axes of the data;
    the allowance is the standard deviation of ln W_k* times √(1 + 1/references).

    Parameters
    ----------
    X : ndarray, shape (n, p)
    found : list of ndarray
        Partitions of X into 1, 2 ... clusters.
    method : {"kmeans", "ward"}
        How the references are partitioned.
    references : int
        Uniform samples.
    seed : int

    Returns
    -------
    gap, allowance : ndarray, shape (len(found),)

    References
    ----------
    Tibshirani, R., Walther, G., & Hastie, T. (2001). Estimating the number of clusters in a data set via the gap
    statistic. Journal of the Royal Statistical Society B, 63, 411-423. doi:10.1111/1467-9868.00293
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    centre = X.mean(axis=0)
    axes = np.linalg.svd(X - centre, full_matrices=False)[2]
    turned = (X - centre) @ axes.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    drawn = np.empty((references, len(found)))
    for b in range(references):
        sample = generator.uniform(low, high, size=X.shape) @ axes
        parts = partitions(sample, method, len(found), seed, REFERENCE_STARTS)
        drawn[b] = np.log([dispersion(sample, labels) for labels in parts])
    own = np.log([dispersion(X, labels) for labels in found])
    return drawn.mean(axis=0) - own, drawn.std(axis=0) * np.sqrt(1.0 + 1.0 / references)


def gap_choice(gaps: Array, allowance: Array) -> int:
    """Return the smallest k with Gap(k) ≥ Gap(k + 1) − s(k + 1), or the largest tried where there is none."""
    for k in range(len(gaps) - 1):
        if gaps[k] >= gaps[k + 1] - allowance[k + 1]:
            return k + 1
    return len(gaps)


def stability(X: Array, labels: Labels, method: str, draws: int, seed: int) -> Array:
    """Return how well each cluster comes back in bootstrap samples: the mean of its largest Jaccard similarity.

    Parameters
    ----------
    X : ndarray, shape (n, p)
    labels : ndarray of int, shape (n,)
        Two clusters or more, numbered from 0.
    method : {"kmeans", "ward"}
    draws : int
        Bootstrap samples.
    seed : int

    Returns
    -------
    ndarray, shape (k,)
        From .75 stable, below .6 not to be trusted.

    References
    ----------
    Hennig, C. (2007). Cluster-wise assessment of cluster stability. Computational Statistics & Data Analysis, 52,
    258-271. doi:10.1016/j.csda.2006.11.025
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    k = int(labels.max()) + 1
    total = np.zeros((draws, k))
    for b in range(draws):
        chosen, times = np.unique(generator.integers(0, len(X), len(X)), return_counts=True)
        again = partitions(np.repeat(X[chosen], times, axis=0), method, k, seed, REFERENCE_STARTS)[k - 1]
        first = np.concatenate([[0], np.cumsum(times)[:-1]])  # copies of a row go to the same cluster
        new, old = again[first], labels[chosen]
        both = np.zeros((k, int(new.max()) + 1))
        np.add.at(both, (old, new), 1.0)
        union = both.sum(axis=1)[:, None] + both.sum(axis=0)[None, :] - both
        total[b] = (both / np.maximum(union, 1.0)).max(axis=1)
    return np.asarray(total.mean(axis=0))
