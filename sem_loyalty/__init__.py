"""Structural equation modelling of customer loyalty.

One import gives everything: ``import sem_loyalty as sl``. Names are loaded when they are first used, so the
import itself stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sem_loyalty.design.answers import Missing
    from sem_loyalty.design.simulate import simulate
    from sem_loyalty.diagnosis.diagnose import Diagnosis, diagnose
    from sem_loyalty.fitting.solution import Fit
    from sem_loyalty.inference.bootstrap import Bootstrap, bootstrap
    from sem_loyalty.inference.comparison import Comparison, compare
    from sem_loyalty.inference.effects import Effects, effects
    from sem_loyalty.inference.equivalents import equivalent_models
    from sem_loyalty.inference.estimates import estimates, r_squared
    from sem_loyalty.inference.factor_scores import FactorScores, factor_scores
    from sem_loyalty.inference.feedback import equation_identification, stability_index
    from sem_loyalty.inference.group_paths import PathComparison, compare_paths
    from sem_loyalty.inference.hypothesis_tests import likelihood_ratio_test, wald_test
    from sem_loyalty.inference.implied import model_implied
    from sem_loyalty.inference.invariance import Invariance, invariance
    from sem_loyalty.inference.measures import fit_measures
    from sem_loyalty.inference.moderated import ModeratedMediation, moderated_mediation
    from sem_loyalty.inference.modification import modification_indices
    from sem_loyalty.inference.probing import JohnsonNeyman, johnson_neyman, simple_slopes
    from sem_loyalty.inference.residuals import mean_residuals, residual_summary, residuals
    from sem_loyalty.inference.robustness import Robustness, robustness
    from sem_loyalty.inference.score_tests import score_tests
    from sem_loyalty.inference.standardised import standardised_solution
    from sem_loyalty.inference.summary import Summary, summary
    from sem_loyalty.inference.vuong import VuongTest, vuong_test
    from sem_loyalty.loyalty.behaviour import purchase_behaviour, rfm
    from sem_loyalty.loyalty.composite import composite_loyalty
    from sem_loyalty.loyalty.drivers import drivers
    from sem_loyalty.loyalty.gaps import gap_scores
    from sem_loyalty.loyalty.index import loyalty_index
    from sem_loyalty.loyalty.joined import join_behaviour
    from sem_loyalty.loyalty.lifetime import lifetime_value
    from sem_loyalty.loyalty.performance import importance_performance
    from sem_loyalty.loyalty.recommendation import nps, top_box
    from sem_loyalty.loyalty.regression import logistic, regress
    from sem_loyalty.loyalty.retention import retention_by_contract, retention_by_period, retention_rate
    from sem_loyalty.loyalty.scores import loyalty_scores
    from sem_loyalty.loyalty.segments import segments
    from sem_loyalty.loyalty.typology import loyalty_levels, typology
    from sem_loyalty.measurement.efa import efa
    from sem_loyalty.measurement.items import item_analysis
    from sem_loyalty.measurement.method_bias import MethodBias, method_bias
    from sem_loyalty.measurement.reliability import reliability
    from sem_loyalty.measurement.validity import validity
    from sem_loyalty.model.defaults import specify
    from sem_loyalty.model.library import load_model, models
    from sem_loyalty.model.panel import panel_syntax
    from sem_loyalty.model.products import product_syntax
    from sem_loyalty.model.syntax import parse
    from sem_loyalty.pls_sem.bootstrap import PlsBootstrap, pls_bootstrap
    from sem_loyalty.pls_sem.cvpat import cvpat
    from sem_loyalty.pls_sem.either import fit
    from sem_loyalty.pls_sem.estimate import pls
    from sem_loyalty.pls_sem.fit_test import PlsFitTest, pls_fit_test
    from sem_loyalty.pls_sem.importance import PlsImportance, pls_ipma
    from sem_loyalty.pls_sem.methods import MethodComparison, compare_methods
    from sem_loyalty.pls_sem.mga import PlsGroups, pls_mga
    from sem_loyalty.pls_sem.micom import Micom, micom
    from sem_loyalty.pls_sem.predict import PlsPrediction, pls_predict
    from sem_loyalty.pls_sem.printed import plsc_from_printed
    from sem_loyalty.pls_sem.quality import PlsQuality, pls_quality
    from sem_loyalty.pls_sem.solution import Pls
    from sem_loyalty.proof import check_results, verify
    from sem_loyalty.publish.bootstrap_plot import bootstrap_plot
    from sem_loyalty.publish.chapter.compose import chapter
    from sem_loyalty.publish.claims import claim_text
    from sem_loyalty.publish.evidence_plot import group_forest, specification_curve
    from sem_loyalty.publish.export_model import Export, export_model
    from sem_loyalty.publish.loyalty_plot import loyalty_plot
    from sem_loyalty.publish.measurement_plot import correlation_map, loadings_plot, residual_map, scree_plot
    from sem_loyalty.publish.model_diagram import model_diagram
    from sem_loyalty.publish.paper import build_paper
    from sem_loyalty.publish.paper_inputs import paper_inputs
    from sem_loyalty.publish.path_diagram import path_diagram
    from sem_loyalty.publish.project import init_project
    from sem_loyalty.publish.questionnaire import write_questionnaire
    from sem_loyalty.publish.replication import Replication, replicate
    from sem_loyalty.publish.verify import Verification
    from sem_loyalty.publish.word.document import tables_docx
    from sem_loyalty.study import run
    from sem_loyalty.survey.codebook import apply_codebook
    from sem_loyalty.survey.codebook_table import read_codebook
    from sem_loyalty.survey.item_gaps import item_gaps
    from sem_loyalty.survey.matrix_input import cov_from_lower
    from sem_loyalty.survey.product_indicators import product_indicators
    from sem_loyalty.survey.published import load_published, published
    from sem_loyalty.survey.read import read_survey
    from sem_loyalty.survey.screen import screen

_WHERE = {
    "Missing": "design.answers",
    "simulate": "design.simulate",
    "Diagnosis": "diagnosis.diagnose",
    "diagnose": "diagnosis.diagnose",
    "Fit": "fitting.solution",
    "fit": "pls_sem.either",
    "Bootstrap": "inference.bootstrap",
    "bootstrap": "inference.bootstrap",
    "Comparison": "inference.comparison",
    "compare": "inference.comparison",
    "Effects": "inference.effects",
    "effects": "inference.effects",
    "equivalent_models": "inference.equivalents",
    "estimates": "inference.estimates",
    "r_squared": "inference.estimates",
    "FactorScores": "inference.factor_scores",
    "factor_scores": "inference.factor_scores",
    "PathComparison": "inference.group_paths",
    "compare_paths": "inference.group_paths",
    "equation_identification": "inference.feedback",
    "stability_index": "inference.feedback",
    "likelihood_ratio_test": "inference.hypothesis_tests",
    "wald_test": "inference.hypothesis_tests",
    "model_implied": "inference.implied",
    "Invariance": "inference.invariance",
    "invariance": "inference.invariance",
    "ModeratedMediation": "inference.moderated",
    "moderated_mediation": "inference.moderated",
    "mean_residuals": "inference.residuals",
    "residual_summary": "inference.residuals",
    "residuals": "inference.residuals",
    "fit_measures": "inference.measures",
    "modification_indices": "inference.modification",
    "score_tests": "inference.score_tests",
    "Robustness": "inference.robustness",
    "robustness": "inference.robustness",
    "JohnsonNeyman": "inference.probing",
    "johnson_neyman": "inference.probing",
    "simple_slopes": "inference.probing",
    "standardised_solution": "inference.standardised",
    "Summary": "inference.summary",
    "summary": "inference.summary",
    "VuongTest": "inference.vuong",
    "vuong_test": "inference.vuong",
    "loyalty_index": "loyalty.index",
    "retention_rate": "loyalty.retention",
    "retention_by_contract": "loyalty.retention",
    "retention_by_period": "loyalty.retention",
    "purchase_behaviour": "loyalty.behaviour",
    "rfm": "loyalty.behaviour",
    "lifetime_value": "loyalty.lifetime",
    "composite_loyalty": "loyalty.composite",
    "nps": "loyalty.recommendation",
    "top_box": "loyalty.recommendation",
    "join_behaviour": "loyalty.joined",
    "gap_scores": "loyalty.gaps",
    "drivers": "loyalty.drivers",
    "importance_performance": "loyalty.performance",
    "loyalty_scores": "loyalty.scores",
    "segments": "loyalty.segments",
    "typology": "loyalty.typology",
    "loyalty_levels": "loyalty.typology",
    "regress": "loyalty.regression",
    "logistic": "loyalty.regression",
    "efa": "measurement.efa",
    "item_analysis": "measurement.items",
    "MethodBias": "measurement.method_bias",
    "method_bias": "measurement.method_bias",
    "reliability": "measurement.reliability",
    "validity": "measurement.validity",
    "specify": "model.defaults",
    "load_model": "model.library",
    "models": "model.library",
    "panel_syntax": "model.panel",
    "product_syntax": "model.products",
    "parse": "model.syntax",
    "bootstrap_plot": "publish.bootstrap_plot",
    "correlation_map": "publish.measurement_plot",
    "Export": "publish.export_model",
    "export_model": "publish.export_model",
    "group_forest": "publish.evidence_plot",
    "loadings_plot": "publish.measurement_plot",
    "residual_map": "publish.measurement_plot",
    "scree_plot": "publish.measurement_plot",
    "tables_docx": "publish.word.document",
    "specification_curve": "publish.evidence_plot",
    "loyalty_plot": "publish.loyalty_plot",
    "model_diagram": "publish.model_diagram",
    "Pls": "pls_sem.solution",
    "pls": "pls_sem.estimate",
    "PlsBootstrap": "pls_sem.bootstrap",
    "pls_bootstrap": "pls_sem.bootstrap",
    "cvpat": "pls_sem.cvpat",
    "PlsFitTest": "pls_sem.fit_test",
    "pls_fit_test": "pls_sem.fit_test",
    "PlsImportance": "pls_sem.importance",
    "pls_ipma": "pls_sem.importance",
    "MethodComparison": "pls_sem.methods",
    "compare_methods": "pls_sem.methods",
    "PlsGroups": "pls_sem.mga",
    "pls_mga": "pls_sem.mga",
    "Micom": "pls_sem.micom",
    "micom": "pls_sem.micom",
    "PlsPrediction": "pls_sem.predict",
    "pls_predict": "pls_sem.predict",
    "plsc_from_printed": "pls_sem.printed",
    "PlsQuality": "pls_sem.quality",
    "pls_quality": "pls_sem.quality",
    "build_paper": "publish.paper",
    "paper_inputs": "publish.paper_inputs",
    "chapter": "publish.chapter.compose",
    "claim_text": "publish.claims",
    "path_diagram": "publish.path_diagram",
    "init_project": "publish.project",
    "write_questionnaire": "publish.questionnaire",
    "Replication": "publish.replication",
    "replicate": "publish.replication",
    "check_results": "proof",
    "Verification": "publish.verify",
    "run": "study",
    "verify": "proof",
    "apply_codebook": "survey.codebook",
    "read_codebook": "survey.codebook_table",
    "item_gaps": "survey.item_gaps",
    "cov_from_lower": "survey.matrix_input",
    "product_indicators": "survey.product_indicators",
    "load_published": "survey.published",
    "published": "survey.published",
    "read_survey": "survey.read",
    "screen": "survey.screen",
}

__all__ = [
    "Bootstrap",
    "Comparison",
    "Diagnosis",
    "Effects",
    "Export",
    "FactorScores",
    "Fit",
    "Invariance",
    "JohnsonNeyman",
    "MethodBias",
    "MethodComparison",
    "Micom",
    "Missing",
    "ModeratedMediation",
    "PathComparison",
    "Pls",
    "PlsBootstrap",
    "PlsFitTest",
    "PlsGroups",
    "PlsImportance",
    "PlsPrediction",
    "PlsQuality",
    "Replication",
    "Robustness",
    "Summary",
    "Verification",
    "VuongTest",
    "__version__",
    "apply_codebook",
    "bootstrap",
    "bootstrap_plot",
    "build_paper",
    "chapter",
    "check_results",
    "claim_text",
    "compare",
    "compare_methods",
    "compare_paths",
    "composite_loyalty",
    "correlation_map",
    "cov_from_lower",
    "cvpat",
    "diagnose",
    "drivers",
    "efa",
    "effects",
    "equation_identification",
    "equivalent_models",
    "estimates",
    "export_model",
    "factor_scores",
    "fit",
    "fit_measures",
    "gap_scores",
    "group_forest",
    "importance_performance",
    "init_project",
    "invariance",
    "item_analysis",
    "item_gaps",
    "johnson_neyman",
    "join_behaviour",
    "lifetime_value",
    "likelihood_ratio_test",
    "load_model",
    "load_published",
    "loadings_plot",
    "logistic",
    "loyalty_index",
    "loyalty_levels",
    "loyalty_plot",
    "loyalty_scores",
    "mean_residuals",
    "method_bias",
    "micom",
    "model_diagram",
    "model_implied",
    "models",
    "moderated_mediation",
    "modification_indices",
    "nps",
    "panel_syntax",
    "paper_inputs",
    "parse",
    "path_diagram",
    "pls",
    "pls_bootstrap",
    "pls_fit_test",
    "pls_ipma",
    "pls_mga",
    "pls_predict",
    "pls_quality",
    "plsc_from_printed",
    "product_indicators",
    "product_syntax",
    "published",
    "purchase_behaviour",
    "r_squared",
    "read_codebook",
    "read_survey",
    "regress",
    "reliability",
    "replicate",
    "residual_map",
    "residual_summary",
    "residuals",
    "retention_by_contract",
    "retention_by_period",
    "retention_rate",
    "rfm",
    "robustness",
    "run",
    "score_tests",
    "scree_plot",
    "screen",
    "segments",
    "simple_slopes",
    "simulate",
    "specification_curve",
    "specify",
    "stability_index",
    "standardised_solution",
    "summary",
    "tables_docx",
    "top_box",
    "typology",
    "validity",
    "verify",
    "vuong_test",
    "wald_test",
    "write_questionnaire",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module 'sem_loyalty' has no attribute {name!r}")
    value = getattr(import_module(f"sem_loyalty.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
