"""Nothing in a diagram touches anything else, whatever the model: at least fifty random ones, as theses hold them."""

import numpy as np
import pytest

from sem_loyalty.publish.diagram.conflicts import conflicts
from sem_loyalty.publish.diagram.drawing import draw
from sem_loyalty.publish.diagram.graph import Diagram, Edge, Node

SMALLEST_TYPE = 6.5
# Models of which each takes seconds to lay out; they are drawn with the slow tests.
LARGE = (6, 20, 37, 39, 42, 50)
SEEDS = tuple(seed for seed in range(58) if seed not in LARGE)
ENGLISH = (
    "Service quality", "Perceived value", "Trust", "Customer satisfaction", "Brand image", "Switching costs",
    "Commitment", "Word of mouth", "Loyalty", "Corporate social responsibility", "Customer relationship management",
    "Perceived behavioural control over repurchase", "Attractiveness of alternatives", "E-commerce experience",
)  # fmt: skip
CHINESE = (
    "服务质量", "感知价值", "信任", "顾客满意度", "品牌形象", "转换成本", "承诺", "口碑传播意愿", "顾客忠诚",
    "企业社会责任感知", "客户关系管理水平", "对重复购买行为的感知控制", "替代品吸引力", "电子商务使用体验",
)  # fmt: skip
NOTES = {
    "en": "Note. Standardised ML estimates, N = 300. Dashed grey = not significant. * p < .05, *** p < .001.",
    "zh": "注：ML 标准化估计，N = 300。虚线表示不显著。* p < 0.05，** p < 0.01，*** p < 0.001。",
}


def random_diagram(seed: int) -> Diagram:
    """Return a model of 4 to 9 latents, 4 to 14 paths and 2 to 6 items each, by a seed.

    Every third has covariances, every fourth a second-order factor, every fourth moderations, every fifth observed
    covariates; half have Chinese labels; some print intervals or p values, draw residuals or leave the items out.
    """
    rng = np.random.default_rng([20261122, seed])
    lang = "zh" if seed % 2 else "en"
    labels = rng.permutation(CHINESE if lang == "zh" else ENGLISH).tolist()
    count = int(rng.integers(4, 10))
    names = [f"F{at}" for at in range(count)]
    dimensions = int(rng.integers(2, 4)) if seed % 4 == 1 and count >= 6 else 0
    # The first constructs are free of causes; the last ones are the dimensions of a second-order factor.
    structural = count - dimensions
    free = int(rng.integers(1, 4))
    nodes: list[Node] = []
    edges: list[Edge] = []

    def value() -> tuple[float, float]:
        return float(rng.uniform(-0.6, 0.95)), float(rng.choice([0.0001, 0.004, 0.03, 0.4]))

    def full(source: str, target: str, kind: str, **more: str) -> Edge:
        number, p = value()
        return Edge(source, target, kind, number, p, se=0.06, interval=(number - 0.12, number + 0.12), **more)

    for at, name in enumerate(names):
        second_order = bool(dimensions) and at == free
        explained = at >= free
        nodes.append(Node(name, labels[at], "latent", float(rng.uniform(0.1, 0.8)) if explained else None))
        if second_order:
            continue
        items = int(rng.integers(2, 7))
        for item in range(1, items + 1):
            nodes.append(Node(f"{name}I{item}", f"{'abcdefghi'[at]}q{item}", "observed"))
            edges.append(Edge(name, f"{name}I{item}", "loading", float(rng.uniform(0.4, 0.97)), 0.0001))
    if dimensions:
        edges += [
            Edge(names[free], name, "loading", float(rng.uniform(0.5, 0.9)), 0.0001) for name in names[structural:]
        ]
    pairs = [(a, b) for b in range(free, structural) for a in range(b)]
    wanted = min(int(rng.integers(4, 15)), len(pairs))
    # Every explained construct has a cause; the other paths are drawn at random.
    chosen = {(int(rng.integers(0, b)), b) for b in range(free, structural)}
    for at in rng.permutation(len(pairs)):
        if len(chosen) >= wanted:
            break
        chosen.add(pairs[at])
    edges += [full(names[a], names[b], "path") for a, b in sorted(chosen)]
    if seed % 3 == 0:
        edges += [full(names[a], names[b], "covariance") for a in range(free) for b in range(a + 1, free)]
        apart = [(a, b) for a, b in pairs if (a, b) not in chosen and a >= free]
        edges += [full(names[a], names[b], "covariance") for a, b in apart[:1]]
    if seed % 4 == 2:
        for a, b in sorted(chosen)[-2:]:
            moderators = [at for at in range(b) if at != a]
            if moderators:
                edges.append(full(names[int(rng.choice(moderators))], names[b], "moderation", moderates=names[a]))
    if seed % 5 == 4:
        for at, label in enumerate(("Age", "Gender") if lang == "en" else ("年龄", "性别")):
            nodes.append(Node(f"x{at}", label, "observed"))
            edges.append(full(f"x{at}", names[structural - 1], "path"))
    show = {5: ("std", "ci"), 6: ("std", "stars", "se"), 7: ("std", "p")}.get(seed % 8, ("std", "stars"))
    return Diagram(
        tuple(nodes),
        tuple(edges),
        NOTES[lang],
        lang,
        show=show,
        items=seed % 11 != 10,
        residuals=seed % 6 == 3,
    )


def check(seed: int) -> None:
    scene = draw(random_diagram(seed)).scene
    assert conflicts(scene) == ()
    assert min(text.size for text in scene.texts) >= SMALLEST_TYPE


# A few models of nine constructs with long names are wider than a page with type of 6.5 points: a warning says so.
@pytest.mark.filterwarnings("ignore:The diagram is .* mm wide:sem_loyalty.errors.DataWarning")
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_touches_in_random_models(seed: int) -> None:
    check(seed)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The diagram is .* mm wide:sem_loyalty.errors.DataWarning")
@pytest.mark.parametrize("seed", [*LARGE, *range(58, 200)])
def test_nothing_touches_in_more_random_models(seed: int) -> None:
    check(seed)


def test_random_models_hold_what_they_promise() -> None:
    diagrams = [random_diagram(seed) for seed in SEEDS]
    kinds = [{edge.kind for edge in diagram.edges} for diagram in diagrams]
    assert sum("covariance" in kind for kind in kinds) >= 10
    assert sum("moderation" in kind for kind in kinds) >= 10
    latent = [{node.name for node in diagram.nodes if node.kind == "latent"} for diagram in diagrams]
    second = [
        any(edge.kind == "loading" and edge.target in names for edge in diagram.edges)
        for diagram, names in zip(diagrams, latent, strict=True)
    ]
    assert sum(second) >= 5
    assert {4, 9} <= {len(names) for names in latent}
    assert {diagram.lang for diagram in diagrams} == {"en", "zh"}
