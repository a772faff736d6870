"""`compare`: rival models of the same data side by side, tested in pairs, and the choice with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from sem_loyalty.display import Table, format_p
from sem_loyalty.errors import ConfigurationError, NotSupported
from sem_loyalty.fitting.discrepancies import LIKELIHOOD
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.hypothesis_tests import likelihood_ratio_test
from sem_loyalty.inference.measures import fit_measures
from sem_loyalty.inference.nesting import relation
from sem_loyalty.inference.vuong import VuongTest, vuong_test

# A difference of BIC above which evidence is called very strong (Kass and Raftery 1995,
# doi:10.1080/01621459.1995.10476572).
VERY_STRONG = 10.0
SHOWN = ("cfi", "tli", "rmsea", "srmr")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models of the same data against each other.

    Attributes
    ----------
    first, second : str
        Names of the models; where they are nested, `first` is the more restricted one.
    relation : {"nested", "equivalent", "overlapping"}
    chisq, df, pvalue : float
        Likelihood-ratio test of nested models, scaled where the estimator is robust; nan otherwise.
    vuong : VuongTest or None
        For models that are not nested, where the answers are there.
    bic : float
        BIC of the first model less that of the second.
    verdict : str
        The model that the pair speaks for; "" where it speaks for none.
    reason : str
        Why, in a sentence.
    """

    first: str
    second: str
    relation: str
    chisq: float
    df: float
    pvalue: float
    vuong: VuongTest | None
    bic: float
    verdict: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """Rival models compared.

    Attributes
    ----------
    models : DataFrame
        One row per model: model, certified, npar, df, chisq, pvalue, cfi, tli, rmsea, srmr (robust or scaled ones where
        the estimator has them), aic, bic, aic_weight, bic_weight. Weights are the relative likelihoods of certified
        models, exp(-Delta / 2) normed to one (Burnham and Anderson 2002, doi:10.1007/b97636); nan for the others.
    pairs : tuple of Pair
        Every two certified models.
    choice : str
        The model that the evidence speaks for; "" where it speaks for none.
    reasons : tuple of str
        Why, in sentences.
    """

    models: pd.DataFrame
    pairs: tuple[Pair, ...]
    choice: str
    reasons: tuple[str, ...]

    @property
    def twins(self) -> tuple[str, ...]:
        """Models equivalent to the chosen one, which no data can tell from it."""
        alike = [pair for pair in self.pairs if pair.relation == "equivalent"]
        return tuple(_other(pair, self.choice) for pair in alike if self.choice in (pair.first, pair.second))

    @property
    def open(self) -> tuple[str, ...]:
        """Certified models besides the chosen one and its twins that no pair speaks against."""
        sound = self.models.loc[self.models["certified"].astype(bool), "model"]
        beaten = {_other(pair, pair.verdict) for pair in self.pairs if pair.verdict}
        return tuple(name for name in sound if name not in beaten | {self.choice, *self.twins}) if self.choice else ()

    def to_frame(self) -> pd.DataFrame:
        """Return the pairs, one row each: first, second, relation, chisq, df, pvalue, vuong_z, bic, verdict."""
        records = [
            {
                "first": pair.first,
                "second": pair.second,
                "relation": pair.relation,
                "chisq": pair.chisq,
                "df": pair.df,
                "pvalue": pair.pvalue,
                "distinguishable_p": pair.vuong.distinguishable_p if pair.vuong else np.nan,
                "vuong_z": pair.vuong.z if pair.vuong else np.nan,
                "bic": pair.bic,
                "verdict": pair.verdict,
            }
            for pair in self.pairs
        ]
        columns = ["first", "second", "relation", "chisq", "df", "pvalue", "distinguishable_p", "vuong_z"]
        return pd.DataFrame(records, columns=[*columns, "bic", "verdict"])

    def to_table(self) -> Table:
        """Return the models as a Table whose note gives the choice and its reasons."""
        frame = self.models.assign(model=_flagged(self.models)).drop(columns="certified")
        return Table.from_frame(frame, id="comparison", caption="Rival models", note=" ".join(self.reasons))

    def __repr__(self) -> str:
        """Return what print shows: a prompt must not hide the mark."""
        return str(self)

    def __str__(self) -> str:
        """Return the table of models as text, with the reasons below."""
        return self.to_table().to_text()

    def _repr_html_(self) -> str:
        return self.to_table().to_html()


def _other(pair: Pair, name: str) -> str:
    """Return the model of a pair that is not the one named."""
    return pair.second if name == pair.first else pair.first


def _flagged(models: pd.DataFrame) -> list[str]:
    """Return the names, with what bars a model from being chosen behind them."""
    flags = zip(models["model"], models["certified"], strict=True)
    return [name if good else f"{name} (NOT CERTIFIED)" for name, good in flags]


def compare(*fits: Fit, names: tuple[str, ...] | list[str] | None = None, alpha: float = 0.05) -> Comparison:
    r"""Compare rival models of the same data and say which one the evidence speaks for.

    Parameters
    ----------
    *fits : Fit
        Two or more fits of the same rows and variables by maximum likelihood, with one estimator.
    names : sequence of str, optional
        Names of the models; by default "model 1", "model 2", in the order given.
    alpha : float, default 0.05
        Level of the tests.

    Returns
    -------
    Comparison

    Raises
    ------
    ConfigurationError
        Fewer than two models, names that do not match, or different estimators.
    NotSupported
        Ordinal items or least squares, which have no likelihood to compare.

    Notes
    -----
    Whether two models are nested is checked (Bentler and Satorra 2010, doi:10.1037/a0019625). Nested models: the
    likelihood-ratio test; the restricted model stands unless the test rejects it. Equivalent models: no data can
    choose; theory must. Others: Vuong's test where the data can tell them apart, and BIC. The choice is the certified
    model that no pair speaks against; where there are several, the one with the lowest BIC among them. A model that is
    not certified is listed and never chosen.

    Examples
    --------
    >>> import sem_loyalty as sl
    >>> matrix = sl.load_published("iacobucci2009")
    >>> rivals = [matrix.model_text, matrix.model_text + "\nRepeat ~ Value"]
    >>> fits = [sl.fit(text, sample_cov=matrix.cov, sample_nobs=matrix.n) for text in rivals]
    >>> sl.compare(*fits, names=["published", "with Value on Repeat"]).pairs[0].relation
    'nested'
    """
    if len(fits) < 2:
        raise ConfigurationError("Give at least two fits to compare.")
    named = [f"model {k}" for k in range(1, len(fits) + 1)] if names is None else list(names)
    if len(named) != len(fits) or len(set(named)) != len(named):
        raise ConfigurationError(f"`names` needs {len(fits)} different names, one per fit; it has {named}.")
    if not 0.0 < alpha < 1.0:
        raise ConfigurationError(f"alpha={alpha!r} is not a level between 0 and 1.")
    if len({fit.estimator for fit in fits}) > 1:
        raise ConfigurationError(f"The fits have different estimators: {sorted({fit.estimator for fit in fits})}.")
    if fits[0].estimator not in LIKELIHOOD or fits[0].specification.ordered:
        raise NotSupported(
            f"Models by {fits[0].estimator} have no likelihood, so there are no criteria to compare them by. Test "
            "nested ones with sl.likelihood_ratio_test; available here: 'ML', 'MLM', 'MLMV', 'MLR'."
        )
    frame = _models(fits, named)
    sound = [k for k, fit in enumerate(fits) if fit.certificate.certified]
    bic = frame["bic"].to_numpy(dtype=float)
    pairs = tuple(
        _pair(fits[i], fits[j], named[i], named[j], float(bic[i] - bic[j]), alpha) for i, j in combinations(sound, 2)
    )
    choice, reasons = _choose([named[k] for k in sound], {named[k]: float(bic[k]) for k in sound}, pairs)
    barred = [name for name in named if name not in {named[k] for k in sound}]
    if barred:
        reasons = (*reasons, f"Not certified, and so not in the running: {', '.join(barred)}.")
    return Comparison(frame, pairs, choice, reasons)


def _models(fits: tuple[Fit, ...], names: list[str]) -> pd.DataFrame:
    """Return one row of measures per model, with weights."""
    records = []
    for name, fit in zip(names, fits, strict=True):
        measures = fit_measures(fit)
        record: dict[str, object] = {"model": name, "certified": fit.certificate.certified}
        record |= {key: measures[key] for key in ("npar", "df")}
        scaled = "_scaled" if "chisq_scaled" in measures else ""
        record |= {"chisq": measures["chisq" + scaled], "pvalue": measures["pvalue" + scaled]}
        for key in SHOWN:
            record[key] = measures[f"{key}_robust"] if f"{key}_robust" in measures else measures[key]
        record |= {key: measures[key] for key in ("aic", "bic")}
        records.append(record)
    frame = pd.DataFrame(records)
    for criterion in ("aic", "bic"):
        value = frame[criterion].where(frame["certified"])
        weight = np.exp(-0.5 * (value - value.min()))
        frame[f"{criterion}_weight"] = weight / weight.sum()
    return frame


def _pair(one: Fit, other: Fit, first: str, second: str, bic: float, alpha: float) -> Pair:
    """Return the test that suits the relation of two models, and what it speaks for."""
    kind = relation(one, other)
    if kind == "nests":
        return _pair(other, one, second, first, -bic, alpha)
    nan = float("nan")
    if kind == "equivalent":
        reason = f"{first} and {second} are equivalent: no data can choose between them, theory must."
        return Pair(first, second, kind, nan, nan, nan, None, bic, "", reason)
    if kind == "nested":
        row = likelihood_ratio_test(other, one).iloc[1]
        chisq, df, p = float(row["chisq_diff"]), float(row["df_diff"]), float(row["pvalue"])
        test = f"chi-square difference {chisq:.3f}, df {df:.0f}, p {format_p(p)}"
        if not np.isfinite(p):
            reason = f"{first} is nested in {second}, but the scaled difference is not defined in this sample."
            return Pair(first, second, kind, chisq, df, p, None, bic, "", reason)
        if p < alpha:
            reason = f"{first} restricts {second}, and the restriction is rejected ({test})."
            return Pair(first, second, kind, chisq, df, p, None, bic, second, reason)
        reason = f"{first} restricts {second}, and the restriction is not rejected ({test})."
        return Pair(first, second, kind, chisq, df, p, None, bic, first, reason)
    vuong = None
    if one.moments.raw is not None and one.moments.missing == "listwise":
        vuong = vuong_test(one, other, criterion="bic")
    return _apart(first, second, vuong, bic, alpha)


def _apart(first: str, second: str, vuong: VuongTest | None, bic: float, alpha: float) -> Pair:
    """Return what Vuong's test and BIC say of two models that are not nested."""
    nan = float("nan")
    better = first if bic < 0 else second
    evidence = f"difference of BIC {abs(bic):.1f} in favour of {better}"
    if vuong is not None and vuong.distinguishable_p >= alpha:
        reason = (
            f"{first} and {second} are not nested, and these data cannot tell them apart (Vuong, p "
            f"{format_p(vuong.distinguishable_p)}; {evidence})."
        )
        return Pair(first, second, "overlapping", nan, nan, nan, vuong, bic, "", reason)
    if vuong is not None:
        p = 2.0 * min(vuong.first_p, vuong.second_p)
        test = f"Vuong with BIC, z {vuong.z:.2f}, p {format_p(p)}; {evidence}"
        if p < alpha:
            winner = first if vuong.z > 0 else second
            reason = f"{first} and {second} are not nested; {winner} is closer to the data ({test})."
            return Pair(first, second, "overlapping", nan, nan, nan, vuong, bic, winner, reason)
        reason = f"{first} and {second} are not nested, and neither is closer to the data than chance ({test})."
        return Pair(first, second, "overlapping", nan, nan, nan, vuong, bic, "", reason)
    winner = better if abs(bic) > VERY_STRONG else ""
    strength = "very strong evidence" if winner else "no decisive evidence"
    reason = f"{first} and {second} are not nested; {evidence}, {strength}."
    return Pair(first, second, "overlapping", nan, nan, nan, vuong, bic, winner, reason)


def _choose(names: list[str], bic: dict[str, float], pairs: tuple[Pair, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the model that no pair speaks against, and the reasons."""
    if not names:
        return "", ("No model is certified, so none can be chosen.",)
    beaten = {name for pair in pairs if pair.verdict for name in (pair.first, pair.second) if name != pair.verdict}
    standing = [name for name in names if name not in beaten]
    if not standing:
        lead = "Every model is beaten by another one, so the evidence chooses none."
        return "", (lead, *(pair.reason for pair in pairs))
    chosen = min(standing, key=lambda name: bic[name])
    about = [pair for pair in pairs if chosen in (pair.first, pair.second)]
    twins = [pair.second if pair.first == chosen else pair.first for pair in about if pair.relation == "equivalent"]
    rest = [name for name in standing if name != chosen and name not in twins]
    if len(names) == 1:
        return chosen, (f"Chosen: {chosen}, the only certified model.",)
    if rest:
        lead = f"Chosen: {chosen}, by the lowest BIC; the evidence does not rule out {', '.join(rest)}."
    else:
        lead = f"Chosen: {chosen}; no other model is preferred to it."
    if twins:
        lead += f" Equivalent, and as good for all that data can say: {', '.join(twins)}."
    return chosen, (lead, *(pair.reason for pair in about))
