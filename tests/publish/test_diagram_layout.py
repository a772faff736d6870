"""Pins and sides are obeyed, unusual ties touch nothing, and the same model gives the same bytes."""

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.publish.diagram.composition import shortened
from sem_loyalty.publish.diagram.conflicts import conflicts
from sem_loyalty.publish.diagram.drawing import Drawing, draw
from sem_loyalty.publish.diagram.graph import Diagram, Edge, Node


def measured(name: str, label: str, count: int, prefix: str) -> tuple[list[Node], list[Edge]]:
    nodes = [Node(name, label), *(Node(f"{prefix}{at}", f"{prefix}{at}", "observed") for at in range(1, count + 1))]
    return nodes, [Edge(name, node.name, "loading", 0.7, 0.0001) for node in nodes[1:]]


def core(extra: tuple[Edge, ...] = ()) -> Diagram:
    nodes: list[Node] = []
    edges: list[Edge] = []
    for name, label, count in (
        ("SQ", "Service quality", 4),
        ("PV", "Perceived value", 3),
        ("SA", "Customer satisfaction", 3),
        ("LO", "Customer loyalty", 4),
    ):
        found = measured(name, label, count, name.lower())
        nodes += found[0]
        edges += found[1]
    paths = (("SQ", "PV", 0.65), ("SQ", "SA", 0.41), ("PV", "SA", 0.44), ("SA", "LO", 0.55), ("PV", "LO", 0.09))
    edges += [Edge(a, b, "path", value, 0.0001 if value > 0.1 else 0.3) for a, b, value in paths]
    return Diagram(tuple(nodes), (*edges, *extra), "Note. N = 250.")


@cache
def core_drawing() -> Drawing:
    return draw(core())


def middle(diagram_scene, name: str) -> tuple[float, float]:
    shape = next(shape for shape in diagram_scene.shapes if shape.node == name)
    return shape.x, shape.y


def test_causes_stand_left_of_outcomes() -> None:
    scene = core_drawing().scene
    assert middle(scene, "SQ")[0] < middle(scene, "LO")[0]


def test_pinned_constructs_stay_where_they_are_put() -> None:
    pins = {"SQ": (4, 0), "PV": (0, 0), "SA": (2, 4), "LO": (0, 4)}
    scene = draw(core(), layout=pins).scene
    at = {name: middle(scene, name) for name in pins}
    assert at["PV"][0] == at["LO"][0] < at["SA"][0] < at["SQ"][0]
    assert at["PV"][1] == at["SQ"][1] < at["SA"][1] == at["LO"][1]
    assert conflicts(scene) == ()


def test_one_pin_leaves_the_others_free() -> None:
    scene = draw(core(), layout={"LO": (0, 0)}).scene
    assert conflicts(scene) == ()
    assert middle(scene, "LO")[0] == min(middle(scene, name)[0] for name in ("SQ", "PV", "SA", "LO"))


def test_indicators_stand_on_the_sides_asked_for() -> None:
    sides = {"SQ": "W", "PV": "N", "SA": "S", "LO": "E"}
    scene = draw(core(), sides=sides).scene
    assert conflicts(scene) == ()
    for name, side in sides.items():
        axis, sign = {"W": (0, -1), "E": (0, 1), "N": (1, -1), "S": (1, 1)}[side]
        home = middle(scene, name)[axis]
        assert all(sign * (middle(scene, f"{name.lower()}{at}")[axis] - home) > 20 for at in (1, 2, 3))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"layout": {"XX": (0, 0)}}, "'XX', which is not in the diagram"),
        ({"layout": {"sq1": (0, 0)}}, "place its construct 'SQ'"),
        ({"layout": {"SQ": (0, 0), "PV": (1, 1)}}, "on top of 'SQ'"),
        ({"layout": {"SQ": (0.5, 0)}}, "whole half steps"),
        ({"layout": {"SQ": (0, 99)}}, "whole half steps"),
        ({"sides": {"SQ": "left"}}, "'W', 'E', 'N', 'S'"),
        ({"sides": {"LOY": "W"}}, "not in the diagram"),
        ({"width_mm": 10}, "too small"),
    ],
)
def test_pins_that_cannot_be_are_refused(arguments, said: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        draw(core(), **arguments)


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param((Edge("SA", "LO", "covariance", 0.2, 0.01),), id="residual covariance beside a path"),
        pytest.param((Edge("LO", "SA", "path", 0.2, 0.01),), id="reciprocal paths"),
        pytest.param((Edge("PV", "sa2", "loading", 0.2, 0.01),), id="cross loading"),
    ],
)
def test_unusual_ties_touch_nothing(extra: tuple[Edge, ...]) -> None:
    scene = draw(core(extra)).scene
    assert conflicts(scene) == ()
    assert sum(curve.kind == extra[0].kind for curve in scene.curves) >= 1


def test_ties_that_join_the_same_pair_part() -> None:
    scene = draw(core((Edge("LO", "SA", "path", 0.2, 0.01),))).scene
    bent = [curve for curve in scene.curves if {curve.source, curve.target} == {"SA", "LO"}]
    assert len(bent) == 2
    assert not any(curve.straight for curve in bent)


def test_growth_model_with_shared_indicators_is_clean() -> None:
    times = [f"t{at}" for at in range(1, 5)]
    nodes = (Node("i", "Intercept"), Node("s", "Slope"), *(Node(time, time, "observed") for time in times))
    edges = (
        *(Edge("i", time, "loading", 1.0) for time in times),
        *(Edge("s", time, "loading", float(at)) for at, time in enumerate(times)),
        Edge("i", "s", "covariance", -0.2, 0.01),
    )
    scene = draw(Diagram(nodes, edges)).scene
    assert conflicts(scene) == ()
    assert len(scene.curves) == 9


def test_second_order_factor_is_a_construct_without_boxes() -> None:
    nodes: list[Node] = [Node("L", "Loyalty")]
    edges: list[Edge] = []
    for name, label in (("A", "Attitudinal loyalty"), ("B", "Behavioural loyalty"), ("C", "Cognitive loyalty")):
        found = measured(name, label, 3, name.lower())
        nodes += found[0]
        edges += [Edge("L", name, "loading", 0.8, 0.0001), *found[1]]
    scene = draw(Diagram(tuple(nodes), tuple(edges))).scene
    assert conflicts(scene) == ()
    assert all(middle(scene, "L")[0] < middle(scene, name)[0] for name in "ABC")


def test_path_model_of_observed_variables_has_boxes_alone() -> None:
    nodes = tuple(Node(name, name, "observed") for name in ("Price", "Quality", "Satisfaction", "Loyalty"))
    edges = (
        Edge("Price", "Satisfaction", "path", -0.2, 0.001),
        Edge("Quality", "Satisfaction", "path", 0.5, 0.001),
        Edge("Satisfaction", "Loyalty", "path", 0.6, 0.001),
        Edge("Price", "Quality", "covariance", 0.3, 0.01),
    )
    scene = draw(Diagram(nodes, edges)).scene
    assert conflicts(scene) == ()
    assert not any(shape.round for shape in scene.shapes)


@pytest.mark.parametrize("count", [2, 4, 7, pytest.param(10, marks=pytest.mark.slow)])
def test_measurement_model_is_one_column_with_arcs_on_the_right(count: int) -> None:
    nodes: list[Node] = []
    edges: list[Edge] = []
    names = [f"F{at}" for at in range(count)]
    for name in names:
        found = measured(name, f"Factor {name[1:]}", 3, name.lower() + "x")
        nodes += found[0]
        edges += found[1]
    edges += [Edge(a, b, "covariance", 0.4, 0.001) for at, a in enumerate(names) for b in names[at + 1 :]]
    scene = draw(Diagram(tuple(nodes), tuple(edges))).scene
    assert conflicts(scene) == ()
    x = {middle(scene, name)[0] for name in names}
    assert len(x) == 1
    arcs = [curve for curve in scene.curves if curve.kind == "covariance"]
    assert len(arcs) == count * (count - 1) // 2
    assert all(len(curve.arrows) == 2 and curve.points[1][0] > max(x) for curve in arcs)
    for curve in arcs:
        # Lines end inside their arrowheads: no gap, no line across a tip.
        ends = shortened(curve)
        for end, head in ((ends[3], curve.arrows[0]), (ends[0], curve.arrows[1])):
            tip, base = np.array(head.points[0]), np.mean(head.points[1:], axis=0)
            assert 0.5 < np.hypot(*(tip - end)) / np.hypot(*(tip - base)) < 1.0
    ports = [point for curve in arcs for point in (curve.points[0], curve.points[3])]
    assert len(set(ports)) == len(ports)


def exogenous(count: int) -> Diagram:
    causes = [f"X{at}" for at in range(count)]
    nodes = (*(Node(name, name) for name in causes), Node("Y", "Y"))
    arcs = [Edge(a, b, "covariance", 0.3, 0.01) for at, a in enumerate(causes) for b in causes[at + 1 :]]
    return Diagram(nodes, (*(Edge(name, "Y", "path", 0.3, 0.01) for name in causes), *arcs))


def test_few_exogenous_covariances_are_drawn_and_many_are_owned_up_to() -> None:
    few, many = draw(exogenous(3)).scene, draw(exogenous(4)).scene
    assert sum(curve.kind == "covariance" for curve in few.curves) == 3
    assert conflicts(few) == ()
    assert not any(curve.kind == "covariance" for curve in many.curves)
    assert "omitted" in " ".join(text.content for text in many.texts if text.role == "note")


def test_checker_finds_what_touches() -> None:
    scene = core_drawing().scene
    ellipse = next(shape for shape in scene.shapes if shape.node == "SQ")
    number = next(text for text in scene.texts if text.role == "coefficient")
    moved = tuple(
        replace(text, x=ellipse.x, y=ellipse.y + ellipse.ry) if text is number else text for text in scene.texts
    )
    assert "label on node" in {conflict.kind for conflict in conflicts(replace(scene, texts=moved))}
    shapes = tuple(
        replace(shape, x=ellipse.x + 5, y=ellipse.y) if shape.node == "LO" else shape for shape in scene.shapes
    )
    kinds = {conflict.kind for conflict in conflicts(replace(scene, shapes=shapes))}
    assert {"node on node", "text outside node"} <= kinds
    path = next(curve for curve in scene.curves if curve.kind == "path" and "LO" not in (curve.source, curve.target))
    across = ((0.0, ellipse.y), (10.0, ellipse.y), (20.0, ellipse.y), (scene.width, ellipse.y))
    curves = tuple(
        replace(curve, points=across, source="", target="") if curve is path else curve for curve in scene.curves
    )
    kinds = {conflict.kind for conflict in conflicts(replace(scene, curves=curves))}
    assert {"edge through node", "label on edge"} <= kinds


SCRIPT = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from test_diagram_layout import core
from test_diagram_models import random_diagram
from sem_loyalty.publish.diagram.drawing import draw
for diagram in (core(), random_diagram(3)):
    drawing = draw(diagram)
    for data in (drawing.svg().encode(), drawing.pdf(), drawing.png(100)):
        print(hashlib.sha256(data).hexdigest())
"""


@pytest.mark.slow
def test_same_bytes_whatever_the_hash_seed_locale_and_thread_count(tmp_path: Path) -> None:
    said = []
    for hash_seed, locale, zone, threads in (("0", "C", "UTC", "1"), ("4242", "C.UTF-8", "Asia/Shanghai", "2")):
        (tmp_path / "matplotlibrc").write_text("path.simplify: False\npdf.fonttype: 3\ntext.usetex: False\n")
        environment = {
            **os.environ,
            "PYTHONHASHSEED": hash_seed,
            "LC_ALL": locale,
            "TZ": zone,
            "OPENBLAS_NUM_THREADS": threads,
        }
        if hash_seed == "4242":
            environment["MATPLOTLIBRC"] = str(tmp_path / "matplotlibrc")
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(Path(__file__).parent)],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        said.append(done.stdout.split())
    assert len(said[0]) == 6
    assert said[0] == said[1]


def test_svg_is_the_same_in_another_process_with_another_hash_seed() -> None:
    script = SCRIPT.replace("(core(), random_diagram(3))", "(core(),)").replace(
        "(drawing.svg().encode(), drawing.pdf(), drawing.png(100))", "(drawing.svg().encode(),)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "99"},
        check=True,
    )
    assert done.stdout.split() == [hashlib.sha256(core_drawing().svg().encode()).hexdigest()]


def test_a_seed_changes_nothing_but_the_search() -> None:
    first, again, other = core_drawing().svg(), draw(core(), seed=1).svg(), draw(core(), seed=2)
    assert first == again
    assert conflicts(other.scene) == ()
