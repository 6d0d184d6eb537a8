"""Stages are gone through in order, over a store or in memory, and no further than is needed."""

import weakref
from collections.abc import Iterator

import polars as pl
import pytest

from anomaly.contract.errors import ContractBroken
from anomaly.contract.schema import TABLES
from anomaly.contract.settings import Settings, load
from anomaly.contract.tables import Frame
from anomaly.stages import cases, evidence, leakage, order, rollups, supply
from anomaly.stages.stage import Chunks, Held, Lazy, Stage, name_of, portions, sources, through
from pipelines import run

SETTINGS = load()
NUMBERS = pl.DataFrame({"good": ["010101", "010102", "010201", "010301"], "value": [1, 2, 3, 4]})


def doubled(frame: pl.DataFrame, _settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
    yield (frame.with_columns(pl.col("value") * 2),)


def summed(frame: pl.LazyFrame, _settings: Settings) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    whole = frame.collect()
    yield whole.select(pl.col("value").sum()), whole.select(rows=pl.len())


def never(*_tables: object) -> Iterator[tuple[Frame]]:
    raise AssertionError("a stage that nobody needs was gone through")


DOUBLED = Stage("doubled", ("numbers",), ("doubled",), doubled)
SUMMED = Stage("summed", (Lazy("doubled"),), ("sum", "sum.rows"), summed)
APART = Stage("apart", ("numbers",), ("apart",), never)
STAGES = (DOUBLED, APART, SUMMED)


def test_what_is_wanted_is_made_by_the_stages_between_and_by_no_other() -> None:
    made = through(STAGES, ["sum", "sum.rows"], {"numbers": NUMBERS}, SETTINGS)
    assert (made.read("sum").item(), made.read("sum.rows").item()) == (20, 4)
    assert set(made.frames) == {"sum", "sum.rows"}


def test_what_is_at_hand_is_not_made_again_even_where_its_stage_makes_something_else_too() -> None:
    assert through(STAGES, ["sum"], {"doubled": NUMBERS}, SETTINGS).read("sum").item() == 10
    at_hand = {"numbers": NUMBERS, "sum": pl.DataFrame({"value": [7]})}
    made = through(STAGES, ["sum", "sum.rows"], at_hand, SETTINGS)
    assert (made.read("sum").item(), made.read("sum.rows").item()) == (7, 4)


def test_what_is_at_hand_is_what_later_stages_read() -> None:
    def added(total: pl.DataFrame, rows: pl.DataFrame, _settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
        yield (pl.DataFrame({"value": [total.item() + rows.item()]}),)

    stages = (DOUBLED, SUMMED, Stage("added", ("sum", "sum.rows"), ("added",), added))
    at_hand = {"numbers": NUMBERS, "sum": pl.DataFrame({"value": [7]})}
    assert through(stages, ["added"], at_hand, SETTINGS).read("added").item() == 7 + 4


def test_a_table_that_nobody_gives_and_no_stage_makes_is_named() -> None:
    with pytest.raises(ContractBroken, match="no numbers"):
        through(STAGES, ["sum"], {}, SETTINGS)
    with pytest.raises(ContractBroken, match="no strangers"):
        through(STAGES, ["strangers"], {"numbers": NUMBERS}, SETTINGS)


def test_over_a_store_what_a_later_stage_reads_is_held_and_the_rest_comes_from_below() -> None:
    came = [list(portion) for portion in portions((DOUBLED, SUMMED), Held({}, Held({"numbers": NUMBERS})), SETTINGS)]
    assert came == [["doubled"], ["sum", "sum.rows"]]


def test_a_portion_is_let_go_before_the_next_is_made() -> None:
    gone: list[bool] = []
    made: list[weakref.ref[pl.DataFrame]] = []

    def in_three(_settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
        for _ in range(3):
            if made:
                gone.append(made[-1]() is None)
            frame = NUMBERS.clone()
            made.append(weakref.ref(frame))
            handed = (frame,)
            del frame
            yield handed
            del handed

    for portion in portions((Stage("in three", (), ("numbers",), in_three),), Held({}), SETTINGS):
        del portion
    assert gone == [True, True]


@pytest.mark.parametrize(("rows", "sizes"), [(1, [2, 1, 1]), (2, [2, 2]), (3, [3, 1]), (9, [4])])
def test_chunks_in_memory_keep_a_heading_together(rows: int, sizes: list[int]) -> None:
    chunks = list(Held({"numbers": NUMBERS.lazy()}).chunks("numbers", rows, 4, ("good",)))
    assert [chunk.height for chunk in chunks] == sizes
    assert pl.concat(chunks).equals(NUMBERS.select("good"))


def test_an_empty_table_is_one_empty_chunk() -> None:
    assert [chunk.height for chunk in Held({"numbers": NUMBERS.clear()}).chunks("numbers", 5, 4, ("good",))] == [0]


def test_the_bar_moves_by_the_rows_of_a_chunk_that_was_worked_on() -> None:
    advances: list[int] = []

    def counted(chunks: Iterator[pl.DataFrame], _settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
        for chunk in chunks:
            advances.append(-chunk.height)
            yield (chunk,)

    stage = Stage("counted", (Chunks("numbers", 2, 4, ("good",)),), ("counted",), counted)
    list(portions((stage,), Held({"numbers": NUMBERS}), SETTINGS, advance=advances.append))
    assert advances == [-2, 2, -2, 2]


EVERY = (*order.stages(), *supply.STAGES, *leakage.STAGES, *evidence.STAGES, *cases.STAGES, *rollups.STAGES)


def test_every_stage_reads_what_is_flows_or_was_made_before_it() -> None:
    made = {"flows", "flows.doubts", "flows.files", "flows.withheld", cases.BEFORE}  # the last of another run
    for stage in EVERY:
        assert {name_of(read) for read in stage.reads} <= made, stage.name
        made |= set(stage.makes)


def test_every_table_between_flows_and_reports_is_made_by_one_stage_and_its_job_reads_what_the_stages_do() -> None:
    made = [name for stage in EVERY for name in stage.makes if name in TABLES]
    named = {job.name for job in run.JOBS if job.in_run and not job.publishes} - {"flows"}
    assert sorted(made) == sorted(name for name in TABLES if name.partition(".")[0] in named)


def test_what_stages_need_from_outside_is_named_by_the_table_that_a_companion_lies_with() -> None:
    assert sources((Stage("any", ("b.c", Lazy("a"), "b"), ("d",), never), DOUBLED)) == ("b", "a", "numbers")
    assert sources(STAGES) == ("numbers",)
