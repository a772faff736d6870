"""The sections of a study on its hypotheses: effects, rivals, groups, robustness, method bias."""

from dataclasses import replace
from pathlib import Path

import pytest

import sem_loyalty as sl
from sem_loyalty.cli import main
from sem_loyalty.errors import ConfigurationError
from sem_loyalty.inference import robustness as rooms
from sem_loyalty.inference.invariance import RULES
from sem_loyalty.publish import evidence_settings
from sem_loyalty.publish.evidence_settings import (
    InvarianceChoice,
    MethodBiasChoice,
    RivalChoice,
    RobustnessChoice,
)
from sem_loyalty.publish.hypotheses import percent
from sem_loyalty.publish.report import report
from sem_loyalty.publish.settings import (
    About,
    BootstrapChoice,
    DataSource,
    FactorChoice,
    ModelChoice,
    Output,
    ScreenChoice,
    Study,
)
from sem_loyalty.study import analyse, fit_once
from sem_loyalty.survey.published import demo_codebook_path, demo_path


def study(lang="en", **more):
    sections = {
        "rivals": RivalChoice(run=True),
        "invariance": InvarianceChoice(group="channel"),
        "robustness": RobustnessChoice(run=True, most=25),
        "method_bias": MethodBiasChoice(run=True),
        "bootstrap": BootstrapChoice(draws=200),
    }
    return Study(
        study=About(lang=lang, simulated=True),
        data=DataSource(path=str(demo_path()), codebook=str(demo_codebook_path())),
        screen=ScreenChoice(duration="duration", rules={"longstring": 12, "duration_per_item": 2}),
        model=ModelChoice(id="core"),
        efa=FactorChoice(run=False),
        output=Output(formats=("html",)),
        **(sections | more),
    )


@pytest.fixture(scope="module")
def english():
    return analyse(study())


@pytest.fixture(scope="module")
def chinese():
    return analyse(study("zh"))


def test_effects_are_those_of_the_fit_with_the_intervals_of_its_draws(english):
    rows = {(row["path"], row["kind"]): row for row in english.tables["decomposition"].rows}
    chain = rows["Customer satisfaction → Trust → Customer loyalty", "indirect"]
    verdict = next(one for one in english.verdicts if one.hypothesis.id == "H6")
    assert chain["est"] == pytest.approx(verdict.est, abs=1e-9)
    # One set of draws: the route and the effect that the model defines have one interval.
    assert chain["interval"] == pytest.approx((verdict.lower, verdict.upper), abs=1e-6)
    kinds = [row["mediation"] for row in english.tables["mediation"].rows]
    assert kinds == ["indirect; the model has no direct path to test", "complementary", "complementary"]


def test_the_main_specification_is_the_fit_of_the_study(english):
    row = english.tables["robustness"].rows[0]
    first = next(one for one in english.verdicts if one.hypothesis.id == "H1")
    assert row["main"] == pytest.approx(first.std, abs=1e-6)
    assert "identical answers in a row" in english.tables["robustness"].note
    cells = [row["survives"] for row in english.tables["hypotheses"].rows]
    assert all(cell.endswith("of\u00a025") for cell in cells)


def test_the_choice_among_rivals_has_its_reasons(english):
    assert english.statements["rivals"] == ("The evidence speaks for this model; no rival is preferred to it.",)
    said = {row["model"]: row["said"] for row in english.tables["rivals"].rows}
    assert said["This model"] == ""
    assert "rejected" in said["Full mediation: satisfaction and trust act only through value"]
    assert "not needed" in said["All paths: satisfaction also builds value directly"]


def test_a_rival_that_wins_is_named():
    quick = study(invariance=InvarianceChoice(), robustness=RobustnessChoice(), bootstrap=BootstrapChoice())
    found = analyse(replace(quick, model=ModelChoice(id="core", rival="full_mediation")))
    assert found.statements["rivals"][0].startswith("The evidence speaks for a rival, not for this model")


def test_groups_are_compared_and_the_words_follow_the_tests(english):
    said = english.statements["invariance"]
    assert said[0] == "Measurement invariance reached: strict (and residuals)."
    paths = english.tables["group-paths"]
    assert not any(row["pvalue_holm"] < 0.05 for row in paths.rows)
    assert said[-1].startswith("The paths differ somewhere")
    assert "forest.svg" in english.figures


def test_both_reports_have_every_section_in_their_language(english, chinese):
    for results, heads in (
        (english, ("Rival models", "Comparison of groups", "Robustness of the hypotheses", "Common method bias")),
        (chinese, ("竞争模型", "组间比较", "假设的稳健性", "共同方法偏差")),
    ):
        page = report(results)
        assert all(f">{head}</h2>" in page for head in heads)
        assert page.count("<figure") == sum(name.endswith(".svg") for name in results.figures)
    for said in chinese.statements.values():
        assert not any("the " in sentence for sentence in said)
    assert set(english.tables) == set(chinese.tables)


def test_nothing_is_judged_without_a_certificate():
    found = fit_once("ecsi_mobile", cov="ecsi_mobile", evidence={"method_bias": MethodBiasChoice(run=True)})
    assert not found.certified
    assert not {"decomposition", "mediation", "method-models"} & set(found.tables)
    assert not found.statements
    assert "supported" not in found.on_hypotheses()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"rivals": RivalChoice(run=True, ids=("full_meditation",))}, "full_mediation"),
        ({"invariance": InvarianceChoice(group="chanel")}, "'channel'"),
        ({"robustness": RobustnessChoice(run=True, controls=("agee",))}, "'age'"),
        ({"model": ModelChoice(id="core", ordered=True)}, r"\[rivals\] needs maximum likelihood"),
        ({"data": DataSource(path=str(demo_path()), group="channel")}, r"\[robustness\] starts from one group"),
    ],
)
def test_what_cannot_be_asked_is_said(more, message):
    quick = {"bootstrap": BootstrapChoice(), "method_bias": MethodBiasChoice()}
    with pytest.raises(ConfigurationError, match=message):
        analyse(replace(study(**quick), **more))


def test_settings_know_the_choices_of_the_rooms():
    from sem_loyalty.fitting.discrepancies import LIKELIHOOD

    assert evidence_settings.LIKELIHOOD == LIKELIHOOD
    assert evidence_settings.RULES == RULES
    assert RobustnessChoice.__dataclass_fields__["missing"].metadata["choices"] == rooms.MISSING


@pytest.mark.parametrize(("share", "said"), [(1.0, "100"), (0.999, "> 99"), (0.96, "96"), (0.001, "< 1"), (0.0, "0")])
def test_all_and_none_are_not_claimed_by_rounding(share, said):
    assert percent(share) == said


def test_the_command_judges_hypotheses_without_python(capsys, tmp_path: Path):
    words = ["hypotheses", "core", str(demo_path()), "--codebook", str(demo_codebook_path())]
    assert main([*words, "--group", "channel", "--draws", "0", "--robustness", "--most", "12"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("Certified")
    for head in ("Hypotheses", "Effects along every route", "The model and its rivals", "Supported in", "p (Holm)"):
        assert head in text
    assert main([*words, "--group", "chanel", "--draws", "0"]) == 2
    assert "channel" in capsys.readouterr().err


def test_a_model_without_stated_hypotheses_shows_its_paths(capsys, tmp_path: Path):
    core = sl.load_model("core").text
    (tmp_path / "own.lav").write_text(core, encoding="utf-8")
    words = ["hypotheses", str(tmp_path / "own.lav"), str(demo_path()), "--codebook", str(demo_codebook_path())]
    assert main([*words, "--draws", "0"]) == 0
    text = capsys.readouterr().out
    assert "Structural paths" in text
    assert "TRU → VAL → LOY" in text
