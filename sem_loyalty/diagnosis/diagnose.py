"""`diagnose`: why a solution cannot be trusted, and which remedies lead to one that can."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sem_loyalty.diagnosis.evidence import gather
from sem_loyalty.diagnosis.findings import CHECKS, Finding
from sem_loyalty.diagnosis.improper import check_improper
from sem_loyalty.diagnosis.information import check_information, check_lone_pairs
from sem_loyalty.diagnosis.overlap import check_constructs, check_items, check_sample
from sem_loyalty.diagnosis.remedies import Remedy, try_remedies
from sem_loyalty.diagnosis.wording import listed, reasons, say
from sem_loyalty.display import Column, Table
from sem_loyalty.errors import ConfigurationError, ImproperSolutionWarning
from sem_loyalty.fitting.fit import fit as fit_model
from sem_loyalty.fitting.identification import NotIdentified
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.spec import Specification
from sem_loyalty.model.syntax import ModelText

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, repr=False)
class Diagnosis:
    """Why a solution cannot be trusted, and what helps.

    Attributes
    ----------
    fit : Fit or None
        What was diagnosed; None for a model that is not identified.
    findings : tuple of Finding
        Serious ones first; empty where nothing was found.
    remedies : tuple of Remedy
        In order: certified first, then the fewest changes to the theory, then fit. Empty for a certified fit.
    """

    fit: Fit | None
    findings: tuple[Finding, ...]
    remedies: tuple[Remedy, ...]

    @property
    def certified(self) -> bool:
        """Whether the fit that was diagnosed is certified."""
        return self.fit is not None and self.fit.certificate.certified

    @property
    def clear(self) -> tuple[str, ...]:
        """The checks that found nothing, of `findings.CHECKS`."""
        hit = {finding.check for finding in self.findings}
        done = CHECKS if self.fit is not None else ("identification", "items", "sample_covariance", "sample_size")
        return tuple(check for check in done if check not in hit)

    @property
    def best(self) -> Remedy | None:
        """The first remedy that leads to a certified solution, or None."""
        return next((remedy for remedy in self.remedies if remedy.certified), None)

    def status(self, lang: str = "en") -> str:
        """Return the first line: certified, not certified and why, or not identified."""
        if self.fit is None:
            return say("refused", lang)
        if self.certified:
            return say("certified", lang)
        codes = [problem.code for problem in self.fit.certificate.problems]
        return say("uncertified", lang, reason=reasons(codes, lang))

    def checked(self, lang: str = "en") -> str:
        """Return the sentence on the checks that found nothing."""
        return say("checked", lang, checks=listed([say(f"check_{check}", lang) for check in self.clear], lang))

    def table(self, lang: str = "en") -> Table:
        """Return the remedies that were tried, in order, as a Table."""
        rows: tuple[dict[str, object], ...] = tuple(
            {
                "remedy": remedy.text(lang),
                "certified": remedy.outcome(lang),
                "chisq": remedy.chisq if remedy.certified is not None else None,
                "df": remedy.df if remedy.certified is not None else None,
                "cfi": remedy.cfi if remedy.certified is not None else None,
                "rmsea": remedy.rmsea if remedy.certified is not None else None,
                "bic": remedy.bic if remedy.certified is not None else None,
            }
            for remedy in self.remedies
        )
        columns = (
            Column("remedy", say("head_remedy", lang)),
            Column("certified", say("head_certified", lang)),
            Column("chisq", "χ²", "number", 2),
            Column("df", "df", "int"),
            Column("cfi", "CFI", "number", bounded=True),
            Column("rmsea", "RMSEA", "number", bounded=True),
            Column("bic", "BIC", "number", 1),
        )
        return Table("remedies", say("tried", lang), columns, rows, say("note", lang), lang)

    def changes(self, lang: str = "en") -> tuple[str, ...]:
        """Return what every remedy that works changes in substance, a sentence each."""
        colon = ": " if lang == "en" else "："
        return tuple(
            f"{remedy.text(lang)}{colon}{remedy.change(lang)}"
            for remedy in self.remedies
            if remedy.certified is not False
        )

    def _closing(self, lang: str) -> tuple[str, ...]:
        """Return what stands below the table of remedies."""
        head = (say("none_helps", lang),) if self.best is None else ()
        changes = self.changes(lang)
        return (*head, say("changes", lang), *changes) if changes else head

    def text(self, lang: str = "en") -> str:
        """Return the whole diagnosis as text in English or Chinese."""
        lines = [self.status(lang)]
        for key, serious in (("found", True), ("also", False)):
            said = [finding.text(lang) for finding in self.findings if finding.serious is serious]
            lines += [say(key, lang), *(f"  - {sentence}" for sentence in said)] if said else []
        if not self.findings:
            lines.append(say("nothing", lang))
        if self.clear:
            lines.append(self.checked(lang))
        if self.remedies:
            lines += ["", self.table(lang).to_text(lang)]
            lines += [f"  - {line}" if line in self.changes(lang) else line for line in self._closing(lang)]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        colour = "#1a1a1a" if self.certified else "#b00020"
        parts = [f'<p><b style="color:{colour}">{escape(self.status())}</b></p>']
        for key, serious in (("found", True), ("also", False)):
            said = [finding.text() for finding in self.findings if finding.serious is serious]
            if said:
                listing = "".join(f"<li>{escape(sentence)}</li>" for sentence in said)
                parts.append(f"<p>{escape(say(key, 'en'))}</p><ul>{listing}</ul>")
        if not self.findings:
            parts.append(f"<p>{escape(say('nothing', 'en'))}</p>")
        if self.clear:
            parts.append(f"<p>{escape(self.checked())}</p>")
        if self.remedies:
            parts.append(self.table().to_html())
            parts += [f"<div>{escape(line)}</div>" for line in self._closing("en")]
        return "\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return findings and remedies as plain values, ready for JSON."""
        return {
            "certified": self.certified,
            "findings": [
                {
                    "code": finding.code,
                    "check": finding.check,
                    "names": list(finding.names),
                    "parameters": list(finding.parameters),
                    "values": dict(finding.values),
                    "serious": finding.serious,
                    "text": finding.text(),
                }
                for finding in self.findings
            ],
            "remedies": [
                {
                    "steps": [{"kind": kind, "names": list(names)} for kind, names in remedy.steps],
                    "certified": remedy.certified,
                    "chisq": remedy.chisq,
                    "df": remedy.df,
                    "cfi": remedy.cfi,
                    "rmsea": remedy.rmsea,
                    "bic": remedy.bic,
                    "reason": remedy.reason,
                    "model": remedy.model,
                    "text": remedy.text(),
                }
                for remedy in self.remedies
            ],
        }


def diagnose(
    model: Fit | str | Path | ModelText | ModelFile | Specification,
    data: pd.DataFrame | Mapping[str, Any] | None = None,
    *,
    remedies: bool = True,
    **options: Any,
) -> Diagnosis:
    """Say why a solution cannot be trusted, and try what may help by refitting.

    Parameters
    ----------
    model : Fit, str, Path, ModelText, ModelFile or Specification
        A fitted model; or a model that `fit` may refuse because it is not identified, with the data.
    data : DataFrame or mapping, optional
        As in `fit`; not with a Fit.
    remedies : bool, default True
        Refit the changes that the findings suggest. Not done for a certified fit.
    **options
        Those of `fit`: sample_cov, sample_nobs, estimator, group ...

    Returns
    -------
    Diagnosis
        Prints in English; `text("zh")` is Chinese. "Nothing was found" lists what was looked at.

    Raises
    ------
    ConfigurationError
        A Fit together with data or options.
    SemLoyaltyError
        As `fit`, but for a model that is not identified.

    Notes
    -----
    A model is identified where the implied moments tell its parameters apart at random parameter values; it is
    identified, but the data are not informative, where they do so there and not at the solution. Flat directions are
    eigenvectors of the information matrix scaled to a unit diagonal, so no units of the items change them. Correlations
    of constructs are those of the measurement part fitted alone. Whether chance explains a negative variance is judged
    by its confidence interval (Kolenikov and Bollen 2012). Each remedy is fitted by the kernel; one that needs more
    than some fifty evaluations of the discrepancy counts as without minimum.

    References
    ----------
    Kolenikov, S., & Bollen, K. A. (2012). Testing negative error variances: Is a Heywood case a symptom of
    misspecification? Sociological Methods & Research, 41, 124-167. doi:10.1177/0049124112442138

    Savalei, V., & Kolenikov, S. (2008). Constrained versus unconstrained estimation in structural equation modeling.
    Psychological Methods, 13, 150-170. doi:10.1037/1082-989X.13.2.150

    Bentler, P. M., & Chou, C.-P. (1987). Practical issues in structural modeling. Sociological Methods & Research, 16,
    78-117. doi:10.1177/0049124187016001004

    Examples
    --------
    >>> import sem_loyalty as sl
    >>> printed = sl.load_published("iacobucci2009")
    >>> fitted = sl.fit(printed.model_text, sample_cov=printed.cov, sample_nobs=printed.n)
    >>> sl.diagnose(fitted).certified
    True
    """
    if isinstance(model, Fit):
        if data is not None or options:
            raise ConfigurationError("A Fit has its data and options already; give diagnose() the fit alone.")
        return _diagnosed(model.specification, model.moments, model.estimator, model, None, remedies=remedies)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ImproperSolutionWarning)
            fitted = fit_model(model, data, **options)
    except NotIdentified as refused:
        return _diagnosed(refused.specification, refused.moments, refused.estimator, None, refused, remedies=remedies)
    return _diagnosed(fitted.specification, fitted.moments, fitted.estimator, fitted, None, remedies=remedies)


def _diagnosed(
    specification: Specification,
    moments: Any,
    estimator: str,
    fit: Fit | None,
    refused: NotIdentified | None,
    *,
    remedies: bool,
) -> Diagnosis:
    """Run every check, then try the remedies where there is something to mend."""
    with one_thread():
        evidence = gather(specification, moments, estimator, fit, refused)
        found = [
            *check_information(evidence),
            *check_lone_pairs(evidence),
            *check_improper(evidence),
            *check_constructs(evidence),
            *check_items(evidence),
            *check_sample(evidence),
        ]
        findings = tuple(sorted(found, key=lambda finding: not finding.serious))
        wanted = remedies and (fit is None or not fit.certificate.certified)
        return Diagnosis(fit, findings, try_remedies(evidence, findings) if wanted else ())
