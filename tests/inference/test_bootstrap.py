"""Bootstrap: intervals by hand, the same numbers whatever the circumstances, honest counts."""

import os
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, ImproperSolutionWarning, NotSupported
from sem_loyalty.inference import resampling
from sem_loyalty.inference.influence import parameter_influence, row_jacobian
from sem_loyalty.inference.intervals import acceleration, interval, quantiles, two_sided_p
from sem_loyalty.kernel import batch


@pytest.fixture(scope="module")
def fitted(chain, chain_model):
    return sl.fit(chain_model, chain, engine="kernel")


@pytest.fixture(scope="module")
def drawn(fitted):
    return sl.bootstrap(fitted, 1500, seed=4)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(resampling, "BLOCK", 50)


def test_columns_rows_and_attributes(fitted, drawn):
    found = drawn.estimates()
    plain = sl.estimates(fitted)
    assert list(found.columns) == [*plain.columns, "bias"]
    for column in ("lhs", "op", "rhs", "est", "std_lv", "std_all"):
        assert list(found[column]) == list(plain[column])
    assert found.attrs["draws"] == 1500
    assert found.attrs["failed"] == 0
    assert found.attrs["certified"]
    fixed = found[(found["op"] == "=~") & (found["est"] == 1.0)]
    assert (fixed["se"] == 0).all()
    assert fixed[["ci_lower", "pvalue", "z"]].isna().all(axis=None)
    free = found[found["se"] > 0]
    assert ((free["ci_lower"] < free["est"]) & (free["est"] < free["ci_upper"])).all()


def test_every_solution_comes_from_the_same_draws(fitted, drawn):
    table = fitted.specification.parameters
    position = {(row.lhs, row.op, row.rhs): i for i, row in enumerate(table)}
    loading, item = position["A", "=~", "a2"], position["a2", "~~", "a2"]
    raw, _, std_all = drawn.rows
    a = position["A", "~~", "A"]
    total = raw[loading] ** 2 * raw[a] + raw[item]
    np.testing.assert_allclose(std_all[loading], raw[loading] * np.sqrt(raw[a] / total), rtol=1e-10)
    defined = drawn.estimates(interval="percentile").iloc[-1]
    x, y = (next(i for i, row in enumerate(table) if row.label == name) for name in ("x", "y"))
    assert defined["se"] == pytest.approx((raw[x] * raw[y]).std(ddof=1))
    standard = drawn.estimates(interval="percentile", solution="std_all").iloc[-1]
    assert standard["se"] == pytest.approx((std_all[x] * std_all[y]).std(ddof=1))
    assert standard["est"] == sl.estimates(fitted).iloc[-1]["std_all"]


def test_what_is_constant_has_no_test(fitted, drawn):
    # The standardised variance of an exogenous construct is 1 in every draw, without rounding.
    table = drawn.estimates(solution="std_all").set_index(["lhs", "op", "rhs"]).loc[("A", "~~", "A")]
    assert (table["se"], table["bias"]) == (0.0, 0.0)
    assert table[["z", "pvalue", "ci_lower", "ci_upper"]].isna().all()


def test_draws_are_the_fits_of_the_resamples(fitted, chain, chain_model, drawn):
    from sem_loyalty.kernel.resample import counts, stream

    weights = counts(stream(4, 0, 0), len(chain), drawn.block)
    se = sl.estimates(fitted)["se"]
    se = np.array(
        [se.iloc[list(fitted.specification.parameters).index(r)] for r in fitted.specification.free_parameters]
    )
    for k in (0, 7, 300):
        resample = chain.loc[np.repeat(chain.index, weights[k].astype(int))]
        again = sl.fit(chain_model, resample, engine="kernel")
        assert (np.abs(again.theta - drawn.draws[k]) / se).max() < 1e-4


def test_standard_errors_of_normal_answers():
    generator = np.random.default_rng(31)
    f = generator.standard_normal((1000, 1))
    g = 0.5 * f + 0.8 * generator.standard_normal((1000, 1))
    data = np.hstack([f + generator.standard_normal((1000, 3)), g + generator.standard_normal((1000, 3))])
    fitted = sl.fit(
        "f =~ a + b + c\ng =~ d + e + h\ng ~ p*f\ntwice := 2*p",
        pd.DataFrame(data, columns=list("abcdeh")),
        engine="kernel",
    )
    plain, found = sl.estimates(fitted), sl.bootstrap(fitted, 2000).estimates()
    free = plain["se"] > 0
    np.testing.assert_allclose(found["se"][free], plain["se"][free], rtol=0.15)
    np.testing.assert_allclose(found["ci_lower"][free], plain["ci_lower"][free], atol=0.05)


@pytest.mark.slow
def test_intervals_cover_the_truth():
    generator = np.random.default_rng(12)
    hit, tried = 0, 120
    for _ in range(tried):
        f = generator.standard_normal((200, 1))
        data = pd.DataFrame(f + generator.standard_normal((200, 4)), columns=list("abcd"))
        fitted = sl.fit("f =~ a + b + c + d", data, engine="kernel")
        row = sl.bootstrap(fitted, 500, seed=9).estimates().iloc[1]
        hit += row["ci_lower"] < 1.0 < row["ci_upper"]
    # 95 % of 120, give or take three binomial standard deviations.
    assert hit / tried > 0.89


def test_quantiles_by_hand():
    ordered = np.arange(1.0, 100.0)[None]  # 99 draws: the position of p is 100 p
    assert quantiles(ordered, np.array([0.025]))[0] == pytest.approx(2.5)
    assert quantiles(ordered, np.array([0.5]))[0] == 50.0
    assert quantiles(ordered, np.array([0.001]))[0] == 1.0
    assert quantiles(ordered, np.array([0.9999]))[0] == 99.0


def test_interval_methods_by_hand():
    draws = np.random.default_rng(3).permutation(np.arange(1.0, 1000.0))[None]
    zero, estimate = np.zeros(1), np.array([500.0])
    assert np.ravel(interval(estimate, draws, "percentile", 0.9, zero)) == pytest.approx([50.0, 950.0])
    assert np.ravel(interval(np.array([520.0]), draws, "basic", 0.9, zero)) == pytest.approx([90.0, 990.0])
    # An estimate at the median of the draws has no bias, and without acceleration BCa is percentile.
    assert np.ravel(interval(estimate, draws, "bca", 0.9, zero)) == pytest.approx([50.0, 950.0])
    shift, a = stats.norm.ppf(599.5 / 999), 0.05
    expected = []
    for z in stats.norm.ppf([0.05, 0.95]):
        expected.append(1000 * stats.norm.cdf(shift + (shift + z) / (1 - a * (shift + z))))
    assert np.ravel(interval(np.array([600.0]), draws, "bca", 0.9, np.array([a]))) == pytest.approx(expected)
    assert np.isnan(interval(estimate, np.full((1, 20), 3.0), "bca", 0.9, zero)).all()


def test_bca_agrees_with_scipy():
    data = np.random.default_rng(6).exponential(size=60)
    scipy = stats.bootstrap((data,), np.mean, n_resamples=20000, rng=np.random.default_rng(1), method="BCa")
    draws = scipy.bootstrap_distribution[None]
    skew = acceleration((data - data.mean())[None])
    found = np.ravel(interval(np.array([data.mean()]), draws, "bca", 0.95, skew))
    # The mean's influence is its jackknife; the rest is interpolation between draws.
    np.testing.assert_allclose(found, scipy.confidence_interval, atol=2e-3)


def test_p_value_by_hand():
    zero, estimate = np.zeros(1), np.ones(1)
    draws = np.concatenate([np.full(3, -1.0), np.linspace(0.1, 2, 96)])[None]
    assert two_sided_p(estimate, draws, "percentile", zero)[0] == pytest.approx(2 * 4 / 100)
    assert two_sided_p(estimate, np.abs(draws), "percentile", zero)[0] == pytest.approx(2 / 100)
    assert two_sided_p(estimate, np.concatenate([draws, -draws], axis=1), "percentile", zero)[0] == 1.0
    assert two_sided_p(estimate, draws, "basic", zero)[0] == pytest.approx(2 * 2 / 100)  # one draw at 2 est or above


@pytest.mark.parametrize("kind", ["percentile", "basic", "bca"])
@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**31), st.floats(-0.2, 0.2), st.floats(-3, 3))
def test_p_is_the_level_at_which_the_interval_meets_zero(kind, seed, a, mean):
    draws = np.random.default_rng(seed).normal(mean, 1.0, (1, 999))
    estimate, skew = np.array([mean + 0.1]), np.array([a])
    p = float(two_sided_p(estimate, draws, kind, skew)[0])
    zero = 2 * (mean + 0.1) if kind == "basic" else 0.0
    # Far out there are too few draws for the level to be known that well.
    if min((draws <= zero).sum(), (draws >= zero).sum()) >= 40 and p < 0.6:
        (inside,), (beyond,) = interval(estimate, draws, kind, 1 - 0.6 * p, skew)
        assert inside < 0 < beyond
        (low,), (high,) = interval(estimate, draws, kind, 1 - 1.5 * p, skew)
        assert low > 0 or high < 0


def test_influence_is_the_jackknife_to_the_first_order(fitted, chain, chain_model):
    found = parameter_influence(fitted)
    n = len(chain)
    assert found.shape == (len(fitted.theta), n)
    np.testing.assert_allclose(found.sum(axis=1), 0.0, atol=1e-8)
    standard = (row_jacobian(fitted) @ found)[2]
    for i in range(0, n, 60):
        without = sl.fit(chain_model, chain.drop(index=chain.index[i]), engine="kernel")
        moved = (n - 1) * (fitted.theta - without.theta)
        np.testing.assert_allclose(found[:, i], moved, atol=0.06 * np.abs(moved).max())
        difference = sl.estimates(fitted)["std_all"] - sl.estimates(without)["std_all"]
        moved = (n - 1) * difference.to_numpy()[: len(standard)]
        np.testing.assert_allclose(standard[:, i], moved, atol=0.08 * np.abs(moved).max())


def test_acceleration_of_a_skewed_statistic():
    # For the mean, a is the skewness of the data over 6 sqrt(n).
    data = np.random.default_rng(2).exponential(size=500)
    expected = stats.skew(data) / (6 * np.sqrt(500))
    assert acceleration((data - data.mean())[None])[0] == pytest.approx(expected)


def test_draws_do_not_depend_on_their_number_or_on_workers(fitted, small_blocks):
    alone = sl.bootstrap(fitted, 170, seed=2)
    more = sl.bootstrap(fitted, 330, seed=2)
    threads = sl.bootstrap(fitted, 170, seed=2, workers=3)
    assert alone.block == 50
    assert alone.draws.tobytes() == more.draws[:170].tobytes()
    assert alone.rows.tobytes() == threads.rows.tobytes()
    pd.testing.assert_frame_equal(alone.estimates(), threads.estimates(), check_exact=True)
    assert sl.bootstrap(fitted, 170, seed=3).draws.tobytes() != alone.draws.tobytes()


def test_small_models_fill_whole_blocks(fitted):
    plan = resampling.make_plan(fitted, 1, "nonparametric")
    assert plan.lanes == resampling.BLOCK


def test_resumed_run_ends_with_the_same_numbers(fitted, small_blocks, tmp_path, monkeypatch):
    whole = sl.bootstrap(fitted, 200)
    file = tmp_path / "draws.npz"

    def stop(done, total):
        if done >= 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sl.bootstrap(fitted, 200, resume=file, progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["draws.npz"]
    computed = []
    real = resampling.Plan.draw
    monkeypatch.setattr(resampling.Plan, "draw", lambda plan, block: computed.append(block) or real(plan, block))
    seen = []
    resumed = sl.bootstrap(fitted, 200, resume=file, progress=lambda done, total: seen.append((done, total)))
    assert computed == [2, 3]
    assert seen == [(100, 200), (150, 200), (200, 200)]
    assert resumed.rows.tobytes() == whole.rows.tobytes()
    with pytest.raises(ConfigurationError, match="another analysis"):
        sl.bootstrap(fitted, 200, seed=2, resume=file)
    file.write_text("not a file of draws")
    with pytest.raises(ConfigurationError, match="not a file of bootstrap draws"):
        sl.bootstrap(fitted, 200, resume=file)
    with pytest.raises(ConfigurationError, match="does not exist"):
        sl.bootstrap(fitted, 200, resume=tmp_path / "none" / "draws.npz")


INTERRUPTED = """
# A process started in the background ignores SIGINT, and its children with it.
import signal; signal.signal(signal.SIGINT, signal.default_int_handler)
import sys, numpy as np, pandas as pd, sem_loyalty as sl
from sem_loyalty.inference import resampling
resampling.BLOCK = 50
rng = np.random.default_rng(5)
f = rng.standard_normal((150, 1))
data = pd.DataFrame(f + rng.standard_normal((150, 4)), columns=list("abcd"))
fitted = sl.fit("f =~ a + b + c + d", data, engine="kernel")
def tell(done, total):
    print(done, flush=True)
drawn = sl.bootstrap(fitted, int(sys.argv[2]), resume=sys.argv[1], progress=tell, workers=int(sys.argv[3]))
print(drawn.rows.tobytes().hex()[:4000], drawn.failed)
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupted_process_keeps_what_is_finished(tmp_path, workers):
    file = tmp_path / "draws.npz"
    command = [sys.executable, "-c", INTERRUPTED, str(file), "200000", workers]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        for line in run.stdout:
            if int(line) >= 100:
                run.send_signal(signal.SIGINT)  # as Ctrl-C
                break
        run.stdout.read()
        assert "KeyboardInterrupt" in run.stderr.read()
    assert run.returncode != 0
    with np.load(file) as kept:
        finished = len(kept["numbers"])
    assert 2 <= finished < 4000
    again = subprocess.run([*command[:4], "100", "1"], capture_output=True, text=True, check=True).stdout.split("\n")
    fresh = [sys.executable, "-c", INTERRUPTED, str(tmp_path / "other.npz"), "100", "1"]
    whole = subprocess.run(fresh, capture_output=True, text=True, check=True).stdout.split("\n")
    assert again[-2] == whole[-2]
    # Nothing was left to compute, but for a block that another process was still at.
    assert again[0] == "100" or (workers == "2" and again[0] == "50")


def test_draws_that_fail_are_counted_and_left_out(chain, small_blocks):
    # Twelve answers to nine items: many resamples have a singular covariance matrix and no minimum.
    few = chain.iloc[36:48]
    with pytest.warns(ImproperSolutionWarning):
        fitted = sl.fit("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A", few, engine="kernel")
    with pytest.raises(ConfigurationError, match="not certified"):
        sl.bootstrap(fitted, 100)
    found = sl.bootstrap(fitted, 50, force=True)
    assert 0 < found.failed < 50
    assert found.failed == (~found.converged).sum() == np.isnan(found.draws).any(axis=1).sum()
    assert not found.certified
    first, second = str(found).split("\n")[:2]
    assert first.startswith("NOT CERTIFIED")
    assert second == f"nonparametric bootstrap: {50 - found.failed} of 50 draws converged, seed 1"
    assert f"{found.failed} draws did not converge" in str(found)
    table = found.estimates(interval="percentile")
    assert table.attrs["failed"] == found.failed
    assert np.isfinite(table["se"]).all()


def test_no_draw_is_lost_by_giving_up_on_ridges_early(chain, small_blocks, monkeypatch):
    fitted = sl.fit("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A", chain.iloc[:40], engine="kernel")
    steps = []

    def counted(*arguments, **options):
        found = minimise(*arguments, **options)
        if found is not None and not found.converged:
            steps.append(found.iterations)
        return found

    minimise = batch.minimise
    monkeypatch.setattr(batch, "minimise", counted)
    found = sl.bootstrap(fitted, 150, force=True)
    # Scoring takes 60 steps at most before them.
    assert 0 < max(steps) <= batch.ALONE + 60
    monkeypatch.setattr(batch, "ALONE", 600)
    again = sl.bootstrap(fitted, 150, force=True)
    assert max(steps) > 120 + 60
    np.testing.assert_array_equal(found.converged, again.converged)
    np.testing.assert_array_equal(found.draws, again.draws)


def test_bollen_stine(fitted, small_blocks, chain):
    found = sl.bootstrap(fitted, 300, kind="bollen-stine")
    assert np.isfinite(found.chisq).all()
    # The model holds in the population drawn from: the mean of a chi-square is its degrees of freedom.
    assert found.chisq.mean() == pytest.approx(fitted.df, rel=0.15)
    assert found.bollen_stine_p == pytest.approx(((found.chisq >= fitted.chisq).sum() + 1) / 301)
    assert "Bollen-Stine p" in str(found)
    wrong = sl.fit("A =~ a1 + a2 + b1\nB =~ b2 + b3 + a3\nA ~~ 0*B", chain, engine="kernel")
    assert sl.bootstrap(wrong, 200, kind="bollen-stine").bollen_stine_p < 0.01
    assert np.isnan(sl.bootstrap(fitted, 50).bollen_stine_p)
    assert np.isnan(sl.bootstrap(fitted, 50).chisq).all()


def test_chi_square_of_a_draw_is_that_of_a_fit(fitted, small_blocks):
    from sem_loyalty.inference.uncertainty import answers
    from sem_loyalty.kernel.resample import counts, stream, under_the_model

    found = sl.bootstrap(fitted, 50, kind="bollen-stine")
    moved = under_the_model(answers(fitted)[0], fitted.samples[0].cov, fitted.point.implied[0].cov, None)
    weights = counts(stream(1, 0, 0), len(moved), 50)[11].astype(int)
    again = sl.fit(
        fitted.specification,
        pd.DataFrame(np.repeat(moved, weights, axis=0), columns=list(fitted.specification.observed)),
        engine="kernel",
    )
    assert found.chisq[11] == pytest.approx(again.chisq, rel=1e-8)


def test_groups_constraints_and_means(chain, small_blocks):
    data = chain.assign(g=np.where(np.arange(len(chain)) % 2, "u", "v"))
    fitted = sl.fit(
        "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ c(p, q)*A\nd := p - q",
        data,
        group="g",
        group_equal=["loadings", "intercepts"],
        engine="kernel",
    )
    found = sl.bootstrap(fitted, 200)
    assert found.failed == 0
    plain, table = sl.estimates(fitted), found.estimates()
    free = plain["se"] > 0
    np.testing.assert_allclose(table["se"][free], plain["se"][free], rtol=0.45)
    assert table["ci_lower"].iloc[-1] < plain["est"].iloc[-1] < table["ci_upper"].iloc[-1]


def test_what_is_refused(fitted, chain):
    matrix = sl.fit("A =~ a1 + a2 + a3 + b1", sample_cov=chain[["a1", "a2", "a3", "b1"]].cov(), sample_nobs=300)
    with pytest.raises(NotSupported, match="sample_cov"):
        sl.bootstrap(matrix)
    for wrong in ({"draws": 0}, {"seed": -1}, {"workers": 0}, {"draws": 10.5}, {"kind": "jackknife"}):
        with pytest.raises(ConfigurationError):
            sl.bootstrap(fitted, **wrong)
    found = sl.bootstrap(fitted, 50)
    for wrong in ({"level": 95}, {"interval": "normal"}, {"solution": "std"}):
        with pytest.raises(ConfigurationError):
            found.estimates(**wrong)


def test_progress_bar(fitted, small_blocks, capsys):
    sl.bootstrap(fitted, 100, progress=True)
    assert capsys.readouterr().err.endswith("100 of 100 draws\n")
    sl.bootstrap(fitted, 100)
    sl.bootstrap(fitted, 100, progress=False)
    assert capsys.readouterr().err == ""


SCRIPT = """
import hashlib, numpy as np, pandas as pd, sem_loyalty as sl
from sem_loyalty.inference import resampling
resampling.BLOCK = 100
rng = np.random.default_rng(5)
f = rng.standard_normal((150, 1))
data = pd.DataFrame(f + rng.standard_normal((150, 4)), columns=list("abcd"))
fitted = sl.fit("f =~ a + b + c + d\\na ~~ b", data, engine="kernel")
print(hashlib.sha256(sl.bootstrap(fitted, 200).rows.tobytes()).hexdigest())
"""


def test_same_bytes_with_one_blas_thread_and_with_two():
    found = set()
    for threads in ("1", "2"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "PYTHONHASHSEED": threads}
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
        )
        found.add(run.stdout)
    assert len(found) == 1
