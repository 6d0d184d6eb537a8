"""What a job does whose table is made by stages: it goes through them over the store and writes what comes."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from anomaly.stages.stage import Advance, Stage, portions

if TYPE_CHECKING:
    import dataframely as dy

    from anomaly.contract.tables import Frame
    from pipelines.job import Run


def write(
    run: Run,
    stages: Sequence[Stage],
    *,
    at_hand: Mapping[str, Frame] | None = None,
    schema: type[dy.Schema] | None = None,
    sort: Sequence[str] = (),
    rows: int | None = None,
    goods: int | None = None,
) -> None:
    """Make the job's table and its companions by their stages, and commit them.

    Parameters
    ----------
    run : Run
        The job's.
    stages : sequence of Stage
        Those of its table, in their order.
    at_hand : mapping of str to frame, optional
        Tables at hand that are not in the store.
    schema : Schema, optional
        The table's contract, where that is not schema.TABLES'.
    sort : sequence of str, optional
        The key by which its rows are sorted over all parts.
    rows, goods : int, optional
        How many rows of a table that comes in chunks, or goods, there are to work on, for the bar.
    """
    table = run.job.name
    with run.writer(schema=schema, sort=sort) as writer, _bar(run, rows, goods) as advance:
        for portion in portions(stages, run.store, run.settings, at_hand, _nobody if rows is None else advance):
            if goods is not None and table in portion:
                advance(portion[table].lazy().select(pl.col("good").n_unique()).collect().item())
            for name in [name for name in portion if name.partition(".")[0] == table]:
                writer.add(portion.pop(name).lazy().collect(), name)
            portion.clear()  # let go before the next is made


def _bar(run: Run, rows: int | None, goods: int | None) -> contextlib.AbstractContextManager[Advance]:
    if rows is None and goods is None:
        return contextlib.nullcontext(_nobody)
    return run.progress("goods" if rows is None else "rows", rows or goods)


def _nobody(_steps: int) -> None:
    """Is told how far the work is, and does nothing with it."""
