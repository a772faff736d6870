"""The library as a terminal shows it: all models, or one with its text, questions and hypotheses."""

from __future__ import annotations

import pandas as pd

from sem_loyalty.display import Column, Table
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.model_diagram import path_lines


def listing(models: pd.DataFrame, lang: str) -> Table:
    """Return the models of the library as a Table, one row each.

    Parameters
    ----------
    models : DataFrame
        From `models`.
    lang : {"en", "zh"}
        Language of the titles.
    """
    counts = ("constructs", "items", "hypotheses", "rivals")
    columns = (
        Column("id", "id"),
        Column("title", word("title", lang)),
        *(Column(count, word(f"count_{count}", lang), "int") for count in counts),
    )
    rows = tuple(
        {
            "id": row["id"],
            "title": row["title" if lang == "en" else "title_zh"],
            **{count: row[count] for count in counts},
        }
        for row in models.to_dict("records")
    )
    return Table("models", "", columns, rows, lang=lang)


def shown(model: ModelFile, lang: str) -> str:
    """Return a model in full: title, claim, paths, text, questions, hypotheses, rivals and sources."""
    parts = [f"{model.id}: {model.title.text(lang)}"]
    parts += [model.description.text(lang)] if model.description is not None else []
    parts += [path_lines(model, lang)] if path_lines(model, lang) else []
    parts.append(model.text.strip())
    if model.items:
        columns = (
            Column("construct", word("construct", lang)),
            Column("item", word("item", lang)),
            Column("wording", word("wording", lang)),
        )
        labels = model.labels(lang)
        questions: list[dict[str, object]] = [
            {
                "construct": labels.get(item.construct, item.construct),
                "item": item.name + (" (−)" if item.reverse else ""),
                "wording": item.wording.text(lang),
            }
            for item in model.items
        ]
        parts.append(Table("items", "", columns, tuple(questions), lang=lang).to_text())
    parts += [model.table(lang).to_text()] if model.hypotheses else []
    parts += [f"{rival.id}: {rival.title.text(lang)}\n{rival.structure.strip()}" for rival in model.rivals]
    parts += ["\n".join(map(str, model.references))] if model.references else []
    return "\n\n".join(parts)
