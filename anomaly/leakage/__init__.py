"""bilateral → leakage: what went to hubs beyond what the years before the measure explain."""
