"""What names a route, a window and a route in a window, in every table from bilateral on. Nothing heavy is imported: questions read it."""

ROUTE = ("good", "exporter_iso", "importer_iso")
WINDOW_KEY = ("freq_code", "window_months", "window_end")
ROUTE_KEY = (*WINDOW_KEY, *ROUTE)
COALITION = "XCO"  # the scenario's coalition as one exporter; no publisher uses the code
