"""The sentences of a diagnosis in English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence

from sem_loyalty.errors import check_choice

WORDS: dict[str, tuple[str, str]] = {
    # Checks
    "check_identification": ("identification whatever the data", "模型本身可识别（与数据无关）"),
    "check_information": ("information in these data", "数据提供的信息"),
    "check_units": ("same minimum in other units", "换算单位后极小值相同"),
    "check_variances": ("variances not negative", "方差非负"),
    "check_constructs": ("constructs distinct", "构念彼此可区分"),
    "check_standardised": ("standardised values within 1", "标准化值不超过 1"),
    "check_items": ("items measure their own construct", "题项测量各自的构念"),
    "check_sample_covariance": ("sample covariance matrix well conditioned", "样本协方差矩阵良态"),
    "check_sample_size": ("respondents per parameter", "每个参数的样本量"),
    # Findings
    "finding_too_many_parameters": (
        "The model has {parameters_count:.0f} parameters but only {moments:.0f} sample moments.",
        "模型有 {parameters_count:.0f} 个参数，但只有 {moments:.0f} 个样本矩。",
    ),
    "finding_not_identified": (
        (
            "No data can determine {parameters}: at random parameter values, too, the implied moments do not tell them "
            "apart."
        ),
        "任何数据都无法确定 {parameters}：在随机参数值处，模型隐含矩同样无法区分它们。",
    ),
    "finding_no_information": (
        (
            "The model is identified in general, but these data hold no information on one combination of parameters, "
            "{combination}. It concerns {names}."
        ),
        "模型在一般情况下可识别，但这些数据对下列参数组合不含信息：{combination}。涉及 {names}。",
    ),
    "finding_ridge": (
        (
            "The model is identified in general, but with these data the discrepancy has no minimum: it stays flat "
            "while the parameters run away along {combination}. It concerns {names}."
        ),
        (
            "模型在一般情况下可识别，但在这些数据下拟合函数没有极小值："
            "参数沿 {combination} 方向不断增大而函数几乎不变。"
            "涉及 {names}。"
        ),
    ),
    "finding_lone_pair": (
        (
            "{names} has two indicators and correlates with nothing else in the model (largest correlation of its "
            "items with others {largest:.2f}): one covariance cannot determine two loadings."
        ),
        (
            "{names} 只有两个指标，且与模型其余部分不相关（其题项与其他题项的最大相关为 {largest:.2f}）："
            "一个协方差不能确定两个载荷。"
        ),
    ),
    "finding_other_minimum": (
        "A second minimisation, in other units and from other start values, ended elsewhere.",
        "换算单位并改用其他初始值后，再次极小化得到不同的结果。",
    ),
    "finding_negative_fluctuation": (
        (
            "{parameters} = {est:.3g} is negative, but its 95% interval [{lower:.3g}, {upper:.3g}] includes zero: a "
            "small positive variance and sampling fluctuation explain it."
        ),
        (
            "{parameters} = {est:.3g} 为负，但其 95% 置信区间 [{lower:.3g}, {upper:.3g}] 包含零："
            "总体方差较小为正、加上抽样波动即可解释。"
        ),
    ),
    "finding_negative_misfit": (
        (
            "{parameters} = {est:.3g} is negative, and its 95% interval [{lower:.3g}, {upper:.3g}] excludes zero: "
            "chance does not explain it; the model is wrong about this variable."
        ),
        (
            "{parameters} = {est:.3g} 为负，且其 95% 置信区间 [{lower:.3g}, {upper:.3g}] 不含零："
            "抽样波动无法解释，模型对该变量的设定有误。"
        ),
    ),
    "finding_negative_unknown": (
        "{parameters} = {est:.3g} is negative. It has no standard error here, so chance cannot be told from misfit.",
        "{parameters} = {est:.3g} 为负；此处没有标准误，无法区分抽样波动与设定错误。",
    ),
    "finding_collinear_constructs": (
        "{names} correlate {r:.2f} when measurement error is allowed for: in these data they are nearly one construct.",
        "{names} 在校正测量误差后相关为 {r:.2f}：在这些数据中几乎是同一构念。",
    ),
    "finding_latent_covariance": (
        (
            "The covariance matrix of the constructs is not positive definite (smallest eigenvalue of the correlations "
            "{eigenvalue:.2g}); it turns on {names}."
        ),
        "构念的协方差矩阵非正定（相关矩阵最小特征值 {eigenvalue:.2g}），涉及 {names}。",
    ),
    "finding_residual_covariance": (
        "The covariance matrix of the residuals is not positive definite; it turns on {names}.",
        "残差协方差矩阵非正定，涉及 {names}。",
    ),
    "finding_collinear_in_model": (
        "The model makes {names} correlate {r:.3f}: its paths leave them no difference.",
        "模型使 {names} 的相关达到 {r:.3f}：其路径设定使二者没有差别。",
    ),
    "finding_redundant_predictors": (
        (
            "{outcome} is explained by {names}, which nearly determine each other (variance inflation up to "
            "{vif:.0f}): "
            "their effects cannot be separated."
        ),
        "{outcome} 由 {names} 解释，而它们几乎可以互相决定（方差膨胀因子最大 {vif:.0f}）：各自的效应无法分离。",
    ),
    "finding_measurement_fails": (
        (
            "The measurement part alone, with all constructs free to covary, is not certified either ({reason}): the "
            "trouble begins with what the items measure."
        ),
        "仅测量部分（所有构念自由相关）也未通过检验（{reason}）：问题始于题项所测量的内容。",
    ),
    "finding_measurement_holds": (
        "The measurement part alone, with all constructs free to covary, is certified: the trouble is in the paths.",
        "仅测量部分（所有构念自由相关）通过检验：问题出在路径。",
    ),
    "finding_beyond_one": (
        "Standardised values beyond 1: {listed}. Collinear predictors, or an item that leaves no error, do this.",
        "标准化值超过 1：{listed}。共线的预测变量或没有误差的题项会造成这种情况。",
    ),
    "finding_duplicate_items": (
        "{names} correlate {r:.3f}: nearly the same question twice.",
        "{names} 相关 {r:.3f}：几乎是同一道题。",
    ),
    "finding_misplaced_items": (
        (
            "On average, these items correlate more with the items of another construct than with those of their own: "
            "{listed}."
        ),
        "下列题项与另一构念题项的平均相关高于与自身构念题项的相关：{listed}。",
    ),
    "finding_reversed_item": (
        "{item} correlates negatively with the other items of {own} (on average {here:.2f}): is it scored in reverse?",
        "{item} 与 {own} 的其他题项负相关（平均 {here:.2f}）：是否需要反向计分？",
    ),
    "finding_weak_item": (
        "{item} correlates hardly with the other items of {own} (on average {here:.2f}).",
        "{item} 与 {own} 的其他题项几乎不相关（平均 {here:.2f}）。",
    ),
    "finding_near_singular": (
        (
            "The sample covariance matrix is nearly singular (smallest eigenvalue of the correlations "
            "{eigenvalue:.1g}): "
            "{names} are nearly a weighted sum of each other."
        ),
        "样本协方差矩阵接近奇异（相关矩阵最小特征值 {eigenvalue:.1g}）：{names} 几乎互为线性组合。",
    ),
    "finding_small_sample": (
        (
            "{n:.0f} respondents for {parameters_count:.0f} free parameters, {ratio:.1f} each; below 5 each, or below "
            "100 in all, improper solutions are common."
        ),
        (
            "{n:.0f} 名受访者对应 {parameters_count:.0f} 个自由参数，每个参数 {ratio:.1f} 人；"
            "少于每个参数 5 人或总数少于 100 人时，不可接受解很常见。"
        ),
    ),
    # Remedies
    "remedy_as_is": ("as specified", "原模型"),
    "remedy_std_lv": (
        "unit variances of the constructs (std_lv=True)",
        "潜变量方差设为 1（std_lv=True）",
    ),
    "remedy_estimator": (
        "estimate by {estimator}",
        "改用 {estimator} 估计",
    ),
    "remedy_zero_variance": ("fix {names} at zero", "将 {names} 固定为零"),
    "remedy_zero_misfit": ("fix {names} at zero", "将 {names} 固定为零"),
    "remedy_equal_loadings": ("hold the loadings of {names} equal", "令 {names} 的载荷相等"),
    "remedy_scale": ("fix the first loading of {names} at 1", "将 {names} 的第一个载荷固定为 1"),
    "remedy_drop_path": ("drop the path {names}", "删除路径 {names}"),
    "remedy_drop_covariance": ("drop the covariance {names}", "删除协方差 {names}"),
    "remedy_drop_loading": ("drop the loading {names}", "删除载荷 {names}"),
    "remedy_drop_item": ("drop the item {names}", "删除题项 {names}"),
    "remedy_turn_path": ("turn the path {names} round", "颠倒路径 {names} 的方向"),
    "remedy_open_order": ("a covariance in place of the path {names}", "以协方差代替路径 {names}"),
    "remedy_merge": ("merge {names} into one construct", "将 {names} 合并为一个构念"),
    "remedy_more_data": ("more respondents: about {n:.0f}", "增加样本：约 {n:.0f} 人"),
    # What a remedy changes in substance
    "change_std_lv": ("nothing in the theory; the scale of the constructs", "理论不变，仅潜变量量尺改变"),
    "change_estimator": ("nothing in the theory; the cause remains", "理论不变，成因仍在"),
    "change_zero_variance": (
        "says that this variable is explained without error; only where chance explains the negative value",
        "等于说该变量无误差地被解释；仅在抽样波动可以解释负值时使用",
    ),
    "change_zero_misfit": (
        "hides what is wrong: chance does not explain the negative value",
        "掩盖了设定错误：抽样波动无法解释该负值",
    ),
    "change_equal_loadings": (
        "says that both items measure the construct equally well, in their common units",
        "等于说两个题项在相同单位下同等地测量该构念",
    ),
    "change_scale": ("nothing in the theory; the scale of the construct", "理论不变，仅潜变量量尺改变"),
    "change_drop_path": ("gives up this hypothesis: no direct effect", "放弃该假设：没有直接效应"),
    "change_drop_covariance": ("says that the two are unrelated given the rest", "等于说在其余条件下二者无关"),
    "change_drop_loading": ("says that the item measures its other construct only", "等于说该题项只测量另一构念"),
    "change_drop_item": ("a part of what the construct was to cover goes unmeasured", "构念的一部分内涵不再被测量"),
    "change_turn_path": ("reverses the assumed order of the two", "颠倒二者假定的先后次序"),
    "change_open_order": ("leaves open which of the two comes first", "不再假定二者的先后次序"),
    "change_merge": (
        "gives up the distinction between the two; hypotheses about either concern both",
        "放弃二者的区分；关于其中之一的假设将同时涉及二者",
    ),
    "change_more_data": (
        "nothing in the theory; a rule of thumb, not a computation",
        "理论不变；经验法则，而非计算结果",
    ),
    # The whole
    "nothing": ("Nothing was found.", "未发现问题。"),
    "certified": ("The solution is certified.", "该解通过检验。"),
    "uncertified": ("NOT CERTIFIED ({reason}).", "未通过检验（{reason}）。"),
    "refused": ("NOT IDENTIFIED: the model cannot be fitted.", "模型不可识别，无法拟合。"),
    "found": ("Found:", "发现："),
    "also": ("Seen, and no fault by itself:", "另见（本身不构成问题）："),
    "checked": ("Checked and without finding: {checks}.", "已检查且无发现：{checks}。"),
    "tried": ("Remedies tried by refitting", "通过重新拟合尝试的补救办法"),
    "changes": ("What they change in substance:", "各办法的实质含义："),
    "none_helps": (
        "No remedy that was tried leads to a certified solution; think about the model as a whole.",
        "所尝试的补救办法均未得到可接受的解；请重新审视整个模型。",
    ),
    "head_remedy": ("Remedy", "补救办法"),
    "head_certified": ("Certified", "通过检验"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    "untried": ("not tried", "未试"),
    "note": (
        (
            "In order: certified first, then the fewest changes to the theory, then fit. A remedy that fits is no "
            "evidence for it: it needs a reason, and new data. BIC only where the same items are analysed by "
            "likelihood. Freeing residual covariances is no remedy for an improper solution and was not tried."
        ),
        (
            "排序：先通过检验者，再对理论改动最少者，再看拟合。拟合得好并不证明其正确：需要理论理由和新数据。"
            "BIC 仅在题项相同且为似然估计时给出。释放残差协方差不是不可接受解的补救办法，未予尝试。"
        ),
    ),
    # Reasons, as the codes of the certificate
    "reason_not identified": ("not identified", "不可识别"),
    "reason_not converged": ("not converged", "未达到极小值"),
    "reason_singular information": ("singular information", "信息矩阵奇异"),
    "reason_rescaling": ("rescaling", "换算单位后解不一致"),
    "reason_negative variance": ("negative variance", "负方差"),
    "reason_latent covariance": ("latent covariance", "潜变量协方差矩阵非正定"),
    "reason_residual covariance": ("residual covariance", "残差协方差矩阵非正定"),
    "reason_standardised above one": ("standardised above one", "标准化值超过 1"),
}


def say(key: str, lang: str, **values: object) -> str:
    """Return a sentence of a diagnosis in English or Chinese, its fields filled.

    Raises
    ------
    ConfigurationError
        An unknown language.
    """
    check_choice("lang", lang, ("en", "zh"))
    return WORDS[key][0 if lang == "en" else 1].format(**values)


def listed(names: Sequence[str], lang: str) -> str:
    """Return names as a list in a sentence: "A, B and C", or "A、B、C"."""
    if lang == "zh":
        return "、".join(names)
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def reasons(codes: Sequence[str], lang: str) -> str:
    """Return the codes of a certificate's problems in words; a text that is no code stays as it is."""
    said = [say(f"reason_{code}", lang) if f"reason_{code}" in WORDS else code for code in dict.fromkeys(codes)]
    return ("; " if lang == "en" else "；").join(said)
