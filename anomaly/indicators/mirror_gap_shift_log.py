"""What the coalition sent and the hub did not record, against the pair's own normal gap."""

import polars as pl

from anomaly.indicators.base import COALITION_TO_HUB, Indicator, suspicious_side, usd


def _shift(floor_usd: float) -> pl.Expr:
    def gap(suffix: str) -> pl.Expr:
        sent, arrived = pl.col(f"leg_exported{suffix}_usd"), pl.col(f"leg_imported{suffix}_usd")
        return ((sent + floor_usd) / (arrived + floor_usd)).log()

    return gap("") - gap("_baseline")


INDICATOR = Indicator(
    name="mirror_gap_shift_log",
    unit="log",
    says="ln(exports the coalition reports / imports the other side reports), minus the same in the baseline years",
    source="Javorcik and Narciso 2008; Financial Times 2023 on ghost trade; EBRD 2023",
    expr=_shift,
    threshold=0.405,
    reason=lambda row: (
        f"The coalition reports {usd(row['leg_exported_usd'])} sent, the receiving side records "
        f"{usd(row['leg_imported_usd'])}; in {row['baseline_years']} it was {usd(row['leg_exported_baseline_usd'])} and "
        f"{usd(row['leg_imported_baseline_usd'])}."
    ),
    # A gap counts with the rise of what was sent: small trade has wide gaps.
    forest=lambda _floor_usd: suspicious_side("mirror_gap_shift_log") * suspicious_side("surge_log"),
    forest_leg=COALITION_TO_HUB,
)
