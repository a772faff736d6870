"""The words of the section on measured loyalty, in English and Chinese."""

from __future__ import annotations

LOYALTY_WORDS: dict[str, tuple[str, str]] = {
    "loyalty": ("Measured loyalty and its drivers", "忠诚度测量与驱动因素"),
    "plot_importance": (
        "Importance: total effect on {outcome} (points per point)",
        "重要性：对{outcome}的总效应（每提高 1 分）",
    ),
    "plot_performance": ("Performance (0 to 100)", "绩效（0–100）"),
    "improve first": ("improve first", "优先改进"),
    "keep up": ("keep up", "继续保持"),
    "low priority": ("low priority", "低优先级"),
    "possible overkill": ("possible overkill", "可能投入过度"),
    "plot_share": ("Share of the explained variance of {outcome}, %", "对{outcome}解释方差的贡献率（%）"),
    "plot_strongest": ("P(strongest)", "最强的概率"),
    "plot_segment": ("Segment {k} ({share}%)", "细分群体 {k}（{share}%）"),
    "plot_score": ("Mean score (0 to 100)", "平均得分（0–100）"),
    "plot_expected": ("Expected {outcome}", "{outcome}的期望值"),
    "plot_slope": ("Slope of {predictor}", "{predictor}的斜率"),
    "plot_in_sd": ("{name} (SD from the mean)", "{name}（与均值之差，单位：标准差）"),
    "plot_low": ("{name}: −1 SD", "{name}：−1 SD"),
    "plot_average": ("mean", "均值"),
    "plot_high": ("+1 SD", "+1 SD"),
    "plot_significant": ("slope differs from zero", "斜率显著不为零"),
    "detractors": ("Detractors (0–6)", "贬损者（0–6）"),
    "passives": ("Passives (7–8)", "被动者（7–8）"),
    "promoters": ("Promoters (9–10)", "推荐者（9–10）"),
    "nps": ("NPS", "NPS"),
    "all": ("All", "全体"),
    "plot_drivers": ("Key drivers: shares of the explained variance.", "关键驱动因素：解释方差的贡献率。"),
    "plot_map": ("Importance–performance map.", "重要性—绩效图。"),
    "plot_segments": ("Profile of the segments.", "细分群体的特征。"),
    "plot_nps": ("Net promoter score.", "净推荐值。"),
    "plot_bars": (
        "Bars: 95% intervals, those of importance and shares from {draws} bootstrap draws.",
        "误差线为 95% 置信区间，重要性与贡献率的区间来自 {draws} 次自助抽样。",
    ),
    "plot_means": ("Dashed lines: means.", "虚线为均值。"),
    "nps_caption": ("Net promoter score", "净推荐值（NPS）"),
    "nps_note": (
        "Promoters: 9 and 10; detractors: 0 to 6. Interval: score interval of Tango (1998).",
        "推荐者为 9–10 分，贬损者为 0–6 分。置信区间为 Tango（1998）得分区间。",
    ),
    "scores_caption": ("Scores of respondents on 0 to 100", "受访者得分（0–100）"),
    "scores_note": (
        "Factor scores (regression) moved to 0 to 100 by the ends of the answer scale.",
        "因子得分（回归法），按量尺两端换算为 0–100。",
    ),
    "median": ("Median", "中位数"),
    "reliability_of_scores": ("Reliability", "信度"),
    "drivers_caption": ("Key drivers of {outcome}", "{outcome}的关键驱动因素"),
    "drivers_note": (
        (
            "Parts of R² = {r2} by LMG (mean rise of R² over all orders of entry), from the correlations of the "
            "constructs in the model. P(strongest): share of bootstrap draws. Parts describe association, not effects."
        ),
        (
            "R² = {r2}，按 LMG 法（所有进入顺序下 R² 增量的均值）分解，基于模型隐含的构念相关。"
            "最强的概率为自助抽样中的比例。分解描述关联，而非效应。"
        ),
    ),
    "antecedent": ("Antecedent", "前因"),
    "part": ("Part of R²", "R² 份额"),
    "share": ("Share", "占比"),
    "map_caption": ("Importance and performance for {outcome}", "{outcome}的重要性与绩效"),
    "map_note": (
        (
            "Importance: total effect on {outcome} with both on 0 to 100; β: standardised. Performance: weighted mean "
            "of the items on 0 to 100. Reading: against the means of both columns; compare intervals before acting."
        ),
        (
            "重要性为对{outcome}的总效应（两者均换算为 0–100）；β 为标准化总效应。绩效为题项加权均值（0–100）。"
            "解读以两列均值为界；行动之前请比较置信区间。"
        ),
    ),
    "importance": ("Importance", "重要性"),
    "performance": ("Performance", "绩效"),
    "reading": ("Reading", "解读"),
    "segments_caption": ("Segments of respondents: mean scores", "受访者细分：平均得分"),
    "segment": ("Segment", "群体"),
    "stability": ("Stability", "稳定性"),
    "criteria_caption": ("Number of segments", "细分群体数"),
    "criteria_note": (
        "Smallest k with gap(k) ≥ gap(k + 1) − allowance(k + 1) (Tibshirani et al., 2001).",
        "取满足 gap(k) ≥ gap(k + 1) − 容差(k + 1) 的最小 k（Tibshirani 等, 2001）。",
    ),
    "allowance": ("Allowance", "容差"),
    "silhouette": ("Silhouette", "轮廓系数"),
    "segments_one": (
        "k-means. The gap statistic finds one segment: the scores vary without falling into groups.",
        "k 均值法。gap 统计量支持一个群体：得分有差异，但并不分成若干群体。",
    ),
    "segments_found": (
        (
            "k-means. The gap statistic finds {k} segments; stability is the mean Jaccard similarity over bootstrap "
            "samples (from 0.75 stable, below 0.60 not to be named)."
        ),
        (
            "k 均值法。gap 统计量支持 {k} 个群体；稳定性为自助样本的平均 Jaccard 相似度"
            "（0.75 以上稳定，0.60 以下不宜命名）。"
        ),
    ),
    "plot_uncertified": ("NOT CERTIFIED: do not report these numbers", "未通过检验：请勿报告这些数字"),
}
