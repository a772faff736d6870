"""What a model of the library holds besides its text: constructs, questions, hypotheses, rivals and sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sem_loyalty.display import Column, Table
from sem_loyalty.errors import SpecificationError, check_choice, nearest
from sem_loyalty.model.population import Population
from sem_loyalty.model.syntax import parse

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Wording:
    """One text in both languages.

    Attributes
    ----------
    en, zh : str
        English and Chinese.
    """

    en: str
    zh: str

    def text(self, lang: str) -> str:
        """Return the text in `lang`, "en" or "zh"; ConfigurationError for any other."""
        check_choice("lang", lang, ("en", "zh"))
        return self.en if lang == "en" else self.zh


@dataclass(frozen=True, slots=True)
class Scale:
    """The response scale of all items.

    Attributes
    ----------
    minimum, maximum : int
        Lowest and highest answer.
    low, high : Wording
        What the two ends are called.
    """

    minimum: int
    maximum: int
    low: Wording
    high: Wording


@dataclass(frozen=True, slots=True)
class Construct:
    """A latent variable of the model.

    Attributes
    ----------
    code : str
        Its name in the model text.
    label : Wording
        Its name for a reader.
    definition : Wording or None
        What it means.
    scale : tuple of str
        DOIs of the works whose conception its items follow.
    items : tuple of str
        Questions that measure it, in the order of the model text; none for a construct of higher order or a product.
    """

    code: str
    label: Wording
    definition: Wording | None
    scale: tuple[str, ...]
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A question of the survey.

    Attributes
    ----------
    name : str
        Its name in the model text.
    construct : str
        Code of the construct that it measures.
    wording : Wording
        The question.
    reverse : bool
        Whether agreement means less of the construct; such answers are turned round before they are analysed.
    """

    name: str
    construct: str
    wording: Wording
    reverse: bool


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A claim that the model makes and the data decide.

    Attributes
    ----------
    id : str
        For instance "H1".
    path : tuple of str
        Constructs from cause to outcome: two for a direct path, more for a chain of mediation.
    sign : {"+", "-"}
        Expected sign.
    text : Wording
        The hypothesis in words.
    sources : tuple of str
        DOIs of the works that argue for it.
    effect : str
        Name that the model text defines with ``:=`` for a chain; "" for a direct path.
    """

    id: str
    path: tuple[str, ...]
    sign: str
    text: Wording
    sources: tuple[str, ...]
    effect: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A work that the model rests on.

    Attributes
    ----------
    doi : str
        Without "https://doi.org/".
    authors, title, journal : str
        As in a list of references; `journal` with volume, issue and pages.
    year : int
        Of publication.
    """

    doi: str
    authors: str
    year: int
    title: str
    journal: str

    def __str__(self) -> str:
        stop = "" if self.title.endswith(("?", "!")) else "."
        return f"{self.authors} ({self.year}). {self.title}{stop} {self.journal}. https://doi.org/{self.doi}"


@dataclass(frozen=True, slots=True)
class Rival:
    """Another structure for the same measurement.

    Attributes
    ----------
    id : str
        Its name.
    title : Wording
        What it claims.
    structure : str
        lavaan text that takes the place of everything but the measurement.
    sources : tuple of str
        DOIs of the works that argue for it.
    """

    id: str
    title: Wording
    structure: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grouping:
    """The groups that a model compares.

    Attributes
    ----------
    column : str
        Column of the survey that tells them apart.
    label : Wording
        What the column is about.
    levels : tuple of str
        Its values, in the order of the model's ``c(...)``.
    level_labels : tuple of Wording
        What a reader calls them, in the same order; their values where the description does not say.
    """

    column: str
    label: Wording
    levels: tuple[str, ...]
    level_labels: tuple[Wording, ...]


@dataclass(frozen=True, slots=True, repr=False)
class ModelFile:
    """A model with everything said about it.

    Attributes
    ----------
    id : str
        Name in the library, or the stem of the file.
    title : Wording
        What the model is about.
    description : Wording or None
        The claim in a sentence.
    text : str
        The lavaan text, unchanged.
    constructs : tuple of Construct
        In the order of the text.
    items : tuple of Item
        In the order of the text.
    scale : Scale or None
        How the items are answered.
    hypotheses : tuple of Hypothesis
    rivals : tuple of Rival
    references : tuple of Reference
    population : Population or None
        For simulation.
    path : Path
        The .lav file.
    products : mapping of str to (str, str)
        Constructs that are the product of two others; their indicators are products of items, not questions.
    grouping : Grouping or None
        The groups of a multi-group model.
    waves : tuple of Wording
        Occasions of a panel; constructs and items of the k-th end in "_k". Empty for one survey.
    expectations : tuple of Item
        Questions about what an excellent company would do, for gap scores; each is named as the item that asks for
        the performance received, with "_e" after it. Not part of the model text.
    """

    id: str
    title: Wording
    description: Wording | None
    text: str
    constructs: tuple[Construct, ...]
    items: tuple[Item, ...]
    scale: Scale | None
    hypotheses: tuple[Hypothesis, ...]
    rivals: tuple[Rival, ...]
    references: tuple[Reference, ...]
    population: Population | None
    path: Path
    products: Mapping[str, tuple[str, str]]
    grouping: Grouping | None
    waves: tuple[Wording, ...]
    expectations: tuple[Item, ...]

    def labels(self, lang: str = "en") -> dict[str, str]:
        """Return the reader's name of every construct by its code, in "en" or "zh"."""
        return {construct.code: construct.label.text(lang) for construct in self.constructs}

    def questionnaire(self) -> pd.DataFrame:
        """Return the questions: one row an item, with construct, reverse and the wording in both languages."""
        import pandas as pd

        rows = [(i.name, i.construct, i.reverse, i.wording.en, i.wording.zh) for i in self.items]
        return pd.DataFrame(rows, columns=["item", "construct", "reverse", "en", "zh"])

    def rival_text(self, id: str) -> str:
        """Return the whole lavaan text of a rival: the measurement of this model with the rival's structure.

        Parameters
        ----------
        id : str
            A rival's id.

        Returns
        -------
        str
            Loadings, (co)variances and intercepts of the items of `text` as they stand there, then the rival's
            structure. What measures a construct of higher order is structure.

        Raises
        ------
        SpecificationError
            If there is no such rival; the message lists those that there are.
        """
        for rival in self.rivals:
            if rival.id == id:
                return f"{self._measurement()}\n{rival.structure.strip()}\n"
        known = [rival.id for rival in self.rivals]
        listed = ", ".join(known) or "none"
        raise SpecificationError(
            f"Model '{self.id}' has no rival '{id}' (it has: {listed}). {nearest(id, known)}".strip()
        )

    def _measurement(self) -> str:
        """Return the lines of the text that say how the items measure the constructs."""
        model = parse(self.text)
        measured = {statement.rhs.name for statement in model.statements if statement.op == "=~"}
        items = measured - {statement.lhs for statement in model.statements if statement.op == "=~"}
        # A line without a statement of its own continues the statement above it.
        keep: dict[int, bool] = {definition.line: False for definition in model.definitions}
        keep |= {constraint.line: False for constraint in model.constraints}
        for statement in model.statements:
            pair = {statement.lhs, statement.rhs.name or statement.lhs}
            of_items = statement.op in ("~~", "~1") and pair <= items
            keep[statement.line] = of_items or (statement.op == "=~" and statement.rhs.name in items)
        kept, current = [], False
        for number, line in enumerate(self.text.splitlines(), start=1):
            current = keep.get(number, current)
            if current and line.strip() and not line.lstrip().startswith("#"):
                kept.append(line.split("#")[0].rstrip())
        return "\n".join([*kept, ""])

    def table(self, lang: str = "en") -> Table:
        """Return the hypotheses as a Table in "en" or "zh"."""
        heads = ("Hypothesis", "Path", "Sign", "Claim") if lang == "en" else ("假设", "路径", "符号", "内容")
        columns = tuple(Column(key, head) for key, head in zip(("id", "path", "sign", "text"), heads, strict=True))
        rows: tuple[dict[str, object], ...] = tuple(
            {"id": h.id, "path": " → ".join(h.path), "sign": h.sign, "text": h.text.text(lang)} for h in self.hypotheses
        )
        return Table(f"model-{self.id}", self.title.text(lang), columns, rows, lang=lang)

    def __repr__(self) -> str:
        measured = "; ".join(f"{c.code} ({len(c.items)} items)" for c in self.constructs)
        return f"{self.id}: {self.title.en} / {self.title.zh}\n{measured}\n\n{self.text.strip()}"
