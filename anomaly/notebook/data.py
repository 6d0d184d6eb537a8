"""A folder of tables, opened: read a table, ask about a route. `anomaly.open_data` is its short name."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import polars as pl

    from anomaly.cli.answers import Answer
    from anomaly.cli.store import Asked
    from anomaly.store.store import Store


class Remark(UserWarning):
    """What an answer's reader has to know beside its rows, such as that trade is simulated or that rows are left out.

    The command line writes the same to stderr.
    """


@dataclass(frozen=True, slots=True)
class Data:
    """Tables that a run wrote, and the questions they can answer.

    Parameters
    ----------
    folder : pathlib.Path
        Folder that holds the tables, as `make run DATA=<folder>` writes it.
    """

    folder: Path

    def tables(self) -> dict[str, int]:
        """What is there.

        Returns
        -------
        dict of str to int
            Name of each table and companion → its rows.
        """
        from anomaly.contract.schema import TABLES

        store = self._store()
        return {
            name: store.read(name, []).height if "." in name else store.meta(name)["rows"]
            for name in TABLES
            if store.exists(name)
        }

    def read(self, table: str, columns: Sequence[str] | None = None, where: pl.Expr | None = None) -> pl.DataFrame:
        """Rows of a table.

        Parameters
        ----------
        table : str
            A name of `tables`; `anomaly tables NAME` tells its columns with unit and meaning.
        columns : sequence of str, optional
            All of them where it is not said.
        where : polars.Expr, optional
            Rows to keep.

        Returns
        -------
        polars.DataFrame
            In the order of the table's key.

        Raises
        ------
        AnomalyError
            Where the folder does not hold the table, or it is damaged.
        """
        return self._store().read(table, columns, where)

    def query(
        self,
        code: str,
        exporter: str | None = None,
        importer: str | None = None,
        period: str | None = None,
        *,
        source: str | None = None,
        currency: str = "USD",
        limit: int | None = None,
    ) -> pl.DataFrame:
        """Routes of a good in a window, as `anomaly query` answers.

        Parameters
        ----------
        code : str
            HS code of 2 to 6, 8 or 10 digits, with or without dots, a family such as 851712+, a name such as smartphones,
            or TOTAL.
        exporter, importer : str, optional
            Country by code or English name, several with commas between, EU27 or coalition; everyone where it is not said.
        period : str, optional
            2022, 2022H1, H1 2022, 2022Q3, 2022-07, Jul 2022 or a range of months; where it is not said the newest window
            with a flag, and where none is flagged the newest.
        source : str, optional
            Figures of this publisher alone.
        currency : str, optional
            USD, or another that the trade was reported in.
        limit : int, optional
            Most rows, flagged ones first, then the largest; all of them where it is not said. That some are left out is a Remark.

        Returns
        -------
        polars.DataFrame
            A row a route: value, year before, baseline, flag, q_value, reasons and a note that says why it is no flag.

        Raises
        ------
        AnomalyError
            With what was expected, what came and what to do.

        Warns
        -----
        Remark
            Where trade is simulated, rows are left out, flags lie in other periods, or there is no row.
        """
        from anomaly.cli import answers

        asked = _asked(code, exporter, importer, period, source, currency)
        return _with_remarks(answers.routes_of(asked, limit, self.folder), currency)

    def route(
        self, code: str, exporter: str, importer: str, period: str | None = None, *, currency: str = "USD"
    ) -> pl.DataFrame:
        """One good from one country to another: `query` of both sides.

        Parameters
        ----------
        code, exporter, importer, period, currency : str
            As for `query`.

        Returns
        -------
        polars.DataFrame
            As `query` gives it, a row a window; several where the code stands for several goods.

        Raises
        ------
        AnomalyError
            With what was expected, what came and what to do.

        Warns
        -----
        Remark
            As for `query`.
        """
        from anomaly.cli import answers

        asked = _asked(code, exporter, importer, period, None, currency)
        return _with_remarks(answers.routes_of(asked, None, self.folder), currency)

    def flags(
        self,
        code: str | None = None,
        exporter: str | None = None,
        importer: str | None = None,
        period: str | None = None,
    ) -> pl.DataFrame:
        """Flags, all of them or those of a good, a route or a window.

        Parameters
        ----------
        code, exporter, importer : str, optional
            As for `query`; all where it is not said.
        period : str, optional
            Only windows that lie in this period, of any length; all where it is not said.

        Returns
        -------
        polars.DataFrame
            Rows of the table flags, the highest priority first.

        Raises
        ------
        AnomalyError
            With what was expected, what came and what to do.
        """
        from anomaly.cli import answers

        return answers.flags_of(code, exporter, importer, period, self.folder)

    def series(
        self,
        code: str,
        exporter: str,
        importer: str,
        period: str | None = None,
        *,
        freq_code: str | None = None,
        source: str | None = None,
        currency: str = "USD",
    ) -> pl.DataFrame:
        """One route period by period, as its exporter and its importer report it.

        Parameters
        ----------
        code, exporter, importer : str
            As for `query`.
        period : str, optional
            As for `query`; every period where it is not said.
        freq_code : str, optional
            A or M; both where it is not said.
        source, currency : str, optional
            As for `query`.

        Returns
        -------
        polars.DataFrame
            A row a period; null is not reported, 0 is known to be nothing.

        Raises
        ------
        AnomalyError
            With what was expected, what came and what to do.

        Warns
        -----
        Remark
            Where trade is simulated, or there is no period.
        """
        from anomaly.cli import answers

        asked = _asked(code, exporter, importer, period, source, currency)
        return _with_remarks(answers.periods_of(asked, freq_code, self.folder), currency)

    def explain(self, subject: str) -> dict[str, Any]:
        """Everything about one flag, route or leg: what `anomaly explain` shows.

        Parameters
        ----------
        subject : str
            A flag's id, or CODE:EXPORTER:IMPORTER[:PERIOD].

        Returns
        -------
        dict of str to Any
            Named parts.

        Raises
        ------
        AnomalyError
            With what was expected, what came and what to do.
        """
        from anomaly.cli import explain

        return explain.parts_of(subject, self.folder)

    def _store(self) -> Store:
        from anomaly.cli.store import open_store

        return open_store(self.folder)


def open_data(folder: str | Path = "data/processed") -> Data:
    """Open the tables that a run wrote.

    Parameters
    ----------
    folder : str or pathlib.Path, optional
        As `make run DATA=<folder>` writes it.

    Returns
    -------
    Data
        To read and to ask.

    Raises
    ------
    SourceUnavailable
        Where there is no such folder.
    """
    data = Data(Path(folder))
    data._store()
    return data


def to_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    """A frame for those who go on in pandas: dates as datetimes, unknown amounts as missing and not as zero.

    Parameters
    ----------
    frame : polars.DataFrame
        Any that `Data` gives.

    Returns
    -------
    pandas.DataFrame
        Backed by Arrow, so that whole numbers with missing ones stay whole.

    Examples
    --------
    >>> import polars as pl
    >>> amounts = to_pandas(pl.DataFrame({"value_usd": [178_000_000, None]}))
    >>> str(amounts["value_usd"].dtype), int(amounts["value_usd"].isna().sum())
    ('int64[pyarrow]', 1)
    """
    return frame.to_pandas(use_pyarrow_extension_array=True)


def _asked(
    code: str, exporter: str | None, importer: str | None, period: str | None, source: str | None, currency: str
) -> Asked:
    from anomaly.cli.store import Asked

    return Asked(code, exporter, importer, period, source, currency)


def _with_remarks(answer: Answer, currency: str) -> pl.DataFrame:
    """The rows; each remark is a warning of the line that asked."""
    from anomaly.cli.store import in_currency

    remarks = list(answer.remarks)
    if answer.count > answer.rows.height:
        remarks.append(
            f"{answer.rows.height:,} of {answer.count:,} rows, flagged ones first, then the largest; limit=None gives all"
        )
    for remark in remarks:
        warnings.warn(remark, Remark, stacklevel=3)
    return in_currency(answer.rows, currency.upper())
