"""An example or two of every command, as its help shows them."""

from __future__ import annotations

import click

EXAMPLES: dict[str, tuple[str, ...]] = {
    "backtest": ("anomaly backtest --raw data/demo/raw --data data/demo/processed",),
    "cases": ("anomaly cases --hub KGZ --severity high",),
    "compare": ("anomaly compare KAZ KGZ", 'anomaly compare 8517.13 "mobile phones" --period 2022H2'),
    "diff": ("anomaly diff --exit-code",),
    "explain": ("anomaly explain 8517.12:KAZ:RUS:2022H1",),
    "fetch": ("anomaly fetch --plan comext --since 2024",),
    "goods": ("anomaly goods --period 2022 --limit 10",),
    "health": ("anomaly health --hours 30",),
    "hubs": ("anomaly hubs --period 2022H2",),
    "indicators": ("anomaly indicators --format markdown",),
    "leakage": ("anomaly leakage --leg hub-to-target --by hub_good --hub KAZ",),
    "map": ("anomaly map my-table.csv --write",),
    "prune": ("anomaly prune --years 2 --dry-run",),
    "query": (
        "anomaly query 8517.12",
        'anomaly query smartphones --exporter KAZ,KGZ --period "H1 2022"',
    ),
    "report": ("anomaly report --data data/demo/processed",),
    "revisions": ("anomaly revisions --format json",),
    "run": ("anomaly run --raw data/raw --data data/processed",),
    "scenarios": ("anomaly scenarios",),
    "series": ('anomaly series 8703.23 Armenia RUS --freq M --period "2021 to 2023"',),
    "sources": ("anomaly sources --doubts",),
    "tables": ("anomaly tables flags",),
    "verify": ("anomaly verify --raw data/raw",),
}


def with_examples(group: click.Group) -> None:
    """Let the help of every command of a group that has examples end with them.

    Parameters
    ----------
    group : click.Group
        The program; its commands are changed.
    """
    for name, examples in EXAMPLES.items():
        if name in group.commands:
            word = "Example" if len(examples) == 1 else "Examples"
            group.commands[name].epilog = "\n".join(["\b", f"{word}:", *(f"  {example}" for example in examples)])
