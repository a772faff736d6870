"""The works that a chapter may cite: those that its rules of reading come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """A work.

    Attributes
    ----------
    authors : tuple of str
        Family names as they are cited.
    year : int
    entry : str
        Behind the authors and the year in a list of references.
    full : str
        Authors in a list of references.
    """

    authors: tuple[str, ...]
    year: int
    full: str
    entry: str

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

    def listed(self) -> str:
        """Return the entry in the list of references."""
        return f"{self.full} ({self.year}). {self.entry}"


SOURCES: dict[str, Source] = {
    "chen": Source(
        ("Chen",),
        2007,
        "Chen, F. F.",
        "Sensitivity of goodness of fit indexes to lack of measurement invariance. Structural Equation Modeling, "
        "14(3), "
        "464–504. https://doi.org/10.1080/10705510701301834",
    ),
    "cheung": Source(
        ("Cheung", "Rensvold"),
        2002,
        "Cheung, G. W., & Rensvold, R. B.",
        "Evaluating goodness-of-fit indexes for testing measurement invariance. Structural Equation Modeling, 9(2), "
        "233–255. https://doi.org/10.1207/S15328007SEM0902_5",
    ),
    "efron": Source(
        ("Efron",),
        1987,
        "Efron, B.",
        "Better bootstrap confidence intervals. Journal of the American Statistical Association, 82(397), 171–185. "
        "https://doi.org/10.1080/01621459.1987.10478410",
    ),
    "fornell": Source(
        ("Fornell", "Larcker"),
        1981,
        "Fornell, C., & Larcker, D. F.",
        "Evaluating structural equation models with unobservable variables and measurement error. Journal of Marketing "
        "Research, 18(1), 39–50. https://doi.org/10.1177/002224378101800104",
    ),
    "hair": Source(
        ("Hair", "Black", "Babin", "Anderson"),
        2019,
        "Hair, J. F., Black, W. C., Babin, B. J., & Anderson, R. E.",
        "Multivariate data analysis (8th ed.). Cengage.",
    ),
    "henseler": Source(
        ("Henseler", "Ringle", "Sarstedt"),
        2015,
        "Henseler, J., Ringle, C. M., & Sarstedt, M.",
        "A new criterion for assessing discriminant validity in variance-based structural equation modeling. Journal "
        "of "
        "the Academy of Marketing Science, 43(1), 115–135. https://doi.org/10.1007/s11747-014-0403-8",
    ),
    "horn": Source(
        ("Horn",),
        1965,
        "Horn, J. L.",
        "A rationale and test for the number of factors in factor analysis. Psychometrika, 30(2), 179–185. "
        "https://doi.org/10.1007/BF02289447",
    ),
    "hu": Source(
        ("Hu", "Bentler"),
        1999,
        "Hu, L., & Bentler, P. M.",
        "Cutoff criteria for fit indexes in covariance structure analysis: Conventional criteria versus new "
        "alternatives. Structural Equation Modeling, 6(1), 1–55. https://doi.org/10.1080/10705519909540118",
    ),
    "kaiser": Source(
        ("Kaiser",),
        1974,
        "Kaiser, H. F.",
        "An index of factorial simplicity. Psychometrika, 39(1), 31–36. https://doi.org/10.1007/BF02291575",
    ),
    "kock": Source(
        ("Kock",),
        2015,
        "Kock, N.",
        "Common method bias in PLS-SEM: A full collinearity assessment approach. International Journal of "
        "e-Collaboration, 11(4), 1–10. https://doi.org/10.4018/ijec.2015100101",
    ),
    "little": Source(
        ("Little",),
        1988,
        "Little, R. J. A.",
        "A test of missing completely at random for multivariate data with missing values. Journal of the American "
        "Statistical Association, 83(404), 1198–1202. https://doi.org/10.1080/01621459.1988.10478722",
    ),
    "mardia": Source(
        ("Mardia",),
        1970,
        "Mardia, K. V.",
        "Measures of multivariate skewness and kurtosis with applications. Biometrika, 57(3), 519–530. "
        "https://doi.org/10.1093/biomet/57.3.519",
    ),
    "nunnally": Source(("Nunnally",), 1978, "Nunnally, J. C.", "Psychometric theory (2nd ed.). McGraw-Hill."),
    "podsakoff": Source(
        ("Podsakoff", "MacKenzie", "Lee", "Podsakoff"),
        2003,
        "Podsakoff, P. M., MacKenzie, S. B., Lee, J.-Y., & Podsakoff, N. P.",
        "Common method biases in behavioral research: A critical review of the literature and recommended remedies. "
        "Journal of Applied Psychology, 88(5), 879–903. https://doi.org/10.1037/0021-9010.88.5.879",
    ),
    "vuong": Source(
        ("Vuong",),
        1989,
        "Vuong, Q. H.",
        "Likelihood ratio tests for model selection and non-nested hypotheses. Econometrica, 57(2), 307–333. "
        "https://doi.org/10.2307/1912557",
    ),
    "xia": Source(
        ("Xia", "Yang"),
        2019,
        "Xia, Y., & Yang, Y.",
        "RMSEA, CFI, and TLI in structural equation modeling with ordered categorical data: The story they tell "
        "depends "
        "on the estimation methods. Behavior Research Methods, 51(1), 409–428. "
        "https://doi.org/10.3758/s13428-018-1055-2",
    ),
    "zhao": Source(
        ("Zhao", "Lynch", "Chen"),
        2010,
        "Zhao, X., Lynch, J. G., & Chen, Q.",
        "Reconsidering Baron and Kenny: Myths and truths about mediation analysis. Journal of Consumer Research, "
        "37(2), "
        "197–206. https://doi.org/10.1086/651257",
    ),
}
