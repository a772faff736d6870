"""A measurement model of several waves, with the equalities of an invariance step written as labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sem_loyalty.errors import SpecificationError, nearest
from sem_loyalty.model.syntax import ModelText, parse, unparse
from sem_loyalty.model.tokens import write_name

LOADINGS = ("metric", "scalar", "strict")
INTERCEPTS = ("scalar", "strict")


@dataclass(frozen=True, slots=True)
class Waves:
    """Constructs that were measured several times by the same items.

    Attributes
    ----------
    constructs : mapping of str to tuple of str
        The latent variables of a construct, wave by wave.
    items : mapping of str to tuple of str
        Items of every one of these latent variables; the same place is the same item.
    rest : ModelText
        What the model says beside the loadings of these latent variables.
    """

    constructs: Mapping[str, tuple[str, ...]]
    items: Mapping[str, tuple[str, ...]]
    rest: ModelText

    @property
    def construct(self) -> dict[str, str]:
        """Latent variable of every item."""
        return {item: latent for latent, items in self.items.items() for item in items}

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the waves."""
        return tuple(f"wave {k}" for k in range(1, max(map(len, self.constructs.values())) + 1))

    def model(self, step: str, released: Sequence[str]) -> str:
        """Return the model of a step as lavaan text, for unit variances of the latent variables."""
        out = [unparse(self.rest)] if self.rest.statements else []
        written = {frozenset((s.lhs, s.rhs.name)) for s in self.rest.statements if s.op == "~~"}
        for c, latents in enumerate(self.constructs.values(), start=1):
            for wave, latent in enumerate(latents):
                name = write_name(latent)
                for j, item in enumerate(map(write_name, self.items[latent]), start=1):
                    loading = f"load_{c}_{j}*" if step in LOADINGS and f"{latent} =~ {item}" not in released else ""
                    out.append(f"{name} =~ {loading}{item}")
                    level = f"level_{c}_{j}*1" if step in INTERCEPTS and f"{item} ~ 1" not in released else "1"
                    out.append(f"{item} ~ {level}")
                    if step == "strict" and f"{item} ~~ {item}" not in released:
                        out.append(f"{item} ~~ spread_{c}_{j}*{item}")
                if wave and step in LOADINGS:
                    out.append(f"{name} ~~ NA*{name}")
                if wave and step in INTERCEPTS:
                    out.append(f"{name} ~ NA*1")
            # What is peculiar to an item is the same in every wave.
            for same in zip(*(self.items[latent] for latent in latents), strict=True):
                out += [
                    f"{write_name(a)} ~~ {write_name(b)}"
                    for a, b in combinations(same, 2)
                    if frozenset((a, b)) not in written
                ]
        return "\n".join(out)


def waves_of(measurement: ModelText, constructs: Mapping[str, Sequence[str]]) -> Waves:
    """Return the waves of a measurement model.

    Raises
    ------
    SpecificationError
        A latent variable is not in the model or named twice, a construct has one wave, or its waves have different
        numbers of items.
    """
    items: dict[str, list[str]] = {}
    for statement in measurement.statements:
        if statement.op == "=~":
            items.setdefault(statement.lhs, []).append(statement.rhs.name)
    named = [latent for latents in constructs.values() for latent in latents]
    if not named:
        raise SpecificationError("`waves` names no construct; write {'SAT': ('SAT_1', 'SAT_2')}.")
    for construct, latents in constructs.items():
        missing = [latent for latent in latents if latent not in items]
        if missing:
            hint = nearest(missing[0], list(items))
            raise SpecificationError(
                f"`waves` of {construct}: the model has no construct {missing[0]!r}. {hint}".strip()
            )
        if len(latents) < 2:
            raise SpecificationError(f"`waves` of {construct} names {len(latents)} latent variable; give two or more.")
        sizes = {latent: len(items[latent]) for latent in latents}
        if len(set(sizes.values())) > 1:
            listed = ", ".join(f"{latent} {size}" for latent, size in sizes.items())
            raise SpecificationError(
                f"`waves` of {construct}: the latent variables have different numbers of items ({listed}); items are "
                "matched by their place."
            )
    twice = sorted({latent for latent in named if named.count(latent) > 1})
    if twice:
        raise SpecificationError(f"`waves` names {', '.join(twice)} more than once.")
    used = [item for latent in named for item in items[latent]]
    crossed = sorted({item for item in used if sum(item in own for own in items.values()) > 1})
    if crossed:
        raise SpecificationError(
            f"{', '.join(crossed)}: an item of several constructs; `waves` needs items that measure one construct."
        )
    rest = tuple(s for s in measurement.statements if not (s.op == "=~" and s.lhs in named))
    return Waves(
        constructs={construct: tuple(latents) for construct, latents in constructs.items()},
        items={latent: tuple(items[latent]) for latent in named},
        rest=ModelText(rest),
    )


def wave_text(waves: Waves, step: str, released: Sequence[str]) -> ModelText:
    """Return the parsed model of a step."""
    return parse(waves.model(step, released))
