"""Made-up findings for tests: the shape, the sizes and the length of text of real ones, and no real figure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import polars as pl

from anomaly.cases import cases, changes
from anomaly.contract.schema import ROUTE_KEY, Calibration, Flags, RawFiles, Refused, Rejected, Rollups, Without
from anomaly.reports.base import Findings

GOODS = {
    "010121": "Pure-bred breeding horses",
    "847150": "Processing units",
    "851712+": "Smartphones and other mobile phones",
    "852990": "Parts of television and radio apparatus",
    "853710": "Control boards up to 1,000 V",
    "854231": "Processors and controllers",
    "854232": "Memory circuits",
    "870323": "Cars, petrol, 1.5 to 3 litres",
    "902710": "Gas or smoke analysis apparatus",
}
COUNTRIES = {
    "ARE": "United Arab Emirates",
    "ARM": "Armenia",
    "BLR": "Belarus",
    "DEU": "Germany",
    "GEO": "Georgia",
    "KAZ": "Kazakhstan",
    "KGZ": "Kyrgyzstan",
    "LTU": "Lithuania",
    "RUS": "Russia",
    "TUR": "Türkiye",
    "UZB": "Uzbekistan",
}
SENDERS = ("DEU", "LTU")
EXPORTERS = ("KAZ", "ARM", "KGZ", "TUR", "ARE", "GEO", "UZB")
ROUND = len(GOODS) * len(EXPORTERS)  # so many flags until a good meets the same exporter again
TYPES = ("hub_reexport", "new_route", "ghost_transit")
CAVEATS = (
    "A single month holds 62 % of the window's value: one large delivery can look like a new pattern.",
    "The comparison straddles the 2022 edition of the Harmonized System; the good is a family of codes that is stable across it.",
    "The importer publishes no monthly figures since February 2022: only the exporter's report is known.",
)
BENIGN = (
    "A new plant or assembly line in the exporting country",
    "A road or port closed, so that ordinary transit is declared as import and export",
    "A price rise: check the net weight beside the value",
    "A purchase by the importer's state of a kind the sanctions allow",
)
EVIDENCE = (
    "Against the year before, the coalition's sales to Russia went from 402.7 million USD to 39.9 million USD (−90 %), its "
    "sales to Kazakhstan went from 61.4 million USD to 152.0 million USD (+148 %), what Kazakhstan sold to Russia went from "
    "37.0 million USD to 178.2 million USD (+382 %). All three fit goods that go by way of Kazakhstan."
)
EXPLANATIONS = (
    (
        "The exporter makes it itself",
        "against",
        "Kazakhstan would have to make 143.6 million USD more of the good than in 2019-2021. It then sold 36.2 million USD "
        "to anyone. It declares 129.2 million USD of the window's trade as re-exports.",
    ),
    (
        "Sellers outside the coalition deliver it",
        "partly",
        "They would have to have sold 141.2 million USD more of the good to Kazakhstan than a year before; they sold 51.0 "
        "million USD after 10.0 million USD.",
    ),
    (
        "The price rose, not the quantity",
        "fits",
        "The price alone would have to have risen by 382 %. A kilogram cost 112.0 USD a year before and costs 512.4 (+357 "
        "%); the weight changed by +5 %.",
    ),
    (
        "The same buyers changed the road",
        "against",
        "Other sellers outside the coalition would have to have lost 141.2 million USD of sales to Russia; they went from "
        "170.2 million USD a year before to 165.1 million USD. All sales of the good to Russia in the data went from 789.5 "
        "million USD a year before to 706.9 million USD.",
    ),
    (
        "It sells less to others, or more to everyone",
        "unknown",
        "What Kazakhstan sells to everyone else is not in the data.",
    ),
    (
        "Another origin or a harmless use",
        "unknown",
        "Where the goods were made, which firms traded them and what they are used for: no trade figure says.",
    ),
)
WHY_NOT = (
    "not unusual enough: q 0.31 is above the limit of 0.1",
    "it did not rise: not above the year before nor above its baseline",
    "refused: the reporter published nothing for the window",
)
WITHOUT = (
    ("comext", "weaker", "It would still be flagged, with 6 of 8 reasons; q 0.022 becomes 0.036."),
    (
        "comtrade",
        "not_comparable",
        "The route cannot be compared: no other publisher has it in both windows.",
    ),
)
REASONS = (
    ("surge_log", 1.57, "log", 0.405, "Trade on the route went from 37.0 million USD to 178.2 million USD (+381 %)."),
    (
        "baseline_excess_log",
        1.64,
        "log",
        0.693,
        "The mean of 2019-2021 was 34.6 million USD; the window is 5.2 times that.",
    ),
    ("excess_usd", 1.33e8, "usd", 1e6, "133.1 million USD stand above what the exporter's other trade explains."),
    (
        "upstream_surge_log",
        0.91,
        "log",
        0.405,
        "The coalition's exports of the good to the exporter rose from 61.4 million USD to 152.0 million USD (+148 %; "
        "January to June, as the EU reports it).",
    ),
    (
        "direct_drop_log",
        2.31,
        "log",
        0.223,
        "The coalition's direct exports of the good to the importer fell from 402.7 million USD to 39.9 million USD (−90 %).",
    ),
    (
        "replacement_share",
        0.397,
        "share",
        0.01,
        "The route's gain equals 39.7 % of what the coalition's direct trade lost since 2019-2021 (402.7 million USD to "
        "39.9 million USD).",
    ),
    ("share_shift_pp", 22.4, "pp", 10.0, "The exporter's share in all imports of the good rose from 8.2 % to 30.6 %."),
)
INPUTS = (
    "surge_log",
    "baseline_excess_log",
    "new_route",
    "upstream_surge_log",
    "replacement_share",
    "destination_shift_pp",
    "share_shift_pp",
    "mirror_gap_shift_log",
)


def windows(place: int) -> tuple[str, int, date]:
    """Annual and monthly windows in turn: (freq_code, window_months, window_end); one of its own per round of 63."""
    if place >= ROUND:
        return "M", 6, date(2024, place // ROUND, 1)
    month = (3, 6, 9, 12)[place % 4]
    year = 2022 + place % 2
    return (
        ("A", 12, date(year, 12, 1)),
        ("M", 6, date(year, 6, 1)),
        ("M", 3, date(year, month, 1)),
        ("M", 12, date(year, 10, 1)),
    )[place % 4]


def flag(place: int, text: str = "") -> dict[str, Any]:
    """One flag, different for every place; `text` stands in each text column that has no fixed form."""
    freq_code, window_months, window_end = windows(place)
    good, exporter = sorted(GOODS)[place % len(GOODS)], EXPORTERS[place % len(EXPORTERS)]
    importer = "BLR" if place % 5 == 4 else "RUS"
    flag_type = TYPES[place % 3]
    if flag_type == "ghost_transit":
        exporter, importer = SENDERS[place % len(SENDERS)], exporter
    value = 178_200_000 * 97 // (97 + 7 * place) + 31 * place
    before = None if place % 7 == 3 else 0 if place % 3 == 1 else value * 21 // 100
    is_check = place % 10 == 9
    if is_check:
        freq_code, window_months, window_end = "A", 12, date(2019 - place // ROUND, 12, 1)
    return {
        "freq_code": freq_code,
        "window_months": window_months,
        "window_end": window_end,
        "good": good,
        "exporter_iso": exporter,
        "importer_iso": importer,
        "flag_id": f"{good}-{exporter}-{importer}-{window_end:%Y-%m}-{window_months}M",
        "flag_type": flag_type,
        "severity": "high" if place % 4 == 0 else "medium" if place % 4 < 3 else "low",
        "priority": 60.0 - place % 50 - place / 1000,
        "list_tier": None if place % 4 == 2 else f"{1 + place % 3}{text}",
        "value_usd": value,
        "value_prior_year_usd": before,
        "value_baseline_usd": before and before * 9 // 10,
        "counterfactual_usd": value + 4_200_000 if place % 11 == 10 else value - value * 3 // 4,
        "excess_usd": -4_200_000 if place % 11 == 10 else value * 3 // 4,
        "excess_low_usd": None if place % 13 == 12 else value * 3 // 4 - value // 5,
        "excess_high_usd": None if place % 13 == 12 else value * 3 // 4 + value // 10,
        "anomaly_score": 0.8 - (place % 40) / 100,
        "anomaly_rank": 1 + place,
        "p_value": None if place % 13 == 12 else 0.0004 + place / 100_000,
        "q_value": None if place % 13 == 12 else 0.005 + place / 10_000,
        "stability_share": None if place % 13 == 12 else 1.0 - place % 7 / 20,
        "compares": text
        or f"{window_months} months to {window_end:%B %Y} with the same months a year before and with their mean in 2019-2021.",
        "reasons": [
            _reason(name, value, unit, threshold, text or sentence)
            for name, value, unit, threshold, sentence in REASONS
        ][: 2 if place % 6 == 5 else 7],
        "caveats": [text] if text else list(CAVEATS[: 1 + place % 3]),
        "contributions": [{"input": text or name, "score_drop": 0.12 / (1 + rank)} for rank, name in enumerate(INPUTS)],
        "benign": [text] if text else list(BENIGN[: 2 + place % 3]),
        "is_before_sanctions": is_check,
        "evidence": text or EVIDENCE,
        "benign_if": [
            {"explanation": text or name, "verdict": text or verdict, "text": text or sentence}
            for name, verdict, sentence in EXPLANATIONS[: 4 + place % 3]
        ],
        "comparables": [_comparable(good, exporter, importer, value, near, text) for near in range(place % 4)],
        "sides": [
            _sides(span, amount, place)
            for span, amount in (("window", value), ("year before", before), ("baseline", before))
        ],
    }


def _comparable(good: str, exporter: str, importer: str, value: int, near: int, text: str) -> dict[str, Any]:
    near_exporter = (
        EXPORTERS[(EXPORTERS.index(exporter) + 1 + near) % len(EXPORTERS)] if exporter in EXPORTERS else exporter
    )
    return {
        "nearness": text or ("same good", "same heading", "same good")[near],
        "good": sorted(GOODS)[(sorted(GOODS).index(good) + 1) % len(GOODS)] if near == 1 else good,
        "exporter_iso": exporter if near == 1 else near_exporter,
        "importer_iso": importer,
        "value_usd": value // (2 + near),
        "value_prior_year_usd": None if near == 2 else value // (3 + near),
        "q_value": 0.31 if near == 0 else None,
        "why": text or WHY_NOT[near],
    }


def _sides(span: str, amount: int | None, place: int) -> dict[str, Any]:
    return {
        "span": span,
        "export_value_fob_usd": amount,
        "import_value_cif_usd": None if place % 2 or amount is None else amount * 53 // 50,
        "reexport_value_fob_usd": None if place % 3 or amount is None else amount * 4 // 5,
        "net_wgt_g": None if amount is None else amount * 70,
    }


def without(flags: list[dict[str, Any]], text: str = "") -> pl.DataFrame:
    """What is left of the flags without a publisher, for all but every seventh."""
    rows = []
    for place, row in enumerate(flags):
        for source, remains, sentence in WITHOUT if place % 7 < 6 else ():
            is_known = remains != "not_comparable"
            rows.append(
                {
                    "flag_id": row["flag_id"],
                    "source_left_out": text + source,
                    "remains": remains,
                    "value_usd": row["value_usd"] if is_known else None,
                    "q_value": row["q_value"] if is_known else None,
                    "reasons_left": [text or "surge_log"] if is_known else [],
                    "reasons_lost": [],
                    "unknown": [text or "upstream_surge_log", text or "route_through_usd"] if is_known else [],
                    "says": text or sentence,
                }
            )
    return Without.validate(pl.DataFrame(rows, schema=Without.create_empty().schema))


def _reason(indicator: str, value: float, unit: str, threshold: float, text: str) -> dict[str, Any]:
    return {"indicator": indicator, "value": value, "unit": unit, "threshold": threshold, "text": text}


def series(flags: list[dict[str, Any]]) -> pl.DataFrame:
    """Seven years per flag, with a month or a year that was not reported and a known nothing."""
    rows: list[tuple[str, date, int | None]] = []
    for place, row in enumerate(flags):
        step = 12 if row["freq_code"] == "A" else 1
        for count in range(0, 84, step):
            day = date(2017 + count // 12, count % 12 + 1, 1)
            share = (3 + (count * 7 + place) % 11) * (4 if day.year >= 2022 else 1)
            value: int | None = row["value_usd"] * share // (40 * (12 // step))
            if count in (48, 49, 50, 51, 52, 53, 54, 55, 56, 57) and place % 3 == 0:
                value = None
            rows.append((row["flag_id"], day, 0 if count == 12 else value))
    return pl.DataFrame(rows, schema={"flag_id": pl.String, "ref_date": pl.Date, "value_usd": pl.Int64}, orient="row")


@cache
def findings(flags: int = 30, text: str = "", is_simulated: bool = True) -> Findings:
    """Findings with so many flags, every tenth a check before the sanctions. `text` fills all free text."""
    rows = [flag(place, text) for place in range(flags)]
    table = pl.DataFrame(rows, schema=Flags.create_empty().schema) if rows else Flags.create_empty()
    return Findings(
        run=_run(text, is_simulated),
        flags=Flags.validate(table),
        without=without(rows, text),
        rollups=_rollups(table),
        calibration=_calibration(text),
        refused=_refused(text),
        files=_files(text),
        rejected=_rejected(text),
        series=series(rows),
        cases=cases.build(table),
        changes=changes.build(cases.build(table), before(table)),
        goods={code: text or name for code, name in GOODS.items()},
        countries={code: text or name for code, name in COUNTRIES.items()},
    )


def before(flags: pl.DataFrame) -> pl.DataFrame:
    """Cases of a run before: the first is missing, the second was weaker, the third was larger, and one has gone since."""
    then = cases.build(flags)
    place = pl.int_range(pl.len())
    shifted = then.with_columns(
        case_id=pl.when(place == 0).then(pl.lit("to-target-000000-KGZ-RUS")).otherwise("case_id"),
        severity_now=pl.when(place == 1).then(pl.lit("low")).otherwise("severity_now"),
        value_usd=pl.col("value_usd") + pl.when(place == 2).then(1_000_000).otherwise(0),
    )
    return shifted.select(then.columns)


def _run(text: str, is_simulated: bool) -> dict[str, Any]:
    return {
        "run_id": text or "2026-000f3a9c21d4",
        "code_version": text or "0.1.0+cc58e29",
        "scenario": text or "russia-2022",
        "title": text or "Sanctions on Russia and Belarus since February 2022",
        "is_simulated": is_simulated,
        "indicators": {
            name: text or f"what {name.replace('_', ' ')} measures, against the same months a year before"
            for name in INPUTS
        },
        "publishers": {"comtrade": text or "United Nations, Comtrade", "comext": text or "Eurostat, Comext"},
        "settings": {
            "name": text or "russia-2022",
            "targets": {
                "countries": ["RUS", "BLR"],
                "since": "2022-02-24",
                "source": text or "Regulation (EU) 2022/328",
            },
            "sanctions_since": "2022-02-24",
            "baseline_years": [2019, 2020, 2021],
            "goods_lists": [{"file": "chpl.csv", "title": text or "Common High Priority List", "source": "made up"}],
            "thresholds": {},
            "forest": {"trees": 100, "seeds": [0, 1, 2, 3, 4], "max_samples": 2048},
            "materiality_usd": 1_000_000,
        },
    }


def _rollups(flags: pl.DataFrame) -> pl.DataFrame:
    window = ["freq_code", "window_months", "window_end"]
    parts = []
    for rollup, key in (("good", "good"), ("hub", "exporter_iso")):
        parts.append(
            flags.group_by(key, *window)
            .agg(
                pl.len().cast(pl.Int64).alias("flags"),
                pl.col("value_usd").sum().alias("flagged_usd"),
                pl.col("excess_usd").clip(lower_bound=0).sum().alias("flagged_excess_usd"),
                (pl.col("value_usd").sum() * 3 // 2).alias("total_usd"),
                pl.col("q_value").min().alias("best_q_value"),
            )
            .with_columns(
                pl.lit(rollup).alias("rollup"), (pl.col("flagged_usd") / pl.col("total_usd")).alias("flagged_share")
            )
            .rename({key: "key"})
        )
    names = Rollups.column_names()
    return Rollups.validate(pl.concat([part.select(names) for part in parts]))


def _calibration(text: str) -> pl.DataFrame:
    rows = []
    for freq_code, months, end in sorted({windows(place) for place in range(8)} | {("A", 12, date(2019, 12, 1))}):
        has_placebos = not (freq_code == "M" and months == 3)
        rows.append(
            {
                "freq_code": freq_code,
                "window_months": months,
                "window_end": end,
                "leg": "hub to target",
                "placebo_kind": "importers" if has_placebos else "none",
                "placebos": 1842 if has_placebos else 0,
                "q_limit": 0.1,
                "targets": 96,
                "targets_flagged_per_1000": 187.5 if has_placebos else None,
                "placebos_flagged_per_1000": 3.3 if has_placebos else None,
                "says": text or "Placebos are the same goods sent to importers that are no part of the scenario.",
            }
        )
    return Calibration.validate(pl.DataFrame(rows, schema=Calibration.create_empty().schema))


def _refused(text: str) -> pl.DataFrame:
    rows = []
    kinds = (
        ("not_reported", "Uzbekistan reported no trade for the year before: a fall or a rise cannot be told."),
        ("edition_break", "The code changed its meaning between the two windows and has no stable family."),
        ("too_few_months", "Only 2 of 6 months are covered in both windows."),
    )
    for place in range(40):
        refusal, says = kinds[place % 7 % 3]
        freq_code, months, end = windows(place)
        rows.append(
            {
                "freq_code": freq_code,
                "window_months": months,
                "window_end": end,
                "good": sorted(GOODS)[place % len(GOODS)],
                "exporter_iso": EXPORTERS[place // 9 % len(EXPORTERS)],
                "importer_iso": "RUS",
                "refusal": text or refusal,
                "says": text or says,
                "value_usd": None if place % 5 == 4 else 900_000 * (place + 1),
            }
        )
    return Refused.validate(pl.DataFrame(rows, schema=Refused.create_empty().schema))


def _files(text: str) -> pl.DataFrame:
    rows = [
        {
            "source": source,
            "dataset": text or dataset,
            "vintage": "2023-08-14" if place else "undated",
            "path": f"{source}/{dataset}/part-{place}.csv{text}",
            "sha256": f"{place:x}{'0123456789abcdef' * 4}"[:64],
            "size_bytes": 4_812_330 + place,
            "url": f"https://example.org/{dataset}?page={place}{text}" if place % 2 else None,
            "fetched_at": None,
            "rows_in": 21_400 + place,
            "rows_kept": 20_000,
            "rows_rejected": 1_350,
            "rows_errors": 3,
            "rows_deduplicated": 50 + place,
        }
        for place, (source, dataset) in enumerate(
            (("comtrade", "exports-rus-monthly"), ("comtrade", "exports-rus-annual"), ("comext", "ds-045409"))
        )
    ]
    return RawFiles.validate(pl.DataFrame(rows, schema=RawFiles.create_empty().schema))


def _rejected(text: str) -> pl.DataFrame:
    kinds = (
        ("breakdown_row", "the row is a part of another row", False),
        ("unknown_partner", "no such country code", True),
    )
    rows = []
    for place in range(20):
        rule, reason, is_error = kinds[place % 3 == 0]
        rows.append(
            {
                "source": "comtrade",
                "raw_file": "comtrade/exports-rus-monthly/part-0.csv" + text,
                "row": 1 + 7 * place,
                "column": "partnerCode",
                "value": text or f"{890 + place}",
                "rule": text or rule,
                "reason": text or reason,
                "is_error": is_error,
            }
        )
    return Rejected.validate(pl.DataFrame(rows, schema=Rejected.create_empty().schema))


FIXED_FORM = frozenset(
    {"freq_code", "rollup", "remains", "leg", "change"}
)  # what a report may rely on; every other text may be anything


def poisoned(text: str, flags: int = 30) -> Findings:
    """Findings with hostile text in every text of every table, codes and identifiers among them."""
    clean = findings(flags, text)
    ids = dict(zip(clean.flags["flag_id"], (f"{text}{place}" for place in range(flags)), strict=True))
    frames: dict[str, Any] = {}
    for name in (
        "flags",
        "without",
        "rollups",
        "calibration",
        "refused",
        "files",
        "rejected",
        "series",
        "cases",
        "changes",
    ):
        frame: pl.DataFrame = getattr(clean, name)
        number = pl.int_range(pl.len()).cast(pl.String)
        texts = [
            c for c, dtype in frame.schema.items() if dtype == pl.String and c not in FIXED_FORM and c != "flag_id"
        ]
        frames[name] = frame.with_columns(
            *[
                (pl.lit(text) + pl.when(pl.lit(c in (*ROUTE_KEY, "case_id"))).then(number).otherwise(pl.lit(""))).alias(
                    c
                )
                for c in texts
            ],
            *([pl.col("flag_id").replace_strict(ids)] if "flag_id" in frame.columns else []),
            *([pl.concat_list(pl.lit(text)).alias("windows")] if "windows" in frame.columns else []),
        )
    return replace(clean, **frames)


def shuffled(findings: Findings, seed: int) -> Findings:
    """The same findings with the rows of every table in another order."""
    names = (
        "flags", "without", "rollups", "calibration", "refused", "files", "rejected", "series", "cases", "changes",
    )  # fmt: skip
    mixed: dict[str, Any] = {
        name: getattr(findings, name).sample(fraction=1, shuffle=True, seed=seed) for name in names
    }
    return replace(findings, **mixed)
