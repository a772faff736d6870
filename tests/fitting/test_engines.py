"""semopy and the kernel end at the same minimum, and semopy never sees the user's text."""

import logging
import threading

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, NotSupported
from sem_loyalty.fitting import semopy_engine
from sem_loyalty.model.defaults import specify

MODELS = {
    "marker": ("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A\nC ~ B", {}),
    "unit variances": ("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A\nC ~ A + B", {"std_lv": True}),
    "second order": ("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nG =~ A + B + C", {}),
    "residual covariances": ("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A\na1 ~~ b1\na2 ~~ b2", {}),
    "two outcomes": ("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A\nC ~ A", {}),
    "orthogonal": ("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nA ~~ 0*B", {}),
    "covariates": ("A =~ a1 + a2 + a3\nA ~ b1 + b2\nc1 ~ A + b1", {}),
}


@pytest.mark.parametrize("name", MODELS)
def test_engines_agree(halo, name):
    model, options = MODELS[name]
    ours = sl.fit(model, halo, engine="kernel", **options)
    theirs = sl.fit(model, halo, engine="semopy", **options)
    assert theirs.engine == "semopy"
    assert theirs.notes[0] == "semopy converged"
    # Both are polished to a gradient at rounding error, so they agree far beyond semopy's own tolerance.
    np.testing.assert_allclose(theirs.theta, ours.theta, atol=1e-9)
    assert theirs.value == pytest.approx(ours.value, abs=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_semopy_alone_is_already_near(halo, name):
    model, options = MODELS[name]
    specification = specify(model, **options)
    cov = np.cov(halo[list(specification.observed)].T, bias=True)
    theta, _ = semopy_engine.solve(specification, cov, {n: i for i, n in enumerate(specification.observed)})
    fitted = sl.fit(model, halo, engine="kernel", **options)
    assert theta is not None
    np.testing.assert_allclose(theta, fitted.theta, atol=1e-3)


def test_the_text_for_semopy_holds_generated_names_only():
    model = '满意 =~ q1 + `__import__("os").system("x")` + q3\nBOUND =~ q4 + q5 + q6\nBOUND ~ 满意'
    specification = specify(model)
    safe = {n: f"v{i}" for i, n in enumerate(specification.observed)}
    safe |= {n: f"f{i}" for i, n in enumerate(specification.latent)}
    text = semopy_engine.model_text(specification, safe)
    assert set(text) <= set("vf0123456789=~+* \n.-e")


def test_rows_have_exactly_the_correlation_asked_for():
    matrix = np.array([[1.0, 0.3, -0.2], [0.3, 1.0, 0.5], [-0.2, 0.5, 1.0]])
    rows = semopy_engine.rows_with_correlation(matrix)
    np.testing.assert_allclose(np.cov(rows.T, bias=True), matrix, atol=1e-14)
    np.testing.assert_allclose(rows.mean(axis=0), 0.0, atol=1e-15)


@pytest.mark.parametrize(
    ("model", "options", "reason"),
    [
        ("A =~ a1 + k*a2 + k*a3", {}, "equal"),
        ("A =~ a1 + a2 + a3", {"meanstructure": True}, "mean"),
        ("a1 ~ a2 + a3", {}, "path models"),
        ("A =~ a1 + 0.5*a2 + a3", {}, "scale of A"),
    ],
)
def test_what_semopy_cannot_express_goes_to_the_kernel(chain, model, options, reason):
    fitted = sl.fit(model, chain, **options)
    assert fitted.engine == "kernel"
    assert reason in fitted.notes[0]
    with pytest.raises(NotSupported, match="Use engine='auto' or 'kernel'"):
        sl.fit(model, chain, engine="semopy", **options)


def test_unknown_engine():
    with pytest.raises(ConfigurationError, match="'auto', 'semopy', 'kernel'"):
        sl.fit("a ~ b", pd.DataFrame({"a": [1.0], "b": [2.0]}), engine="lisrel")


def test_logging_is_left_as_it_was(chain):
    handlers, level = list(logging.getLogger().handlers), logging.root.manager.disable
    sl.fit(MODELS["marker"][0], chain, engine="semopy")
    assert logging.getLogger().handlers == handlers
    assert logging.root.manager.disable == level


def test_two_threads_do_not_mix(chain):
    models = [MODELS["marker"][0], MODELS["two outcomes"][0]]
    expected = [sl.fit(model, chain, engine="kernel").chisq for model in models]
    found: dict[int, list[float]] = {0: [], 1: []}

    def work(k: int) -> None:
        for _ in range(5):
            found[k].append(sl.fit(models[k], chain, engine="semopy").chisq)

    threads = [threading.Thread(target=work, args=(k,)) for k in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in (0, 1):
        np.testing.assert_allclose(found[k], expected[k], atol=1e-8)
