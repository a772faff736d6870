"""The settings of a study on its hypotheses: effects, rivals, groups, robustness, method bias."""

from __future__ import annotations

from dataclasses import dataclass

from sem_loyalty.publish.setting_fields import at_least, one_of

# As inference.robustness and inference.invariance have them; a test holds them equal.
LIKELIHOOD = ("ML", "MLM", "MLMV", "MLR")
RULES = ("chen2007", "cheung2002", "test")


@dataclass(frozen=True, slots=True)
class EffectChoice:
    """Section [effects]: direct, indirect and total effects, and the kind of mediation.

    Attributes
    ----------
    run : bool
        Without effect on a model that has no indirect effects.
    """

    run: bool = True


@dataclass(frozen=True, slots=True)
class RivalChoice:
    """Section [rivals]: the model against the rivals that its description brings.

    Attributes
    ----------
    run : bool
    ids : tuple of str
        Which rivals; () is all of them.
    """

    run: bool = False
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InvarianceChoice:
    """Section [invariance]: whether groups answer alike, and whether their paths differ.

    Attributes
    ----------
    group : str
        Column with the groups; "" leaves the section out.
    rule : {"chen2007", "cheung2002", "test"}
        What lets a step stand.
    partial : bool
        Whether to release equalities one by one where a step fails.
    paths : bool
        Whether to compare the paths, where loadings are equal.
    """

    group: str = ""
    rule: str = one_of("chen2007", *RULES)
    partial: bool = True
    paths: bool = True


@dataclass(frozen=True, slots=True)
class RobustnessChoice:
    """Section [robustness]: the hypotheses under other defensible choices.

    Attributes
    ----------
    run : bool
    estimators : tuple of {"ML", "MLM", "MLMV", "MLR"}
        Besides that of [model].
    missing : tuple of {"listwise", "fiml"}
        Besides that of [model].
    screening : bool
        Whether each rule of [screen.rules] is also left off.
    outliers : bool
        Whether outliers (Mahalanobis p < .001) are also left out.
    drop_items : bool
        Whether each item is also left out.
    controls : tuple of str
        Columns that are also controlled for.
    most : int
        Largest number of specifications.
    workers : int
        Processes.
    """

    run: bool = False
    estimators: tuple[str, ...] = one_of(("ML", "MLR"), *LIKELIHOOD)
    missing: tuple[str, ...] = one_of(("listwise", "fiml"), "listwise", "fiml")
    screening: bool = True
    outliers: bool = True
    drop_items: bool = True
    controls: tuple[str, ...] = ()
    most: int = at_least(500, 1)
    workers: int = at_least(1, 1)


@dataclass(frozen=True, slots=True)
class MethodBiasChoice:
    """Section [method_bias]: whether one way of measuring made the answers agree.

    Attributes
    ----------
    run : bool
    """

    run: bool = False


@dataclass(frozen=True, slots=True)
class PlsChoice:
    """Section [pls]: the same model by partial least squares, beside the covariance-based fit.

    Attributes
    ----------
    run : bool
    scheme : {"path", "centroid", "factorial"}
        Weighting of the inner model.
    draws : int
        Bootstrap draws behind standard errors and intervals; 0 gives none.
    """

    run: bool = False
    scheme: str = one_of("path", "path", "centroid", "factorial")
    draws: int = at_least(5000, 0)
