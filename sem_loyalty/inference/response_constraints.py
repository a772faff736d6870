"""What identifies ordinal items whose thresholds, loadings and intercepts are held equal across groups.

Wu and Estabrook (2016, doi:10.1007/s11336-016-9506-0): once thresholds are equal, the latent responses of further
groups have intercepts and scales of their own; equal intercepts identify latent means. Two thresholds determine an
intercept and a scale, so three categories leave nothing to test in the first step; with one threshold (two categories)
threshold, loading and intercept can be tested only together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sem_loyalty.model.tokens import write_name

EQUAL = {
    "configural": (),
    "thresholds": ("thresholds",),
    "metric": ("thresholds", "loadings"),
    "scalar": ("thresholds", "loadings", "intercepts"),
    "strict": ("thresholds", "loadings", "intercepts", "residuals"),
}
BEFORE_INTERCEPTS = ("thresholds", "metric")


@dataclass(frozen=True, slots=True)
class Responses:
    """The latent responses behind the items of a measurement model.

    Attributes
    ----------
    construct : mapping of str to str
        Construct of every item.
    categories : mapping of str to int
        Categories of the ordinal items.
    parameterization : {"delta", "theta"}
    """

    construct: Mapping[str, str]
    categories: Mapping[str, int]
    parameterization: str

    @property
    def binary(self) -> tuple[str, ...]:
        """Items with two categories."""
        return tuple(item for item in self.construct if self.categories.get(item) == 2)

    @property
    def ternary(self) -> tuple[str, ...]:
        """Items with three categories."""
        return tuple(item for item in self.construct if self.categories.get(item) == 3)

    def spared(self, step: str, released: Sequence[str]) -> tuple[str, ...]:
        """Return the parameters that `group_equal` must leave out in a step, as one writes them."""
        out = list(released)
        if step in BEFORE_INTERCEPTS:
            out += [f"{write_name(item)} ~ 1" for item in self.construct]
            out += [f"{write_name(item)} | t1" for item in self.binary]
        if step == "metric":
            out += [f"{write_name(self.construct[item])} =~ {write_name(item)}" for item in self.binary]
        return tuple(dict.fromkeys(out))

    def lines(self, step: str, released: Sequence[str], n_groups: int) -> str:
        """Return the lines of model text that free intercepts, scales, latent means and variances in further groups."""
        if step == "configural":
            return ""
        early = step in BEFORE_INTERCEPTS
        out = []
        for item in self.categories:
            name = write_name(item)
            own_intercept = item not in self.binary if early else f"{name} ~ 1" in released
            if early:
                own_scale = item not in self.binary
            else:
                own_scale = step != "strict" or f"{name} ~~ {name}" in released
            scale = "~~" if self.parameterization == "theta" else "~*~"
            out.append(f"{name} ~ {_fixed(0, own_intercept, n_groups)}*1")
            out.append(f"{name} {scale} {_fixed(1, own_scale, n_groups)}*{name}")
        spared = self.spared(step, released)
        for construct in dict.fromkeys(self.construct.values()):
            name = write_name(construct)
            loadings = [f"{name} =~ {write_name(item)}" for item, own in self.construct.items() if own == construct]
            equal = step != "thresholds" and not set(loadings) <= set(spared)
            out.append(f"{name} ~ {_fixed(0, not early, n_groups)}*1")
            out.append(f"{name} ~~ {_fixed(1, equal, n_groups)}*{name}")
        return "\n".join(out)

    def untestable(self) -> tuple[str, ...]:
        """Return, in sentences, which equalities no step can test on its own."""
        out = []
        if self.ternary:
            out.append(
                f"Three categories ({', '.join(self.ternary)}): equal thresholds cannot be tested, since two of them "
                "only determine the intercept and the scale of the response."
            )
        if self.binary:
            out.append(
                f"Two categories ({', '.join(self.binary)}): threshold, loading and intercept can be tested only "
                "together, so they are held equal from the scalar step on."
            )
        return tuple(out)


def _fixed(value: int, free: bool, n_groups: int) -> str:
    """Return the modifier of a parameter that is fixed in the first group, and free or fixed in the others."""
    return f"c({', '.join([str(value), *(['NA' if free else str(value)] * (n_groups - 1))])})"
