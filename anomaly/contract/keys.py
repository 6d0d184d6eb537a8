"""What names a route, a window, a route in a window and a leg, in every table from bilateral on; questions read it, so nothing heavy is imported."""

import polars as pl

ROUTE = ("good", "exporter_iso", "importer_iso")
SERIES_KEY = ("freq_code", *ROUTE)  # a route's periods at one frequency
WINDOW_KEY = ("freq_code", "window_months", "window_end")
WINDOW_TYPES = {"freq_code": pl.String, "window_months": pl.Int16, "window_end": pl.Date}
ROUTE_KEY = (*WINDOW_KEY, *ROUTE)

HUB_TO_TARGET, COALITION_TO_HUB, HUB_TO_HUB = "hub to target", "coalition to hub", "hub to hub"
LEGS = (HUB_TO_TARGET, COALITION_TO_HUB, HUB_TO_HUB)
SIMULATED = "SIMULATED"  # in the name of every dataset of the world that the project makes up
COALITION = "XCO"  # the scenario's coalition as one exporter; no publisher uses the code
