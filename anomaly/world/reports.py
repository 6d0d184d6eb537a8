"""What statistics offices make of true trade: two-sided reports, HS editions, late and partial periods, re-exports."""

from __future__ import annotations

import numpy as np
import polars as pl

from anomaly.world.description import Description
from anomaly.world.trade import SMALLEST_USD, Amounts, Rng, Trade

CIF_FACTOR = 1.06  # imports above exports of the same goods: freight and insurance
PAIR_NOISE, ROW_NOISE = 0.12, 0.15  # log; what the two sides of a route differ in, for good and by the month
MISSING_SHARE = 0.01  # import rows that never reach the statistics
PARTIAL_SHARE = 0.3  # of the goods are out in a partial month
WEIGHTLESS_SHARE = 0.04  # rows without a net weight
USUAL_REEXPORTS = 0.15  # of what a hub that publishes re-exports sells

REPORT_COLUMNS = ("reporter", "partner", "flow", "edition", "code", "month", "value_usd", "net_wgt_kg", "good")


def reports(trade: Trade, rng: Rng) -> pl.DataFrame:
    """Every row that every statistics office publishes of the true trade.

    EU members publish exports only (their imports are not part of the world); re-exports lie inside exports.

    Parameters
    ----------
    trade : Trade
        What was traded.
    rng : numpy.random.Generator
        Source of all chance; it moves on.

    Returns
    -------
    polars.DataFrame
        REPORT_COLUMNS, sorted by the first six: reporter and partner (ISO 3166-1 alpha-3), flow (X, M or RX), edition of
        the HS, code, month (position in the calendar), value_usd (whole USD, exports FOB, imports CIF), net_wgt_kg (null:
        not reported) and good.
    """
    exports = _exports(trade, rng)
    sides = [_long(trade, exports, "X"), _long(trade, _imports(trade, exports, rng), "M")]
    reexports = np.minimum(trade.reexported + USUAL_REEXPORTS * (trade.value - trade.reexported), trade.value)
    world = trade.world
    reexports[~np.isin(trade.exporter, [world.country_at[iso] for iso in world.reexporters])] = 0
    sides.append(_long(trade, np.where(exports > 0, np.rint(reexports), 0), "RX"))
    rows = _with_weights(pl.concat(sides), trade, rng)
    return as_codes(world, _published(world, rows, rng)).select(REPORT_COLUMNS).sort(*REPORT_COLUMNS[:6])


def _exports(trade: Trade, rng: Rng) -> Amounts:
    noise = np.where(trade.is_exact[:, None], 1.0, np.exp(rng.normal(0, 0.01, trade.value.shape)))
    value = np.rint(trade.value * noise)
    return np.where(value >= SMALLEST_USD, value, 0)


def _imports(trade: Trade, exports: Amounts, rng: Rng) -> Amounts:
    arrived = np.maximum(exports - trade.unrecorded, 0)
    noise = rng.normal(0, PAIR_NOISE, (len(arrived), 1)) + rng.normal(0, ROW_NOISE, arrived.shape)
    value = np.rint(arrived * CIF_FACTOR * np.exp(noise))
    value[rng.random(value.shape) < MISSING_SHARE] = 0
    return np.where(value >= SMALLEST_USD, value, 0)


def _long(trade: Trade, value: Amounts, flow: str) -> pl.DataFrame:
    """One row per route and month with trade, as reported by the flow's side."""
    route, month = np.nonzero(value)
    iso = np.array([country.iso3 for country in trade.world.countries])
    seller, buyer = iso[trade.exporter[route]], iso[trade.importer[route]]
    return pl.DataFrame(
        {
            "route": route,
            "month": month,
            "reporter": buyer if flow == "M" else seller,
            "partner": seller if flow == "M" else buyer,
            "value_usd": value[route, month].astype(np.int64),
            "position": trade.good[route],
        }
    ).with_columns(flow=pl.lit(flow))


def _with_weights(rows: pl.DataFrame, trade: Trade, rng: Rng) -> pl.DataFrame:
    """Add net_wgt_kg, one decimal: the price is the route's, so both sides weigh alike but for freight."""
    price = trade.price[rows["route"].to_numpy(), rows["month"].to_numpy()]
    freight = np.where((rows["flow"] == "M").to_numpy(), CIF_FACTOR, 1.0)
    kilos = np.maximum(np.round(rows["value_usd"].to_numpy() / price / freight, 1), 0.1)
    kilos[rng.random(len(kilos)) < WEIGHTLESS_SHARE] = np.nan
    return rows.with_columns(net_wgt_kg=pl.Series(kilos).fill_nan(None))


def _published(world: Description, rows: pl.DataFrame, rng: Rng) -> pl.DataFrame:
    """Without what is not published: the targets' silence, late reporters, most of a partial month, the EU's imports."""
    is_early = rng.random((len(world.countries), len(world.goods))) < PARTIAL_SHARE
    in_part = pl.DataFrame(
        [
            (iso, position, bool(is_early[world.country_at[iso], position]))
            for iso in world.partial
            for position in range(len(world.goods))
        ],
        schema=["reporter", "position", "is_published"],
        orient="row",
    )
    silent = dict.fromkeys(world.of_role("target"), world.month(world.silent_from) - 1) if world.silent_from else {}
    late = {iso: world.month(month) for iso, month in world.late.items()}
    last_month = pl.col("reporter").replace_strict({**silent, **late}, default=world.last, return_dtype=pl.Int64)
    return (
        rows.filter(_at_hand(world))
        .join(in_part, on=["reporter", "position"], how="left")
        .filter(
            pl.col("month") <= last_month,
            (pl.col("month") < world.last) | pl.col("is_published").fill_null(value=True),
            ~(pl.col("reporter").is_in(world.eu) & (pl.col("flow") == "M")),
        )
    )


def _at_hand(world: Description) -> pl.Expr:
    """Rows of the part of the reports that the description's `published` names."""

    def is_of(column: str, *roles: str) -> pl.Expr:
        return pl.col(column).is_in(list(world.of_role(*roles)))

    is_export = pl.col("flow") != "M"
    is_from_coalition = is_of("reporter", "coalition") & is_export
    is_listed = pl.col("position").is_in([at for at, good in enumerate(world.goods) if good.is_sanctioned])
    to_hubs_and_targets = is_from_coalition & is_of("partner", "hub", "target")
    return {
        "": pl.lit(value=True),
        "one_exporter": is_export & (is_of("reporter", "coalition") | (pl.col("reporter") == world.of_role("hub")[0])),
        "periods_only": to_hubs_and_targets | (is_export & ~is_from_coalition & is_of("partner", "target")),
        "listed_extract": ~is_from_coalition | (to_hubs_and_targets & is_listed),
    }[world.published]


def as_codes(world: Description, rows: pl.DataFrame) -> pl.DataFrame:
    """Spread each row over the codes that its reporter uses in that month.

    Each reporter moves to HS 2022 in its own month. The parts of a split code sum to the whole to the dollar. Trade of
    the small makers goes whole under the largest of the new codes.

    Parameters
    ----------
    world : Description
        Countries, goods and calendar.
    rows : polars.DataFrame
        reporter, partner, flow, month, position (in the world's goods), value_usd, net_wgt_kg, anything else.

    Returns
    -------
    polars.DataFrame
        A row a code with trade, with edition (5 or 6), code and good.
    """
    switch = {country.iso3: min(world.month(country.h6_from), world.months) for country in world.countries}
    seller = pl.when(pl.col("flow") == "M").then("partner").otherwise("reporter")
    edition = (
        pl.when(pl.col("month") >= pl.col("reporter").replace_strict(switch, return_dtype=pl.Int64))
        .then(6)
        .otherwise(5)
    )
    parts = (
        rows.with_columns(edition=edition.cast(pl.Int8), is_whole=seller.is_in(world.small_makers))
        .with_row_index("row_of_good")
        .join(_code_table(world), on=["position", "edition", "is_whole"], how="left", maintain_order="left")
    )
    floor = (pl.col("value_usd") * pl.col("share")).floor().cast(pl.Int64)
    rounding = pl.col("value_usd") - floor.sum().over("row_of_good")
    value = floor + pl.when(pl.col("is_main")).then(rounding).otherwise(0)
    return (
        parts.with_columns(value_usd=value, net_wgt_kg=(pl.col("net_wgt_kg") * pl.col("share")).round(1))
        .filter(pl.col("value_usd") > 0)
        .drop("row_of_good", "is_whole", "is_main", "share")
    )


def _code_table(world: Description) -> pl.DataFrame:
    """position, edition, is_whole → code, share, is_main, good."""
    rows: list[tuple[int, int, bool, str, float, bool, str]] = []
    for position, good in enumerate(world.goods):
        newer = good.h6 or ((good.code, 1.0),)
        main = max(newer, key=lambda pair: pair[1])[0]
        for is_whole in (False, True):
            rows.append((position, 5, is_whole, good.code, 1.0, True, good.good))
            pairs = ((main, 1.0),) if is_whole else newer
            rows += [(position, 6, is_whole, code, share, code == main, good.good) for code, share in pairs]
    schema = {
        "position": pl.Int64, "edition": pl.Int8, "is_whole": pl.Boolean,
        "code": pl.String, "share": pl.Float64, "is_main": pl.Boolean, "good": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")
