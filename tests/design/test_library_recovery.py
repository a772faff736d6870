"""Every model of the library finds again the population that its data were drawn from."""

from __future__ import annotations

import numpy as np
import pytest

import sem_loyalty as sl
from sem_loyalty.design.structure import Structure, standardised_structures, written_structures
from sem_loyalty.inference.verdicts import verdicts
from sem_loyalty.model.defaults import specify
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.publish.model_check import check_model

LOADED = {id: sl.load_model(id) for id in sl.models()["id"]}
# Products of constructs have their own test, in tests/inference/test_products.py.
SIMULATED = [id for id, model in LOADED.items() if model.population is not None and not model.products]
LARGE = 10_000

Name = tuple[str, str, str, int]


def labels(model: ModelFile) -> tuple[str, ...]:
    return model.grouping.levels if model.grouping is not None else ("",)


def structures(model: ModelFile) -> tuple[Structure, ...]:
    assert model.population is not None
    if model.population.text:
        return written_structures(model.population.text, labels(model))
    return standardised_structures(specify(model.text, groups=labels(model)), model.population, model.products)


def standardised_truth(model: ModelFile) -> dict[Name, float]:
    """Paths, loadings and correlations of the population by name; what is absent is zero."""
    truth: dict[Name, float] = {}
    for group, structure in enumerate(structures(model), start=1):
        names = (*structure.observed, *structure.latent)
        total = structure.total()
        sd = np.sqrt(np.diagonal(total @ structure.symmetric @ total.T))
        residual = np.sqrt(np.diagonal(structure.symmetric))
        for i, j in zip(*np.nonzero(structure.directed), strict=True):
            value = float(structure.directed[i, j] * sd[j] / sd[i])
            truth[names[i], "~", names[j], group] = truth[names[j], "=~", names[i], group] = value
        for i, j in zip(*np.nonzero(structure.symmetric), strict=True):
            if i != j:
                truth[names[i], "~~", names[j], group] = float(structure.symmetric[i, j] / residual[i] / residual[j])
    return truth


@pytest.mark.parametrize("id", SIMULATED)
@pytest.mark.parametrize("nobs", [None, LARGE])
def test_the_population_is_found_again(id: str, nobs: int | None) -> None:
    model = LOADED[id]
    data = sl.simulate(model, nobs, seed=1, categories=None)
    assert model.population is not None
    assert len(data) == (nobs or model.population.nobs)
    fit = sl.fit(model, data, group=model.grouping.column if model.grouping else None, engine="kernel")
    assert fit.certificate.certified
    truth, z, tested = standardised_truth(model), [], []
    for row in sl.standardised_solution(fit).itertuples():
        if row.op in ("~", "=~", "~~") and row.lhs != row.rhs and row.se > 0:
            name = (row.lhs, row.op, row.rhs, row.group)
            tested.append(name)
            z.append((row.est_std - truth.get(name, 0.0)) / row.se)
    worst = int(np.abs(z).argmax())
    # Among some 40 estimates one beyond 4 standard errors has a chance of .003.
    assert abs(z[worst]) < 4, (tested[worst], z[worst])
    # Errors are as large as the standard errors say, neither half nor twice.
    assert 0.4 < float(np.mean(np.square(z))) < 1.9
    assert len(tested) >= sum(row.op in ("~", "=~") and row.free >= 0 for row in fit.specification.parameters)
    # The model is true, so its test must not reject it far out.
    assert sl.fit_measures(fit)["pvalue"] > 0.001


def test_means_of_a_growth_model_are_found_again() -> None:
    model = LOADED["panel_growth"]
    fit = sl.fit(model, sl.simulate(model, LARGE, seed=2, categories=None))
    rows = sl.estimates(fit).set_index(["lhs", "op", "rhs"])
    for name, op, rhs, truth in (
        ("LEVEL", "~1", "", 0.20), ("SLOPE", "~1", "", 0.12), ("LEVEL", "~", "CRM_1", 0.40),
        ("SLOPE", "~", "CRM_1", 0.10), ("SLOPE", "~~", "SLOPE", 0.06), ("LEVEL", "~~", "SLOPE", -0.03),
        ("loy3_2", "~1", "", -0.15),
    ):  # fmt: skip
        row = rows.loc[(name, op, rhs)]
        assert abs(row["est"] - truth) < 4 * row["se"], name


@pytest.mark.parametrize("id", SIMULATED)
def test_likert_answers_come_near_it_by_likelihood(id: str) -> None:
    model = LOADED[id]
    data = sl.simulate(model, LARGE, seed=7)
    items = [item.name for item in model.items]
    assert model.scale is not None
    assert set(np.unique(data[items])) == set(range(model.scale.minimum, model.scale.maximum + 1))
    fit = sl.fit(model, data, group=model.grouping.column if model.grouping else None, engine="kernel")
    assert fit.certificate.certified
    truth = standardised_truth(model)
    found = sl.standardised_solution(fit).query("op == '~'")
    for row in found.itertuples():
        # Seven categories taken as numbers cost little; a few per cent of a correlation.
        name = (row.lhs, row.op, row.rhs, row.group)
        assert abs(row.est_std - truth.get(name, 0.0)) < 4 * row.se + 0.02, name
    judged = verdicts(model.hypotheses, sl.estimates(fit), certified=True)
    assert [str(verdict.verdict) for verdict in judged] == ["supported"] * len(model.hypotheses)


@pytest.mark.parametrize("id", ["core", "servqual", "reciprocal"])
def test_likert_answers_recover_it_as_ordinal_items(id: str) -> None:
    model = LOADED[id]
    fit = sl.fit(model, sl.simulate(model, 3000, seed=4), ordered=True)
    truth = standardised_truth(model)
    for row in sl.estimates(fit).query("op == '~'").itertuples():
        assert abs(row.std_all - truth[row.lhs, "~", row.rhs, 1]) < 4 * row.se * abs(row.std_all / row.est)


@pytest.mark.parametrize("id", [id for id in SIMULATED if not getattr(LOADED[id].population, "text", "")])
def test_every_construct_and_answer_of_a_standardised_population_has_variance_one(id: str) -> None:
    for structure in structures(LOADED[id]):
        total = structure.total()
        np.testing.assert_allclose(np.diagonal(total @ structure.symmetric @ total.T), 1.0, atol=1e-12)
        assert np.linalg.eigvalsh(structure.symmetric).min() > 0


@pytest.mark.parametrize("id", [id for id, model in LOADED.items() if model.rivals])
def test_models_and_their_rivals_are_identified_and_differ(id: str) -> None:
    model = LOADED[id]
    texts = [model.text, *(model.rival_text(rival.id) for rival in model.rivals)]
    checks = [check_model(specify(text, groups=labels(model))) for text in texts]
    assert [check.problem for check in checks] == [""] * len(texts)
    # Each uses all the questions, so that they can be compared on the same data.
    assert all(set(c.specification.observed) == set(checks[0].specification.observed) for c in checks)
    outlines = {
        (check.df, *sorted(row.name for row in check.specification.parameters if row.free >= 0)) for check in checks
    }
    assert len(outlines) == len(texts)


@pytest.mark.parametrize("id", SIMULATED)
def test_no_rival_that_leaves_paths_out_fits_as_well(id: str) -> None:
    model = LOADED[id]
    data = sl.simulate(model, LARGE, seed=5, categories=None)
    group = model.grouping.column if model.grouping else None
    own = sl.fit(model, data, group=group, engine="kernel")
    for rival in model.rivals:
        other = sl.fit(model.rival_text(rival.id), data, group=group, engine="kernel")
        if other.df > own.df:
            # The non-central part grows with N: with 10000 it is plain, where the rival is false.
            assert other.chisq - own.chisq > 3 * (other.df - own.df), rival.id
