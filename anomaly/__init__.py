"""Finds routes on which sanctioned goods may go round, in public trade statistics.

What a notebook needs, loaded when it is first used:

    import anomaly

    data = anomaly.open("data/processed")
    data.read("flags", ["flag_id", "severity", "q_value"])
    data.query("8517.12", exporter="KAZ", importer="RUS", period="2022H1")

`AnomalyError` is what every refusal is; docs/notebook.md has the rest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anomaly.contract.errors import AnomalyError
    from anomaly.notebook.data import Data, Remark, open_data, to_pandas
    from anomaly.notebook.data import open_data as open

__all__ = ["AnomalyError", "Data", "Remark", "open", "open_data", "to_pandas"]

_HOMES = {
    "AnomalyError": "anomaly.contract.errors",
    "Data": "anomaly.notebook.data",
    "Remark": "anomaly.notebook.data",
    "open": "anomaly.notebook.data",
    "open_data": "anomaly.notebook.data",
    "to_pandas": "anomaly.notebook.data",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'anomaly' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), "open_data" if name == "open" else name)


def __dir__() -> list[str]:
    return sorted(__all__)
