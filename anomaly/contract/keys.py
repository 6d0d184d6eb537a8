"""What names a window and a route in it, in every table from features on. Nothing heavy is imported: questions read it."""

WINDOW_KEY = ("freq_code", "window_months", "window_end")
ROUTE_KEY = (*WINDOW_KEY, "good", "exporter_iso", "importer_iso")
