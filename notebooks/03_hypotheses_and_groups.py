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
# # Hypotheses and groups
#
# From a certified model to what may be claimed: effects with bootstrap intervals, rival models, groups, and whether the
# hypotheses survive other choices. The answers are **simulated** from the `core` model of the library.

# %%
import sem_loyalty as sl
from sem_loyalty.survey.published import demo_codebook_path, demo_path

survey = sl.read_survey(demo_path(), codebook=demo_codebook_path())
screened = sl.screen(survey, rules={"missing_share": 0.2, "longstring": 12})
answers = sl.apply_codebook(screened.analysed, survey.codebook)
core = sl.load_model("core")
fitted = sl.fit(core, answers)
fitted

# %%
assert fitted.certificate.certified

# %% [markdown]
# ## Direct, indirect and total effects
#
# Products of coefficients are skewed, so their intervals come from resamples. Take 5000 draws for a paper.

# %%
draws = sl.bootstrap(fitted, 1000, progress=False)
effects = sl.effects(fitted, draws, cause="SAT", outcome="LOY")
effects

# %%
effects.mediation()

# %% [markdown]
# The same draws, as a figure with their intervals.

# %%
sl.bootstrap_plot(draws, labels=core.labels("en"))

# %% [markdown]
# ## Rival models

# %%
rivals = [sl.fit(core.rival_text(rival.id), answers) for rival in core.rivals]
contest = sl.compare(fitted, *rivals, names=["core", *(rival.id for rival in core.rivals)])
contest

# %%
assert contest.choice == "core"
contest.reasons

# %% [markdown]
# ## Store and online
#
# First whether both groups answer alike, then whether their means and paths differ.

# %%
measured = sl.invariance(core, answers, "channel")
measured

# %%
measured.latent_means

# %%
paths = sl.compare_paths(core, answers, "channel")
paths

# %%
sl.group_forest(paths, labels=core.labels("en"))

# %% [markdown]
# The paths differ jointly; which of them does is another question, and the corrected p-values answer it.

# %%
paths.joint

# %% [markdown]
# ## Do the hypotheses survive?

# %%
many = sl.robustness(core, answers, controls=["age"], most=80)
many

# %%
print("\n".join(many.lines()))

# %%
sl.specification_curve(many, "H6", labels=core.labels("en"))

# %%
sl.specification_curve(many, "H6", labels=core.labels("zh"), lang="zh")

# %% [markdown]
# ## Common method bias

# %%
sl.method_bias(fitted)
