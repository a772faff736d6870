"""`sl.fit` with both methods: the same numbers as the functions behind it, and arguments of the other one refused."""

import inspect
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, NotSupported
from sem_loyalty.fitting.fit import fit as fit_cb

MODEL = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A"


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    cause = rng.normal(size=(300, 1))
    outcome = 0.6 * cause + 0.8 * rng.normal(size=(300, 1))
    columns = {f"a{k}": cause[:, 0] + 0.7 * rng.normal(size=300) for k in (1, 2, 3)}
    columns |= {f"b{k}": outcome[:, 0] + 0.7 * rng.normal(size=300) for k in (1, 2, 3)}
    return pd.DataFrame(columns)


def test_covariance_based_is_the_default(answers: pd.DataFrame) -> None:
    assert (
        sl.fit(MODEL, answers, estimator="MLR").theta.tolist() == fit_cb(MODEL, answers, estimator="MLR").theta.tolist()
    )
    assert isinstance(sl.fit(MODEL, answers, method="cb"), sl.Fit)


def test_pls_is_one_argument_away(answers: pd.DataFrame) -> None:
    found = sl.fit(MODEL, answers, method="pls", consistent=True)
    assert isinstance(found, sl.Pls)
    assert str(found) == str(sl.pls(MODEL, answers, consistent=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "pls", "estimator": "MLR"}, 'method="pls" has no estimator.*scheme, consistent'),
        ({"method": "pls", "missing": "fiml", "group": "a1"}, "has no missing, group"),
        ({"scheme": "path"}, 'method="cb" has no scheme.*estimator, missing'),
    ],
)
def test_arguments_of_the_other_method_are_refused(answers: pd.DataFrame, options: dict, message: str) -> None:
    with pytest.raises(NotSupported, match=message):
        sl.fit(MODEL, answers, **options)


def test_unknown_method_and_argument(answers: pd.DataFrame) -> None:
    with pytest.raises(ConfigurationError, match="cb"):
        sl.fit(MODEL, answers, method="bayes")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="nonsense"):
        sl.fit(MODEL, answers, nonsense=1)


def test_help_shows_the_arguments_of_both() -> None:
    shown = inspect.signature(sl.fit).parameters
    assert list(shown)[:3] == ["model", "data", "method"]
    assert [name for name in shown if name != "method"] == list(inspect.signature(fit_cb).parameters)
    assert '    method : {"cb", "pls"}, default "cb"' in (sl.fit.__doc__ or "")
    assert "    sample_cov :" in (sl.fit.__doc__ or "")


def test_a_fit_of_arrays_still_needs_no_pandas() -> None:
    code = (
        "import sys, numpy as np, sem_loyalty as sl; rng = np.random.default_rng(1); f = rng.normal(size=200)\n"
        "sl.fit('F =~ a + b + c', {k: f + rng.normal(size=200) for k in 'abc'}, engine='kernel')\n"
        "print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
