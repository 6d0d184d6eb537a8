"""features → what hubs sold targets beyond the counterfactual of each route, with an interval from the placebos' own rises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.contract.keys import HUB_TO_TARGET, ROUTE, WINDOW_KEY
from anomaly.contract.periods import Window
from anomaly.contract.settings import Settings
from anomaly.features.goods_asked import with_control
from anomaly.features.level_shifts import Floats
from anomaly.features.marks import Amounts, Ids, Marks
from anomaly.flags.types.backfill import is_carried, is_maker
from anomaly.leakage import frames, spread
from anomaly.leakage.frames import Direct, Tables, Tried, number
from anomaly.leakage.spread import Draws, Groups, Spread
from anomaly.reference.makers import makes
from anomaly.scores.forest_inputs import PUBLISHED
from anomaly.scores.placebos import Placebos, is_asked_about, placebos_of, thinned

Names = npt.NDArray[Any]  # of str

CHAPTER_DIGITS = 2
SIZES_USD = (300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000, 100_000_000)  # of a year, of the counterfactual
MOST_CHECKED = 8  # importers or windows that are left out of the placebos in turn
_OF_IMPORTER, _OF_HUB, _OF_CHAPTER = 0, 1, 2  # levels of the shocks that routes share
_SUMMED_OVER = {"hub": "a country's goods", "good": "a good's sellers", "all": "everything to an importer"}
_GROUP = ["freq_code", "window_months", "baseline_gap_years"]
COLUMNS = (
    *WINDOW_KEY, *ROUTE, "baseline_gap_years", "source", "dataset", "value_basis", "role", "is_before_sanctions",
    "value_usd", "value_baseline_usd", "counterfactual_usd", "coalition_to_target_usd", "coalition_to_target_baseline_usd",
    "coalition_to_hub_usd", "coalition_to_hub_baseline_usd", "elsewhere_baseline_usd", "revealed_advantage",
)  # fmt: skip


def build(features: pl.LazyFrame, roughness: pl.DataFrame, lists: pl.DataFrame, settings: Settings) -> list[Tables]:
    """What hubs sold the targets beyond the counterfactual, of goods whose direct trade fell.

    Parameters
    ----------
    features : polars.LazyFrame
        The table features: routes that were material in the window or a year before.
    roughness : polars.DataFrame
        features.roughness: by how much honest trade with the targets became rougher than the placebos'.
    lists : polars.DataFrame
        reference.goods.listed: where the scenario asks about listed goods, no other is in a sum.
    settings : Settings
        Scenario: targets, coalition, goods_asked, materiality, floor_usd, calibration, and of `supply` draws, seed,
        interval_share and direct_fall_share.

    Returns
    -------
    list of Tables
        A window of features since the measures each. Sums are over the routes that features hold. What a maker of a good
        sold is in no sum and has a row of its own.
    """
    is_of_coalition = pl.col("exporter_iso").is_in(list(settings.coalition.countries))
    routes = features.select(COLUMNS).filter(
        ~is_of_coalition,
        pl.col("role").is_in(["target", "placebo"]),
        pl.col("counterfactual_usd").is_not_null(),
        _is_window_asked(settings),
    )
    prepared = _prepared(with_control(routes.collect(engine="streaming"), settings, lists), roughness, settings)
    return list(_of_windows(prepared, settings))


def _is_window_asked(settings: Settings) -> pl.Expr:
    """Years, and of months the windows of the other leg: `supply.window_months`, and longer ones since a January."""
    months, since_january = pl.col("window_months"), pl.col("window_end").dt.month()
    is_longer = (months > settings.supply.window_months) & (months == since_january)
    return (pl.col("freq_code") == "A") | (months == settings.supply.window_months) | is_longer


def _prepared(routes: pl.DataFrame, roughness: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Routes with what the placebos are chosen by, their rise beyond the counterfactual, and whether the direct trade fell."""
    floor, rules = float(settings.floor_usd), settings.supply
    least = settings.materiality_usd * pl.col("window_months") / 12
    then, now = pl.col("coalition_to_target_baseline_usd"), pl.col("coalition_to_target_usd")
    has_direct_fallen = ((then >= least) & (now <= (1 - rules.direct_fall_share) * then)).fill_null(value=False)
    of_publisher = [*WINDOW_KEY, *PUBLISHED[:-1], "exporter_iso"]
    of_class = roughness.filter("has_direct_fallen").select(*_GROUP, "window_end", "roughness")
    return (
        routes.with_columns(
            is_from_coalition=pl.lit(value=False),
            leg=pl.lit(HUB_TO_TARGET),
            is_measured=pl.lit(value=True),
            room_log=pl.lit(None, dtype=pl.Float64),
            is_wide=(pl.col("role") == "placebo").any().over(of_publisher),
            has_direct_fallen=has_direct_fallen,
            rest_log=((pl.col("value_usd") + floor) / (pl.col("counterfactual_usd") + floor)).log(),
        )
        .join(of_class, on=[*_GROUP, "window_end"], how="left", maintain_order="left")
        .with_columns(pl.col("roughness").fill_null(1.0))
        .sort(*_GROUP, "window_end", "exporter_iso", "importer_iso", "good")
    )


def _of_windows(routes: pl.DataFrame, settings: Settings) -> Iterator[Tables]:
    for group in routes.partition_by(_GROUP, maintain_order=True):
        asked = group.filter(
            is_asked_about(settings, (HUB_TO_TARGET,)), "has_direct_fallen", ~pl.col("is_before_sanctions")
        )
        if asked.is_empty():
            continue
        kept = thinned(group, settings)
        for window in asked.partition_by("window_end", maintain_order=True):
            held = [
                (part, placebos_of(part, kept, settings))
                for part in window.partition_by(PUBLISHED, maintain_order=True)
            ]
            least = settings.calibration.least_placebos
            calibrated = [(part, placebos) for part, placebos in held if placebos.rows.height >= least]
            if calibrated:
                yield _window(calibrated, settings)


def _window(parts: list[tuple[pl.DataFrame, Placebos]], settings: Settings) -> Tables:
    """One window: its routes by publisher, each with its placebos."""
    first = parts[0][0].row(0, named=True)
    key = {"leg": HUB_TO_TARGET, **{name: first[name] for name in WINDOW_KEY}}
    drawn, laid_placebos = [], []
    for part, placebos in parts:
        routes, others = _laid(part, settings), _laid(placebos.rows, settings)
        drawn.append(draws(routes, _spread(others), settings))
        laid_placebos.append((others, placebos.kind))
    rows = _rows(_with_makers(pl.concat([part for part, _ in parts])), np.concatenate(drawn), settings)
    checked = frames.coverage(_coverage(laid_placebos, key, settings))
    return Tables(frames.leakage(rows, key, is_before=False), checked)


@dataclass(frozen=True, slots=True)
class Laid:
    """Routes as arrays, one entry a route.

    Parameters
    ----------
    exporter, importer, good, chapter : array of str
        Names.
    end : array of int
        Months of the window's end, counted from year 0.
    expected, value : array of int
        Whole USD: the counterfactual, and what was carried.
    rest_log, roughness : array of float
        Rise beyond the counterfactual, and how much rougher the year is than the placebos'.
    size : array of int
        `sizes`.
    groups : Groups
        Importer in a window, hub in it, chapter in that.
    """

    exporter: Names
    importer: Names
    good: Names
    chapter: Names
    end: Ids
    expected: Amounts
    value: Amounts
    rest_log: Floats
    roughness: Floats
    size: Ids
    groups: Groups

    def of(self, rows: Ids | Marks) -> Laid:
        """Some of the routes.

        Parameters
        ----------
        rows : array of int or bool
            Which.

        Returns
        -------
        Laid
            In their order.
        """
        names = [field.name for field in fields(self) if field.name != "groups"]
        return Laid(**{name: getattr(self, name)[rows] for name in names}, groups=self.groups.of(rows))


def _laid(routes: pl.DataFrame, settings: Settings) -> Laid:
    chapter, window = pl.col("good").str.slice(0, CHAPTER_DIGITS), ["importer_iso", "window_end"]
    levels = [pl.struct(window), pl.struct(*window, "exporter_iso"), pl.struct(*window, "exporter_iso", chapter)]
    ranks = routes.select(level.rank("dense").cast(pl.Int64).alias(str(at)) for at, level in enumerate(levels))
    month = routes["window_end"].dt.year().cast(pl.Int64) * 12 + routes["window_end"].dt.month()
    return Laid(
        exporter=routes["exporter_iso"].to_numpy(),
        importer=routes["importer_iso"].to_numpy(),
        good=routes["good"].to_numpy(),
        chapter=routes["good"].str.slice(0, CHAPTER_DIGITS).to_numpy(),
        end=month.to_numpy(),
        expected=routes["counterfactual_usd"].to_numpy(),
        value=routes["value_usd"].to_numpy(),
        rest_log=routes["rest_log"].to_numpy(),
        roughness=routes["roughness"].to_numpy(),
        size=sizes(routes, settings),
        groups=Groups(tuple(rank.to_numpy() for rank in ranks)),
    )


def sizes(routes: pl.DataFrame, settings: Settings) -> Ids:
    """Stratum of each route: no counterfactual to speak of, then by SIZES_USD.

    Parameters
    ----------
    routes : polars.DataFrame
        counterfactual_usd, window_months.
    settings : Settings
        Of it floor_usd.

    Returns
    -------
    array of int
        0 below the floor: a new route; then 1 for the smallest size.
    """
    months = int(routes["window_months"][0]) if routes.height else 12
    edges = np.array([settings.floor_usd, *[edge * months / 12 for edge in SIZES_USD]])
    return np.asarray(np.searchsorted(edges, routes["counterfactual_usd"].to_numpy(), side="right"), dtype=np.int64)


def _spread(placebos: Laid) -> Spread:
    return spread.read(placebos.rest_log, placebos.size, len(SIZES_USD) + 2, placebos.groups, (0.0, 0.0, 0.0))


def draws(routes: Laid, of_placebos: Spread, settings: Settings) -> Draws:
    """What routes could have carried, had they risen beyond their counterfactual as placebos do.

    Parameters
    ----------
    routes : Laid
        Of a window.
    of_placebos : Spread
        Of the placebos' rises beyond their counterfactual, by its size.
    settings : Settings
        Scenario: floor_usd, supply.seed and draws.

    Returns
    -------
    array of float, shape (routes, draws)
        USD, 0 or more. A hub has random numbers of its own, whoever else is in the data; a rougher year is as much further
        from the middle.
    """
    rules, rise_log = settings.supply, np.empty((len(routes.size), settings.supply.draws), dtype=np.float32)
    for importer in np.unique(routes.importer):
        of_importer = spread.shock(of_placebos, _OF_IMPORTER, (rules.seed, number(importer)), rules.draws)
        is_importer = routes.importer == importer
        for hub in np.unique(routes.exporter[is_importer]):
            seed = (rules.seed, number(importer), number(hub))
            row = np.flatnonzero(is_importer & (routes.exporter == hub))
            of_hub = of_importer + spread.shock(of_placebos, _OF_HUB, (*seed, 0), rules.draws)
            rise_log[row] = spread.rises(of_placebos, routes.size[row], seed, rules.draws) + of_hub
            if of_placebos.shared_log[_OF_CHAPTER] > 0:
                names, chapter = np.unique(routes.chapter[row], return_inverse=True)
                shocks = [spread.shock(of_placebos, _OF_CHAPTER, (*seed, number(name)), rules.draws) for name in names]
                rise_log[row] += np.stack(shocks)[chapter]
    middle = of_placebos.middle[routes.size][:, None].astype(np.float32)
    rougher = middle + routes.roughness[:, None].astype(np.float32) * (rise_log - middle)
    return frames.carried(routes.expected, rougher, float(settings.floor_usd))


def _with_makers(routes: pl.DataFrame) -> pl.DataFrame:
    """With `makes_it`: the exporter makes the good, and what the coalition sells it more could not carry the rise."""
    return makes(routes).with_columns(makes_it=(is_maker() & ~is_carried()).fill_null(value=False))


def _rows(routes: pl.DataFrame, drawn: Draws, settings: Settings) -> list[pl.DataFrame]:
    """Every hub and good, every hub, every good and all of it; makers apart, in none of these."""
    makes_it, fell = routes["makes_it"].to_numpy(), _direct(routes)
    levels = {
        "hub_good": (~makes_it, "exporter_iso", "good"),
        "hub": (~makes_it, "exporter_iso", None),
        "good": (~makes_it, None, "good"),
        "all": (~makes_it, None, None),
        "maker": (makes_it, "exporter_iso", "good"),
    }
    return [
        _level(level, routes.filter(is_in), drawn[is_in], hub, good, fell, settings)
        for level, (is_in, hub, good) in levels.items()
        if is_in.any()
    ]


def _level(
    level: str,
    routes: pl.DataFrame,
    drawn: Draws,
    hub: str | None,
    good: str | None,
    fell: pl.DataFrame,
    settings: Settings,
) -> pl.DataFrame:
    """Routes added up by the columns named; over all hubs, or goods, where there is none."""
    hubs, goods = (pl.col(name) if name else pl.lit("") for name in (hub, good))
    keyed = routes.with_columns(_hub=hubs, _good=goods)
    names = keyed.select("_hub", "_good").unique().sort("_hub", "_good").with_row_index("_number")
    by = (
        keyed.join(names, on=["_hub", "_good"], how="left", maintain_order="left")["_number"]
        .to_numpy()
        .astype(np.int64)
    )
    sums = np.zeros((names.height, drawn.shape[1]))
    np.add.at(sums, by, drawn)
    value, before, legs = (np.zeros(names.height, dtype=np.int64) for _ in range(3))
    np.add.at(value, by, routes["value_usd"].to_numpy())
    np.add.at(before, by, routes["value_baseline_usd"].fill_null(0).to_numpy())
    np.add.at(legs, by, 1)
    amounts = frames.amounts(sums, value, before, settings)
    beside = _beside(fell, names["_good"])
    return frames.named(amounts, level, names["_hub"].to_list(), names["_good"].to_list(), beside, legs)


def _direct(routes: pl.DataFrame) -> pl.DataFrame:
    """good, usd, before_usd: the coalition's direct sales of each good to the targets to which they fell."""
    then, now = "coalition_to_target_baseline_usd", "coalition_to_target_usd"
    of_target = routes.sort(then, now, descending=True).unique(
        ["good", "importer_iso"], keep="first", maintain_order=True
    )
    return of_target.group_by("good").agg(usd=pl.col(now).sum(), before_usd=pl.col(then).sum()).sort("good")


def _beside(fell: pl.DataFrame, goods: pl.Series) -> Direct:
    """Of each row's good, and of all goods where a row is over all of them."""
    total = fell.select(pl.lit("").alias("good"), pl.col("usd", "before_usd").sum())
    rows = pl.DataFrame({"good": goods}).join(pl.concat([fell, total]), on="good", how="left", maintain_order="left")
    return Direct(rows["usd"].to_numpy(), rows["before_usd"].to_numpy())


def _coverage(
    parts: Sequence[tuple[Laid, str]], key: Mapping[str, object], settings: Settings
) -> list[dict[str, object]]:
    """How often the interval held what placebos carried, each importer and window by the others."""
    months = int(str(key["window_months"]))
    tried = Tried(settings.materiality_usd * months / 12, settings)
    newest = 0
    kinds: set[str] = set()
    for placebos, kind in parts:
        _, first = np.unique(placebos.groups.levels[_OF_IMPORTER], return_index=True)
        for row in first[:: max(1, -(-len(first) // MOST_CHECKED))]:
            is_importer = placebos.importer == placebos.importer[row]
            apart = np.abs(placebos.end - placebos.end[row])
            others = placebos.of(~(is_importer & (apart < months)))
            if len(others.size) >= settings.calibration.least_placebos:
                _check(placebos.of(is_importer & (apart == 0)), _spread(others), tried, settings)
                newest, kinds = max(newest, int(placebos.end[row])), kinds | {kind}
    checked_end = date((newest - 1) // 12, (newest - 1) % 12 + 1, 1) if newest else None
    return [
        {
            **key, "of": of, "interval_share": settings.supply.interval_share, "sums": tried.sums[of],
            "held": tried.held[of], "checked_end": checked_end,
            "says": _says(key, of, tried.sums[of], tried.held[of], kinds, settings),
        }
        for of in _SUMMED_OVER
    ]  # fmt: skip


def _check(routes: Laid, of_others: Spread, tried: Tried, settings: Settings) -> None:
    """Try the interval on the sums of one importer's routes in a window."""
    drawn = draws(replace(routes, roughness=np.ones(len(routes.size))), of_others, settings)
    for of, names in (("hub", routes.exporter), ("good", routes.good)):
        for name in np.unique(names):
            row = names == name
            tried.add(of, drawn[row], routes.value[row], routes.expected[row])
    tried.add("all", drawn, routes.value, routes.expected)


def _says(key: Mapping[str, object], kind: str, sums: int, held: int, kinds: set[str], settings: Settings) -> str:
    window = Window(str(key["freq_code"]), int(str(key["window_months"])), key["window_end"]).words  # type: ignore[arg-type]
    tried_on = "routes to other importers" if kinds == {"importers"} else "routes that cannot be a detour"
    if not sums:
        return f"Beside {window}, of sums over {_SUMMED_OVER[kind]} none was large enough to try the interval on."
    return (
        f"Beside {window}, on {tried_on}, intervals that ask for {100 * settings.supply.interval_share:.0f} % held "
        f"{held} of {sums} sums over {_SUMMED_OVER[kind]} ({100 * held / sums:.1f} %), each importer and window by the others."
    )
