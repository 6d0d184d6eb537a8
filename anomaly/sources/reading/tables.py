"""Tables of text as publishers send them, read strictly: what is not a whole table is refused.

Polars fills a short row with nulls, reads UTF-16 as letters with zeros between, and lets a stray quote swallow
the rows after it, all without a word. So the shape of a file is checked here first, over its bytes, and Polars
then reads what is known to be well formed. Every column is text; "NA" stays "NA"; an empty cell is null or "".
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.sources.reading.amounts import is_filled
from anomaly.sources.reading.layout import Layout
from anomaly.sources.reading.text import Text, refused

_BLOCK_BYTES = 2**24
_ROW = "row"
LONGEST_HEADER_BYTES = 2**17  # a thousand columns with long names; also what Python's reader of CSV takes as one cell


def read_text_csv(text: Text, name: str, layout: Layout | None = None) -> pl.DataFrame:
    """A whole table of text.

    Parameters
    ----------
    text : Text
        The whole file.
    name : str
        RawFile.name, for errors.
    layout : Layout or None
        None: commas, quotes, every column, none required.

    Returns
    -------
    polars.DataFrame
        `row` (Int64, 1 is the first row of data) and the columns as texts.

    Raises
    ------
    DataRejected
        As `text_csv_batches`.
    """
    return pl.concat(text_csv_batches(text, name, layout or Layout()), rechunk=False)


def text_csv_batches(text: Text, name: str, layout: Layout, batch_rows: int = 2_000_000) -> Iterator[pl.DataFrame]:
    """A table of text in frames, once the shape of the whole file was checked.

    Parameters
    ----------
    text : Text
        The whole file.
    name : str
        RawFile.name, for errors.
    layout : Layout
        The publisher's.
    batch_rows : int
        Most rows of a frame.

    Yields
    ------
    polars.DataFrame
        `row` (Int64, 1 is the first row of data) and the columns as texts; at least one frame, perhaps without rows.

    Raises
    ------
    DataRejected
        Naming file, row and column, for: an empty file, HTML or JSON in place of a table, a duplicate or missing column,
        a row shorter or longer than the header, an unclosed or stray quote.
    """
    _refuse_other_formats(text.content, name)
    from_header = _from_line(text.content, layout.header_line, name)
    text = Text(from_header, text.encoding)
    content, ends, separators = _without_blank_lines(text.content, *_records(text.content, name, layout))
    if layout.is_loose:
        content, ends, separators = _notes_as_rows(content, ends, separators, layout)
    text = Text(content, text.encoding)
    names = _header(text.content[: ends[0]], name, layout, from_header)
    extra = _extra_separators(separators, names, name, layout)
    schema = dict.fromkeys([*names, *["_extra"] * extra], pl.String())
    columns = [column for column in names if not layout.columns or column in layout.columns]
    for first in range(0, max(len(ends) - 1, 1), batch_rows):
        last = min(first + batch_rows, len(ends) - 1)
        frame = _records_parsed(text.content, ends, first, last, schema, layout)
        if frame is None:
            while last - first > 1:  # halve to the first row that breaks
                middle = (first + last) // 2
                is_before = _records_parsed(text.content, ends, first, middle, schema, layout) is None
                first, last = (first, middle) if is_before else (middle, last)
            raise refused(name, "quotes around whole cells", "a stray quote", row=first + 1)
        if extra:
            _refuse_filled_extra(frame, name)
        yield frame.select(_ROW, *columns)


def _records_parsed(
    content: bytes, ends: npt.NDArray[np.int64], first: int, last: int, schema: dict[str, pl.String], layout: Layout
) -> pl.DataFrame | None:
    """Records first to last, or None where their quotes make other rows or cells than their line ends say."""
    try:
        frame = _parsed(bytes(memoryview(content)[ends[first] : ends[last]]), schema, layout, first)
    except pl.exceptions.ComputeError:
        return None
    return frame if frame.height == last - first else None


def _parsed(content: bytes, schema: dict[str, pl.String], layout: Layout, first: int) -> pl.DataFrame:
    if not content:
        return pl.DataFrame(schema={_ROW: pl.Int64, **schema})
    return pl.read_csv(
        content,
        has_header=False,
        schema=schema,
        separator=layout.separator,
        quote_char=layout.quote,
        row_index_name=_ROW,
        row_index_offset=first + 1,
    ).with_columns(pl.col(_ROW).cast(pl.Int64))


def _refuse_other_formats(content: bytes, name: str) -> None:
    begin = content[:512].lstrip()[:1]
    if not begin:
        raise refused(name, "a header and rows", "an empty file")
    if begin in (b"<", b"{", b"["):
        kind = "HTML or XML" if begin == b"<" else "JSON"
        raise refused(name, "a table of text", f"{kind}: {content[:60].decode(errors='replace')!r}")


def _records(content: bytes, name: str, layout: Layout) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where each record ends (after its line end) and how many separators it has, both outside quotes.

    Empty lines at the end of the file are not records. Raises DataRejected where a quote is never closed.
    """
    size = len(content)
    while content[size - 1 : size] in (b"\r", b"\n"):
        size -= 1
    all_bytes = np.frombuffer(content, dtype=np.uint8, count=size)
    quote = layout.quote if layout.quote and layout.quote.encode() in content else None
    ends: list[npt.NDArray[np.int64]] = []
    counts: list[npt.NDArray[np.int64]] = []
    inside, pending = np.uint8(0), 0
    for start in range(0, size, _BLOCK_BYTES):
        block = all_bytes[start : start + _BLOCK_BYTES]
        is_event = (block == ord(layout.separator)) | (block == ord("\n"))
        if quote:
            parity = (np.cumsum(block == ord(quote), dtype=np.uint8) + inside) & np.uint8(1)
            is_event &= parity == 0
            inside = parity[-1]
        events = np.flatnonzero(is_event)
        line_ends = np.flatnonzero(block[events] == ord("\n"))
        ends.append(events[line_ends] + start + 1)
        between = np.diff(line_ends, prepend=-1) - 1
        if len(line_ends):
            between[0] += pending
            pending = len(events) - 1 - int(line_ends[-1])
        else:
            pending += len(events)
        counts.append(between)
    all_ends = np.append(np.concatenate(ends), len(content))
    all_counts = np.append(np.concatenate(counts), pending)
    if inside:
        row = _first_odd(all_counts, layout.trailing_separator)
        raise refused(name, "every quote closed", "one that is never closed", row=row)
    return all_ends, all_counts


def _first_odd(counts: npt.NDArray[np.int64], trailing: bool) -> int:
    """The first record that is neither as long as the header nor, where allowed, one longer; else the last record."""
    odd = np.flatnonzero((counts != counts[0]) & (counts != counts[0] + int(trailing)))
    return int(odd[0]) if len(odd) else len(counts) - 1


def _from_line(content: bytes, line: int, name: str) -> bytes:
    """The file from a line on."""
    start = 0
    for _ in range(line - 1):
        start = content.find(b"\n", start) + 1
        if not start:
            raise refused(
                name, f"a header in line {line}", f"{content.count(10) + 1} lines", row=0, hint="mend header_row"
            )
    return content[start:] if start else content


def _without_blank_lines(
    content: bytes, ends: npt.NDArray[np.int64], separators: npt.NDArray[np.int64]
) -> tuple[bytes, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The records without those that are a line end and nothing else, as every reader of CSV passes over them."""
    lengths = np.diff(ends, prepend=0)
    starts = ends - lengths
    cells = np.frombuffer(content, dtype=np.uint8)
    short = np.flatnonzero((separators == 0) & (lengths <= 3))
    blank = np.array(
        [index for index in short if not bytes(cells[starts[index] : ends[index]]).strip()], dtype=np.int64
    )
    if not len(blank) or len(blank) == len(ends):
        return content, ends, separators
    is_kept = np.ones(len(cells), dtype=bool)
    for index in blank:
        is_kept[starts[index] : ends[index]] = False
    lengths, separators = np.delete(lengths, blank), np.delete(separators, blank)
    kept_bytes = cells[is_kept].tobytes()
    trimmed = kept_bytes.rstrip(b"\r\n") + b"\n"
    ends = np.cumsum(lengths)
    ends[-1] = len(trimmed)
    return trimmed, ends, separators


def _notes_as_rows(
    content: bytes, ends: npt.NDArray[np.int64], separators: npt.NDArray[np.int64], layout: Layout
) -> tuple[bytes, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Lines without a separator under the table as rows with one cell, so that they are judged and counted as rows."""
    width = int(separators[0])
    last = len(separators)
    while last > 1 and separators[last - 1] == 0:
        last -= 1
    if width == 0 or last == len(separators):
        return content, ends, separators
    body = content[: ends[last - 1]]
    notes = [content[start:end].strip(b"\r\n") for start, end in zip(ends[last - 1 : -1], ends[last:], strict=True)]
    rows = [note + layout.separator.encode() * width + b"\n" for note in notes]
    note_ends = ends[last - 1] + np.cumsum([len(row) for row in rows])
    counts = np.concatenate([separators[:last], np.full(len(rows), width, dtype=separators.dtype)])
    return body + b"".join(rows), np.concatenate([ends[:last], note_ends]), counts


def refuse_long_header(size_bytes: int, name: str) -> None:
    """Refuse a table whose names are too long or too many to be a table's.

    Parameters
    ----------
    size_bytes : int
        Of the header line.
    name : str
        RawFile.name, for the error.

    Raises
    ------
    DataRejected
        Beyond LONGEST_HEADER_BYTES.
    """
    if size_bytes > LONGEST_HEADER_BYTES:
        expected = f"names of columns in at most {LONGEST_HEADER_BYTES:,} bytes"
        raise refused(name, expected, f"{size_bytes:,} bytes", row=0, hint="is it a table, with lines that end in LF?")


def _header(line: bytes, name: str, layout: Layout, content: bytes = b"") -> list[str]:
    refuse_long_header(len(line), name)
    text = line.decode().rstrip("\r\n")
    if "\r" in text:
        raise refused(name, "lines that end with LF or CRLF", "CR alone", row=0, hint="save it with LF line ends")
    if layout.quote:
        fields = next(csv.reader([text], delimiter=layout.separator, quotechar=layout.quote))
    else:
        fields = text.split(layout.separator)
    names = [text.strip() for text in fields]
    if layout.lower_names:
        names = [text.lower() for text in names]
    names = [layout.renamed.get(text, text) for text in names]
    if layout.is_loose:
        names = [text or f"column {number}" for number, text in enumerate(names, start=1)]
    names_before: set[str] = set()
    for title in names:
        if title in names_before:
            raise refused(name, "a name per column", "this name twice", row=0, column=title or "without a name")
        names_before.add(title)
    missing = [title for title in layout.required if title not in names_before]
    if missing:
        came = f"no column {', '.join(missing)}; there are {', '.join(names[:60])}"[:1000]
        hint = _where_they_are(content, layout) if layout.is_loose else ""
        raise refused(name, f"the columns {', '.join(layout.required)}", came, row=0, column=missing[0], hint=hint)
    return names


def _where_they_are(content: bytes, layout: Layout) -> str:
    """What to write into the mapping where another line has the names, or another mark separates them."""
    lines = [line.decode(errors="replace") for line in content[: 2**16].split(b"\n")[:60]]
    for separator in dict.fromkeys((layout.separator, ",", ";", "\t", "|")):
        for number, text in enumerate(lines):
            fields = {cell.strip().strip('"') for cell in text.strip("\r").split(separator)}
            if fields.issuperset(layout.required):
                settings = [] if number == 0 else [f"header_row = {layout.header_line + number}"]
                settings += [] if separator == layout.separator else [f'separator = "{separator}"'.replace("\t", "\\t")]
                return f"the names are there: say {' and '.join(settings)} in the mapping"
    return "name the columns as the file does, in [columns]; `anomaly map` on the file writes a first mapping"


def _extra_separators(counts: npt.NDArray[np.int64], names: list[str], name: str, layout: Layout) -> int:
    """0 where every row is as long as the header, 1 where every row ends with one allowed separator more."""
    rows = counts[1:]
    extra = int(layout.trailing_separator and len(rows) > 0 and rows[0] == len(names))
    odd = np.flatnonzero(rows != len(names) - 1 + extra)
    if len(odd):
        came = int(rows[odd[0]]) + 1
        column = names[came] if came < len(names) else f"after {names[-1]}"
        error = refused(
            name,
            f"{len(names) + extra} columns in every row",
            f"{came} columns, and {len(odd):,} such rows in all",
            row=int(odd[0]) + 1,
            column=column,
            hint="the file is cut or a quote or separator in it is wrong; fetch it again",
        )
        raise error
    return extra


def _refuse_filled_extra(frame: pl.DataFrame, name: str) -> None:
    filled = frame.filter(is_filled(pl.col("_extra")))
    if filled.height:
        row, value = filled.row(0, named=True)[_ROW], filled.row(0, named=True)["_extra"]
        raise refused(name, "nothing after the last separator", f"{value!r}", row=row, column="after the last")
