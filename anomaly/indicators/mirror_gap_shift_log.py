"""What the coalition sent and the hub did not record, against the pair's own normal gap."""

from math import log

import polars as pl

from anomaly.contract.keys import COALITION_TO_HUB
from anomaly.indicators.base import Indicator, suspicious_side, usd

# Importers count freight and insurance (CIF), exporters do not (FOB): 12 % by FAO's rule, 6 % on average (OECD, database of
# international transport and insurance costs). Freight alone can move a gap by that much from year to year.
CIF_OVER_FOB = 1.12


def _shift(floor_usd: float) -> pl.Expr:
    """ln(X/M) less the same in the baseline; 0 where it is within the band of freight and insurance."""

    def gap(suffix: str) -> pl.Expr:
        sent, arrived = pl.col(f"leg_exported{suffix}_usd"), pl.col(f"leg_imported{suffix}_usd")
        return ((sent + floor_usd) / (arrived + floor_usd)).log()

    shift = gap("") - gap("_baseline")
    return pl.when(shift.abs() > log(CIF_OVER_FOB)).then(shift).when(shift.is_not_null()).then(0.0)


INDICATOR = Indicator(
    name="mirror_gap_shift_log",
    unit="log",
    says=(
        "ln(exports the coalition reports / imports the other side reports), minus the same in the baseline years; "
        "0 within the 12 % that freight and insurance explain"
    ),
    source="Javorcik and Narciso 2008; Financial Times 2023 on ghost trade; EBRD 2023",
    expr=_shift,
    threshold=0.405,
    reason=lambda row: (
        f"The coalition reports {usd(row['leg_exported_usd'])} sent, the receiving side records "
        f"{usd(row['leg_imported_usd'])}; in {row['baseline_years']} it was {usd(row['leg_exported_baseline_usd'])} and "
        f"{usd(row['leg_imported_baseline_usd'])}. Freight and insurance explain up to 12 %."
    ),
    # A gap counts up to the rise of what was sent, and a rise up to the gap: small trade has wide gaps, and what feeds a
    # hub's re-exports rises and arrives. Their product flags the second kind: docs/evaluation.md.
    forest=lambda _floor_usd: pl.min_horizontal(suspicious_side("mirror_gap_shift_log"), suspicious_side("surge_log")),
    forest_leg=COALITION_TO_HUB,
)
