from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import sem_loyalty
from sem_loyalty.errors import ConfigurationError, ModelSyntaxError, SpecificationError
from sem_loyalty.model.library import load_model, models
from sem_loyalty.model.pool import library_pool
from sem_loyalty.model.syntax import parse

ROOT = Path(sem_loyalty.__file__).resolve().parents[1]
IDS = list(models()["id"])

TEXT = """A =~ a1 + a2 + a3
B =~ b1 + b2 + b3
B ~ k*A
kk := 2*k
"""
TOML = """
title = { en = "Two", zh = "二" }
[[constructs]]
code = "A"
label = { en = "Cause", zh = "因" }
scale = ["10.1000/x"]
[constructs.items]
a1 = { en = "a one", zh = "甲一" }
a2 = { en = "a two", zh = "甲二", reverse = true }
a3 = { en = "a three", zh = "甲三" }
[[constructs]]
code = "B"
label = { en = "Outcome", zh = "果" }
[constructs.items]
b1 = { en = "b one", zh = "乙一" }
b2 = { en = "b two", zh = "乙二" }
b3 = { en = "b three", zh = "乙三" }
[[hypotheses]]
id = "H1"
path = "A -> B"
sign = "-"
text = { en = "A lowers B.", zh = "甲降低乙。" }
sources = ["10.1000/x"]
[[references]]
doi = "10.1000/x"
authors = "X"
year = 2001
title = "On X"
journal = "J"
"""


def written(folder: Path, toml: str | None = TOML, text: str = TEXT) -> Path:
    path = folder / "two.lav"
    path.write_text(text, encoding="utf-8")
    if toml is not None:
        path.with_suffix(".toml").write_text(toml, encoding="utf-8")
    return path


def test_models_lists_the_library_with_counts() -> None:
    table = models().set_index("id")
    assert table.loc["core"].to_dict() == {
        "title": "Satisfaction, trust, value and loyalty",
        "title_zh": "顾客满意、信任、感知价值与顾客忠诚",
        "constructs": 4,
        "items": 17,
        "hypotheses": 8,
        "rivals": 3,
    }
    assert list(table.index) == sorted(table.index)
    assert set(table.index) == {
        "acsi", "antecedents", "co_creation", "core", "digital", "ecsi", "ecsi_mobile", "factors", "iacobucci2009",
        "mechanisms", "moderation", "oliver_stages", "panel", "panel_growth", "reciprocal", "relationship",
        "satisfaction_trap", "scsb", "servqual", "value_driven",
    }  # fmt: skip


def test_core_is_the_chain_with_two_direct_paths() -> None:
    core = load_model("core")
    paths = {(s.rhs.name, s.lhs) for s in parse(core.text).statements if s.op == "~"}
    assert paths == {("SAT", "TRU"), ("TRU", "VAL"), ("VAL", "LOY"), ("SAT", "LOY"), ("TRU", "LOY")}
    assert {h.path for h in core.hypotheses if len(h.path) == 2} == paths
    assert [len(c.items) for c in core.constructs] == [4, 4, 4, 5]
    assert [i.name for i in core.items if i.reverse] == ["sat4", "tru3"]
    assert core.labels("zh") == {"SAT": "顾客满意", "TRU": "信任", "VAL": "感知价值", "LOY": "顾客忠诚"}
    assert all(construct.definition is not None for construct in core.constructs)
    assert core.scale is not None
    assert (core.scale.minimum, core.scale.maximum) == (1, 7)
    assert core.population is not None
    assert len(core.population.thresholds) == 6


def test_core_definitions_are_the_effects_they_are_named_for() -> None:
    core = load_model("core")
    values = {"sat_tru": 0.5, "tru_val": 0.3, "val_loy": 0.7, "sat_loy": 0.2, "tru_loy": 0.11}
    found = {d.name: d.expression.evaluate(values) for d in parse(core.text).definitions}
    assert found == pytest.approx(
        {
            "sat_by_trust": 0.5 * 0.11,
            "sat_by_chain": 0.5 * 0.3 * 0.7,
            "sat_indirect": 0.5 * 0.11 + 0.5 * 0.3 * 0.7,
            "sat_total": 0.2 + 0.5 * 0.11 + 0.5 * 0.3 * 0.7,
            "tru_by_value": 0.3 * 0.7,
            "tru_total": 0.11 + 0.3 * 0.7,
        }
    )


@pytest.mark.parametrize("id", IDS)
def test_every_model_is_complete_in_both_languages(id: str) -> None:
    model = load_model(id)
    assert model.text == (ROOT / "models" / f"{id}.lav").read_text(encoding="utf-8")
    # A panel asks the same questions in every survey.
    asked = len(model.items) if not model.waves else len({item.name.rpartition("_")[0] for item in model.items})
    assert len({item.wording.en for item in model.items}) == asked
    assert len({item.wording.zh for item in model.items}) == asked
    assert [h.id for h in model.hypotheses] == [f"H{k + 1}" for k in range(len(model.hypotheses))]
    assert all(h.sources for h in model.hypotheses)
    saying = [*(h.sources for h in model.hypotheses), *(c.scale for c in model.constructs)]
    saying += [rival.sources for rival in model.rivals]
    assert {doi for sources in saying for doi in sources} == {reference.doi for reference in model.references}
    assert list(model.questionnaire()["item"]) == [name for c in model.constructs for name in c.items]
    for lang, head in (("en", "Hypothesis"), ("zh", "假设")):
        assert head in str(model.table(lang))
    assert model.title.zh in repr(model)


PUBLISHED = ("ecsi_mobile", "iacobucci2009")


@pytest.mark.parametrize("id", [id for id in IDS if id not in PUBLISHED])
def test_every_model_of_our_own_can_be_asked_fitted_and_simulated(id: str) -> None:
    model = load_model(id)
    text = parse(model.text)
    measured = {
        s.lhs: [t.rhs.name for t in text.statements if t.op == "=~" and t.lhs == s.lhs] for s in text.statements
    }
    for construct in model.constructs:
        assert construct.definition is not None or construct.code in model.products
        assert construct.scale or construct.code in model.products
        assert len(measured[construct.code]) >= (2 if construct.code == "SLOPE" else 3)
    paths = {(s.rhs.name, s.lhs) for s in text.statements if s.op == "~"}
    for hypothesis in model.hypotheses:
        assert all(step in paths for step in itertools.pairwise(hypothesis.path))
        assert hypothesis.sign in ("+", "-")
    assert model.description is not None
    assert model.scale is not None
    assert model.rivals
    assert all(rival.sources for rival in model.rivals)
    assert model.population is not None
    assert len(model.population.thresholds) == model.scale.maximum - model.scale.minimum
    if not model.population.text:
        assert set(model.population.paths) == paths
        assert {item.name for item in model.items} <= set(model.population.loadings)


#: What each model claims, as the loyalty literature argues it; what measures a construct of second order after "=~".
STRUCTURES = {
    "core": "TRU ~ SAT; VAL ~ TRU; LOY ~ VAL + SAT + TRU",
    "mechanisms": "LOY ~ EMO + VAL + SQ + BI",
    "factors": "SAT ~ PQ + SQ + PRI + BI + CRM + UX + CSR; LOY ~ SAT + SWC + PQ + SQ + PRI + BI + CRM + UX + CSR",
    "value_driven": "VAL ~ PQ + SQ + PRI + BI + LP; SWC ~ LP; LOY ~ VAL + SWC",
    "antecedents": "SAT ~ VAL + RSK; TRU ~ SAT; COM ~ TRU; LOY ~ SAT + COM + ENG",
    "relationship": "SAT ~ CRM; TRU ~ CRM; COM ~ CRM; LOY ~ SAT + TRU + COM",
    "reciprocal": "CRM ~ LOY + LP + PER; LOY ~ CRM + VAL + SWC",
    "servqual": "SQ =~ REL + RES + ASS + EMP + TAN; SAT ~ SQ; LOY ~ SAT + SQ",
    "oliver_stages": "COG ~ VAL + TRU; AFF ~ COG + SAT + TRU; CON ~ AFF + TRU; ACT ~ CON",
    "ecsi": "EXP ~ BI; QUA ~ EXP; VAL ~ EXP + QUA; SAT ~ BI + EXP + QUA + VAL; CH ~ SAT; LOY ~ BI + SAT + CH",
    "acsi": "QUA ~ EXP; VAL ~ EXP + QUA; SAT ~ EXP + QUA + VAL; CMP ~ SAT; LOY ~ SAT + CMP",
    "scsb": "VAL ~ EXP; SAT ~ EXP + VAL; CMP ~ SAT; LOY ~ SAT + CMP",
    "satisfaction_trap": "LOY ~ SAT + SWC + SATxSAT + SATxSWC",
    "digital": "TRU ~ UX + PER + SOC; ELOY ~ TRU + UX + PER + SOC",
    "co_creation": "CCV ~ ENG; VAL ~ CCV; SAT ~ CCV + VAL; LOY ~ VAL + SAT",
    "panel": "CRM_2 ~ CRM_1 + SAT_1 + LOY_1; SAT_2 ~ CRM_1 + SAT_1 + LOY_1; LOY_2 ~ CRM_1 + SAT_1 + LOY_1; "
    "CRM_3 ~ CRM_2 + SAT_2 + LOY_2; SAT_3 ~ CRM_2 + SAT_2 + LOY_2; LOY_3 ~ CRM_2 + SAT_2 + LOY_2",
    "panel_growth": "LEVEL =~ LOY_1 + LOY_2 + LOY_3; SLOPE =~ LOY_1 + LOY_2 + LOY_3; LEVEL ~ CRM_1; SLOPE ~ CRM_1",
    "moderation": "LOY ~ SAT + TRU + SWC",
}


@pytest.mark.parametrize("id", sorted({*IDS} - {*PUBLISHED}))
def test_the_structure_of_every_model_is_the_one_that_is_argued(id: str) -> None:
    statements = parse(load_model(id).text).statements
    latent = {s.lhs for s in statements if s.op == "=~"}
    structural = [s for s in statements if s.op == "~" or (s.op == "=~" and s.rhs.name in latent)]
    claimed = parse(STRUCTURES[id].replace("; ", "\n")).statements
    assert {(s.lhs, s.op, s.rhs.name) for s in structural} == {(s.lhs, s.op, s.rhs.name) for s in claimed}


@pytest.mark.parametrize("id", sorted({*IDS} - {*PUBLISHED}))
def test_every_construct_has_three_to_five_questions(id: str) -> None:
    model = load_model(id)
    counts = {construct.code: len(construct.items) for construct in model.constructs if construct.items}
    assert counts
    assert set(counts.values()) <= {3, 4, 5}, counts


def test_relationship_quality_of_second_order_is_a_rival() -> None:
    rival = parse(load_model("relationship").rival_text("relationship_quality")).statements
    second = {(s.lhs, s.rhs.name) for s in rival if s.op == "=~" and s.rhs.name in ("SAT", "TRU", "COM")}
    assert {name for _, name in second} == {"SAT", "TRU", "COM"}
    assert len({lhs for lhs, _ in second}) == 1


def test_texts_are_plain_enough_to_be_read_in_a_terminal() -> None:
    for path in sorted((ROOT / "models").glob("*.lav")):
        assert max(map(len, path.read_text(encoding="utf-8").splitlines())) <= 120, path.name


# The pool


def test_every_construct_of_the_pool_is_complete_and_drawn_by_a_model() -> None:
    pool = library_pool()
    names: list[str] = []
    loadings = pool.population(())["loadings"]
    for code, table in pool.constructs.items():
        assert set(table) <= {"code", "label", "definition", "scale", "items"}, code
        questions = table.get("items", {})
        assert isinstance(questions, dict)
        assert len(questions) >= 3 or code == "RQ"
        for name, question in questions.items():
            assert name.startswith(code.lower())
            assert set(question) <= {"en", "zh", "reverse"}
            assert question["en"].endswith((".", "?"))
            assert question["zh"].endswith(("。", "？"))
            assert re.search(r"[\u4e00-\u9fff]", question["zh"])
        names += questions
        for key in ("label", "definition"):
            assert set(table[key]) == {"en", "zh"}  # type: ignore[call-overload]
        assert set(table["scale"]) <= set(pool.references)  # type: ignore[call-overload]
    assert len(set(names)) == len(names)
    assert set(loadings) == set(names)  # type: ignore[call-overload]
    drawn = {c.code.rpartition("_")[0] or c.code for id in IDS for c in load_model(id).constructs}
    assert set(pool.constructs) - drawn == {"RQ"}  # a rival's


def test_the_wording_of_a_construct_is_the_same_in_every_model() -> None:
    seen: dict[str, set[tuple[str, str, bool]]] = {}
    for id in IDS:
        for item in load_model(id).items:
            seen.setdefault(item.name, set()).add((item.wording.en, item.wording.zh, item.reverse))
    assert all(len(wordings) == 1 for wordings in seen.values())


POOLED = """
title = { en = "Two", zh = "二" }
pool = ["SAT", "LOY"]
[[hypotheses]]
id = "H1"
path = "SAT -> LOY"
sign = "+"
text = { en = "Satisfaction builds loyalty.", zh = "满意促成忠诚。" }
sources = ["10.1177/00222429990634s105"]
[population]
[population.paths]
"SAT -> LOY" = 0.5
"""
POOLED_TEXT = "SAT =~ sat1 + sat2 + sat4\nLOY =~ loy1 + loy2 + loy3\nLOY ~ SAT\n"


def test_a_model_of_ones_own_draws_on_the_pool(tmp_path: Path) -> None:
    model = load_model(written(tmp_path, POOLED, POOLED_TEXT))
    core = load_model("core")
    shared = {item.name: item for item in core.items}
    assert list(model.items) == [shared[name] for name in ("sat1", "sat2", "sat4", "loy1", "loy2", "loy3")]
    assert model.constructs[0].label == core.constructs[0].label
    assert model.scale == core.scale
    assert [work.year for work in model.references] == [1996, 1999, 1996]
    assert model.population is not None
    assert model.population.loadings["sat4"] == 0.74
    assert model.population.thresholds == core.population.thresholds  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"SAT", "LOY"]', '"SATT", "LOY"]', "has no construct 'SATT'. Did you mean 'SAT'? It has: SAT, TRU"),
        ('"SAT", "LOY"]', '"LOY"]', "construct SAT of the model text is not described. The pool has 'SAT'?"),
        ('"SAT", "LOY"]', '"SAT", "LOY", "TRU"]', "the model text does not measure TRU, so TRU cannot be drawn"),
        ('pool = ["SAT", "LOY"]', "pool = 3", "the description: pool must be a list of names"),
        ('"10.1177/00222429990634s105"]', '"10.1177/00222429990634s106"]', "Did you mean '10.1177/0022242999"),
        ("[population]", "[population]\ncorrelations = 0.3", "'correlations' is not a key. Did you mean"),
        ("[population]", "[population]\nnobs = 0.5", "nobs must be a whole number above 1, not 0.5"),
        ("[population]", '[population]\n[population.covariances]\n"SAT - LOY" = 1', "reads like 'SAT ~~ TRU'"),
        ("[population]", '[population]\n[population.covariances]\n"SAT ~~ LYO" = 0.1', "Did you mean 'LOY'?"),
        ("[population]", '[population]\n[population.loadings]\nsat1 = 1.0', "the loading of sat1 is 1.0"),
        ('[population]\n[population.paths]\n"SAT -> LOY" = 0.5', '[population]\ntext = "LOY ~ 1*SAT"', "no number"),
        ("[[hypotheses]]", '[products]\nSAT = ["LOY"]\n[[hypotheses]]', "product SAT: write it of two constructs"),
        ("[[hypotheses]]", '[products]\nSAT = ["LOY", "LOY"]\n[[hypotheses]]', "sat1 is not an item of LOY and one of"),
        ("[[hypotheses]]", '[grouping]\ncolumn = "c"\nlabel = { en = "C", zh = "丙" }\nlevels = ["a"]\n[[hypotheses]]',
         "levels must name at least two groups"),
    ],
)  # fmt: skip
def test_mistakes_around_the_pool_are_located(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in POOLED
    with pytest.raises(ConfigurationError) as caught:
        load_model(written(tmp_path, POOLED.replace(old, new), POOLED_TEXT))
    assert expected in str(caught.value)


def test_an_item_that_the_pool_does_not_have_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"construct SAT: the pool has no item sat9 for it; it has sat1, sat2"):
        load_model(written(tmp_path, POOLED, POOLED_TEXT.replace("sat4", "sat9")))


def test_a_construct_is_defined_or_drawn_but_not_both(tmp_path: Path) -> None:
    own = POOLED.replace("[[hypotheses]]", '[[constructs]]\ncode = "SAT"\n[[hypotheses]]', 1)
    with pytest.raises(ConfigurationError, match="construct SAT is both defined and drawn from the pool"):
        load_model(written(tmp_path, own, POOLED_TEXT))


def test_waves_name_constructs_and_questions_by_number(tmp_path: Path) -> None:
    panel = load_model("panel")
    assert panel.labels("en")["SAT_2"] == "Customer satisfaction (second survey)"
    assert panel.labels("zh")["SAT_2"] == "顾客满意（第二次调查）"
    words = {item.name: item.wording for item in panel.items}
    assert words["sat1_1"] == words["sat1_3"]
    assert panel.population is not None
    assert panel.population.covariances["sat1_1", "sat1_3"] == 0.06


def test_rivals_keep_the_measurement_and_change_the_structure() -> None:
    core = load_model("core")
    measured = [s for s in parse(core.text).statements if s.op == "=~"]
    sizes = {}
    for rival in core.rivals:
        statements = parse(core.rival_text(rival.id)).statements
        assert [(s.lhs, s.rhs.name) for s in statements if s.op == "=~"] == [(s.lhs, s.rhs.name) for s in measured]
        sizes[rival.id] = sum(s.op == "~" for s in statements)
    assert sizes == {"full_mediation": 3, "satisfaction_mediated": 4, "all_paths": 6}
    with pytest.raises(SpecificationError, match=r"no rival 'full'.*full_mediation, satisfaction_mediated, all_paths"):
        core.rival_text("full")


def test_a_rival_keeps_modifiers_and_continued_lines_of_the_measurement(tmp_path: Path) -> None:
    text = "A =~ 1*a1 + a2 +\n   # pause\n   a3\nB =~ b1; a1 ~~ a2; b1 ~~ 0*b1\nB ~ A\n  # end\nA ~~ v*A\n"
    toml = TOML.replace('b2 = { en = "b two", zh = "乙二" }\nb3 = { en = "b three", zh = "乙三" }\n', "")
    toml += '[[rivals]]\nid = "none"\ntitle = { en = "No effect", zh = "无影响" }\nstructure = "B ~ 0*A"\n'
    rival = parse(load_model(written(tmp_path, toml, text)).rival_text("none"))
    assert [(s.lhs, s.op, s.rhs.name) for s in rival.statements] == [
        ("A", "=~", "a1"), ("A", "=~", "a2"), ("A", "=~", "a3"), ("B", "=~", "b1"),
        ("a1", "~~", "a2"), ("b1", "~~", "b1"), ("B", "~", "A"),
    ]  # fmt: skip
    assert [len(s.rhs.modifiers) for s in rival.statements] == [1, 0, 0, 0, 0, 1, 1]


def test_an_own_model_is_read_with_its_description(tmp_path: Path) -> None:
    model = load_model(written(tmp_path))
    assert (model.id, model.title.zh) == ("two", "二")
    assert model.hypotheses[0].path == ("A", "B")
    assert [item.reverse for item in model.items] == [False, True, False, False, False, False]
    assert str(model.references[0]) == "X (2001). On X. J. https://doi.org/10.1000/x"
    assert load_model(str(model.path)) == model


def test_an_own_model_needs_no_description(tmp_path: Path) -> None:
    path = written(tmp_path, None, TEXT.replace("B ~ k*A", "C =~ A + B\nA ~~ k*A"))
    model = load_model(path)
    assert model.title.en == "two"
    assert [(c.code, c.label.en, c.items) for c in model.constructs] == [
        ("A", "A", ("a1", "a2", "a3")),
        ("B", "B", ("b1", "b2", "b3")),
        ("C", "C", ()),  # of higher order: measured by constructs, not by items
    ]


def test_an_unknown_id_names_the_nearest_and_lists_the_library() -> None:
    with pytest.raises(SpecificationError, match=r"no model 'cor'\. Did you mean 'core'\? It has: acsi, antecedents"):
        load_model("cor")


def test_every_mistake_of_a_description_is_said_at_once(tmp_path: Path) -> None:
    toml = (
        TOML.replace('zh = "二"', 'zh = ""')
        .replace('code = "B"', 'code = "Bb"')
        .replace("a3 = {", "a9 = {")
        .replace("reverse = true", 'reverse = "yes"')
        .replace('path = "A -> B"', 'path = "A -> Bee"')
        .replace('sign = "-"', 'sign = "down"')
        .replace('sources = ["10.1000/x"]', 'sources = ["10.1000/y"]')
        .replace('doi = "10.1000/x"', 'doi = "https://doi.org/10.1000/x"')
        .replace("year = 2001", 'year = "2001"')
    )
    toml = 'titel = "x"\n' + toml + '[scale]\nminimum = 7\nmaximum = 1\nlow = { en = "l", zh = "低" }\n'
    with pytest.raises(ConfigurationError) as caught:
        load_model(written(tmp_path, toml))
    message = str(caught.value)
    for expected in (
        "two.toml does not describe two.lav",
        "'titel' is not a key of a description. Did you mean 'title'?",
        "the description: title lacks zh.",
        "construct Bb is not in the model text. Did you mean 'B'?",
        "construct B of the model text is not described.",
        "construct A: the model text has no item a9 for it; it has a1, a2, a3.",
        "construct A, items: a3 lacks en and zh.",
        "item a2: reverse must be true or false, not 'yes'.",
        "hypothesis H1: 'Bee' is not a construct of the model text.",
        "hypothesis H1: sign must be '+' or '-', not 'down'.",
        "hypothesis H1: 10.1000/y is not among the references.",
        "construct A: 10.1000/x is not among the references.",
        "reference https://doi.org/10.1000/x: not a DOI",
        "reference https://doi.org/10.1000/x: year must be a whole number, not '2001'.",
        "scale: minimum and maximum must be whole numbers that increase, not [7, 1].",
        "scale: high lacks en and zh.",
    ):
        assert expected in message


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('path = "A -> B"', 'path = "B -> A"', "H1: the model text has no path B -> A"),
        ('path = "A -> B"', 'path = "A"', "H1: path must read like 'SAT -> LOY', not 'A'"),
        ('sign = "-"', 'sign = "-"\neffect = "kkk"', "does not define kkk with ':='. Did you mean 'kk'?"),
        ('sign = "-"', "", "H1: sign is missing"),
        ("[[hypotheses]]", "[hypotheses]", "hypotheses must be written as [[hypotheses]]"),
        ('label = { en = "Cause", zh = "因" }', 'label = "Cause"', "construct A: label lacks en and zh"),
        ('scale = ["10.1000/x"]', 'scale = "10.1000/x"', "construct A: scale must be a list of DOIs"),
        ('id = "H1"', "id = 1", "id must be a text"),
    ],
)
def test_a_mistake_is_located(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in TOML
    with pytest.raises(ConfigurationError) as caught:
        load_model(written(tmp_path, TOML.replace(old, new)))
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a1 = 0.8", "a1 = 1.2", "the loading of a1 is 1.2; it must lie between -1 and 1"),
        ("a1 = 0.8", "a11 = 0.8", "population: no loading for item a1"),
        ("a1 = 0.8", 'a1 = "high"', "a1 must be a number, not 'high'"),
        ('"A -> B" = 0.5', "", "population: no value for the path A -> B"),
        ("[-1.0, 0.0, 1.0]", "[0.0, 0.0, 1.0]", "thresholds must be a list of increasing numbers"),
        ("b3 = 0.5", "b33 = 0.5", "'b33' is not an item. Did you mean 'b3'?"),
    ],
)
def test_a_population_must_fit_the_model(tmp_path: Path, old: str, new: str, expected: str) -> None:
    population = (
        "[population]\nthresholds = [-1.0, 0.0, 1.0]\n[population.paths]\n"
        '"A -> B" = 0.5\n[population.loadings]\n'
        "a1 = 0.8\na2 = 0.8\na3 = 0.8\nb1 = 0.7\nb2 = 0.7\nb3 = 0.7\n"
        "[population.shift]\nb3 = 0.5\n"
    )
    right = load_model(written(tmp_path, TOML + population)).population
    assert right is not None
    assert right.paths == {("A", "B"): 0.5}
    assert right.shift == {"b3": 0.5}
    assert old in population
    with pytest.raises(ConfigurationError) as caught:
        load_model(written(tmp_path, TOML + population.replace(old, new)))
    assert expected in str(caught.value)


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"There is no file .*absent\.lav"):
        load_model(tmp_path / "absent.lav")
    with pytest.raises(ConfigurationError, match=r"two\.toml is not TOML: "):
        load_model(written(tmp_path, "title = "))
    path = written(tmp_path)
    path.with_suffix(".toml").write_bytes("title = '二'".encode("gbk"))
    with pytest.raises(ConfigurationError, match=r"two\.toml is not UTF-8"):
        load_model(path)
    path.with_suffix(".toml").unlink()
    with pytest.raises(ModelSyntaxError):
        load_model(written(tmp_path, None, "A =~ a1 +* a2"))


def test_a_byte_order_mark_is_not_part_of_the_text(tmp_path: Path) -> None:
    path = written(tmp_path)
    for file in (path, path.with_suffix(".toml")):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert load_model(path).text == TEXT


def test_a_model_cannot_be_changed() -> None:
    core = load_model("core")
    with pytest.raises(AttributeError):
        core.text = ""  # type: ignore[misc]
    assert core.population is not None
    with pytest.raises(TypeError):
        core.population.loadings["sat1"] = 0.1  # type: ignore[index]


@pytest.mark.slow
def test_a_wheel_carries_models_and_data(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("sem_loyalty", "models"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path / "wheel", source],
        check=True,
    )
    (wheel,) = (tmp_path / "wheel").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        archive.extractall(tmp_path / "installed")
    shared = {"constructs.toml", "references.toml"}
    assert {f"sem_loyalty/model/files/{name}" for name in shared} <= held
    for id in IDS:
        assert {f"sem_loyalty/model/files/{id}.lav", f"sem_loyalty/model/files/{id}.toml"} <= held
    assert {f"sem_loyalty/survey/datasets/{name}" for name in ("demo.csv", "demo_codebook.csv", "demo.toml")} <= held
    program = (
        "from sem_loyalty.model.library import load_model, models\n"
        "from sem_loyalty.survey.published import demo_path, published\n"
        "print(load_model('core').path, ','.join(models()['id']), demo_path().exists(), len(published()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        check=True,
        capture_output=True,
        text=True,
    )
    installed = tmp_path / "installed" / "sem_loyalty" / "model" / "files" / "core.lav"
    assert done.stdout.split() == [str(installed), ",".join(IDS), "True", "7"]


def test_labels_of_levels_and_expectations_are_checked(tmp_path: Path) -> None:
    wrong = (
        TOML
        + """
[grouping]
column = "where"
label = { en = "Where", zh = "何处" }
levels = ["shop", "net"]
level_labels = { shop = { en = "shop", zh = "店" }, nett = { en = "net", zh = "网" } }
[expectations]
a2 = { en = "x", zh = "一" }
c1 = { en = "x", zh = "一" }
"""
    )
    with pytest.raises(ConfigurationError) as caught:
        load_model(written(tmp_path, wrong))
    for said in ("nett is not among the levels", "net lacks en and zh", "a2 is reverse-worded", "c1 is not an item"):
        assert said in str(caught.value)
