"""The exploratory factor analysis."""

from __future__ import annotations

from sem_loyalty.publish.chapter.cutoffs import below
from sem_loyalty.publish.chapter.measurement import loading_rows
from sem_loyalty.publish.chapter.writer import Said, Writer
from sem_loyalty.publish.records import Record

_EXTRACTIONS = {
    "minres": ("minimum residuals", "最小残差法"),
    "ml": ("maximum likelihood", "极大似然法"),
    "principal": ("principal components", "主成分法"),
}


def write_exploration(w: Writer) -> None:
    """Write the section on the exploratory factor analysis, if there is one."""
    found = w.records("efa")
    if not found:
        return
    w.heading("Exploratory factor analysis", "探索性因子分析", 2)
    efa = found[0]
    kmo = float(efa["kmo"])
    english, chinese = (
        ("well suited", "非常适合") if not below(kmo, 0.80) else
        ("suited", "适合") if not below(kmo, 0.60) else
        ("barely suited", "勉强适合") if not below(kmo, 0.50) else
        ("not suited", "不适合")
    )  # fmt: skip
    said = [
        w.say(
            f"The {{items}} items are {english} to factor analysis: the Kaiser–Meyer–Olkin measure is {{kmo}} "
            "{kaiser}, and Bartlett's test of sphericity gives χ²({df}) = {chi}, *p* {p}.",
            f"{{items}} 个题项{chinese}作因子分析：KMO 值为 {{kmo}}{{kaiser}}，Bartlett 球形检验 χ²({{df}}) = {{chi}}，"
            "*p* {p}。",
            items=w.value("efa/items"),
            kmo=w.index("efa/kmo"),
            df=w.value("efa/bartlett_df"),
            chi=w.value("efa/bartlett_chisq:2"),
            p=w.value("efa/bartlett_p:p="),
        ),
        _factors(w, efa),
    ]
    if not efa["sound"]:
        said.append(
            w.say(
                "The solution is not proper (an item without unique variance, or no convergence) and is not "
                "interpreted.",
                "该解不恰当（存在无独特方差的题项或未收敛），不予解释。",
            )
        )
    w.paragraph(said)


def _factors(w: Writer, efa: Record) -> Said:
    one = efa["factors"] == 1
    number = w.value("efa/factors")
    share = w.value("efa/variance:pct1")
    names = _EXTRACTIONS[str(efa["extraction"])]
    how = (
        names
        if one
        else tuple(f"{name}{comma}{efa['rotation']}" for name, comma in zip(names, (", ", "，"), strict=True))
    )
    constructs = _measured(w)
    expected: tuple[str, str] = ("", "")
    if constructs and not one:
        gap = int(efa["factors"]) - constructs
        expected = (
            (", as many as there are measured constructs", "，与所测构念的数目一致") if gap == 0 else
            (", fewer than there are measured constructs", "，少于所测构念的数目") if gap < 0 else
            (", more than there are measured constructs", "，多于所测构念的数目")
        )  # fmt: skip
    loadings = w.tables("eigenvalues", "efa-loadings", "efa-variance")
    verb = "accounts" if one else "account"
    noun = "factor" if one else "factors"
    if efa["given"]:
        lead = f"As asked for, {{m}} {noun} {'was' if one else 'were'} extracted ({how[0]}){expected[0]}"
        chinese = f"按设定提取 {{m}} 个因子（{how[1]}）{expected[1]}，"
    else:
        lead = f"Parallel analysis {{horn}} retains {{m}} {noun} ({how[0]}){expected[0]}"
        chinese = f"平行分析{{horn}}建议保留 {{m}} 个因子（{how[1]}）{expected[1]}，"
    return w.say(
        f"{lead}; {'it' if one else 'they'} {verb} for {{share}}% of the variance of the items ({{t}}).",
        f"{chinese}累计解释题项方差的 {{share}}%（{{t}}）。",
        m=number,
        share=share,
        t=loadings,
    )


def _measured(w: Writer) -> int:
    """Return how many constructs are measured by observed items."""
    loadings = loading_rows(w)
    latent = {row["lhs"] for row in loadings}
    return len({row["lhs"] for row in loadings if row["rhs"] not in latent})
