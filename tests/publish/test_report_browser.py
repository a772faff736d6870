"""The report in headless Chromium: it needs no network, and its controls do and say what they should."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import pytest

from sem_loyalty.design.simulate import simulate
from sem_loyalty.display import Column, Table
from sem_loyalty.model.model_file import Wording
from sem_loyalty.publish.diagram_settings import DiagramChoice
from sem_loyalty.publish.html import Drawing, Section, page
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.report import report
from sem_loyalty.publish.results import Results
from sem_loyalty.publish.settings import About, DataSource, FactorChoice, ModelChoice, Output, ScreenChoice, Study
from sem_loyalty.study import analyse, fit_once
from sem_loyalty.survey.published import demo_codebook_path, demo_path

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

NASTY = "<script>alert(1)</script> ]]> </script> <!-- \"it's\" & =cmd|' /C calc'!A0 # $ %"
Open = Callable[..., Any]


def study(model: str, source: DataSource, lang: str, *, residuals: bool = False) -> Results:
    return analyse(
        Study(
            study=About(lang=lang, simulated=not source.matrix),
            data=source,
            screen=ScreenChoice(run=False),
            model=ModelChoice(id=model),
            efa=FactorChoice(run=False),
            diagram=DiagramChoice(residuals=residuals),
            output=Output(formats=("html",)),
            folder=Path.cwd(),
            name="demo",
        )
    )


def published(lang: str) -> Results:
    """Return a study of one group with a path that is not significant."""
    return study("iacobucci2009", DataSource(matrix="iacobucci2009"), lang)


@pytest.fixture(scope="module")
def grouped() -> Results:
    source = DataSource(path=str(demo_path()), codebook=str(demo_codebook_path()), group="channel")
    return study("core", source, "en")


@pytest.fixture(scope="module")
def single() -> Results:
    return published("en")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open a text as a file, offline, and keep what the browser asks for and complains about."""
    contexts = []

    def open(text: str, *, width: int = 1280, **options: Any) -> Any:
        file = tmp_path / "report.html"
        file.write_text(text, encoding="utf-8")
        context = browser.new_context(offline=True, viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        made = context.new_page()
        made.set_default_timeout(5_000)
        made.asked, made.said = [], []
        made.on("request", lambda request: made.asked.append(request.url))
        made.on("console", lambda message: made.said.append(message.text))
        made.on("pageerror", lambda error: made.said.append(str(error)))
        made.goto(file.as_uri())
        return made

    yield open
    for context in contexts:
        context.close()


@pytest.fixture
def sheet(opened: Open, grouped: Results) -> Any:
    return opened(report(grouped))


def around(grouped: Results, name: str) -> set[str]:
    """Return a variable and those that a line of the model joins to it."""
    found = grouped.estimates[grouped.estimates["op"].isin(["~", "=~"])]
    near = found[(found["lhs"] == name) | (found["rhs"] == name)]
    return {name, *near["lhs"], *near["rhs"]}


def test_one_request_and_no_complaint(sheet: Any) -> None:
    assert len(sheet.asked) == 1
    assert sheet.asked[0].startswith("file:")
    assert sheet.said == []
    assert sheet.locator(".tool").count() > 10


def test_a_construct_is_isolated_by_pointer_and_by_focus(sheet: Any, grouped: Results) -> None:
    seen = """() => Object.fromEntries([...document.querySelectorAll('figure[data-diagram="1"] .node')].map(
        (node) => [node.dataset.name, Number(getComputedStyle(node).opacity)]))"""
    lines = """() => [...document.querySelectorAll('figure[data-diagram="1"] .edge')].map(
        (edge) => [edge.dataset.from, edge.dataset.to, Number(getComputedStyle(edge).opacity)])"""
    assert set(sheet.evaluate(seen).values()) == {1.0}
    node = sheet.locator('figure[data-diagram="1"] .node[data-name="TRU"]')
    for act in (node.hover, node.focus):
        act()
        dark = {name for name, opacity in sheet.evaluate(seen).items() if opacity == 1}
        assert dark == around(grouped, "TRU")
        assert "sat1" not in dark
        for source, target, opacity in sheet.evaluate(lines):
            assert (opacity == 1) == ("TRU" in (source, target)), (source, target)
        sheet.mouse.move(2, 2)
    assert sheet.locator('figure[data-diagram="2"] svg.isolating').count() == 0
    sheet.keyboard.press("Escape")
    assert set(sheet.evaluate(seen).values()) == {1.0}


@pytest.mark.parametrize("group", [1, 2])
def test_a_path_says_the_numbers_of_its_group(sheet: Any, grouped: Results, group: int) -> None:
    figure = sheet.locator(f'figure[data-diagram="{group}"]')
    line = figure.locator(".path-line")
    assert line.get_attribute("aria-live") == "polite"
    frame = grouped.estimates
    row = frame[(frame["lhs"] == "LOY") & (frame["op"] == "~") & (frame["rhs"] == "VAL") & (frame["group"] == group)]
    found = row.to_dict("records")[0]
    figure.locator('.edge[data-from="VAL"][data-to="LOY"] .hit').dispatch_event("click")
    said = line.inner_text().replace("−", "-")
    assert said.startswith("Perceived value → Customer loyalty β = ")
    numbers = [float(text) for text in re.findall(r"(?<![\w.])-?\d*\.\d+", said)]
    p = [] if found["pvalue"] < 0.001 else [round(found["pvalue"], 3)]
    expected = [found["std_all"], found["est"], found["se"], found["z"], *p, found["ci_lower"], found["ci_upper"]]
    if not p:
        assert "p < .001" in said
        numbers.remove(0.001)
    assert numbers == pytest.approx(expected, abs=0.0051)
    entry = next(v for v in grouped.verdicts if v.hypothesis.path == ("VAL", "LOY") and v.group == group)
    assert f"{entry.hypothesis.id} (+): {word(entry.verdict, 'en')}" in said
    assert "simulated data" in said


def test_moderations_and_residuals_say_their_own_numbers(opened: Open, tmp_path: Path) -> None:
    simulate("satisfaction_trap", 300, seed=3).to_csv(tmp_path / "trap.csv", index=False)
    asked = study("satisfaction_trap", DataSource(path=str(tmp_path / "trap.csv")), "en", residuals=True)
    frame = asked.estimates.set_index(["lhs", "op", "rhs"])
    figure = opened(report(asked)).locator('figure[data-diagram="1"]')
    for line, row in (
        ('.edge.moderation[data-from="SWC"][data-moderates="SAT"]', ("LOY", "~", "SATxSWC")),
        ('.edge.path[data-from="SWC"]', ("LOY", "~", "SWC")),
        ('.edge.residual[data-from="sat1"]', ("sat1", "~~", "sat1")),
    ):
        figure.locator(line).dispatch_event("click")
        said = figure.locator(".path-line").inner_text().replace("−", "-")
        assert float(re.findall(r"B = (-?[\d.]+\d)", said)[0]) == pytest.approx(frame.loc[row, "est"], abs=0.0006)
    assert figure.locator(".tools", has_text=word("control_items", "en")).count() == 1


def test_what_holds_for_a_part_of_a_table_stays_in_its_first_row(sheet: Any) -> None:
    table = sheet.locator("#table-cfa")
    alphas = """(table) => { const rows = [...table.tBodies[0].rows];
        return rows.filter((row, k) => k && rows[k - 1].cells.length === 1).map((row) => row.cells[5].textContent) }"""
    before = table.evaluate(alphas)
    assert all(before)
    table.locator("thead .sort", has_text="λ").click()
    assert table.evaluate(alphas) == before
    loadings = """(table) => [...table.tBodies[0].rows].slice(1, 5).map((row) => Number(row.cells[1].textContent))"""
    assert table.evaluate(loadings) == sorted(table.evaluate(loadings))
    assert sheet.locator("#table-loadings, #table-fornell-larcker").count() == 0


def test_the_keyboard_reaches_every_line(sheet: Any, grouped: Results) -> None:
    figure = sheet.locator('figure[data-diagram="1"]')
    stops = figure.locator("svg [tabindex='0']")
    assert stops.count() == 1
    stops.focus()
    names = set()
    for _ in range(figure.locator("svg [tabindex]").count()):
        names.add(sheet.evaluate("document.activeElement.getAttribute('aria-label')"))
        sheet.keyboard.press("ArrowRight")
    assert "Trust → Perceived value" in names
    assert len(names) == figure.locator("svg [tabindex]").count()
    sheet.keyboard.press("Home")
    while sheet.evaluate("document.activeElement.dataset.from") is None:
        sheet.keyboard.press("ArrowDown")
    sheet.keyboard.press("Enter")
    name = sheet.evaluate("document.activeElement.getAttribute('aria-label')")
    assert figure.locator(".path-line b").inner_text() == name
    sheet.keyboard.press("Escape")
    assert figure.locator(".path-line").inner_text() == word("control_hint", "en")


def test_items_and_weak_paths_can_be_hidden(opened: Open, single: Results) -> None:
    frame = single.estimates
    weak = frame[(frame["op"] == "~") & (frame["pvalue"] >= 0.05)].to_dict("records")
    assert len(weak) == 1
    sheet = opened(report(single))
    line = sheet.locator(f'.edge[data-from="{weak[0]["rhs"]}"][data-to="{weak[0]["lhs"]}"]')
    others = sheet.locator('.edge[data-kind="path"]:not(.weak)')
    assert line.is_visible()
    sheet.get_by_role("checkbox", name=word("control_weak", "en")).uncheck()
    assert not line.is_visible()
    assert others.count() == others.locator("visible=true").count() == 5
    loading = frame[frame["op"] == "=~"].to_dict("records")[0]
    item = sheet.locator(f'.node[data-name="{loading["rhs"]}"]')
    arrow = sheet.locator(f'.edge[data-to="{loading["rhs"]}"]')
    assert item.is_visible()
    sheet.get_by_role("checkbox", name=word("control_items", "en")).uncheck()
    assert not item.is_visible()
    assert not arrow.is_visible()
    assert sheet.locator(f'.node[data-name="{loading["lhs"]}"]').is_visible()
    sheet.get_by_role("checkbox", name=word("control_items", "en")).check()
    assert item.is_visible()


def sortable() -> str:
    columns = (
        Column("name", "Name"),
        Column("beta", "β", "number", 3, True),
        Column("p", "p", "p"),
        Column("interval", "CI", "interval"),
        Column("star", "Stars", "number"),
    )
    rows = (
        {"name": "H2", "beta": -0.5, "p": 0.2, "interval": (0.1, 0.2), "star": ".20*"},
        {"name": "H10", "beta": 0.25, "p": 0.0001, "interval": (-1.5, 0.2), "star": "−.30***"},
        {"name": "=H1", "beta": None, "p": 0.001, "interval": None, "star": "fixed"},
        {"name": "H3", "beta": 0.1, "p": 0.9999, "interval": (-0.1, 1.0), "star": "12.00"},
    )
    table = Table("t", "Caption", columns, rows, "The note.")
    return page("t", [Section("a", "A", (table,))], lang="en")


@pytest.mark.parametrize(
    ("head", "rising", "falling"),
    [
        ("Name", ["=H1", "H2", "H3", "H10"], ["H10", "H3", "H2", "=H1"]),
        ("β", ["H2", "H3", "H10", "=H1"], ["H10", "H3", "H2", "=H1"]),
        ("p", ["H10", "=H1", "H2", "H3"], ["H3", "H2", "=H1", "H10"]),
        ("CI", ["H10", "H3", "H2", "=H1"], ["H2", "H3", "H10", "=H1"]),
        ("Stars", ["H10", "H2", "H3", "=H1"], ["H3", "H2", "H10", "=H1"]),
    ],
)
def test_tables_sort_by_value_and_back(opened: Open, head: str, rising: list[str], falling: list[str]) -> None:
    sheet = opened(sortable())
    order = "() => [...document.querySelectorAll('tbody tr')].map((row) => row.cells[0].innerText)"
    th = sheet.locator("th", has=sheet.get_by_role("button", name=head, exact=True))
    sheet.get_by_role("button", name=head, exact=True).focus()
    for expected, state in (
        (rising, "ascending"),
        (falling, "descending"),
        (["H2", "H10", "=H1", "H3"], None),
    ):
        sheet.keyboard.press("Enter")
        assert sheet.evaluate(order) == expected
        assert th.get_attribute("aria-sort") == state
    assert sheet.locator(".sl-note").inner_text() == "Note. The note."


def test_a_table_is_copied_as_tabs_without_formulas(opened: Open) -> None:
    sheet = opened(sortable(), permissions=["clipboard-read", "clipboard-write"])
    sheet.get_by_role("button", name="Copy table").click()
    sheet.get_by_role("button", name="Copied").wait_for()
    lines = sheet.evaluate("navigator.clipboard.readText()").splitlines()
    assert lines[0] == "Table 1. Caption"
    assert lines[1].split("\t") == ["Name", "β", "p", "CI", "Stars"]
    assert lines[2].split("\t") == ["H2", "-.500", ".200", "[0.100, 0.200]", ".20*"]
    assert lines[4].split("\t")[0] == "'=H1"
    assert lines[6] == "Note. The note."


def test_a_figure_is_saved_as_it_was_drawn(sheet: Any) -> None:
    sheet.locator('figure[data-diagram="1"] .node').first.hover()
    with sheet.expect_download() as waiting:
        sheet.locator('figure[data-diagram="1"]').get_by_role("button", name="Save SVG").click()
    saved = waiting.value.path().read_text(encoding="utf-8")
    assert saved.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert "isolating" not in saved
    assert "tabindex" not in saved
    assert waiting.value.suggested_filename == "figure-path-diagram.svg"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_overlaps_in_the_drawn_diagram(opened: Open, single: Results, lang: str) -> None:
    sheet = opened(report(single if lang == "en" else published("zh")))
    boxes = """() => [...document.querySelectorAll('figure[data-diagram="1"] .edge text')].map((text) => {
        const box = text.getBoundingClientRect();
        return [box.left, box.right, box.top, box.bottom]; })"""
    found = sheet.evaluate(boxes)
    assert len(found) == sheet.locator(".edge").count() > 20
    for k, (left, right, top, bottom) in enumerate(found):
        for other in found[:k]:
            assert right <= other[0] or other[1] <= left or bottom <= other[2] or other[3] <= top
    outside = """() => [...document.querySelectorAll('figure[data-diagram] .node')].flatMap((node) => {
        const shape = node.querySelector("ellipse, rect").getBoundingClientRect();
        return [...node.querySelectorAll("text")].map((text) => text.getBoundingClientRect()).filter((box) =>
            box.left < shape.left || box.right > shape.right || box.top < shape.top || box.bottom > shape.bottom); })"""
    assert sheet.evaluate(outside) == []
    if lang == "zh":
        assert sheet.evaluate("document.documentElement.lang") == "zh-CN"
        assert sheet.get_by_role("button", name="复制表格").count() == sheet.locator(".sl-table").count()
        assert sheet.locator("caption").first.inner_text().startswith("表 1")


def test_a_telephone_does_not_scroll_sideways(opened: Open, grouped: Results) -> None:
    sheet = opened(report(grouped), width=375)
    assert sheet.evaluate("document.documentElement.scrollWidth") <= 375
    wide = """() => [...document.querySelectorAll('.sl-note, caption, .tools, .path-line, .glance, .box')].filter(
        (each) => each.getBoundingClientRect().right > 376).length"""
    assert sheet.evaluate(wide) == 0


def test_print_has_no_controls_but_the_notice(sheet: Any) -> None:
    sheet.emulate_media(media="print")
    for kind in (".tools", ".path-line", "nav", ".skip"):
        assert sheet.locator(kind).first.is_visible() is False, kind
    assert sheet.locator(".strip").is_visible()
    assert '@bottom-center { content: "SIMULATED DATA' in sheet.locator("style").inner_text()
    assert sheet.locator("caption").first.is_visible()


def test_the_contents_mark_what_is_read(sheet: Any) -> None:
    marked = sheet.locator("nav [aria-current]")
    assert marked.inner_text() == word("status", "en")
    sheet.locator("#structure-heading").scroll_into_view_if_needed()
    sheet.evaluate("document.querySelector('#structure').scrollIntoView()")
    sheet.locator('nav [aria-current][href="#structure"]').wait_for()
    sheet.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    sheet.locator('nav [aria-current][href="#reproduce"]').wait_for()
    assert marked.count() == 1


def test_without_scripts_the_page_is_complete(opened: Open, grouped: Results) -> None:
    text = report(grouped)
    plain = opened(text, java_script_enabled=False)
    assert plain.locator("button, input").count() == 0
    assert plain.locator("svg").count() == sum(name.endswith(".svg") for name in grouped.figures)
    assert plain.locator("caption").count() == text.count("<caption>") > 5
    assert plain.locator("nav a").count() > 10


def test_an_injected_script_does_not_run(sheet: Any) -> None:
    sheet.evaluate(
        """() => { const script = document.createElement("script"); script.textContent = "window.ran = 1";
        const handler = document.createElement("div"); handler.innerHTML = "<b onclick='window.ran = 1'>x</b>";
        document.body.append(script, handler); handler.firstChild.click(); }"""
    )
    assert sheet.evaluate("window.ran") is None
    assert sum("Content Security Policy" in text for text in sheet.said) == 2
    assert len(sheet.asked) == 1


@pytest.mark.parametrize("nasty", [NASTY, "long <b>name " * 77 + "."], ids=["script", "long"])
def test_names_come_out_as_text(opened: Open, grouped: Results, nasty: str) -> None:
    named = escape(nasty)
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><title>{named}</title>'
        f'<g class="node" data-name="{named}"><text class="{named}">{named}</text></g></svg>'
    )
    model = grouped.model
    constructs = tuple(replace(c, label=Wording(f"{c.code} {nasty}", nasty)) for c in model.constructs)
    table = Table("t", nasty, (Column("a", nasty),), ({"a": nasty},), nasty)
    whole = report(replace(grouped, title=nasty, model=replace(model, constructs=constructs), warnings=(nasty,)))
    loose = page(nasty, [Section("a", nasty, (table, Drawing("d", drawing, nasty, nasty)))], lang="en")
    for text in (whole, loose):
        sheet = opened(text)
        sheet.on("dialog", lambda dialog: pytest.fail("a script ran"))
        assert sheet.said == []
        assert sheet.locator("script").count() == 2
        assert sheet.locator("body b:not(.path-line b), img").count() == 0
        assert nasty in sheet.title() + sheet.locator("h1").inner_text()
        assert sheet.evaluate("document.documentElement.scrollWidth") <= 1280
    assert sheet.locator("td, th").all_inner_texts() == [nasty, nasty]
    assert nasty in sheet.locator("figcaption").inner_text()
    assert sheet.locator("svg text").text_content() == sheet.locator("svg title").text_content() == nasty
    assert sheet.locator(".node").get_attribute("data-name") == nasty
    sheet = opened(whole)
    sheet.locator('figure[data-diagram="1"] .edge[data-from="VAL"][data-to="LOY"] .hit').dispatch_event("click")
    said = f"VAL {nasty} → LOY {nasty}"
    assert sheet.locator('figure[data-diagram="1"] .path-line b').inner_text() == " ".join(said.split())


def test_the_same_bytes_in_another_process() -> None:
    script = """
import hashlib
from sem_loyalty.publish.report import report
from sem_loyalty.study import fit_once
print(hashlib.sha256(report(fit_once("iacobucci2009", cov="iacobucci2009", lang="zh")).encode()).hexdigest())
"""
    other = os.environ | {"PYTHONHASHSEED": "77", "TZ": "Asia/Shanghai", "LANG": "C"}
    done = subprocess.run([sys.executable, "-c", script], env=other, capture_output=True, text=True, check=True)
    here = report(fit_once("iacobucci2009", cov="iacobucci2009", lang="zh"))
    assert done.stdout.strip() == hashlib.sha256(here.encode()).hexdigest()
