"""The completed parameter table against lavaan's, model by model (reference/defaults.json, made by defaults.R).

Nothing is estimated here, so nothing has a tolerance but the fixed values, which are read from text by both sides.
Rows are joined by name and their order is free. Two ways of writing the same thing count as the same: a default row
fixed at zero (a mean or a covariance) and its absence; equality by a shared position here and by an `==` row in lavaan.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sem_loyalty.model.defaults import specify

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "defaults.json").read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in REFERENCE["cases"]}

Key = tuple[str, str, str, int]


def key(lhs: str, op: str, rhs: str, group: int) -> Key:
    """Name a parameter so that both orders of a covariance are one name."""
    if op == "~~" and rhs < lhs:
        lhs, rhs = rhs, lhs
    return lhs, op, rhs, group


def arguments(case: dict[str, Any]) -> dict[str, Any]:
    """Translate lavaan's arguments to those of specify()."""
    found: dict[str, Any] = {"kind": case["fun"], "groups": tuple(case["groups"]) or ("",)}
    for name, value in case["args"].items():
        if name in ("group.equal", "group.partial"):
            values = [value] if isinstance(value, str) else value
            # Keywords are written with "_" here; parameters named in group.partial are model syntax and stay.
            found[name.replace(".", "_")] = tuple(v.replace(".", "_") if name == "group.equal" else v for v in values)
        elif name != "group":
            found[name.replace(".", "_")] = value
    return found


def lavaan_rows(case: dict[str, Any]) -> list[dict[str, Any]]:
    table = case["table"]
    return [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]


def negligible(op: str, lhs: str, rhs: str, fixed: float | None, user: bool) -> bool:
    """A default row fixed at zero that its absence would express as well."""
    return not user and fixed == 0.0 and (op == "~1" or (op == "~~" and lhs != rhs))


def lavaan_states(case: dict[str, Any]) -> dict[Key, str]:
    states: dict[Key, str] = {}
    for row in lavaan_rows(case):
        if row["op"] in ("==", "<", ">", ":="):
            continue
        if negligible(row["op"], row["lhs"], row["rhs"], None if row["free"] else row["ustart"], row["user"] == 1):
            continue
        state = "sample" if row["exo"] else "free" if row["free"] else f"fixed {row['ustart']:.12g}"
        states[key(row["lhs"], row["op"], row["rhs"], row["group"])] = state
    return states


def our_states(specification: Any) -> dict[Key, str]:
    states: dict[Key, str] = {}
    for row in specification.parameters:
        if negligible(row.op, row.lhs, row.rhs, row.value, row.user):
            continue
        state = "sample" if row.exogenous else "free" if row.free >= 0 else f"fixed {row.value:.12g}"
        states[key(row.lhs, row.op, row.rhs, row.group)] = state
    return states


def lavaan_partition(case: dict[str, Any]) -> set[frozenset[Key]]:
    """Sets of free parameters that `==` rows between two names, or a shared number, make one."""
    rows = lavaan_rows(case)
    parent: dict[str, str] = {}
    by_label: dict[str, str] = {}
    for row in rows:
        if row["plabel"]:
            parent[row["plabel"]] = row["plabel"]
            if row["label"]:
                by_label.setdefault(row["label"], row["plabel"])

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for row in rows:
        # A shared label gives rows between plabels; a constraint between labels stays a linear constraint here.
        if row["op"] == "==" and row["lhs"] in parent and row["rhs"] in parent:
            parent[root(row["rhs"])] = root(row["lhs"])
    classes: dict[str, set[Key]] = {}
    for row in rows:
        if row["plabel"] and row["free"]:
            classes.setdefault(root(row["plabel"]), set()).add(key(row["lhs"], row["op"], row["rhs"], row["group"]))
    return {frozenset(members) for members in classes.values()}


def our_partition(specification: Any) -> set[frozenset[Key]]:
    classes: dict[int, set[Key]] = {}
    for row in specification.parameters:
        if row.free >= 0:
            classes.setdefault(row.free, set()).add(key(row.lhs, row.op, row.rhs, row.group))
    return {frozenset(members) for members in classes.values()}


@pytest.fixture(scope="module")
def specification() -> Any:
    """Return a function that completes a case once."""
    known: dict[str, Any] = {}

    def complete(name: str) -> Any:
        if name not in known:
            case = CASES[name]
            known[name] = specify(case["model"], **arguments(case))
        return known[name]

    return complete


@pytest.mark.parametrize("name", CASES)
def test_same_parameters_free_and_fixed(name: str, specification: Any) -> None:
    ours, theirs = our_states(specification(name)), lavaan_states(CASES[name])
    differences = {
        f"{k[0]} {k[1]} {k[2]} (group {k[3]})": f"here {ours.get(k, 'absent')}, lavaan {theirs.get(k, 'absent')}"
        for k in {**ours, **theirs}
        if ours.get(k) != theirs.get(k)
    }
    assert not differences


@pytest.mark.parametrize("name", CASES)
def test_same_equalities(name: str, specification: Any) -> None:
    ours, theirs = our_partition(specification(name)), lavaan_partition(CASES[name])
    assert sorted(map(sorted, ours - theirs)) == sorted(map(sorted, theirs - ours)) == []


@pytest.mark.parametrize("name", CASES)
def test_same_number_of_parameters_and_variables(name: str, specification: Any) -> None:
    case, here = CASES[name], specification(name)
    assert here.n_parameters == case["npar"]
    assert set(here.latent) == set(case["latent"])
    assert set(here.observed) == set(case["observed"])
    fixed_x = case["args"].get("fixed.x", True)
    assert set(here.exogenous) == (set(case["exogenous"]) if fixed_x else set())


@pytest.mark.parametrize("name", CASES)
def test_same_labels_and_start_values_of_written_rows(name: str, specification: Any) -> None:
    theirs = {
        key(row["lhs"], row["op"], row["rhs"], row["group"]): row
        for row in lavaan_rows(CASES[name])
        if row["user"] == 1 and row["plabel"]
    }
    written = [row for row in specification(name).parameters if row.user]
    assert {key(row.lhs, row.op, row.rhs, row.group) for row in written} == set(theirs)
    for row in written:
        other = theirs[key(row.lhs, row.op, row.rhs, row.group)]
        # Labels that begin with a dot are lavaan's own (group.equal, equal()); the user did not write them.
        label = "" if other["label"].startswith(".") or "=~" in other["label"] else other["label"]
        assert row.label == label, row.name
        if row.free >= 0:
            assert row.start == other["ustart"], row.name
