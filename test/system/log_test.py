#!/usr/bin/env python3
"""What programs and nodes say reaches the journal: once, in order, with its time, also when the
journal was away, when the program was killed, and what a dying node said last. And exports and
imports of it.
"""

import json
import os
import shutil
import signal
import subprocess
import unittest
from collections import Counter
from pathlib import Path

from support import SANITIZED, HarnessError, Site, logs_of, read_journal, short_directory, tidemark, wait_until

BUILD = Path(os.environ["TIDEMARK_BUILD"])
PEER = BUILD / "test/system/log_peer"
PATIENCE = 30


class Peer:
    """log_peer, as a process."""

    def __init__(self, site, name="talker"):
        self.process = subprocess.Popen([PEER, site.file, name], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=site.env)
        self.expect("ready")

    def expect(self, word):
        line = self.process.stdout.readline().strip()
        while line.startswith("["):  # What the library logs.
            line = self.process.stdout.readline().strip()
        if line != word:
            raise HarnessError(f"log_peer said '{line}'")

    def say(self, count, text):
        self.process.stdin.write(f"{count} {text}\n")
        self.process.stdin.flush()
        self.expect("said")

    def leave(self):
        """In order. Whether the journal has all of it."""
        self.process.stdin.close()
        status = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return status == 0

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class AJournalThatComesAndGoes(unittest.TestCase):
    """A registry that stays, a journal that the test starts and kills, and somebody who talks."""

    extra = ""

    def setUp(self):
        self.site = Site(tidemark(), "127.0.0.1", nodes=["registry"], extra=self.extra)
        self.addCleanup(self.site.close)
        self.site.up(PATIENCE)
        self.journal = None
        self.addCleanup(self.kill_journal)
        self.start_journal()

    def start_journal(self):
        with open(self.site.directory / "journal.log", "ab") as log:
            self.journal = subprocess.Popen(
                [self.site.executable, "-c", str(self.site.file), "node", "journal"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.site.env)

        def answers():
            return self.site.cli("log", "query", "--limit", "1").returncode == 0
        wait_until(answers, PATIENCE, "the journal answers")

    def kill_journal(self):
        if self.journal is not None:
            self.journal.kill()
            self.journal.wait()
            self.journal = None

    def peer(self):
        peer = Peer(self.site)
        self.addCleanup(lambda: peer.process.poll() is None and peer.kill())
        return peer

    def spooled(self, text, name="talker"):
        """Whether the text is on disk."""
        folder = self.site.directory / f"data/subsystems/{name}/spool"
        return any(text.encode() in file.read_bytes() for file in folder.glob("*.spool"))

    def wait_spooled(self, text):
        wait_until(lambda: self.spooled(text), PATIENCE, f"'{text}' is on disk")

    def said(self, text):
        """What the journal has of it, in order."""
        return [line for line in read_journal(self.site, "--kind", "LogMessage")
                if line["record"]["text"].startswith(text + " ")]

    def wait_said(self, text, count):
        try:
            wait_until(lambda: len(self.said(text)) >= count, PATIENCE, f"{count} of '{text}'")
        except HarnessError:
            raise HarnessError(f"{len(self.said(text))} of {count}\n" + logs_of(self.site))
        lines = self.said(text)
        self.assertEqual([line["record"]["data"]["number"] for line in lines],
                         list(range(count)), "once each, and in order")
        return lines

    def settled(self):
        """Nothing is left on disk."""
        folder = self.site.directory / "data/subsystems/talker/spool"
        wait_until(lambda: all(file.stat().st_size < 100 for file in folder.glob("*.spool")),
                   PATIENCE, "the spools are empty")


class WhatIsSaid(AJournalThatComesAndGoes):
    def test_is_held_while_the_journal_is_away(self):
        peer = self.peer()
        peer.say(10, "before")
        self.wait_said("before", 10)
        self.kill_journal()
        peer.say(3000, "meanwhile")
        self.start_journal()
        self.wait_said("meanwhile", 3000)
        self.settled()
        self.assertTrue(peer.leave())

    def test_is_found_by_expression_field_and_origin(self):
        for level, text, *fields in (("info", "valve 1 open", "shot=4711", "who=anna"),
                                     ("warning", "valve 2 shut", "shot=4712"),
                                     ("info", "gauge 3", "shot=4712")):
            self.site.cli("log", "write", level, text,
                          *(word for field in fields for word in ("--field", field)), check=True)

        def found(*filters):
            done = self.site.cli("--json", "log", "query", "--oldest-first", "--kind", "LogMessage",
                                 *filters, check=True)
            return [json.loads(line)["record"]["text"] for line in done.stdout.splitlines()]
        self.assertEqual(found("--regex", "^valve [0-9]"), ["valve 1 open", "valve 2 shut"])
        self.assertEqual(found("--regex", "(?i)GAUGE"), ["gauge 3"])
        self.assertEqual(found("--field", "data.shot>=4712", "--field", "level=info"), ["gauge 3"])
        self.assertEqual(found("--field", "data.shot!=4712", "--regex", "valve"), ["valve 1 open"])
        self.assertEqual(found("--origin", "nobody*"), [])
        followed = self.site.cli("--json", "log", "follow", "--from", "1", "--count", "1", "--for",
                                 "20s", "--field", "data.shot=4712", "--regex", "gauge", check=True)
        self.assertEqual(json.loads(followed.stdout)["record"]["text"], "gauge 3")
        wrong = self.site.cli("log", "query", "--regex", "valve (")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("--regex", wrong.stderr)

    def test_outlives_a_kill_of_who_said_it(self):
        peer = self.peer()
        peer.say(1, "first")
        life = self.wait_said("first", 1)[0]["incarnation"]
        self.kill_journal()
        peer.say(3000, "doomed")
        self.wait_spooled("doomed 2999")
        peer.kill()
        self.start_journal()
        self.assertEqual(self.said("doomed"), [])
        again = self.peer()
        again.say(5, "alive")
        lines = self.wait_said("doomed", 3000)
        self.assertEqual({line["incarnation"] for line in lines}, {life})
        said_at = {line["record"]["at"]["$time"] <= line["recorded_at"] for line in lines}
        self.assertEqual(said_at, {True}, "with the time at which it was said")
        later = self.wait_said("alive", 5)
        self.assertGreater(later[0]["incarnation"], life)
        self.assertGreater(later[0]["line"], lines[-1]["line"])
        self.settled()
        self.assertEqual(read_journal(self.site, "--kind", "Gap", "--subject", "talker"), [])
        self.assertTrue(again.leave())

    def test_outlives_an_end_in_order_without_the_journal(self):
        self.kill_journal()
        peer = self.peer()
        peer.say(100, "unheard")
        self.assertFalse(peer.leave(), "it says that the journal does not have it")
        self.start_journal()
        again = self.peer()
        self.wait_said("unheard", 100)
        self.assertTrue(again.leave())
        folder = self.site.directory / "data/subsystems/talker/spool"
        self.assertEqual(list(folder.iterdir()), [])

    def test_is_stored_once_by_a_journal_that_dies_all_the_time(self):
        peer = self.peer()
        for each in range(4):
            peer.say(2000, f"round{each}")
            self.kill_journal()
            self.start_journal()
        for each in range(4):
            self.wait_said(f"round{each}", 2000)
        self.assertTrue(peer.leave())


class ASpoolThatIsFull(AJournalThatComesAndGoes):
    extra = "\n[bus]\nspool_bytes_max = 65536\n"

    def test_leaves_a_gap_with_its_bounds(self):
        peer = self.peer()
        self.kill_journal()
        peer.say(2000, "kept")
        self.wait_spooled("kept 0")
        for each in range(100):  # one by one, so that they cannot be one section
            peer.say(20, f"crowd{each:02}")
        peer.kill()
        (spool,) = (self.site.directory / "data/subsystems/talker/spool").glob("*.spool")
        self.assertLessEqual(spool.stat().st_size, 65536)
        self.start_journal()
        again = self.peer()
        wait_until(lambda: read_journal(self.site, "--text", "its spool was full"), PATIENCE,
                   "the journal is told")
        (told,) = read_journal(self.site, "--text", "its spool was full")
        (gap,) = read_journal(self.site, "--kind", "Gap", "--subject", "talker")
        sequences = [line["sequence"] for line in read_journal(self.site)
                     if line["origin"] == "talker" and line["incarnation"] == told["incarnation"]]
        self.assertEqual(sequences, sorted(set(sequences)))
        missing = set(range(1, told["sequence"] + 1)) - set(sequences)
        record = gap["record"]
        self.assertEqual(missing, set(range(record["from"], record["to"] + 1)))
        self.assertGreater(len(missing), 0)
        self.assertTrue(again.leave())


class WhatNodesSay(unittest.TestCase):
    """The messages of our own nodes, to the last."""

    @classmethod
    def setUpClass(cls):
        cls.site = Site(tidemark(), "127.0.0.1", nodes=["registry", "journal", "keeper"])
        cls.addClassCleanup(cls.site.close)
        cls.site.up(PATIENCE)

    def messages(self, *filters):
        return read_journal(self.site, "--kind", "LogMessage", *filters)

    def wait_for(self, what, *filters):
        return wait_until(lambda: self.messages(*filters), PATIENCE, what)

    def test_is_recorded_with_its_level_and_its_time(self):
        line = self.wait_for("keeper says it runs", "--subject", "keeper", "--text", "is running")[0]
        self.assertEqual((line["origin"], line["level"]), ("keeper/log", "info"))
        self.assertLessEqual(line["record"]["at"]["$time"], line["recorded_at"])

    def restarted(self, node, number):
        def look():
            found = [line for line in read_journal(self.site, "--kind", "NodeRestarted",
                                                   "--subject", node)
                     if line["record"]["signal"] == number]
            return found[0] if found else None
        return wait_until(look, PATIENCE, f"{node} is restarted after signal {number}")

    def test_names_the_signal_of_which_a_node_died(self):
        self.wait_for("keeper says it runs", "--subject", "keeper", "--text", "is running")
        node = self.site.nodes()["keeper"]
        # A sanitizer has a handler of its own for a bad address.
        fatal = signal.SIGABRT if SANITIZED else signal.SIGSEGV
        os.kill(node["pid"], fatal)
        restarted = self.restarted("keeper", fatal)
        words = f"ended by {fatal.name}"
        self.assertIn(words, " ".join(restarted["record"]["last_words"]))
        line = self.wait_for("its last words", "--subject", "keeper", "--text", words)[0]
        self.assertEqual(line["level"], "error")
        self.assertEqual(line["incarnation"], node["incarnation"], "the dead one said it")
        self.assertEqual(line["record"]["data"], {"signal": int(fatal)})

    def test_is_all_there_after_a_kill(self):
        node = self.site.nodes()["keeper"]
        os.kill(node["pid"], signal.SIGKILL)
        restarted = self.restarted("keeper", signal.SIGKILL)
        self.assertTrue(restarted["record"]["last_words"])

        def of_the_next():
            return [line for line in self.messages("--subject", "keeper", "--text", "is running")
                    if line["incarnation"] > node["incarnation"]]
        wait_until(of_the_next, PATIENCE, "the next keeper says it runs")
        sequences = Counter((line["origin"], line["incarnation"], line["sequence"])
                            for line in self.messages())
        self.assertEqual([key for key, count in sequences.items() if count > 1], [])

    def test_is_delivered_by_the_next_start_when_the_journal_ended_first(self):
        self.site.stop()
        self.site.up(PATIENCE)
        self.wait_for("what the registry said at its end", "--subject", "registry", "--text",
                      "registry is stopping")


class Files(unittest.TestCase):
    """Out of one journal into another."""

    def setUp(self):
        self.directory = short_directory("tm-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def site(self, name):
        site = Site(tidemark(), "127.0.0.1", name=name, nodes=["registry", "journal"])
        self.addCleanup(site.close)
        site.up(PATIENCE)
        return site

    def export(self, site, name, *arguments):
        file = self.directory / name
        site.cli("log", "export", "-o", file, *arguments, check=True)
        return file

    @staticmethod
    def told(file):
        """Messages and marks of an export, without what each journal adds."""
        found = []
        for text in file.read_text().splitlines()[1:]:
            line = json.loads(text)
            record = dict(line["record"])
            if record.get("at") is None:
                record["at"] = {"$time": line["recorded_at"]}
            found.append((line["kind"], json.dumps(record, sort_keys=True)))
        return found

    def test_what_was_exported_comes_back_as_it_was(self):
        first = self.site("first")
        first.cli("log", "write", "warning", "pressure rises", "--field", "mbar=2.5e-6",
                  "--field", "gauges=[1, 2]", "--category", "vacuum", check=True)
        first.cli("log", "mark", "begin", "shot 1", "--tag", "beam", "--data", "n=3", check=True)
        first.cli("log", "mark", "end", "shot 1", check=True)
        kinds = "LogMessage,MarkBegin,MarkEnd"
        out = self.export(first, "out.ndjson", "--kind", kinds)
        second = self.site("second")
        imported = second.json("log", "import", out)
        self.assertEqual(imported["imported"], len(self.told(out)))
        again = second.json("log", "import", out)
        self.assertEqual((again["imported"], again["there_already"]), (0, len(self.told(out))))
        back = self.told(self.export(second, "back.ndjson", "--kind", kinds))
        for each in self.told(out):
            self.assertIn(each, back)
            back.remove(each)
        marks = second.json("log", "mark", "list", "--name", "shot*")
        marks = marks if isinstance(marks, list) else [marks]
        self.assertEqual([(mark["name"], mark["open"]) for mark in marks], [("shot 1", False)])

    def test_an_export_that_was_cut_goes_on(self):
        site = self.site("cut")
        for each in range(5):
            site.cli("log", "write", "info", f"message {each}", check=True)
        last = read_journal(site)[-1]["line"]
        whole = self.export(site, "whole.ndjson", "--to", f"@{last}").read_bytes()
        file = self.directory / "part.ndjson"
        file.write_bytes(whole[:len(whole) * 2 // 3])
        site.cli("log", "export", "-o", file, "--resume", "--to", f"@{last}", check=True)
        self.assertEqual(file.read_bytes(), whole)
        refused = site.cli("log", "export", "-o", file)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("--resume", refused.stderr)

    def segment(self, name, numbers, bad=False):
        file = self.directory / name
        with open(file, "w", encoding="utf-8") as out:
            for n in numbers:
                event = {0: "EVENT_BEGIN", 9: "EVENT_END"}.get(n % 10, "SW")
                json.dump({"v": 1, "origin": {"uuid": "00112233-4455-6677-8899-aabbccddeeff",
                                              "ts_ns": 1_600_000_000_000_000_000 + n * 1_000_000},
                           "seq": n, "level": "INFO", "msg": f"ipi {n}", "l_type": event,
                           "data": {"event_id": f"shot {n // 10}", "name": f"shot {n // 10}"},
                           "ingest_ts_ns": 1_600_000_001_000_000_000 + n}, out)
                out.write("\n")
            if bad:
                out.write('{"v": 1, "seq": "x"}\n')
        return file

    def test_segments_of_ipi_ecs_come_in_once_in_whatever_order(self):
        site = self.site("ipi")
        late, early, middle = (self.segment(f"{each}.ndjson", range(each, each + 30))
                               for each in (60, 0, 30))
        self.assertEqual(site.json("log", "import", late, "--dry-run")["imported"], 30)
        self.assertEqual(site.json("log", "import", late)["imported"], 30)
        self.assertEqual(site.json("log", "import", early)["imported"], 30)
        both = site.json("log", "import", early, middle)
        self.assertEqual((both["imported"], both["there_already"]), (30, 30))
        allthree = site.json("log", "import", late, early, middle)
        self.assertEqual((allthree["imported"], allthree["there_already"]), (0, 90))
        messages = [line for line in read_journal(site, "--kind", "LogMessage")
                    if line["record"]["source"].startswith("ipi-ecs/")]
        self.assertEqual(len(messages), 72)
        self.assertEqual(len({line["record"]["data"]["seq"] for line in messages}), 72)
        first = next(line for line in messages if line["record"]["text"] == "ipi 1")
        self.assertEqual(first["record"]["at"], {"$time": "2020-09-13T12:26:40.001000000Z"})
        marks = site.json("log", "mark", "list", "--name", "shot*")
        self.assertEqual(len(marks), 9)
        self.assertEqual({mark["open"] for mark in marks}, {False})
        self.assertEqual(read_journal(site, "--kind", "Gap"), [])

    def test_broken_lines_are_named_and_nothing_is_imported(self):
        site = self.site("broken")
        file = self.segment("bad.ndjson", range(10), bad=True)
        done = site.cli("log", "import", file)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"{file}:11: ", done.stderr)
        self.assertEqual([line for line in read_journal(site) if "ipi" in line["text"]], [])
        self.assertEqual(site.json("log", "import", file, "--skip-bad")["imported"], 10)


if __name__ == "__main__":
    unittest.main()
