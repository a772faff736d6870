"""The words of the sections on effects, rivals, groups, robustness and method bias, in English and Chinese."""

from __future__ import annotations

HYPOTHESIS_WORDS: dict[str, tuple[str, str]] = {
    # Effects
    "decomposition_caption": ("Effects along every route", "各路径的效应分解"),
    "kind": ("Kind", "类型"),
    "direct": ("direct", "直接效应"),
    "specific indirect": ("indirect", "特定间接效应"),
    "total indirect": ("all indirect", "总间接效应"),
    "total": ("total", "总效应"),
    "delta_note": (
        (
            "95% intervals by the delta method, which takes products of coefficients for normal; they are "
            "skewed, so bootstrap intervals are to be preferred for indirect effects."
        ),
        ("95% 置信区间采用 delta 法（假定系数乘积服从正态分布）；系数乘积是偏态的，间接效应宜采用 bootstrap 区间。"),
    ),
    "feedback_note": (
        ("The model has feedback, so routes are without number; indirect effects are given for all routes together."),
        "模型含反馈回路，路径数目无限，故只给出全部路径合计的间接效应。",
    ),
    "mediation_caption": ("Kind of mediation", "中介类型"),
    "mediation": ("Mediation", "中介类型"),
    "indirect_effect": ("Indirect", "间接效应"),
    "direct_effect": ("Direct", "直接效应"),
    "total_effect": ("Total", "总效应"),
    "share_mediated": ("Share mediated", "中介占比"),
    "mediation_note": (
        (
            "After Zhao, Lynch and Chen (2010): an effect is taken to exist where its 95% interval leaves out "
            "zero. Complementary: direct and indirect effects of one sign; competitive: of opposite signs. Effects "
            "are unstandardised."
        ),
        (
            "按 Zhao、Lynch 与 Chen（2010）分类：95% 置信区间不含零即认为效应存在。互补中介：直接与间接效应同号；"
            "竞争中介：二者异号。表中为非标准化效应。"
        ),
    ),
    "complementary": ("complementary", "互补中介"),
    "competitive": ("competitive", "竞争中介"),
    "indirect-only": ("indirect only", "仅间接效应"),
    "indirect-only (no direct path in the model)": (
        "indirect; the model has no direct path to test",
        "有间接效应；模型未设直接路径，未作检验",
    ),
    "direct-only": ("direct only: no mediation", "仅直接效应（无中介）"),
    "none": ("none", "无"),
    # Robustness
    "robustness": ("Robustness of the hypotheses", "假设的稳健性"),
    "survives_head": ("Supported in", "获支持比例（设定数）"),
    "survives": ("{share}%\u00a0of\u00a0{n}", "{share}%（{n}）"),
    "survives_note": (
        ("Supported in: share of the certified specifications (section on robustness) that support the hypothesis."),
        "获支持比例：在通过检验的各种设定（见“假设的稳健性”）中支持该假设的比例。",
    ),
    "robustness_caption": ("The hypotheses under other defensible choices", "不同合理分析设定下的假设检验"),
    "main_estimate": ("β, main", "β（主设定）"),
    "median_estimate": ("Median", "中位数"),
    "range_estimate": ("Range of β", "β 的范围"),
    "opposite_share": ("Opposite", "方向相反"),
    "robust": ("Robust", "稳健"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    "robustness_note": (
        (
            "{run} specifications of the {possible} that these choices allow; {bad} are not certified and count "
            "nowhere. Estimators: {estimators}; missing answers: {missing}; exclusions: {excluded}; items left "
            "out one at a time: {items}; controls: {controls}. Robust: supported in the main specification and "
            "in 95% of the certified ones."
        ),
        (
            "在这些选择允许的 {possible} 种设定中运行了 {run} 种；其中 {bad} "
            "种未通过检验，不计入。估计方法：{estimators}；缺失值：{missing}；剔除规则：{excluded}；"
            "逐一剔除的题项：{items}；控制变量：{controls}。稳健：在主设定及 "
            "95% 以上通过检验的设定中均获支持。"
        ),
    ),
    "nothing": ("none", "无"),
    "outliers": ("outliers", "离群值"),
    "robustness_all": (
        "All {n} supported hypotheses hold under at least 95% of the specifications.",
        "获支持的 {n} 个假设在 95% 以上的设定中均成立。",
    ),
    "robustness_some": (
        (
            "Supported in the main specification, but in fewer than 95% of the others: {ids}. Say so where you "
            "report them."
        ),
        "以下假设在主设定中获支持，但在不足 95% 的设定中成立：{ids}。报告时须加说明。",
    ),
    "robustness_no": (
        "No hypothesis is supported in the main specification, so none can be robust.",
        "主设定中没有假设获支持，因而无稳健性可言。",
    ),
    "curve_x": ("Standardised effect", "标准化效应"),
    "curve_main": ("main specification", "主设定"),
    "curve_estimator": ("Estimator", "估计方法"),
    "curve_missing": ("Missing", "缺失值"),
    "curve_excluded": ("Excluded", "剔除"),
    "curve_dropped": ("Item left out", "剔除题项"),
    "curve_controls": ("Controls", "控制变量"),
    "plot_curve": ("Specification curve of the least secure hypothesis: {id}.", "最不稳固的假设的设定曲线：{id}。"),
    "plot_forest": ("Paths by group with 95% intervals.", "各组路径系数及 95% 置信区间。"),
    "forest_x": ("Unstandardised path (B)", "非标准化路径系数（B）"),
    "curve_note": (
        "Every point is one certified specification; the rows below say what it does.",
        "每点为一种通过检验的设定，下方各行标明其选择。",
    ),
    # Rivals
    "rivals": ("Rival models", "竞争模型"),
    "rivals_caption": ("The model and its rivals", "本模型与竞争模型"),
    "model_head": ("Model", "模型"),
    "own_model": ("This model", "本模型"),
    "bic_weight": ("BIC weight", "BIC 权重"),
    "against_own": ("Against this model", "与本模型相比"),
    "rivals_note": (
        (
            "Weights: relative likelihoods by BIC. Nested models are compared by the likelihood-ratio test, "
            "others by Vuong's test and BIC."
        ),
        "权重为按 BIC 计算的相对似然。嵌套模型用似然比检验比较，其他模型用 Vuong 检验与 BIC 比较。",
    ),
    "chosen_own": (
        "The evidence speaks for this model; no rival is preferred to it.",
        "证据支持本模型；没有竞争模型优于它。",
    ),
    "chosen_own_open": (
        "This model has the lowest BIC, but the data do not rule out: {others}.",
        "本模型 BIC 最低，但数据不能排除：{others}。",
    ),
    "chosen_rival": (
        (
            "The evidence speaks for a rival, not for this model: {name}. Conclusions drawn from this model need "
            "a reason."
        ),
        "证据支持竞争模型而非本模型：{name}。若仍据本模型下结论，须说明理由。",
    ),
    "chosen_rival_open": (
        "A rival has the lowest BIC: {name}. The data do not rule out: {others}.",
        "竞争模型 BIC 最低：{name}。数据不能排除：{others}。",
    ),
    "chosen_nothing": ("The evidence chooses no model.", "证据不足以选定模型。"),
    "equivalent_also": (
        "Equivalent to it, so that no data can choose, only theory: {names}.",
        "与之等价、数据无法区分、只能由理论取舍的模型：{names}。",
    ),
    "restricts_rejected": (
        "restricts this model; rejected (Δχ²({df}) = {chisq}, p {p})",
        "为本模型的约束形式，约束被拒绝（Δχ²({df}) = {chisq}，p {p}）",
    ),
    "restricts_kept": (
        "restricts this model; not rejected (Δχ²({df}) = {chisq}, p {p})",
        "为本模型的约束形式，约束未被拒绝（Δχ²({df}) = {chisq}，p {p}）",
    ),
    "freer_needed": (
        "adds to this model what is needed (Δχ²({df}) = {chisq}, p {p})",
        "在本模型上增加的参数确有必要（Δχ²({df}) = {chisq}，p {p}）",
    ),
    "freer_idle": (
        "adds to this model what is not needed (Δχ²({df}) = {chisq}, p {p})",
        "在本模型上增加的参数并无必要（Δχ²({df}) = {chisq}，p {p}）",
    ),
    "pair_equivalent": ("equivalent: no data can choose", "等价：数据无法区分"),
    "pair_alike": ("cannot be told apart (Vuong, p {p})", "无法区分（Vuong，p {p}）"),
    "pair_better": ("closer to the data (Vuong, p {p})", "更接近数据（Vuong，p {p}）"),
    "pair_worse": ("further from the data (Vuong, p {p})", "更远离数据（Vuong，p {p}）"),
    "pair_even": ("no closer than chance (Vuong, p {p})", "差异未超出偶然（Vuong，p {p}）"),
    "pair_bic": ("ΔBIC {bic}", "ΔBIC {bic}"),
    "not_certified": ("not certified", "未通过检验"),
    # Groups
    "invariance": ("Comparison of groups", "组间比较"),
    "invariance_caption": ("Measurement invariance of the groups {groups}", "测量等值性检验（{groups}）"),
    "configural": ("configural", "形态等值"),
    "metric": ("metric (loadings)", "弱等值（载荷）"),
    "scalar": ("scalar (and intercepts)", "强等值（加截距）"),
    "strict": ("strict (and residuals)", "严格等值（加残差）"),
    "partial_step": ("partial {step}", "部分{step}"),
    "rejected_step": ("{step}, rejected", "{step}（被拒绝）"),
    "holds": ("Holds", "成立"),
    "reached": ("Measurement invariance reached: {level}.", "测量等值性达到：{level}。"),
    "reached_nothing": (
        "Not even the configural model is certified, so nothing is said of the groups.",
        "形态等值模型亦未通过检验，故不对各组作出结论。",
    ),
    "released": ("Released: {names}.", "放开的参数：{names}。"),
    "rule_chen2007": (
        (
            "A step holds where CFI falls by at most {cfi}, and RMSEA rises by at most {rmsea} or SRMR by at "
            "most {loose} (loadings) or {srmr} (later steps) (Chen, 2007)."
        ),
        (
            "判断标准（Chen, 2007）：CFI 下降不超过 {cfi}，且 RMSEA 上升不超过 {rmsea} 或 SRMR 上升不超过 "
            "{loose}（载荷）、{srmr}（其后各步）。"
        ),
    ),
    "rule_cheung2002": (
        "A step holds where CFI falls by at most 0.010 (Cheung and Rensvold, 2002).",
        "判断标准（Cheung 与 Rensvold, 2002）：CFI 下降不超过 0.010。",
    ),
    "rule_test": (
        "A step holds where the test of its equalities has p of .05 or more.",
        "判断标准：等值约束检验的 p 不小于 0.05。",
    ),
    "means_caption": ("Means of the constructs against the group {group}", "各构念的潜均值差异（参照组：{group}）"),
    "means_note": (
        "From the model with equal loadings and intercepts. d: difference in pooled standard deviations.",
        "基于载荷与截距等值的模型。d 为以合并标准差为单位的差异。",
    ),
    "means_differ": ("Means that differ (p < .05): {names}.", "均值有差异（p < 0.05）：{names}。"),
    "means_alike": (
        "No mean of a construct differs significantly between the groups.",
        "各构念均值的组间差异均不显著。",
    ),
    "difference": ("Difference", "差异"),
    "group_paths_caption": ("Paths of the groups {groups} compared", "路径系数的组间比较（{groups}）"),
    "p_holm": ("p (Holm)", "p（Holm）"),
    "group_paths_note": (
        (
            "B in each group with loadings held equal; test of each path held equal; p (Holm) is corrected for "
            "the number of paths. Δβ: difference of the standardised path."
        ),
        "载荷等值下各组的 B；逐条检验路径等值；p（Holm）已按路径数目校正。Δβ 为标准化路径系数之差。",
    ),
    "joint_uncertified": (
        "The model with all paths held equal at once is not certified, so they are not tested together.",
        "全部路径同时等值的模型未通过检验，故未作联合检验。",
    ),
    "joint_note": (
        "All paths held equal at once: Δχ²({df}) = {chisq}, p {p}.",
        "全部路径同时等值：Δχ²({df}) = {chisq}，p {p}。",
    ),
    "paths_differ": ("Paths that differ between the groups: {names}.", "有组间差异的路径：{names}。"),
    "paths_somewhere": (
        "The paths differ somewhere, but no single path does so significantly after correction.",
        "路径整体存在组间差异，但校正后没有单独一条路径差异显著。",
    ),
    "paths_alike": (
        "No difference between the groups is shown; that is no proof that there is none.",
        "未发现组间差异；这并不证明没有差异。",
    ),
    "paths_not_compared": (
        "The paths are not compared: loadings that differ between groups leave paths without a common measure.",
        "未比较路径：载荷不等值时，各组路径系数没有共同的度量。",
    ),
    # Method bias
    "method_bias": ("Common method bias", "共同方法偏差"),
    "method_models_caption": ("Models of method variance", "方法变异的模型比较"),
    "method_model_constructs": ("constructs", "构念模型"),
    "method_model_single factor": ("one factor", "单因子模型"),
    "method_model_constructs and method factor": ("constructs and method factor", "构念加方法因子"),
    "vif_caption": ("Full collinearity of the constructs", "构念的完全共线性"),
    "vif_note": (
        "VIF above 3.3 (Kock, 2015) comes from method bias or from constructs that overlap in truth.",
        "VIF 高于 3.3（Kock, 2015）源于方法偏差或构念本身的重叠，该指标无法区分。",
    ),
    "harman_less": (
        (
            "The first unrotated component holds {share}% of the variance, less than half. This is weak "
            "evidence: the test finds only very large bias."
        ),
        "未旋转第一主成分解释 {share}% 的方差，低于一半。该检验（Harman）只能发现极大的偏差，证据力弱。",
    ),
    "harman_more": (
        (
            "The first unrotated component holds {share}% of the variance, more than half: bias of that size "
            "cannot be ruled out."
        ),
        "未旋转第一主成分解释 {share}% 的方差，超过一半：不能排除严重的方法偏差。",
    ),
    "factor_none": (
        "The model with a latent method factor has no certified solution, so it says nothing either way.",
        "含潜在方法因子的模型未得到通过检验的解，因而无法据此下结论。",
    ),
    "factor_idle": (
        "A latent method factor is not needed beside the constructs (Δχ² = {chisq}, p {p}).",
        "在构念之外无需方法因子（Δχ² = {chisq}，p {p}）。",
    ),
    "factor_takes": (
        (
            "A latent method factor takes {share}% of an item's variance on average (Δχ² = {chisq}, p {p}); the "
            "largest change of a loading is {change}."
        ),
        "潜在方法因子平均占题项方差的 {share}%（Δχ² = {chisq}，p {p}）；载荷最大变化为 {change}。",
    ),
    "vif_high": ("VIF above 3.3: {names}.", "VIF 高于 3.3：{names}。"),
    "vif_low": ("All VIFs are at most 3.3 (largest {vif}).", "VIF 均不高于 3.3（最大 {vif}）。"),
    "equality": ("Against", "比较对象"),
    "forest_note": (
        "Bars: 95% intervals; loadings held equal across groups.",
        "误差线为 95% 置信区间；各组载荷设为相等。",
    ),
    "excluded_missing_share": ("too many answers missing", "缺失过多"),
    "excluded_longstring": ("identical answers in a row", "连续相同答案"),
    "excluded_irv": ("answers hardly vary", "作答几无变化"),
    "excluded_duration": ("answered too fast", "作答过快"),
    "excluded_duration_per_item": ("answered too fast", "作答过快"),
    "excluded_duration_share": ("answered too fast", "作答过快"),
    "excluded_mahalanobis_p": ("far from the others (Mahalanobis)", "马氏距离过大"),
    "excluded_duplicate": ("repeated answers", "重复作答"),
    "excluded_duplicate_id": ("repeated id", "重复编号"),
    "excluded_attention": ("attention checks failed", "未通过注意力检测"),
    "curve_supported": ("supported", "支持"),
    "curve_unsupported": ("not supported", "不支持"),
    "curve_opposite": ("opposite sign", "方向相反"),
    "curve_listwise": ("listwise", "列表删除"),
    "curve_fiml": ("FIML", "FIML"),
    "curve_said": ("supported in {held} of {n} certified specifications", "{n} 种通过检验的设定中有 {held} 种获支持"),
}
