"""Incomplete rows by pattern: what is kept of them, and what the kernel makes of the kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sem_loyalty.kernel import saturated
from sem_loyalty.kernel.expectation import expectation, inverses
from sem_loyalty.kernel.likelihood import spd_inverse
from sem_loyalty.kernel.patterns import find_patterns
from sem_loyalty.kernel.precisions import (
    information_along,
    mean_information,
    moment_hessian,
    moment_information,
    precisions,
)

FINITE = 1e-7


def answers(seed: int, n: int, p: int, kinds: int, share: float = 0.3) -> np.ndarray:
    """Rows with at most `kinds` patterns of missing answers."""
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(n, p)) @ (np.eye(p) + 0.3) + np.arange(p)
    gaps = generator.random((kinds, p)) < share
    rows[gaps[generator.integers(kinds, size=n)]] = np.nan
    return rows


def moments(seed: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    root = generator.normal(size=(p, p)) * 0.3
    return generator.normal(size=p), np.eye(p) + root @ root.T


def at(rows: np.ndarray, mean: np.ndarray, cov: np.ndarray):
    patterns = find_patterns(rows)
    return patterns, expectation(patterns, mean, *spd_inverse(cov))


@given(st.integers(0, 1000), st.sampled_from([1, 3, 40]), st.sampled_from([5, 60]))
def test_the_rows_of_a_pattern_keep_its_mean_and_covariance_matrix(seed, kinds, n):
    rows = answers(seed, n, 5, kinds)
    patterns = find_patterns(rows)
    assert patterns.share.sum() == pytest.approx(1.0)
    for r, seen in enumerate(patterns.seen):
        own = rows[patterns.which == r]
        np.testing.assert_array_equal(~np.isnan(own), np.tile(seen, (len(own), 1)))
        assert patterns.share[r] == len(own) / n
        kept = patterns.rows[patterns.owner == r]
        assert len(kept) <= min(len(own), 1 + seen.sum())
        np.testing.assert_allclose(kept[0][seen], own[:, seen].mean(axis=0), atol=1e-12)
        expected = np.cov(own[:, seen].T, bias=True).reshape(seen.sum(), seen.sum())
        np.testing.assert_allclose((kept[1:].T @ kept[1:])[np.ix_(seen, seen)], expected, atol=1e-12)
        assert not kept[:, ~seen].any()
    mean = np.nanmean(np.where(np.isnan(rows).all(axis=0), 0.0, rows), axis=0)
    if not np.isnan(rows).all(axis=0).any():
        centre, cov = saturated.available_moments(patterns)
        np.testing.assert_allclose(centre, mean, atol=1e-12)
        np.testing.assert_allclose(np.diagonal(cov), np.nanvar(rows, axis=0), atol=1e-12)
        pairs = np.ma.masked_invalid(rows - centre)
        expected = np.ma.mean(pairs[:, :, None] * pairs[:, None, :], axis=0).filled(0.0)
        np.testing.assert_allclose(cov, expected, atol=1e-12)


@pytest.mark.parametrize(("kinds", "share"), [(300, 0.3), (30, 0.1)], ids=["all different", "many rows alike"])
def test_every_missing_item_stands_in_one_batch(kinds, share):
    rows = answers(2, 300, 20, kinds, share)
    patterns = find_patterns(rows)
    found = np.ones_like(patterns.seen)
    filled = np.where(patterns.seen[patterns.owner], 1.0, 0.0)
    beyond = np.append(filled.reshape(-1), 5.0)
    for batch in patterns.batches:
        lost = (~patterns.seen[batch.patterns]).sum(axis=1)
        assert batch.starts == tuple(np.searchsorted(lost, j, side="right") for j in range(lost[-1]))
        assert batch.row_starts == tuple(
            np.searchsorted(lost[patterns.owner[batch.rows] - batch.patterns.start], j, side="right")
            for j in range(lost[-1])
        )
        beyond[batch.gaps] += 1.0
        places = np.zeros((len(lost), 400), dtype=bool)
        room = (len(batch.starts), len(batch.starts), len(lost))
        _, _, pattern = np.unravel_index(batch.pairs, room)
        places[pattern, batch.pair_places] = True
        assert sorted(batch.pair_places) == sorted(np.concatenate([at.reshape(-1) for at in batch.columns]))
        for group in batch.alike:
            assert (lost[group.within] == group.k).all()
            for r, items in zip(range(group.patterns.start, group.patterns.stop), group.items, strict=True):
                found[r, items] = False
                own = places[r - batch.patterns.start].reshape(20, 20)
                np.testing.assert_array_equal(own, np.tril(np.outer(~patterns.seen[r], ~patterns.seen[r])))
    np.testing.assert_array_equal(found, patterns.seen)
    # Answers are left alone, gaps are reached once, and what batches have too much room for lies beyond the rows.
    np.testing.assert_array_equal(beyond[:-1], 1.0)
    assert len(patterns.batches) >= 2 or share < 0.2


@given(st.integers(0, 1000), st.integers(1, 6))
def test_small_matrices_of_several_sizes_are_inverted_together(seed, k):
    generator = np.random.default_rng(seed)
    sizes = np.sort(generator.integers(1, k + 1, size=9))
    sizes[-1] = k
    root = generator.normal(size=(9, k, k)) + 2.0 * np.eye(k)
    matrices = root @ root.transpose(0, 2, 1)
    starts = tuple(int(np.searchsorted(sizes, j, side="right")) for j in range(k))
    columns = [np.ascontiguousarray(matrices[first:, j, : j + 1].T) for j, first in enumerate(starts)]
    found, roots, pivots = inverses(columns, starts)
    for r, size in enumerate(sizes):
        own, root = matrices[r, :size, :size], np.zeros((size, size))
        for j in range(size):
            root[j, : j + 1] = roots[j][:, r - starts[j]]
        np.testing.assert_allclose(found[:size, :size, r] @ own, np.eye(size), atol=1e-9)
        np.testing.assert_allclose(root.T @ root, found[:size, :size, r], atol=1e-9)
        np.testing.assert_allclose(np.prod(pivots[:, r]), np.linalg.det(own), rtol=1e-9)
        assert not found[size:, :, r].any()
    columns[0][0, 4] = -1.0
    assert not (inverses(columns, starts)[2] > 0).all()


def test_more_items_than_bits_of_a_word():
    rows = answers(3, 30, 70, 8)
    patterns = find_patterns(rows)
    assert len(patterns.seen) == len(np.unique(np.isnan(rows), axis=0))
    np.testing.assert_array_equal(patterns.seen[patterns.which], ~np.isnan(rows))


@pytest.mark.parametrize("kinds", [2, 200], ids=["few", "all different"])
def test_missing_answers_are_filled_with_their_expectation(kinds):
    rows = answers(4, 40, 6, kinds)
    mean, cov = moments(5, 6)
    patterns, found = at(rows, mean, cov)
    unknown, second, shift = np.zeros((6, 6)), np.zeros((6, 6)), np.zeros(6)
    for own in rows:
        m, o = np.isnan(own), ~np.isnan(own)
        e, C = np.where(o, own - mean, 0.0), np.zeros((6, 6))
        slopes = cov[np.ix_(m, o)] @ np.linalg.inv(cov[np.ix_(o, o)])
        e[m] = slopes @ e[o]
        C[np.ix_(m, m)] = cov[np.ix_(m, m)] - slopes @ cov[np.ix_(o, m)]
        unknown, second, shift = unknown + C, second + np.outer(e, e) + C, shift + e
    np.testing.assert_allclose(found.unknown, unknown / 40, atol=1e-12)
    np.testing.assert_allclose(found.second, second / 40, atol=1e-12)
    np.testing.assert_allclose(found.shift, shift / 40, atol=1e-12)
    for matrix, seen in zip(precisions(patterns, found), patterns.seen, strict=True):
        expected = np.zeros((6, 6))
        expected[np.ix_(seen, seen)] = np.linalg.inv(cov[np.ix_(seen, seen)])
        np.testing.assert_allclose(matrix, expected, atol=1e-12)


@pytest.mark.parametrize("kinds", [3, 200], ids=["few", "all different"])
def test_second_derivatives_by_the_moments_are_those_of_the_slopes(kinds):
    rows = answers(6, 50, 4, kinds)
    mean, cov = moments(7, 4)
    col, row = np.triu_indices(4)
    times = np.where(row == col, 1.0, 2.0)

    def slopes(x: np.ndarray) -> np.ndarray:
        full = np.zeros((4, 4))
        full[row, col] = full[col, row] = x[4:]
        W, h = at(rows, x[:4], full)[1].slopes()
        return np.concatenate([-2.0 * h, times * W[row, col]])

    x = np.concatenate([mean, cov[row, col]])
    numeric = np.array([(slopes(x + 1e-6 * e) - slopes(x - 1e-6 * e)) / 2e-6 for e in np.eye(len(x))])
    np.testing.assert_allclose(moment_hessian(*at(rows, mean, cov)), 0.5 * numeric, atol=FINITE)


def test_information_of_the_moments_along_a_direction():
    rows = answers(8, 60, 5, 30)
    mean, cov = moments(9, 5)
    patterns, found = at(rows, mean, cov)
    level, spread = moment_information(patterns, found)
    shift, change = moments(10, 5)
    col, row = np.triu_indices(5)
    v = change[row, col]
    by_mean, by_cov = information_along(patterns, found, [(shift, 0.0 * change), (0.0 * shift, change)])
    assert by_mean == pytest.approx(shift @ level @ shift, rel=1e-12)
    assert by_cov == pytest.approx(v @ spread @ v, rel=1e-12)
    by_row = sum(precisions(patterns, found)[r] for r in patterns.which) / len(rows)
    np.testing.assert_allclose(mean_information(found), by_row, atol=1e-12)


def test_an_item_that_others_determine_is_noticed_early():
    rows = answers(11, 80, 4, 80)
    generator = np.random.default_rng(12)
    rows = np.column_stack([rows, np.nansum(rows, axis=1)])
    rows[generator.random(80) < 0.3, 4] = np.nan
    complete = ~np.isnan(rows).any(axis=1)
    rows[~complete & ~np.isnan(rows[:, 4]), 4] = np.nan
    steps = []
    original = saturated.em_step
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saturated, "em_step", lambda *args: steps.append(1) or original(*args))
        assert saturated.saturated_moments(find_patterns(rows)) is None
    assert len(steps) < 200
