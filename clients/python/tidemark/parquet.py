"""An export of the journal as a Parquet file, for pandas, Polars, DuckDB and the like.

    tidemark log export --kind PvUpdate --from 'yesterday 00:00' | python3 -m tidemark.parquet day.parquet
    python3 -m tidemark.parquet day.parquet day.ndjson

Reads what `tidemark log export` writes as NDJSON, a row group at a time, so that no file is too
long. Needs pyarrow: pip install 'tidemark[parquet]'.

Values keep what they are: numbers of PVs, which all fit into a double exactly, and enums are in
`number`, strings in `string`, waveforms in `numbers` or `strings`; `type` says which. Times have
nanoseconds. What a record that is no PV update says is in `record`, as the export has it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import Any

FORMAT = "tidemark-journal"
ROWS = 100_000  # of a row group: some tens of MB in memory
SPECIAL = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


class NotAnExport(Exception):
    """With the number of the line that is none."""


def schema() -> Any:
    import pyarrow

    time = pyarrow.timestamp("ns", tz="UTC")
    word = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    return pyarrow.schema([
        ("line", pyarrow.int64()), ("recorded_at", time), ("origin", word),
        ("incarnation", pyarrow.int64()), ("sequence", pyarrow.int64()), ("kind", word),
        ("level", word), ("subject", word), ("text", pyarrow.string()), ("type", word),
        ("number", pyarrow.float64()), ("string", pyarrow.string()),
        ("numbers", pyarrow.list_(pyarrow.float64())),
        ("strings", pyarrow.list_(pyarrow.string())), ("severity", word), ("status", word),
        ("taken_at", time), ("record", pyarrow.string())])


def nanoseconds(text: str | None) -> int | None:
    """Since 1970, of "2026-11-21T14:05:00.123456789Z"."""
    if text is None:
        return None
    seconds, _, fraction = text.rstrip("Z").partition(".")
    whole = datetime.fromisoformat(seconds).replace(tzinfo=timezone.utc)
    return int(whole.timestamp()) * 1_000_000_000 + int(fraction.ljust(9, "0") or 0)


def value_of(document: dict[str, Any]) -> dict[str, Any]:
    """The columns of a PV's value."""
    value, special = document.get("value"), document.get("special")
    if isinstance(value, list):
        at = special or {}
        elements = [SPECIAL[at[str(i)]] if str(i) in at else each for i, each in enumerate(value)]
        of_text = str(document.get("type", "")).startswith("string")
        return {"strings": elements} if of_text else {"numbers": elements}
    if isinstance(special, str):
        return {"number": SPECIAL[special]}
    if isinstance(value, str):
        return {"string": value}
    return {} if value is None else {"number": float(value)}


def row(document: dict[str, Any]) -> dict[str, Any]:
    """One line of the journal."""
    out = {name: document.get(name) for name in (
        "line", "origin", "incarnation", "sequence", "kind", "level", "subject", "text", "type")}
    out["recorded_at"] = nanoseconds(document["recorded_at"])
    out["taken_at"] = nanoseconds(document.get("taken_at"))
    if "type" in document:
        out.update(value_of(document))
    alarm = document.get("alarm") or {}
    out.update(severity=alarm.get("severity"), status=alarm.get("status"))
    if "record" in document:
        out["record"] = json.dumps(document["record"], ensure_ascii=False)
    return out


def rows(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Of an export. Raises NotAnExport."""
    for number, text in enumerate(lines, 1):
        try:
            document = json.loads(text)
            if number == 1:
                if document.get("format") != FORMAT or document.get("v") != 1:
                    raise NotAnExport("line 1: this is no export of a journal (log export)")
                continue
            yield row(document)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotAnExport(f"line {number}: {error!r}") from error


def convert(lines: Iterable[str], path: str, rows_in_group: int = ROWS) -> int:
    """Writes the Parquet file, which has its name when it is whole. Answers how many lines.

    Raises NotAnExport; OSError.
    """
    import pyarrow
    from pyarrow import parquet

    wanted, draft, count = schema(), path + ".partial", 0
    group: list[dict[str, Any]] = []
    try:
        with parquet.ParquetWriter(draft, wanted, compression="zstd") as writer:
            for each in rows(lines):
                group.append(each)
                if len(group) == rows_in_group:
                    writer.write_table(pyarrow.Table.from_pylist(group, schema=wanted))
                    count, group = count + len(group), []
            if group:
                writer.write_table(pyarrow.Table.from_pylist(group, schema=wanted))
        os.replace(draft, path)
    finally:
        if os.path.exists(draft):
            os.remove(draft)
    return count + len(group)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m tidemark.parquet",
        description="Makes a Parquet file of what `tidemark log export` wrote as NDJSON.",
        epilog="example: tidemark log export --kind PvUpdate --from '1h ago' | "
               "python3 -m tidemark.parquet hour.parquet")
    parser.add_argument("output", help="the Parquet file")
    parser.add_argument("input", nargs="?", help="the export (default: standard input)")
    options = parser.parse_args(arguments)
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        print("tidemark.parquet: needs pyarrow: pip install 'tidemark[parquet]'", file=sys.stderr)
        return 1
    try:
        if options.input:
            with open(options.input, encoding="utf-8") as lines:
                count = convert(lines, options.output)
        else:
            count = convert(sys.stdin, options.output)
    except (NotAnExport, OSError) as error:
        print(f"tidemark.parquet: {error}", file=sys.stderr)
        return 1
    print(f"tidemark.parquet: {count} lines into {options.output}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
