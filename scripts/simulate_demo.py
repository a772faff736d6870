"""Make the demonstration survey: simulated answers, not collected from anybody.

    python scripts/simulate_demo.py [folder]

writes demo.csv, demo_codebook.csv, demo_transactions.csv and demo_wallet.csv, byte for byte the same on every machine.
Only the raw integers of PCG64, whose stream is fixed by its definition, come from NumPy; everything after that is plain
Python arithmetic, rounded to whole numbers or hundredths before it is written.

The answers follow the population of models/core.toml. A respondent's channel decides the group. About one in twenty
respondents is careless (straight lines, random answers, a rush). About 3 % of the answers are missing: older customers
skip questions on value more often (missing at random given age), a few respondents leave before the last page, and
single answers are missing completely at random. The two reverse-worded questions are recorded as they were answered.

demo_transactions.csv holds what the same customers bought in the two years after the survey, and demo_wallet.csv what
those who bought spent in the category altogether. A customer buys at a weekly rate of exp(-2.75 + 0.40 LOY + 0.35 z)
and pays exp(3.4 + 0.20 LOY + 0.25 z) on average, with LOY the standardised loyalty behind the answers and z standard
normal; who is not retained stops within the first year, and the others stop after a purchase of the second year with
probability 0.06. Who never bought is not in the log, and some customers of the log did not answer.
"""

from __future__ import annotations

import csv
import io
import math
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import NormalDist

from numpy.random import PCG64

from sem_loyalty.model.library import load_model
from sem_loyalty.model.model_file import Item, ModelFile, Population

SEED = 13  # of the first twenty, one whose sample lies close to its population; see demo.toml
RESPONDENTS = 600
CARELESS = {"straight": 12, "random": 10, "rushed": 8}
CANNOT_SAY = 99  # the answer "cannot say" on the form, to be read as missing
FIRST_DAY, DAYS = date(2024, 1, 1), 730  # the log begins after the survey
RATE, AMOUNT, SHARE = (-2.75, 0.40, 0.35), (3.4, 0.20, 0.25), (0.2, 0.50, 0.60)  # constant, slope on LOY, spread
STRANGERS = 25  # customers of the log who did not answer
LAST_PAGE = ("loy3", "loy4", "loy5")
DATASETS = Path(__file__).resolve().parents[1] / "sem_loyalty" / "survey" / "datasets"
NORMAL = NormalDist()


class Draws:
    """Random numbers whose every bit is fixed by the seed."""

    def __init__(self, seed: int) -> None:
        self.bits = PCG64(seed)

    def uniform(self) -> float:
        """Return a number strictly between 0 and 1."""
        return ((int(self.bits.random_raw()) >> 12) + 0.5) / 2**52

    def normal(self) -> float:
        """Return a standard normal number."""
        return NORMAL.inv_cdf(self.uniform())

    def integer(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + int(self.uniform() * (high - low + 1))

    def sample(self, count: int, size: int) -> list[int]:
        """Return `size` different numbers below `count`, in random order."""
        order = sorted(range(count), key=lambda _: self.uniform())
        return order[:size]


@dataclass(frozen=True)
class Respondent:
    """One row of the survey as it is, and the truth that a real survey hides."""

    row: dict[str, object]
    careless: str
    loyalty: float


def factor_scores(population: Population, group: int, constructs: list[str], draws: Draws) -> dict[str, float]:
    """Draw standardised constructs; `constructs` lists causes before outcomes."""
    paths = {**population.paths, **population.groups[group].paths}
    # Each construct is kept as weights on the independent disturbances, so that its variance is exact.
    weights: dict[str, list[float]] = {}
    for position, outcome in enumerate(constructs):
        total = [0.0] * len(constructs)
        for (cause, target), value in paths.items():
            if target == outcome:
                total = [t + value * w for t, w in zip(total, weights[cause], strict=True)]
        total[position] = math.sqrt(1 - math.fsum(t * t for t in total))
        weights[outcome] = total
    drawn = [draws.normal() for _ in constructs]
    return {name: math.fsum(w * z for w, z in zip(weights[name], drawn, strict=True)) for name in constructs}


def attentive_answers(model: ModelFile, scores: dict[str, float], draws: Draws) -> dict[str, int]:
    """Draw answers on the form: a reverse-worded question is answered in reverse."""
    population, scale = model.population, model.scale
    assert population is not None
    assert scale is not None
    answers = {}
    for item in model.items:
        loading = population.loadings[item.name]
        continuous = loading * scores[item.construct] + math.sqrt(1 - loading**2) * draws.normal()
        shift = population.shift.get(item.name, 0.0)
        answer = scale.minimum + sum(continuous > cut - shift for cut in population.thresholds)
        answers[item.name] = scale.minimum + scale.maximum - answer if item.reverse else answer
    return answers


def simulate(seed: int = SEED) -> list[Respondent]:
    """Return the respondents in the order of the file."""
    draws = Draws(seed)
    model = load_model("core")
    population, scale = model.population, model.scale
    assert population is not None
    assert scale is not None
    order = causes_first([c.code for c in model.constructs], list(population.paths))
    kinds = [kind for kind, count in CARELESS.items() for _ in range(count)]
    careless = dict(zip(draws.sample(RESPONDENTS, len(kinds)), kinds, strict=True))
    respondents = []
    for number in range(RESPONDENTS):
        group = draws.integer(0, 1)
        age = min(78, max(18, round(38 + 13 * draws.normal())))
        gender = ("female", "male", "other")[sum(draws.uniform() > cut for cut in (0.53, 0.985))]
        scores = factor_scores(population, group, order, draws)
        tenure = min(240, max(1, round(math.exp(3.2 + 0.25 * scores["LOY"] + 0.8 * draws.normal()))))
        seconds = max(95, round(math.exp(5.55 + 0.004 * (age - 38) + 0.30 * draws.normal())))
        answers = attentive_answers(model, scores, draws)
        recommend = min(10, max(0, round(7.1 + 1.5 * scores["LOY"] + 1.2 * draws.normal())))
        retained = int(draws.uniform() < 1 / (1 + math.exp(-(1.4 + 0.9 * scores["LOY"]))))
        kind = careless.get(number, "")
        if kind == "straight":
            same = draws.integer(scale.minimum + 2, scale.maximum)
            answers = dict.fromkeys(answers, same)
        elif kind:
            answers = {name: draws.integer(scale.minimum, scale.maximum) for name in answers}
        if kind in ("straight", "rushed"):
            seconds = draws.integer(21, 55)
        cells: dict[str, object] = {recorded_as(item): answers[item.name] for item in model.items}
        # Some leave the page on value unfinished, older customers more often: missing at random given age.
        skips_value = draws.uniform() < (0.24 if age >= 50 else 0.06)
        stops = draws.uniform() < 0.04  # leaves before the last page
        for item in model.items:
            skipped = skips_value and item.construct == "VAL" and item.name != "val1" and draws.uniform() < 0.8
            if draws.uniform() < 0.008:
                cells[recorded_as(item)] = CANNOT_SAY
            if skipped or draws.uniform() < 0.004 or (stops and item.name in LAST_PAGE):
                cells[recorded_as(item)] = ""
        respondents.append(
            Respondent(
                {
                    "id": f"R{number + 1:04d}",
                    "channel": population.groups[group].label,
                    "gender": gender,
                    "age": "" if draws.uniform() < 0.015 else age,
                    "tenure": tenure,
                    **cells,
                    "recommend": "" if stops else recommend,
                    "retained": retained,
                    "duration": seconds,
                },
                kind,
                scores["LOY"],
            )
        )
    return respondents


def purchases(loyalty: float, retained: bool, draws: Draws) -> list[tuple[int, float]]:
    """Draw the days (from 0) and amounts of one customer's purchases."""
    rate = math.exp(RATE[0] + RATE[1] * loyalty + RATE[2] * draws.normal()) / 7
    mean = math.exp(AMOUNT[0] + AMOUNT[1] * loyalty + AMOUNT[2] * draws.normal())
    end = DAYS if retained else draws.integer(30, 364)
    day, found = 0.0, []
    while True:
        day += -math.log(draws.uniform()) / rate
        if day >= end:
            return found
        found.append((int(day), round(mean * math.exp(0.4 * draws.normal() - 0.08), 2)))
        if day >= 365 and draws.uniform() < 0.06:
            return found


def behaviour(respondents: list[Respondent]) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Return the log and the spending in the category, from a random stream of their own."""
    draws = Draws(1000 + SEED)
    known = [(str(r.row["id"]), r.loyalty, r.row["retained"] == 1) for r in respondents]
    known += [(f"X{number + 1:04d}", draws.normal(), draws.uniform() < 0.75) for number in range(STRANGERS)]
    log: list[tuple[int, str, float]] = []
    wallet: list[dict[str, object]] = []
    for name, loyalty, retained in known:
        bought = purchases(loyalty, retained, draws)
        share = 1 / (1 + math.exp(-(SHARE[0] + SHARE[1] * loyalty + SHARE[2] * draws.normal())))
        log += [(day, name, amount) for day, amount in bought]
        if bought:
            spent = math.fsum(amount for _, amount in bought)
            wallet.append({"customer": name, "category_spend": f"{spent / share:.2f}"})
    rows: list[dict[str, object]] = [
        {"customer": name, "date": (FIRST_DAY + timedelta(days=day)).isoformat(), "amount": f"{amount:.2f}"}
        for day, name, amount in sorted(log)
    ]
    return rows, wallet


def causes_first(constructs: list[str], paths: list[tuple[str, str]]) -> list[str]:
    """Order constructs so that every cause comes before its outcomes."""
    order: list[str] = []
    while len(order) < len(constructs):
        ready = [c for c in constructs if c not in order and all(a in order for a, b in paths if b == c)]
        order.append(ready[0])
    return order


def recorded_as(item: Item) -> str:
    """Return the column of an item: one that is still to be turned round cannot be mistaken for the item itself."""
    return f"{item.name}_r" if item.reverse else item.name


def codebook() -> list[dict[str, object]]:
    """Return what each column of demo.csv means."""
    model = load_model("core")
    scale = model.scale
    assert scale is not None
    keys = ("column", "name", "construct", "reverse", "label_en", "label_zh", "min", "max", "missing")

    def row(column: str, en: str, zh: str, low: object = "", high: object = "") -> dict[str, object]:
        return dict(zip(keys, (column, column, "", "no", en, zh, low, high, ""), strict=True))

    rows: list[dict[str, object]] = [
        row("id", "Respondent (simulated)", "受访者编号（模拟数据）"),
        row("channel", "Where the customer mostly buys: store, online", "主要购买渠道：门店 store、网上 online"),
        row("gender", "Gender: female, male, other", "性别：女 female、男 male、其他 other"),
        row("age", "Age in years", "年龄（岁）", 18, 78),
        row("tenure", "Months as a customer", "成为顾客的月数", 1, 240),
    ]
    for item in model.items:
        values = (recorded_as(item), item.name, item.construct, "yes" if item.reverse else "no", item.wording.en,
                  item.wording.zh, scale.minimum, scale.maximum, CANNOT_SAY)  # fmt: skip
        rows.append(dict(zip(keys, values, strict=True)))
    return [
        *rows,
        row("recommend", "How likely are you to recommend this company?", "您有多大可能推荐这家公司？", 0, 10),
        row("retained", "Still a customer one year later: 1 yes, 0 no", "一年后是否仍是顾客：1 是，0 否", 0, 1),
        row("duration", "Seconds spent on the form", "填答用时（秒）", 1, 3600),
    ]


def as_csv(rows: list[dict[str, object]]) -> bytes:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode("utf-8")


def main(folder: Path = DATASETS) -> None:
    respondents = simulate()
    log, wallet = behaviour(respondents)
    (folder / "demo.csv").write_bytes(as_csv([respondent.row for respondent in respondents]))
    (folder / "demo_transactions.csv").write_bytes(as_csv(log))
    (folder / "demo_wallet.csv").write_bytes(as_csv(wallet))
    (folder / "demo_codebook.csv").write_bytes(as_csv(codebook()))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
