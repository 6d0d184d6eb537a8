"""features → what hubs sold targets beyond the counterfactual of each route, with an interval from the placebos' own rises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from anomaly.contract.keys import HUB_TO_TARGET, ROUTE, WINDOW_KEY
from anomaly.contract.periods import Window
from anomaly.contract.settings import Settings
from anomaly.features.level_shifts import Floats
from anomaly.features.marks import Amounts, Ids, Marks
from anomaly.flags.types.backfill import is_carried, is_maker
from anomaly.leakage import frames, spread
from anomaly.leakage.frames import Direct, Tables, Tried, number
from anomaly.leakage.spread import Groups, Spread
from anomaly.reference.makers import makes
from anomaly.scores.forest_inputs import PUBLISHED
from anomaly.scores.goods_asked import with_control
from anomaly.scores.placebos import Placebos, is_asked_about, placebos_of, thinned

CHAPTER_DIGITS = 2
SIZES_USD = (300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000, 100_000_000)  # of a year, of the counterfactual
MOST_CHECKED = 20  # importers or windows that are left out of the placebos in turn
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
        ~is_of_coalition, pl.col("role").is_in(["target", "placebo"]), pl.col("counterfactual_usd").is_not_null()
    )
    prepared = _prepared(with_control(routes.collect(engine="streaming"), settings, lists), roughness, settings)
    return list(_of_windows(prepared, settings))


def _prepared(routes: pl.DataFrame, roughness: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Routes with what the placebos are chosen by, their rise beyond the counterfactual, and whether the direct trade fell."""
    floor, rules = float(settings.floor_usd), settings.supply
    least = settings.materiality_usd * pl.col("window_months") / 12
    then, now = pl.col("coalition_to_target_baseline_usd"), pl.col("coalition_to_target_usd")
    has_fallen = ((then >= least) & (now <= (1 - rules.direct_fall_share) * then)).fill_null(value=False)
    of_publisher = [*WINDOW_KEY, *PUBLISHED[:-1], "exporter_iso"]
    of_class = roughness.filter("has_direct_fallen").select(*_GROUP, "window_end", "roughness")
    return (
        routes.with_columns(
            is_from_coalition=pl.lit(value=False),
            is_measured=pl.lit(value=True),
            is_wide=(pl.col("role") == "placebo").any().over(of_publisher),
            has_fallen=has_fallen,
            rest_log=((pl.col("value_usd") + floor) / (pl.col("counterfactual_usd") + floor)).log(),
        )
        .join(of_class, on=[*_GROUP, "window_end"], how="left", maintain_order="left")
        .with_columns(pl.col("roughness").fill_null(1.0))
        .sort(*_GROUP, "window_end", "exporter_iso", "importer_iso", "good")
    )


def _of_windows(routes: pl.DataFrame, settings: Settings) -> Iterator[Tables]:
    for group in routes.partition_by(_GROUP, maintain_order=True):
        asked = group.filter(is_asked_about(settings), "has_fallen", ~pl.col("is_before_sanctions"))
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
    drawn, routes = [], []
    for part, placebos in parts:
        of_placebos = _spread(placebos.rows, settings)
        drawn.append(draws(part, of_placebos, settings))
        routes.append(part)
    rows = _rows(_with_makers(pl.concat(routes)), np.concatenate(drawn), settings)
    checked = frames.coverage(_coverage([placebos for _, placebos in parts], key, settings))
    return Tables(frames.leakage(rows, key, is_before=False), checked)


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


def _spread(placebos: pl.DataFrame, settings: Settings) -> Spread:
    rise = placebos["rest_log"].to_numpy()
    return spread.read(rise, sizes(placebos, settings), len(SIZES_USD) + 2, _groups(placebos), (0.0, 0.0, 0.0))


def _groups(routes: pl.DataFrame) -> Groups:
    """Importer in a window, hub in it, chapter in that."""
    keys = [["importer_iso", "window_end"], ["exporter_iso"], ["_chapter"]]
    rows, names, levels = routes.with_columns(_chapter=pl.col("good").str.slice(0, CHAPTER_DIGITS)), [], []
    for finer in keys:
        names += finer
        levels.append(rows.select(pl.struct(names).rank("dense")).to_series().to_numpy().astype(np.int64))
    return Groups(tuple(levels))


def draws(routes: pl.DataFrame, of_placebos: Spread, settings: Settings) -> Floats:
    """What routes could have carried, had they risen beyond their counterfactual as placebos do.

    Parameters
    ----------
    routes : polars.DataFrame
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
    rules, floor = settings.supply, float(settings.floor_usd)
    size, rise_log = sizes(routes, settings), np.empty((routes.height, rules.draws))
    exporters, importers = routes["exporter_iso"].to_numpy(), routes["importer_iso"].to_numpy()
    chapters = routes["good"].str.slice(0, CHAPTER_DIGITS).to_numpy()
    for importer in np.unique(importers):
        of_importer = spread.shock(of_placebos, _OF_IMPORTER, (rules.seed, number(importer)), rules.draws)
        for hub in np.unique(exporters[importers == importer]):
            seed = (rules.seed, number(importer), number(hub))
            row = np.flatnonzero((importers == importer) & (exporters == hub))
            of_hub = spread.shock(of_placebos, _OF_HUB, (*seed, 0), rules.draws)
            rise_log[row] = spread.rises(of_placebos, size[row], seed, rules.draws) + of_importer + of_hub
            if of_placebos.shared_log[_OF_CHAPTER] > 0:
                names, chapter = np.unique(chapters[row], return_inverse=True)
                shocks = [
                    spread.shock(of_placebos, _OF_CHAPTER, (*seed, number(name)), rules.draws) for name in names
                ]
                rise_log[row] += np.stack(shocks)[chapter]
    middle, rough = of_placebos.middle[size][:, None], routes["roughness"].to_numpy()[:, None]
    return frames.carried(routes["counterfactual_usd"].to_numpy(), middle + rough * (rise_log - middle), floor)


def _with_makers(routes: pl.DataFrame) -> pl.DataFrame:
    """With `makes_it`: the exporter makes the good, and what the coalition sells it more could not carry the rise."""
    return makes(routes).with_columns(makes_it=(is_maker() & ~is_carried()).fill_null(value=False))


def _rows(routes: pl.DataFrame, drawn: Floats, settings: Settings) -> list[pl.DataFrame]:
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
    drawn: Floats,
    hub: str | None,
    good: str | None,
    fell: pl.DataFrame,
    settings: Settings,
) -> pl.DataFrame:
    """Routes added up by the columns named; over all hubs, or goods, where there is none."""
    hubs, goods = (pl.col(name) if name else pl.lit("") for name in (hub, good))
    keyed = routes.with_columns(_hub=hubs, _good=goods)
    names = keyed.select("_hub", "_good").unique().sort("_hub", "_good").with_row_index("_number")
    by = keyed.join(names, on=["_hub", "_good"], how="left", maintain_order="left")["_number"].to_numpy().astype(np.int64)
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
    of_target = routes.sort(then, now, descending=True).unique(["good", "importer_iso"], keep="first", maintain_order=True)
    return of_target.group_by("good").agg(usd=pl.col(now).sum(), before_usd=pl.col(then).sum()).sort("good")


def _beside(fell: pl.DataFrame, goods: pl.Series) -> Direct:
    """Of each row's good, and of all goods where a row is over all of them."""
    total = fell.select(pl.lit("").alias("good"), pl.col("usd", "before_usd").sum())
    rows = pl.DataFrame({"good": goods}).join(pl.concat([fell, total]), on="good", how="left", maintain_order="left")
    return Direct(rows["usd"].to_numpy(), rows["before_usd"].to_numpy())


def _coverage(
    parts: list[Placebos], key: Mapping[str, object], settings: Settings
) -> Iterator[dict[str, object]]:
    """How often the interval held what placebos carried, each importer and window by the others."""
    months = int(str(key["window_months"]))
    tried = Tried(tuple(_SUMMED_OVER), settings.materiality_usd * months / 12, settings)
    ends, kinds = set(), set()
    for placebos in parts:
        rows = placebos.rows.sort("window_end", "importer_iso", "exporter_iso", "good")
        checked = rows.select("importer_iso", "window_end").unique(maintain_order=True)
        step = max(1, -(-checked.height // MOST_CHECKED))
        for importer, end in checked.gather_every(step).iter_rows():
            is_checked = (pl.col("importer_iso") == importer) & (pl.col("window_end") == end)
            is_near = (pl.col("importer_iso") == importer) & (_months_apart(end) < months)
            others = rows.filter(~is_near)
            if others.height >= settings.calibration.least_placebos:
                _check(rows.filter(is_checked), _spread(others, settings), tried, settings)
                ends.add(end)
                kinds.add(placebos.kind)
    for kind, sums in tried.sums.items():
        yield {
            **key, "of": kind, "interval_share": settings.supply.interval_share, "sums": sums, "held": tried.held[kind],
            "checked_end": max(ends, default=None),
            "says": _says(key, kind, sums, tried.held[kind], kinds, settings),
        }  # fmt: skip


def _months_apart(end: object) -> pl.Expr:
    last = pl.lit(end)
    years = pl.col("window_end").dt.year().cast(pl.Int32) - last.dt.year().cast(pl.Int32)
    return (12 * years + pl.col("window_end").dt.month().cast(pl.Int32) - last.dt.month().cast(pl.Int32)).abs()


def _check(rows: pl.DataFrame, of_others: Spread, tried: Tried, settings: Settings) -> None:
    """Try the interval on the sums of one importer's routes in a window."""
    drawn = draws(rows.with_columns(roughness=pl.lit(1.0)), of_others, settings)
    value, before = rows["value_usd"].to_numpy(), rows["counterfactual_usd"].to_numpy()
    for kind, column in (("hub", "exporter_iso"), ("good", "good")):
        names = rows[column].to_numpy()
        for name in np.unique(names):
            row: Marks = names == name
            tried.add(kind, drawn[row], value[row], before[row])
    tried.add("all", drawn, value, before)


def _says(
    key: Mapping[str, object], kind: str, sums: int, held: int, kinds: set[str], settings: Settings
) -> str:
    window = Window(str(key["freq_code"]), int(str(key["window_months"])), key["window_end"]).words  # type: ignore[arg-type]
    tried_on = "routes to other importers" if kinds == {"importers"} else "routes that cannot be a detour"
    if not sums:
        return f"Beside {window}, of sums over {_SUMMED_OVER[kind]} none was large enough to try the interval on."
    return (
        f"Beside {window}, on {tried_on}, intervals that ask for {100 * settings.supply.interval_share:.0f} % held "
        f"{held} of {sums} sums over {_SUMMED_OVER[kind]} ({100 * held / sums:.1f} %), each importer and window by the others."
    )
