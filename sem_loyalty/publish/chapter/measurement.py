"""Measurement: factors explored, loadings, reliability, convergent and discriminant validity.

Cut-offs are held against numbers rounded to the three decimals that are printed, so that text and number agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sem_loyalty.publish.chapter.writer import Said, Writer, at
from sem_loyalty.publish.records import Record

LOADING, GOOD_LOADING = 0.50, 0.70
RELIABLE, CONVERGENT = 0.70, 0.50
STRICT_HTMT, LIBERAL_HTMT = 0.85, 0.90
ALPHA = 0.05
_EXTRACTIONS = {
    "minres": ("minimum residuals", "最小残差法"),
    "ml": ("maximum likelihood", "极大似然法"),
    "principal": ("principal components", "主成分法"),
}


def below(value: float, limit: float) -> bool:
    """Return whether a number, as printed, misses a cut-off from below."""
    return round(float(value), 3) < limit


def significant(p: float | None) -> bool:
    """Return whether a p-value is below the level; what has no p-value is not significant."""
    return p is not None and bool(p < ALPHA)


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
    loadings = _loadings(w)
    latent = {row["lhs"] for row in loadings}
    return len({row["lhs"] for row in loadings if row["rhs"] not in latent})


def _loadings(w: Writer) -> list[Mapping[str, Any]]:
    return [row for row in w.book.rows("estimates") if row["op"] == "=~"]


def _group(w: Writer, row: Mapping[str, Any]) -> str:
    names = w.book.results.get("group_names", [])
    return str(names[int(row["group"]) - 1]) if len(names) > 1 and row["group"] else ""


def write_measurement(w: Writer) -> None:
    """Write loadings, reliability, convergent and discriminant validity."""
    loadings = _loadings(w)
    if not loadings:
        return
    w.heading("Reliability and convergent validity", "信度与收敛效度", 2)
    w.paragraph(_on_loadings(w, loadings))
    if w.records("reliability"):
        w.paragraph(_on_reliability(w))
    else:
        w.paragraph(
            [
                w.say(
                    "Coefficients of reliability and discriminant validity are not available for this estimator "
                    "and are not reported.",
                    "所用估计方法下无法提供信度与区分效度系数，故不予报告。",
                )
            ]
        )
    if w.records("discriminant"):
        w.heading("Discriminant validity", "区分效度", 2)
        w.paragraph([_fornell(w), _htmt(w)])


def _key(w: Writer, row: Mapping[str, Any]) -> str:
    name = f"{row['lhs']}=~{row['rhs']}"
    return f"estimates/{at(name, _group(w, row))}"


def _on_loadings(w: Writer, loadings: Sequence[Mapping[str, Any]]) -> list[Said]:
    known = [row for row in loadings if row["std_all"] == row["std_all"] and row["std_all"] is not None]
    low = min(known, key=lambda row: abs(row["std_all"]))
    high = max(known, key=lambda row: abs(row["std_all"]))
    said = [
        w.say(
            "The standardised loadings range from {low} to {high} ({t}).",
            "标准化因子载荷介于 {low} 与 {high} 之间（{t}）。",
            low=w.index(f"{_key(w, low)}/std_all"),
            high=w.index(f"{_key(w, high)}/std_all"),
            t=_one_of(w, "cfa", "loadings"),
        )
    ]
    free = [row for row in loadings if (row["se"] or 0) > 0]
    silent = [row for row in free if not significant(row["pvalue"])]
    if free and not silent:
        said.append(w.say("All freely estimated loadings are significant.", "所有自由估计的载荷均显著。"))
    elif silent:
        named = [_named(w, row, "pvalue:p=", "*p* {v}") for row in silent]
        verb = "is" if len(silent) == 1 else "are"
        said.append(
            w.say(
                f"Not significant {verb} the {'loading' if len(silent) == 1 else 'loadings'} of {{items}}.",
                "不显著的载荷有：{items}。",
                items=w.listed(named),
            )
        )
    weak = [row for row in known if below(abs(row["std_all"]), LOADING)]
    middling = [row for row in known if row not in weak and below(abs(row["std_all"]), GOOD_LOADING)]
    if not weak and not middling:
        said.append(w.say("All reach the recommended .70 {hair}.", "全部达到 0.70 的推荐标准{hair}。"))
        return said
    if weak:
        items = w.listed([_named(w, row, "std_all:.3", "{v}") for row in weak])
        said.append(
            w.say(
                f"Below the minimum of .50 {{hair}} {'lies' if len(weak) == 1 else 'lie'} {{items}}; "
                f"{'this item is' if len(weak) == 1 else 'these items are'} a weak measure of "
                f"{'its construct' if len(weak) == 1 else 'their constructs'}.",
                "低于 0.50 最低标准{hair}的有 {items}，对所属构念的测量较弱。",
                items=items,
            )
        )
    if middling:
        items = w.listed([_named(w, row, "std_all:.3", "{v}") for row in middling])
        lead = "" if weak else "All reach the minimum of .50 {hair}; "
        zh = "" if weak else "全部达到 0.50 的最低标准{hair}，"
        start = "between" if lead else "Between"
        said.append(
            w.say(
                f"{lead}{start} .50 and the recommended .70 {'lies' if len(middling) == 1 else 'lie'} {{items}}.",
                f"{zh}其中介于 0.50 与推荐标准 0.70 之间的有 {{items}}。"
                if zh
                else "介于 0.50 与推荐标准 0.70 之间的有 {items}。",
                items=items,
            )
        )
    return said


def _one_of(w: Writer, *ids: str) -> Said:
    """Return a reference to the first of some tables that exists: they show the same numbers."""
    return w.tables(*[id for id in ids if w.has("table", id)][:1])


def _named(w: Writer, row: Mapping[str, Any], field: str, template: str) -> Said:
    """Return an item with a number in brackets, and its group where there are several."""
    group = _group(w, row)
    where = ("; " if w.english else "；") + group if group else ""
    return w.say(
        f"{{item}} ({template}{{where}})",
        f"{{item}}（{template}{{where}}）",
        item=w.label(str(row["rhs"])),
        v=w.value(f"{_key(w, row)}/{field}"),
        where=where,
    )


def _place(w: Writer, record: Record) -> str:
    """Return the construct of a record, with its group where there are several."""
    name = w.label(str(record["row"]))
    if not record["group"]:
        return name
    return f"{name} ({record['group']})" if w.english else f"{name}（{record['group']}）"


def _row(section: str, record: Record) -> str:
    return f"{section}/{at(str(record['row']), str(record['group']))}"


def _on_reliability(w: Writer) -> list[Said]:
    found = w.records("reliability")
    table = _one_of(w, "cfa", "reliability")
    said: list[Said] = []
    clauses: list[Said] = []
    for field, name, phrase in (
        ("alpha", "α", "Cronbach's α"),
        ("omega", "ω", "McDonald's ω"),
        ("cr", "CR", "composite reliability (CR)"),
        ("ave", "AVE", "average variance extracted (AVE)"),
    ):
        known = [record for record in found if _is(record[field])]
        if known:
            clauses.append(
                w.say(
                    f"{phrase} {{range}}",
                    f"{_CHINESE[name]}{{range}}",
                    range=_range(w, "reliability", field, known, verb=not clauses),
                )
            )
    if clauses:
        said.append(
            w.say(
                "Over the constructs, {clauses} ({t})." if len(found) > 1 else "For the construct, {clauses} ({t}).",
                "各构念的{clauses}（{t}）。",
                clauses=w.listed(clauses) if w.english else w.joined(clauses),
                t=table,
            )
        )
    fails: list[Said] = []
    for field, name, limit, shown in (
        ("alpha", "α", RELIABLE, (".70", "0.70")),
        ("cr", "CR", RELIABLE, (".70", "0.70")),
        ("ave", "AVE", CONVERGENT, (".50", "0.50")),
    ):
        missed = [record for record in found if _is(record[field]) and below(record[field], limit)]
        if missed:
            items = [
                w.say(
                    "{who} ({v})",
                    "{who}（{v}）",
                    who=_place(w, record),
                    v=w.index(f"{_row('reliability', record)}/{field}"),
                )
                for record in missed
            ]
            fails.append(
                w.say(
                    f"{name} is below {shown[0]} for {{items}}",
                    f"{name} 低于 {shown[1]} 的有{{items}}",
                    items=w.listed(items),
                )
            )
    if not clauses:
        return said
    if not fails:
        said.append(
            w.say(
                "All values reach the customary limits of .70 for α {nunnally} and CR {hair} and of .50 for AVE "
                "{fornell}, so that reliability and convergent validity are satisfactory.",
                "α{nunnally}与 CR{hair}均不低于惯用的 0.70，AVE 均不低于 0.50{fornell}，"
                "表明量表具有良好的信度与收敛效度。",
            )
        )
    else:
        said.append(
            w.say(
                "Against the customary limits of .70 for α {nunnally} and CR {hair} and of .50 for AVE {fornell}, "
                "{fails}; "
                "there, reliability or convergent validity is in doubt.",
                "惯用标准为 α{nunnally}与 CR{hair}不低于 0.70、AVE 不低于 0.50{fornell}。对照之下，{fails}，"
                "其信度或收敛效度存疑。",
                fails=w.joined(fails),
            )
        )
    lacking = [record for record in found if not _is(record["cr"])]
    if lacking:
        said.append(
            w.say(
                "Composite reliability and AVE could not be computed for {items}.",
                "{items}无法计算组合信度与 AVE。",
                items=w.listed([_place(w, record) for record in lacking]),
            )
        )
    return said


_CHINESE = {"α": "Cronbach's α ", "ω": "McDonald's ω ", "CR": "组合信度（CR）", "AVE": "平均方差提取量（AVE）"}


def _is(value: Any) -> bool:
    return value is not None and value == value


def _range(w: Writer, section: str, field: str, found: Sequence[Record], *, verb: bool) -> Said:
    """Return "ranges from .70 to .90", or "is .70" of one; the verb only in the first clause of a series."""
    order: Callable[[Record], float] = lambda record: float(record[field])  # noqa: E731 - a key, twice
    low, high = min(found, key=order), max(found, key=order)
    if len(found) == 1:
        return w.say("is {v}" if verb else "{v}", "为 {v}", v=w.index(f"{_row(section, low)}/{field}"))
    return w.say(
        "ranges from {low} to {high}" if verb else "from {low} to {high}",
        "介于 {low} 与 {high} 之间",
        low=w.index(f"{_row(section, low)}/{field}"),
        high=w.index(f"{_row(section, high)}/{field}"),
    )


def _names(w: Writer, record: Record) -> tuple[str, str]:
    first, second = str(record["row"]).split("~~")
    return w.label(first), w.label(second)


def _pair(w: Writer, record: Record) -> str:
    """Return the two constructs, and the group where there are several."""
    first, second = _names(w, record)
    text = f"{first} and {second}" if w.english else f"{first}与{second}"
    if not record["group"]:
        return text
    return f"{text} in the group {record['group']}" if w.english else f"{text}（{record['group']}）"


def _square_tables(w: Writer, id: str) -> Said:
    ids = [id, *(name for name in w.book.results["tables"] if str(name).startswith(f"{id}-"))]
    return w.tables(*ids)


def _fornell(w: Writer) -> Said:
    """Return the sentence on the Fornell-Larcker criterion, pair by pair where it fails."""
    judged = [record for record in w.records("discriminant") if record["fornell_larcker"] is not None]
    if not judged:
        return ()
    table = _square_tables(w, "constructs" if w.has("table", "constructs") else "fornell-larcker")
    failed = [record for record in judged if not record["fornell_larcker"]]
    if not failed:
        return w.say(
            "In every pair of constructs, √AVE of both exceeds their correlation, which meets the criterion of "
            "{fornell_by} "
            "({t})." if len(judged) > 1 else
            "√AVE of both constructs exceeds their correlation, which meets the criterion of {fornell_by} ({t}).",
            "每对构念的 √AVE 均大于二者的相关系数，满足 {fornell_by}的判据（{t}）。",
            t=table,
        )  # fmt: skip
    items = [
        w.say(
            "{pair}, whose correlation of {r} is not below the smaller √AVE of {root}",
            "{pair}（相关系数 {r}，较小的 √AVE 为 {root}）",
            pair=_pair(w, record),
            r=w.index(f"{_row('discriminant', record)}/correlation"),
            root=w.index(f"{_row('discriminant', record)}/{_smaller(record)}"),
        )
        for record in failed
    ]
    return w.say(
        "The criterion of {fornell_by} is not met by {items} ({t}).",
        "未满足 {fornell_by}判据的有：{items}（{t}）。",
        items=w.joined(items),
        t=table,
    )


def _smaller(record: Record) -> str:
    return "root_ave_first" if record["root_ave_first"] <= record["root_ave_second"] else "root_ave_second"


def _htmt(w: Writer) -> Said:
    known = [record for record in w.records("discriminant") if _is(record["htmt"])]
    if not known:
        return ()
    table = _square_tables(w, "htmt")
    doubtful = [record for record in known if not below(record["htmt"], STRICT_HTMT)]
    if not doubtful:
        largest = max(known, key=lambda record: float(record["htmt"]))
        return w.say(
            "All heterotrait–monotrait ratios (HTMT) lie below .85 {henseler}; the largest, of {pair}, is {v} ({t})."
            if len(known) > 1 else
            "The heterotrait–monotrait ratio (HTMT) of {pair} is {v}, below .85 {henseler} ({t}).",
            "异质—单质比率（HTMT）均低于 0.85{henseler}，最大值为 {v}（{pair}；{t}）。",
            pair=_pair(w, largest),
            v=w.index(f"{_row('discriminant', largest)}/htmt"),
            t=table,
        )  # fmt: skip
    failed = [record for record in doubtful if not below(record["htmt"], LIBERAL_HTMT)]
    between = [record for record in doubtful if record not in failed]

    def named(records: Sequence[Record]) -> Said:
        return w.listed(
            [
                w.say(
                    "{pair} ({v})",
                    "{pair}（{v}）",
                    pair=_pair(w, record),
                    v=w.index(f"{_row('discriminant', record)}/htmt"),
                )
                for record in records
            ]
        )

    clauses: list[Said] = []
    if failed:
        clauses.append(
            w.say(
                "it is .90 or more for {items}, whose discriminant validity is not shown",
                "{items}的比率达到或超过 0.90，其区分效度未得到支持",
                items=named(failed),
            )
        )
    if between:
        clauses.append(
            w.say(
                "it lies between the strict limit of .85 and the liberal one of .90 for {items}",
                "{items}的比率介于严格标准 0.85 与宽松标准 0.90 之间",
                items=named(between),
            )
        )
    return w.say(
        "By the heterotrait–monotrait ratio (HTMT) {henseler}, {clauses} ({t}).",
        "按异质—单质比率（HTMT）{henseler}，{clauses}（{t}）。",
        clauses=w.joined(clauses),
        t=table,
    )
