"""The words of the section on partial least squares, in English and Chinese."""

from __future__ import annotations

PLS_WORDS: dict[str, tuple[str, str]] = {
    "pls": ("Partial least squares beside covariance-based SEM", "偏最小二乘（PLS-SEM）与协方差法（CB-SEM）对照"),
    "pls_methods_caption": ("Standardised paths by method", "不同方法的标准化路径系数"),
    "pls_methods_note": (
        (
            "CB-SEM: covariance-based, {estimator}. PLSc: consistent partial least squares, correlations of constructs "
            "corrected for unreliability. PLS: {scheme} weighting. Sums: regression of sums of standardised items. "
            "Attenuation: PLS paths are those of composites, which contain the errors of their items. Misfit: the "
            "model does not reproduce the correlations, so methods that weigh them differently disagree."
        ),
        (
            "CB-SEM 为协方差法（{estimator}）；PLSc 为一致性偏最小二乘，对构念相关作不可靠性校正；"
            "PLS 采用{scheme}加权；“加总”为标准化题项之和的回归。“衰减”：PLS 路径是合成变量间的路径，"
            "合成变量含题项误差；“失拟”：模型未能复现相关矩阵，各方法对相关的利用不同，故结果不一。"
        ),
    ),
    "pls_sums": ("Sums", "加总"),
    "pls_reason": ("Difference", "差异来源"),
    "pls_not_certified": (" (not certified)", "（未通过检验）"),
    "pls_not_admissible": (" (not admissible)", "（不可接受）"),
    "attenuation": ("attenuation", "衰减"),
    "misfit": ("misfit", "失拟"),
    "they agree": ("they agree", "一致"),
    "no proper solution": ("no proper solution", "无正常解"),
    "scheme_path": ("path", "路径"),
    "scheme_centroid": ("centroid", "质心"),
    "scheme_factorial": ("factorial", "因子"),
    "pls_paths_caption": ("PLS: paths, collinearity and effect size", "PLS：路径系数、共线性与效应量"),
    "pls_drawn": (
        "SE, t, p and 95% percentile intervals from {draws} bootstrap draws (seed {seed}); {failed} draws failed.",
        "SE、t、p 与 95% 百分位区间来自 {draws} 次 bootstrap 抽样（种子 {seed}）；失败 {failed} 次。",
    ),
    "pls_inner_note": (
        (
            "VIF: variance inflation factor of a cause among the causes of the same outcome. f² = (R² − R² without the "
            "cause) / (1 − R²)."
        ),
        "VIF 为方差膨胀因子（同一结果变量的各原因之间）；f² =（R² − 去除该原因后的 R²）/（1 − R²）。",
    ),
    "pls_outer_caption": ("PLS: weights and loadings", "PLS：权重与载荷"),
    "pls_outer_note": (
        "Mode A: the construct is reflected in its items; mode B: it is formed by them.",
        "模式 A 为反映型，模式 B 为形成型。",
    ),
    "pls_mode": ("Mode", "模式"),
    "pls_weight": ("Weight", "权重"),
    "pls_loading": ("Loading", "载荷"),
    "pls_reliability_caption": ("PLS: reliability and explained variance", "PLS：信度与解释方差"),
    "pls_reliability_note": (
        (
            "α: Cronbach's alpha of standardised items; ρA: Dijkstra and Henseler; ρC: composite reliability; AVE: "
            "average variance extracted."
        ),
        "α 为标准化题项的克朗巴哈系数；ρA 为 Dijkstra–Henseler 系数；ρC 为组合信度；AVE 为平均方差抽取量。",
    ),
    "pls_items": ("Items", "题项数"),
    "pls_r2_adjusted": ("R² adj.", "调整 R²"),
    "pls_htmt_caption": ("PLS: heterotrait–monotrait ratios (HTMT)", "PLS：异质—单质比率（HTMT）"),
    "pls_htmt_note": (
        (
            "HTMT: mean correlation of items of two constructs over the geometric mean of those within them; 0.90 or "
            "more, or an interval with 1, speaks against two constructs."
        ),
        "HTMT 为两构念间题项相关均值与构念内题项相关几何平均之比；达到 0.90 或区间含 1，说明两构念难以区分。",
    ),
    "pls_pair": ("Constructs", "构念对"),
    "pls_fit_caption": ("PLS: model fit", "PLS：模型拟合"),
    "pls_fit_note": (
        (
            "Saturated: constructs correlate freely; estimated: as the paths imply. Measures of distance between the "
            "correlations of the sample and of the model."
        ),
        "饱和模型：构念间自由相关；估计模型：相关由路径推出。各指标度量样本相关与模型相关之间的距离。",
    ),
    "pls_measure": ("Measure", "指标"),
    "pls_saturated": ("Saturated", "饱和模型"),
    "pls_estimated": ("Estimated", "估计模型"),
    "pls_bad": (
        "The PLS solution is not admissible and must not be reported: {problems}",
        "PLS 解不可接受，不得报告：{problems}",
    ),
    "advice_formed": (
        "{names}: formed by items, which is what PLS is made for.",
        "{names}由题项形成（形成型构念），PLS 适用于这类构念。",
    ),
    "advice_misfit": (
        (
            "The model does not fit ({measures}), which no choice of method repairs: look at the residuals before "
            "reporting paths."
        ),
        "模型拟合不佳（{measures}），更换估计方法无法弥补；报告路径之前应先检查残差。",
    ),
    "advice_report_cb": (
        (
            "Report covariance-based SEM: its solution is certified and the model fits. PLSc should agree with it; PLS "
            "paths are those of composites, attenuated by the errors of their items."
        ),
        (
            "建议报告协方差法的结果：其解通过检验且模型拟合良好。PLSc 应与之相近；"
            "PLS 路径是合成变量间的路径，因题项误差而衰减。"
        ),
    ),
    "advice_no_cb": (
        "There is no covariance-based solution: {reason}",
        "协方差法没有解：{reason}",
    ),
    "advice_uncertified_cb": (
        "The covariance-based solution is not certified (the first section says why).",
        "协方差法的解未通过检验（原因见报告第一节）。",
    ),
    "advice_report_plsc": (
        "Report PLSc, and say that the model has no proper solution by maximum likelihood.",
        "建议报告 PLSc，并说明该模型在极大似然下没有正常解。",
    ),
    "advice_report_pls": (
        (
            "PLSc is not admissible either. PLS always gives numbers: report them as paths between composites, not "
            "between the constructs behind them, and say why the others fail."
        ),
        (
            "PLSc 的解同样不可接受。PLS 总能给出数值：只能作为合成变量间的路径报告，"
            "不能视为潜在构念间的路径，并须说明其他方法为何失败。"
        ),
    ),
    "advice_report_none": (
        "No method has an admissible solution; the measurement has to change first.",
        "各方法均无可接受的解；须先改进测量。",
    ),
    "advice_alike": (
        "Constructs that the answers hardly tell apart (HTMT): {pairs}. Merge them or drop one.",
        "作答几乎无法区分下列构念（HTMT）：{pairs}。应合并或删去其一。",
    ),
}
