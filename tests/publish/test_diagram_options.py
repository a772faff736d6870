"""What a diagram of a fit shows when asked, where it stands, and the formats for other typesetters."""

import json
import re
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, NotSupported, SpecificationError
from sem_loyalty.publish.diagram.conflicts import conflicts
from sem_loyalty.publish.diagram.drawing import Drawing, draw
from sem_loyalty.publish.diagram.graph import Diagram, Edge, Node
from sem_loyalty.publish.diagram.layout_cache import LayoutCache
from sem_loyalty.publish.diagram.lettering import wrap
from sem_loyalty.publish.diagram.presets import presets
from sem_loyalty.publish.diagram_settings import DiagramChoice
from sem_loyalty.publish.study_file import study_from

SVG = "{http://www.w3.org/2000/svg}"
CORE = sl.load_model("core")
HOSTILE = "<script>alert(1)</script> & # $ % \\ { } ]]> \" ' ~ ^ _ \\input{x} \\end{tikzpicture}"


@pytest.fixture(scope="module")
def fitted():
    return sl.fit(CORE.text, sl.simulate(CORE, 300, seed=1))


@pytest.fixture(scope="module")
def plain(fitted) -> Drawing:
    return sl.path_diagram(fitted, labels=CORE.labels("en"))


def places(drawing: Drawing) -> dict[str, tuple[float, float, float, float]]:
    return {shape.id: (shape.x, shape.y, shape.rx, shape.ry) for shape in drawing.scene.shapes}


def texts(drawing: Drawing, role: str) -> list[str]:
    return [text.content for text in drawing.scene.texts if text.role == role]


def two(first: str = "First", second: str = "Second", **edge) -> Diagram:
    return Diagram((Node("a", first), Node("b", second)), (Edge("a", "b", "path", 0.5, 0.001, **edge),), "Note.")


def test_other_data_move_no_node(fitted, plain: Drawing) -> None:
    other = sl.fit(CORE.text, sl.simulate(CORE, 1234, seed=7))
    again = sl.path_diagram(other, labels=CORE.labels("en"))
    assert places(again) == places(plain)
    assert texts(again, "coefficient") != texts(plain, "coefficient")
    assert (again.scene.width, again.scene.height) == (plain.scene.width, plain.scene.height)


def test_estimates_of_any_size_move_no_node_and_touch_nothing() -> None:
    nodes = (Node("a", "Image"), Node("b", "Value"), Node("c", "Loyalty", "latent", 0.3))
    ends = (("a", "b"), ("a", "c"), ("b", "c"))

    def drawn(value: float, p: float) -> Drawing:
        return draw(Diagram(nodes, tuple(Edge(*pair, "path", value, p) for pair in ends), "Note. N = 100."))

    small, large = drawn(0.01, 0.9), drawn(-12.34, 0.0001)
    assert places(small) == places(large)
    assert conflicts(large.scene) == ()


def test_intervals_and_p_values_stand_below_the_estimate(fitted) -> None:
    table = sl.standardised_solution(fitted)
    row = table[(table["lhs"] == "TRU") & (table["rhs"] == "SAT")].iloc[0]
    low, high = (f"{row[name]:.2f}".lstrip("0") for name in ("ci_lower", "ci_upper"))
    interval = sl.path_diagram(fitted, show=("std", "ci"))
    assert f"[{low}, {high}]" in texts(interval, "coefficient")
    assert "confidence intervals in brackets" in " ".join(texts(interval, "note"))
    assert not any("*" in text for text in texts(interval, "coefficient"))
    raw = sl.estimates(fitted)
    path = raw[(raw["lhs"] == "TRU") & (raw["rhs"] == "SAT")].iloc[0]
    estimated = texts(sl.path_diagram(fitted, show=("est", "stars", "se")), "coefficient")
    assert f"{path['est']:.2f}***" in estimated
    assert f"({path['se']:.2f})" in estimated
    assert "p < .001" in texts(sl.path_diagram(fitted, show=("std", "p")), "coefficient")
    for drawing in (interval, sl.path_diagram(fitted, show=("est", "stars", "se"), lang="zh", residuals=True)):
        assert conflicts(drawing.scene) == ()


def test_a_given_table_must_hold_what_is_shown(fitted) -> None:
    with pytest.raises(ConfigurationError, match="standardised estimates"):
        sl.path_diagram(fitted, table=sl.estimates(fitted), show=("std", "ci"))
    with pytest.raises(ConfigurationError, match="show"):
        sl.path_diagram(fitted, show=("stars",))
    with pytest.raises(ConfigurationError, match="twice"):
        sl.path_diagram(fitted, show=("std", "p", "p"))


def test_items_r2_and_residuals_are_optional(fitted, plain: Drawing) -> None:
    bare = sl.path_diagram(fitted, items=False, r2=False)
    assert {shape.node for shape in bare.scene.shapes} == {"SAT", "TRU", "VAL", "LOY"}
    assert texts(bare, "r2") == []
    full = sl.path_diagram(fitted, residuals=True)
    stubs = [curve.source for curve in full.scene.curves if curve.kind == "residual"]
    assert sorted(stubs) == sorted(set(fitted.specification.observed) | {"TRU", "VAL", "LOY"})
    assert "Short arrows are residuals." in " ".join(texts(full, "note"))
    assert conflicts(full.scene) == ()


@pytest.mark.parametrize(("asked", "drawn", "said"), [(None, 0, True), (True, 6, False), (False, 0, True)])
def test_covariances_of_causes_follow_the_rule_or_the_wish(asked, drawn: int, said: bool) -> None:
    names = [f"x{at}" for at in range(4)]
    nodes = (*(Node(name, name.upper()) for name in names), Node("y", "Loyalty"))
    arcs = [Edge(a, b, "covariance", 0.3, 0.01) for at, a in enumerate(names) for b in names[at + 1 :]]
    edges = (*(Edge(name, "y", "path", 0.2, 0.01) for name in names), *arcs)
    drawing = draw(Diagram(nodes, edges, "Note.", covariances=asked))
    assert sum(curve.kind == "covariance" for curve in drawing.scene.curves) == drawn
    assert ("omitted" in " ".join(texts(drawing, "note"))) is said
    assert conflicts(drawing.scene) == ()


def test_a_moderator_points_at_the_path() -> None:
    model = sl.load_model("satisfaction_trap")
    pairs = {"SATxSAT": ("sat", "sat"), "SATxSWC": ("sat", "swc")}
    items = {name: tuple([f"{part}{at}" for at in (1, 2, 3)] for part in parts) for name, parts in pairs.items()}
    fit = sl.fit(model.text, sl.product_indicators(sl.simulate(model, 500, seed=3), items))
    drawing = sl.path_diagram(fit, labels=model.labels("en"))
    assert conflicts(drawing.scene) == ()
    arrow = next(curve for curve in drawing.scene.curves if curve.kind == "moderation")
    assert (arrow.source, arrow.moderates, arrow.target) == ("SWC", "SAT", "LOY")
    names = {shape.node for shape in drawing.scene.shapes}
    assert "SATxSWC" not in names
    assert "sat1.swc1" not in names
    assert "SATxSAT" in names  # a curve is no moderation by another construct
    path = next(curve for curve in drawing.scene.curves if (curve.source, curve.target) == ("SAT", "LOY"))
    start, end, tip = (np.array(point) for point in (path.points[0], path.points[3], arrow.points[3]))
    along = float((tip - start) @ (end - start) / ((end - start) @ (end - start)))
    assert 0.25 < along < 0.75
    assert "An arrow to a line is a moderation." in " ".join(texts(drawing, "note"))
    group = next(g for g in ElementTree.fromstring(drawing.svg()).iter(f"{SVG}g") if g.get("data-kind") == "moderation")
    assert group.get("data-moderates") == "SAT"
    kept = sl.path_diagram(fit, moderation="construct")
    assert "SATxSWC" in {shape.node for shape in kept.scene.shapes}


def test_a_moderation_needs_its_path() -> None:
    nodes = tuple(Node(name, name) for name in "abc")
    with pytest.raises(SpecificationError, match="not a path"):
        Diagram(nodes, (Edge("a", "b"), Edge("c", "b", "moderation", moderates="c")))


@pytest.fixture(scope="module")
def grouped():
    model = sl.load_model("moderation")
    data = sl.simulate(model, 300, seed=2)
    column = next(name for name in data.columns if data[name].nunique() == 2)
    return sl.fit(model.text, data, group=column)


@pytest.mark.parametrize("items", [True, False])
def test_groups_are_panels_with_the_same_places(grouped, items: bool) -> None:
    drawing = sl.path_diagram(grouped, group="all", items=items)
    assert conflicts(drawing.scene) == ()
    ids = [thing.id for thing in (*drawing.scene.shapes, *drawing.scene.curves, *drawing.scene.texts)]
    assert len(ids) == len(set(ids))
    spots = places(drawing)
    shifts = {
        (round(spots[f"b{name[1:]}"][0] - spot[0], 2), round(spots[f"b{name[1:]}"][1] - spot[1], 2))
        for name, spot in spots.items()
        if name.startswith("a-")
    }
    assert len(shifts) == 1
    captions = texts(drawing, "panel")
    assert [caption[:4] for caption in captions] == ["(a) ", "(b) "]
    assert all("N = 1" in caption for caption in captions)


def test_unknown_group_and_foreign_results_are_refused(fitted) -> None:
    with pytest.raises(ConfigurationError, match="group=2"):
        sl.path_diagram(fitted, group=2)
    with pytest.raises(NotSupported, match="model_diagram"):
        sl.path_diagram(sl.estimates(fitted))  # type: ignore[arg-type]


def test_a_table_of_names_places_constructs(fitted) -> None:
    drawing = sl.path_diagram(fitted, layout=[["SAT", "", "LOY"], ["", "TRU", ""], ["", "VAL", ""]])
    spots = {shape.node: (shape.x, shape.y) for shape in drawing.scene.shapes}
    assert spots["SAT"][1] == spots["LOY"][1] < spots["TRU"][1] < spots["VAL"][1]
    assert spots["SAT"][0] < spots["TRU"][0] == spots["VAL"][0] < spots["LOY"][0]
    with pytest.raises(ConfigurationError, match="twice"):
        sl.path_diagram(fitted, layout=[["SAT", "SAT"]])


def test_presets_are_taken_by_name_and_can_be_left(fitted, plain: Drawing) -> None:
    assert places(sl.path_diagram(fitted, labels=CORE.labels("en"), preset="core")) == places(plain)
    assert set(presets()) <= set(sl.models()["id"])
    with pytest.raises(ConfigurationError, match="preset"):
        sl.path_diagram(fitted, preset="croe")


@pytest.mark.parametrize("id_", sorted(presets()))
def test_presets_name_the_constructs_of_their_model(id_: str) -> None:
    model = sl.load_model(id_)
    folded = {code for code in model.products if len(set(model.products[code])) == 2}
    assert set(presets()[id_].layout) == set(model.labels("en")) - folded


def test_a_cache_saves_the_search_and_changes_nothing(fitted, plain: Drawing, monkeypatch) -> None:
    cache = LayoutCache()
    first = sl.path_diagram(fitted, labels=CORE.labels("en"), cache=cache)
    kept = cache.text()
    assert first.svg() == plain.svg()

    def never(*args, **more):
        raise AssertionError("the layout was computed again")

    monkeypatch.setattr("sem_loyalty.publish.diagram.drawing.lay_out", never)
    read = LayoutCache(kept)
    assert sl.path_diagram(fitted, labels=CORE.labels("en"), cache=read).svg() == plain.svg()
    assert read.text() == kept
    with pytest.raises(AssertionError, match="computed again"):
        sl.path_diagram(fitted, labels=CORE.labels("zh"), cache=LayoutCache(kept))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 0, "layouts": {}}'])
def test_a_cache_that_cannot_be_read_counts_as_nothing(fitted, plain: Drawing, text: str) -> None:
    assert sl.path_diagram(fitted, labels=CORE.labels("en"), cache=LayoutCache(text)).svg() == plain.svg()


def test_a_damaged_entry_is_computed_again(fitted, plain: Drawing) -> None:
    cache = LayoutCache()
    sl.path_diagram(fitted, labels=CORE.labels("en"), cache=cache)
    content = json.loads(cache.text())
    for record in content["layouts"].values():
        record["controls"] = record["controls"][1:]
    assert (
        sl.path_diagram(fitted, labels=CORE.labels("en"), cache=LayoutCache(json.dumps(content))).svg() == plain.svg()
    )


def test_only_greys_are_used(fitted) -> None:
    drawing = sl.path_diagram(fitted, residuals=True)
    for text in (drawing.svg(), drawing.tikz(), drawing.dot()):
        colors = re.findall(r"#([0-9a-fA-F]{6})|HTML}{([0-9A-F]{6})}", text)
        assert colors
        assert all(color[:2] == color[2:4] == color[4:] for pair in colors for color in pair if color)


@pytest.mark.parametrize("name", [HOSTILE, "W" * 1000, "long name " * 100, "很长的名字" * 200])
def test_hostile_and_endless_names_are_text_and_stay_inside(name: str) -> None:
    drawing = draw(two(name, "Loyalty", label=name))
    assert conflicts(drawing.scene) == ()
    root = ElementTree.fromstring(drawing.svg())
    titles = ["".join(title.itertext()) for title in root.iter(f"{SVG}title")]
    assert name in titles or " ".join(name.split()) in " ".join(titles)
    assert not list(root.iter(f"{SVG}script"))
    tikz = drawing.tikz()
    body = tikz.split("\n", 1)[1].rsplit("\\end{tikzpicture}", 1)[0]
    assert "\\input" not in body
    assert "\\end{tikzpicture}" not in body
    assert not re.search(r"(?<!\\)[$&#%]", body)
    quoted = re.findall(r'"(?:[^"\\]|\\.)*"', drawing.dot())
    assert "script>" not in re.sub(r'"(?:[^"\\]|\\.)*"', "", drawing.dot())
    assert quoted


def test_brackets_of_chinese_names_stay_with_what_they_enclose() -> None:
    lines = wrap("顾客满意（第一次调查）")
    assert "".join(lines) == "顾客满意（第一次调查）"
    assert len(lines) > 1
    assert not any(line.endswith("（") or line.startswith("）") for line in lines)


def test_every_format_is_saved_by_its_suffix(plain: Drawing, tmp_path: Path) -> None:
    tikz = plain.save(tmp_path / "figure.tikz").read_text(encoding="utf-8")
    assert tikz == plain.tikz()
    assert tikz.startswith("\\begin{tikzpicture}")
    document = plain.save(tmp_path / "figure.tex").read_text(encoding="utf-8")
    assert document.startswith("\\documentclass")
    assert tikz in document
    dot = plain.save(tmp_path / "figure.dot").read_text(encoding="utf-8")
    assert dot.startswith("digraph")
    shape = next(shape for shape in plain.scene.shapes if shape.node == "SAT")
    numbers = re.search(r'"SAT" \[.*pos="([\d.]+),([\d.]+)!"', dot)
    assert numbers is not None
    assert float(numbers[1]) == pytest.approx(shape.x, abs=1e-3)
    assert float(numbers[2]) == pytest.approx(plain.scene.height - shape.y, abs=1e-3)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_the_graph() -> None:
    dot = draw(two(HOSTILE)).dot()
    done = subprocess.run(["dot", "-Kneato", "-n", "-Tsvg"], input=dot.encode(), capture_output=True, check=True)
    said = ["".join(text.itertext()) for text in ElementTree.fromstring(done.stdout).iter(f"{SVG}text")]
    assert any("<script>" in line for line in said)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="LaTeX is not installed")
def test_latex_compiles_the_document(plain: Drawing, tmp_path: Path) -> None:
    for drawing in (plain, draw(two(HOSTILE))):
        drawing.save(tmp_path / "figure.tex")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "figure.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        if b"ptmr8t" in done.stdout:
            pytest.skip("LaTeX has no Times here")
        assert done.returncode == 0, done.stdout[-1500:].decode("latin-1")


def test_the_satisfaction_index_is_drawn_in_two_seconds() -> None:
    names = {"Image": 5, "Expectation": 3, "Quality": 7, "Value": 2, "Satisfaction": 3, "Complaints": 1, "Loyalty": 3}
    nodes = [Node(name, name, "latent", 0.4) for name in names]
    nodes += [
        Node(f"{name[:4]}{at}", f"{name[:4]}{at}", "observed") for name, count in names.items() for at in range(count)
    ]
    edges = [
        Edge(name, f"{name[:4]}{at}", "loading", 0.7, 0.001) for name, count in names.items() for at in range(count)
    ]
    edges += [
        Edge(*pair.split(), "path", 0.4, 0.001)
        for pair in (
            "Image Expectation", "Image Satisfaction", "Image Loyalty", "Expectation Quality", "Expectation Value",
            "Expectation Satisfaction", "Quality Value", "Quality Satisfaction", "Value Satisfaction",
            "Satisfaction Complaints", "Satisfaction Loyalty", "Complaints Loyalty",
        )
    ]  # fmt: skip
    diagram = Diagram(tuple(nodes), tuple(edges), "Note.")
    draw(two()).data("pdf")  # fonts are read once
    begun = time.process_time()
    drawing = draw(diagram)
    for kind in ("svg", "pdf", "png", "tikz", "dot"):
        drawing.data(kind)
    assert time.process_time() - begun < 4.0  # about one second on an idle machine
    # Without the preset, too, which is the layout that had to be searched.
    assert conflicts(draw(diagram, preset="none").scene) == ()


def test_study_files_pin_and_choose() -> None:
    def read(table: dict[str, object]):
        content = {"model": {"id": "core"}, "data": {"path": "survey.csv"}, "diagram": table}
        return study_from(content, folder=Path(), name="study.toml")

    study, problems = read({"layout": [["SAT", "LOY"], ["TRU", "VAL"]], "show": ["est", "ci"], "sides": {"SAT": "W"}})
    assert problems == []
    assert study.diagram.arguments()["layout"] == (("SAT", "LOY"), ("TRU", "VAL"))
    assert study.diagram.arguments()["show"] == ("est", "ci")
    assert study.settings()["diagram"]["sides"] == {"SAT": "W"}
    study, problems = read({"layout": {"SAT": [0, 1]}, "covariances": "none"})
    assert problems == []
    assert study.diagram.layout == {"SAT": [0, 1]}
    assert study.diagram.arguments()["covariances"] is False
    for table, said in (
        ({"layout": [["SAT", "SAT"]]}, "twice"),
        ({"layout": {"SAT": [0]}}, "half steps"),
        ({"layout": 3}, "layout"),
        ({"sides": {"SAT": "Q"}}, "W, E, N, S"),
        ({"show": ["stars"]}, "show"),
        ({"covariances": "some"}, "one of"),
    ):
        _, problems = read(table)
        assert len(problems) == 1
        assert said in problems[0]


def test_the_default_settings_are_the_defaults_of_the_function(fitted, plain: Drawing) -> None:
    drawing = sl.path_diagram(fitted, labels=CORE.labels("en"), **DiagramChoice().arguments())
    assert drawing.svg() == plain.svg()
    assert replace(DiagramChoice(), items=False).arguments()["items"] is False


def test_the_examples_of_the_documentation_run(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "diagrams.md").read_text(encoding="utf-8")
    space: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(block, space)
    assert "path diagram" in capsys.readouterr().out
    assert conflicts(space["figure"].scene) == ()  # type: ignore[attr-defined]
