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
# # From study to paper
#
# The first three notebooks call one function after another. A thesis needs the same answer tomorrow, on another
# computer and for the examiner, so here everything is written into a study: one file says what is done, one command
# does it, and another one checks that it comes out again. The answers are **simulated**.

# %%
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

import sem_loyalty as sl

place = TemporaryDirectory()  # you would name a folder of your own

# %% [markdown]
# ## 1. Begin
#
# On the command line: `sem-loyalty init thesis`.

# %%
thesis = sl.init_project(Path(place.name) / "thesis")
print("\n".join(sorted(path.relative_to(thesis).as_posix() for path in thesis.rglob("*") if path.is_file())))

# %% [markdown]
# The heart of it is `study.toml`. Every section is explained where it stands; here are the first.

# %%
study = thesis / "study.toml"
print(study.read_text(encoding="utf-8").partition("# Screening")[0])

# %% [markdown]
# ## 2. Run
#
# On the command line: `sem-loyalty run study.toml`. To be quick, this notebook asks for few draws, few specifications
# and no pictures; leave that out for a thesis.

# %%
text = study.read_text(encoding="utf-8")
text = text.replace("draws = 1000", "draws = 200").replace("most = 100", "most = 20")
text = text.replace('"md", "tex", "svg", "pdf", "png"', '"md", "svg"')
_ = study.write_text(text, encoding="utf-8")
results = sl.run(study)
results

# %%
assert results.certified

# %% [markdown]
# ## 3. Read
#
# The report opens in a browser, without a network. Every table is also a file, and every number is in `results.json` in
# full precision.

# %%
print("\n".join(sorted(path.relative_to(thesis).as_posix() for path in (thesis / "results").glob("*.*"))))

# %%
print((thesis / "results" / "tables" / "hypotheses.md").read_text(encoding="utf-8"))

# %%
numbers = json.loads((thesis / "results" / "results.json").read_text(encoding="utf-8"))
pd.DataFrame(numbers["hypotheses"])[["id", "verdict", "est", "ci_lower", "ci_upper", "std_all"]].round(3)

# %% [markdown]
# A number is never typed into a text: it is taken from there, with the digits that the text needs.

# %%
strongest = max(numbers["hypotheses"], key=lambda row: abs(row["std_all"] or 0))
print(f"The strongest effect is that of {strongest['id']} (β = {strongest['std_all']:.2f}).")

# %% [markdown]
# ## 4. Write
#
# On the command line: `sem-loyalty paper`. The folder `paper/` holds a short text in Typst, to be made your own. Where
# a number belongs it says which one, so a number in the text cannot be out of date.

# %%
print((thesis / "paper" / "paper.typ").read_text(encoding="utf-8").partition("= Fit\n")[2].partition("= Structural")[0])

# %%
paper = sl.build_paper(thesis / "paper")
print(f"{paper.name}, {paper.stat().st_size // 1024} kB")

# %% [markdown]
# ## 5. Change
#
# A reviewer asks for percentile intervals. Only what depends on that is done again: bootstrap draws, the robustness
# analysis and segments are kept beside the study file, and taken from there as long as nothing that they depend on has
# changed. Taken or done again, the numbers are the same to the last bit.

# %%
_ = study.write_text(text.replace("draws = 200", 'draws = 200\ninterval = "percentile"', 1), encoding="utf-8")
revised = sl.run(study)
paper = sl.build_paper(thesis / "paper")
assert revised.estimates["est"].equals(results.estimates["est"])
print((thesis / "results" / "tables" / "hypotheses.md").read_text(encoding="utf-8"))

# %% [markdown]
# ## 6. Check
#
# On the command line: `sem-loyalty check`. It does everything again in another folder, takes nothing from earlier runs,
# and compares every file, and the paper with them. This is what the examiner, or you in two years, will do first.

# %%
again = sl.check_results(thesis)
assert again.same
print(again)

# %% [markdown]
# Somebody improves a number by hand:

# %%
table = thesis / "results" / "tables" / "hypotheses.csv"
_ = table.write_text(table.read_text(encoding="utf-8-sig").replace("0.", "0.9", 1), encoding="utf-8")
again = sl.check_results(thesis)
assert again.edited == ("tables/hypotheses.csv",)
print(again)

# %%
place.cleanup()
