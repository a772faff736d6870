"""Records: what a study found as rows with fixed names, in no language, for results.json, claims and the chapter.

A record is a mapping of plain values. Those of one section share their fields; `row` names the record in its section
and `group` the group that it is of ("" where there is one group, or where it is of all).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from sem_loyalty.errors import NotSupported
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.comparison import Comparison
from sem_loyalty.inference.effect_list import DIRECT, INDIRECT, SPECIFIC
from sem_loyalty.inference.effects import Effects
from sem_loyalty.inference.estimates import r_squared
from sem_loyalty.inference.group_paths import PathComparison
from sem_loyalty.inference.invariance import Invariance
from sem_loyalty.inference.robustness import Robustness
from sem_loyalty.loyalty.drivers import Drivers
from sem_loyalty.loyalty.performance import PerformanceMap
from sem_loyalty.loyalty.recommendation import NetPromoter
from sem_loyalty.loyalty.segments import Segments
from sem_loyalty.measurement.factors import EFA
from sem_loyalty.measurement.method_bias import MethodBias
from sem_loyalty.measurement.reliability import reliability
from sem_loyalty.measurement.validity import Validity, validity
from sem_loyalty.survey.screen import Screening

Record: TypeAlias = dict[str, Any]
Records: TypeAlias = Mapping[str, list[Record]]

OWN_MODEL = "own"
# Sections of one record have this row, which an address leaves out.
ONLY = ""


def measurement_records(fitted: Fit) -> Records:
    """Return loadings' constructs, reliability, discriminant validity and explained variance of a fit.

    Parameters
    ----------
    fitted : Fit

    Returns
    -------
    mapping of str to list of dict
        "reliability" by construct; "discriminant" by pair of constructs, "A~~B"; "r_squared" by outcome.
    """
    spec = fitted.specification
    several = len(spec.groups) > 1
    explained = r_squared(fitted)
    found: dict[str, list[Record]] = {
        "r_squared": [
            {"row": row["variable"], "group": spec.groups[int(row["group"]) - 1] if several else "", "r2": row["r2"]}
            for row in explained[explained["variable"].isin(spec.outcomes)].to_dict("records")
        ]
    }
    if not any(spec.indicators.values()):
        return found
    names = ("items", "alpha", "alpha_ci_lower", "alpha_ci_upper", "omega", "cr", "ave", "h")
    try:
        found["reliability"] = [
            {"row": row["construct"], "group": row["group"] if several else "", **{name: row[name] for name in names}}
            for row in reliability(fitted).reset_index().to_dict("records")
        ]
        checked = [validity(fitted, group=number) for number in range(1, len(spec.groups) + 1)]
        found["discriminant"] = [record for each in checked for record in _pairs(each)]
    except NotSupported:
        pass  # the tables say why
    return found


def _pairs(found: Validity) -> Iterable[Record]:
    names = [str(name) for name in found.fornell_larcker.columns]
    corner = found.fornell_larcker.to_numpy(dtype=float).tolist()
    ratios = found.htmt.to_numpy(dtype=float).tolist()
    judged = {row["pair"]: row["holds"] for row in found.verdict.to_dict("records") if "Fornell" in row["criterion"]}
    for j, second in enumerate(names):
        for i, first in enumerate(names[:j]):
            yield {
                "row": f"{first}~~{second}",
                "group": found.group,
                "correlation": corner[j][i],
                "root_ave_first": corner[i][i],
                "root_ave_second": corner[j][j],
                "htmt": ratios[j][i],
                # None: one is a dimension of the other, or a construct has no AVE.
                "fornell_larcker": judged.get(f"{first} ~ {second}"),
            }


def sample_records(
    collected: int, analysed: int, excluded: Mapping[str, tuple[float, int]], screening: Screening | None
) -> Records:
    """Return what screening did.

    Parameters
    ----------
    collected, analysed : int
        Rows of the survey (0 for a matrix), and respondents behind the fit.
    excluded : mapping of str to (float, int)
        Threshold and number excluded by rule.
    screening : Screening or None

    Returns
    -------
    mapping of str to list of dict
        "sample", "exclusions" by rule, "normality" (Mardia) and "mcar" (Little).
    """
    found: dict[str, list[Record]] = {}
    if collected:
        found["sample"] = [
            {
                "row": ONLY,
                "group": "",
                "collected": collected,
                "excluded": sum(n for _, n in excluded.values()),
                "retained": analysed / collected,
            }
        ]
    found["exclusions"] = [
        {"row": rule, "group": "", "threshold": limit, "excluded": count} for rule, (limit, count) in excluded.items()
    ]
    if screening is not None and screening.mardia is not None:
        normal = screening.mardia
        names = ("skewness", "skewness_statistic", "skewness_df", "skewness_p", "kurtosis", "kurtosis_z", "kurtosis_p")
        found["normality"] = [{"row": ONLY, "group": "", **{name: getattr(normal, name) for name in names}}]
    if screening is not None and screening.mcar is not None:
        mcar = screening.mcar
        found["mcar"] = [{"row": ONLY, "group": "", "statistic": mcar.statistic, "df": mcar.df, "p": mcar.p}]
    return found


def factor_records(found: EFA) -> Records:
    """Return the exploratory factor analysis: section "efa"."""
    return {
        "efa": [
            {
                "row": ONLY,
                "group": "",
                "n": found.n,
                "items": len(found.items),
                "factors": found.n_factors,
                "given": any("given" in note for note in found.notes),
                "extraction": found.extraction,
                "rotation": found.rotation,
                "kmo": found.kmo.overall,
                "bartlett_chisq": found.bartlett.chi2,
                "bartlett_df": found.bartlett.df,
                "bartlett_p": found.bartlett.p,
                "variance": float(found.variance["cumulative"].iloc[-1]),
                "sound": found.converged and not found.heywood,
            }
        ]
    }


def effect_records(found: Effects) -> Records:
    """Return direct, indirect and total effects, and the kind of mediation.

    Returns
    -------
    mapping of str to list of dict
        "direct", "indirect" and "total" by "A->B"; a specific indirect effect is a row of "indirect" by its route,
        "A->M->B". "mediation" by "A->B".
    """
    several = len(found.groups) > 1
    sections: dict[str, list[Record]] = {"direct": [], "indirect": [], "total": []}
    names = ("est", "se", "pvalue", "ci_lower", "ci_upper", "std_all", "std_ci_lower", "std_ci_upper")
    for effect, row in zip(found.effects, found.to_frame().to_dict("records"), strict=True):
        section = "indirect" if effect.kind in (SPECIFIC, INDIRECT) else "direct" if effect.kind == DIRECT else "total"
        sections[section].append(
            {
                "row": "->".join(effect.route or (effect.cause, effect.outcome)),
                "group": found.groups[effect.group - 1] if several else "",
                "method": found.method,
                **{name: row[name] for name in names},
            }
        )
    sections["mediation"] = [
        {
            "row": f"{row['cause']}->{row['outcome']}",
            "group": found.groups[int(row["group"]) - 1] if several else "",
            "kind": row["mediation"],
            "share": row["share"],
        }
        for row in found.mediation().to_dict("records")
    ]
    return sections


def rival_records(found: Comparison, ids: Mapping[str, str]) -> Records:
    """Return the models compared, and what speaks for or against each beside the own one.

    Parameters
    ----------
    found : Comparison
    ids : mapping of str to str
        Id by the name that the comparison uses; the own model is `OWN_MODEL`.
    """
    against: dict[str, Record] = {}
    for pair in found.pairs:
        first, second = ids[pair.first], ids[pair.second]
        if OWN_MODEL not in (first, second):
            continue
        told = pair.vuong
        against[second if first == OWN_MODEL else first] = {
            "relation": pair.relation,
            # In a nested pair the first model is the restricted one.
            "restricts": pair.relation == "nested" and second == OWN_MODEL,
            "chisq_diff": pair.chisq,
            "df_diff": pair.df,
            "pvalue_diff": pair.pvalue,
            "preferred": ids.get(pair.verdict, ""),
            "distinguishable_p": None if told is None else told.distinguishable_p,
        }
    names = ("chisq", "df", "pvalue", "cfi", "tli", "rmsea", "srmr", "aic", "bic", "bic_weight", "certified")
    rows = [
        {"row": ids[row["model"]], "group": "", "title": row["model"], **{name: row[name] for name in names}}
        | against.get(ids[row["model"]], {})
        for row in found.models.to_dict("records")
    ]
    choice = {
        "row": ONLY,
        "group": "",
        "choice": ids.get(found.choice, ""),
        "open": [ids[name] for name in found.open],
        "twins": [ids[name] for name in found.twins],
    }
    return {"rivals": rows, "rival_choice": [choice]}


def invariance_records(found: Invariance) -> Records:
    """Return the steps by name ("metric", "partial-metric"), what was reached, and the means of the constructs."""
    names = (
        "chisq", "df", "cfi", "rmsea", "srmr", "chisq_diff", "df_diff", "pvalue_diff", "cfi_diff", "rmsea_diff",
        "srmr_diff", "holds", "certified",
    )  # fmt: skip
    steps = [
        {
            "row": row["step"].replace(" (rejected)", "").replace(" ", "-"),
            "group": "",
            **{name: row[name] for name in names},
        }
        for row in found.to_frame().to_dict("records")
    ]
    released = dict.fromkeys(name for step in found.steps if step.holds for name in step.released)
    reached = {
        "row": ONLY,
        "group": "",
        "level": found.level.replace(" ", "-"),
        "rule": found.rule,
        "groups": list(found.groups),
        "released": list(released),
    }
    sections: dict[str, list[Record]] = {"invariance": steps, "invariance_reached": [reached]}
    if found.latent_means is not None:
        sections["latent_means"] = [
            {"row": row["latent"], "group": row["group"], "est": row["mean"]}
            | {name: row[name] for name in ("se", "pvalue", "ci_lower", "ci_upper", "d")}
            for row in found.latent_means.to_dict("records")
        ]
    return sections


def group_path_records(found: PathComparison) -> Records:
    """Return the paths of the groups: "group_paths" by path and group, "group_tests" by path, "group_joint" of all."""
    estimates = [
        {"row": _dense(row["path"]), "group": row["group"]}
        | {name: row[name] for name in ("est", "se", "ci_lower", "ci_upper", "std_all")}
        for row in found.estimates.to_dict("records")
    ]
    tests = [
        {"row": _dense(row["path"]), "group": ""}
        | {name: row[name] for name in ("chisq_diff", "df_diff", "pvalue", "pvalue_holm", "q")}
        for row in found.paths.to_dict("records")
    ]
    joint = {"row": ONLY, "group": "", **{name: found.joint[name] for name in ("chisq_diff", "df_diff", "pvalue")}}
    return {"group_paths": estimates, "group_tests": tests, "group_joint": [joint]}


def _dense(path: str) -> str:
    return path.replace(" ", "")


def robustness_records(found: Robustness) -> Records:
    """Return by hypothesis how it fared over the specifications, and how many of them there were."""
    rows = []
    for row in found.summary().to_dict("records"):
        held = row["supported"] * row["certified"] if row["certified"] else 0
        rows.append(
            {"row": row["hypothesis"], "group": "", "supported": round(held)}
            | {name: row[name] for name in ("main_verdict", "main", "median", "lowest", "highest", "certified")}
            | {"share": row["supported"], "opposite": row["opposite"], "robust": row["robust"]}
        )
    sound = found.specifications["certified"].astype(bool)
    count = {
        "row": ONLY,
        "group": "",
        "run": len(sound),
        "possible": found.possible,
        "certified": int(sound.sum()),
        "uncertified": int((~sound).sum()),
    }
    return {"robustness": rows, "specifications": [count]}


def method_records(found: MethodBias) -> Records:
    """Return the checks of common method bias: "method_bias", "method_models" by model, "vif" by construct."""
    models = [
        {"row": row["model"].replace(" ", "-"), "group": ""}
        | {name: row[name] for name in ("chisq", "df", "cfi", "rmsea", "srmr", "chisq_diff", "df_diff", "certified")}
        | {"pvalue_diff": row["pvalue"]}
        for row in found.models.to_dict("records")
    ]
    change = float(found.loadings["change"].abs().max())
    checks = {
        "row": ONLY,
        "group": "",
        "harman": found.single_factor_share,
        "method_variance": found.method_variance,
        "largest_change": change,
    }
    vifs = [{"row": row["construct"], "group": "", "vif": row["vif"]} for row in found.vif.to_dict("records")]
    return {"method_bias": [checks], "method_models": models, "vif": vifs}


def recommendation_records(found: NetPromoter) -> Records:
    """Return the net promoter score: section "nps", row "all" and, with groups, one row a group."""
    names = ("n", "detractors", "passives", "promoters", "nps", "ci_lower", "ci_upper")
    rows = found.scores.reset_index().to_dict("records")
    return {"nps": [{"row": str(row["group"]), "group": ""} | {name: row[name] for name in names} for row in rows]}


def driver_records(found: Drivers, group: str) -> Records:
    """Return the shares of the explained variance: section "drivers" by antecedent, and "driven" for the whole."""
    rows = [
        {"row": str(name), "group": group, "rank": int(row["rank"])}
        | {key: row[key] for key in ("r", "importance", "share")}
        for name, row in found.importance.iterrows()
    ]
    return {"drivers": rows, "driven": [{"row": found.outcome, "group": group, "r2": found.r2}]}


def performance_records(found: PerformanceMap, group: str) -> Records:
    """Return importance and performance: section "performance" by construct."""
    names = ("importance", "performance", "advice")
    rows = [
        {"row": str(name), "group": group} | {key: row[key] for key in names}
        for name, row in found.constructs.iterrows()
    ]
    return {"performance": rows}


def segment_records(found: Segments) -> Records:
    """Return the number of segments: section "segments"."""
    return {"segments": [{"row": ONLY, "group": "", "k": found.k, "chosen": found.chosen}]}


def merged(*parts: Records) -> dict[str, list[Record]]:
    """Return the sections of all parts; a section that several have holds the records of all."""
    found: dict[str, list[Record]] = {}
    for part in parts:
        for section, records in part.items():
            found[section] = [*found.get(section, []), *records]
    return found
