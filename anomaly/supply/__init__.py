"""bilateral → supply: what the coalition sells to hubs, from its own reports alone."""
