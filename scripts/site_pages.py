"""Pages of the site that are made from the package: the reference of every public name, and the model library.

A hook of mkdocs. What is in the package is in the site, and what is not in it cannot be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import sem_loyalty
from sem_loyalty import _WHERE, load_model, model_diagram, models
from sem_loyalty.model.model_file import ModelFile

ROOMS = {
    "survey": "Survey",
    "model": "Models",
    "fitting": "Fitting",
    "inference": "Inference",
    "measurement": "Measurement",
    "pls_sem": "Partial least squares",
    "loyalty": "Measured loyalty",
    "design": "Design",
    "diagnosis": "Diagnosis",
    "publish": "Publication",
    "study": "Studies",
    "proof": "Results held against a new run",
    "errors": "Errors",
}

_LIBRARY = """# Model library

Each model is lavaan text with a description beside it: labels and questions in English and Chinese, hypotheses with
their sources, rival structures, and a population to simulate from. `sl.load_model(id)` loads one, `sem-loyalty models
questionnaire ID` writes its form.

| id | title | 中文 | constructs | items | hypotheses |
|---|---|---|--:|--:|--:|"""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the generated pages behind the written ones."""
    config.nav = [
        *(config.nav or []),
        {"Model library": [path for path, _ in _library() if path.endswith(".md")]},
        {"Reference": [path for path, _ in _reference()]},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for path, text in (*_reference(), *_library()):
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Let links to files of the repository that are not pages, such as notebooks, stand as names."""
    return re.sub(r"\[([^\]]+)\]\(\.\./[^)]+\)", r"\1", markdown)


@cache
def _reference() -> tuple[tuple[str, str], ...]:
    """Return one page for each room, with all its public names."""
    where = {name: _home(name) for name in sem_loyalty.__all__ if name in _WHERE or name[0].isupper()}
    made = []
    for number, (room, title) in enumerate(ROOMS.items(), start=1):
        own = sorted(name for name, home in where.items() if home.split(".")[1] == room)
        if own:
            parts = [f"# {title}", *(f"::: {where[name]}.{name}" for name in own)]
            made.append((f"reference/{number:02d}_{room}.md", "\n\n".join(parts) + "\n"))
    return tuple(made)


def _home(name: str) -> str:
    """Return the module whose source describes a public name."""
    if name == "fit":  # its description is that of the covariance-based fit, whose arguments it has
        return "sem_loyalty.fitting.fit"
    found = getattr(sem_loyalty, name)
    return str(getattr(found, "__module__", f"sem_loyalty.{_WHERE.get(name, 'errors')}"))


@cache
def _library() -> tuple[tuple[str, str], ...]:
    """Return a list of the models, and a page and a picture of each."""
    table = models()
    rows = []
    for row in table.itertuples():
        counts = f"{row.constructs} | {row.items} | {row.hypotheses}"
        rows.append(f"| [`{row.id}`]({row.id}.md) | {row.title} | {row.title_zh} | {counts} |")
    made = [("library/index.md", "\n".join((_LIBRARY, *rows, "")))]
    for row in table.itertuples():
        model = load_model(str(row.id))
        made.append((f"library/{row.id}.svg", model_diagram(model).svg()))
        made.append((f"library/{row.id}.md", "\n".join(_model_page(str(row.id), model)) + "\n"))
    return tuple(made)


def _model_page(id: str, model: ModelFile) -> Iterator[str]:
    yield f"# {model.title.text('en')}"
    yield f"\n{model.title.text('zh')}\n"
    if model.description is not None:
        yield f"{model.description.text('en')}\n"
    yield f"![Path diagram of the model {id}]({id}.svg)\n"
    yield f"## Text\n\n```\n{model.text.rstrip()}\n```\n"
    if model.hypotheses:
        yield "## Hypotheses\n"
        yield "| | path | sign | claim | source |\n|---|---|---|---|---|"
        for claim in model.hypotheses:
            sources = ", ".join(f"[{doi}](https://doi.org/{doi})" for doi in claim.sources)
            yield f"| {claim.id} | {' → '.join(claim.path)} | {claim.sign} | {claim.text.text('en')} | {sources} |"
        yield ""
    if model.rivals:
        yield "## Rival structures\n"
        for rival in model.rivals:
            yield f"- `{rival.id}`: {rival.title.text('en')}"
        yield ""
    questions = model.questionnaire()
    if len(questions):
        yield "## Questions\n\n| item | construct | question |\n|---|---|---|"
        for entry in questions.to_dict("records"):
            yield f"| `{entry['item']}` | {entry['construct']} | {entry['en']} |"
        yield ""
    if model.references:
        yield "## References\n"
        for reference in model.references:
            yield f"- {reference}"
