"""The table of fit measures, each with what it is for the estimator used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sem_loyalty.display import Cell, Column, Table
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.publish.tables import Edition

# The p value that belongs to a measure.
_TESTED = {
    "chisq": "pvalue",
    "chisq_scaled": "pvalue_scaled",
    "rmsea": "rmsea_pvalue",
    "rmsea_robust": "rmsea_pvalue_robust",
    "rmsea_scaled": "rmsea_pvalue_scaled",
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
    ("cfi_scaled", "CFI (scaled)", 3, True, "from the corrected χ²", "由校正 χ² 计算"),
    ("tli_scaled", "TLI (scaled)", 3, True, "from the corrected χ²", "由校正 χ² 计算"),
    ("rmsea_scaled", "RMSEA (scaled)", 3, True, "from the corrected χ²", "由校正 χ² 计算"),
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
    ("rmsea", "RMSEA", 3, True, "90% CI, p of close fit ≤ 0.05", "90% 置信区间，p 检验 RMSEA ≤ 0.05"),
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

# Made from the plain statistic as a chi-square, which it has to be for them to mean anything.
_OF_A_TEST = frozenset(
    (
        *("chisq_df", "cfi", "tli", "rmsea", "nfi", "pnfi", "ifi", "rfi", "rni", "mfi"),
        *("cn_05", "ecvi", "baseline_chisq", "baseline_df"),
    )
)


def fit_table(measures: Mapping[str, Any], edition: Edition, fitted: Fit | None = None) -> Table:
    """Return the measures of fit with their definitions.

    Parameters
    ----------
    measures : mapping of str to number
        By lavaan's names; absent ones are left out.
    edition : Edition
        Language and note.
    fitted : Fit, optional
        The fit, whose estimator says what some of the measures are; by default maximum likelihood.

    Returns
    -------
    Table
        The interval of RMSEA covers 90%, its p tests RMSEA ≤ 0.05.
    """
    known = dict(measures.items())
    if known.get("df") and known.get("chisq") is not None:
        known["chisq_df"] = known["chisq"] / known["df"]
    own = {} if fitted is None else _definitions(fitted)
    untested = fitted is not None and fitted.df > 0 and not fitted.tested
    if untested:
        known = {key: value for key, value in known.items() if key not in _OF_A_TEST}
    rows: list[dict[str, object]] = []
    for key, name, digits, bounded, english, chinese in _MEASURES:
        if known.get(key) is None:
            continue
        english, chinese = own.get(key, (english, chinese))
        row: dict[str, object] = {
            "measure": edition.word("statistic_minimum") if key == "chisq" and untested else name,
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
    note = edition.note(edition.word("rmsea_interval_note") if any("interval" in row for row in rows) else "")
    return Table("fit", edition.word("fit_caption"), columns, tuple(rows), note, edition.lang)


_INCOMPLETE = ("Zhang and Savalei (2022)", "Zhang 与 Savalei（2022）")


def _definitions(fitted: Fit) -> dict[str, tuple[str, str]]:
    """Return the definitions that depend on the estimator, in English and in Chinese."""
    spec, estimator, several = fitted.specification, fitted.estimator, len(fitted.moments.groups) > 1
    corrected = {
        "MLM": ("Satorra–Bentler correction for non-normality", "Satorra–Bentler 非正态性校正"),
        "MLMV": ("scaled and shifted for non-normality (MLMV)", "非正态性的均值与方差校正（MLMV）"),
        "MLR": ("Yuan–Bentler–Mplus correction for non-normality", "Yuan–Bentler–Mplus 非正态性校正"),
        "WLSMV": ("scaled and shifted (WLSMV)", "均值与方差校正（WLSMV）"),
        "ULSMV": ("scaled and shifted (ULSMV)", "均值与方差校正（ULSMV）"),
    }
    found = {"chisq_scaled": corrected[estimator]} if estimator in corrected else {}
    if spec.ordered or fitted.moments.missing == "fiml":
        source = ("Savalei (2021)", "Savalei（2021）") if spec.ordered else _INCOMPLETE
        found |= {f"{key}_robust": source for key in ("cfi", "tli", "rmsea")}
    if fitted.test_n == fitted.moments.n:
        found["chisq"] = ("N times the minimum of F_ML: the likelihood ratio", "N 乘以 F_ML 的最小值，即似然比统计量")
        if fitted.moments.missing == "fiml":
            found["chisq"] = ("likelihood ratio of the answers present", "由现有作答计算的似然比统计量")
            found["gfi"] = (
                "share of the moments of the answers present that is explained, by the information in them",
                "现有作答的矩中被解释的比例，按其所含信息加权",
            )
        elif spec.meanstructure:
            found["gfi"] = (
                "Jöreskog–Sörbom, means and covariances weighted by Σ⁻¹",
                "Jöreskog–Sörbom，均值与协方差以 Σ⁻¹ 加权",
            )
        return found
    factor = "N − G" if several else "N − 1"
    weight = {"GLS": "S⁻¹", "ULS": "I", "ULSMV": "I"}.get(estimator, f"W ({estimator})")
    moments = ("thresholds and polychoric correlations", "阈值与多分相关") if spec.ordered else ("moments", "样本矩")
    found["chisq"] = (
        f"{factor} times the minimum of the {estimator} discrepancy",
        f"{factor} 乘以 {estimator} 拟合函数的最小值",
    )
    if not fitted.tested and fitted.df:
        found["chisq"] = (f"{found['chisq'][0]}; not a χ²", f"{found['chisq'][1]}；不服从 χ² 分布")
    found["gfi"] = (
        f"1 − r′Wr / s′Ws; s: sample {moments[0]}, r: their residuals, weight {weight}",
        f"1 − r′Wr / s′Ws；s 为{moments[1]}，r 为其残差，权重为 {weight}",
    )
    return found
