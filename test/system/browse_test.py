#!/usr/bin/env python3
"""`tidemark browse` in a terminal: keys go in, and what a person would see comes out.

The terminal is a pseudo-terminal with pyte behind it, which is a terminal emulator as any other:
nothing is known of how the program paints its screen.
"""

import fcntl
import os
import pty
import signal
import struct
import termios
import threading
import unittest

import pyte

from support import MachineTest, read_journal, tidemark, wait_until

UP, DOWN, PAGE_DOWN = "\x1bOA", "\x1bOB", "\x1b[6~"
ENTER, CTRL_C, CTRL_L, CTRL_U = "\r", "\x03", "\x0c", "\x15"


class Terminal:
    """`tidemark` in a terminal of its own, as a shell would have started it."""

    def __init__(self, site, *arguments, rows=24, columns=80, term="screen-256color", env=None):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.lock = threading.Lock()
        self.bytes = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            environment = {**site.env, "TERM": term, **(env or {})}
            os.execve(site.executable,
                      [site.executable, "-c", str(site.file), *arguments], environment)
        self.before = termios.tcgetattr(self.fd)
        self.status = None
        self._size(rows, columns)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _size(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self):
        while True:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return
            if not data:
                return
            with self.lock:
                self.bytes += data
                self.stream.feed(data)

    def press(self, keys):
        os.write(self.fd, keys.encode())

    def resize(self, rows, columns):
        with self.lock:
            self.screen.resize(rows, columns)
        self._size(rows, columns)

    def rows(self):
        with self.lock:
            return [row.rstrip() for row in self.screen.display]

    def text(self):
        return "\n".join(self.rows())

    def status_row(self):
        return self.rows()[-1]

    def cursor_row(self):
        """The row that is shown in reverse, between the title and the status."""
        with self.lock:
            for y in range(1, self.screen.lines - 1):
                if self.screen.buffer[y][2].reverse:
                    return self.screen.display[y].rstrip()
        return ""

    def line(self):
        """The number of the line under the cursor, as the status says; 0 while it says none."""
        words = self.status_row().split()
        return int(words[-3]) if len(words) >= 3 and words[-2] == "of" else 0

    def color_of(self, text):
        """The colour in which the first such text is shown."""
        with self.lock:
            for y, row in enumerate(self.screen.display):
                if text in row:
                    return self.screen.buffer[y][row.index(text)].fg
        return None

    def until(self, condition, what, seconds=20):
        try:
            return wait_until(condition, seconds, what)
        except Exception as error:
            raise AssertionError(f"{error}; the screen is:\n{self.text()}") from None

    def shows(self, *parts, seconds=20):
        self.until(lambda: all(part in self.text() for part in parts), f"shows {parts}", seconds)

    def is_at(self, line, seconds=20):
        self.until(lambda: self.line() == line, f"is at line {line}", seconds)

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid == 0:
                return False
            self.status = os.waitstatus_to_exitcode(status)
        return True

    def wait(self):
        self.until(self.ended, "ends")
        self.thread.join(10)
        return self.status

    def close(self):
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        # It ends with the program. Another terminal may be given the number of a closed one, and
        # would have two readers.
        self.thread.join()
        os.close(self.fd)


class Browse(MachineTest):
    machine = dict(pvs=1000)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site.cli("log", "mark", "begin", "shift 12", check=True)
        cls.site.cli("log", "mark", "begin", "shot 7", check=True)
        cls.site.cli("log", "mark", "end", "shot 7", check=True)
        cls.site.cli("log", "mark", "end", "shift 12", check=True)
        wait_until(lambda: cls.last() > 4000, 60, "thousands of lines")
        cls.marks = {line["subject"] + line["kind"]: line["line"]
                     for line in read_journal(cls.site, "--kind", "MarkBegin,MarkEnd")}

    @classmethod
    def last(cls):
        return cls.site.json("log", "query", "--limit", "1")["line"]

    def browse(self, *arguments, **options):
        terminal = Terminal(self.site, "browse", *arguments, **options)
        self.addCleanup(terminal.close)
        return terminal

    def line_of(self, number):
        return self.site.json("log", "show", f"{number}..{number}")

    def begun(self, name):
        return next(line for key, line in self.marks.items()
                    if key.endswith("MarkBegin") and name in key)

    # ---- moving ---------------------------------------------------------------------------------

    def test_scrolls_over_thousands_of_lines(self):
        terminal = self.browse()
        terminal.until(lambda: terminal.line() > 4000, "begins at the end")
        newest = terminal.line()
        terminal.press("k" + UP)
        terminal.is_at(newest - 2)
        terminal.press("g")
        terminal.is_at(1)
        self.assertIn(self.line_of(1)["kind"], terminal.cursor_row())
        self.assertIn("     1 ", terminal.cursor_row())
        terminal.press("j" + DOWN)
        terminal.is_at(3)
        terminal.press(" " + PAGE_DOWN)
        terminal.is_at(3 + 2 * 22)
        # Faster than any answer: what could not be moved yet is moved when lines come.
        terminal.press(" " * 100)
        terminal.is_at(47 + 100 * 22)
        terminal.press("b")
        terminal.is_at(47 + 99 * 22)
        terminal.press("G")
        terminal.until(lambda: terminal.line() >= newest, "is at the end")

    def test_what_is_shown_is_what_the_journal_has(self):
        terminal = self.browse("--from", "@2000")
        terminal.is_at(2000)
        for row in terminal.rows()[1:-1]:
            number = int(row.split()[0])
            line = self.line_of(number)
            self.assertIn(line["recorded_at"][11:23], row)
            self.assertIn(line["kind"], row)
            self.assertIn(line["subject"][:12], row)

    # ---- filters and search ---------------------------------------------------------------------

    def test_filters_by_what_is_typed(self):
        terminal = self.browse()
        terminal.until(terminal.line, "has lines")
        terminal.press("f" + "kind=MarkBegin,MarkEnd" + ENTER)
        terminal.shows("kind=MarkBegin,MarkEnd", "shift 12", "shot 7")
        shown = [row for row in terminal.rows()[1:-1] if row]
        self.assertEqual(len(shown), 4)
        self.assertTrue(all("Mark" in row for row in shown), shown)
        terminal.press("f" + CTRL_U + "kind=Nonsense" + ENTER)
        terminal.shows("Nonsense' is no kind")
        terminal.press(CTRL_U + ENTER)
        terminal.shows("all lines")

    def test_filters_are_options_too(self):
        terminal = self.browse("--kind", "MarkBegin", "--in", "shift 12")
        terminal.shows("kind=MarkBegin in='shift 12'", "shot 7")

    def test_searches_through_the_journal(self):
        terminal = self.browse()
        terminal.until(terminal.line, "has lines")
        terminal.press("g/SHOT 7" + ENTER)
        terminal.is_at(self.begun("shot 7"))
        terminal.press("n")
        terminal.until(lambda: terminal.line() > self.begun("shot 7"), "the next one")
        terminal.press("N")
        terminal.is_at(self.begun("shot 7"))
        terminal.press("?no such thing" + ENTER)
        terminal.shows("'no such thing' is nowhere above")

    # ---- details, marks, times ------------------------------------------------------------------

    def test_details_are_the_whole_line(self):
        number = self.begun("shot 7")
        terminal = self.browse("--from", f"@{number}", rows=60, columns=120)
        terminal.is_at(number)
        terminal.press(ENTER)
        line = self.line_of(number)
        terminal.shows(line["recorded_at"], '"record": {', '"name": "shot 7"', '"who": ')
        terminal.press(ENTER)
        terminal.until(lambda: '"record"' not in terminal.text(), "closes the details")

    def test_marks_are_ranges_and_lead_from_one_to_the_next(self):
        terminal = self.browse("--from", "shift 12")
        terminal.is_at(self.begun("shift 12"))
        terminal.until(lambda: terminal.cursor_row().startswith("┌"), "a mark begins")
        terminal.press("]")
        terminal.is_at(self.begun("shot 7"))
        terminal.shows("begins here")
        terminal.press("k")
        terminal.shows(" shift 12")
        terminal.press("M")
        terminal.shows("marks, the newest first", "shift 12", "shot 7")
        terminal.press("G" + ENTER)
        terminal.is_at(self.begun("shift 12"))

    def test_jumps_to_a_time_and_back(self):
        terminal = self.browse()
        terminal.until(terminal.line, "has lines")
        begin = terminal.line()
        wanted = self.line_of(3000)["recorded_at"]
        terminal.press("ma" + "t" + wanted + ENTER)
        terminal.until(lambda: terminal.line() not in (0, begin), "jumps")
        line = self.line_of(terminal.line())
        self.assertEqual(line["recorded_at"], wanted)
        terminal.press("'a")
        terminal.is_at(begin)
        terminal.press("t25:99" + ENTER)
        terminal.shows("'25:99' is no moment")

    # ---- follow ---------------------------------------------------------------------------------

    def test_follows_while_lines_come(self):
        terminal = self.browse("--follow", "--kind", "MarkBegin,MarkEnd")
        terminal.shows("following", "shot 7")
        self.site.cli("log", "mark", "set", "seen at once", "--from", "-1s", "--to", "-0s",
                      check=True)
        terminal.shows("seen at once")
        terminal.press(CTRL_C)
        terminal.until(lambda: "following" not in terminal.text(), "ends following")
        terminal.press("f" + CTRL_U + ENTER + "F")
        terminal.shows("following", "all lines")
        before = terminal.line()
        terminal.until(lambda: terminal.line() > before, "goes on by itself")

    # ---- a directory -----------------------------------------------------------------------------

    def test_browses_the_directory_of_a_running_journal(self):
        store = str(self.site.directory / "data/journal/store")
        terminal = self.browse("--journal", store, "--from", f"@{self.begun('shot 7')}", columns=120)
        terminal.shows(store[:40], "shot 7")
        terminal.is_at(self.begun("shot 7"))
        terminal.press("G")
        terminal.until(lambda: terminal.line() > 4000, "is at the end")
        newest = terminal.line()
        wait_until(lambda: self.last() > newest, 20, "the journal goes on")
        terminal.press("F")
        terminal.shows("as it was when it was opened")
        terminal.press("g")
        terminal.is_at(1)
        terminal.press("G")
        terminal.is_at(newest)
        terminal.press("[")
        terminal.until(lambda: terminal.line() < newest, "marks are there")
        terminal.press("q")
        self.assertEqual(terminal.wait(), 0)

    # ---- the terminal ---------------------------------------------------------------------------

    def test_follows_the_size_of_the_window(self):
        terminal = self.browse("--from", "@2000")
        terminal.is_at(2000)
        terminal.resize(40, 160)
        terminal.until(lambda: len([row for row in terminal.rows() if row]) == 40, "fills 40 rows")
        self.assertIn(self.line_of(2000)["recorded_at"][:23], terminal.cursor_row())
        for rows, columns in ((1, 1), (2, 12), (5, 20), (24, 80)):
            terminal.resize(rows, columns)
            terminal.press(CTRL_L)
        terminal.is_at(2000)
        self.assertIn("2000", terminal.cursor_row())

    def test_levels_have_colours_unless_they_are_off(self):
        with self.subTest("on"):
            terminal = self.browse("--from", "shot 7")
            terminal.shows("shot 7")
            terminal.until(lambda: terminal.color_of("│") == "green", "a green mark")
        for options in (dict(env={"NO_COLOR": "1"}), dict(term="vt100")):
            with self.subTest(options):
                terminal = self.browse("--from", "shot 7", **options)
                terminal.shows("shot 7", "│")
                self.assertEqual(terminal.color_of("│"), "default")

    def check_sane(self, terminal):
        after = termios.tcgetattr(terminal.fd)
        self.assertEqual(after[:4], terminal.before[:4], "the modes of the terminal")
        self.assertIn(b"\x1b[?1049l", terminal.bytes, "the screen of before is back")
        self.assertFalse(terminal.screen.cursor.hidden, "the cursor is seen")

    def test_quitting_leaves_the_terminal_as_it_was(self):
        terminal = self.browse()
        terminal.until(terminal.line, "has lines")
        terminal.press("q")
        self.assertEqual(terminal.wait(), 0)
        self.check_sane(terminal)

    def test_signals_leave_the_terminal_as_it_was(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            with self.subTest(number):
                terminal = self.browse()
                terminal.until(terminal.line, "has lines")
                os.kill(terminal.pid, number)
                self.assertEqual(terminal.wait(), 0)
                self.check_sane(terminal)

    def test_without_a_terminal_it_says_what_to_use(self):
        self.fails(self.site.cli("browse"), 2, "needs a terminal", "log query")
        terminal = self.browse(term="dumb")
        terminal.shows("a terminal of type 'dumb'")
        self.assertEqual(terminal.wait(), 2)

    # ---- the journal goes -----------------------------------------------------------------------

    def test_follows_on_when_the_journal_was_killed(self):
        terminal = self.browse("--follow")
        terminal.until(terminal.line, "has lines")
        pid = self.site.nodes()["journal"]["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.site.nodes().get("journal", {}).get("pid", pid) != pid, 30,
                   "the journal was started again")
        before = terminal.line()
        terminal.until(lambda: terminal.line() > before, "follows on", 60)
        self.assertIn("following", terminal.text())

    def test_says_that_the_site_is_away_and_goes_on_when_it_is_back(self):
        terminal = self.browse()
        terminal.until(terminal.line, "has lines")
        terminal.press("k")
        self.site.stop()
        terminal.shows("the journal is away")
        before = terminal.line()
        terminal.press("kkk")
        terminal.is_at(before - 3)
        self.site.up(seconds=60)
        terminal.shows("the journal is back", seconds=60)
        terminal.press("G")
        terminal.until(lambda: terminal.line() > before, "has what came meanwhile", 60)


if __name__ == "__main__":
    tidemark()
    unittest.main(verbosity=2)
