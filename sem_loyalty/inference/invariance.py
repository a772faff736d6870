"""`invariance`: whether constructs are measured alike in groups or over time, step by step, with the exceptions."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sem_loyalty.errors import (
    ConfigurationError,
    ImproperSolutionWarning,
    NotSupported,
    SpecificationError,
    check_choice,
)
from sem_loyalty.fitting.fit import fit, text_of
from sem_loyalty.fitting.ordinal import is_ordinal
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.estimates import estimates
from sem_loyalty.inference.invariance_search import Search, StepModels
from sem_loyalty.inference.invariance_steps import RULES, Invariance, Step, Thresholds, thresholds
from sem_loyalty.inference.response_constraints import EQUAL as EQUAL_RESPONSES
from sem_loyalty.inference.response_constraints import Responses
from sem_loyalty.inference.wave_constraints import Waves, wave_text, waves_of
from sem_loyalty.model.defaults import PARAMETERIZATIONS
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.syntax import ModelText, parse

__all__ = ["EQUAL", "RULES", "STEPS", "Invariance", "Step", "Thresholds", "invariance", "thresholds"]

STEPS = ("configural", "metric", "scalar", "strict")
ORDINAL_STEPS = ("configural", "thresholds", "metric", "scalar", "strict")
EQUAL = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
}


def invariance(
    model: str | Path | ModelText | ModelFile,
    data: pd.DataFrame | Mapping[str, Any],
    group: str | None = None,
    *,
    waves: Mapping[str, Sequence[str]] | None = None,
    steps: tuple[str, ...] | list[str] | None = None,
    rule: str = "chen2007",
    partial: bool = True,
    alpha: float = 0.05,
    estimator: str | None = None,
    missing: str = "listwise",
    ordered: bool | str | tuple[str, ...] | list[str] | None = None,
    parameterization: str = "theta",
) -> Invariance:
    """Test measurement invariance across groups or over waves, and search for the exceptions where a step fails.

    Parameters
    ----------
    model : str, Path, ModelText or ModelFile
        Its measurement part is taken, with constructs that correlate freely; paths do not matter.
    data : DataFrame or mapping
    group : str, optional
        Column that splits the sample into two groups or more. Either `group` or `waves`.
    waves : mapping of str to sequence of str, optional
        For a panel: the latent variables of every construct, wave by wave, as in {"SAT": ("SAT_1", "SAT_2")}. Their
        items are matched by place; residuals of the same item correlate over waves. Constructs that are not named are
        left as they are.
    steps : sequence of {"configural", "thresholds", "metric", "scalar", "strict"}, optional
        Configural: the same items measure the same constructs. Thresholds (with `ordered` only): equal thresholds.
        Metric: equal loadings besides. Scalar: equal intercepts besides. Strict: equal residual variances besides. In
        this order, beginning with "configural"; all that there are by default.
    rule : {"chen2007", "cheung2002", "test"}, default "chen2007"
        What lets a step stand: changes of CFI, RMSEA and SRMR (Chen 2007), of CFI alone (Cheung and Rensvold 2002), or
        the chi-square difference test.
    partial : bool, default True
        Where a step fails, release the equality with the largest score test, and so on until the step holds. At least
        two items of every construct, and two thresholds of every item, stay equal (Byrne, Shavelson and Muthen 1989);
        what is released in a step stays released, and the intercept of an item with its own loading is not held equal.
    alpha : float, default 0.05
        Level of the tests.
    estimator, missing, ordered
        As in `fit`: "ML" by default, "WLSMV" with `ordered`.
    parameterization : {"theta", "delta"}, default "theta"
        Of ordinal items. Chi-squares of the steps are the same; "delta" has no strict step.

    Returns
    -------
    Invariance

    Raises
    ------
    ConfigurationError
        Unknown steps, or steps out of order; an unknown rule; neither or both of `group` and `waves`.
    SpecificationError
        The model measures nothing, or `waves` does not fit it.
    NotSupported
        Ordinal items over waves.

    Notes
    -----
    Latent variances are fixed at 1 in the first group or wave and free in the others once loadings are equal, so that
    every loading is tested, and none serves as a marker that is equal by decree. Robust estimators: scaled differences,
    and robust CFI and RMSEA; scaled ones with ordinal items, whose robust ones do not exist once thresholds are equal.
    The rules were found with maximum likelihood and continuous items; with ordinal ones they are a convention.

    Ordinal items follow Wu and Estabrook (2016): once thresholds are equal, the responses of further groups have
    intercepts and scales of their own, equal intercepts free latent means, and strict invariance fixes residual
    variances at 1. An item with three categories has no testable threshold; one with two is tested in the scalar step,
    where its threshold, loading and intercept become equal together. `statements` says so.

    References
    ----------
    Chen, F. F. (2007). Sensitivity of goodness of fit indexes to lack of measurement invariance. Structural Equation
    Modeling, 14, 464-504. doi:10.1080/10705510701301834
    Cheung, G. W. and Rensvold, R. B. (2002). Evaluating goodness-of-fit indexes for testing measurement invariance.
    Structural Equation Modeling, 9, 233-255. doi:10.1207/S15328007SEM0902_5
    Byrne, B. M., Shavelson, R. J. and Muthen, B. (1989). Testing for the equivalence of factor covariance and mean
    structures: the issue of partial measurement invariance. Psychological Bulletin, 105, 456-466.
    doi:10.1037/0033-2909.105.3.456
    Wu, H. and Estabrook, R. (2016). Identification of confirmatory factor analysis models of different levels of
    invariance for ordered categorical outcomes. Psychometrika, 81, 1014-1045. doi:10.1007/s11336-016-9506-0
    """
    check_choice("rule", rule, RULES)
    check_choice("parameterization", parameterization, PARAMETERIZATIONS)
    ordinal = is_ordinal(ordered)
    steps = _steps(steps, ordinal=ordinal, parameterization=parameterization)
    if (group is None) == (waves is None):
        raise ConfigurationError("Give either `group`, a column of the data, or `waves`, the constructs of a panel.")
    if waves is not None and ordinal:
        raise NotSupported(
            "Invariance of ordinal items over waves is not supported; available: `ordered` with `group`, and `waves` "
            "with continuous items (estimator='MLR' for answers that are not normal)."
        )
    text = _measurement(text_of(model))
    options: dict[str, Any] = {"estimator": estimator, "missing": missing}
    models: StepModels
    if waves is not None:
        models = _WaveModels(waves_of(text, waves), data, options)
    elif ordinal:
        options |= {"ordered": ordered, "parameterization": parameterization}
        models = _OrdinalModels.of(text, data, {**options, "group": group})
    else:
        models = _GroupModels(text, data, {**options, "group": group})
    sequence = Search(models, rule, alpha).run(steps, partial=partial)
    means = next((step for step in sequence.reached if "scalar" in step.name), None)
    first = sequence.steps[0].fit
    statements = sequence.statements
    if isinstance(models, _OrdinalModels):
        statements = (*statements, *models.responses.untestable())
    if isinstance(models, _WaveModels):
        labels, table = models.waves.labels, _means_over_waves(means.fit, models.waves) if means else None
    else:
        labels, table = first.specification.groups, _latent_means(means.fit) if means else None
    return Invariance(
        steps=sequence.steps,
        rule=rule,
        alpha=alpha,
        groups=labels,
        level=sequence.reached[-1].name if sequence.reached else "",
        latent_means=table,
        statements=statements,
        across="groups" if waves is None else "waves",
    )


def _steps(steps: tuple[str, ...] | list[str] | None, *, ordinal: bool, parameterization: str) -> tuple[str, ...]:
    """Return the steps to take, in their order."""
    known = ORDINAL_STEPS if ordinal else STEPS
    delta = ordinal and parameterization == "delta"
    if steps is None:
        return known[:-1] if delta else known
    for name in steps:
        check_choice("steps", name, known)
    if list(steps) != [name for name in known if name in steps] or "configural" not in steps:
        raise ConfigurationError(f"`steps` begins with 'configural' and keeps the order {known}; it is {tuple(steps)}.")
    if delta and "strict" in steps:
        raise ConfigurationError(
            "Residual variances of ordinal items are parameters with parameterization='theta' only, which the strict "
            "step needs."
        )
    return tuple(steps)


def _measurement(text: ModelText) -> ModelText:
    """Return the measurement part: loadings, and covariances that are written."""
    latent = {s.lhs for s in text.statements if s.op == "=~"}
    if not latent:
        raise SpecificationError("The model measures no constructs (`=~`), so there is no invariance to test.")
    higher = {s.lhs for s in text.statements if s.op == "=~" and s.rhs.name in latent}
    if higher:
        raise SpecificationError(
            f"Second-order constructs ({', '.join(sorted(higher))}): test the invariance of the first order alone."
        )
    items = {s.rhs.name for s in text.statements if s.op == "=~"}
    kept = tuple(s for s in text.statements if s.op == "=~" or (s.op == "~~" and {s.lhs, s.rhs.name} <= items))
    plain = tuple(
        replace(s, rhs=replace(s.rhs, modifiers=tuple(m for m in s.rhs.modifiers if m.kind != "label"))) for s in kept
    )
    return replace(text, statements=plain, definitions=(), constraints=())


def _fitted(text: ModelText, data: Any, options: Mapping[str, Any], **more: Any) -> Fit:
    """Fit a measurement model with unit latent variances and means."""
    with warnings.catch_warnings():
        # The certificate stands in the result.
        warnings.simplefilter("ignore", ImproperSolutionWarning)
        return fit(text, data, std_lv=True, meanstructure=True, kind="cfa", engine="kernel", **options, **more)


@dataclass(frozen=True, slots=True)
class _GroupModels:
    """Models of several groups."""

    text: ModelText
    data: Any
    options: Mapping[str, Any]

    @property
    def construct(self) -> dict[str, str]:
        """Construct of every item."""
        return {s.rhs.name: s.lhs for s in self.text.statements if s.op == "=~"}

    def fitted(self, name: str, released: tuple[str, ...]) -> Fit:
        """Fit one step."""
        return _fitted(self.text, self.data, self.options, group_equal=EQUAL[name], group_partial=released)


@dataclass(frozen=True, slots=True)
class _OrdinalModels:
    """Models of several groups with ordinal items."""

    text: ModelText
    data: Any
    options: Mapping[str, Any]
    responses: Responses
    configural: Fit

    @classmethod
    def of(cls, text: ModelText, data: Any, options: Mapping[str, Any]) -> _OrdinalModels:
        """Return the models; what they constrain depends on the categories, which the configural fit has counted."""
        configural = _fitted(text, data, options)
        cuts = Counter(row.lhs for row in configural.specification.parameters if row.op == "|" and row.group == 1)
        construct = {s.rhs.name: s.lhs for s in text.statements if s.op == "=~"}
        categories = {item: count + 1 for item, count in cuts.items()}
        responses = Responses(construct, categories, str(options["parameterization"]))
        return cls(text, data, options, responses, configural)

    @property
    def construct(self) -> Mapping[str, str]:
        """Construct of every item."""
        return self.responses.construct

    def fitted(self, name: str, released: tuple[str, ...]) -> Fit:
        """Fit one step."""
        if name == "configural":
            return self.configural
        added = parse(self.responses.lines(name, released, len(self.configural.specification.groups)))
        text = replace(self.text, statements=(*self.text.statements, *added.statements))
        spared = self.responses.spared(name, released)
        return _fitted(text, self.data, self.options, group_equal=EQUAL_RESPONSES[name], group_partial=spared)


@dataclass(frozen=True, slots=True)
class _WaveModels:
    """Models of the waves of one sample."""

    waves: Waves
    data: Any
    options: Mapping[str, Any]

    @property
    def construct(self) -> Mapping[str, str]:
        """Latent variable of every item."""
        return self.waves.construct

    def fitted(self, name: str, released: tuple[str, ...]) -> Fit:
        """Fit one step."""
        return _fitted(wave_text(self.waves, name, released), self.data, self.options)


def _latent_means(fitted: Fit) -> pd.DataFrame:
    """Return the latent means of every group against the first."""
    table = estimates(fitted)
    latent = set(fitted.specification.latent)
    means = table[(table["op"] == "~1") & table["lhs"].isin(latent) & (table["group"] > 1)]
    own = (table["op"] == "~~") & (table["lhs"] == table["rhs"])
    variance = {
        (lhs, group): est for lhs, group, est in table.loc[own, ["lhs", "group", "est"]].itertuples(index=False)
    }
    n = [entry.n for entry in fitted.moments.groups]
    records = []
    for row in means.to_dict("records"):
        g = int(row["group"])
        pooled = ((n[0] - 1) * variance[row["lhs"], 1] + (n[g - 1] - 1) * variance[row["lhs"], g]) / (
            n[0] + n[g - 1] - 2
        )
        record = {"group": fitted.specification.groups[g - 1], "latent": row["lhs"], "mean": row["est"]}
        record |= {key: row[key] for key in ("se", "z", "pvalue", "ci_lower", "ci_upper")}
        records.append(record | {"d": row["est"] / np.sqrt(pooled) if pooled > 0 else np.nan})
    return pd.DataFrame(records)


def _means_over_waves(fitted: Fit, waves: Waves) -> pd.DataFrame:
    """Return the latent means of every wave against the first."""
    table = estimates(fitted)
    means = table[table["op"] == "~1"].set_index("lhs")
    own = (table["op"] == "~~") & (table["lhs"] == table["rhs"])
    variance = table[own].set_index("lhs")["est"]
    records = []
    for construct, latents in waves.constructs.items():
        for label, latent in zip(waves.labels[1:], latents[1:], strict=False):
            pooled = 0.5 * (variance[latents[0]] + variance[latent])
            record = {"group": label, "latent": construct, "mean": means.loc[latent, "est"]}
            record |= {key: means.loc[latent, key] for key in ("se", "z", "pvalue", "ci_lower", "ci_upper")}
            records.append(record | {"d": record["mean"] / np.sqrt(pooled) if pooled > 0 else np.nan})
    return pd.DataFrame(records)
