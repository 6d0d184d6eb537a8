"""The simulated world: deterministic, in the publishers' formats, with what its labels say and the mission's case exactly."""

import csv
import gzip
import hashlib
import io
import json
import statistics
from collections import Counter, defaultdict
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from anomaly import sources, world
from anomaly.contract import settings
from anomaly.reference import countries, editions, goods
from anomaly.sources.base import Context, RawFile
from anomaly.world.as_comtrade import UNKNOWN_COUNTRY
from anomaly.world.episodes import BENIGN, EVASION, KINDS
from anomaly.world.files import COMTRADE, folder
from anomaly.world.reports import as_codes
from anomaly.world.russia_2022 import COUNTRIES, EPISODES, GOODS, WORLD

pytestmark = pytest.mark.slow  # each worker makes the world

ISO3 = {country.m49: country.iso3 for country in COUNTRIES}
ISO3_OF_ISO2 = {country.iso2: country.iso3 for country in COUNTRIES}
FAMILY = {code: good.good for good in GOODS for code in (good.code, *(part for part, _ in good.h6))}


@cache
def the_world() -> world.World:
    return world.build()


@cache
def comtrade_rows() -> pl.DataFrame:
    """Totals between two countries of all Comtrade files, parsed here without the project's readers."""
    parts = []
    for name, content in the_world().files.items():
        if name.startswith("comtrade/"):
            parts.append(_columns(name, content))
    return (
        pl.concat(parts)
        .filter(
            pl.col("motcode") == "0",
            pl.col("partnercode") != "0",
            pl.col("partnercode") != str(UNKNOWN_COUNTRY),
            pl.col("cmdcode").str.len_chars() == 6,
            ~pl.col("primaryvalue").str.starts_with("-"),
        )
        .select(
            "period",
            reporter=pl.col("reportercode").cast(pl.Int64).replace_strict(ISO3),
            partner=pl.col("partnercode").cast(pl.Int64).replace_strict(ISO3),
            flow="flowcode",
            edition="classificationcode",
            code="cmdcode",
            value=pl.col("primaryvalue").cast(pl.Float64).cast(pl.Int64),
            kilos=pl.col("netwgt").replace("", None).cast(pl.Float64),
        )
        .with_columns(good=pl.col("code").replace_strict(FAMILY))
    )


_USED = (
    *("period", "reportercode", "partnercode", "flowcode", "classificationcode", "cmdcode", "motcode"),
    *("primaryvalue", "netwgt"),
)


def _columns(name: str, content: bytes) -> pl.DataFrame:
    if name.endswith(".json.gz"):
        answer = json.loads(gzip.decompress(content))
        assert answer["count"] == len(answer["data"])
        rows = [{key.lower(): "" if cell is None else str(cell) for key, cell in row.items()} for row in answer["data"]]
        return pl.DataFrame([[row[key] for key in _USED] for row in rows], schema=list(_USED), orient="row")
    is_bulk = name.endswith(".txt.gz")
    text = (gzip.decompress(content) if is_bulk else content).decode()
    rows_of_text = list(csv.reader(io.StringIO(text), delimiter="\t" if is_bulk else ","))
    header = [cell.lower() for cell in rows_of_text[0]]
    assert {len(row) for row in rows_of_text[1:]} == {34 if is_bulk else len(header) + 1}
    at = [header.index(key) for key in _USED]
    cells = [[row[position] for position in at] for row in rows_of_text[1:]]
    return pl.DataFrame(cells, schema=list(_USED), orient="row")


@cache
def comext_rows() -> pl.DataFrame:
    """The EU members' exports, parsed here: reporter, partner, period, good, USD."""
    rates = _rates()
    parts = []
    for name, content in the_world().files.items():
        if name.startswith("comext/"):
            parts.append(pl.read_csv(io.BytesIO(gzip.decompress(content)), infer_schema=False))
    return (
        pl.concat(parts)
        .filter(pl.col("indicators") == "VALUE_IN_EUROS", pl.col("product").str.contains(r"^\d{8}$"))
        .filter(pl.col("partner") != "QX")
        .with_columns(usd_per_eur=pl.col("TIME_PERIOD").replace_strict(rates))
        .select(
            reporter=pl.col("reporter").replace_strict(ISO3_OF_ISO2),
            partner=pl.col("partner").replace_strict(ISO3_OF_ISO2),
            period=pl.col("TIME_PERIOD").str.replace("-", ""),
            code=pl.col("product").str.slice(0, 6),
            good=pl.col("product").str.slice(0, 6).replace_strict(FAMILY),
            value=(pl.col("OBS_VALUE").cast(pl.Float64) * pl.col("usd_per_eur")).round().cast(pl.Int64),
        )
    )


def _rates() -> dict[str, float]:
    table = csv.DictReader(io.StringIO(the_world().files["ecb/EXR_M_EUR_SP00_A.csv"].decode()))
    return {row["TIME_PERIOD"]: float(row["OBS_VALUE"]) for row in table if row["CURRENCY"] == "USD"}


@cache
def exports() -> pl.DataFrame:
    """All exports: reporter, partner, period, good, value."""
    columns = ("reporter", "partner", "period", "good", "value")
    exported = comtrade_rows().filter(pl.col("flow") == "X")
    return pl.concat([exported.select(columns), comext_rows().select(columns)])


def sold(seller: str, buyer: str, good: str, first_month: str, last_month: str) -> int:
    return int(
        exports()
        .filter(
            pl.col("reporter") == seller,
            pl.col("partner") == buyer,
            pl.col("good") == good,
            pl.col("period").is_between(pl.lit(first_month), pl.lit(last_month)),
        )["value"]
        .sum()
    )


def by_coalition(buyer: str, good: str, first_month: str, last_month: str) -> int:
    return sum(
        sold(country.iso3, buyer, good, first_month, last_month) for country in COUNTRIES if country.role == "coalition"
    )


def hash_of(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_labels() -> None:
    rebuilt = world.build()
    assert hash_of(rebuilt.files) == hash_of(the_world().files)
    assert rebuilt.labels.equals(the_world().labels)


def test_another_seed_gives_another_world_with_the_same_mission() -> None:
    another_world = world.build(seed=7)
    assert hash_of(another_world.files) != hash_of(the_world().files)
    rows = _columns("x.txt.gz", another_world.files[f"{folder(WORLD, COMTRADE)}/C_M_398.txt.gz"])
    phones = rows.filter(
        pl.col("partnercode") == "643",
        pl.col("flowcode") == "X",
        pl.col("cmdcode") == "851713",
        pl.col("period").is_between(pl.lit("202201"), pl.lit("202206")),
    )
    assert phones["primaryvalue"].cast(pl.Float64).sum() == 178_000_000


def test_the_missions_case_is_exact_as_kazakhstan_reports_it() -> None:
    phones = comtrade_rows().filter(
        pl.col("reporter") == "KAZ", pl.col("partner") == "RUS", pl.col("flow") == "X", pl.col("good") == "851712+"
    )

    def half(year: int) -> pl.DataFrame:
        return phones.filter(pl.col("period").is_between(pl.lit(f"{year}01"), pl.lit(f"{year}06")))

    assert half(2021)["value"].sum() == 37_000_000
    assert half(2022)["value"].sum() == 178_000_000
    assert set(half(2021).select("edition", "code").iter_rows()) == {("H5", "851712")}
    assert set(half(2022).select("edition", "code").iter_rows()) == {("H6", "851713")}
    for year in (2019, 2020):
        assert 25_000_000 <= half(year)["value"].sum() <= 37_000_000
    months = half(2022).sort("period")["value"].to_list()
    assert len(months) == 6
    assert sum(months[:2]) < 20_000_000 < min(months[3:])


def test_around_the_mission_the_direct_trade_falls_and_the_upstream_rises() -> None:
    halves = (("202101", "202106"), ("202201", "202206"))
    direct = [by_coalition("RUS", "851712+", *half) for half in halves]
    upstream = [by_coalition("KAZ", "851712+", *half) for half in halves]
    assert direct[1] < 0.7 * direct[0]
    assert upstream[1] > 1.8 * upstream[0]


def test_honest_rises_over_a_year_are_as_wide_as_reported_ones() -> None:
    """ln growth 2020 to 2021 of routes of ten to a hundred million USD: docs/world.md has the reported quantiles."""
    years = [
        exports()
        .filter(pl.col("period").str.starts_with(year))
        .group_by("reporter", "partner", "good")
        .agg(pl.col("value").sum())
        for year in ("2020", "2021")
    ]
    consecutive = years[0].join(years[1], on=["reporter", "partner", "good"], suffix="_after")
    rise = consecutive.filter(pl.col("value").is_between(10**7, 10**8)).select(
        (pl.col("value_after") / pl.col("value")).log()
    )
    often, rarely = np.quantile(rise.to_series().to_numpy(), [0.95, 0.99])
    assert 0.5 < often < 0.8
    assert 1.0 < rarely < 1.5


def is_within(months: tuple[str, str]) -> pl.Expr:
    return pl.col("period").is_between(pl.lit(months[0]), pl.lit(months[1]))


def usd(trade: pl.DataFrame, first_month: str, last_month: str) -> int:
    return int(trade.filter(is_within((first_month, last_month)))["value"].sum())


def median_growth(good: str, before: tuple[str, str], after: tuple[str, str]) -> float:
    """Of a good's routes, how many times the value before that after is."""
    values = [
        exports()
        .filter(pl.col("good") == good, is_within(span))
        .group_by("reporter", "partner")
        .agg(pl.col("value").sum())
        for span in (before, after)
    ]
    ratios = values[0].join(values[1], on=["reporter", "partner"], suffix="_after")
    return ratios.select((pl.col("value_after") / pl.col("value")).median()).item()


def test_sanctioned_goods_of_the_coalition_collapse_and_the_others_hardly_fall() -> None:
    coalition = [country.iso3 for country in COUNTRIES if country.role == "coalition"]
    direct = exports().filter(pl.col("reporter").is_in(coalition), pl.col("partner").is_in(["RUS", "BLR"]))
    boomed = {episode.good for episode in EPISODES if episode.kind == "product_boom"}
    ratios: dict[bool, list[float]] = {True: [], False: []}
    for good in GOODS:
        if good.good in boomed:
            continue
        of_good = direct.filter(pl.col("good") == good.good)
        before = usd(of_good, "202107", "202112")
        after = usd(of_good, "202207", "202212")
        assert before > 1_000_000, good
        ratios[good.is_sanctioned].append(after / before)
    # a good's largest route may rise or fall for reasons of its own
    assert statistics.median(ratios[True]) < 0.35
    assert statistics.median(ratios[False]) > 0.75


@pytest.mark.parametrize(
    "episode",
    [episode for episode in EPISODES if episode.kind == "product_boom"],
    ids=lambda episode: episode.episode_id,
)
def test_a_product_booms_everywhere_and_the_coalitions_direct_trade_with_it(episode) -> None:
    of_good = exports().filter(pl.col("good") == episode.good)
    before = usd(of_good, "202107", "202112")
    after = usd(of_good, "202207", "202212")
    assert after > 1.5 * before
    halves = (("202107", "202112"), ("202207", "202212"))
    direct = [by_coalition("RUS", episode.good, *half) for half in halves]
    other_growths = [
        median_growth(good.good, *halves) for good in GOODS if not good.is_sanctioned and good.good != episode.good
    ]
    assert direct[1] > 0.9 * direct[0]
    assert median_growth(episode.good, *halves) > 1.4 * statistics.median(other_growths)


def test_a_hub_booms_to_everyone_and_a_collapse_collapses() -> None:
    for episode in EPISODES:
        route = exports().filter(pl.col("reporter") == episode.exporter)
        if episode.kind == "collapse":
            route = route.filter(pl.col("partner") == episode.importer, pl.col("good") == episode.good)
        elif episode.kind == "hub_boom":
            route = route.filter(~pl.col("partner").is_in(["RUS", "BLR"]))
        else:
            continue
        before, after = usd(route, "202109", "202112"), usd(route, "202209", "202212")
        assert after > 1.4 * before if episode.kind == "hub_boom" else after < 0.5 * before, episode


def test_importers_report_more_than_exporters_by_about_freight() -> None:
    rows = comtrade_rows()
    key = ["period", "good", "seller", "buyer"]
    sent = (
        exports()
        .rename({"reporter": "seller", "partner": "buyer"})
        .group_by(key)
        .agg(sent=pl.col("value").sum())
        .filter(pl.col("period") < "202201")
    )
    recorded = (
        rows.filter(pl.col("flow") == "M")
        .rename({"partner": "seller", "reporter": "buyer"})
        .group_by(key)
        .agg(got=pl.col("value").sum())
    )
    ratio = sent.join(recorded, on=key).select((pl.col("got") / pl.col("sent")).log().alias("ratio"))["ratio"]
    assert len(ratio) > 50_000
    assert 0.04 < ratio.to_numpy().mean() < 0.08
    assert ratio.to_numpy().std() > 0.1


def test_every_label_is_of_a_route_that_exists_and_of_a_kind_that_is_known() -> None:
    labels = the_world().labels
    assert set(labels["kind"]) == set(KINDS) - {"second_hop"}  # planted by a variant alone
    assert dict(labels.select("kind", "is_evasion").unique().iter_rows()) == {
        kind: kind in EVASION for kind in EVASION + BENIGN
    }
    routes = set(exports().select("reporter", "partner", "good").unique().iter_rows())
    assert set(labels.select("exporter_iso", "importer_iso", "good").iter_rows()) <= routes
    assert labels.select("episode_id", "exporter_iso", "importer_iso", "good").is_duplicated().sum() == 0
    assert (labels["start"] <= labels["end"]).all()
    assert labels["end"].max() == date(2023, 6, 1)


def test_there_are_enough_episodes_of_every_kind() -> None:
    counts = the_world().labels.group_by("kind").agg(pl.col("episode_id").n_unique())
    least = {
        **{"hub_reexport": 8, "ghost_transit": 3, "new_route": 3, "relabel": 2},
        **{"price_only": 2, "product_boom": 2, "hub_boom": 1, "collapse": 2},
    }
    for kind, count in counts.iter_rows():
        assert count >= least[kind], kind


@pytest.mark.parametrize(
    "episode",
    [episode for episode in EPISODES if episode.kind in ("hub_reexport", "new_route")],
    ids=lambda supplier: supplier.episode_id,
)
def test_a_reexport_rises_while_its_supply_rises_and_the_direct_trade_falls(episode) -> None:
    route = (episode.exporter, episode.importer, episode.good)
    before, after = ("202109", "202112"), ("202210", "202301")
    if episode.kind == "new_route":
        assert sold(*route, "201801", episode.start.replace("-", "")[:4] + "02") == 0
    assert sold(*route, *after) > max(2 * sold(*route, *before), 1_000_000)
    supply = [
        sum(sold(supplier, episode.exporter, episode.good, *span) for supplier in episode.suppliers)
        for span in (before, after)
    ]
    assert supply[1] > supply[0]
    assert by_coalition(episode.importer, episode.good, *after) < by_coalition(episode.importer, episode.good, *before)


@pytest.mark.parametrize(
    "episode",
    [episode for episode in EPISODES if episode.kind == "ghost_transit"],
    ids=lambda episode: episode.episode_id,
)
def test_a_ghost_is_sent_and_never_arrives(episode) -> None:
    imports = comtrade_rows().filter(
        pl.col("flow") == "M", pl.col("reporter") == episode.importer, pl.col("partner") == episode.exporter
    )
    arrived_usd = imports.filter(
        pl.col("good") == episode.good, pl.col("period").is_between(pl.lit("202210"), pl.lit("202212"))
    )["value"].sum()
    assert sold(episode.exporter, episode.importer, episode.good, "202210", "202212") > 4 * max(arrived_usd, 250_000)


@pytest.mark.parametrize(
    "episode", [episode for episode in EPISODES if episode.kind == "relabel"], ids=lambda episode: episode.episode_id
)
def test_a_relabelled_good_rises_as_the_listed_one_of_its_heading_falls(episode) -> None:
    pair, before, after = (episode.exporter, episode.importer), ("202109", "202112"), ("202211", "202302")
    assert episode.listed[:4] == episode.good[:4]
    assert sold(*pair, episode.listed, *after) < 0.3 * sold(*pair, episode.listed, *before)
    assert sold(*pair, episode.good, *after) > 2 * sold(*pair, episode.good, *before)


@pytest.mark.parametrize(
    "episode", [episode for episode in EPISODES if episode.kind == "price_only"], ids=lambda episode: episode.episode_id
)
def test_a_price_rise_is_one_of_value_and_not_of_weight(episode) -> None:
    route = comtrade_rows().filter(
        pl.col("reporter") == episode.exporter, pl.col("partner") == episode.importer, pl.col("flow") == "X",
        pl.col("good") == episode.good, pl.col("kilos").is_not_null(),
    )  # fmt: skip
    means = [
        route.filter(pl.col("period").is_between(pl.lit(first_month), pl.lit(last_month))).select(
            pl.col("value", "kilos").mean()
        )
        for first_month, last_month in (("202107", "202112"), ("202207", "202212"))
    ]
    assert means[1]["value"][0] > 1.5 * means[0]["value"][0]
    assert 0.6 < means[1]["kilos"][0] / means[0]["kilos"][0] < 1.5


def test_reporters_move_to_hs_2022_at_different_dates_and_only_once() -> None:
    editions = (
        comtrade_rows()
        .group_by("reporter", "edition")
        .agg(pl.col("period").min().alias("first"), last=pl.col("period").max())
    )
    newer = editions.filter(pl.col("edition") == "H6")
    counted = Counter(newer["first"])
    assert counted["202201"] > counted["202207"] + counted["202301"]
    assert min(counted["202207"], counted["202301"]) >= 2
    moved = newer.join(editions.filter(pl.col("edition") == "H5"), on="reporter")
    assert (moved["first"] > moved["last_right"]).all()
    assert not set(newer["reporter"]) & {"RUS", "BLR"}


def test_a_split_code_keeps_the_total_of_its_family_to_the_dollar() -> None:
    position = next(number for number, good in enumerate(GOODS) if good.code == "852580")
    months = [47, 48]  # December 2021 and January 2022
    whole = pl.DataFrame(
        {
            "reporter": ["JPN"] * 2, "partner": ["KEN"] * 2, "flow": ["X"] * 2, "month": months,
            "position": [position] * 2, "value_usd": [1_000_003, 1_000_003], "net_wgt_kg": [100.0, 100.0],
        }
    )  # fmt: skip
    coded = as_codes(WORLD, whole)
    assert dict(coded.group_by("month").agg(pl.col("value_usd").sum()).iter_rows()) == dict.fromkeys(months, 1_000_003)
    assert coded.filter(pl.col("month") == 47)["code"].to_list() == ["852580"]
    assert set(coded.filter(pl.col("month") == 48)["code"]) == {"852581", "852582", "852583", "852589"}
    assert set(coded["good"]) == {"852580+"}


def test_the_targets_fall_silent_and_the_late_are_late() -> None:
    last_period = dict(comtrade_rows().group_by("reporter").agg(pl.col("period").max()).iter_rows())
    assert last_period["RUS"] == last_period["BLR"] == "202201"
    assert last_period["SRB"] == "202303"
    assert last_period["KAZ"] == "202306"
    codes_of_china = dict(
        comtrade_rows()
        .filter(pl.col("reporter") == "CHN")
        .group_by("period")
        .agg(pl.col("code").n_unique())
        .iter_rows()
    )
    assert codes_of_china["202306"] < 0.5 * codes_of_china["202305"]


def test_a_route_side_has_one_source() -> None:
    assert set(comext_rows()["reporter"]) == set(WORLD.eu)
    assert not comtrade_rows().filter(pl.col("reporter").is_in(WORLD.eu)).height


def test_reexports_are_a_part_of_exports() -> None:
    key = ["period", "reporter", "partner", "code"]
    rows = comtrade_rows()
    reexports = rows.filter(pl.col("flow") == "RX").join(
        rows.filter(pl.col("flow") == "X"), on=key, how="left", suffix="_all"
    )
    assert reexports.height > 500
    assert (reexports["value"] <= reexports["value_all"]).all()


def test_the_world_is_small() -> None:
    files = the_world().files
    rows = sum(
        (gzip.decompress(content) if name.endswith(".gz") else content).count(
            b'"typeCode"' if ".json" in name else b"\n"
        )
        for name, content in files.items()
    )
    assert rows <= 600_000
    assert sum(len(content) for content in files.values()) <= 15_000_000


def test_every_file_says_that_it_is_simulated() -> None:
    files = the_world().files
    assert list(files) == sorted(files)
    assert b"invented" in files["SIMULATED.md"]
    for name, content in files.items():
        assert "SIMULATED" in name or b"SIMULATED" in content, name


def test_the_roles_are_those_of_the_scenario() -> None:
    scenario = settings.load()
    roles = {"hub": "other"}
    placebos = 0
    for country in COUNTRIES:
        assert scenario.role_of(country.iso3) == roles.get(country.role, country.role), country
        placebos += country.role == "placebo"
    assert placebos >= 12
    assert {country.iso3 for country in COUNTRIES if country.role == "hub"} <= set(scenario.hub_candidates.countries)


def test_countries_and_families_are_those_of_the_reference_tables() -> None:
    numbers = dict(countries.m49_table().select("m49", "iso3").iter_rows())
    letters = dict(countries.iso2_table().select("iso2", "iso3").iter_rows())
    for country in COUNTRIES:
        assert numbers[country.m49] == letters[country.iso2] == country.iso3
    assert UNKNOWN_COUNTRY not in numbers
    family_of = {(row["edition"], row["cmd_code"]): row for row in editions.family_map({5, 6}).to_dicts()}
    for good in GOODS:
        if (family_of.get((5, good.code)) or {}).get("is_unstable"):
            continue  # comparable with nothing across the change: that is what it is there for
        for edition, code in [(5, good.code), *((6, part) for part, _ in good.h6 or ((good.code, 1.0),))]:
            assert family_of.get((edition, code), {"good": code})["good"] == good.good, (edition, code)
        assert sum(share for _, share in good.h6 or (("", 1.0),)) == pytest.approx(1)
    assert any(row["is_unstable"] for key, row in family_of.items() if key[1] in FAMILY)


def test_listed_goods_are_sanctioned_in_the_world_and_some_goods_are_on_no_list() -> None:
    listed = set(goods.goods_list("chpl.csv")["hs6"])
    for good in GOODS:
        if listed & {good.code, *(part for part, _ in good.h6)}:
            assert good.is_sanctioned, good
    assert sum(not good.is_sanctioned for good in GOODS) >= 10


def test_every_file_is_claimed_and_read_by_the_real_readers_with_every_row_accounted_for(tmp_path: Path) -> None:
    rates: dict[str, pl.DataFrame] = {}
    raws = list(_raw_files(tmp_path))
    for raw in raws:
        source = sources.find(raw)
        if source.rates:
            rates |= source.rates(raw)
    rules: Counter[str] = Counter()
    errors, rows_in = 0, 0
    read: dict[str, int] = defaultdict(int)
    for raw in raws:
        source = sources.find(raw)
        assert source.name == raw.name.split("/")[0]
        if source.rates:
            continue
        for batch in source.read(raw, Context(usd_per=rates)):
            assert batch.rows_in == batch.flows.height + batch.rejected.height + batch.rows_deduplicated
            bad = int(batch.rejected["is_error"].sum())
            assert bad <= 0.01 * batch.rows_in, raw.name
            rules.update(batch.rejected["rule"])
            errors, rows_in = errors + bad, rows_in + batch.rows_in
            phones = batch.flows.filter(
                pl.col("reporter_iso") == "KAZ", pl.col("partner_iso") == "RUS", pl.col("flow_code") == "X",
                pl.col("cmd_code").is_in(["851712", "851713", "851714"]), pl.col("ref_date").dt.month() <= 6,
            )  # fmt: skip
            for day, value in phones.select("ref_date", "primary_value_usd").iter_rows():
                read[str(day.year)] += value
    assert {"breakdown", "aggregate", "not_six_digits", "unknown_country", "negative"} <= set(rules)
    assert 0 < errors < 0.001 * rows_in
    assert (read["2021"], read["2022"]) == (37_000_000, 178_000_000)


def _raw_files(folder: Path):
    for name, content in the_world().files.items():
        if name.endswith(".md"):
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        parts = name.split("/")
        is_release = len(parts) == 5  # source/dataset/period/vintage/file
        yield RawFile(path, name, dataset=parts[1] if is_release else None, vintage=parts[3] if is_release else None)


def test_a_dataset_and_its_vintage_are_told_by_the_folders() -> None:
    folders = {tuple(name.split("/")[:-1]) for name in the_world().files if name.startswith("com")}
    release = ("2018-01_2023-06", "2023-07-20")
    assert folders == {
        ("comtrade", "SIMULATED-M", *release),
        ("comtrade", "SIMULATED-WEB", *release),
        ("comext", "SIMULATED-DS-045409", *release),
    }


def test_one_reporter_comes_as_a_web_export_and_two_as_answers_of_the_api() -> None:
    names = list(the_world().files)
    assert sum(name.endswith(".json.gz") for name in names) == 2
    assert sum("TradeData_" in name for name in names) == 1
    assert WORLD.publishing.as_web_export not in WORLD.eu
