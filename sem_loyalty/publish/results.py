"""Results: what a study found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from sem_loyalty.diagnosis.diagnose import Diagnosis
from sem_loyalty.display import Cell, Table, format_number, format_p
from sem_loyalty.errors import check_choice
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.verdicts import Verdict, tally
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.publish.drawn import Drawn, drawn_note
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.manifest import own_version, to_json
from sem_loyalty.publish.records import Records
from sem_loyalty.publish.settings import Study

FIGURE = "path_diagram"
#: Computed layouts, kept in the folder of figures so that the next run need not search again.
LAYOUT = "layout.json"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Results:
    """What a study found.

    Attributes
    ----------
    study : Study
        What was asked.
    title : str
        Title of the report.
    model : ModelFile
        The model with its labels, hypotheses and sources.
    fit : Fit
        The fitted model; look at `certified` first.
    estimates : DataFrame
        Every parameter.
    measures : mapping of str to float
        Measures of fit.
    drawn : Drawn or None
        The bootstrap behind the standard errors, p-values and intervals of `estimates`; None where there is none.
    verdicts : tuple of Verdict
        Hypotheses; withheld where the fit is not certified.
    weakest : str
        The hypothesis that survives in the smallest share of the specifications; "" without [robustness].
    statements : dict of str to tuple of str
        By section of the report: what rivals, groups, robustness and method bias say, in sentences.
    records : dict of str to list of dict
        By section: what was found, in fixed names and no language, for `to_dict`, claims and the chapter.
    tables : dict of str to Table
        By id, in the order of the report.
    figures : dict of str to bytes
        By name of the file: path diagrams, one a group, "path_diagram.svg", "path_diagram-2.svg" ..., and the plots of
        measurement, groups, robustness and loyalty.
    exports : dict of str to str
        By name of the file: scripts and data for other programs.
    notes : tuple of str
        How the data were read and prepared.
    warnings : tuple of str
        Warnings raised on the way.
    inputs : dict of str to bytes
        The files that went in, by the name that the study gives them.
    simulated : bool
        Whether the answers were drawn by a computer.
    layouts : str
        Places of the path diagrams, as JSON, for the next run.
    diagnosis : Diagnosis or None
        Why the fit is not certified, and the remedies that were tried; None for a certified fit.
    """

    study: Study
    title: str
    model: ModelFile
    fit: Fit
    estimates: pd.DataFrame
    measures: Mapping[str, float]
    drawn: Drawn | None = None
    verdicts: tuple[Verdict, ...] = ()
    weakest: str = ""
    statements: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    records: Records = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    figures: Mapping[str, bytes] = field(default_factory=dict)
    exports: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    inputs: Mapping[str, bytes] = field(default_factory=dict)
    simulated: bool = False
    layouts: str = ""
    diagnosis: Diagnosis | None = None

    @property
    def certified(self) -> bool:
        """Whether the fit passed its checks."""
        return self.fit.certificate.certified

    @property
    def collected(self) -> int:
        """Respondents collected, before screening."""
        flow = self.tables.get("sample-flow")
        first = flow.rows[0].get("remaining") if flow is not None else None
        return first if isinstance(first, int) else self.fit.moments.n_collected

    @property
    def lang(self) -> str:
        """Language of the report."""
        return self.study.study.lang

    def summary(self) -> str:
        """Return the result in a few lines; the first says whether it can be reported."""
        lines = [str(self.fit)]
        if self.simulated:
            lines.insert(1, word("simulated", self.lang))
        lines.append(", ".join(f"{name} {value}" for name, value in headline(self.measures, self.lang)))
        if self.drawn is not None:
            lines.append(drawn_note(self.drawn, self.lang))
        if self.verdicts and self.certified:
            supported, tested = tally(self.verdicts)
            lines.append(word("verdicts", self.lang, yes=supported, all=tested))
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return self.summary()

    def printed(self, format: str = "text") -> str:
        """Return what a terminal or another program reads.

        Parameters
        ----------
        format : {"text", "json", "csv"}, default "text"
            Summary and tables, everything in full precision, or the estimates alone in full precision.

        Returns
        -------
        str
            In text the first line says whether the fit is certified.
        """
        check_choice("format", format, ("text", "json", "csv"))
        if format == "json":
            return to_json(self.to_dict()).rstrip("\n")
        if format == "csv":
            return self.estimates.to_csv(index=False, lineterminator="\n").rstrip("\n")
        wanted = ("fit", "loadings", "paths", "covariances", "r-squared", "effects", "hypotheses")
        shown = [self.tables[name].to_text() for name in wanted if name in self.tables]
        cause = [self.diagnosis.text(self.lang)] if self.diagnosis is not None else []
        return "\n\n".join([self.summary(), *cause, *shown])

    def on_hypotheses(self) -> str:
        """Return what a terminal reads of the hypotheses: verdicts, effects, rivals, groups, robustness."""
        parts = [self.summary()]
        parts += [self.diagnosis.text(self.lang)] if self.diagnosis is not None else []
        wanted = {
            "structure": ("hypotheses",) if self.verdicts else ("paths",),
            "effects": ("decomposition", "mediation"),
            "rivals": ("rivals",),
            "invariance": ("invariance", "latent-means", "group-paths"),
            "robustness": ("robustness",),
        }
        for section, ids in wanted.items():
            found = [self.tables[id].to_text() for id in ids if id in self.tables]
            said = self.statements.get(section, ())
            parts += ["\n".join([f"# {word(section, self.lang)}", *said])] if found or said else []
            parts += found
        return "\n\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values in full precision, ready for JSON."""
        certificate = self.fit.certificate
        return {
            "title": self.title,
            "lang": self.lang,
            "labels": dict(self.model.labels(self.lang)),
            "simulated_data": self.simulated,
            "certified": self.certified,
            "certificate": asdict(certificate),
            "respondents": {"analysed": self.fit.moments.n, "collected": self.collected},
            "groups": {group.label: group.n for group in self.fit.moments.groups if group.label},
            "group_names": [group.label for group in self.fit.moments.groups if group.label],
            "estimator": self.fit.estimator,
            "engine": self.fit.engine,
            "missing": self.fit.moments.missing,
            "model": self.fit.specification.text,
            "fit_measures": dict(self.measures),
            "bootstrap": None if self.drawn is None else asdict(self.drawn),
            "estimates": _records(self.estimates),
            "hypotheses": [
                {
                    "id": entry.hypothesis.id,
                    "path": list(entry.hypothesis.path),
                    "sign": entry.hypothesis.sign,
                    "group": entry.group,
                    "verdict": "withheld" if entry.verdict == "withheld_verdict" else entry.verdict,
                    "est": entry.est,
                    "se": entry.se,
                    "pvalue": entry.p,
                    "ci_lower": entry.lower,
                    "ci_upper": entry.upper,
                    "std_all": entry.std,
                }
                for entry in self.verdicts
            ],
            "records": {section: list(found) for section, found in self.records.items()},
            "statements": {section: list(said) for section, said in self.statements.items()},
            "tables": {name: _table_dict(table) for name, table in self.tables.items()},
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            "diagnosis": None if self.diagnosis is None else self.diagnosis.to_dict(),
        }


def headline(measures: Mapping[str, float], lang: str) -> Iterator[tuple[str, str]]:
    """Yield the names and formatted values of the few measures that a text reports."""
    corrected = "chisq_scaled" in measures
    scaled, kind = "_scaled" if corrected else "", index_kind(measures)
    yield "χ² (scaled)" if corrected else "χ²", format_number(measures[f"chisq{scaled}"], lang=lang)
    yield "df", format_number(measures["df"], 0, lang=lang)
    if not math.isnan(measures[f"pvalue{scaled}"]):
        yield "p", format_p(measures[f"pvalue{scaled}"], lang=lang)
    for key, name in (("cfi", "CFI"), ("tli", "TLI"), ("rmsea", "RMSEA")):
        shown = f"{name} ({kind})" if kind else name
        yield shown, format_number(measures[f"{key}_{kind}" if kind else key], 3, True, lang=lang)
    yield "SRMR", format_number(measures["srmr"], 3, True, lang=lang)


def index_kind(measures: Mapping[str, float]) -> str:
    """Return which CFI, TLI and RMSEA to read: "robust" ones where they exist, else "scaled", else plain ones, ""."""
    if "chisq_scaled" not in measures:
        return ""
    return "scaled" if math.isnan(measures["cfi_robust"]) else "robust"


def made_by(results: Results) -> str:
    """Return the line that says what made a file, without a clock."""
    return word("made_by", results.lang, version=own_version(), study=results.study.name)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _table_dict(table: Table) -> dict[str, Any]:
    rows = [
        {key: value.value if isinstance(value, Cell) else value for key, value in row.items()} for row in table.rows
    ]
    return {
        "caption": table.caption,
        "columns": {column.key: column.head for column in table.columns},
        "rows": rows,
        "note": table.note,
    }
