"""UN Comtrade, API v1: data with a key, previews without, tables of codes; what is out decides what is asked for again."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from anomaly.fetch import comtrade_plan, comtrade_reference, comtrade_releases
from anomaly.fetch.base import Asking, Call, Cell, Fetched, News, Plan, Publisher, Release
from anomaly.fetch.client import Answer, Client
from anomaly.fetch.comtrade_answer import EMPTY, Rows, against_world, digests, rows_of, together, totals
from anomaly.fetch.comtrade_ask import Ask, halves, of_params, within_address
from anomaly.fetch.comtrade_service import LICENCE, SERVICE
from anomaly.fetch.download import keep
from anomaly.fetch.need import months

GZIP_LEVEL = 5  # a third of the time of 9, 3 % larger (30,000 made-up rows)


def _news(asking: Asking, client: Client) -> News:
    """What is out of every reporter, in the months asked about."""
    news = {}
    for template in comtrade_plan.templates(asking):
        periods = comtrade_releases.periods_of(template.freq, months(asking.need, asking.since))
        dataset = comtrade_plan.dataset_of(template.freq)
        for (reporter, period), release in comtrade_releases.releases(client, template.freq, periods).items():
            news[f"{dataset}/{reporter}/{period}"] = release
    return news


def _plan(asking: Asking) -> Plan:
    planned = comtrade_plan.plan(asking)
    return Plan((*comtrade_reference.calls(asking), *planned.calls), planned.there, planned.says)


def _fetch(call: Call, client: Client, folder: Path) -> Fetched:
    if call.is_reference:
        return comtrade_reference.fetch(call, client, folder)
    ask = of_params(call.path, call.params)
    leaves = [leaf for part in within_address(ask) for leaf in _leaves(part, client, folder)]
    kept = totals(together(frame for _, frame in leaves))
    of_cell = digests(kept)
    cells = {}
    for name, release in call.cells.items():
        _, reporter, period = name.split("/")
        sha256, rows = of_cell.get((int(reporter), period), (EMPTY, 0))
        cells[name] = Cell(sha256, Release(release.checksum, release.released, rows), client.clock.now())
    says = () if ask.partners else tuple(against_world(kept))
    return Fetched(tuple(path for path, _ in leaves), cells, says)


def _leaves(ask: Ask, client: Client, folder: Path) -> Iterator[tuple[Path, pl.DataFrame]]:
    """The answers that make up a block, none of them cut: each is kept as it comes, so that a fetch that stops goes on here."""
    path, cut = folder / f"{ask.name}.json.gz", folder / f".cut-{ask.name}"
    if not cut.exists():
        if path.exists():
            rows = rows_of(gzip.decompress(path.read_bytes()), ask)
        else:
            content, rows = client.ask(ask.address, ask.params(), lambda answer: _judged(answer, ask))
            keep(b"" if rows.is_cut else gzip.compress(content, GZIP_LEVEL, mtime=0), cut if rows.is_cut else path)
        if not rows.is_cut:
            yield path, rows.frame
            return
    for half in halves(ask):
        yield from _leaves(half, client, folder)


def _judged(answer: Answer, ask: Ask) -> tuple[bytes, Rows]:
    return answer.content, rows_of(answer.content, ask)


PUBLISHER = Publisher(service=SERVICE, licence=LICENCE, plan=_plan, fetch=_fetch, news=_news)
