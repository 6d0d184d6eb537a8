"""Where the tests find the project, and data that is not part of it."""

import os
from pathlib import Path

ROOT = Path(__file__).parent.parent
REAL_RAW = Path(os.environ.get("ANOMALY_REAL_RAW", ROOT.parent / "shared" / "data" / "raw"))
