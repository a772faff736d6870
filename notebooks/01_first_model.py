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
# # A first model
#
# From a survey file to a certified structural model. The answers are **simulated** from the `core` model of the
# library, with missing answers and careless respondents; nobody was asked.

# %%
import sem_loyalty as sl
from sem_loyalty.survey.published import demo_codebook_path, demo_path

# %% [markdown]
# ## The survey

# %%
survey = sl.read_survey(demo_path(), codebook=demo_codebook_path())
survey.source.notes

# %%
screened = sl.screen(survey, rules={"missing_share": 0.2, "longstring": 12})
screened

# %%
answers = sl.apply_codebook(screened.analysed, survey.codebook)

# %% [markdown]
# ## The model

# %%
core = sl.load_model("core")
core

# %%
fitted = sl.fit(core, answers)
fitted

# %% [markdown]
# The first line of the fit is its certificate. What follows may be reported.

# %%
assert fitted.certificate.certified
sl.estimates(fitted).query("op == '~' or op == ':='")

# %%
sl.fit_measures(fitted)

# %% [markdown]
# ## Measurement

# %%
sl.reliability(fitted)

# %%
sl.validity(fitted).htmt

# %% [markdown]
# ## The figure

# %%
sl.path_diagram(fitted, labels=core.labels("en"))

# %% [markdown]
# What is shown can be chosen: here the constructs alone, with intervals; below, everything in Chinese. A second
# argument such as `"figure1.pdf"` (or `.svg`, `.png`, `.tikz`) writes a file.

# %%
sl.path_diagram(fitted, labels=core.labels("en"), items=False, show=("std", "ci"))

# %%
sl.path_diagram(fitted, labels=core.labels("zh"), lang="zh")
