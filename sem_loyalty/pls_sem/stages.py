"""Models in stages: constructs measured by constructs, and products of constructs."""

from __future__ import annotations

from dataclasses import replace

from sem_loyalty.errors import NotSupported, SpecificationError, check_choice
from sem_loyalty.model.syntax import ModelText
from sem_loyalty.pls_sem.path_model import PRODUCT, Draft, PathModel, Source, assemble, draft_of

SECOND_ORDER = ("disjoint", "embedded", "repeated")
INTERACTIONS = ("two-stage", "product-indicator")


def path_model(
    text: ModelText,
    *,
    modes: dict[str, str] | None = None,
    second_order: str = "disjoint",
    interactions: str = "two-stage",
) -> PathModel:
    """Return the path model that a text describes.

    Parameters
    ----------
    text : ModelText
        `=~` measures a construct reflectively (mode A, a common factor behind its items), `<~` forms it from its
        items (mode B, a composite); items may be constructs; `~` are paths, with products `A:B` among the causes.
    modes : dict of str to {"A", "B"}, optional
        Mode by construct, against those defaults. A construct that is a common factor stays one.
    second_order : {"disjoint", "embedded", "repeated"}, default "disjoint"
        How constructs measured by constructs are estimated; see `pls`.
    interactions : {"two-stage", "product-indicator"}, default "two-stage"
        How products of constructs are made; see `pls`.

    Raises
    ------
    SpecificationError
        Loops, a construct without paths or measured twice, a product without its main effects, or a dimension in a
        path.
    NotSupported
        Fixed or equal parameters, intercepts, constraints, third-order constructs.
    ConfigurationError
        `modes` names no construct, or an option does not exist.
    """
    check_choice("second_order", second_order, SECOND_ORDER)
    check_choice("interactions", interactions, INTERACTIONS)
    draft, notes = draft_of(text, modes)
    terms = tuple((cause, outcome) for cause, outcome in draft.paths if PRODUCT in cause)
    _check_products(draft, terms)
    plain = replace(draft, paths=tuple(pair for pair in draft.paths if PRODUCT not in pair[0]))
    if terms and interactions == "product-indicator":
        if draft.higher:
            raise NotSupported("Product indicators of second-order constructs are not available; use 'two-stage'.")
        return _with_product_indicators(plain, terms, notes)
    base = _second_order(plain, notes, second_order) if plain.higher else assemble(plain, notes)
    return _with_products(base, terms) if terms else base


def _check_products(draft: Draft, terms: tuple[tuple[str, str], ...]) -> None:
    for cause, outcome in terms:
        parts = cause.split(PRODUCT)
        if len(parts) != 2:
            raise NotSupported(f"{cause}: products of two constructs are available, not of {len(parts)}.")
        absent = [part for part in dict.fromkeys(parts) if (part, outcome) not in draft.paths]
        if absent:
            raise SpecificationError(
                f"{outcome} ~ {cause} needs the main effects of both, or the product stands for them too: add "
                f"{outcome} ~ {' + '.join(absent)}."
            )


def _check_second_order(draft: Draft) -> dict[str, tuple[str, ...]]:
    """Return the dimensions of every second-order construct, after checks."""
    dimensions = {name: draft.blocks[name] for name in draft.higher}
    for name, own in dimensions.items():
        items = [item for item in own if item not in draft.blocks]
        if items:
            raise NotSupported(f"{name} is measured by constructs and by items ({', '.join(items)}); choose one.")
        deeper = [one for one in own if one in dimensions]
        if deeper:
            raise NotSupported(
                f"{name} is measured by {deeper[0]}, which is of second order itself: two orders at most."
            )
        placed = [one for one in own if any(one in pair for pair in draft.paths)]
        if placed:
            raise SpecificationError(
                f"{placed[0]} is a dimension of {name} and stands in a path. Let the path lead to or from {name}."
            )
    return dimensions


def _repeated(draft: Draft, dimensions: dict[str, tuple[str, ...]]) -> Draft:
    """Return the draft in which a second-order construct takes the items of its dimensions."""
    blocks = {
        name: tuple(item for one in dimensions[name] for item in draft.blocks[one]) if name in dimensions else own
        for name, own in draft.blocks.items()
    }
    paths = list(draft.paths)
    for name, own in dimensions.items():
        paths += [(one, name) if name in draft.formed else (name, one) for one in own]
    return replace(draft, blocks=blocks, paths=tuple(paths))


def _second_order(draft: Draft, notes: tuple[str, ...], method: str) -> PathModel:
    dimensions = _check_second_order(draft)
    higher = frozenset(dimensions)
    if method != "disjoint":
        driven = [name for name in higher & draft.formed if any(outcome == name for _, outcome in draft.paths)]
        if driven and method == "repeated":
            raise NotSupported(
                f"{driven[0]} is formed by its dimensions, which explain it completely with repeated indicators: other "
                "causes get paths of zero. Use second_order='disjoint' or 'embedded'."
            )
        first = assemble(_repeated(draft, dimensions), notes, composites=higher)
        if method == "repeated":
            return first
    else:
        swap = {name: dimensions.get(name, (name,)) for name in draft.blocks}
        paths = tuple((c, o) for cause, outcome in draft.paths for c in swap[cause] for o in swap[outcome])
        blocks = {name: own for name, own in draft.blocks.items() if name not in higher}
        first = assemble(replace(draft, blocks=blocks, paths=paths), notes)
    lower = frozenset(one for own in dimensions.values() for one in own)
    sources: dict[str, Source] = {}
    kept: dict[str, tuple[str, ...]] = {}
    for name, own in draft.blocks.items():
        if name in lower:
            continue
        if name in higher:
            kept[name] = own
            sources |= {one: Source((first.constructs.index(one),)) for one in own}
        elif method == "embedded":
            kept[name] = (name,)
            sources[name] = Source((first.constructs.index(name),))
        else:
            kept[name] = own
            sources |= {item: Source(item=first.items.index(item)) for item in own}
    return assemble(replace(draft, blocks=kept), notes, first=first, sources=sources)


def _with_products(base: PathModel, terms: tuple[tuple[str, str], ...]) -> PathModel:
    """Return the stage in which every construct is its composite and products of composites join them."""
    names = (*base.constructs, *dict.fromkeys(cause for cause, _ in terms))
    pairs = [(base.constructs[j], base.constructs[i]) for j in range(base.design.size) for i in _effects(base, j)]
    sources = {}
    for name in names:
        parts = name.split(PRODUCT) if name not in base.constructs else [name]
        sources[name] = Source(tuple(base.constructs.index(part) for part in parts))
    draft = Draft({name: (name,) for name in names}, frozenset(), dict.fromkeys(names, "A"), (*pairs, *terms))
    return assemble(draft, base.notes, first=base, sources=sources)


def _effects(model: PathModel, cause: int) -> list[int]:
    return [i for i in range(model.design.size) if model.design.path[i, cause]]


def _with_product_indicators(draft: Draft, terms: tuple[tuple[str, str], ...], notes: tuple[str, ...]) -> PathModel:
    """Return the model in which products are constructs of mode A measured by all products of items."""
    blocks, modes = dict(draft.blocks), dict(draft.modes)
    for term in dict.fromkeys(cause for cause, _ in terms):
        left, right = (draft.blocks[part] for part in term.split(PRODUCT))
        made = [a + PRODUCT + b for a in left for b in right]
        if left == right:
            made = [a + PRODUCT + b for k, a in enumerate(left) for b in left[k:]]
        blocks[term], modes[term] = tuple(made), "A"
    joined = replace(draft, blocks=blocks, modes=modes, paths=(*draft.paths, *terms))
    return assemble(joined, notes, composites=frozenset(cause for cause, _ in terms))
