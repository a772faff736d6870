"""The command `sem-loyalty`: verbs that call the package and print what it says; no analysis happens here.

Exit status: 0 done; 1 the machine refused (disk, permission); 2 the request cannot be met, with the reason; 3 it ran,
but the fit is not certified; 4 rebuilt results differ (`check`), or a document says what its results do not (`verify`);
130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

import sem_loyalty
from sem_loyalty.errors import SemLoyaltyError

if TYPE_CHECKING:
    from sem_loyalty.publish.results import Results

DONE, REFUSED, WRONG, UNCERTIFIED, DIFFERENT, INTERRUPTED = 0, 1, 2, 3, 4, 130
_EXITS = (
    "exit status: 0 done; 1 disk or permission; 2 the request cannot be met; 3 ran, but the fit is not certified; "
    "4 check: rebuilt results differ, verify: text and result differ; 130 interrupted"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the command; by default those of the process.

    Returns
    -------
    int
        Exit status; see the head of this module.
    """
    from sem_loyalty.publish.terminal import make_safe

    for stream in (sys.stdout, sys.stderr):
        make_safe(stream)
    verb = _parser().parse_args(arguments)
    # A run that is told to end must tidy its half-made folder, so the signal becomes an exception.
    main_thread = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, _interrupt) if main_thread else None
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            status = int(verb.run(verb))
            sys.stdout.flush()
        return status
    except SemLoyaltyError as error:
        return _fail(str(error), WRONG)
    except BrokenPipeError:
        # The reader (head, less) has had enough; Python must not complain again when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        return _fail(f"{error.strerror or error}{where}", REFUSED)
    except MemoryError:
        return _fail("Not enough memory for this analysis.", REFUSED)
    except KeyboardInterrupt:
        return _fail("Interrupted; nothing half-written is left behind.", INTERRUPTED)
    finally:
        if main_thread:
            signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _fail(message: str, status: int) -> int:
    print(f"sem-loyalty: {message}", file=sys.stderr)
    return status


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning without the place in our source, which says nothing to a reader."""
    print(f"{category.__name__}: {message}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sem-loyalty", description="Structural equation modelling of customer loyalty.", epilog=_EXITS
    )
    parser.add_argument("--version", action="version", version=f"sem-loyalty {sem_loyalty.__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)

    def verb(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=text, description=text, epilog=_EXITS)
        added.set_defaults(run=run)
        return added

    begin = verb("init", _init, "Write a folder with a study that runs at once, to be made your own.")
    begin.add_argument("folder", metavar="FOLDER", help="a new folder, or an empty one")
    begin.add_argument("--model", metavar="ID", default="core", help="model of the library (default core)")
    begin.add_argument("--lang", choices=("en", "zh"), default="en")

    study = verb("run", _run, "Run a study file: from the survey to report, tables and figures.")
    study.add_argument("study", metavar="STUDY.toml")
    study.add_argument("--out", metavar="DIR", help="folder of results, instead of the one that the study names")
    study.add_argument("--bootstrap", metavar="DRAWS", type=int, help="bootstrap draws, instead of those of the study")
    study.add_argument("--workers", metavar="N", type=int, help="processes for the bootstrap")
    study.add_argument("--fresh", action="store_true", help="do everything again, also what has not changed")

    fit = verb("fit", _fit, "Fit one model to a survey or a covariance matrix and print the estimates.")
    _add_question(fit)
    fit.add_argument("--bootstrap", metavar="DRAWS", type=int, default=0, help="SE, p and intervals from resamples")
    fit.add_argument("--interval", choices=("bca", "percentile", "basic"), help="of the bootstrap")
    fit.add_argument("--seed", type=int, default=1, help="of the bootstrap")
    fit.add_argument("--workers", metavar="N", type=int, default=1, help="processes for the bootstrap")
    fit.add_argument("--format", choices=("text", "json", "csv"), default="text", help="what is printed")
    fit.add_argument("--out", metavar="DIR", help="also write a folder of results")

    claims = verb("hypotheses", _hypotheses, "Judge the hypotheses of a model: effects, rivals, groups, robustness.")
    claims.add_argument("model", metavar="MODEL", help="id of the library (see `models`) or path of a .lav file")
    claims.add_argument("data", metavar="DATA", help="survey: .csv .xlsx .sav .dta .parquet ...")
    claims.add_argument("--codebook", metavar="FILE", default="", help="what the columns mean")
    claims.add_argument("--group", metavar="COLUMN", default="", help="compare the groups that this column names")
    claims.add_argument("--draws", metavar="N", type=int, default=2000, help="bootstrap draws (default 2000); 0: none")
    claims.add_argument("--robustness", action="store_true", help="judge them again under other defensible choices")
    claims.add_argument("--most", metavar="N", type=int, default=500, help="largest number of such choices")
    claims.add_argument("--estimator", help="ML (default), MLM, MLMV or MLR")
    claims.add_argument("--missing", default="listwise", help="listwise (default) or fiml")
    claims.add_argument("--seed", type=int, default=1, help="of everything random")
    claims.add_argument("--workers", metavar="N", type=int, default=1, help="processes")
    claims.add_argument("--lang", choices=("en", "zh"), default="en")
    claims.add_argument("--out", metavar="DIR", help="also write a folder of results")

    check = verb(
        "check",
        _check,
        "Rebuild the results of a study elsewhere and compare them; or look at a model without fitting it: syntax, "
        "identification, items in the data.",
    )
    check.add_argument(
        "what",
        metavar="STUDY|MODEL",
        nargs="?",
        default=".",
        help="study file or folder of a project (default: this one); or id of the library or path of a .lav file",
    )
    check.add_argument("data", metavar="DATA", nargs="?")
    check.add_argument("--codebook", metavar="FILE")
    check.add_argument("--kind", choices=("sem", "cfa", "growth"), default="sem")

    diagnose = verb("diagnose", _diagnose, "Say why a fit is not certified, or a model refused, and try remedies.")
    _add_question(diagnose)

    export = verb("export", _export, "Write a model, with its answers, for lavaan, Mplus or semopy.")
    _add_question(export)
    export.add_argument("--to", choices=("lavaan", "mplus", "semopy"), default="lavaan")
    export.add_argument("--out", metavar="DIR", help="folder for script and data; without it the script is printed")

    models = verb("models", _models, "List the models of the library, show one, or write its questionnaire.")
    models.add_argument("what", choices=("list", "show", "questionnaire"), nargs="?", default="list")
    models.add_argument("id", metavar="ID", nargs="?", help="id of the library or path of a .lav file")
    models.add_argument("--lang", choices=("en", "zh"), default="en")
    models.add_argument("--out", metavar="PATH", help="show: a figure (.svg .pdf .png); questionnaire: a folder")

    again = verb("replicate", _replicate, "Fit published models to their printed figures and compare the paths.")
    again.add_argument("id", metavar="ID", nargs="?", help="published figures; all by default")

    paper = verb("paper", _paper, "Build a paper as PDF; numbers that are out of date are computed first.")
    paper.add_argument("folder", metavar="FOLDER", nargs="?", default="paper", help="with paper.typ (default: paper)")
    paper.add_argument("--out", metavar="FILE", help="the PDF, instead of paper.pdf in the folder")
    paper.add_argument("--fresh", action="store_true", help="compute all numbers again")
    proof = verb("verify", _verify, "Hold every number of a document that claims to come from a result against it.")
    proof.add_argument("document", metavar="FILE", help=".typ .tex .md .docx")
    proof.add_argument("--study", metavar="STUDY.toml", help="study to run again, instead of the one that FILE names")
    proof.add_argument("--results", metavar="results.json", help="compare with stored results instead of running")

    demo = verb("demo", _demo, "Run the model 'core' on the simulated survey that travels with the package.")
    demo.add_argument("--out", metavar="DIR", default="results/demo")
    demo.add_argument("--lang", choices=("en", "zh"), default="en")
    return parser


def _add_question(verb: argparse.ArgumentParser) -> None:
    """Add what says which model is fitted to which data, and how."""
    verb.add_argument("model", metavar="MODEL", help="id of the library (see `models`) or path of a .lav file")
    verb.add_argument("data", metavar="DATA", nargs="?", help="survey: .csv .xlsx .sav .dta .parquet ...")
    verb.add_argument("--codebook", metavar="FILE", default="", help="what the columns mean")
    verb.add_argument("--cov", metavar="FILE", default="", help="covariance matrix (CSV), or id of published figures")
    verb.add_argument("--nobs", metavar="N", type=int, help="respondents behind --cov FILE")
    verb.add_argument("--group", metavar="COLUMN", default="", help="fit the values of this column as groups")
    verb.add_argument("--kind", choices=("sem", "cfa", "growth"), default="sem")
    verb.add_argument("--estimator", help="by default ML, and WLSMV with --ordered")
    verb.add_argument("--ordered", action="store_true", help="the items are ordinal")
    verb.add_argument("--missing", default="listwise")
    verb.add_argument("--std-lv", action="store_true", help="unit latent variances instead of marker loadings")
    verb.add_argument("--engine", choices=("auto", "semopy", "kernel"), default="auto")
    verb.add_argument("--lang", choices=("en", "zh"), default="en")


def _asked(words: argparse.Namespace) -> dict[str, Any]:
    """Return what `_add_question` read, but for the language."""
    names = ("codebook", "cov", "nobs", "group", "kind", "estimator", "ordered", "missing", "std_lv", "engine")
    return {name: getattr(words, name) for name in names}


def _init(words: argparse.Namespace) -> int:
    from sem_loyalty.publish.project import init_project

    folder = init_project(words.folder, lang=words.lang, model=words.model)
    print(f"Written to {folder}\nGo on: cd {folder} && sem-loyalty run study.toml")
    return DONE


def _run(words: argparse.Namespace) -> int:
    from sem_loyalty.publish.outcome import unchanged
    from sem_loyalty.publish.study_file import read_study

    study = read_study(words.study).with_bootstrap(words.bootstrap, words.workers)
    out = study.at(study.output.dir) if words.out is None else Path(words.out)
    found = None if words.fresh else unchanged(study, out)
    if found is None:
        from sem_loyalty.study import update

        found = update(study, out=out, fresh=words.fresh)
    print(found.summary)
    for warning in found.warnings:
        print(f"Warning: {warning}", file=sys.stderr)
    print(found.steps)
    print(f"{'Written to' if found.written else 'Results are in'} {out}")
    return DONE if found.certified else UNCERTIFIED


def _demo(words: argparse.Namespace) -> int:
    from sem_loyalty.study import run_demo

    return _conclude(run_demo(words.out, lang=words.lang), words.out)


def _fit(words: argparse.Namespace) -> int:
    from sem_loyalty.study import fit_once

    results = fit_once(
        words.model,
        words.data,
        draws=words.bootstrap,
        interval=words.interval,
        seed=words.seed,
        workers=words.workers,
        lang=words.lang,
        out=words.out,
        **_asked(words),
    )
    print(results.printed(words.format))
    if words.format != "text" and not results.certified:
        print(results.fit.certificate.summary, file=sys.stderr)
    _print_warnings(results)
    return _status(results)


def _hypotheses(words: argparse.Namespace) -> int:
    from sem_loyalty.publish.one_model import hypothesis_sections
    from sem_loyalty.study import fit_once

    results = fit_once(
        words.model,
        words.data,
        codebook=words.codebook,
        draws=words.draws,
        estimator=words.estimator,
        missing=words.missing,
        seed=words.seed,
        workers=words.workers,
        lang=words.lang,
        out=words.out,
        evidence=hypothesis_sections(
            words.model, group=words.group, robustness=words.robustness, most=words.most, workers=words.workers
        ),
    )
    print(results.on_hypotheses())
    _print_warnings(results)
    return _status(results)


def _check(words: argparse.Namespace) -> int:
    if words.what.endswith(".toml") or Path(words.what).is_dir():
        from sem_loyalty.proof import check_results

        rebuilt = check_results(words.what)
        print(rebuilt)
        return DONE if rebuilt.same else DIFFERENT
    from sem_loyalty.publish.model_check import check

    print(check(words.what, words.data, codebook=words.codebook, kind=words.kind))
    return DONE


def _diagnose(words: argparse.Namespace) -> int:
    from sem_loyalty.publish.one_model import diagnose_once

    found = diagnose_once(words.model, words.data, **_asked(words))
    print(found.text(words.lang))
    return DONE if found.certified else UNCERTIFIED


def _export(words: argparse.Namespace) -> int:
    from sem_loyalty.publish.one_model import export_once

    made = export_once(words.model, words.data, to=words.to, out=words.out, **_asked(words))
    print(f"Written to {words.out}: {', '.join(made.files)}" if words.out else made.text.rstrip("\n"))
    return DONE


def _models(words: argparse.Namespace) -> int:
    from sem_loyalty.model.library import load_model, models
    from sem_loyalty.publish.model_diagram import model_diagram
    from sem_loyalty.publish.model_listing import listing, shown
    from sem_loyalty.publish.questionnaire import write_questionnaire

    if words.what == "list":
        print(listing(models(), words.lang))
        return DONE
    if words.id is None:
        return _fail(f"models {words.what} needs an id: {', '.join(models()['id'])}.", WRONG)
    model = load_model(words.id)
    if words.what == "questionnaire":
        for path in write_questionnaire(model, words.out or ".", lang=words.lang):
            print(f"Written to {path}")
        return DONE
    print(shown(model, words.lang))
    if words.out:
        model_diagram(model, words.out, lang=words.lang)
        print(f"\nWritten to {words.out}")
    return DONE


def _replicate(words: argparse.Namespace) -> int:
    from sem_loyalty.publish.replication import overview, replicate

    found = replicate(words.id)
    lines = "\n\n".join(str(entry) for entry in found).splitlines()
    print("\n".join(textwrap.fill(line, 110, break_on_hyphens=False, break_long_words=False) for line in lines))
    if len(found) > 1:
        print(f"\n{overview(found).to_text()}")
    return DONE


def _paper(words: argparse.Namespace) -> int:
    from sem_loyalty.study import build_study_paper

    print(f"Written to {build_study_paper(words.folder, out=words.out, fresh=words.fresh)}")
    return DONE


def _verify(words: argparse.Namespace) -> int:
    from sem_loyalty.proof import verify

    found = verify(words.document, study=words.study, results=words.results)
    print(found)
    return DIFFERENT if not found.holds else DONE if found.certified else UNCERTIFIED


def _conclude(results: Results, out: str | Path) -> int:
    """Print the summary, the warnings and where the files are."""
    print(results.summary())
    _print_warnings(results)
    print(f"Written to {out}")
    return _status(results)


def _print_warnings(results: Results) -> None:
    for warning in results.warnings:
        print(f"Warning: {warning}", file=sys.stderr)


def _status(results: Results) -> int:
    return DONE if results.certified else UNCERTIFIED
