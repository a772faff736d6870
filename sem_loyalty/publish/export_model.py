"""`export_model`: the model, with its answers, for lavaan, Mplus or semopy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sem_loyalty.display.marks import MARK
from sem_loyalty.errors import check_choice
from sem_loyalty.fitting.fit import text_of
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.model.defaults import specify
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.spec import Specification
from sem_loyalty.model.syntax import ModelText
from sem_loyalty.publish.export.lavaan import DATA, lavaan_script, script_names
from sem_loyalty.publish.export.mplus import DATA as MPLUS_DATA
from sem_loyalty.publish.export.mplus import mplus_data, mplus_input
from sem_loyalty.publish.export.semopy import semopy_script
from sem_loyalty.publish.export.source import Source, answers_csv
from sem_loyalty.publish.files import MANIFEST, results_folder, write_text
from sem_loyalty.publish.manifest import digests, own_version, to_json

PROGRAMS = {"lavaan": "lavaan.R", "mplus": "mplus.inp", "semopy": "semopy.txt"}


@dataclass(frozen=True, slots=True)
class Export:
    """A model for another program.

    Attributes
    ----------
    to : {"lavaan", "mplus", "semopy"}
    files : mapping of str to str
        Text by name of the file: the script first, then the data that it reads.
    """

    to: str
    files: Mapping[str, str]

    @property
    def text(self) -> str:
        """The script."""
        return self.files[PROGRAMS[self.to]]

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the files into a folder of their own, all or none; an older export in it is replaced.

        Raises
        ------
        ConfigurationError
            The folder holds other files.
        OSError
            The disk refuses.
        """
        target = Path(folder)
        with results_folder(target) as made:
            for name, text in self.files.items():
                write_text(made / name, text)
            write_text(made / MANIFEST, to_json({"outputs": digests(made)}))
        return target

    def __str__(self) -> str:
        return self.text


def export_model(
    model: Fit | Specification | ModelFile | ModelText | str | Path,
    to: str = "lavaan",
    path: str | os.PathLike[str] | None = None,
) -> Export:
    """Write a model for another program, so that its tables can be made again there.

    Parameters
    ----------
    model : Fit, Specification, ModelFile, ModelText, str or Path
        Best a fit: its answers (or its matrix) and all arguments go along. Anything else is a model without data, with
        the defaults of `sem()` and of the estimator; use `specify` for other defaults.
    to : {"lavaan", "mplus", "semopy"}, default "lavaan"
        An R script (`lavaan.R`, with `data.csv`), Mplus input (`mplus.inp`, with `mplus.dat`), or a text for
        `semopy.Model` (`semopy.txt`).
    path : path, optional
        Folder to write to, of its own. The answers of the respondents that were used are written as well: mind who may
        see them.

    Returns
    -------
    Export
        `.text` is the script, `.files` are all texts by name.

    Raises
    ------
    NotSupported
        What the other program cannot express; the message says what.
    ConfigurationError
        Unknown program, or a folder with other files.
    ModelSyntaxError, SpecificationError
        The model cannot be read or completed.

    Notes
    -----
    lavaan: the call has the same arguments as the fit here; estimates, standard errors and test agree with it to
    rounding (lavaan 0.6-14). Names of any script stay; those that R does not take bare are replaced, and a comment
    lists them. Mplus: every parameter is stated, longer names are replaced by a table. The input follows the documented
    language and was not run in Mplus. semopy: complete-data maximum likelihood in one group.

    Examples
    --------
    >>> import sem_loyalty as sl
    >>> print(sl.export_model("LOY =~ l1 + l2 + l3", to="semopy").text.splitlines()[1])
    LOY =~ 1*l1 + l2 + l3
    """
    check_choice("to", to, tuple(PROGRAMS))
    source = source_of(model)
    if to == "lavaan":
        files = {PROGRAMS[to]: lavaan_script(source)}
        files |= {DATA: answers_csv(source, script_names(source))} if source.has_answers else {}
    elif to == "mplus":
        files = {PROGRAMS[to]: mplus_input(source)}
        files |= {MPLUS_DATA: mplus_data(source)} if source.moments is not None else {}
    else:
        files = {PROGRAMS[to]: semopy_script(source)}
    made = Export(to, files)
    if path is not None:
        made.save(path)
    return made


def source_of(model: Fit | Specification | ModelFile | ModelText | str | Path) -> Source:
    """Return what is exported of a fit, or of a model without data."""
    made_by = f"Made by sem_loyalty {own_version()}."
    if isinstance(model, Fit):
        if not model.certificate.certified:
            made_by += f" Its solution here is {MARK}: do not report it."
        return Source(model.specification, model.estimator, model.moments.missing, model.moments, made_by)
    specification = model if isinstance(model, Specification) else _specified(text_of(model))
    estimator = "WLSMV" if specification.ordered else "ML"
    return Source(specification, estimator, "listwise", None, made_by)


def _specified(text: ModelText) -> Specification:
    """Return a model without data, complete; c() with several entries says how many groups there are."""
    entries = (len(modifier.values) for one in text.statements for modifier in one.rhs.modifiers)
    count = max(entries, default=1)
    return specify(text, groups=tuple(map(str, range(1, count + 1))) if count > 1 else ("",))
