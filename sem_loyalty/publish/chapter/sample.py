"""The sample: who was asked, who was left out by which rule, what the answers look like, and how they were analysed."""

from __future__ import annotations

from sem_loyalty.publish.chapter.writer import Said, Writer
from sem_loyalty.publish.quoting import quoted_name

ALPHA = 0.05

# Rule of screening: who was left out by it, behind a number. {limit} is its threshold.
_RULES: dict[str, tuple[str, str]] = {
    "missing_share": ("with more than {limit}% of the items unanswered", "缺失题项比例超过 {limit}% 者"),
    "longstring": ("with {limit} or more identical answers in a row", "连续 {limit} 题及以上答案相同者"),
    "irv": (
        "whose answers hardly vary (individual standard deviation of {limit} or less)",
        "个人作答标准差不高于 {limit} 者",
    ),
    "duration": ("who took less than {limit} seconds", "作答时间少于 {limit} 秒者"),
    "duration_per_item": ("who took less than {limit} seconds per item", "平均每题作答时间少于 {limit} 秒者"),
    "duration_share": (
        "who took less than {limit}% of the median answering time",
        "作答时间少于中位数 {limit}% 者",
    ),
    "mahalanobis_p": (
        "far from the others (*p* of the Mahalanobis distance below {limit})",
        "马氏距离 *p* 值低于 {limit} 的离群者",
    ),
    "duplicate": ("with the same answers as an earlier row", "与先前答卷完全相同者"),
    "duplicate_id": ("with the same identifier as an earlier row", "编号重复者"),
    "attention": ("who failed {limit} or more attention checks", "未通过 {limit} 道及以上注意力检测题者"),
}
_SHARES = ("missing_share", "duration_share")
_ESTIMATORS: dict[str, tuple[str, str]] = {
    "ML": ("maximum likelihood", "极大似然法（ML）"),
    "MLM": (
        "maximum likelihood with standard errors and a test corrected for non-normality (MLM)",
        "对非正态性作校正的极大似然法（MLM）",
    ),
    "MLMV": (
        "maximum likelihood with standard errors and a test corrected for non-normality (MLMV)",
        "对非正态性作校正的极大似然法（MLMV）",
    ),
    "MLR": (
        "maximum likelihood with robust standard errors and a test corrected for non-normality (MLR)",
        "采用稳健标准误与校正检验统计量的极大似然法（MLR）",
    ),
    "GLS": ("generalised least squares (GLS)", "广义最小二乘法（GLS）"),
    "WLS": ("weighted least squares (WLS)", "加权最小二乘法（WLS）"),
    "WLSMV": (
        "diagonally weighted least squares for ordinal items, with a mean- and variance-adjusted test (WLSMV)",
        "适用于有序题项的均值与方差校正加权最小二乘法（WLSMV）",
    ),
    "ULSMV": (
        "unweighted least squares for ordinal items, with a mean- and variance-adjusted test (ULSMV)",
        "适用于有序题项的均值与方差校正非加权最小二乘法（ULSMV）",
    ),
}
_INTERVALS = {
    "bca": ("bias-corrected and accelerated {efron}", "偏差校正加速（BCa）法{efron}"),
    "percentile": ("percentile intervals", "百分位法"),
    "basic": ("basic intervals", "基本法"),
}
ROBUST = ("MLM", "MLMV", "MLR")
ORDINAL = ("WLSMV", "ULSMV")


def write_sample(w: Writer) -> None:
    """Write the section on the sample and its screening."""
    w.heading("Sample and data screening", "样本与数据筛查")
    w.paragraph([*_flow(w), *_missing(w), _groups(w)])
    w.paragraph(_answers(w))


def _flow(w: Writer) -> list[Said]:
    if not w.records("sample"):
        return [
            w.say(
                "The analysis rests on a covariance matrix of {n} respondents; the individual answers were not "
                "available.",
                "分析基于 {n} 名受访者的协方差矩阵，未取得逐份作答。",
                n=w.value("respondents/analysed"),
            )
        ]
    table = w.tables("sample-flow")
    collected = w.value("sample/collected")
    rules = w.records("exclusions")
    hit = [rule for rule in rules if rule["excluded"]]
    said = [w.say("In all, {n} questionnaires were collected.", "共回收问卷 {n} 份。", n=collected)]
    if not rules:
        said.append(w.say("No rule of screening was applied ({table}).", "未设筛查规则（{table}）。", table=table))
        return said
    if not hit:
        said.append(
            w.say(
                "The stated rules of screening excluded none of them ({table}).",
                "按既定规则筛查，无问卷被剔除（{table}）。",
                table=table,
            )
        )
        return said
    reasons = w.listed([_reason(w, str(rule["row"]), float(rule["threshold"])) for rule in hit])
    one = w.records("sample")[0]["excluded"] == 1
    said.append(
        w.say(
            f"Of these, {{n}} {'was' if one else 'were'} excluded by the stated rules, applied in this order: "
            "{reasons} ({table}).",
            "按既定规则依次筛查，共剔除 {n} 份：{reasons}（{table}）。",
            n=w.value("sample/excluded"),
            reasons=reasons,
            table=table,
        )
    )
    return said


def _reason(w: Writer, rule: str, threshold: float) -> Said:
    english, chinese = _RULES[rule]
    key = f"exclusions/{rule}/threshold"
    digits = 0
    while digits < 6 and round(threshold, digits) != threshold:
        digits += 1
    limit = w.value(f"{key}:pct" if rule in _SHARES else f"{key}:{digits}")
    return w.say(f"{{n}} {english}", f"{chinese} {{n}} 份", n=w.value(f"exclusions/{rule}/excluded"), limit=limit)


def _missing(w: Writer) -> list[Said]:
    """Return what became of missing answers, and how many respondents are left."""
    study = w.book.results
    kind, n = str(study["missing"]), w.value("respondents/analysed")
    if not w.records("sample"):
        return []
    said: list[Said] = []
    flow = study["tables"]["sample-flow"]["rows"]
    first = 1 + len(w.records("exclusions"))
    step = len(flow) - 2
    if step - first == 1:  # a step before the one on missing answers: no value of the grouping variable
        said.append(
            w.say(
                "Respondents without a group were left out ({n}).",
                "未填写分组变量者予以剔除（{n} 份）。",
                n=w.value(f"tables/sample-flow/{first + 1}/excluded"),
            )
        )
    dropped = int(flow[step].get("excluded") or 0) if step >= first else 0
    count = w.value(f"tables/sample-flow/{step + 1}/excluded") if dropped else ""
    share = w.value("sample/retained:pct1")
    if kind == "listwise" and dropped:
        said.append(
            w.say(
                f"A further {{d}} {'respondent' if dropped == 1 else 'respondents'} with a missing answer to an item "
                f"of the model {'was' if dropped == 1 else 'were'} deleted listwise.",
                "另有 {d} 份因模型题项存在缺失值而被列表删除。",
                d=count,
            )
        )
    elif kind == "listwise":
        said.append(w.say("No item of the model has a missing answer.", "模型题项无缺失值。"))
    elif kind == "fiml":
        said.append(
            w.say(
                "Missing answers were handled by full-information maximum likelihood, which uses every answer given "
                "and assumes that answers are missing at random.",
                "缺失值采用全信息极大似然法（FIML）处理，该方法利用全部已有作答，并以随机缺失为前提。",
            )
        )
        if dropped:
            said.append(
                w.say(
                    "It could not use {d} of the respondents, who answered no item of the model or lack a covariate.",
                    "其中 {d} 份因模型题项全部缺失或协变量缺失而无法使用。",
                    d=count,
                )
            )
    if w.book.results["respondents"]["analysed"] == w.records("sample")[0]["collected"]:
        said.append(w.say("The analysis rests on all {n} respondents.", "全部 {n} 份问卷均用于分析。", n=n))
        return said
    said.append(
        w.say(
            "The analysis rests on the remaining {n} respondents ({share}% of those collected).",
            "最终用于分析的有效样本为 *N* = {n}，占回收问卷的 {share}%。",
            n=n,
            share=share,
        )
    )
    return said


def _groups(w: Writer) -> Said:
    names = w.book.results.get("group_names", [])
    if len(names) < 2:
        return ()
    items = [
        w.say("{name} (*n* = {n})", "{name}（*n* = {n}）", name=name, n=w.value(f"groups/{quoted_name(name)}"))
        for name in names
    ]
    return w.say("The groups are {groups}.", "样本分为以下各组：{groups}。", groups=w.listed(items))


def _answers(w: Writer) -> list[Said]:
    said: list[Said] = []
    if w.has("table", "characteristics"):
        said.append(w.say("{t} describes the respondents.", "受访者的构成见{t}。", t=w.tables("characteristics")))
    if w.has("table", "descriptives"):
        said.append(
            w.say("{t} describes the answers to the items.", "各题项的描述统计见{t}。", t=w.tables("descriptives"))
        )
    correlations = [id for id in w.book.results["tables"] if str(id).startswith("correlations")]
    if correlations:
        said.append(
            w.say(
                "The correlations of the items are given in {t}.",
                "题项间的相关系数见{t}。",
                t=w.tables(*correlations),
            )
        )
    said += [_normality(w), _mcar(w)]
    return said


def _normality(w: Writer) -> Said:
    found = w.records("normality")
    if not found:
        return ()
    slots: dict[str, Said] = {
        "z": (w.value("normality/kurtosis_z:2"),),
        "p": (w.value("normality/kurtosis_p:p="),),
        "chi": (w.value("normality/skewness_statistic:2"),),
        "df": (w.value("normality/skewness_df"),),
        "q": (w.value("normality/skewness_p:p="),),
        "t": w.tables("screening-tests"),
    }
    numbers = "(skewness: χ²({df}) = {chi}, *p* {q}; kurtosis: *z* = {z}, *p* {p}; {t})"
    figures = "（偏度 χ²({df}) = {chi}，*p* {q}；峰度 *z* = {z}，*p* {p}；{t}）"
    away = any(float(found[0][name]) < ALPHA for name in ("skewness_p", "kurtosis_p"))
    if not away:
        return w.say(
            f"Mardia's tests {{mardia}} show no departure from multivariate normality {numbers}.",
            f"Mardia 检验{{mardia}}未显示数据偏离多元正态分布{figures}。",
            **slots,
        )
    estimator = str(w.book.results["estimator"])
    if estimator in ROBUST:
        tail = (
            "; the estimator corrects standard errors and the test of fit for this",
            "，所用估计方法已对标准误和拟合检验作相应校正",
        )
    elif estimator in ORDINAL:
        tail = (
            "; the estimator treats the items as ordinal and does not take them for normal",
            "，所用估计方法将题项视为有序变量，不要求其服从正态分布",
        )
    elif w.book.results.get("bootstrap"):
        tail = (
            (
                "; standard errors and intervals therefore come from the bootstrap, while the χ² test still assumes "
                "normality"
            ),
            "，因此标准误与置信区间由自助法得到，而 χ² 检验仍以正态为前提",
        )
    else:
        tail = (
            "; standard errors and χ² assume normality and are to be read with caution",
            "，而标准误与 χ² 以正态为前提，解释时须谨慎",
        )
    return w.say(
        f"Mardia's tests {{mardia}} reject multivariate normality {numbers}{tail[0]}.",
        f"Mardia 检验{{mardia}}表明数据偏离多元正态分布{figures}{tail[1]}。",
        **slots,
    )


def _mcar(w: Writer) -> Said:
    found = w.records("mcar")
    if not found:
        return ()
    slots: dict[str, Said] = {
        "df": (w.value("mcar/df"),),
        "chi": (w.value("mcar/statistic:2"),),
        "p": (w.value("mcar/p:p="),),
    }
    numbers, figures = "χ²({df}) = {chi}, *p* {p}", "χ²({df}) = {chi}，*p* {p}"
    if float(found[0]["p"]) >= ALPHA:
        return w.say(
            f"Little's test {{little}} does not reject that answers are missing completely at random, {numbers}.",
            f"Little 检验{{little}}未拒绝完全随机缺失的假设，{figures}。",
            **slots,
        )
    if w.book.results["missing"] == "listwise":
        return w.say(
            f"Little's test {{little}} rejects that answers are missing completely at random, {numbers}, so that "
            "listwise deletion may bias the estimates.",
            f"Little 检验{{little}}拒绝了完全随机缺失的假设，{figures}，因此列表删除可能使估计产生偏差。",
            **slots,
        )
    return w.say(
        f"Little's test {{little}} rejects that answers are missing completely at random, {numbers}; full-information "
        "maximum likelihood needs only that they are missing at random.",
        f"Little 检验{{little}}拒绝了完全随机缺失的假设，{figures}；全信息极大似然法只要求随机缺失。",
        **slots,
    )


def write_method(w: Writer) -> None:
    """Write the section on the method of analysis; it says once that effects are claims of the model."""
    w.heading("Method of analysis", "分析方法")
    study = w.book.results
    english, chinese = _ESTIMATORS.get(str(study["estimator"]), (str(study["estimator"]), str(study["estimator"])))
    said = [
        w.say(
            f"The model was estimated with the package sem_loyalty by {english}.",
            f"采用 sem_loyalty 软件包，以{chinese}估计模型。",
        )
    ]
    drawn = study.get("bootstrap")
    if drawn:
        form = _INTERVALS[drawn["interval"]]
        said.append(
            w.say(
                f"Standard errors, *p* values and 95% confidence intervals come from {{n}} bootstrap draws; the "
                f"intervals are {form[0]}.",
                f"标准误、*p* 值与 95% 置信区间由 {{n}} 次自助抽样（bootstrap）得到，区间采用{form[1]}。",
                n=w.value("bootstrap/draws"),
            )
        )
        failed, improper = int(drawn["failed"]), int(drawn["improper"])
        if failed:
            said.append(
                w.say(
                    f"Of the draws, {{n}} did not converge and {'was' if failed == 1 else 'were'} left out.",
                    "其中 {n} 次抽样未收敛，予以剔除。",
                    n=w.value("bootstrap/failed"),
                )
            )
        if improper:
            said.append(
                w.say(
                    f"A negative variance occurred in {{n}} {'draw' if improper == 1 else 'draws'}, which "
                    f"{'is' if improper == 1 else 'are'} kept.",
                    "有 {n} 次抽样出现负方差，予以保留。",
                    n=w.value("bootstrap/improper"),
                )
            )
    said.append(w.say("Tests are two-sided at the .05 level.", "检验均为双侧，显著性水平取 0.05。"))
    said.append(
        w.say(
            "Words such as effect and mediation describe claims of the model; the data agree or disagree with these "
            "claims, but do not by themselves establish the causal direction.",
            "文中“影响”“效应”“中介”等表述均指模型所设定的关系：数据可以支持或不支持这些关系，但不能单独证明因果方向。",
        )
    )
    w.paragraph(said)
