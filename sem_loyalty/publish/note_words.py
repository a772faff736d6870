"""What the abbreviations in tables stand for, and how their intervals are made, in English and Chinese."""

from __future__ import annotations

NOTE_WORDS: dict[str, tuple[str, str]] = {
    "wald_note": ("95% Wald intervals (estimate ± 1.96 SE).", "95% 置信区间为 Wald 区间（估计值 ± 1.96 SE）。"),
    "rmsea_interval_note": (
        "90% interval of RMSEA from the noncentral χ² distribution.",
        "RMSEA 的 90% 置信区间由非中心 χ² 分布得到。",
    ),
    "drivers_interval": (
        "95% percentile intervals from {draws} bootstrap draws.",
        "95% 置信区间为 {draws} 次自助抽样（bootstrap）的百分位区间。",
    ),
    "map_interval": (
        "95% intervals of importance: percentile, from {draws} bootstrap draws; of performance: Wald.",
        "重要性的 95% 置信区间为 {draws} 次自助抽样（bootstrap）的百分位区间，绩效的为 Wald 区间。",
    ),
    "main_specification": ("N, estimator and missing answers: main specification.", "N、估计方法与缺失值均指主设定。"),
}

#: What an abbreviation in a head, a caption or a note stands for, in the order in which a note defines them.
ABBREVIATIONS: dict[str, tuple[str, str]] = {
    "M": ("mean", "均值"),
    "SD": ("standard deviation", "标准差"),
    "B": ("unstandardised coefficient", "非标准化系数"),
    "β": ("standardised coefficient", "标准化系数"),
    "λ": ("standardised loading", "标准化载荷"),
    "SE": ("standard error", "标准误"),
    "CI": ("confidence interval", "置信区间"),
    "r": ("correlation", "相关系数"),
    "CFI": ("comparative fit index", "比较拟合指数"),
    "TLI": ("Tucker–Lewis index", "Tucker–Lewis 指数"),
    "RMSEA": ("root mean square error of approximation", "近似误差均方根"),
    "SRMR": ("standardised root mean square residual", "标准化残差均方根"),
    "GFI": ("goodness-of-fit index", "拟合优度指数"),
    "NFI": ("normed fit index", "规范拟合指数"),
    "NNFI": ("non-normed fit index", "非规范拟合指数"),
    "AIC": ("Akaike information criterion", "Akaike 信息准则"),
    "BIC": ("Bayesian information criterion", "贝叶斯信息准则"),
    "SABIC": ("sample-size adjusted BIC", "样本量校正的 BIC"),
    "α": ("Cronbach's alpha", "Cronbach 系数"),
    "ω": ("McDonald's omega", "McDonald 系数"),
    "CR": ("composite reliability", "组合信度"),
    "AVE": ("average variance extracted", "平均方差提取量"),
    "HTMT": ("heterotrait–monotrait ratio of correlations", "异质—单质比率"),
    "VIF": ("variance inflation factor", "方差膨胀因子"),
    "MI": ("modification index", "修正指数"),
    "EPC": ("expected parameter change", "预期参数变化"),
    "SEPC": ("standardised EPC", "标准化 EPC"),
    "KMO": ("Kaiser–Meyer–Olkin measure of sampling adequacy", "Kaiser–Meyer–Olkin 取样适切性"),
    "NPS": ("net promoter score", "净推荐值"),
    "SS": ("sum of squares", "平方和"),
    "LMG": ("Lindeman, Merenda and Gold", "Lindeman–Merenda–Gold"),
    "CB-SEM": ("covariance-based structural equation modelling", "基于协方差的结构方程模型"),
    "PLS": ("partial least squares", "偏最小二乘"),
    "PLSc": ("consistent partial least squares", "一致性偏最小二乘"),
}
