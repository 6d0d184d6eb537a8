"""The drawing of imports: `python -m tests.house [CHECKOUT]`.

Rooms are the folders of `anomaly`, or its files where they lie flat, and `pipelines`. A room stands on the lowest floor
from which it reaches only rooms below it; rooms that reach each other in a circle share one and are named. An arrow is
a pair of rooms of which the first imports the second.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from tests import ROOT
from tests.house.imports import folder_of, modules, targets

Arrows = Counter[tuple[str, str]]


def arrows_of(root: Path) -> tuple[dict[str, int], Arrows]:
    """Files of each room, and how many imports lead from one room to another."""
    trees = modules(root)
    rooms = Counter(folder_of(module) for module in trees if module != "anomaly")
    arrows: Arrows = Counter()
    for module, tree in trees.items():
        if module == "anomaly":
            continue
        for target in targets(tree, trees):
            if folder_of(target) != folder_of(module):
                arrows[folder_of(module), folder_of(target)] += 1
    return dict(rooms), arrows


def reached_from(room: str, arrows: Arrows) -> set[str]:
    """Rooms that can be reached from a room by arrows; itself only by a circle."""
    reached: set[str] = set()
    waiting = [room]
    while waiting:
        current = waiting.pop()
        for source, target in arrows:
            if source == current and target not in reached:
                reached.add(target)
                waiting.append(target)
    return reached


def floors_of(rooms: dict[str, int], arrows: Arrows) -> list[list[str]]:
    """Rooms by floor, the ground floor first."""
    reached = {room: reached_from(room, arrows) for room in rooms}
    floor: dict[str, int] = {}

    def place(room: str) -> int:
        if room not in floor:
            below = [lower for lower in reached[room] if room not in reached[lower]]
            floor[room] = 1 + max((place(lower) for lower in below), default=-1)
        return floor[room]

    for room in rooms:
        place(room)
    return [sorted(room for room in rooms if floor[room] == number) for number in range(max(floor.values()) + 1)]


def drawing(root: Path) -> str:
    """The house as text: a line a floor from the top, then a line a room with where its arrows lead."""
    rooms, arrows = arrows_of(root)
    floors = floors_of(rooms, arrows)
    circles = sorted(room for room in rooms if room in reached_from(room, arrows))
    lines = [
        f"{len(rooms)} rooms on {len(floors)} floors, {len(arrows)} arrows, in circles: {', '.join(circles) or 'none'}"
    ]
    for number, floor in reversed(list(enumerate(floors))):
        lines.append(f"{number:>3}  " + "   ".join(f"{room} ({rooms[room]})" for room in floor))
    lines.append("")
    for floor in reversed(floors):
        for room in floor:
            led = sorted(target for source, target in arrows if source == room)
            if led:
                lines.append(f"{room} → " + ", ".join(f"{target} {arrows[room, target]}" for target in led))
    return "\n".join(lines)


if __name__ == "__main__":
    print(drawing(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT))
