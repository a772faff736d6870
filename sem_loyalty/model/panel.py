"""`panel_syntax`: models of several waves, written as lavaan text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from sem_loyalty.errors import SpecificationError, check_choice
from sem_loyalty.model.tokens import write_name

KINDS = ("clpm", "riclpm", "growth")
EQUAL = ("autoregressive", "cross_lagged")


@dataclass(frozen=True, slots=True)
class _Panel:
    """Names of a panel.

    Attributes
    ----------
    waves : tuple of str
    variables : tuple of str
    items : mapping of str to tuple of str
        Stems of the items of variables that are latent.
    equal : tuple of str
        Lagged effects that are the same between all waves.
    times : tuple of float
    """

    waves: tuple[str, ...]
    variables: tuple[str, ...]
    items: Mapping[str, tuple[str, ...]]
    equal: tuple[str, ...]
    times: tuple[float, ...]

    def at(self, variable: str, wave: str, prefix: str = "") -> str:
        """Return the name of a variable in a wave."""
        return write_name(f"{prefix}{variable}_{wave}")

    def measurement(self, *, intercepts: bool) -> list[str]:
        """Return loadings that are equal over waves, and residuals of the same item that correlate."""
        out = []
        for variable, stems in self.items.items():
            for wave in self.waves:
                terms = [
                    f"1*{self.at(stem, wave)}"
                    if j == 0
                    else f"{write_name(f'{variable}_l{j + 1}')}*{self.at(stem, wave)}"
                    for j, stem in enumerate(stems)
                ]
                out.append(f"{self.at(variable, wave)} =~ {' + '.join(terms)}")
                for j, stem in enumerate(stems if intercepts else ()):
                    level = write_name(f"{variable}_i{j + 1}") if j else "0"
                    out.append(f"{self.at(stem, wave)} ~ {level}*1")
            for stem in stems:
                for k, wave in enumerate(self.waves[:-1], start=1):
                    later = " + ".join(self.at(stem, other) for other in self.waves[k:])
                    out.append(f"{self.at(stem, wave)} ~~ {later}")
        return out

    def lagged(self, prefix: str = "") -> list[str]:
        """Return the effects of every wave on the next, and what is left of a wave in common."""
        out = []
        for before, after in pairwise(self.waves):
            for outcome in self.variables:
                terms = [self._effect(outcome, cause) + self.at(cause, before, prefix) for cause in self.variables]
                out.append(f"{self.at(outcome, after, prefix)} ~ {' + '.join(terms)}")
            out += self.together(after, prefix)
        return out

    def together(self, wave: str, prefix: str = "") -> list[str]:
        """Return the covariances of one wave."""
        return [f"{self.at(a, wave, prefix)} ~~ {self.at(b, wave, prefix)}" for a, b in combinations(self.variables, 2)]

    def _effect(self, outcome: str, cause: str) -> str:
        """Return the label of a lagged effect that is equal over waves, with its star."""
        if outcome == cause:
            return f"{write_name(f'ar_{outcome}')}*" if "autoregressive" in self.equal else ""
        return f"{write_name(f'cl_{outcome}_{cause}')}*" if "cross_lagged" in self.equal else ""


def panel_syntax(
    waves: int | Sequence[object],
    variables: Sequence[str] | str,
    kind: str = "clpm",
    *,
    items: Mapping[str, Sequence[str]] | None = None,
    equal: Sequence[str] | str = (),
    times: Sequence[float] | None = None,
) -> str:
    """Write the model of a panel as lavaan text.

    Parameters
    ----------
    waves : int or sequence
        Number of waves, or their names: variable "SAT" is the column "SAT_1" in wave 1.
    variables : sequence of str
        What is followed over time: columns, or constructs where `items` has them.
    kind : {"clpm", "riclpm", "growth"}, default "clpm"
        Cross-lagged panel: every variable is explained by all of the wave before. The same with random intercepts:
        stable differences between respondents (`RI_SAT`) are taken out, and the lagged effects are between the
        deviations (`W_SAT_1`, ...) of a respondent from his own level. Linear growth: a level (`LEVEL_SAT`) and a slope
        (`SLOPE_SAT`) for every variable.
    items : mapping of str to sequence of str, optional
        Stems of the items of a construct: "sat1" is the column "sat1_1" in wave 1. Loadings are equal over waves, and
        residuals of the same item correlate; with "growth", intercepts are equal too.
    equal : sequence of {"autoregressive", "cross_lagged"}, default ()
        Lagged effects that are the same between all waves.
    times : sequence of float, optional
        When the waves took place, for "growth"; 0, 1, 2, ... by default.

    Returns
    -------
    str
        For `fit`, or for lavaan's `sem()`; text to be read and edited. Fit "riclpm" with `meanstructure=True` where
        answers are missing or means are of interest: they are free.

    Raises
    ------
    ConfigurationError
        An unknown kind or equality.
    SpecificationError
        Too few waves (two for "clpm", three for the others) or variables, names that occur twice, `times` of another
        length or not increasing, arguments that the kind does not have.

    Notes
    -----
    Effects of the cross-lagged panel mix differences between respondents with change within them; random intercepts
    tell these apart (Hamaker, Kuiper and Grasman 2015).

    References
    ----------
    Hamaker, E. L., Kuiper, R. M. and Grasman, R. P. P. P. (2015). A critique of the cross-lagged panel model.
    Psychological Methods, 20, 102-116. doi:10.1037/a0038889

    Examples
    --------
    >>> import sem_loyalty as sl
    >>> print(sl.panel_syntax(2, ("SAT", "LOY")))
    SAT_2 ~ SAT_1 + LOY_1
    LOY_2 ~ SAT_1 + LOY_1
    SAT_2 ~~ LOY_2
    <BLANKLINE>
    """
    check_choice("kind", kind, KINDS)
    panel = _panel(waves, variables, kind, items or {}, equal, times)
    if kind == "clpm":
        latent = set(panel.variables) <= set(panel.items)
        out = [
            *panel.measurement(intercepts=False),
            *(panel.together(panel.waves[0]) if latent else ()),
            *panel.lagged(),
        ]
    elif kind == "riclpm":
        out = [*panel.measurement(intercepts=False), *_random_intercepts(panel), *panel.lagged("W_")]
    else:
        out = [*panel.measurement(intercepts=True), *_growth(panel)]
    return "\n".join(out) + "\n"


def _random_intercepts(panel: _Panel) -> list[str]:
    """Return the split of every variable into what is stable and what is of the wave."""
    out = []
    for variable in panel.variables:
        stable = " + ".join(f"1*{panel.at(variable, wave)}" for wave in panel.waves)
        out.append(f"{write_name(f'RI_{variable}')} =~ {stable}")
        out += [f"{panel.at(variable, wave, 'W_')} =~ 1*{panel.at(variable, wave)}" for wave in panel.waves]
        # Both parts together are the whole variable.
        out += [f"{panel.at(variable, wave)} ~~ 0*{panel.at(variable, wave)}" for wave in panel.waves]
    names = [write_name(f"RI_{variable}") for variable in panel.variables]
    out += [f"{a} ~~ {b}" for a, b in combinations(names, 2)]
    first = " + ".join(f"0*{panel.at(variable, panel.waves[0], 'W_')}" for variable in panel.variables)
    out += [f"{name} ~~ {first}" for name in names]
    return [*out, *panel.together(panel.waves[0], "W_")]


def _growth(panel: _Panel) -> list[str]:
    """Return the levels and slopes."""
    out, latent = [], []
    for variable in panel.variables:
        own = [panel.at(variable, wave) for wave in panel.waves]
        level, slope = write_name(f"LEVEL_{variable}"), write_name(f"SLOPE_{variable}")
        out.append(f"{level} =~ {' + '.join(f'1*{name}' for name in own)}")
        out.append(f"{slope} =~ {' + '.join(f'{t:.15g}*{name}' for t, name in zip(panel.times, own, strict=True))}")
        out += [f"{level} ~ 1", f"{slope} ~ 1"]
        if variable not in panel.items:
            out += [f"{name} ~ 0*1" for name in own]
        latent += [level, slope]
    return [*out, *(f"{a} ~~ {b}" for a, b in combinations(latent, 2))]


def _panel(
    waves: int | Sequence[object],
    variables: Sequence[str] | str,
    kind: str,
    items: Mapping[str, Sequence[str]],
    equal: Sequence[str] | str,
    times: Sequence[float] | None,
) -> _Panel:
    """Return the names, or raise where they make no panel."""
    named = tuple(str(k) for k in range(1, waves + 1)) if isinstance(waves, int) else tuple(map(str, waves))
    chosen = (variables,) if isinstance(variables, str) else tuple(variables)
    held = (equal,) if isinstance(equal, str) else tuple(equal)
    for name in held:
        check_choice("equal", name, EQUAL)
    least = 2 if kind == "clpm" else 3
    if len(named) < least:
        raise SpecificationError(f"kind={kind!r} needs {least} waves or more; there are {len(named)}.")
    if not chosen:
        raise SpecificationError("`variables` names nothing to follow over time.")
    for what, names in (("waves", named), ("variables", chosen)):
        if len(set(names)) < len(names):
            raise SpecificationError(f"`{what}` has a name twice: {', '.join(names)}.")
    unknown = sorted(set(items) - set(chosen))
    if unknown:
        raise SpecificationError(f"`items` has {', '.join(unknown)}, which `variables` does not name.")
    if any(len(stems) < 2 for stems in items.values()):
        raise SpecificationError(
            "`items` of a construct are two or more; leave out a variable that is a column itself."
        )
    if kind == "growth" and held:
        raise SpecificationError("`equal` is about lagged effects, which kind='growth' does not have.")
    if kind != "growth" and times is not None:
        raise SpecificationError(f"`times` is for kind='growth'; kind={kind!r} has effects from wave to wave.")
    when = tuple(map(float, times if times is not None else range(len(named))))
    if len(when) != len(named) or any(b <= a for a, b in pairwise(when)):
        raise SpecificationError(f"`times` must be {len(named)} increasing numbers, one for each wave.")
    stems = {name: tuple(items[name]) for name in chosen if name in items}
    return _Panel(named, chosen, stems, held, when)
