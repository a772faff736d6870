"""The words of the tables of a chapter that gather several results, in English and Chinese."""

from __future__ import annotations

TABLE_WORDS: dict[str, tuple[str, str]] = {
    # A head over "H1" and one over "+" leave the room to the path.
    "hypothesis_head": ("H", "假设"),
    "sign_head": ("Sign", "预期"),
    "characteristics_caption": ("Characteristics of the respondents", "样本特征"),
    "characteristic": ("Characteristic", "特征"),
    "frequency": ("n", "人数"),
    "percentage": ("%", "百分比（%）"),
    "no_answer": ("no answer", "未作答"),
    "mean_and_sd": ("M = {mean}, SD = {sd}", "M = {mean}，SD = {sd}"),
    "characteristics_note": (
        "Shares of all respondents analysed; of a quantity, its mean (M) and standard deviation (SD).",
        "百分比以全部分析样本为分母；数量变量报告均值 M 与标准差 SD。",
    ),
    "constructs_caption": ("Means, standard deviations and correlations of the constructs", "构念的均值、标准差与相关"),
    "constructs_note": (
        (
            "M: mean, and SD: standard deviation (with n − 1), of the average of a construct's items; diagonal: √AVE; "
            "below it: correlations of the constructs in the model, which should be smaller."
        ),
        (
            "M 与 SD 为各构念题项均分的均值与标准差（除以 n − 1）；"
            "对角线为 √AVE，其下为模型隐含的构念相关，应小于相应的 √AVE。"
        ),
    ),
    "cfa_caption": (
        "Measurement model: loadings, reliability and convergent validity",
        "测量模型：载荷、信度与收敛效度",
    ),
    "cfa_note": (
        (
            "λ: standardised loading; SE and z: of the unstandardised loading B, blank where B is fixed to set the "
            "scale; α: Cronbach's alpha; ω: McDonald's omega; CR: composite reliability; AVE: average variance "
            "extracted. Customary: λ, α and CR from 0.70, AVE from 0.50."
        ),
        (
            "λ 为标准化载荷；SE 与 z 对应非标准化载荷 B，为设定量尺而固定者留空；α 为 Cronbach 系数；"
            "ω 为 McDonald 系数；CR 为组合信度；"
            "AVE 为平均方差提取量。惯例：λ、α 与 CR 不低于 0.70，AVE 不低于 0.50。"
        ),
    ),
}
