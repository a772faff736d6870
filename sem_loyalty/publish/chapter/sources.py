"""The works that a chapter may cite: those that its rules of reading come from."""

from __future__ import annotations

from dataclasses import dataclass

from sem_loyalty.publish.manuscript import Part, Symbol

_NAMED = 3  # authors that GB/T 7714 lists before "et al."


@dataclass(frozen=True, slots=True)
class Source:
    """A work: an article with journal and DOI, or a book with publisher.

    Attributes
    ----------
    authors : tuple of str
        Family names as they are cited.
    year : int
    full : str
        Authors in a list of references: "Hu, L., & Bentler, P. M.".
    title : str
        Without a full stop.
    journal : str, default ""
    volume, issue : int, default 0
    pages : str, default ""
    doi : str, default ""
    edition, publisher, place : str, default ""
        Of a book.
    """

    authors: tuple[str, ...]
    year: int
    full: str
    title: str
    journal: str = ""
    volume: int = 0
    issue: int = 0
    pages: str = ""
    doi: str = ""
    edition: str = ""
    publisher: str = ""
    place: str = ""

    def cited(self, lang: str) -> str:
        """Return the citation in the text."""
        if len(self.authors) > 2:
            names = f"{self.authors[0]} et al." if lang == "en" else f"{self.authors[0]} 等"
        else:
            names = " & ".join(self.authors)
        return f"({names}, {self.year})" if lang == "en" else f"（{names}，{self.year}）"

    def named(self, lang: str) -> str:
        """Return the citation as part of a sentence: "Hu and Bentler (1999)"."""
        joined = (" and " if lang == "en" else " 与 ").join(self.authors[:2])
        if len(self.authors) > 2:
            joined = f"{self.authors[0]} et al." if lang == "en" else f"{self.authors[0]} 等"
        return f"{joined} ({self.year})" if lang == "en" else f"{joined}（{self.year}）"

    def listed(self, lang: str) -> tuple[Part, ...]:
        """Return the entry in the list of references: APA 7 in English, GB/T 7714—2015 (author and year) in Chinese."""
        return self._apa() if lang == "en" else (self._gbt(),)

    def _apa(self) -> tuple[Part, ...]:
        lead = f"{self.full} ({self.year}). "
        if not self.journal:
            return (lead, Symbol(self.title), f" ({self.edition}). {self.publisher}.")
        place = f"({self.issue}), {self.pages}. https://doi.org/{self.doi}"
        return (f"{lead}{self.title}. ", Symbol(f"{self.journal}, {self.volume}"), place)

    def _gbt(self) -> str:
        people = self.full.replace(", & ", ", ").split("., ")
        names = [_plain_name(person) for person in people]
        lead = ", ".join([*names[:_NAMED], *(["et al"] if len(names) > _NAMED else []), f"{self.year}. "])
        if not self.journal:
            return f"{lead}{self.title}[M]. {self.edition} {self.place}: {self.publisher}."
        pages = self.pages.replace("–", "-")
        return f"{lead}{self.title}[J]. {self.journal}, {self.volume}({self.issue}): {pages}. DOI: {self.doi}."


def _plain_name(person: str) -> str:
    """Return "BENTLER P M" for "Bentler, P. M."."""
    family, _, given = person.partition(", ")
    return f"{family.upper()} {given.replace('.', '').replace('-', ' ')}".strip()


SOURCES: dict[str, Source] = {
    "chen": Source(
        ("Chen",),
        2007,
        "Chen, F. F.",
        title="Sensitivity of goodness of fit indexes to lack of measurement invariance",
        journal="Structural Equation Modeling",
        volume=14,
        issue=3,
        pages="464–504",
        doi="10.1080/10705510701301834",
    ),
    "cheung": Source(
        ("Cheung", "Rensvold"),
        2002,
        "Cheung, G. W., & Rensvold, R. B.",
        title="Evaluating goodness-of-fit indexes for testing measurement invariance",
        journal="Structural Equation Modeling",
        volume=9,
        issue=2,
        pages="233–255",
        doi="10.1207/S15328007SEM0902_5",
    ),
    "efron": Source(
        ("Efron",),
        1987,
        "Efron, B.",
        title="Better bootstrap confidence intervals",
        journal="Journal of the American Statistical Association",
        volume=82,
        issue=397,
        pages="171–185",
        doi="10.1080/01621459.1987.10478410",
    ),
    "fornell": Source(
        ("Fornell", "Larcker"),
        1981,
        "Fornell, C., & Larcker, D. F.",
        title="Evaluating structural equation models with unobservable variables and measurement error",
        journal="Journal of Marketing Research",
        volume=18,
        issue=1,
        pages="39–50",
        doi="10.1177/002224378101800104",
    ),
    "hair": Source(
        ("Hair", "Black", "Babin", "Anderson"),
        2019,
        "Hair, J. F., Black, W. C., Babin, B. J., & Anderson, R. E.",
        title="Multivariate data analysis",
        edition="8th ed.",
        publisher="Cengage",
        place="Andover",
    ),
    "henseler": Source(
        ("Henseler", "Ringle", "Sarstedt"),
        2015,
        "Henseler, J., Ringle, C. M., & Sarstedt, M.",
        title="A new criterion for assessing discriminant validity in variance-based structural equation modeling",
        journal="Journal of the Academy of Marketing Science",
        volume=43,
        issue=1,
        pages="115–135",
        doi="10.1007/s11747-014-0403-8",
    ),
    "horn": Source(
        ("Horn",),
        1965,
        "Horn, J. L.",
        title="A rationale and test for the number of factors in factor analysis",
        journal="Psychometrika",
        volume=30,
        issue=2,
        pages="179–185",
        doi="10.1007/BF02289447",
    ),
    "hu": Source(
        ("Hu", "Bentler"),
        1999,
        "Hu, L., & Bentler, P. M.",
        title=(
            "Cutoff criteria for fit indexes in covariance structure analysis: Conventional criteria "
            "versus new alternatives"
        ),
        journal="Structural Equation Modeling",
        volume=6,
        issue=1,
        pages="1–55",
        doi="10.1080/10705519909540118",
    ),
    "kaiser": Source(
        ("Kaiser",),
        1974,
        "Kaiser, H. F.",
        title="An index of factorial simplicity",
        journal="Psychometrika",
        volume=39,
        issue=1,
        pages="31–36",
        doi="10.1007/BF02291575",
    ),
    "kock": Source(
        ("Kock",),
        2015,
        "Kock, N.",
        title="Common method bias in PLS-SEM: A full collinearity assessment approach",
        journal="International Journal of e-Collaboration",
        volume=11,
        issue=4,
        pages="1–10",
        doi="10.4018/ijec.2015100101",
    ),
    "little": Source(
        ("Little",),
        1988,
        "Little, R. J. A.",
        title="A test of missing completely at random for multivariate data with missing values",
        journal="Journal of the American Statistical Association",
        volume=83,
        issue=404,
        pages="1198–1202",
        doi="10.1080/01621459.1988.10478722",
    ),
    "mardia": Source(
        ("Mardia",),
        1970,
        "Mardia, K. V.",
        title="Measures of multivariate skewness and kurtosis with applications",
        journal="Biometrika",
        volume=57,
        issue=3,
        pages="519–530",
        doi="10.1093/biomet/57.3.519",
    ),
    "nunnally": Source(
        ("Nunnally",),
        1978,
        "Nunnally, J. C.",
        title="Psychometric theory",
        edition="2nd ed.",
        publisher="McGraw-Hill",
        place="New York",
    ),
    "podsakoff": Source(
        ("Podsakoff", "MacKenzie", "Lee", "Podsakoff"),
        2003,
        "Podsakoff, P. M., MacKenzie, S. B., Lee, J.-Y., & Podsakoff, N. P.",
        title=(
            "Common method biases in behavioral research: A critical review of the literature and recommended remedies"
        ),
        journal="Journal of Applied Psychology",
        volume=88,
        issue=5,
        pages="879–903",
        doi="10.1037/0021-9010.88.5.879",
    ),
    "vuong": Source(
        ("Vuong",),
        1989,
        "Vuong, Q. H.",
        title="Likelihood ratio tests for model selection and non-nested hypotheses",
        journal="Econometrica",
        volume=57,
        issue=2,
        pages="307–333",
        doi="10.2307/1912557",
    ),
    "xia": Source(
        ("Xia", "Yang"),
        2019,
        "Xia, Y., & Yang, Y.",
        title=(
            "RMSEA, CFI, and TLI in structural equation modeling with ordered categorical data: The "
            "story they tell depends on the estimation methods"
        ),
        journal="Behavior Research Methods",
        volume=51,
        issue=1,
        pages="409–428",
        doi="10.3758/s13428-018-1055-2",
    ),
    "zhao": Source(
        ("Zhao", "Lynch", "Chen"),
        2010,
        "Zhao, X., Lynch, J. G., & Chen, Q.",
        title="Reconsidering Baron and Kenny: Myths and truths about mediation analysis",
        journal="Journal of Consumer Research",
        volume=37,
        issue=2,
        pages="197–206",
        doi="10.1086/651257",
    ),
}
