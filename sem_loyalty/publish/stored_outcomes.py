"""Outcomes of slow steps as plain values and back again, for the entries that a study keeps between runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sem_loyalty.inference.robustness import Robustness
from sem_loyalty.loyalty.segments import Segments
from sem_loyalty.model.model_file import Hypothesis, Wording
from sem_loyalty.publish.stored_frames import frame_of_plain, plain_frame

_FRAMES = ("profile", "criteria")


def plain_robustness(found: Robustness) -> dict[str, Any]:
    """Return a robustness analysis as plain values; ValueError where it would not come back as it was."""
    return {
        "specifications": plain_frame(found.specifications),
        "results": plain_frame(found.results),
        "hypotheses": [[one.id, list(one.path), one.sign] for one in found.hypotheses],
        "possible": int(found.possible),
    }


def robustness_of_plain(plain: Mapping[str, Any], hypotheses: Sequence[Hypothesis]) -> Robustness:
    """Return the robustness analysis; `hypotheses` are those of the model, without which its paths are the claims."""
    blank = Wording("", "")
    claims = tuple(hypotheses) or tuple(
        Hypothesis(id, tuple(path), sign, blank, (), "") for id, path, sign in plain["hypotheses"]
    )
    return Robustness(
        specifications=frame_of_plain(plain["specifications"]),
        results=frame_of_plain(plain["results"]),
        hypotheses=claims,
        possible=plain["possible"],
    )


def plain_segments(found: Segments) -> dict[str, Any]:
    """Return segments as plain values; ValueError where they would not come back as they were."""
    plain = {entry.name: getattr(found, entry.name) for entry in fields(found)}
    frames = {name: plain_frame(plain[name]) for name in _FRAMES}
    numbers = {name: int(plain[name]) for name in ("chosen", "k")}
    return plain | frames | numbers | {"members": plain_frame(found.members.to_frame())}


def segments_of_plain(plain: Mapping[str, Any]) -> Segments:
    """Return the segments that `plain_segments` was given."""
    frames = {name: frame_of_plain(plain[name]) for name in _FRAMES}
    members = frame_of_plain(plain["members"]).iloc[:, 0]
    return Segments(**{**plain, **frames, "members": members})
