"""What a reader sees: numbers, names, notes, files, fonts and the look of a solution that must not be reported."""

import io
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread

from sem_loyalty.errors import ConfigurationError, DataWarning, SpecificationError
from sem_loyalty.publish.diagram.conflicts import conflicts
from sem_loyalty.publish.diagram.drawing import POINTS_PER_MM, Drawing, draw
from sem_loyalty.publish.diagram.graph import Diagram, Edge, Node, anatomy
from sem_loyalty.publish.diagram.lettering import fill, number, stars, wrap, wrap_name
from sem_loyalty.publish.diagram.scene import GREY, INK, PAPER
from sem_loyalty.publish.html import figure
from sem_loyalty.publish.typefaces import (
    chinese_font,
    face_path,
    latin_fonts,
    missing_characters,
    split_runs,
    text_width,
)

SVG = "{http://www.w3.org/2000/svg}"
# PLS estimates of the European Customer Satisfaction Index model on the mobile phone data.
ECSI = {
    "Image": ("企业形象", None, (0.745, 0.599, 0.576, 0.769, 0.744)),
    "Expectation": ("顾客期望", 0.255, (0.771, 0.691, 0.608)),
    "Quality": ("感知质量", 0.310, (0.803, 0.638, 0.784, 0.769, 0.755, 0.775, 0.780)),
    "Value": ("感知价值", 0.345, (0.902, 0.940)),
    "Satisfaction": ("顾客满意", 0.681, (0.792, 0.847, 0.857)),
    "Complaints": ("顾客抱怨", 0.279, (1.0,)),
    "Loyalty": ("顾客忠诚", 0.457, (0.820, 0.202, 0.915)),
}
PATHS = (
    ("Image", "Expectation", 0.505, 0.0001),
    ("Image", "Satisfaction", 0.179, 0.004),
    ("Image", "Loyalty", 0.196, 0.02),
    ("Expectation", "Quality", 0.557, 0.0001),
    ("Expectation", "Value", 0.050, 0.4),
    ("Expectation", "Satisfaction", 0.063, 0.3),
    ("Quality", "Value", 0.558, 0.0001),
    ("Quality", "Satisfaction", 0.512, 0.0001),
    ("Value", "Satisfaction", 0.195, 0.0002),
    ("Satisfaction", "Complaints", 0.528, 0.0001),
    ("Satisfaction", "Loyalty", 0.485, 0.0001),
    ("Complaints", "Loyalty", -0.067, 0.3),
)
NOTES = {
    "en": "Note. Standardised estimates, N = 250. Dashed grey = not significant. * p < .05, ** p < .01, *** p < .001.",
    "zh": "注：标准化系数，N = 250；灰色虚线为不显著。* p < 0.05，** p < 0.01，*** p < 0.001。",
}


def ecsi(lang: str = "en", certified: bool = True) -> Diagram:
    nodes: list[Node] = []
    edges: list[Edge] = []
    for name, (chinese, r2, loadings) in ECSI.items():
        nodes.append(Node(name, name if lang == "en" else chinese, "latent", r2))
        for at, value in enumerate(loadings, start=1):
            nodes.append(Node(f"{name[:4].upper()}{at}", f"{name[:4].upper()}{at}", "observed"))
            edges.append(Edge(name, nodes[-1].name, "loading", value, 0.0001))
    edges += [Edge(a, b, "path", value, p) for a, b, value, p in PATHS]
    return Diagram(tuple(nodes), tuple(edges), NOTES[lang], lang, certified)


@pytest.fixture(scope="module")
def english() -> Drawing:
    return draw(ecsi())


@pytest.fixture(scope="module")
def chinese() -> Drawing:
    return draw(ecsi("zh"))


def small(**settings) -> Diagram:
    nodes = (Node("a", "Image"), Node("b", "Loyalty", "latent", 0.25))
    return Diagram(nodes, (Edge("a", "b", "path", 0.5, 0.001),), **settings)


def contents(drawing: Drawing, role: str) -> list[str]:
    return [text.content for text in drawing.scene.texts if text.role == role]


def test_ecsi_touches_nothing_and_fits_the_page(english: Drawing) -> None:
    assert conflicts(english.scene) == ()
    assert english.scene.width <= 183 * POINTS_PER_MM
    assert min(text.size for text in english.scene.texts) >= 6.5
    constructs = [shape for shape in english.scene.shapes if shape.round]
    assert len({(shape.rx, shape.ry) for shape in constructs}) == 1
    assert len(constructs) == 7
    assert len(english.scene.shapes) == 31


def test_chinese_touches_nothing_and_prints_leading_zeros(chinese: Drawing) -> None:
    assert conflicts(chinese.scene) == ()
    assert "0.505***" in contents(chinese, "coefficient")
    assert "R² = 0.681" in contents(chinese, "r2")
    assert "顾客满意" in contents(chinese, "name")


def test_english_prints_apa_numbers(english: Drawing) -> None:
    found = contents(english, "coefficient")
    assert ".51***" in found
    assert ".18**" in found
    assert ".20*" in found
    assert "\u2212.07" in found
    assert "1.00" in contents(english, "loading")
    assert "R² = .68" in contents(english, "r2")


@pytest.mark.parametrize(
    ("value", "lang", "said"),
    [
        (0.512, "en", ".51"),
        (-0.512, "en", "\u2212.51"),
        (-0.001, "en", ".00"),
        (1.04, "en", "1.04"),
        (-1.2, "zh", "\u22121.200"),
        (0.5049, "zh", "0.505"),
        (-0.0001, "zh", "0.000"),
        (0.999, "en", "1.00"),
    ],
)
def test_numbers(value: float, lang: str, said: str) -> None:
    assert number(value, lang) == said


def test_stars_follow_the_p_value() -> None:
    assert [stars(p) for p in (None, 0.0009, 0.001, 0.0099, 0.01, 0.049, 0.05)] == ["", "***", "**", "**", "*", "*", ""]


def test_not_significant_paths_are_dashed_and_grey(english: Drawing) -> None:
    curves = {(curve.source, curve.target): curve for curve in english.scene.curves}
    weak, strong = curves["Expectation", "Value"], curves["Image", "Expectation"]
    assert weak.dash
    assert weak.color == GREY
    assert strong.dash == ()
    assert strong.color == INK
    loading = curves["Value", "VALU1"]
    assert loading.line_width < strong.line_width
    assert loading.color != INK


def test_uncertified_solution_cannot_be_mistaken() -> None:
    drawing = draw(ecsi(certified=False))
    scene = drawing.scene
    assert conflicts(scene) == ()
    assert contents(drawing, "banner") == ["NOT CERTIFIED: do not report these numbers"]
    banner = next(text for text in scene.texts if text.role == "banner")
    assert banner.color == PAPER
    assert banner.y < min(shape.y - shape.ry for shape in scene.shapes)
    numbers = [text for text in scene.texts if text.role in ("coefficient", "loading", "r2")]
    assert numbers
    assert {text.color for text in numbers} == {GREY}
    assert not any("*" in text.content for text in numbers)
    assert INK not in {curve.color for curve in scene.curves}
    assert "NOT CERTIFIED" in drawing.svg()
    # The black bar is in the picture: a row of the PNG is mostly black.
    rows = imread(io.BytesIO(drawing.png(100)))[..., :3].mean(axis=(1, 2))
    assert rows.min() < 0.35


@pytest.mark.parametrize(("lang", "banner"), [("en", "NOT CERTIFIED"), ("zh", "未通过检验")])
def test_uncertified_in_graphviz(lang: str, banner: str) -> None:
    assert banner in draw(ecsi(lang, certified=False)).dot()
    assert banner not in draw(ecsi(lang)).dot()


def test_uncertified_in_chinese() -> None:
    assert contents(draw(small(lang="zh", certified=False)), "banner") == ["未通过检验：请勿报告这些数字"]


def test_svg_is_well_formed_and_keeps_its_text(english: Drawing) -> None:
    root = ElementTree.fromstring(english.svg())
    assert root.tag == f"{SVG}svg"
    identifiers = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(identifiers) == len(set(identifiers))
    assert {"node-Satisfaction", "path-Image-Loyalty", "loading-Value-VALU1"} <= set(identifiers)
    said = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    assert ".51***" in said
    assert any(line.startswith("Note. Standardised") for line in said)
    assert "'Times New Roman'" in english.svg()


def test_svg_escapes_what_users_write() -> None:
    nodes = (Node('x"<&', "R&D <b>"), Node("y", "Loyalty"))
    diagram = Diagram(nodes, (Edge('x"<&', "y", "path", 0.3, 0.01, "H1 & H2"),), "Note. a < b & c")
    drawing = draw(diagram)
    root = ElementTree.fromstring(drawing.svg())
    said = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    assert "R&D <b>" in said
    assert "H1 & H2: .30*" in said or "H1 & H2: .30**" in said
    assert all(re.fullmatch(r"[\w.-]+", element.get("id", "a")) for element in root.iter())


def test_every_variable_and_line_is_one_group_that_says_what_it_is(english: Drawing) -> None:
    root = ElementTree.fromstring(english.svg())
    groups = [group for group in root.iter(f"{SVG}g") if group.get("class")]
    nodes = {group.get("data-name"): group for group in groups if group.get("class").startswith("node ")}
    assert len(nodes) == 31
    assert nodes["Value"].get("class") == "node latent"
    assert nodes["VALU1"].get("class") == "node observed"
    assert ["".join(text.itertext()) for text in nodes["Value"].iter(f"{SVG}text")] == ["Value", "R² = .34"]
    edges = {(group.get("data-from"), group.get("data-to")): group for group in groups if group.get("data-kind")}
    assert len(edges) == 36
    for ends, kind, op, said in (
        (("Quality", "Satisfaction"), "path", "~", ".51***"),
        (("Value", "VALU1"), "loading", "=~", ".90"),
    ):
        edge = edges[ends]
        assert (edge.get("class"), edge.get("data-kind"), edge.get("data-op")) == (f"edge {kind}", kind, op)
        assert ["".join(text.itertext()) for text in edge.iter(f"{SVG}text")] == [said]
        assert len(list(edge.iter(f"{SVG}path"))) == 1


def test_the_report_takes_the_drawing_in(english: Drawing) -> None:
    assert 'data-name="Value"' in figure(english.svg(), "Figure 1", "The model")


def test_notebook_shows_the_svg(english: Drawing) -> None:
    bundle = english._repr_mimebundle_()
    assert bundle["image/svg+xml"] == english._repr_svg_() == english.svg()
    assert "path diagram" in bundle["text/plain"]


def test_png_has_the_right_size_and_ink(english: Drawing, tmp_path: Path) -> None:
    picture = imread(english.save(tmp_path / "figure.png"))
    height, width = picture.shape[:2]
    assert width == pytest.approx(english.scene.width / 72 * 300, abs=1.5)
    assert height == pytest.approx(english.scene.height / 72 * 300, abs=1.5)
    ink = (picture[..., :3].mean(axis=2) < 0.5).mean()
    assert 0.005 < ink < 0.2
    # Nothing is cut off: the rim is white.
    rim = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])[..., :3]
    assert rim.min() > 0.99


def objects(pdf: bytes) -> str:
    """Return a PDF with its compressed streams unpacked where they are text."""
    out = [pdf.decode("latin-1")]
    for found in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            out.append(zlib.decompress(found[1]).decode("latin-1"))
        except zlib.error:
            continue
    return "\n".join(out)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pdf_embeds_true_type_fonts(lang: str, request: pytest.FixtureRequest) -> None:
    drawing: Drawing = request.getfixturevalue({"en": "english", "zh": "chinese"}[lang])
    data = drawing.pdf()
    assert data.startswith(b"%PDF-")
    text = objects(data)
    assert "/FontFile2" in text
    assert "/Type3" not in text
    assert "CreationDate" not in text
    assert ("NotoSansSC" in text) == (lang == "zh")


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_files_are_the_same_twice(english: Drawing, tmp_path: Path, suffix: str) -> None:
    first = english.save(tmp_path / f"a{suffix}")
    second = english.save(tmp_path / f"b{suffix.upper()}")
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a{suffix}", f"b{suffix.upper()}"]


def test_user_settings_neither_matter_nor_change(english: Drawing) -> None:
    before = english.pdf(), english.png(80)
    with mpl.rc_context({"pdf.fonttype": 3, "path.sketch": (1, 100, 2), "font.size": 30.0, "savefig.dpi": 50.0}):
        kept = dict(mpl.rcParams)
        assert (english.pdf(), english.png(80)) == before
        assert dict(mpl.rcParams) == kept


def test_unknown_suffix_and_missing_directory_are_refused(english: Drawing, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"\.svg, \.pdf, \.png"):
        english.save(tmp_path / "figure.jpg")
    with pytest.raises(ConfigurationError, match="no directory"):
        english.save(tmp_path / "nowhere" / "figure.svg")
    with pytest.raises(ConfigurationError, match=r"\.svg, \.pdf, \.png"):
        draw(small(), tmp_path / "figure")


def test_failed_write_leaves_the_old_file(english: Drawing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "figure.svg"
    target.write_text("old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        english.save(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_draw_writes_at_once(tmp_path: Path) -> None:
    drawing = draw(small(), tmp_path / "figure.svg")
    assert (tmp_path / "figure.svg").read_text(encoding="utf-8") == drawing.svg()


def test_missing_characters_are_named() -> None:
    diagram = Diagram((Node("a", "Image \U0001f600"),))
    with pytest.warns(DataWarning, match=r"U\+1F600"):
        drawing = draw(diagram)
    assert "\U0001f600" in drawing.svg()
    assert drawing.png(60).startswith(b"\x89PNG")
    assert missing_characters(["满意 α β χ² − ≤ ★", "祎堃喆"]) == ""


def test_type_is_never_shrunk_below_the_limit() -> None:
    with pytest.warns(DataWarning, match="does not fit 60 mm"):
        drawing = draw(ecsi(), width_mm=60)
    assert min(text.size for text in drawing.scene.texts) == pytest.approx(6.5, abs=0.01)


def test_typefaces_fall_back_by_character() -> None:
    runs = split_runs("满意 SAT", "bold")
    assert [(run.text, run.face) for run in runs] == [("满意", "chinese"), (" SAT", "stix-bold")]
    assert text_width("满", 10.0) == pytest.approx(10.0)
    assert face_path("chinese").is_file()


def test_no_font_file_is_committed() -> None:
    root = Path(__file__).parents[2]
    found = [
        path for path in (root / "sem_loyalty").rglob("*") if path.suffix.lower() in {".ttf", ".otf", ".ttc", ".woff2"}
    ]
    assert found == []


def test_the_chinese_face_is_free_and_not_imported() -> None:
    path = chinese_font()
    assert "SIL OPEN FONT LICENSE Version 1.1" in (path.parent / "OFL.txt").read_text(encoding="utf-8")
    done = in_new_process("")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["NotoSansSC-Regular.ttf", "False"]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ("nowhere.ttf", "No such file"),
        (__file__, "Not a TrueType or OpenType font"),
    ],
)
def test_a_chosen_face_that_cannot_be_used_is_refused(chosen: str, message: str) -> None:
    done = in_new_process("", SEM_LOYALTY_CHINESE_FONT=chosen)
    assert done.returncode == 1
    assert message in done.stderr
    assert "SEM_LOYALTY_CHINESE_FONT" in done.stderr


def test_a_chosen_face_is_used() -> None:
    done = in_new_process("", SEM_LOYALTY_CHINESE_FONT=str(latin_fonts() / "DejaVuSans.ttf"))
    assert done.stdout.split()[0] == "DejaVuSans.ttf"


def test_without_a_chinese_face_only_chinese_fails_and_says_what_to_install() -> None:
    absent = "import sys; sys.modules['zhplot'] = None; import importlib.util as u; u.find_spec = lambda name: None\n"
    done = in_new_process(absent)
    assert done.returncode == 1
    assert "pip install zhplot" in done.stderr
    english = in_new_process(
        absent + "from sem_loyalty.publish.typefaces import text_width\n"
        "assert text_width('Loyalty ⟨α⟩ ★', 10) > 0; raise SystemExit(0)\n"
    )
    assert english.returncode == 0, english.stderr


HIDDEN = """
import importlib.util as u, sys
find = u.find_spec
u.find_spec = lambda name, package=None: None if name == "zhplot" else find(name, package)
from pathlib import Path
import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError
from sem_loyalty.publish.tables import Edition
from sem_loyalty.publish.fit_table import fit_table

def refused(make):
    try:
        make()
    except ConfigurationError as error:
        assert "pip install zhplot" in str(error), error
        assert "SEM_LOYALTY_CHINESE_FONT" in str(error), error
    else:
        raise AssertionError("Chinese without a Chinese typeface")
"""
WITHOUT_A_FACE = """
matrix = sl.load_published("iacobucci2009")
fitted = sl.fit(matrix.model_text, sample_cov=matrix.frame(), sample_nobs=matrix.n)
sl.path_diagram(fitted, "en.pdf")
refused(lambda: sl.path_diagram(fitted, "zh.pdf", lang="zh"))
refused(lambda: sl.residual_map(fitted, "zh.svg", lang="zh"))
for lang in ("en", "zh"):  # Word and Typst set the text themselves, in the faces of the reader's machine
    table = fit_table(sl.fit_measures(fitted), Edition(lang))
    assert ("模型" in table.to_typst()) == (lang == "zh")
    sl.tables_docx([table], f"{lang}.docx")
    study = f'[study]\\nlang = "{lang}"\\n[data]\\nmatrix = "iacobucci2009"\\n[model]\\nid = "iacobucci2009"\\n'
    Path(f"{lang}.toml").write_text(study + f'[output]\\ndir = "{lang}"\\nformats = ["html", "docx", "typ", "svg"]\\n')
sl.run("en.toml")
refused(lambda: sl.run("zh.toml"))
for lang, text in (("en", "Loyalty."), ("zh", "顾客忠诚。")):
    Path(f"{lang}-paper").mkdir()
    Path(f"{lang}-paper/paper.typ").write_text(text, encoding="utf-8")
    Path(f"{lang}-paper/results.json").write_text("{}")
sl.build_paper("en-paper")
refused(lambda: sl.build_paper("zh-paper"))
print(sorted(path.as_posix() for path in Path().glob("[a-z]*") if path.suffix != ".toml"))
"""


def test_without_a_chinese_face_english_is_whole_and_chinese_says_what_to_install(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "SEM_LOYALTY_CHINESE_FONT"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN + WITHOUT_A_FACE],
        cwd=tmp_path, capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # Nothing half made: neither pictures nor a folder of results in Chinese.
    assert done.stdout.strip() == "['en', 'en-paper', 'en.docx', 'en.pdf', 'zh-paper', 'zh.docx']"


def in_new_process(before: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Print the name of the Chinese face, and whether its distribution was imported."""
    code = (
        "import sys\n" + before + "from sem_loyalty.publish.typefaces import chinese_font, text_width\n"
        "text_width('顾客', 10); print(chinese_font().name, 'zhplot' in sys.modules)"
    )
    kept = {name: value for name, value in os.environ.items() if name != "SEM_LOYALTY_CHINESE_FONT"}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=kept | variables, check=False
    )


def test_names_wrap_evenly() -> None:
    assert wrap("Customer satisfaction") == ("Customer", "satisfaction")
    assert wrap("Loyalty") == ("Loyalty",)
    assert wrap("顾客感知服务质量") == ("顾客感知", "服务质量")
    assert wrap("two\nlines") == ("two", "lines")
    assert len(wrap("x" * 100)) > 1
    assert len(wrap_name("Overall perceived service quality of the mobile provider")) == 3


def test_formulas_of_a_note_stay_together() -> None:
    lines = fill(NOTES["en"], 150.0, 7.4, "en")
    assert " ".join(lines) == NOTES["en"]
    assert not any(re.search(r"[<=*]$|\bp$", line) for line in lines)
    lines = fill(NOTES["zh"], 120.0, 7.4, "zh")
    assert "".join(lines).replace(" ", "") == NOTES["zh"].replace(" ", "")
    assert not any(line[0] in "，。；：" for line in lines)


def test_indicators_belong_to_their_first_construct() -> None:
    nodes = (Node("A", "A"), Node("B", "B"), Node("x", "x", "observed"), Node("z", "z", "observed"))
    edges = (Edge("A", "x", "loading"), Edge("B", "x", "loading"), Edge("z", "B"), Edge("x", "z", "covariance"))
    parts = anatomy(Diagram(nodes, edges))
    assert parts.names == ("A", "B", "z")
    assert [item.name for item in parts.indicators["A"]] == ["x"]
    assert [(tie.source, tie.target) for tie in parts.ties] == [("B", "x"), ("z", "B")]
    assert parts.residuals_omitted == 1


@pytest.mark.parametrize(
    ("nodes", "edges", "said"),
    [
        ((), (), "at least one node"),
        ((Node("a", "A"), Node("a", "B")), (), "given twice"),
        ((Node("Loyalty", "A"),), (Edge("Loyalty", "Loyalti"),), "Did you mean 'Loyalty'"),
        ((Node("a", "A"),), (Edge("a", "a"),), "loop"),
        ((Node("a", "A"), Node("b", "B")), (Edge("a", "b", "path", float("nan")),), "give None"),
        ((Node("a", "A", "latent", float("inf")),), (), "give None"),
    ],
)
def test_diagrams_that_cannot_be(nodes, edges, said: str) -> None:
    with pytest.raises(SpecificationError, match=said):
        Diagram(nodes, edges)


def test_kinds_are_checked() -> None:
    with pytest.raises(ConfigurationError, match="latent"):
        Diagram((Node("a", "A", "factor"),))
    with pytest.raises(ConfigurationError, match="'en', 'zh'"):
        Diagram((Node("a", "A"),), lang="de")
