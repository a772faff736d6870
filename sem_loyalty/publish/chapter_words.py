"""The words of a chapter that are results, in English and Chinese; its sentences are in publish/chapter."""

from __future__ import annotations

# "field:value" of a result as it stands in a sentence.
FIGURES: dict[str, tuple[str, str]] = {
    "verdict:supported": ("supported", "得到支持"),
    "verdict:unsupported": ("not supported", "未得到支持"),
    "verdict:opposite": ("not supported", "未得到支持"),
    "verdict:withheld": ("withheld", "不予判定"),
    "verdict:untested": ("not tested", "未作检验"),
    "kind:complementary": ("complementary mediation", "互补中介"),
    "kind:competitive": ("competitive mediation", "竞争中介"),
    "kind:indirect-only": ("indirect-only mediation", "仅间接效应的中介"),
    "kind:indirect-only (no direct path in the model)": ("an indirect effect", "间接效应"),
    "kind:direct-only": ("no mediation", "无中介"),
    "kind:none": ("no mediation", "无中介"),
    "level:configural": ("configural invariance", "形态等值"),
    "level:thresholds": ("threshold invariance", "阈值等值"),
    "level:metric": ("metric invariance", "弱等值"),
    "level:scalar": ("scalar invariance", "强等值"),
    "level:strict": ("strict invariance", "严格等值"),
    "level:partial-thresholds": ("partial threshold invariance", "部分阈值等值"),
    "level:partial-metric": ("partial metric invariance", "部分弱等值"),
    "level:partial-scalar": ("partial scalar invariance", "部分强等值"),
    "level:partial-strict": ("partial strict invariance", "部分严格等值"),
}
