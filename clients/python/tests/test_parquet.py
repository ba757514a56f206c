"""An export of the journal as a Parquet file: what comes back is what went in."""

import json
import math
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tidemark.parquet import NotAnExport, convert, nanoseconds, row, rows

try:
    from pyarrow import parquet
except ImportError:
    parquet = None

HEADER = {"format": "tidemark-journal", "v": 1, "journal": "x", "exported_at": "x"}


def update(line, type_name, value, **more):
    return {"line": line, "recorded_at": "2026-11-21T14:05:00.123456789Z", "origin": "monitor",
            "incarnation": 7, "sequence": line, "kind": "PvUpdate", "level": "info",
            "subject": "QUAD:1", "text": str(value), "type": type_name, "value": value,
            "alarm": {"severity": "MINOR", "status": "LOW"},
            "taken_at": "2026-11-21T14:04:59.5Z", **more}


MARK = {"line": 9, "recorded_at": "2026-11-21T14:05:01Z", "origin": "cli", "incarnation": 0,
        "sequence": 1, "kind": "MarkBegin", "level": "info", "subject": "shot", "text": "begins",
        "record": {"name": "shot", "data": {"shot": 4711}}}


def export(*documents):
    return [json.dumps(each) + "\n" for each in (HEADER, *documents)]


class Rows(unittest.TestCase):
    def test_have_the_values_by_what_they_are(self):
        self.assertEqual(row(update(1, "double", 2.5))["number"], 2.5)
        self.assertEqual(row(update(1, "enum", 2))["number"], 2.0)
        self.assertEqual(row(update(1, "string", "on"))["string"], "on")
        self.assertEqual(row(update(1, "double[]", [1.0, None], special={"1": "-inf"}))["numbers"],
                         [1.0, -math.inf])
        self.assertEqual(row(update(1, "string[]", ["a", "b"]))["strings"], ["a", "b"])
        self.assertTrue(math.isnan(row(update(1, "double", None, special="nan"))["number"]))
        self.assertNotIn("number", row(update(1, "none", None)))

    def test_have_times_to_the_nanosecond(self):
        self.assertEqual(nanoseconds("1970-01-01T00:00:01.000000002Z"), 1_000_000_002)
        self.assertEqual(nanoseconds("2026-11-21T14:05:00Z") % 1_000_000_000, 0)
        self.assertEqual(row(update(1, "long", 3))["taken_at"] % 1_000_000_000, 500_000_000)

    def test_are_of_an_export_only(self):
        for lines in (["{}\n"], ["not json\n"], [json.dumps(MARK)], export({"line": 1})):
            with self.assertRaises(NotAnExport):
                list(rows(lines))


@unittest.skipIf(parquet is None, "pyarrow is not installed: nothing was written or read back")
class Files(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="tidemark-parquet-")
        self.addCleanup(directory.cleanup)
        self.path = str(Path(directory.name) / "out.parquet")

    def test_hold_every_line(self):
        written = [update(line, "double", line / 3) for line in range(1, 8)]
        self.assertEqual(convert(export(*written, MARK), self.path, rows_in_group=3), 8)
        table = parquet.read_table(self.path)
        self.assertEqual(table.column("line").to_pylist(), [1, 2, 3, 4, 5, 6, 7, 9])
        self.assertEqual(table.column("number").to_pylist(), [n / 3 for n in range(1, 8)] + [None])
        self.assertEqual(table.column("severity").to_pylist(), ["MINOR"] * 7 + [None])
        self.assertEqual(table.column("recorded_at")[0].value,
                         nanoseconds("2026-11-21T14:05:00.123456789Z"))
        self.assertEqual(json.loads(table.column("record")[7].as_py()), MARK["record"])
        self.assertEqual(parquet.ParquetFile(self.path).num_row_groups, 3)

    def test_of_a_broken_export_are_not_there(self):
        with self.assertRaises(NotAnExport):
            convert([*export(MARK), "broken\n"], self.path)
        self.assertEqual(list(Path(self.path).parent.iterdir()), [])

    def test_are_made_from_standard_input(self):
        done = subprocess.run([sys.executable, "-m", "tidemark.parquet", self.path],
                              input="".join(export(MARK)), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 lines into", done.stderr)
        self.assertEqual(parquet.read_table(self.path).num_rows, 1)
        wrong = subprocess.run([sys.executable, "-m", "tidemark.parquet", self.path],
                               input="{}\n", capture_output=True, text=True)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("no export of a journal", wrong.stderr)


class WithoutPyarrow(unittest.TestCase):
    def test_it_says_what_to_install(self):
        program = ("import sys; sys.modules['pyarrow'] = None; from tidemark.parquet import main; "
                   "sys.exit(main(['out.parquet']))")
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 1)
        self.assertIn("pip install 'tidemark[parquet]'", done.stderr)


if __name__ == "__main__":
    unittest.main()
