"""The settings of a study, section by section, with their defaults; study_file reads them from study.toml.

The fields are the keys of the file: `choices` and `least` in their metadata are what a value is checked against.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sem_loyalty.publish.diagram_settings import DiagramChoice
from sem_loyalty.publish.evidence_settings import (
    EffectChoice,
    InvarianceChoice,
    MethodBiasChoice,
    PlsChoice,
    RivalChoice,
    RobustnessChoice,
)
from sem_loyalty.publish.setting_fields import at_least, one_of

FORMATS = ("html", "json", "csv", "docx", "md", "tex", "typ", "svg", "pdf", "png", "tikz", "dot")
PROGRAMS = ("lavaan", "mplus", "semopy")
LANGS = ("en", "zh")
# As fitting.fit and measurement.efa have them, which are too slow to import for reading a study file; a test holds
# them equal. ULS and DWLS are left out: their plain standard errors would become verdicts.
ESTIMATORS = ("ML", "MLM", "MLMV", "MLR", "GLS", "WLS")
ORDINAL_ESTIMATORS = ("WLSMV", "ULSMV", "WLS")
INTERVALS = ("bca", "percentile", "basic")
ROTATIONS = ("oblimin", "quartimin", "promax", "geomin", "varimax", "quartimax", "none")
EXTRACTIONS = ("minres", "ml", "principal")


@dataclass(frozen=True, slots=True)
class DataSource:
    """Section [data]: a survey, or a covariance matrix.

    Attributes
    ----------
    path : str
        The survey; relative to the study file.
    codebook : str
        The codebook; "" uses the one that the survey file carries, if any.
    encoding : str
        Of a text file; "auto" finds it and says so.
    sheet : str
        Of a spreadsheet; "" is the first.
    group : str
        Column whose values are fitted as groups.
    matrix : str
        Instead of a survey: the id of published figures, or the path of a CSV file with a covariance matrix.
    nobs : int
        Respondents behind a matrix from a file.
    """

    path: str = ""
    codebook: str = ""
    encoding: str = "auto"
    sheet: str = ""
    group: str = ""
    matrix: str = ""
    nobs: int | None = at_least(None, 1)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Section [model]: what is fitted, with the arguments of `fit`.

    Attributes
    ----------
    id : str
        A model of the library, or the path of a .lav file relative to the study file.
    rival : str
        Id of a rival structure in the model's description; "" is the model itself.
    kind : {"sem", "cfa", "growth"}
    estimator : {"ML", "MLM", "MLMV", "MLR", "GLS", "WLS", "WLSMV", "ULSMV"} or None
        None is ML, and WLSMV with ordinal items.
    ordered : bool or tuple of str
        True, or the names of all items: they are ordinal.
    missing : {"listwise", "fiml"}
    std_lv, orthogonal : bool
    fixed_x, meanstructure : bool or None
    group_equal, group_partial : tuple of str
    engine : {"auto", "semopy", "kernel"}
    """

    id: str = ""
    rival: str = ""
    kind: str = one_of("sem", "sem", "cfa", "growth")
    estimator: str | None = one_of(None, *dict.fromkeys((*ESTIMATORS, *ORDINAL_ESTIMATORS)))
    ordered: bool | tuple[str, ...] = False
    missing: str = one_of("listwise", "listwise", "fiml")
    std_lv: bool = False
    fixed_x: bool | None = None
    orthogonal: bool = False
    meanstructure: bool | None = None
    group_equal: tuple[str, ...] = ()
    group_partial: tuple[str, ...] = ()
    engine: str = one_of("auto", "auto", "semopy", "kernel")


@dataclass(frozen=True, slots=True)
class BootstrapChoice:
    """Section [bootstrap]: standard errors, p-values and intervals from resamples.

    Attributes
    ----------
    draws : int
        0 leaves them to the theory of the estimator.
    interval : {"bca", "percentile", "basic"} or None
        None is "bca" where it is quick, else "percentile".
    workers : int
        Processes.
    file : str
        Keeps finished draws, so that a second run goes on from them; "" keeps nothing.
    """

    draws: int = at_least(0, 0)
    interval: str | None = one_of(None, *INTERVALS)
    workers: int = at_least(1, 1)
    file: str = ""


@dataclass(frozen=True, slots=True)
class FactorChoice:
    """Section [efa]: the exploratory factor analysis.

    Attributes
    ----------
    run : bool
    factors : int or None
        None leaves the number to parallel analysis.
    rotation, extraction : str
        From ROTATIONS and EXTRACTIONS.
    """

    run: bool = True
    factors: int | None = at_least(None, 1)
    rotation: str = one_of("oblimin", *ROTATIONS)
    extraction: str = one_of("minres", *EXTRACTIONS)


@dataclass(frozen=True, slots=True)
class LoyaltyChoice:
    """Section [loyalty]: measured loyalty and its drivers.

    Attributes
    ----------
    outcome : str
        The construct to be explained; "" leaves the section out.
    recommend : str
        Column with the question on recommendation, 0 to 10; "" gives no net promoter score.
    minimum, maximum : int or None
        Lowest and highest possible answer to the items; None takes the scale that the model describes.
    draws : int
        Bootstrap draws behind the intervals.
    segments : bool
        Whether to look for segments.
    """

    outcome: str = ""
    recommend: str = ""
    minimum: int | None = None
    maximum: int | None = None
    draws: int = at_least(1000, 100)
    segments: bool = True


@dataclass(frozen=True, slots=True)
class Output:
    """Section [output].

    Attributes
    ----------
    dir : str
        Folder of results, relative to the study file; replaced as a whole.
    formats : tuple of str
        From FORMATS.
    export : tuple of str
        From PROGRAMS: the model, with the answers that were used, for these programs.
    """

    dir: str = "results"
    formats: tuple[str, ...] = field(
        default=("html", "json", "csv", "docx", "svg", "pdf", "png"), metadata={"choices": FORMATS}
    )
    export: tuple[str, ...] = field(default=(), metadata={"choices": PROGRAMS})

    def figures(self) -> frozenset[str]:
        """Return the formats in which figures are written: those asked for, and what a chapter asked for must show."""
        asked = {"svg", "pdf", "png", "tikz", "dot"} & set(self.formats)
        if "tex" in self.formats and not asked & {"pdf", "png"}:
            asked.add("pdf")
        if {"typ", "md"} & set(self.formats) and not asked & {"svg", "pdf", "png"}:
            asked.add("svg")
        return frozenset(asked)

    def drawn(self) -> frozenset[str]:
        """Return the formats in which figures are drawn: report and Word hold theirs within."""
        within = {kind for document, kind in (("html", "svg"), ("docx", "png")) if document in self.formats}
        return self.figures() | within


@dataclass(frozen=True, slots=True)
class About:
    """Section [study].

    Attributes
    ----------
    title : str
        "" takes the title of the model.
    lang : {"en", "zh"}
    seed : int
        Of everything random.
    simulated : bool
        True says so in title, tables and report.
    """

    title: str = ""
    lang: str = one_of("en", *LANGS)
    seed: int = at_least(1, 0)
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class ScreenChoice:
    """Section [screen]: who is left out, by which stated rule.

    Attributes
    ----------
    run : bool
        False screens nothing.
    duration : str
        Column with the answering time in seconds.
    id : str
        Column that identifies a respondent.
    attention : mapping of str to answer or list of answers
        [screen.attention]: attention checks, column = the answers that pass.
    rules : mapping of str to float or bool
        [screen.rules]: rules of `screen` with their thresholds, applied in the order of writing.
    """

    run: bool = True
    duration: str = ""
    id: str = ""
    attention: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `screen` that rules may need; None for what is not given."""
        return {
            "duration": self.duration or None,
            "id": self.id or None,
            "attention": dict(self.attention) or None,
        }


@dataclass(frozen=True, slots=True)
class Study:
    """A study file, complete after defaults.

    Attributes
    ----------
    study, data, screen, model, efa, loyalty, output, bootstrap, effects, rivals, invariance, robustness, method_bias,
    pls, diagram
        The sections.
    folder : Path
        Where relative paths begin.
    name : str
        Name of the study file.
    """

    study: About = About()
    data: DataSource = DataSource()
    screen: ScreenChoice = ScreenChoice()
    model: ModelChoice = ModelChoice()
    efa: FactorChoice = FactorChoice()
    loyalty: LoyaltyChoice = LoyaltyChoice()
    output: Output = Output()
    bootstrap: BootstrapChoice = BootstrapChoice()
    effects: EffectChoice = field(default_factory=EffectChoice)
    rivals: RivalChoice = field(default_factory=RivalChoice)
    invariance: InvarianceChoice = field(default_factory=InvarianceChoice)
    robustness: RobustnessChoice = field(default_factory=RobustnessChoice)
    method_bias: MethodBiasChoice = field(default_factory=MethodBiasChoice)
    pls: PlsChoice = field(default_factory=PlsChoice)
    diagram: DiagramChoice = field(default_factory=DiagramChoice)
    folder: Path = Path()
    name: str = "study.toml"

    def at(self, path: str) -> Path:
        """Return a path of the study; relative ones begin at the study file."""
        return self.folder / Path(path).expanduser()

    def with_bootstrap(self, draws: int | None, workers: int | None) -> Study:
        """Return the study with other draws and processes of the bootstrap, where they are given."""
        asked: dict[str, Any] = {"draws": draws, "workers": workers}
        given = {name: value for name, value in asked.items() if value is not None}
        return replace(self, bootstrap=replace(self.bootstrap, **given))

    def fit_options(self) -> dict[str, Any]:
        """Return the options of `fit` that the study chooses."""
        names = (
            "estimator", "ordered", "missing", "group_equal", "group_partial", "std_lv", "meanstructure", "fixed_x",
            "orthogonal", "kind", "engine",
        )  # fmt: skip
        return {"group": self.data.group or None} | {name: getattr(self.model, name) for name in names}

    def settings(self) -> dict[str, Any]:
        """Return the sections as plain values, for the manifest: without absolute paths and the folder of results."""
        plain = {name: asdict(getattr(self, name)) for name in SECTIONS}
        for section, key in (("data", "path"), ("data", "codebook"), ("data", "matrix"), ("model", "id")):
            plain[section][key] = portable(plain[section][key])
        # Nothing in the results depends on these.
        del plain["output"]["dir"], plain["bootstrap"]["workers"], plain["bootstrap"]["file"]
        del plain["robustness"]["workers"]
        # The order of the rules matters, and JSON with sorted keys would lose it.
        plain["screen"]["rules"] = [list(rule) for rule in self.screen.rules.items()]
        return plain


def portable(path: str) -> str:
    """Return a relative path with "/" between its parts as it is, and only the name of an absolute one."""
    plain = Path(path).expanduser()
    return plain.name if plain.is_absolute() else path.replace("\\", "/")


SECTIONS: Mapping[str, type] = {
    "study": About,
    "data": DataSource,
    "screen": ScreenChoice,
    "model": ModelChoice,
    "bootstrap": BootstrapChoice,
    "effects": EffectChoice,
    "rivals": RivalChoice,
    "invariance": InvarianceChoice,
    "robustness": RobustnessChoice,
    "method_bias": MethodBiasChoice,
    "pls": PlsChoice,
    "efa": FactorChoice,
    "loyalty": LoyaltyChoice,
    "diagram": DiagramChoice,
    "output": Output,
}
