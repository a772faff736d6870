# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Measurement quality
#
# Before paths mean anything, the questions must measure what they are said to measure. This notebook goes the way that
# readers of a thesis expect: who answered carefully, how many factors the answers hold, whether the stated ones fit,
# how precisely each construct is measured, whether constructs are distinct, and whether one way of asking made the
# answers agree. The answers are **simulated** from the `core` model of the library; nobody was asked.

# %%
import pandas as pd

import sem_loyalty as sl
from sem_loyalty.survey.published import demo_codebook_path, demo_path

# %% [markdown]
# ## 1. Who answered carefully
#
# Rules are stated before results are seen, and applied in this order. A long string is the same answer many times in a
# row; the questionnaire has two reverse-worded questions, so an attentive person cannot give it by chance.

# %%
survey = sl.read_survey(demo_path(), codebook=demo_codebook_path())
rules = {"longstring": 12, "duration_per_item": 2, "missing_share": 0.2}
screened = sl.screen(survey, rules=rules, duration="duration")
screened

# %% [markdown]
# Two lines at the end deserve a sentence in the text. Mardia's test says that the answers are not normal, as answers on
# seven points never quite are: standard errors should be checked with `estimator="MLR"`. Little's test does not speak
# against answers missing completely at random; it cannot prove it either.

# %%
answers = sl.apply_codebook(screened.analysed, survey.codebook)
core = sl.load_model("core")
items = [item.name for item in core.items]
sl.item_analysis(answers, {construct.code: list(construct.items) for construct in core.constructs}).round(3)

# %% [markdown]
# An item whose corrected correlation with the rest of its scale falls below about .30, or without which alpha would
# rise, is looked at again: usually its wording is to blame.
#
# ## 2. How many factors
#
# Items of one construct should form a block of high correlations.

# %%
sl.correlation_map(answers[items].corr(), width_mm=183)

# %% [markdown]
# Parallel analysis keeps a factor as long as its eigenvalue is larger than that of answers without any structure. The
# old rule, eigenvalues above 1, is listed below because supervisors ask for it, not because it is good.

# %%
explored = sl.efa(answers, items=items, rotation="oblimin")
sl.scree_plot(explored)

# %%
found = explored.retention
assert found.components.n_factors == found.factors.n_factors == 4
explored

# %% [markdown]
# Four factors, each with the items that were written for it. One of the rules says three: where rules differ, parallel
# analysis and theory decide, and the text says so. KMO and Bartlett's test say whether a factor analysis made sense.

# %%
print(f"KMO {explored.kmo.overall:.3f}; Bartlett chi-square {explored.bartlett.chi2:.0f}, df {explored.bartlett.df}")
largest = explored.loadings.abs().idxmax(axis=1)
assert all(largest[list(construct.items)].nunique() == 1 for construct in core.constructs)
sl.loadings_plot(explored)

# %% [markdown]
# ## 3. Do the four stated factors fit
#
# A confirmatory analysis allows each item one construct only. Listwise deletion would lose every respondent with a
# single gap, so full-information maximum likelihood uses all answers.

# %%
measurement = "\n".join(line for line in core.text.splitlines() if "=~" in line)
cfa = sl.fit(measurement, answers, kind="cfa", missing="fiml")
cfa

# %%
assert cfa.certificate.certified
measures = sl.fit_measures(cfa)
pd.Series({name: measures[name] for name in ("chisq", "df", "pvalue", "cfi", "tli", "rmsea", "srmr")}).round(3)

# %%
sl.loadings_plot(cfa, labels=core.labels("en"))

# %% [markdown]
# Good overall fit may hide a bad spot. The map of residual correlations shows what the model leaves unexplained between
# every two items; those of .10 and more would be framed.

# %%
sl.residual_map(cfa)

# %% [markdown]
# Modification indices point to the same places. Each is one parameter that could be freed; a change that theory would
# not have allowed beforehand is not made because a number suggests it.

# %%
sl.modification_indices(cfa).head(3)

# %% [markdown]
# ## 4. How precisely: reliability
#
# Alpha assumes that all items of a construct measure it equally well; omega and composite reliability do not. Average
# variance extracted (AVE) is the share of the items' variance that the construct explains: half, at least.

# %%
precision = sl.reliability(cfa)
precision.round(3)

# %%
assert (precision["cr"] > 0.70).all()
assert (precision["ave"] > 0.50).all()

# %% [markdown]
# ## 5. How distinct: validity
#
# Convergent validity: loadings that are high and differ from zero. Discriminant validity: each construct shares more
# with its own items than with another construct (Fornell and Larcker), and the correlation of two constructs freed of
# measurement error stays below .85 (HTMT). The first line counts the criteria that fail.

# %%
judged = sl.validity(cfa)
judged

# %% [markdown]
# ## 6. One way of asking
#
# Everything came from one questionnaire, so part of the agreement might come from there. Each check has its rule and
# its weakness, and says both; Harman's single factor alone convinces no reviewer.

# %%
bias = sl.method_bias(cfa)
print("\n".join(bias.statements))

# %% [markdown]
# A latent method factor often has no admissible solution, as here; then it says nothing, and that is what is reported.

# %%
bias.models.round(3)

# %%
bias.vif.round(3)

# %% [markdown]
# ## What goes into the thesis
#
# The rules of screening with their counts, the number of factors with the rule that found it, the fit of the
# measurement model, one table with loadings, composite reliability and AVE, one with HTMT, and a sentence on method
# bias. `sem-loyalty run study.toml` writes all of these tables.
#
# The next notebooks go on to hypotheses and to the paper.
