"""Ways through a graph of objectives, given as id -> the ids that it points at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def led_to(start: str, edges: Mapping[str, Sequence[str]]) -> set[str]:
    """Everything that can be reached from `start`; itself only when a way leads back to it."""
    reached: set[str] = set()
    open_ends = list(edges[start])
    while open_ends:
        objective = open_ends.pop()
        if objective not in reached:
            reached.add(objective)
            open_ends += edges.get(objective, [])
    return reached


def way_back(start: str, edges: Mapping[str, Sequence[str]]) -> list[str]:
    """The shortest way from an objective back to itself, with it at both ends; empty when there is none."""
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:
        for objective in edges.get(way[-1], []):
            if objective == start:
                return [*way, start]
            if objective not in seen:
                seen.add(objective)
                ways.append([*way, objective])
    return []
