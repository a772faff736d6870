"""Write the published figures of sem_loyalty/survey/datasets from transcriptions of the printed tables.

    python scripts/write_published.py TRANSCRIPTIONS

reads one JSON file per study from a folder (keys n, variables, correlation, sd, means, published_paths) and writes
<id>.json for every study below: the figures unchanged, with citation, what they are, what may not be compared, and the
lavaan text of each analysis that `replicate` repeats. ecsi_mobile and iacobucci2009 are kept by hand.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

DATASETS = Path(__file__).resolve().parents[1] / "sem_loyalty" / "survey" / "datasets"

BRAND_ATTACHMENT = """EBA =~ AFF + CON + PAS
CRED =~ TRT + COP
"""

STUDIES: dict[str, dict[str, Any]] = {
    "dwivedi2019": {
        "from": "dwivedi2019_brand_attachment_loyalty",
        "what": (
            "Correlations, means and standard deviations of 15 scales: brand attachment, satisfaction, brand equity"
        ),
        "citation": (
            "Dwivedi, A., Johnson, L. W., Wilkie, D. C., & De Araujo-Gil, L. (2019). Consumer emotional brand "
            "attachment "
            "with social media brands and social media brand equity. European Journal of Marketing, 53(6), 1176–1204."
        ),
        "note": (
            "The figures were read from a vignette of the R package LikertMakeR, which repeats the tables of the "
            "article, "
            "not from the article. They are correlations of scale scores; the article's model has items and "
            "factors of "
            "second order, so the paths here rest on scales as indicators, with satisfaction (and loyalty in the "
            "alternative model) corrected for unreliability by the printed alpha. Which controls the article's "
            "equations "
            "held is not known. The comparison is approximate."
        ),
        "paths": {"paths_hypothesised": "panel_A_hypothesised", "paths_alternative": "panel_B_alternative"},
        "source": "Table IV, standardised paths (by the vignette)",
        "analyses": [
            {
                "id": "hypothesised",
                "what": "Attachment → credibility, satisfaction → brand equity",
                "printed": "paths_hypothesised",
                "text": BRAND_ATTACHMENT
                + "CBBE =~ QUL + AWR + LOY\nSATISFIED =~ 1*SAT\nSAT ~~ 0.1400*SAT\nCRED ~ EBA\nSATISFIED ~ EBA\n"
                "CBBE ~ EBA + CRED + SATISFIED\nCRED ~~ SATISFIED\n",
                "names": {"SATISFIED": "SAT"},
                "note": (
                    "That the residuals of credibility and satisfaction covary is our assumption; without it "
                    "differences "
                    "are up to .07."
                ),
            },
            {
                "id": "alternative",
                "what": "Attachment → credibility, satisfaction → loyalty",
                "printed": "paths_alternative",
                "text": BRAND_ATTACHMENT
                + "SATISFIED =~ 1*SAT\nSAT ~~ 0.1400*SAT\nLOYAL =~ 1*LOY\nLOY ~~ 0.2100*LOY\nCRED ~ EBA\n"
                "SATISFIED ~ EBA\nLOYAL ~ EBA + CRED + SATISFIED\nCRED ~~ SATISFIED\n",
                "names": {"SATISFIED": "SAT", "LOYAL": "LOY"},
                "note": "As above; loyalty, two items in the article, is one corrected scale here.",
            },
        ],
    },
    "schivinski2015": {
        "from": "schivinski2015_brand_loyalty_facebook",
        "what": "Correlations of five factors: brand communication on Facebook, brand equity, brand loyalty",
        "citation": (
            "Schivinski, B., & Dabrowski, D. (2015). The impact of brand communication on brand equity through "
            "Facebook. "
            "Journal of Research in Interactive Marketing, 9(1), 31–53."
        ),
        "note": (
            "Correlations between factors of the article's confirmatory factor analysis (accepted manuscript), "
            "free of "
            "measurement error already. The article fits items; here the printed factor correlations are taken "
            "as data, "
            "so paths can be compared, but not standard errors, chi-square or fit."
        ),
        "paths": {"paths": None},
        "source": "Table II, standardised paths (AMOS 21, maximum likelihood)",
        "analyses": [
            {
                "id": "structure",
                "what": "Firm- and user-generated communication → awareness → loyalty, quality",
                "printed": "paths",
                "text": "BAW ~ FC + UG\nBL ~ FC + UG + BAW\nPQ ~ FC + UG + BAW\nBL ~~ 0*PQ\n",
                "names": {},
                "note": (
                    "The residuals of loyalty and quality do not covary, as the printed fit suggests. "
                    "Differences remain "
                    "because the article estimates measurement and structure together."
                ),
            }
        ],
    },
    "fitness2023": {
        "from": "fitnessclub2023_quality_satisfaction_loyalty",
        "what": "Correlations of five construct scores: fitness clubs, expectation, quality, satisfaction, loyalty",
        "citation": (
            "[Authors not read] (2023). Customer loyalty in the fitness club industry: The role of club "
            "communication, "
            "customer expectation and perceived service quality. Global Journal of Management and Business "
            "Research: E "
            "Marketing, 23(1). "
            "https://globaljournals.org/scholarly-articles/customer-loyalty-in-the-fitness-club-industry-"
            "the-role-of-club-communication-customer-expectation-and-perceived-service-quality/"
        ),
        "note": (
            "Correlations between construct scores of partial least squares (SmartPLS 3.2.8). The authors' names "
            "could not "
            "be read: complete the citation before you use it. The printed paths follow from the correlations "
            "only after "
            "correction for attenuation, so consistent partial least squares was evidently used."
        ),
        "paths": {"paths": None},
        "source": "Table 4, path coefficients",
        "analyses": [
            {
                "id": "plsc",
                "what": "Communication, expectation, quality, satisfaction → loyalty; consistent partial least squares",
                "printed": "paths",
                "method": "plsc",
                "text": "EXP ~ FMC\nPSQ ~ EXP + FMC\nCS ~ EXP + PSQ + FMC\nCL ~ FMC + EXP + PSQ + CS\n",
                "names": {},
                "loadings": {
                    "CL": [0.892, 0.873, 0.878],
                    "FMC": [0.839, 0.887, 0.854],
                    "EXP": [0.843, 0.818, 0.822, 0.815, 0.8, 0.822],
                    "PSQ": [0.85, 0.827, 0.805, 0.816],
                    "CS": [0.857, 0.835, 0.823, 0.812, 0.814],
                },
                "note": (
                    "Reliabilities (rho_A) recovered from the printed loadings, Table 3. What remains is within the "
                    "rounding of the printed figures."
                ),
            },
            {
                "id": "consistent",
                "what": "The same by correction for attenuation",
                "printed": "paths",
                "text": "EXP ~ FMC\nPSQ ~ EXP + FMC\nCS ~ EXP + PSQ + FMC\nCL ~ FMC + EXP + PSQ + CS\n",
                "names": {},
                "reliability": {"CL": 0.857, "FMC": 0.824, "EXP": 0.903, "PSQ": 0.843, "CS": 0.886},
                "note": (
                    "Reliabilities: the printed alpha of loyalty; those of the others are implied by the printed "
                    "loadings. "
                    "The article's may differ in the third digit."
                ),
            },
            {
                "id": "uncorrected",
                "what": "The same on the printed correlations as they are",
                "printed": "paths",
                "text": "EXP ~ FMC\nPSQ ~ EXP + FMC\nCS ~ EXP + PSQ + FMC\nCL ~ FMC + EXP + PSQ + CS\n",
                "names": {},
                "note": "Given for contrast: plain partial least squares would have printed these.",
            },
        ],
    },
    "gidakovic2021": {
        "from": "gidakovic2021_trust_value_loyalty_MATRIX_ONLY",
        "what": "Correlations of 13 constructs: stereotypes, trust, value, satisfaction, loyalty",
        "citation": (
            "Gidaković, P., & Zabkar, V. (2021). How industry and occupational stereotypes shape consumers' "
            "trust, value "
            "and loyalty judgments concerning service brands. Journal of Service Management."
        ),
        "note": (
            "Matrix only: the article's paths could not be read, so nothing is replicated. Presumably "
            "correlations of the "
            "factors of a confirmatory factor analysis; the table was matched to the article by its content."
        ),
        "paths": {},
        "analyses": [],
    },
    "yoo2000": {
        "from": "yoo2000_brand_equity_items_MATRIX_ONLY",
        "what": "Correlations of 34 items: marketing mix, quality, loyalty, awareness, brand equity",
        "citation": (
            "Yoo, B., Donthu, N., & Lee, S. (2000). An examination of selected marketing mix elements and brand "
            "equity. "
            "Journal of the Academy of Marketing Science, 28(2), 195–211."
        ),
        "note": (
            "Matrix only: the article's paths could not be read, so nothing is replicated. The correlations were "
            "recovered "
            "from a data set that the R package cSEM simulates to have them exactly."
        ),
        "paths": {},
        "analyses": [],
    },
}


def paths(rows: list[dict[str, Any]]) -> dict[str, float]:
    return {f"{row['from']} -> {row['to']}": row["std"] for row in rows}


def figures(id: str, read: dict[str, Any]) -> dict[str, Any]:
    study = STUDIES[id]
    content: dict[str, Any] = {
        "id": id,
        "what": study["what"],
        "citation": study["citation"],
        "doi": read["citation"]["doi"] or "",
        "n": read["n"],
        "note": study["note"],
        "names": read["variables"],
        "cor": [row[: k + 1] for k, row in enumerate(read["correlation"])],
    }
    for key in ("sd", "means"):
        if read[key]:
            content[key] = [read[key][name] for name in read["variables"]]
    if study["paths"]:
        printed = read["published_paths"]
        content["printed"] = {
            name: {"source": study["source"], "values": paths(printed if panel is None else printed[panel])}
            for name, panel in study["paths"].items()
        }
    if study["analyses"]:
        content["analyses"] = study["analyses"]
    return content


def as_json(content: dict[str, Any]) -> str:
    """One key a line, one row of the matrix a line."""
    lines = []
    for key, value in content.items():
        if key == "cor":
            rows = ",\n".join(f"    {json.dumps(row)}" for row in value)
            lines.append(f'  "cor": [\n{rows}\n  ]')
        elif key in ("printed", "analyses"):
            text = json.dumps(value, ensure_ascii=False, indent=2).replace("\n", "\n  ")
            lines.append(f'  "{key}": {text}')
        else:
            lines.append(f'  "{key}": {json.dumps(value, ensure_ascii=False)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(folder: Path) -> None:
    for id, study in STUDIES.items():
        read = json.loads((folder / f"{study['from']}.json").read_text(encoding="utf-8"))
        (DATASETS / f"{id}.json").write_text(as_json(figures(id, read)), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
