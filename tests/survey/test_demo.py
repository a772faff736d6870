from __future__ import annotations

import csv
import importlib.util
import math
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from sem_loyalty.model.library import load_model
from sem_loyalty.survey.published import (
    FOLDER,
    demo_codebook_path,
    demo_path,
    demo_transactions_path,
    demo_wallet_path,
)

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "simulate_demo.py"
CONSTRUCTS = ("SAT", "TRU", "VAL", "LOY")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("simulate_demo", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["simulate_demo"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def codebook() -> list[dict[str, str]]:
    with demo_codebook_path().open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    return pd.read_csv(demo_path())


@pytest.fixture(scope="module")
def answers(raw: pd.DataFrame, codebook: list[dict[str, str]], script: ModuleType) -> pd.DataFrame:
    """Attentive respondents, items named and turned round as the codebook says."""
    frame = raw.copy()
    for entry in codebook:
        if entry["construct"]:
            column = frame.pop(entry["column"]).where(lambda x, code=int(entry["missing"]): x != code)
            frame[entry["name"]] = 8 - column if entry["reverse"] == "yes" else column
    attentive = [respondent.careless == "" for respondent in script.simulate()]
    return frame[attentive]


def structure(answers: pd.DataFrame) -> pd.DataFrame:
    """Correlations of the constructs, freed of measurement error: mean r between over geometric mean r within."""
    core = load_model("core")
    correlations = answers[[item.name for item in core.items]].corr()
    items = {construct.code: list(construct.items) for construct in core.constructs}

    def mean(left: str, right: str) -> float:
        block = correlations.loc[items[left], items[right]].to_numpy()
        return float(block[~np.eye(len(block), dtype=bool)].mean() if left == right else block.mean())

    return pd.DataFrame(
        {
            a: {b: 1.0 if a == b else mean(a, b) / math.sqrt(mean(a, a) * mean(b, b)) for b in CONSTRUCTS}
            for a in CONSTRUCTS
        }
    )


def paths(constructs: pd.DataFrame, outcome: str, causes: list[str]) -> dict[str, float]:
    solved = np.linalg.solve(constructs.loc[causes, causes].to_numpy(), constructs.loc[causes, outcome].to_numpy())
    return dict(zip(causes, map(float, solved), strict=True))


def test_the_script_repeats_the_files_byte_for_byte(tmp_path: Path) -> None:
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C"}
        subprocess.run([sys.executable, SCRIPT, tmp_path], check=True, env=environment)
        for path in (demo_path(), demo_codebook_path(), demo_transactions_path(), demo_wallet_path()):
            assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_the_data_say_that_they_are_simulated(script: ModuleType) -> None:
    text = (FOLDER / "demo.toml").read_text(encoding="utf-8")
    assert "It was not collected from anybody" in text.splitlines()[0]
    said = tomllib.loads(text)
    assert said["simulated"] is True
    assert said["seed"] == script.SEED
    assert said["careless"] == script.CARELESS
    assert said["respondents"] == script.RESPONDENTS


def test_every_column_is_in_the_codebook_and_within_its_range(
    raw: pd.DataFrame, codebook: list[dict[str, str]]
) -> None:
    assert [entry["column"] for entry in codebook] == list(raw.columns)
    assert raw.shape == (600, 25)
    assert raw["id"].is_unique
    for entry in codebook:
        if entry["min"]:
            allowed = raw[entry["column"]].dropna()
            if entry["missing"]:
                allowed = allowed[allowed != int(entry["missing"])]
            assert allowed.between(int(entry["min"]), int(entry["max"])).all(), entry["column"]
    core = load_model("core")
    items = [entry for entry in codebook if entry["construct"]]
    assert [(e["name"], e["construct"], e["reverse"], e["label_zh"]) for e in items] == [
        (i.name, i.construct, "yes" if i.reverse else "no", i.wording.zh) for i in core.items
    ]
    assert [e["column"] for e in items if e["reverse"] == "yes"] == ["sat4_r", "tru3_r"]


def test_careless_respondents_leave_their_traces(raw: pd.DataFrame, script: ModuleType) -> None:
    kinds = pd.Series([respondent.careless for respondent in script.simulate()])
    assert kinds.value_counts().drop("").to_dict() == {"straight": 12, "random": 10, "rushed": 8}
    items = raw.filter(regex=r"^(sat|tru|val|loy)\d").where(lambda x: x != 99)
    spread = items.std(axis=1, ddof=0)
    assert (spread[kinds == "straight"] == 0).all()
    assert (spread[kinds == ""] > 0).all()
    assert raw["duration"][kinds.isin(["straight", "rushed"])].max() < 60
    assert raw["duration"][kinds == ""].min() > 90


def test_answers_are_missing_as_announced(raw: pd.DataFrame) -> None:
    items = raw.filter(regex=r"^(sat|tru|val|loy)\d").where(lambda x: x != 99)
    assert items.isna().to_numpy().mean() == pytest.approx(0.03, abs=0.005)
    left_out = items[["val2", "val3", "val4"]].isna().mean(axis=1)
    older = raw["age"] >= 50
    assert left_out[older].mean() > 2 * left_out[~older & raw["age"].notna()].mean()


def test_answers_are_mildly_skewed_towards_agreement(answers: pd.DataFrame) -> None:
    skew = answers[[item.name for item in load_model("core").items]].skew()
    assert skew.between(-0.9, -0.1).all()


def test_the_sample_recovers_its_population(answers: pd.DataFrame) -> None:
    # With about 500 respondents a correlation has a standard error below .05; cutting into seven categories lowers
    # correlations between items by a few per cent, which cancels between constructs.
    population = load_model("core").population
    assert population is not None
    constructs = structure(answers)
    found = {("SAT", "TRU"): constructs.loc["SAT", "TRU"], ("TRU", "VAL"): constructs.loc["TRU", "VAL"]}
    found |= {(cause, "LOY"): value for cause, value in paths(constructs, "LOY", ["VAL", "SAT", "TRU"]).items()}
    assert found == pytest.approx(dict(population.paths), abs=0.12)
    core = load_model("core")
    for construct in core.constructs:
        names = list(construct.items)
        wanted = np.outer(*(2 * [[population.loadings[name] for name in names]]))
        off = ~np.eye(len(names), dtype=bool)
        difference = answers[names].corr().to_numpy()[off] - wanted[off]
        assert abs(difference.mean() + 0.025) < 0.04
        assert np.abs(difference).max() < 0.12


def test_trust_matters_more_online(answers: pd.DataFrame) -> None:
    trust = {
        channel: paths(structure(group), "LOY", ["VAL", "SAT", "TRU"])["TRU"]
        for channel, group in answers.groupby("channel")
    }
    assert set(trust) == {"store", "online"}
    assert trust["online"] - trust["store"] > 0.15


def test_the_population_is_standardised(script: ModuleType) -> None:
    # The unit variance of every construct is made by construction: check it with many draws of one group.
    population = load_model("core").population
    assert population is not None
    draws = script.Draws(1)
    scores = pd.DataFrame([script.factor_scores(population, 1, list(CONSTRUCTS), draws) for _ in range(8000)])
    # Standard error of a variance with 8000 draws: sqrt(2 / 8000) = .016.
    np.testing.assert_allclose(scores.var(), 1.0, atol=0.06)
    assert paths(scores.corr(), "LOY", ["VAL", "SAT", "TRU"])["TRU"] == pytest.approx(0.38, abs=0.05)


def test_random_numbers_are_fixed_by_the_seed_alone(script: ModuleType) -> None:
    draws = script.Draws(13)
    assert [draws.integer(1, 7) for _ in range(12)] == [7, 6, 6, 2, 1, 7, 5, 1, 7, 7, 3, 6]
    assert sorted(script.Draws(2).sample(10, 10)) == list(range(10))


def test_the_log_has_the_slopes_that_the_script_states(script: ModuleType) -> None:
    # Of 4000 retained customers; Poisson regression of the counts and regression of ln(mean amount), within 3 SE.
    draws = script.Draws(5)
    loyalty = [draws.normal() for _ in range(4000)]
    bought = [script.purchases(value, True, draws) for value in loyalty]
    first_year = np.array([sum(day < 365 for day, _ in found) for found in bought], dtype=float)
    cells = np.digitize(loyalty, [-1.0, 0.0, 1.0])
    rates = np.log([first_year[cells == k].mean() for k in range(4)])
    centres = [np.mean(np.array(loyalty)[cells == k]) for k in range(4)]
    assert np.polyfit(centres, rates, 1)[0] == pytest.approx(script.RATE[1], abs=0.06)
    pairs = [(value, np.mean([math.log(a) for _, a in f])) for value, f in zip(loyalty, bought, strict=True) if f]
    slope = np.polyfit(*np.array(pairs).T, 1)[0]
    assert slope == pytest.approx(script.AMOUNT[1], abs=0.03)


def test_the_log_agrees_with_the_survey(raw: pd.DataFrame) -> None:
    log, wallet = pd.read_csv(demo_transactions_path()), pd.read_csv(demo_wallet_path())
    assert log["date"].between("2024-01-01", "2025-12-30").all()
    assert log["date"].is_monotonic_increasing
    assert (log["amount"] > 0).all()
    lost = set(raw.loc[raw["retained"] == 0, "id"])
    assert (log.loc[log["customer"].isin(lost), "date"] < "2025-01-01").all()
    spent = log.groupby("customer")["amount"].sum()
    assert set(spent.index) == set(wallet["customer"])
    assert (wallet.set_index("customer")["category_spend"] >= spent).all()
    assert {name[0] for name in set(spent.index) - set(raw["id"])} == {"X"}
