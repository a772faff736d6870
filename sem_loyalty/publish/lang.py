"""The words of the report in English and Chinese, apart from those that the model file brings."""

from __future__ import annotations

from sem_loyalty.errors import ConfigurationError, check_choice, nearest
from sem_loyalty.publish.hypothesis_words import HYPOTHESIS_WORDS
from sem_loyalty.publish.loyalty_words import LOYALTY_WORDS
from sem_loyalty.publish.note_words import NOTE_WORDS
from sem_loyalty.publish.plot_words import PLOT_WORDS
from sem_loyalty.publish.pls_words import PLS_WORDS
from sem_loyalty.publish.report_words import REPORT_WORDS
from sem_loyalty.publish.table_words import TABLE_WORDS

WORDS: dict[str, tuple[str, str]] = {
    # Page
    "skip": ("Skip to the result", "跳到结果"),
    "contents": ("Contents", "目录"),
    "withheld": (
        "Not certified: the numbers below are shown to find the fault and must not be reported.",
        "未通过检验：以下数字仅供查找问题，不得作为结果报告。",
    ),
    "simulated": (
        "SIMULATED DATA: these answers were drawn by a computer; they say nothing about real customers.",
        "模拟数据：答卷由计算机生成，不反映任何真实顾客。",
    ),
    "simulated_short": ("Simulated data.", "模拟数据。"),
    "simulated_title": ("simulated data", "模拟数据"),
    "made_by": ("Made by sem_loyalty {version} from {study}.", "由 sem_loyalty {version} 根据 {study} 生成。"),
    # Sections
    "diagnosis": ("Diagnosis and remedies", "诊断与补救"),
    "diagnosis_found": ("What was found", "发现"),
    "diagnosis_also": ("Seen, and no fault by itself", "另见（本身不构成问题）"),
    "diagnosis_changes": ("What the remedies change in substance", "各办法的实质含义"),
    "diagnosis_none": (
        "No remedy that was tried leads to a certified solution; think about the model as a whole.",
        "所尝试的补救办法均未得到可接受的解；请重新审视整个模型。",
    ),
    "status": ("Is this a result?", "结果能否采信"),
    "sample": ("Sample and screening", "样本与筛查"),
    "description": ("Description of the items", "题项描述"),
    "efa": ("Exploratory factor analysis", "探索性因子分析"),
    "measurement": ("Measurement model", "测量模型"),
    "fit": ("Model fit", "模型拟合"),
    "structure": ("Structural model and hypotheses", "结构模型与假设检验"),
    "effects": ("Indirect and total effects", "间接效应与总效应"),
    "model": ("Model, questions and sources", "模型、题项与文献"),
    "reproduce": ("Reproducibility", "可重复性"),
    # Status
    "certified": ("Certified", "通过检验"),
    "certified_text": (
        (
            "The solution is a minimum of the discrepancy, is locally identified, is admissible (no negative variance, "
            "no impossible correlation) and does not depend on the units of the items. Whether the model fits the data "
            "is another question: see Model fit."
        ),
        (
            "该解是拟合函数的极小值，局部可识别，且可接受（无负方差、无不可能的相关），并且不依赖题项的计量单位。"
            "模型是否拟合数据是另一个问题，见“模型拟合”。"
        ),
    ),
    "uncertified": ("NOT CERTIFIED: do not report these numbers", "未通过检验：请勿报告这些数字"),
    "uncertified_text": (
        "The run ended, but its solution failed the checks below. No verdict on any hypothesis is given.",
        "程序已运行完毕，但其解未通过下列检验，因此不对任何假设作出结论。",
    ),
    "try": ("What to try: {remedy}", "可以尝试：{remedy}"),
    "concerns": ("Concerns: {names}", "涉及：{names}"),
    "summary": ("In one line: {measures}.", "概要：{measures}。"),
    "respondents": ("Respondents analysed", "分析样本量"),
    "collected": ("Respondents collected", "回收样本量"),
    "estimator": ("Estimator", "估计方法"),
    "missing": ("Missing answers", "缺失值处理"),
    "engine": ("Engine", "计算引擎"),
    "groups": ("Groups", "分组"),
    "warnings": ("Warnings raised during the run", "运行中的警告"),
    "verdicts": ("Hypotheses supported: {yes} of {all}", "假设得到支持：{yes}／{all}"),
    "preparation": ("How the answers were read", "数据读取说明"),
    "syntax": ("Model text (lavaan syntax)", "模型语句（lavaan 语法）"),
    "references": ("Sources", "文献"),
    "seed": ("Seed", "随机种子"),
    "reproduce_text": (
        (
            "The same inputs, settings and versions give the same numbers and files. manifest.json lists the digest "
            "of every input and output; results.json holds every number in full precision."
        ),
        (
            "相同的输入、设置与版本得到相同的数字与文件。"
            "manifest.json 列出全部输入与输出的摘要值，results.json 保存全精度数字。"
        ),
    ),
    "missing_listwise": ("listwise deletion", "列表删除"),
    "missing_fiml": ("full-information maximum likelihood", "全信息极大似然（FIML）"),
    "missing_kept": ("kept", "保留"),
    "missing_none": ("none (moments were given)", "无（直接给定矩阵）"),
    # Reasons why a fit is not certified, by the code of the problem
    "problem_not_converged": ("No minimum was reached", "未达到极小值"),
    "problem_singular_information": ("Singular information matrix", "信息矩阵奇异"),
    "problem_rescaling": ("The solution is not the same in other units", "换算单位后解不一致"),
    "problem_negative_variance": ("Improper solution: negative variance", "不可接受解：负方差"),
    "problem_latent_covariance": (
        "Improper solution: covariance matrix of the constructs",
        "不可接受解：潜变量协方差矩阵非正定",
    ),
    "problem_residual_covariance": (
        "Improper solution: covariance matrix of the residuals",
        "不可接受解：残差协方差矩阵非正定",
    ),
    "problem_standardised_above_one": (
        "Improper solution: standardised value beyond 1",
        "不可接受解：标准化值超过 1",
    ),
    "problem_dependent_constraints": ("Constraints depend on each other", "约束条件相互依赖"),
    # What is wrong and what to try, in Chinese; English comes with the problem.
    "fault_group": ("", "（组 {group}）"),
    "fault_not_converged": ("", "极小化未达到极小值：拟合函数沿 {names} 不断下降或保持平坦。"),
    "fault_singular_information": ("", "数据对 {names} 的某一组合不含信息，因此无法给出标准误。"),
    "fault_rescaling": ("", "换算题项单位并改用其他初始值后，再次极小化的 F 相差 {value}。"),
    "fault_rescaling_failed": ("", "换算题项单位并改用其他初始值后，再次极小化未找到极小值。"),
    "fault_negative_variance": ("", "负方差{where}：{pairs}。"),
    "fault_latent_covariance": ("", "潜变量协方差矩阵{where}非正定（相关矩阵最小特征值 {value}），涉及 {names}。"),
    "fault_residual_covariance": ("", "残差协方差矩阵{where}非正定，涉及 {names}。"),
    "fault_standardised_above_one": ("", "标准化值超过 1{where}：{pairs}。"),
    "remedy_not_converged": ("", "检查数据无法区分的构念，并简化所涉及的模型部分。"),
    "remedy_singular_information": ("", "合并或删除近乎共线的构念，或依据理论固定所涉及的某个参数。"),
    "remedy_rescaling": ("", "用 start() 给出初始值，并检查近乎共线的构念。"),
    "remedy_negative_variance": (
        "",
        "检查这些题项或构念是否反向计分有误、题项近乎重复或指标过少；小样本可令两题项构念的载荷相等。",
    ),
    "remedy_latent_covariance": ("", "合并相关接近 1 的构念，或删除其中之一。"),
    "remedy_residual_covariance": ("", "删除所涉及题项之间的残差协方差。"),
    "remedy_standardised_above_one": ("", "检查预测变量之间的相关（共线的构念）以及近乎重复的题项。"),
    "remedy_dependent_constraints": ("", "改写约束，避免可能为零的乘积，或改为固定某个参数。"),
    # Notes
    "note_n": ("N = {n}", "N = {n}"),
    "note_groups": ("N = {n} ({groups})", "N = {n}（{groups}）"),
    "note_estimator": ("estimator {estimator}", "估计方法 {estimator}"),
    "note_missing": ("missing answers: {missing}", "缺失值：{missing}"),
    "uncertified_note": (
        "NOT CERTIFIED: the solution failed its checks; do not report.",
        "未通过检验：不得报告。",
    ),
    "standardised_note": (
        "B: unstandardised; β: standardised by the model-implied variances of all variables; SE and CI of B.",
        "B 为非标准化估计，β 为标准化估计（按模型隐含方差对全部变量标准化）；SE 与置信区间对应 B。",
    ),
    "loading_note": (
        "B: unstandardised loading; λ: standardised loading; SE of B. Loadings without SE are fixed to set the scale.",
        "B 为非标准化载荷，λ 为标准化载荷；SE 对应 B。无 SE 者为设定量尺而固定的载荷。",
    ),
    "reliability_note": (
        (
            "α: Cronbach, with Feldt's 95% interval; ω: McDonald, over the observed variance of the sum; "
            "CR: composite reliability; AVE: average variance extracted; H: maximal reliability. "
            "Customary: α and CR from 0.70, AVE from 0.50."
        ),
        (
            "α 为 Cronbach 系数（Feldt 95% 置信区间）；ω 为 McDonald 系数（除以总分的观测方差）；CR 为组合信度；"
            "AVE 为平均方差提取量；H 为最大信度。惯例：α 与 CR 不低于 0.70，AVE 不低于 0.50。"
        ),
    ),
    "alpha_interval": ("95% CI of α", "α 的 95% 置信区间"),
    "fornell_note": (
        "Diagonal: √AVE; below it: correlations of the constructs in the model, which should be smaller.",
        "对角线为 √AVE；其下为模型隐含的构念相关，应小于相应的 √AVE。",
    ),
    "htmt_note": (
        "From the correlations of the items; discriminant validity: below 0.85 (strict) or 0.90.",
        "由题项相关计算；区分效度：低于 0.85（严格）或 0.90。",
    ),
    "variance_note": (
        "Of an explained variable the residual variance; standardised: its share of the total variance.",
        "有解释变量者为残差方差；标准化值为其占总方差的比例。",
    ),
    "covariance_note": (
        "r: correlation, of explained variables that of their residuals.",
        "r 为相关系数；有解释变量者为残差相关。",
    ),
    "effects_note": (
        "B and SE: delta method; β: from standardised paths.",
        "B 与 SE 由 delta 法得到；β 由标准化路径计算。",
    ),
    "verdict_note": (
        "Supported: the expected sign and p < .05, two-sided; chains of mediation by the delta method.",
        "支持：方向符合预期且双侧 p < 0.05；中介链采用 delta 法检验。",
    ),
    "effects_note_drawn": ("β: from standardised paths.", "β 由标准化路径计算。"),
    "verdict_note_drawn": (
        "Supported: the expected sign and p < .05, two-sided: the 95% interval of the draws leaves out zero.",
        "支持：方向符合预期且双侧 p < 0.05，即抽样的 95% 置信区间不含零。",
    ),
    "drawn_note": (
        "SE, p and intervals from {draws} bootstrap draws ({interval}){counts}.",
        "SE、p 与置信区间由 {draws} 次自助抽样（bootstrap）得到（{interval}）{counts}。",
    ),
    "drawn_failed": ("{n} draws did not converge and are left out", "{n} 次未收敛，已剔除"),
    "drawn_improper": ("{n} draws with a negative variance are kept", "{n} 次出现负方差，予以保留"),
    "drawn_all": ("all converged", "全部收敛"),
    "interval_bca": ("bias-corrected and accelerated", "偏差校正加速法 BCa"),
    "interval_percentile": ("percentile", "百分位法"),
    "interval_basic": ("basic", "基本法"),
    "bootstrap": ("Bootstrap", "自助法（bootstrap）"),
    "bootstrap_fact": ("{draws} draws, {interval} intervals{counts}", "{draws} 次抽样，区间为{interval}{counts}"),
    "modification_note": (
        (
            "MI: expected fall of χ² when the parameter is freed; EPC: expected value, SEPC: standardised. A search of "
            "many parameters on one sample fits chance: free none without a reason, and test it on new data."
        ),
        (
            "MI 为释放该参数后 χ² 的预期下降；EPC 为预期取值，SEPC 为其标准化值。"
            "在同一样本上搜索大量参数会迎合偶然：没有理由不得释放，并须用新数据检验。"
        ),
    ),
    "efa_missing": (
        "listwise over the items in the factor analysis, which may differ from the model's sample",
        "对因子分析题项列表删除，样本可能与结构模型不同",
    ),
    # Heads
    "measure": ("Measure", "指标"),
    "value": ("Value", "数值"),
    "definition": ("Definition", "定义"),
    "construct": ("Construct", "构念"),
    "item": ("Item", "题项"),
    "wording": ("Question", "题目"),
    "path": ("Path", "路径"),
    "hypothesis": ("Hypothesis", "假设"),
    "claim": ("Claim", "内容"),
    "expected": ("Expected", "预期"),
    "verdict": ("Verdict", "结论"),
    "effect": ("Effect", "效应"),
    "expression": ("Product or sum", "表达式"),
    "group": ("Group", "组别"),
    "interval90": ("90% CI", "90% 置信区间"),
    "variable": ("Variable", "变量"),
    "pair": ("Variables", "变量对"),
    "standardised_variance": ("standardised", "标准化"),
    "interval": ("95% CI", "95% 置信区间"),
    "parameter": ("Parameter", "参数"),
    "modification_caption": ("Largest modification indices", "最大修正指数"),
    "without_group": ("no value of the grouping variable", "分组变量缺失"),
    "fiml_step": ("no item of the model answered, or a fixed covariate missing", "模型题项全部缺失，或固定协变量缺失"),
    "listwise_step": ("an item of the model missing (listwise)", "模型题项有缺失（列表删除）"),
    "flow_note": (
        "Rules in the order applied; each counts those that no earlier rule had excluded.",
        "规则按应用顺序排列；每条只计入此前规则未剔除者。",
    ),
    "flow_none": ("No rule of screening was applied.", "未应用任何筛查规则。"),
    "descriptives_note": (
        (
            "n: answers given. Skewness and excess kurtosis: G1 and G2 (Joanes and Gill, 1998); floor and ceiling: "
            "shares of answers at the ends of the scale."
        ),
        "n 为有效作答数。偏度与超额峰度为 G1 与 G2（Joanes 与 Gill, 1998）；地板与天花板为落在量尺两端的作答比例。",
    ),
    "correlations_note": (
        "Pearson correlations over the respondents of the model; SD divides by n − 1.",
        "按模型样本计算的 Pearson 相关；标准差除以 n − 1。",
    ),
    "correlations_note_ordinal": (
        "Polychoric correlations over the respondents of the model, as the items are ordinal; Pearson between others.",
        "题项为有序变量，表中为按模型样本计算的多分格（polychoric）相关；其余变量间为 Pearson 相关。",
    ),
    "correlations_note_fiml": (
        "Estimated by maximum likelihood from all answers present; SD divides by n − 1.",
        "由全部有效作答以极大似然法估计；标准差除以 n − 1。",
    ),
    "correlations_note_matrix": ("Of the matrix given.", "由所给矩阵计算。"),
    "mardia_skewness": ("Mardia, multivariate skewness (χ²)", "Mardia 多元偏度（χ²）"),
    "mardia_kurtosis": ("Mardia, multivariate kurtosis (z)", "Mardia 多元峰度（z）"),
    "little": ("Little, missing completely at random (χ²)", "Little 完全随机缺失检验（χ²）"),
    "test": ("Test", "检验"),
    "statistic": ("Statistic", "统计量"),
    "statistic_minimum": ("minimum", "最小值"),
    "tests_caption": ("Multivariate normality and missing answers", "多元正态性与缺失机制检验"),
    "tests_note": (
        "Mardia: complete rows. ML estimates are consistent without normality; their standard errors and χ² assume it.",
        "Mardia 检验基于完整作答。非正态时 ML 估计仍是一致的，但其标准误与 χ² 以正态为前提。",
    ),
    "missing_count": ("Missing", "缺失"),
    "minimum": ("Min", "最小值"),
    "maximum": ("Max", "最大值"),
    "floor": ("Floor", "地板"),
    "ceiling": ("Ceiling", "天花板"),
    "step": ("Step", "步骤"),
    "excluded": ("Excluded", "剔除"),
    "remaining": ("Remaining", "剩余"),
    "mean": ("M", "均值"),
    "sd": ("SD", "标准差"),
    "skewness": ("Skewness", "偏度"),
    "kurtosis": ("Excess kurtosis", "超额峰度"),
    "valid": ("n", "n"),
    "r2": ("R²", "R²"),
    "outcome": ("Outcome", "因变量"),
    "factor": ("Factor", "因子"),
    "pattern_note": (
        "Extraction: {extraction}; rotation: {rotation}. h²: communality; u²: uniqueness.",
        "提取方法：{extraction}；旋转：{rotation}。h² 为共同度，u² 为独特性。",
    ),
    "adequacy_note": (
        "KMO {kmo}; Bartlett χ²({df}) = {chi2}, p {p}.",
        "KMO = {kmo}；Bartlett χ²({df}) = {chi2}，p {p}。",
    ),
    "extraction_minres": ("minimum residuals", "最小残差法"),
    "extraction_ml": ("maximum likelihood", "极大似然法"),
    "extraction_principal": ("principal components", "主成分法"),
    "chosen_note": (
        "Factors kept: {m}, by parallel analysis (95th percentile of {draws} random samples).",
        "保留 {m} 个因子，由平行分析确定（{draws} 个随机样本的第 95 百分位）。",
    ),
    "given_note": ("Factors kept: {m}, as the study asks.", "按设定保留 {m} 个因子。"),
    "heywood_note": (
        "Do not report: {items} leave no unique variance (Heywood case).",
        "不得报告：{items} 无独特方差（Heywood 情形）。",
    ),
    "unconverged_note": ("Do not report: the analysis did not converge.", "不得报告：分析未收敛。"),
    "ss_loadings": ("SS loadings", "载荷平方和"),
    "proportion": ("Share of variance", "方差贡献率"),
    "cumulative": ("Cumulative", "累计"),
    "eigenvalue": ("Eigenvalue", "特征值"),
    "random": ("Random, 95th percentile", "随机样本第 95 百分位"),
    "component": ("Component", "成分"),
    "efa_variance_caption": ("Variance accounted for and correlations of the factors", "因子方差贡献与因子相关"),
    "communality": ("Communality", "共同度"),
    "reference": ("Reference", "文献"),
    "reversed": ("reverse-worded", "反向题"),
    "title": ("Title", "标题"),
    "count_constructs": ("Constructs", "构念"),
    "count_items": ("Items", "题项"),
    "count_hypotheses": ("Hypotheses", "假设"),
    "count_rivals": ("Rivals", "竞争模型"),
    # Captions
    "fit_caption": ("Fit of the model", "模型拟合指标"),
    "loadings_caption": ("Loadings of the measurement model", "测量模型载荷"),
    "paths_caption": ("Structural paths", "结构路径"),
    "covariances_caption": ("Covariances", "协方差"),
    "variances_caption": ("Variances and residual variances", "方差与残差方差"),
    "intercepts_caption": ("Means and intercepts", "均值与截距"),
    "effects_caption": ("Indirect and total effects defined in the model", "模型定义的间接效应与总效应"),
    "r2_caption": ("Explained variance", "解释方差"),
    "hypotheses_caption": ("Hypotheses", "假设检验"),
    "reliability_caption": ("Reliability and convergent validity", "信度与收敛效度"),
    "fornell_caption": ("Fornell–Larcker criterion", "Fornell–Larcker 判据"),
    "htmt_caption": ("Heterotrait–monotrait ratio of correlations (HTMT)", "异质—单质比率（HTMT）"),
    "flow_caption": ("From collected to analysed respondents", "样本流程"),
    "descriptives_caption": ("Answers by item", "题项描述统计"),
    "correlations_caption": ("Correlations of the items", "题项相关矩阵"),
    "efa_caption": ("Pattern loadings of the exploratory factor analysis", "探索性因子分析模式载荷"),
    "eigenvalues_caption": ("Eigenvalues and parallel analysis", "特征值与平行分析"),
    "questions_caption": ("Constructs and questions", "构念与题项"),
    # Verdicts
    "supported": ("supported", "支持"),
    "unsupported": ("not supported", "不支持"),
    "opposite": ("contradicted", "方向相反"),
    "withheld_verdict": ("withheld", "不予判定"),
    "untested": ("not in the model", "未包含在模型中"),
    # Figure
    "figure_note": (
        "Dashed grey = not significant. * p < .05, ** p < .01, *** p < .001.",
        "虚线表示不显著。* p < 0.05，** p < 0.01，*** p < 0.001。",
    ),
    "note_lead": ("Note. ", "注："),
    "figure_caption": ("Path diagram, standardised estimates.", "路径图（标准化估计值）。"),
    "figure_description": ("Path diagram: {paths}.", "路径图：{paths}。"),
    **LOYALTY_WORDS,
    **HYPOTHESIS_WORDS,
    **PLS_WORDS,
    **PLOT_WORDS,
    **REPORT_WORDS,
    **TABLE_WORDS,
    **NOTE_WORDS,
}


def word(key: str, lang: str, **values: object) -> str:
    """Return a word or sentence in a language, its fields filled.

    Parameters
    ----------
    key : str
        Key of WORDS.
    lang : {"en", "zh"}
        Language.
    **values : object
        What stands in the braces.

    Returns
    -------
    str

    Raises
    ------
    ConfigurationError
        If the key or the language is unknown.
    """
    check_choice("lang", lang, ("en", "zh"))
    if key not in WORDS:
        raise ConfigurationError(f"The report has no words for {key!r}. {nearest(key, WORDS)}".strip())
    text = WORDS[key][0 if lang == "en" else 1]
    return text.format(**values) if values else text
