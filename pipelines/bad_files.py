"""What is said of raw files that cannot be read: all of them at once, each with its reasons and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from anomaly.contract.errors import AnomalyError, DataRejected, SettingsWrong


def all_of(failures: Mapping[str, AnomalyError]) -> AnomalyError:
    """One error of all files that could not be read.

    Parameters
    ----------
    failures : mapping of str to AnomalyError
        Name of the file → its error; at least one.

    Returns
    -------
    AnomalyError
        The error itself where there is one only; else DataRejected, or SettingsWrong where all are that.
    """
    errors = list(failures.values())
    if len(errors) == 1:
        return errors[0]
    texts = [f"{number}. {name}: {_in_short(error)}" for number, (name, error) in enumerate(failures.items(), start=1)]
    kind = SettingsWrong if all(isinstance(error, SettingsWrong) for error in errors) else DataRejected
    return kind(
        "files that can be read",
        f"{len(errors)} that cannot:\n" + "\n".join(texts),
        hint="mend them or take them out; --quarantine sets them aside and reads the others",
    )


def _in_short(error: AnomalyError) -> str:
    examples = "; ".join(str(example) for example in error.examples[:3])
    parts = (f"expected {error.expected}, came {error.came}", examples and f"such as {examples}", error.hint)
    return ". ".join(part for part in parts if part)


def set_aside(failures: Mapping[str, AnomalyError], inputs: Mapping[str, str]) -> pl.DataFrame:
    """Rows of flows.set_aside.

    Parameters
    ----------
    failures : mapping of str to AnomalyError
        Name of the file → its error.
    inputs : mapping of str to str
        `raw/` and the name → sha256 of every raw file.

    Returns
    -------
    polars.DataFrame
        path, sha256 and reason, sorted by path.
    """
    rows = [
        {"path": name, "sha256": inputs[f"raw/{name}"], "reason": str(error)}
        for name, error in sorted(failures.items())
    ]
    return pl.DataFrame(rows, schema={"path": pl.String, "sha256": pl.String, "reason": pl.String})


def nothing(rejected: Sequence[pl.DataFrame], failures: Mapping[str, AnomalyError]) -> AnomalyError:
    """The error of a folder in which nothing is left, with the reasons and a row of each.

    Parameters
    ----------
    rejected : sequence of polars.DataFrame
        Rows of flows.rejected, a frame a file.
    failures : mapping of str to AnomalyError
        Name of the file → its error.

    Returns
    -------
    AnomalyError
        To be raised.
    """
    if failures:
        return all_of(failures)
    if not any(frame.height for frame in rejected):
        return DataRejected("rows of trade in the raw files", "files without rows", hint="fetch the files again")
    rows = pl.concat(frame for frame in rejected if frame.height)
    counted = rows.group_by("raw_file", "rule", "column", "reason", maintain_order=True).agg(
        pl.len(), pl.col("row").first(), pl.col("value").first()
    )
    shown = [
        f"{item['raw_file']}, {item['len']:,} rows, the first is row {item['row']}, {item['column'] or 'the whole row'} "
        f"{item['value']!r}: {item['reason']}"
        for item in counted.sort("len", descending=True, maintain_order=True).iter_rows(named=True)
    ]
    return DataRejected(
        "rows of trade in the raw files",
        f"none: all {rows.height:,} rows were set aside",
        count=rows.height,
        examples=shown,
        hint="fetch rows of six-digit codes, each between two countries",
    )


def refuse_too_bad(name: str, count: Mapping[str, int], rejected: pl.DataFrame, limit: float) -> None:
    """Refuse a file of whose rows more are bad than the limit allows.

    Parameters
    ----------
    name : str
        The file's name.
    count : mapping of str to int
        rows_in and rows_errors of the file.
    rejected : polars.DataFrame
        Its rows of flows.rejected; each reason is shown once, first.
    limit : float
        Share of the rows, 0 to 1.

    Raises
    ------
    DataRejected
        There are more.
    """
    if count["rows_errors"] <= limit * max(count["rows_in"], 1):
        return
    errors = rejected.filter("is_error").sort("row", maintain_order=True)
    kinds = errors.unique(["rule", "column", "reason"], keep="first", maintain_order=True)  # each reason once, first
    repeated = errors.join(kinds.select("row", "rule", "column"), on=["row", "rule", "column"], how="anti")
    shown = pl.concat([kinds, repeated]).head(3).sort("row").select("row", "column", "value", "reason").rows()
    raise DataRejected(
        f"{name} with at most {100 * limit:g} % bad rows",
        f"{count['rows_errors']:,} bad rows of {count['rows_in']:,}",
        count=count["rows_errors"],
        examples=[f"row {row}, {column or 'whole row'} {value!r}: {reason}" for row, column, value, reason in shown],
        hint="do what the reasons say, or fetch the file again; or, if you know these rows, raise rejected_share_limit "
        "in a scenario of your own (docs/not-read.md)",
    )
