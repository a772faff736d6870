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
# On the command line: `sem-loyalty run study.toml`. To be quick, this notebook asks for few draws, few specifications,
# no measured loyalty and few pictures; leave that out for a thesis.

# %%
text = study.read_text(encoding="utf-8")
text = text.replace("draws = 1000", "draws = 200").replace("most = 100", "most = 20")
text = text.replace('outcome = "LOY"', 'outcome = ""')
text = text.replace('"docx", "md", "tex", "svg", "pdf", "png"', '"md", "svg"')
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
# ## 4. Write
#
# The run has written the empirical chapter as well: text, tables and figures, for Word (`results.docx`), LaTeX, Typst
# or Markdown. Every sentence follows from the results, so a hypothesis that is not supported is called that.

# %%
chapter = thesis / "results" / "chapter.md"
said = chapter.read_text(encoding="utf-8")
print("\n\n".join(part for part in said.split("\n\n") if part.startswith(("H1 is", "In sum"))))

# %% [markdown]
# Each number carries the address of its result. The same addresses serve for a sentence of your own:

# %%
print(f"The effect of satisfaction on trust is β = {sl.claim_text(numbers, 'estimates/TRU~SAT/std_all:.2')}.")

# %% [markdown]
# So a finished text can be checked against the results. On the command line: `sem-loyalty verify chapter.md`.

# %%
stored = thesis / "results" / "results.json"
proof = sl.verify(chapter, results=stored)
assert proof.holds
proof

# %% [markdown]
# Somebody makes the fit of the model look better:

# %%
changed = chapter.with_name("changed.md")
cfi = sl.claim_text(numbers, "measures/cfi:.3")
_ = changed.write_text(said.replace(f'"measures/cfi:.3">{cfi}', '"measures/cfi:.3">.999', 1), encoding="utf-8")
proof = sl.verify(changed, results=stored)
assert [found.key for found in proof.mismatches] == ["measures/cfi:.3"]
changed.unlink()
proof

# %% [markdown]
# Who would rather write the text alone begins with `paper/`: a short text in Typst, to be made your own. Where a number
# belongs it says which one. On the command line: `sem-loyalty paper`.

# %%
print((thesis / "paper" / "paper.typ").read_text(encoding="utf-8").partition("= Fit\n")[2].partition("= Structural")[0])

# %%
paper = sl.build_paper(thesis / "paper")
print(f"{paper.name}, {paper.stat().st_size // 1024} kB")

# %% [markdown]
# ## 5. Change
#
# A reviewer asks for percentile intervals. Only what depends on that is done again: bootstrap draws, for instance, are
# kept beside the study file, and taken from there as long as nothing that they depend on has changed. Taken or done
# again, the numbers are the same to the last bit.

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
again

# %% [markdown]
# Somebody improves a number by hand:

# %%
table = thesis / "results" / "tables" / "hypotheses.csv"
_ = table.write_text(table.read_text(encoding="utf-8-sig").replace("0.", "0.9", 1), encoding="utf-8")
again = sl.check_results(thesis)
assert again.edited == ("tables/hypotheses.csv",)
again

# %% [markdown]
# ## 7. Let others check
#
# A reviewer who trusts lavaan only gets its script, with the answers that were used. On the command line: `sem-loyalty
# export`; in a study: `[output] export`. Mplus and semopy are possible too.

# %%
print(sl.export_model(results.fit, "lavaan").text)

# %%
place.cleanup()
