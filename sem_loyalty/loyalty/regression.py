"""Multiple and logistic regression beside the structural model; the only file that knows statsmodels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtrc, expit, fdtrc, ndtr, ndtri, stdtr, stdtrit

from sem_loyalty.display import Cell, Column, Table
from sem_loyalty.errors import DataError, check_choice
from sem_loyalty.loyalty.classification import auc, brier, calibration, roc
from sem_loyalty.loyalty.design_matrix import Design, design_matrix, separated, variance_inflation
from sem_loyalty.loyalty.shown import Shown, check_level, percent

Array = NDArray[np.float64]
ERRORS = ("HC3", "model")
_ERRORS = {"HC3": "robust standard errors HC3", "model": "standard errors of the model"}
_LABELS = {
    "r2": "R²",
    "adjusted_r2": "adjusted R²",
    "f": "F (Wald)",
    "f_df1": "df of the numerator",
    "f_df2": "df of the denominator",
    "f_pvalue": "p of F",
    "sigma": "residual standard deviation",
    "breusch_pagan_pvalue": "p of Breusch and Pagan (equal variances)",
    "lr_chisq": "likelihood-ratio χ²",
    "lr_df": "df of χ²",
    "lr_pvalue": "p of χ²",
    "mcfadden_r2": "R² (McFadden)",
    "tjur_r2": "R² (Tjur)",
    "auc": "area under the ROC curve",
    "auc_lower": "its interval, lower end (DeLong)",
    "auc_upper": "its interval, upper end (DeLong)",
    "brier": "Brier score",
    "brier_constant": "Brier score of the share alone",
    "hosmer_lemeshow": "Hosmer and Lemeshow's χ²",
    "hosmer_lemeshow_df": "its df",
    "hosmer_lemeshow_pvalue": "its p",
}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Regression(Shown):
    """A multiple or logistic regression.

    Attributes
    ----------
    coefficients : DataFrame
        Index "term", the constant first; columns b, se, statistic (t or z), pvalue, ci_lower, ci_upper, vif; of a
        multiple regression also beta (standardised); of a logistic one odds_ratio, or_lower, or_upper, ame (average
        marginal effect on the probability), ame_se, ame_lower, ame_upper.
    measures : mapping of str to float
        Fit of the whole.
    curve : DataFrame
        Of a logistic regression: the ROC curve, false_positive, true_positive, threshold. Else empty.
    groups : DataFrame
        Of a logistic regression: calibration in ten groups, n, predicted, observed. Else empty.
    outcome : str
    kind : {"multiple", "logistic"}
    errors : str
        "HC3" or "model".
    n, n_collected : int
        Complete rows, and all.
    references : tuple of str
        Levels of categories that the others are compared with.
    level : float
        Coverage.
    """

    coefficients: pd.DataFrame
    measures: Mapping[str, float]
    curve: pd.DataFrame
    groups: pd.DataFrame
    outcome: str
    kind: str
    errors: str
    n: int
    n_collected: int
    references: tuple[str, ...]
    level: float

    def to_frame(self) -> pd.DataFrame:
        """Return `coefficients`."""
        return self.coefficients.copy()

    def tables(self) -> tuple[Table, ...]:
        """Return coefficients, measures and, of a logistic regression, calibration."""
        logistic, interval = self.kind == "logistic", f"{percent(self.level)} CI"
        columns = [Column("term", "Term"), Column("b", "B", "number"), Column("se", "SE", "number")]
        columns += [Column("statistic", "z" if logistic else "t", "number", 2), Column("pvalue", "p", "p")]
        if logistic:
            columns += [Column("odds_ratio", "Odds ratio", "number", 2), Column("or_ci", interval, "interval", 2)]
            columns += [Column("ame", "AME", "number"), Column("ame_ci", interval, "interval")]
        else:
            columns += [Column("ci", interval, "interval"), Column("beta", "β", "number")]
        columns.append(Column("vif", "VIF", "number", 2))
        rows: list[dict[str, object]] = []
        for name, row in self.coefficients.iterrows():
            first = name == "(constant)"
            kept: dict[str, object] = {"term": name, **{key: row[key] for key in ("b", "se", "statistic", "pvalue")}}
            kept["vif"] = None if first else row["vif"]
            if logistic:
                kept["odds_ratio"] = None if first else row["odds_ratio"]
                kept["or_ci"] = None if first else (row["or_lower"], row["or_upper"])
                kept["ame"] = None if first else row["ame"]
                kept["ame_ci"] = None if first else (row["ame_lower"], row["ame_upper"])
            else:
                kept |= {"ci": (row["ci_lower"], row["ci_upper"]), "beta": None if first else row["beta"]}
            rows.append(kept)
        note = f"N = {self.n} of {self.n_collected} rows; {_ERRORS[self.errors]}."
        note += " AME: average marginal effect on the probability." if logistic else ""
        note += f" Compared with {', '.join(self.references)}." if self.references else ""
        title = f"{'Logistic' if logistic else 'Multiple'} regression of {self.outcome}"
        made = [Table(f"{self.kind}-regression", title, tuple(columns), tuple(rows), note), self._measures()]
        if logistic:
            made.append(
                Table.from_frame(
                    self.groups,
                    id="calibration",
                    caption="Calibration: shares observed against probabilities predicted",
                    note="Groups of about equal size by predicted probability.",
                    bounded=("predicted", "observed"),
                )
            )
        return tuple(made)

    def _measures(self) -> Table:
        rows: list[dict[str, object]] = []
        for key, value in self.measures.items():
            kind = "p" if key.endswith("pvalue") else "int" if key.endswith(("df", "df1", "df2")) else "number"
            shown = Cell(value, "p") if kind == "p" else Cell(value, "int") if kind == "int" else Cell(value)
            rows.append({"measure": _LABELS[key], "value": shown})
        note = ""
        if self.kind == "logistic":
            note = (
                "Measured in the sample that fitted the model, which flatters it. Hosmer and Lemeshow's test depends "
                "on its ten groups and is blind in small samples: read the calibration table."
            )
        columns = (Column("measure", "Measure"), Column("value", "Value", "number"))
        return Table(f"{self.kind}-measures", "Fit of the regression", columns, tuple(rows), note)


def regress(
    data: pd.DataFrame, outcome: str, predictors: Sequence[str], *, errors: str = "HC3", level: float = 0.95
) -> Regression:
    """Regress an outcome on several predictors by least squares, with robust standard errors.

    Parameters
    ----------
    data : DataFrame
        One row per respondent, for instance scores joined to behaviour; incomplete rows are left out and counted.
    outcome : str
        Column of numbers.
    predictors : sequence of str
        Columns of numbers or categories (one column for each level but the first).
    errors : {"HC3", "model"}, default "HC3"
        Standard errors that hold whatever the variances, or those of equal variances.
    level : float, default 0.95
        Coverage of the intervals.

    Returns
    -------
    Regression
        Scores measure constructs with error, which biases slopes; the structural model does not have that fault.

    Raises
    ------
    DataError
        Too few rows, predictors that do not vary or that determine each other.
    ConfigurationError
        Arguments that make no sense.

    References
    ----------
    Long, J. S., & Ervin, L. H. (2000). Using heteroscedasticity consistent standard errors in the linear regression
    model. The American Statistician, 54, 217-224. doi:10.1080/00031305.2000.10474549
    """
    check_choice("errors", errors, ERRORS)
    check_level(level)
    from statsmodels.regression.linear_model import OLS
    from statsmodels.stats.diagnostic import het_breuschpagan

    design = design_matrix(data, outcome, predictors)
    plain = OLS(design.y, design.X).fit()
    fitted = plain.get_robustcov_results("HC3", use_t=True) if errors == "HC3" else plain
    b, cov = np.asarray(fitted.params), np.asarray(fitted.cov_params())
    df = int(plain.df_resid)
    table = _coefficients(design, b, cov, level, df)
    spread = design.X[:, 1:].std(axis=0) / design.y.std()
    table["beta"] = np.concatenate([[math.nan], b[1:] * spread])
    k = len(b) - 1
    f = float(b[1:] @ np.linalg.solve(cov[1:, 1:], b[1:])) / k
    measures = {
        "r2": float(plain.rsquared),
        "adjusted_r2": float(plain.rsquared_adj),
        "f": f,
        "f_df1": float(k),
        "f_df2": float(df),
        "f_pvalue": float(fdtrc(k, df, f)),
        "sigma": math.sqrt(float(plain.scale)),
        "breusch_pagan_pvalue": float(het_breuschpagan(plain.resid, design.X)[1]),
    }
    empty = pd.DataFrame()
    return Regression(
        table, measures, empty, empty, outcome, "multiple", errors, len(design.y), design.n_collected,
        design.references, level,
    )  # fmt: skip


def logistic(
    data: pd.DataFrame, outcome: str, predictors: Sequence[str], *, errors: str = "HC3", level: float = 0.95
) -> Regression:
    """Explain a yes or no, such as retention or churn, by logistic regression.

    Parameters
    ----------
    data : DataFrame
        One row per respondent; incomplete rows are left out and counted.
    outcome : str
        Column of 0 and 1.
    predictors : sequence of str
        Columns of numbers or categories (one column for each level but the first).
    errors : {"HC3", "model"}, default "HC3"
        Sandwich errors with the leverage of each row, or those of the model. (statsmodels gives HC0 where HC3 is asked
        of a logistic regression; here it is HC3.)
    level : float, default 0.95
        Coverage of the intervals.

    Returns
    -------
    Regression
        With odds ratios, average marginal effects (of a column of 0 and 1: the change from 0 to 1), the ROC curve with
        DeLong's interval of its area, calibration, Brier score and Hosmer and Lemeshow's test.

    Raises
    ------
    DataError
        An outcome other than 0 and 1; predictors that separate yes from no perfectly; or as `regress`.

    References
    ----------
    Hosmer, D. W., & Lemeshow, S. (1980). Goodness of fit tests for the multiple logistic regression model.
    Communications in Statistics - Theory and Methods, 9, 1043-1069. doi:10.1080/03610928008827941
    DeLong, E. R., DeLong, D. M., & Clarke-Pearson, D. L. (1988). Comparing the areas under two or more correlated
    receiver operating characteristic curves: A nonparametric approach. Biometrics, 44, 837-845. doi:10.2307/2531595
    Tjur, T. (2009). Coefficients of determination in logistic regression models. The American Statistician, 63,
    366-372. doi:10.1198/tast.2009.08210
    """
    check_choice("errors", errors, ERRORS)
    check_level(level)
    from statsmodels.discrete.discrete_model import Logit

    design = design_matrix(data, outcome, predictors)
    wrong = design.y[~np.isin(design.y, (0.0, 1.0))]
    if wrong.size:
        raise DataError(f"The outcome '{outcome}' must be 0 or 1; it holds {wrong[0]:g} ({wrong.size} such rows).")
    if separated(design.y, design.X):
        raise DataError(
            f"The predictors separate '{outcome}' perfectly in a part of the rows, so that the estimates are infinite. "
            "Leave out the predictor that does it, or join rare levels of a category."
        )
    found = Logit(design.y, design.X).fit(method="newton", maxiter=100, tol=1e-12, disp=0, warn_convergence=False)
    b = np.asarray(found.params)
    p = np.asarray(expit(design.X @ b))
    if not np.abs(design.X.T @ (design.y - p)).max() < 1e-6 * len(p):
        raise DataError("The logistic regression did not converge; standardise the predictors or leave some out.")
    cov = _logit_covariance(design.X, design.y, p, errors)
    table = _coefficients(design, b, cov, level, None)
    z = float(ndtri(0.5 + level / 2.0))
    for key, column in (("odds_ratio", "b"), ("or_lower", "ci_lower"), ("or_upper", "ci_upper")):
        table[key] = np.exp(table[column])
    effect, slope = _marginal(design, b, p)
    se = np.sqrt(np.einsum("ij,jk,ik->i", slope, cov, slope))
    for key, values in (
        ("ame", effect),
        ("ame_se", se),
        ("ame_lower", effect - z * se),
        ("ame_upper", effect + z * se),
    ):
        table[key] = np.concatenate([[math.nan], values])
    measures, groups = _logistic_measures(design, p, float(found.llf), float(found.llnull), level)
    false, true, threshold = roc(design.y, p)
    curve = pd.DataFrame({"false_positive": false, "true_positive": true, "threshold": threshold})
    return Regression(
        table, measures, curve, groups, outcome, "logistic", errors, len(p), design.n_collected, design.references,
        level,
    )  # fmt: skip


def _coefficients(design: Design, b: Array, cov: Array, level: float, df: int | None) -> pd.DataFrame:
    """Return the table of coefficients, by Student's t with `df` or the normal."""
    se = np.sqrt(np.diag(cov))
    statistic = b / se
    tail = stdtr(df, -np.abs(statistic)) if df is not None else ndtr(-np.abs(statistic))
    width = float(stdtrit(df, 0.5 + level / 2.0)) if df is not None else float(ndtri(0.5 + level / 2.0))
    return pd.DataFrame(
        {
            "b": b,
            "se": se,
            "statistic": statistic,
            "pvalue": 2.0 * tail,
            "ci_lower": b - width * se,
            "ci_upper": b + width * se,
            "vif": np.concatenate([[math.nan], variance_inflation(design.X[:, 1:])]),
        },
        index=pd.Index(["(constant)", *design.terms], name="term"),
    )


def _logit_covariance(X: Array, y: Array, p: Array, errors: str) -> Array:
    """Return the covariance of the estimates: (X'WX)⁻¹, or HC3 with squared residuals over (1 − leverage)²."""
    weight = p * (1.0 - p)
    bread = np.linalg.inv((X * weight[:, None]).T @ X)
    if errors == "model":
        return np.asarray(bread)
    leverage = weight * np.einsum("ij,jk,ik->i", X, bread, X)
    residual = (y - p) / (1.0 - leverage)
    return np.asarray(bread @ (X * (residual**2)[:, None]).T @ X @ bread)


def _marginal(design: Design, b: Array, p: Array) -> tuple[Array, Array]:
    """Return the average marginal effects, shape (k,), and their derivatives by the estimates, shape (k, 1 + k)."""
    X = design.X
    k = len(design.terms)
    effects, slopes = np.empty(k), np.empty((k, k + 1))
    density = p * (1.0 - p)
    for j in range(1, k + 1):
        if design.dummy[j - 1]:
            one, zero = X.copy(), X.copy()
            one[:, j], zero[:, j] = 1.0, 0.0
            p1, p0 = expit(one @ b), expit(zero @ b)
            effects[j - 1] = float((p1 - p0).mean())
            slopes[j - 1] = ((p1 * (1 - p1))[:, None] * one - (p0 * (1 - p0))[:, None] * zero).mean(axis=0)
        else:
            effects[j - 1] = b[j] * float(density.mean())
            slopes[j - 1] = b[j] * ((density * (1.0 - 2.0 * p))[:, None] * X).mean(axis=0)
            slopes[j - 1, j] += float(density.mean())
    return effects, slopes


def _logistic_measures(
    design: Design, p: Array, likelihood: float, null: float, level: float
) -> tuple[dict[str, float], pd.DataFrame]:
    y, k = design.y, len(design.terms)
    area, _, lower, upper = auc(y, p, level=level)
    fit = calibration(y, p)
    chisq = 2.0 * (likelihood - null)
    measures = {
        "lr_chisq": chisq,
        "lr_df": float(k),
        "lr_pvalue": float(chdtrc(k, chisq)),
        "mcfadden_r2": 1.0 - likelihood / null,
        "tjur_r2": float(p[y == 1].mean() - p[y == 0].mean()),
        "auc": area,
        "auc_lower": lower,
        "auc_upper": upper,
        "brier": brier(y, p),
        "brier_constant": float(y.mean() * (1.0 - y.mean())),
        "hosmer_lemeshow": fit.chisq,
        "hosmer_lemeshow_df": float(fit.df),
        "hosmer_lemeshow_pvalue": fit.pvalue,
    }
    groups = pd.DataFrame({"n": fit.n, "predicted": fit.predicted, "observed": fit.observed})
    groups.index = pd.RangeIndex(1, len(groups) + 1, name="group")
    return measures, groups
