"""UK HMRC (api.uktradeinfo.com): overseas trade statistics as OData, page by page, with a gate that turns some away."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

import polars as pl

from loopback.facts import Published
from loopback.wire import HTML, Answer, Publisher, Request, as_json, plain

REPORTER, PENCE_YEARS = "GBR", "GBP"
_FLOWS = {("M", True): 1, ("X", True): 2, ("M", False): 3, ("X", False): 4}  # flow, whether within the EU
_COMPARED = re.compile(r"\(*\s*(\w+)\s+(ge|le|gt|lt|eq)\s+(-?\d+)\s*\)*", re.ASCII)
_COLUMNS = (
    "MonthId",
    "FlowTypeId",
    "SuppressionIndex",
    "CommodityId",
    "CommoditySitcId",
    "CountryId",
    "PortId",
    "Value",
    "NetMass",
    "SuppUnit",
)
_ENTITIES = ("OTS", "Commodity", "Country")
FORBIDDEN = "<html><head><title>403</title></head><body><h1>Ip Forbidden</h1></body></html>"


def _rates(published: Published) -> list[float]:
    """GBP per USD by month."""
    months = published.world.months
    first, last = published.world.publishing.other_per_eur.get(PENCE_YEARS, (0.86, 0.86))
    per_eur = [round(first + (last - first) * place / max(months - 1, 1), 4) for place in range(months)]
    return [pounds / dollars for pounds, dollars in zip(per_eur, published.facts.usd_per_eur, strict=True)]


def _ots(published: Published) -> pl.DataFrame:
    """Rows of OTS, sorted: eight digits as a number, pounds, kilograms, a port."""
    world = published.world
    ids = {country.iso3: place + 1 for place, country in enumerate(world.countries)}
    digits = {code: good.cn[0] for good in world.goods for code in {good.code, *(newer for newer, _ in good.h6)}}
    rows = published.reports.filter(pl.col("reporter") == REPORTER, pl.col("flow").is_in(["X", "M"]))
    flow = pl.struct("flow", pl.col("partner").is_in(list(world.eu)).alias("eu")).map_elements(
        lambda row: _FLOWS[row["flow"], row["eu"]], return_dtype=pl.Int64
    )
    pounds = pl.col("value_usd") * pl.col("month").replace_strict(dict(enumerate(_rates(published))))
    month = pl.col("month").replace_strict({place: int(f"{day:%Y%m}") for place, day in enumerate(world.calendar)})
    table = rows.select(
        MonthId=month,
        FlowTypeId=flow,
        SuppressionIndex=pl.lit(0),
        CommodityId=(pl.col("code") + pl.col("code").replace_strict(digits)).cast(pl.Int64),
        CommoditySitcId=pl.lit(0),
        CountryId=pl.col("partner").replace_strict(ids, return_dtype=pl.Int64),
        PortId=pl.lit(1),
        Value=pounds.round(2),
        NetMass=pl.col("net_wgt_kg"),
        SuppUnit=pl.lit(None, dtype=pl.Float64),
    )
    below = table.group_by("MonthId", "FlowTypeId", maintain_order=True).agg(Value=pl.col("Value").sum() / 100)
    aggregates = below.with_columns(
        SuppressionIndex=pl.lit(0), CommodityId=pl.lit(-990, dtype=pl.Int64), CommoditySitcId=pl.lit(-1),
        CountryId=pl.lit(959, dtype=pl.Int64), PortId=pl.lit(-1), NetMass=pl.lit(None, dtype=pl.Float64),
        SuppUnit=pl.lit(None, dtype=pl.Float64),
    )  # fmt: skip
    return pl.concat([table.select(_COLUMNS), aggregates.select(_COLUMNS)]).sort(*_COLUMNS[:7])


def _commodities(published: Published) -> pl.DataFrame:
    ids = _table("OTS", published).filter(pl.col("CommodityId") > 0)["CommodityId"].unique().sort()
    code = pl.col("CommodityId").cast(pl.String).str.zfill(8)
    return pl.DataFrame(ids).with_columns(Cn8Code=code, Hs6Code=code.str.slice(0, 6))


def _countries(published: Published) -> pl.DataFrame:
    rows = [(place + 1, country.iso2, country.name) for place, country in enumerate(published.world.countries)]
    rows.append((959, "QR", "Stores and provisions"))
    return pl.DataFrame(rows, schema=["CountryId", "CountryCodeAlpha", "CountryName"], orient="row")


def _table(entity: str, published: Published) -> pl.DataFrame:
    make = {"OTS": _ots, "Commodity": _commodities, "Country": _countries}[entity]
    return published.once(("hmrc", entity), lambda: make(published))  # type: ignore[no-any-return]


def _entity(request: Request, published: Published) -> Answer:
    """A page of an entity, with the address of the next one."""
    entity = request.path.strip("/")
    if entity not in _ENTITIES:  # names are told apart by their case
        return as_json({"error": {"code": "", "message": f"Resource not found for the segment '{entity}'."}}, 404)
    gate = published.limits.forbidden_of
    if gate and not _is_let_through(request, published, gate):
        return plain(403, FORBIDDEN, content_type=HTML)
    if request.parameter("$orderby") is not None:
        return as_json({"error": {"code": "", "message": "The query specified in the URI is not valid. Query option 'OrderBy' is not allowed."}}, 400)  # fmt: skip
    table, skip = _table(entity, published), request.parameter("$skip") or "0"
    for part in re.split(r"\band\b", request.parameter("$filter") or "", flags=re.IGNORECASE):
        if not part.strip():
            continue
        compared = _COMPARED.fullmatch(part.strip())
        if not compared or compared[1] not in table.columns:
            return as_json({"error": {"code": "", "message": "The query specified in the URI is not valid."}}, 400)
        table = table.filter(getattr(pl.col(compared[1]), compared[2])(int(compared[3])))
    top = request.parameter("$top")
    page = table.slice(int(skip), min(int(top or published.limits.page_rows), published.limits.page_rows))
    content = {"@odata.context": f"{request.origin}/$metadata#{entity}", "value": page.to_dicts()}
    after = int(skip) + page.height
    if after < table.height and top is None:
        asked = request.parameter("$filter")
        narrowed = f"$filter={quote(asked, safe='')}&" if asked else ""
        content["@odata.nextLink"] = f"{request.origin}/{entity}?{narrowed}$skip={after}"
    return as_json(content)


def _is_let_through(request: Request, published: Published, gate: int) -> bool:
    """Whether the gate lets this request through: an address is turned away once at most."""
    address = f"{request.path} {request.query}"
    turned = published.once("hmrc gate", set)
    drawn = hashlib.sha256(address.encode()).digest()[0] % gate
    if drawn or address in turned:
        return True
    turned.add(address)
    return False


PUBLISHER = Publisher(
    name="hmrc",
    title="UK HMRC: overseas trade statistics by OData",
    routes=((r"/(OTS|Commodity|Country)", _entity),),
    metered=r"/(OTS|Commodity|Country)",
    forbidden=lambda: plain(403, FORBIDDEN, content_type=HTML),
)
