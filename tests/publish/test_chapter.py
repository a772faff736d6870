"""The chapter: sentences follow the evidence, numbers their addresses, grammar the counts."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from sem_loyalty.display import Column, Table
from sem_loyalty.inference.verdicts import Verdict
from sem_loyalty.publish.chapter.compose import chapter
from sem_loyalty.publish.chapter.fit import fit_verdict
from sem_loyalty.publish.claims import claim_text
from sem_loyalty.publish.evidence_settings import InvarianceChoice, MethodBiasChoice, RivalChoice, RobustnessChoice
from sem_loyalty.publish.manuscript import Figure, Heading, Paragraph, Reference, Symbol, Value
from sem_loyalty.publish.note_words import ABBREVIATIONS
from sem_loyalty.publish.settings import (
    About,
    BootstrapChoice,
    DataSource,
    FactorChoice,
    LoyaltyChoice,
    ModelChoice,
    Output,
    ScreenChoice,
    Study,
)
from sem_loyalty.publish.table_notes import explained, undefined
from sem_loyalty.study import analyse, fit_once
from sem_loyalty.survey.published import demo_codebook_path, demo_path

# Numbers that a sentence may hold without an address: conventions and years.
CONVENTIONS = {".70", ".50", ".85", ".90", ".95", ".06", ".08", ".05", "95", "90", "3.3", "0"}
CONVENTIONS |= {"0.70", "0.50", "0.85", "0.90", "0.95", "0.06", "0.08", "0.05"}


def said(part):
    return part if isinstance(part, str) else f"[{part.kind} {part.id}]" if isinstance(part, Reference) else part.text


def text(results, heading=None):
    """Return the text of a chapter, or of one section."""
    lines, inside = [], heading is None
    for block in chapter(results).blocks:
        if isinstance(block, Heading):
            inside = heading is None or block.text == heading
        elif isinstance(block, Paragraph) and inside:
            lines.append("".join(map(said, block.parts)))
    return "\n".join(lines)


@pytest.fixture(scope="module", params=["en", "zh"])
def full(request):
    return analyse(
        Study(
            study=About(lang=request.param, simulated=True),
            data=DataSource(path=str(demo_path()), codebook=str(demo_codebook_path())),
            screen=ScreenChoice(duration="duration", rules={"longstring": 12, "missing_share": 0.2}),
            model=ModelChoice(id="core"),
            bootstrap=BootstrapChoice(draws=100),
            loyalty=LoyaltyChoice(outcome="LOY", recommend="recommend", draws=100),
            rivals=RivalChoice(run=True),
            invariance=InvarianceChoice(group="channel"),
            robustness=RobustnessChoice(run=True, most=15),
            method_bias=MethodBiasChoice(run=True),
            output=Output(formats=("svg",)),
            folder=Path(),
        )
    )


@pytest.fixture(scope="module")
def plain():
    return fit_once("core", str(demo_path()), codebook=str(demo_codebook_path()))


@pytest.fixture(scope="module")
def improper():
    return fit_once("ecsi_mobile", cov="ecsi_mobile")


def test_every_number_is_the_result_under_its_address(full):
    results = full.to_dict()
    values = [
        part
        for block in chapter(full).blocks
        if isinstance(block, Paragraph)
        for part in block.parts
        if isinstance(part, Value)
    ]
    assert len(values) > 120
    for value in values:
        assert value.text == claim_text(results, value.key, full.lang), value.key


def test_no_number_stands_without_an_address(full):
    for block in chapter(full).blocks:
        if isinstance(block, Heading) and block.text in ("References", "参考文献"):
            break
        if not isinstance(block, Paragraph):
            continue
        for part in block.parts:
            if isinstance(part, str):
                bare = re.sub(r"\b(19|20)\d\d\b|\bH\d+\b|\b(sat|tru|val|loy)\d\b", "", part)
                assert set(re.findall(r"(?<![\w])\d*\.?\d+", bare)) <= CONVENTIONS, part


def test_tables_and_figures_stand_behind_their_first_reference(full):
    referred: list[tuple[str, str]] = []
    for block in chapter(full).blocks:
        if isinstance(block, Paragraph):
            referred += [(part.kind, part.id) for part in block.parts if isinstance(part, Reference)]
        elif isinstance(block, Table | Figure):
            kind = "table" if isinstance(block, Table) else "figure"
            assert (kind, block.id) in referred
    placed = [(type(b).__name__.lower(), b.id) for b in chapter(full).blocks if isinstance(b, Table | Figure)]
    assert len(placed) == len(set(placed))
    assert set(referred) == set(placed)


def test_the_measurement_stands_in_the_chapter_once(full):
    shown = {block.id for block in chapter(full).blocks if isinstance(block, Table)}
    assert {"cfa", "constructs", "htmt"} <= shown
    assert not shown & {"loadings", "reliability", "fornell-larcker", "paths"}


def test_every_note_says_whose_numbers_these_are_and_what_stands_for_what(full, plain):
    lang = full.lang
    for table in (*full.tables.values(), *(plain.tables.values() if lang == "en" else ())):
        if all(column.kind == "text" for column in table.columns):
            continue
        where = f"{lang} {table.id}: {table.note}"
        assert re.search(r"\bN = \d", table.note), where
        assert ("missing answers: " if lang == "en" else "缺失值：") in table.note, where
        assert undefined(table) == (), where
        heads = " ".join(column.head for column in table.columns if column.key not in full.model.labels(lang))
        strange = set(re.findall(r"(?<![A-Za-z])[A-Z]{2,}[a-z]?(?![A-Za-z])", heads)) - set(ABBREVIATIONS)
        assert not strange - {"SEM"}, where
        sound = r"bootstrap|Wald|Feldt|Tango|noncentral|delta|非中心"
        if any(column.kind == "interval" and column.key != "range" for column in table.columns):
            assert re.search(sound, table.note), where


@pytest.mark.parametrize(
    ("note", "heads", "expected"),
    [
        ("N = 3.", ("CFI", "ΔRMSEA"), ("CFI", "RMSEA")),
        ("CFI: comparative fit index.", ("CFI",), ()),
        ("Composite reliability (CR) and AVE.", ("CR",), ("AVE",)),
        ("SE and CI of B.", ("B online", "SE"), ("B", "SE", "CI")),
        ("A: 3, B: 4.", ("ECSI", "PLSc"), ("PLSc",)),
    ],
)
def test_what_a_note_leaves_undefined(note, heads, expected):
    table = Table("t", "Caption", tuple(Column(head, head, "number") for head in heads), (), note)
    assert undefined(table) == expected
    assert undefined(explained(table)) == ()
    assert explained(explained(table)) == explained(table)


def test_references_follow_the_customs_of_the_language(full):
    entries = [block for block in chapter(full).blocks if isinstance(block, Paragraph) and block.kind == "reference"]
    shown = ["".join(map(said, entry.parts)) for entry in entries]
    assert shown == sorted(shown, key=str.lower)
    hu = next(line for line in shown if line.lower().startswith("hu"))
    book = next(line for line in shown if line.lower().startswith("hair"))
    if full.lang == "en":
        assert hu.startswith("Hu, L., & Bentler, P. M. (1999). Cutoff criteria")
        assert hu.endswith("Structural Equation Modeling, 6(1), 1–55. https://doi.org/10.1080/10705519909540118")
        assert Symbol("Structural Equation Modeling, 6") in entries[shown.index(hu)].parts
        assert Symbol("Multivariate data analysis") in entries[shown.index(book)].parts
    else:
        assert hu.startswith("HU L, BENTLER P M, 1999. Cutoff criteria")
        assert hu.endswith("[J]. Structural Equation Modeling, 6(1): 1-55. DOI: 10.1080/10705519909540118.")
        assert book.startswith("HAIR J F, BLACK W C, BABIN B J, et al, 2019. Multivariate data analysis[M]. 8th ed. ")


def test_simulated_data_are_the_first_thing_said(full):
    first = chapter(full).blocks[0]
    assert isinstance(first, Paragraph)
    assert first.kind == "warning"
    assert ("SIMULATED" if full.lang == "en" else "模拟数据") in said(first.parts[0])


def test_chinese_uses_full_width_marks_and_blanks_beside_latin(full):
    if full.lang == "en":
        return
    found = text(full).partition("Bentler, P. M.")[0]
    prose = "\n".join(line for line in found.split("\n") if re.search("[\u4e00-\u9fff]{6}", line))
    assert not re.search("[\u4e00-\u9fff][,;:()]|[;:()][\u4e00-\u9fff]", prose)
    assert not re.search("[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9%][\u4e00-\u9fff]", re.sub(r"\[\w+ [^\]]*\]", "", prose))


def test_english_numbers_follow_apa(full):
    if full.lang == "zh":
        return
    assert re.search(r"β = −?\.\d\d\b", text(full))
    assert re.search(r"p < \.001|p = \.\d{3}", text(full))
    assert "CFI = .9" in text(full)


def judged(results, **changes):
    """Return results in which the first hypothesis has another verdict."""
    first, *others = results.verdicts
    return replace(results, verdicts=(replace(first, **changes), *others))


def hypotheses(results):
    return text(results, "Structural model and hypotheses" if results.lang == "en" else "结构模型与假设检验")


def test_a_supported_hypothesis_is_associated_not_caused(plain):
    assert "H1 is supported: Customer satisfaction is significantly and positively associated with Trust" in hypotheses(
        plain
    )
    assert "do not by themselves establish the causal direction" in text(plain)
    assert "all 8 hypotheses tested are supported" in text(plain)


@pytest.mark.parametrize("p", [0.05, 0.07, 0.0999])
def test_a_marginal_result_is_not_support(plain, p):
    found = hypotheses(judged(plain, verdict="unsupported", p=p))
    assert "H1 is not supported at .05 (p = " in found
    assert "marginal" not in found.lower()
    assert "7 of the 8 hypotheses tested are supported" in found


def test_p_just_below_the_level_does_not_read_as_the_level(plain):
    assert "p = .0498" in hypotheses(judged(plain, p=0.0498))


def test_a_result_of_the_other_sign_is_said_to_be_opposite(plain):
    entry = plain.verdicts[0]
    found = hypotheses(judged(plain, verdict="opposite", est=-entry.est, std=-entry.std))
    assert "H1 is not supported: Customer satisfaction is significantly and negatively associated with Trust" in found
    assert "which is opposite to the hypothesis" in found


def test_insignificant_and_against_the_hypothesis(plain):
    found = hypotheses(judged(plain, verdict="unsupported", est=-0.1, std=-0.1, p=0.5))
    assert "H1 is not supported: the path from Customer satisfaction to Trust is not significant, and its sign" in found


def test_a_hypothesis_that_the_model_does_not_test_counts_nowhere(plain):
    changed = replace(plain, verdicts=(Verdict(plain.verdicts[0].hypothesis, 0, "untested"), *plain.verdicts[1:]))
    assert "H1 was not tested: the model does not estimate" in hypotheses(changed)
    assert "all 7 hypotheses tested" in hypotheses(changed)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (("supported",), "The one hypothesis tested is supported."),
        (("unsupported",), "The one hypothesis tested is not supported."),
        (("supported", "unsupported"), "In sum, 1 of the 2 hypotheses tested is supported."),
        (("unsupported", "unsupported"), "In sum, none of the 2 hypotheses tested is supported."),
        (("untested",), "None of the hypotheses could be tested."),
    ],
)
def test_grammar_follows_the_count(plain, verdicts, expected):
    kept = [
        Verdict(entry.hypothesis, 0, verdict)
        if verdict == "untested"
        else replace(entry, verdict=verdict, p=0.2 if verdict == "unsupported" else 0.01)
        for entry, verdict in zip(plain.verdicts, verdicts, strict=False)
    ]
    assert expected in hypotheses(replace(plain, verdicts=tuple(kept)))


def test_an_uncertified_solution_is_neither_reported_nor_judged(improper):
    blocks = chapter(improper).blocks
    assert isinstance(blocks[0], Paragraph)
    assert blocks[0].kind == "warning"
    assert "must not be interpreted" in said(blocks[0].parts[0])
    found = text(improper)
    assert "is supported" not in found
    assert "Model fit" not in [block.text for block in blocks if isinstance(block, Heading)]
    assert "Diagnosis" in [block.text for block in blocks if isinstance(block, Heading)]
    assert "nearly one construct" in found
    keys = [p.key for b in blocks if isinstance(b, Paragraph) for p in b.parts if isinstance(p, Value)]
    assert not [key for key in keys if key.startswith(("estimates", "hypotheses", "measures", "reliability"))]
    tables = {block.id for block in blocks if isinstance(block, Table)}
    assert not tables & {"hypotheses", "paths", "loadings", "fit"}


def test_an_uncertified_solution_in_chinese(improper):
    assert "不得解释" in text(fit_once("ecsi_mobile", cov="ecsi_mobile", lang="zh"))


def test_groups_with_equal_coefficients_are_told_once():
    found = hypotheses(fit_once("core", str(demo_path()), codebook=str(demo_codebook_path()), group="channel"))
    assert "the model holds its coefficient equal in the groups" in found
    assert "β = .57 in online and β = .56 in store" in found
    # What the model holds equal is tested once, not once in each group.
    assert "In sum, all 8 tests of hypotheses in the groups are supported" in found
    # A chain has a β in each group and none for all; the table leaves its cell empty.
    chain = found[found.index("H6") : found.index("H7")]
    assert "B = " in chain
    assert "β" not in chain


def test_groups_with_different_verdicts_are_told_apart():
    results = fit_once("core", str(demo_path()), codebook=str(demo_codebook_path()), group="channel")
    first, second, *rest = results.verdicts
    assert first.hypothesis.id == second.hypothesis.id
    changed = replace(results, verdicts=(first, replace(second, est=0.1, p=0.3, verdict="unsupported"), *rest))
    found = hypotheses(changed)
    assert "is supported in the group online (" in found
    assert "and not supported in the group store (" in found


def test_missing_answers_and_estimators_are_told_as_they_were():
    fiml = text(fit_once("core", str(demo_path()), codebook=str(demo_codebook_path()), missing="fiml", estimator="MLR"))
    assert "full-information maximum likelihood" in fiml
    assert "deleted listwise" not in fiml
    assert "all 600 respondents" in fiml
    assert "CFI, TLI and RMSEA are the robust ones" in fiml
    ordinal = fit_once("core", str(demo_path()), codebook=str(demo_codebook_path()), ordered=True)
    assert "only a rough guide for ordinal items (Xia & Yang, 2019)" in text(ordinal)


@pytest.mark.parametrize(
    ("options", "said", "spread"),
    [
        ({"ordered": True}, "Polychoric correlations", False),
        ({"missing": "fiml"}, "by maximum likelihood from all answers present", True),
        ({}, "Pearson correlations", True),
    ],
)
def test_correlations_say_which_they_are(options, said, spread):
    study = Study(
        data=DataSource(path=str(demo_path()), codebook=str(demo_codebook_path())),
        model=ModelChoice(id="core", **options),
        efa=FactorChoice(run=False),
        output=Output(formats=("json",)),
        folder=Path(),
    )
    table = analyse(study).tables["correlations"]
    assert said in table.note
    assert ({"mean", "sd"} <= {column.key for column in table.columns}) is spread


def changed_records(results, section, row, **fields):
    """Return results in which one record says something else."""
    records = {name: [dict(record) for record in found] for name, found in results.records.items()}
    next(record for record in records[section] if record["row"] == row).update(fields)
    return replace(results, records=records)


def test_paths_whose_equality_is_not_certified_are_not_judged(full):
    nothing = {"chisq_diff": None, "pvalue": None}
    row = full.records["group_tests"][0]["row"]
    single = text(changed_records(full, "group_tests", row, **nothing, pvalue_holm=None))
    joint = text(changed_records(full, "group_joint", full.records["group_joint"][0]["row"], **nothing))
    if full.lang == "en":
        name = "Customer satisfaction → Trust"
        assert f"Not tested, because the model that holds the path equal has no certified solution: {name}." in single
        assert "held equal at once has no certified solution and tests nothing ([table group-paths]" in joint
    else:
        assert "设为等值的模型未得到可接受的解，未作检验：顾客满意 → 信任。" in single
        assert "未得到可接受的解，不作检验（" in joint


def test_pairs_without_discriminant_validity_are_named(plain):
    worse = changed_records(
        plain, "discriminant", "SAT~~TRU", fornell_larcker=False, correlation=0.91, root_ave_first=0.76, htmt=0.93
    )
    found = text(worse)
    assert "is not met by Customer satisfaction and Trust, whose correlation of .910 is not below" in found
    assert "it is .90 or more for Customer satisfaction and Trust (.930)" in found
    assert "discriminant validity is in doubt" in text(worse, "Limitations")


def test_constructs_below_a_limit_are_named_with_their_number(plain):
    found = text(changed_records(plain, "reliability", "TRU", ave=0.4496, alpha=0.6899))
    assert "α is below .70 for Trust (.690); AVE is below .50 for Trust (.450)" in found


def test_a_number_that_rounds_to_its_limit_reaches_it(plain):
    assert "AVE is below" not in text(changed_records(plain, "reliability", "TRU", ave=0.49996))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("competitive", "have opposite signs: competitive mediation"),
        ("indirect-only", "only the indirect part"),
        ("direct-only", "mediation is not shown"),
        ("none", "neither the direct"),
    ],
)
def test_mediation_is_told_by_its_kind(plain, kind, expected):
    assert expected in text(changed_records(plain, "mediation", "SAT->LOY", kind=kind))


@pytest.mark.parametrize(
    ("values", "verdict", "missed"),
    [
        ({"cfi": 0.95, "tli": 0.95, "rmsea": 0.06, "srmr": 0.08}, "acceptable", ()),
        ({"cfi": 0.9496, "tli": 0.95, "rmsea": 0.0604, "srmr": 0.08}, "acceptable", ()),
        ({"cfi": 0.949, "tli": 0.95, "rmsea": 0.061, "srmr": 0.08}, "mixed", ("cfi", "rmsea")),
        ({"cfi": 0.90, "tli": 0.90, "rmsea": 0.10, "srmr": 0.09}, "poor", ("cfi", "tli", "rmsea", "srmr")),
        ({}, "", ()),
    ],
)
def test_fit_is_worded_by_the_rule(values, verdict, missed):
    assert fit_verdict(values) == (verdict, missed)


@pytest.mark.parametrize(
    ("measures", "expected"),
    [
        ({"cfi": 0.93, "tli": 0.96, "rmsea": 0.05, "srmr": 0.05}, "the picture is mixed: CFI misses its cut-off."),
        ({"cfi": 0.93, "tli": 0.92, "rmsea": 0.05, "srmr": 0.05}, "CFI and TLI miss their cut-offs."),
        ({"cfi": 0.8, "tli": 0.8, "rmsea": 0.2, "srmr": 0.2}, "the fit is poor"),
        ({"df": 0}, "The model is saturated"),
    ],
)
def test_fit_sentences(plain, measures, expected):
    assert expected in text(replace(plain, measures={**plain.measures, **measures}), "Model fit")


def test_symbols_stand_apart_from_text(plain):
    symbols = {
        p.text for b in chapter(plain).blocks if isinstance(b, Paragraph) for p in b.parts if isinstance(p, Symbol)
    }
    assert {"p", "B", "SE", "N"} <= symbols
