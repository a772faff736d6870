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
# # Composites: partial least squares beside covariance-based SEM
#
# The European customer satisfaction index of mobile-phone customers (Tenenhaus, Esposito Vinzi, Chatelin and Lauro
# 2005, [doi:10.1016/j.csda.2004.03.005](https://doi.org/10.1016/j.csda.2004.03.005)): seven constructs, 24 items, 250
# customers. The model was made for partial least squares, and on these data it shows why.

# %%
import warnings

import sem_loyalty as sl

matrix = sl.load_published("ecsi_mobile")
data = {"sample_cov": matrix.frame(), "sample_nobs": matrix.n}

# %% [markdown]
# ## Covariance-based SEM has no solution to report

# %%
with warnings.catch_warnings():
    warnings.simplefilter("ignore", sl.errors.ImproperSolutionWarning)  # the next line looks at it
    fitted = sl.fit("ecsi_mobile", **data, engine="kernel")
fitted

# %%
assert not fitted.certificate.certified
sl.diagnose(fitted, remedies=False)

# %% [markdown]
# Image, expectation and quality are hardly told apart by their items once unreliability is taken out; the paths among
# them then have no values that could be trusted. Nothing above may be reported.

# %% [markdown]
# ## Composites have one

# %%
composites = sl.fit("ecsi_mobile", **data, method="pls", scheme="centroid")  # the same as sl.pls(...)
composites

# %%
assert composites.admissible
quality = sl.pls_quality(composites)
quality

# %% [markdown]
# The paths are those in print, to every digit.

# %%
sl.replicate("ecsi_mobile")[0]

# %% [markdown]
# ## Why the methods differ
#
# Composites hold the error of their items, so their correlations are weaker than those of the constructs behind them.
# Consistent partial least squares corrects for that, and runs into the same wall as covariance-based SEM.

# %%
sl.compare_methods("ecsi_mobile", **data)

# %%
consistent = sl.pls("ecsi_mobile", **data, consistent=True)
consistent.problems

# %%
assert not consistent.admissible

# %% [markdown]
# ## What to write
#
# Report the composites as composites: scores of image, expectation and quality as they were measured, not the
# constructs free of error. To speak about the constructs, ask fewer or better items, or a simpler structure first.
