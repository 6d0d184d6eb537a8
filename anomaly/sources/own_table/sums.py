"""Rows of a table of one's own looked at together: editions, levels, parts and totals, sums, sums from January on.

Every step takes the rows that were kept so far and gives those that stay, and what it set aside as rules.
"""

from __future__ import annotations

import polars as pl

from anomaly.reference import nomenclature
from anomaly.reference.editions import EDITION_STARTS
from anomaly.sources.base import Rule
from anomaly.sources.own_table.doubts import of_editions
from anomaly.sources.own_table.faults import BY_YEAR
from anomaly.sources.reading.batches import KEY
from anomaly.sources.reading.text import refused

GROUP = ("freq_code", "ref_date", "reporter_iso", "flow_code")
LEAST_ROUTES = 4  # of a month, for zeros everywhere to be no trade of one route that stopped
ROUNDING = 0.005


def with_editions(kept: pl.DataFrame, word: str) -> tuple[pl.DataFrame, list[dict[str, str | None]]]:
    """The rows with the edition their codes are read in.

    Where one word stands for all years, rows older than that edition are taken to be in the edition in force then, as
    reporters write them. They stay as said where one of them has a code that only the edition said has: then somebody
    converted the table.

    Parameters
    ----------
    kept : polars.DataFrame
        classification, ref_date and the editions and fits of `with_codes`.
    word : str
        What the mapping says of the whole table; empty where a column says it.

    Returns
    -------
    kept : polars.DataFrame
        The rows in their order with classification_code: H0 to H6, or CN and the year.
    doubts : list of dict
        Rows as base.doubt makes them.
    """
    is_cn = pl.col("classification").str.starts_with("CN")
    in_force = (
        pl.when(is_cn)
        .then(pl.format("CN{}", pl.col("ref_date").dt.year()))
        .otherwise(pl.format("H{}", pl.col("edition_in_force")))
    )
    if word in BY_YEAR:
        return kept.with_columns(classification_code=in_force), []
    if not word:
        said = pl.when(pl.col("classification").is_in(BY_YEAR)).then(in_force).otherwise("classification")
        return kept.with_columns(classification_code=said), []
    starts = pl.col("said_edition").replace_strict(dict(enumerate(EDITION_STARTS)), default=None, return_dtype=pl.Int32)
    is_early = (pl.col("ref_date").dt.year() < starts) & (pl.col("edition_in_force") >= 0)
    is_converted = bool(kept.select((is_early & ~pl.col("fits_in_force")).any()).item())
    is_other = ~pl.col("fits_said") | (is_early & pl.lit(not is_converted))
    doubts = of_editions(
        kept.filter(is_early if is_converted else is_other), is_converted=is_converted, word=_name(word)
    )
    code = pl.when(is_other.fill_null(value=False)).then(in_force).otherwise(pl.col("classification"))
    return kept.with_columns(classification_code=code), doubts


def _name(word: str) -> str:
    return nomenclature.name_of(int(word[1])) if word.startswith("H") else f"the CN of {word[2:]}"


def not_reported() -> Rule:
    """Months in which a reporter has zeros everywhere, though its other months have trade: they were not out yet."""
    month = pl.col("primary_value_usd").max().over(GROUP)
    of_other_periods = pl.col("primary_value_usd").max().over("reporter_iso", "flow_code", "freq_code")
    routes = pl.len().over(GROUP)
    return Rule(
        "not_reported",
        "value",
        (month == 0) & (of_other_periods > 0) & (routes >= LEAST_ROUTES),
        "every value of the reporter in this period is 0: it has not reported it",
        is_error=False,
    )


def levels(kept: pl.DataFrame, name: str) -> tuple[Rule, ...]:
    """Rules for totals whose parts are in the table, and parts whose total is.

    A total of all goods is set aside where the reporter's period has goods; a chapter or heading where it has a longer
    code that begins so. Alone each is a good of its own. National lines are set aside where their six digits have a
    row, which then holds them.

    Parameters
    ----------
    kept : polars.DataFrame
        `_place` (the row's number), `row`, GROUP, partner_iso, cmd_code, code_level and reported_value.
    name : str
        RawFile.name, for errors.

    Returns
    -------
    tuple of Rule
        None is an error: what they take out is counted elsewhere in the table.

    Raises
    ------
    DataRejected
        Where a row of six digits is less than its national lines: neither holds the other.
    """
    level = pl.col("code_level")
    has_goods = (level > 0).any().over(GROUP)
    marked = kept.with_columns(_six=pl.col("cmd_code").str.slice(0, 6), _is_line=level > 6)
    if (kept["code_level"] > 6).any() and (kept["code_level"] == 6).any():
        _refuse_less_than_lines(marked, name)
    shorter = kept.filter(level.is_in([2, 4])).select(*GROUP, "cmd_code").unique()
    longer = kept.filter(level >= 4).select(*GROUP, "cmd_code", "code_level").unique()
    held = [
        shorter.filter(pl.col("cmd_code").str.len_chars() == digits).join(
            longer.filter(pl.col("code_level") > digits)
            .select(*GROUP, cmd_code=pl.col("cmd_code").str.slice(0, digits))
            .unique(),
            on=[*GROUP, "cmd_code"],
            how="semi",
        )
        for digits in (2, 4)
    ]
    totals = kept.select("_place", *GROUP, "cmd_code").join(pl.concat(held), on=[*GROUP, "cmd_code"], how="semi")
    key = [*GROUP, "partner_iso", "_six"]
    with_six = marked.filter(level == 6).select(key).unique()
    lines = marked.filter("_is_line").join(with_six, on=key, how="semi")
    return (
        Rule("not_six_digits", "code", (level == 0) & has_goods, "a total of all goods beside its goods", is_error=False),
        Rule(
            "not_six_digits", "code", pl.col("_place").is_in(totals["_place"].implode()),
            "a chapter or heading whose parts are rows of their own", is_error=False,
        ),
        Rule(
            "part_of_six_digits", "code", pl.col("_place").is_in(lines["_place"].implode()),
            "a national line whose six digits have a row of their own, which holds it", is_error=False,
        ),
    )  # fmt: skip


def _refuse_less_than_lines(marked: pl.DataFrame, name: str) -> None:
    key = [*GROUP, "partner_iso", "_six"]
    totals = (
        marked.filter(pl.col("code_level") >= 6)
        .group_by(key, maintain_order=True)
        .agg(
            row=pl.col("row").first(),
            whole=pl.col("reported_value").filter(~pl.col("_is_line")).sum(),
            wholes=(~pl.col("_is_line")).sum(),
            lines=pl.col("reported_value").filter("_is_line").sum(),
        )
        .filter((pl.col("wholes") > 0) & (pl.col("lines") > pl.col("whole") * (1 + ROUNDING) + 1000))
    )
    if totals.height:
        first = totals.row(0, named=True)
        came = (
            f"{first['_six']} of {first['reporter_iso']} with {first['partner_iso']}, {first['ref_date']:%Y-%m}: "
            f"{first['whole']:,} where its national lines add up to {first['lines']:,}; {totals.height:,} such codes"
        )
        hint = "leave one of the two levels out, with [pass_over] or before"
        raise refused(name, "six digits that hold their national lines", came, row=first["row"], hint=hint)


def with_reexports(kept: pl.DataFrame) -> pl.DataFrame:
    """Exports with the re-exports beside them added, for tables whose exports do not hold them.

    A re-export without an export of its key becomes that export: all of it went out again. So with imports.

    Parameters
    ----------
    kept : polars.DataFrame
        `_place` (the row's number), KEY and amounts, a row a key.

    Returns
    -------
    polars.DataFrame
        The same columns; grams are null where those of one of the two are.
    """
    key = [name for name in KEY if name != "flow_code"]
    turned = pl.col("flow_code").replace({"RX": "X", "RM": "M"})
    sent_on = kept.filter(pl.col("flow_code").is_in(["RX", "RM"]))
    of_key = sent_on.group_by(*key, turned.alias("flow_code")).agg(
        *(pl.col(name).sum().alias(f"_{name}") for name in ("primary_value_usd", "reported_value")),
        _net_wgt_g=pl.when(pl.col("net_wgt_g").null_count() == 0).then(pl.col("net_wgt_g").sum()),
    )
    joined = kept.join(of_key, on=[*key, "flow_code"], how="left", nulls_equal=True, maintain_order="left")
    has = pl.col("_primary_value_usd").is_not_null()
    added = joined.with_columns(
        primary_value_usd=pl.when(has).then(pl.col("primary_value_usd") + pl.col("_primary_value_usd")).otherwise("primary_value_usd"),
        reported_value=pl.when(has).then(pl.col("reported_value") + pl.col("_reported_value")).otherwise("reported_value"),
        net_wgt_g=pl.when(has).then(pl.col("net_wgt_g") + pl.col("_net_wgt_g")).otherwise("net_wgt_g"),
    ).select(kept.columns)  # fmt: skip
    with_export = kept.filter(pl.col("flow_code").is_in(["X", "M"])).select(*key, "flow_code").unique()
    alone = sent_on.with_columns(turned.alias("flow_code")).join(
        with_export, on=[*key, "flow_code"], how="anti", nulls_equal=True
    )
    is_alone = pl.col("_place").is_in(alone["_place"].implode())
    return added.with_columns(flow_code=pl.when(is_alone).then(turned).otherwise("flow_code"))


def periods_of_sums(kept: pl.DataFrame, begins: int) -> tuple[pl.DataFrame, tuple[Rule, ...]]:
    """Months, or quarters, out of sums from the begin of the year on.

    Parameters
    ----------
    kept : polars.DataFrame
        KEY and amounts, a row a key, all of one frequency.
    begins : int
        The calendar month that is the first of the year.

    Returns
    -------
    periods : polars.DataFrame
        Sorted by route and period, amounts less those of the period before; grams are null where they would be negative.
    rules : tuple of Rule
        For those that cannot be: the period before is missing, or has more.
    """
    route = [name for name in KEY if name != "ref_date"]
    year = pl.col("ref_date").dt.offset_by(f"-{begins - 1}mo").dt.year()
    ordered = kept.sort(*route, "ref_date").with_columns(_year=year)
    before = {
        name: pl.col(name).shift(1).over(*route, "_year")
        for name in ("primary_value_usd", "reported_value", "net_wgt_g")
    }
    period_before = pl.col("ref_date").shift(1).over(*route, "_year")
    is_first = pl.col("ref_date").dt.month() == begins
    is_next = (pl.col("freq_code") == "M") & (period_before == pl.col("ref_date").dt.offset_by("-1mo"))
    is_next |= (pl.col("freq_code") == "Q") & (period_before == pl.col("ref_date").dt.offset_by("-3mo"))
    periods = ordered.with_columns(
        _is_gap=~(is_first | is_next.fill_null(value=False)),
        _before=period_before,
        **{name: pl.when(is_first).then(name).otherwise(pl.col(name) - last) for name, last in before.items()},
    )
    periods = periods.with_columns(net_wgt_g=pl.when(pl.col("net_wgt_g") >= 0).then("net_wgt_g"))
    return periods.drop("_year"), (
        Rule("no_month_before", "period", pl.col("_is_gap"),
             "a sum from the begin of the year on, and the period before is not there", is_error=False),
        Rule("sum_falls", "value", pl.col("reported_value") < 0,
             "a sum from the begin of the year on that is less than the period before"),
    )  # fmt: skip


def gaps(periods: pl.DataFrame) -> pl.DataFrame:
    """Periods that sums from the begin of the year on do not tell apart: one that is missing, and the one after it.

    Parameters
    ----------
    periods : polars.DataFrame
        Of `periods_of_sums`.

    Returns
    -------
    polars.DataFrame
        KEY.
    """
    spans = [
        periods.filter("_is_gap", freq_code=freq).with_columns(
            ref_date=pl.date_ranges(
                pl.col("_before").dt.offset_by(step).fill_null(pl.col("ref_date")), "ref_date", step
            )
        )
        for freq, step in (("M", "1mo"), ("Q", "3mo"))
    ]
    return pl.concat(spans).explode("ref_date").select(KEY)
