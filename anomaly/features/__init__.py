"""bilateral → features: every window of every material route, measured."""
