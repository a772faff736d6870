"""Tables of a fit: measures of fit, loadings, paths, variances, defined effects, explained variance."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sem_loyalty.display import Cell, Column, Table
from sem_loyalty.publish.lang import word


@dataclass(frozen=True, slots=True)
class Edition:
    """What all tables of a report share.

    Attributes
    ----------
    lang : {"en", "zh"}
        Language.
    labels : mapping of str to str
        Reader's name by variable; a variable without one is called by its name.
    basis : str
        Respondents, estimator and rule for missing answers, for the note of every table.
    certified : bool, default True
        False adds a warning to every table of the fit and withholds verdicts.
    simulated : bool, default False
        True adds to every table that the data are simulated.
    groups : tuple of str, default ("",)
        Groups of the fit, in order.
    """

    lang: str
    labels: Mapping[str, str] = field(default_factory=dict)
    basis: str = ""
    certified: bool = True
    simulated: bool = False
    groups: tuple[str, ...] = ("",)

    def label(self, name: str) -> str:
        """Return the reader's name of a variable."""
        return self.labels.get(name, name)

    def word(self, key: str, **values: object) -> str:
        """Return a word in the language of the edition."""
        return word(key, self.lang, **values)

    def note(self, *sentences: str, basis: str | None = None, fit: bool = True) -> str:
        """Return the note of a table.

        Parameters
        ----------
        *sentences : str
            What this table needs to say.
        basis : str, optional
            Respondents and rule for missing answers where they differ from those of the fit.
        fit : bool, default True
            Whether the table shows numbers of the fit, which must not be reported without certificate.
        """
        parts = [self.word("uncertified_note")] if fit and not self.certified else []
        parts += [self.word("simulated_short")] if self.simulated else []
        parts += [self.basis if basis is None else basis, *sentences]
        # Chinese sentences end with their own full stop and take no blank after it.
        return (" " if self.lang == "en" else "").join(part for part in parts if part)


def basis(lang: str, *, n: Mapping[str, int], estimator: str = "", missing: str = "") -> str:
    """Return "N = 300; estimator ML; missing answers: listwise." for the note of a table.

    Parameters
    ----------
    lang : {"en", "zh"}
        Language.
    n : mapping of str to int
        Respondents by group; one entry where there is one group.
    estimator, missing : str, default ""
        Left out where empty.
    """
    total = sum(n.values())
    if len(n) > 1:
        listed = ", ".join(f"{label}: {count}" for label, count in n.items())
        parts = [word("note_groups", lang, n=total, groups=listed)]
    else:
        parts = [word("note_n", lang, n=total)]
    parts += [word("note_estimator", lang, estimator=estimator)] if estimator else []
    parts += [word("note_missing", lang, missing=missing)] if missing else []
    return "; ".join(parts) + "." if lang == "en" else "；".join(parts) + "。"


# The p value that belongs to a measure.
_TESTED = {
    "chisq": "pvalue",
    "chisq_scaled": "pvalue_scaled",
    "rmsea": "rmsea_pvalue",
    "rmsea_robust": "rmsea_pvalue_robust",
    "baseline_chisq": "baseline_pvalue",
}

# Key, name, digits, leading zero dropped, definition in English and in Chinese. TLI and its like may pass 1 by a
# little; all indices on this scale are written alike.
_MEASURES: tuple[tuple[str, str, int, bool, str, str], ...] = (
    ("chisq", "χ²", 3, False, "N times the minimum of the discrepancy", "N 乘以拟合函数的最小值"),
    ("df", "df", 0, False, "sample moments less free parameters", "样本矩个数减自由参数个数"),
    (
        "chisq_scaled",
        "χ² (scaled)",
        3,
        False,
        "corrected for non-normality, as the estimator says",
        "按所用估计方法对非正态性校正",
    ),
    ("chisq_scaling_factor", "scaling factor", 3, False, "of the corrected χ²", "校正系数"),
    ("chisq_df", "χ²/df", 3, False, "ratio", "比值"),
    ("cfi", "CFI", 3, True, "comparative fit index (Bentler, 1990)", "比较拟合指数（Bentler, 1990）"),
    ("tli", "TLI", 3, True, "Tucker–Lewis index (1973), also NNFI", "Tucker–Lewis 指数（1973），又称 NNFI"),
    ("cfi_robust", "CFI (robust)", 3, True, "Brosseau-Liard and Savalei (2014)", "Brosseau-Liard 与 Savalei（2014）"),
    ("tli_robust", "TLI (robust)", 3, True, "Brosseau-Liard and Savalei (2014)", "Brosseau-Liard 与 Savalei（2014）"),
    (
        "rmsea_robust",
        "RMSEA (robust)",
        3,
        True,
        "Brosseau-Liard, Savalei and Li (2012)",
        "Brosseau-Liard, Savalei 与 Li（2012）",
    ),
    ("rmsea", "RMSEA", 3, True, "90 % CI, p of close fit ≤ 0.05", "90 % 置信区间，p 检验 RMSEA ≤ 0.05"),
    (
        "srmr",
        "SRMR",
        3,
        True,
        "standardised root mean square residual (Bentler, 1995)",
        "标准化残差均方根（Bentler, 1995）",
    ),
    (
        "gfi",
        "GFI",
        3,
        True,
        "Jöreskog–Sörbom: 1 − tr[(Σ⁻¹S − I)²] / tr[(Σ⁻¹S)²]",
        "Jöreskog–Sörbom：1 − tr[(Σ⁻¹S − I)²] / tr[(Σ⁻¹S)²]",
    ),
    ("agfi", "AGFI", 3, True, "Jöreskog–Sörbom, GFI adjusted for df", "Jöreskog–Sörbom，按自由度调整"),
    ("pgfi", "PGFI", 3, True, "GFI weighted by parsimony", "简约 GFI"),
    ("nfi", "NFI", 3, True, "normed fit index (Bentler and Bonett, 1980)", "规范拟合指数（Bentler 与 Bonett, 1980）"),
    ("pnfi", "PNFI", 3, True, "NFI weighted by parsimony", "简约 NFI"),
    ("ifi", "IFI", 3, True, "incremental fit index (Bollen, 1989)", "增值拟合指数（Bollen, 1989）"),
    ("rfi", "RFI", 3, True, "relative fit index (Bollen, 1986)", "相对拟合指数（Bollen, 1986）"),
    (
        "rni",
        "RNI",
        3,
        True,
        "relative noncentrality index (McDonald and Marsh, 1990)",
        "相对非中心性指数（McDonald 与 Marsh, 1990）",
    ),
    ("mfi", "MFI", 3, True, "McDonald's centrality index (1989)", "McDonald 中心性指数（1989）"),
    (
        "crmr",
        "CRMR",
        3,
        True,
        "root mean square residual of correlations (Bollen, 1989)",
        "相关残差均方根（Bollen, 1989）",
    ),
    ("cn_05", "CN", 1, False, "Hoelter's critical N at α = 0.05", "Hoelter 临界样本量，α = 0.05"),
    ("ecvi", "ECVI", 3, False, "expected cross-validation index", "期望交叉验证指数"),
    ("logl", "log L", 3, False, "of the model", "模型的对数似然"),
    ("aic", "AIC", 1, False, "−2 log L + 2q", "−2 log L + 2q"),
    ("bic", "BIC", 1, False, "−2 log L + q ln N", "−2 log L + q ln N"),
    ("bic2", "SABIC", 1, False, "−2 log L + q ln((N + 2)/24)", "−2 log L + q ln((N + 2)/24)"),
    ("npar", "q", 0, False, "free parameters", "自由参数个数"),
    ("baseline_chisq", "χ² (baseline)", 3, False, "of the model of independence", "独立模型的 χ²"),
    ("baseline_df", "df (baseline)", 0, False, "of the model of independence", "独立模型的自由度"),
)


def fit_table(measures: Mapping[str, Any], edition: Edition) -> Table:
    """Return the measures of fit with their definitions.

    Parameters
    ----------
    measures : mapping of str to number
        By lavaan's names; absent ones are left out.
    edition : Edition
        Language and note.

    Returns
    -------
    Table
        Rows keyed by lavaan's names; the interval of RMSEA covers 90 %, its p tests RMSEA ≤ 0.05.
    """
    known = dict(measures.items())
    if known.get("df") and known.get("chisq") is not None:
        known["chisq_df"] = known["chisq"] / known["df"]
    rows: list[dict[str, object]] = []
    for key, name, digits, bounded, english, chinese in _MEASURES:
        if known.get(key) is None:
            continue
        row: dict[str, object] = {
            "id": key,
            "measure": name,
            "value": Cell(known[key], "number", digits, bounded),
            "definition": english if edition.lang == "en" else chinese,
        }
        row["p"] = known.get(_TESTED[key]) if key in _TESTED else None
        low, high = (key.replace("rmsea", f"rmsea_ci_{end}", 1) for end in ("lower", "upper"))
        if key.startswith("rmsea") and known.get(low) is not None:
            row["interval"] = (known[low], known[high])
        rows.append(row)
    columns = (
        Column("measure", edition.word("measure")),
        Column("value", edition.word("value"), "number"),
        Column("interval", edition.word("interval90"), "interval", 3, bounded=True),
        Column("p", "p", "p"),
        Column("definition", edition.word("definition")),
    )
    kept = tuple({key: value for key, value in row.items() if key != "id"} for row in rows)
    return Table("fit", edition.word("fit_caption"), columns, kept, edition.note(), edition.lang)


def _estimate_table(
    frame: pd.DataFrame,
    edition: Edition,
    *,
    id: str,
    caption: str,
    leading: tuple[Column, ...],
    describe: Callable[[Mapping[Hashable, Any]], dict[str, object]],
    symbol: str = "β",
    bounded: bool = False,
    note: str = "",
) -> Table:
    """Return rows of `estimates` as a Table: leading columns, then B, SE, z, p, interval and the standardised value."""
    several = len(edition.groups) > 1
    rows: list[dict[str, object]] = []
    for row in frame.to_dict("records"):
        fixed = not row["se"] > 0
        rows.append(
            describe(row)
            | {
                "group": edition.groups[row["group"] - 1] if several and row["group"] else None,
                "est": row["est"],
                "se": None if fixed else row["se"],
                "z": None if fixed else row["z"],
                "p": None if fixed else row["pvalue"],
                "interval": None if fixed else (row["ci_lower"], row["ci_upper"]),
                # An effect over groups has no standardised value of its own: each group has other variances.
                "std": None if several and not row["group"] else row["std_all"],
            }
        )
    columns = [*leading]
    columns += [Column("group", edition.word("group"))] if several else []
    columns += [
        Column("est", "B", "number"),
        Column("se", "SE", "number"),
        Column("z", "z", "number", 2),
        Column("p", "p", "p"),
        Column("interval", edition.word("interval"), "interval"),
        Column("std", symbol, "number", 3, bounded),
    ]
    kept = [column.key for column in columns]
    clean = tuple({key: value for key, value in row.items() if key in kept} for row in rows)
    return Table(id, caption, tuple(columns), clean, edition.note(note), edition.lang)


def loadings_table(frame: pd.DataFrame, edition: Edition) -> Table:
    """Return the loadings: rows of `estimates` with ``=~``."""
    return _estimate_table(
        frame[frame["op"] == "=~"],
        edition,
        id="loadings",
        caption=edition.word("loadings_caption"),
        leading=(Column("construct", edition.word("construct")), Column("item", edition.word("item"))),
        describe=lambda row: {"construct": edition.label(row["lhs"]), "item": edition.label(row["rhs"])},
        symbol="λ",
        bounded=True,
        note=edition.word("loading_note"),
    )


def paths_table(frame: pd.DataFrame, edition: Edition) -> Table:
    """Return the regressions: rows of `estimates` with ``~``, written from cause to outcome."""
    return _estimate_table(
        frame[frame["op"] == "~"],
        edition,
        id="paths",
        caption=edition.word("paths_caption"),
        leading=(Column("path", edition.word("path")),),
        describe=lambda row: {"path": f"{edition.label(row['rhs'])} → {edition.label(row['lhs'])}"},
        bounded=True,
        note=edition.word("standardised_note"),
    )


def covariances_table(frame: pd.DataFrame, edition: Edition, *, variances: bool = False) -> Table:
    """Return the covariances, or with `variances` the (residual) variances: rows of `estimates` with ``~~``."""
    own = frame["lhs"] == frame["rhs"]
    kind = "variances" if variances else "covariances"
    return _estimate_table(
        frame[(frame["op"] == "~~") & (own if variances else ~own)],
        edition,
        id=kind,
        caption=edition.word(f"{kind}_caption"),
        leading=(Column("path", edition.word("variable" if variances else "pair")),),
        describe=lambda row: {
            "path": edition.label(row["lhs"])
            if variances
            else f"{edition.label(row['lhs'])} ↔ {edition.label(row['rhs'])}"
        },
        symbol=edition.word("standardised_variance") if variances else "r",
        bounded=True,
        note=edition.word("variance_note" if variances else "covariance_note"),
    )


def intercepts_table(frame: pd.DataFrame, edition: Edition) -> Table:
    """Return the means and intercepts: rows of `estimates` with ``~1``."""
    return _estimate_table(
        frame[frame["op"] == "~1"],
        edition,
        id="intercepts",
        caption=edition.word("intercepts_caption"),
        leading=(Column("path", edition.word("variable")),),
        describe=lambda row: {"path": edition.label(row["lhs"])},
        symbol=edition.word("standardised_variance"),
    )


def effects_table(frame: pd.DataFrame, edition: Edition) -> Table:
    """Return the effects that the model defines: rows of `estimates` with ``:=``."""
    return _estimate_table(
        frame[frame["op"] == ":="],
        edition,
        id="effects",
        caption=edition.word("effects_caption"),
        leading=(Column("effect", edition.word("effect")), Column("expression", edition.word("expression"))),
        describe=lambda row: {"effect": edition.label(row["lhs"]), "expression": row["rhs"]},
        bounded=True,
        note=edition.word("effects_note"),
    )


def r_squared_table(frame: pd.DataFrame, outcomes: tuple[str, ...], edition: Edition) -> Table:
    """Return the explained variance of the outcomes of the structural model.

    Parameters
    ----------
    frame : DataFrame
        From `r_squared`: variable, group, r2.
    outcomes : tuple of str
        Variables that a path explains.
    edition : Edition
        Language, labels and note.

    Returns
    -------
    Table
    """
    several = len(edition.groups) > 1
    columns = [Column("outcome", edition.word("outcome"))]
    columns += [Column("group", edition.word("group"))] if several else []
    columns += [Column("r2", "R²", "number", 3, bounded=True)]
    rows = []
    for row in frame[frame["variable"].isin(outcomes)].to_dict("records"):
        found: dict[str, object] = {"outcome": edition.label(row["variable"]), "r2": row["r2"]}
        rows.append(found | ({"group": edition.groups[row["group"] - 1]} if several else {}))
    return Table("r-squared", edition.word("r2_caption"), tuple(columns), tuple(rows), edition.note(), edition.lang)


def modification_table(frame: pd.DataFrame, edition: Edition, *, rows: int = 10) -> Table:
    """Return the largest modification indices.

    Parameters
    ----------
    frame : DataFrame
        From `modification_indices`: lhs, op, rhs, group, mi, epc, sepc_all, largest first.
    edition : Edition
        Language, labels and note.
    rows : int, default 10
        How many.

    Returns
    -------
    Table
    """
    several = len(edition.groups) > 1
    columns = [Column("parameter", edition.word("parameter"))]
    columns += [Column("group", edition.word("group"))] if several else []
    columns += [Column("mi", "MI", "number", 2), Column("epc", "EPC", "number"), Column("sepc", "SEPC", "number", 3)]
    body: list[dict[str, object]] = []
    for row in frame.head(rows).to_dict("records"):
        found: dict[str, object] = {"parameter": f"{row['lhs']} {row['op']} {row['rhs']}", "mi": row["mi"]}
        found |= {"epc": row["epc"], "sepc": row["sepc_all"]}
        body.append(found | ({"group": edition.groups[row["group"] - 1]} if several else {}))
    note = edition.note(edition.word("modification_note"))
    return Table("modification", edition.word("modification_caption"), tuple(columns), tuple(body), note, edition.lang)
