"""The words of the report as a page: its first section, captions, controls and how to cite."""

from __future__ import annotations

REPORT_WORDS: dict[str, tuple[str, str]] = {
    # Captions
    "table_number": ("Table {n}", "表 {n}"),
    "figure_number": ("Figure {n}", "图 {n}"),
    "listed": ("Tables and figures", "表与图"),
    "figure_groups": ("Path diagrams of the groups side by side.", "各组路径图对照。"),
    # At a glance
    "glance_result": ("Result", "结果"),
    "glance_certified": ("certified", "通过检验"),
    "glance_uncertified": ("not certified", "未通过检验"),
    "glance_n": ("N analysed", "分析样本 N"),
    "glance_of": ("of {n} collected", "共回收 {n}"),
    "glance_hypotheses": ("Hypotheses supported", "假设得到支持"),
    "glance_share": ("{yes} of {all}", "{yes}／{all}"),
    "glance_withheld": ("withheld", "不予判定"),
    "glance_fit": ("Fit", "拟合"),
    "caveats": ("Read this before using the numbers", "使用数字前请先阅读"),
    # Caveats
    "caveat_simulated": (
        "The data are simulated: nothing here is a finding about customers.",
        "数据为模拟生成：此处没有任何关于真实顾客的发现。",
    ),
    "caveat_chisq": (
        "The χ² test rejects exact fit (p {p}).",
        "χ² 检验拒绝精确拟合（p {p}）。",
    ),
    "caveat_fit": (
        "Fit falls short of customary values: {measures}.",
        "拟合未达到惯用标准：{measures}。",
    ),
    "caveat_reliability": (
        "Composite reliability below .70: {names}.",
        "组合信度低于 0.70：{names}。",
    ),
    "caveat_ave": (
        "Average variance extracted below .50: {names}.",
        "平均方差提取量低于 0.50：{names}。",
    ),
    "caveat_htmt": (
        "HTMT of .90 or more, so these are hardly told apart: {names}.",
        "HTMT 不低于 0.90，构念难以区分：{names}。",
    ),
    "caveat_unsupported": ("Not supported by the data: {ids}.", "未得到数据支持：{ids}。"),
    "caveat_opposite": ("Contradicted, significant with the other sign: {ids}.", "显著但方向与预期相反：{ids}。"),
    "caveat_excluded": (
        "{n} of {all} respondents ({share}%) are not in the analysis: see Sample and screening.",
        "{all} 名受访者中有 {n} 名（{share}%）未进入分析：见“样本与筛查”。",
    ),
    "caveat_failed": (
        "{n} of {all} bootstrap draws did not converge and are left out.",
        "{all} 次自助抽样中有 {n} 次未收敛，已剔除。",
    ),
    "caveat_small": (
        "N = {n} for {q} free parameters: fewer than five respondents a parameter.",
        "N = {n}，自由参数 {q} 个：每个参数不足五名受访者。",
    ),
    "caveat_matrix": (
        "The analysis starts from a matrix: answers could not be screened.",
        "分析以矩阵为起点：无法筛查原始作答。",
    ),
    "caveat_causal": (
        "Arrows are assumptions: a model that fits is compatible with the data, not shown to be the cause of them.",
        "箭头是假定：模型拟合只说明与数据相容，并不证明因果关系。",
    ),
    # Lines on a path
    "line_title": ("{source} → {target}", "{source} → {target}"),
    "line_residual": ("Residual variance of {name}", "{name}的残差方差"),
    "line_pair": ("{source} ↔ {target}", "{source} ↔ {target}"),
    "line_share": ("share of the variance {value}", "占总方差 {value}"),
    "line_interval": ("95% CI of B {interval}", "B 的 95% 置信区间 {interval}"),
    "line_fixed": ("fixed, not tested", "固定参数，不检验"),
    "line_verdict": ("{id} ({sign}): {verdict}", "{id}（{sign}）：{verdict}"),
    "line_uncertified": ("NOT CERTIFIED, do not report", "未通过检验，不得报告"),
    "line_simulated": ("simulated data", "模拟数据"),
    # How to cite
    "cite": ("How to cite", "引用方式"),
    "cite_software": ("The software", "软件"),
    "cite_software_text": (
        (
            "The sem_loyalty developers. sem_loyalty: structural equation modelling of customer loyalty "
            "(Version {version}) [Computer software]."
        ),
        (
            "The sem_loyalty developers. sem_loyalty: structural equation modelling of customer loyalty[CP]. "
            "版本 {version}."
        ),
    ),
    "cite_method": ("A sentence for the method section", "方法部分可用的一句话"),
    "cite_method_text": (
        (
            "The model was estimated by {estimator} with sem_loyalty {version} (engine: {engine}); N = {n}; missing "
            "answers: {missing}{drawn}."
        ),
        (
            "模型采用 {estimator} 估计，软件为 sem_loyalty {version}（计算引擎：{engine}）；N = {n}；"
            "缺失值处理：{missing}{drawn}。"
        ),
    ),
    "cite_drawn": ("; bootstrap: {fact}, seed {seed}", "；自助法（bootstrap）：{fact}，随机种子 {seed}"),
    "cite_uncertified": (
        "The fit is not certified, so there is no result to cite.",
        "拟合未通过检验，因此没有可引用的结果。",
    ),
    "cite_simulated": (
        "The data are simulated: cite this report as a demonstration, never as evidence.",
        "数据为模拟生成：本报告只可作为演示引用，不得作为证据。",
    ),
    # Reproducibility
    "rebuild": ("Commands", "命令"),
    "rebuild_text": (
        "Run in a terminal; the folder of results is replaced as a whole.",
        "在终端运行；结果文件夹将被整体替换。",
    ),
    "inputs": ("Inputs", "输入文件"),
    "used": ("Versions", "版本"),
    # Controls, which the script of the page makes
    "control_hint": (
        "Point at a construct to isolate it; click a path for its numbers. Keyboard: Tab, arrow keys, Enter, Escape.",
        "指向构念可突出其路径；点击路径可查看数字。键盘：Tab、方向键、Enter、Escape。",
    ),
    "control_items": ("Items", "题项"),
    "control_weak": ("Paths that are not significant", "不显著路径"),
    "control_copy": ("Copy table", "复制表格"),
    "control_copied": ("Copied", "已复制"),
    "control_save": ("Save SVG", "保存 SVG"),
    "control_diagram": ("Path diagram: use the arrow keys", "路径图：可用方向键浏览"),
    "control_none": ("No numbers for this line.", "该连线没有数字。"),
}
