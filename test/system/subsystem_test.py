"""The examples as they run at a laboratory: real processes on a real bus, and the journal."""

import json
import os
import signal
import subprocess
import time
import unittest
from pathlib import Path

from support import Site, tidemark, wait_until

EXAMPLES = Path(os.environ["TIDEMARK_EXAMPLES"])


class Examples(unittest.TestCase):
    """A power supply, a shutter that may object, and an experiment."""

    @classmethod
    def setUpClass(cls):
        cls.site = Site(tidemark(), "127.0.0.1", nodes=["registry", "journal"])
        cls.site.up(30)
        cls.programs = {}
        cls.start("power_supply", "psu.1")
        cls.start("shutter_interlock", "shutter.1")

    @classmethod
    def tearDownClass(cls):
        for process in cls.programs.values():
            if process.poll() is None:
                process.terminate()
                process.wait(10)
        cls.site.close()

    @classmethod
    def start(cls, program, name):
        with open(cls.site.directory / f"{name}.log", "ab") as log:
            cls.programs[name] = subprocess.Popen(
                [EXAMPLES / program, name], env=cls.environment(), stdout=log, stderr=log)

    @classmethod
    def environment(cls):
        return dict(os.environ, TIDEMARK_SITE=str(cls.site.file))

    def cli(self, *arguments, **options):
        return self.site.cli(*arguments, **options)

    def json_lines(self, *arguments):
        """What a command prints: a document a line, or one list of them."""
        found = []
        for line in self.cli("--json", *arguments, check=True).stdout.splitlines():
            document = json.loads(line)
            found += document if isinstance(document, list) else [document]
        return found

    def peer(self, name):
        return next((p for p in self.json_lines("ls") if p["name"] == name), None)

    def wait_for(self, name, state="alive"):
        wait_until(lambda: (self.peer(name) or {}).get("state") == state, 10, f"{name} {state}")

    def test_says_how_it_is_started_instead_of_being_called_help(self):
        for program in ("power_supply", "shutter_interlock", "experiment"):
            ran = subprocess.run([EXAMPLES / program, "--help"], capture_output=True, text=True,
                                 env=self.environment(), timeout=10)
            self.assertEqual(ran.returncode, 2)
            self.assertTrue(ran.stderr.startswith(f"usage: {program} ["), ran.stderr)

    def experiment(self, *arguments):
        return subprocess.run([EXAMPLES / "experiment", *arguments], env=self.environment(),
                              capture_output=True, text=True, timeout=30)

    def test_a_closed_shutter_objects_and_an_open_one_lets_the_shot_be_taken(self):
        self.wait_for("psu.1")
        self.wait_for("shutter.1")
        self.cli("kv", "set", "shutter.1/state", "closed", check=True)
        refused = self.experiment("shot 1", "5")
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn("shutter.1 rejected: shutter closed", refused.stdout)

        self.cli("kv", "set", "shutter.1/state", "open", check=True)
        taken = self.experiment("shot 2", "5")
        self.assertEqual(taken.returncode, 0, taken.stdout + taken.stderr)
        self.assertIn("shot 2: 5.0 A", taken.stdout)

        def kinds():
            lines = self.json_lines("log", "query", "--subject", "shot 2", "--oldest-first")
            return [line["kind"] for line in lines]
        wait_until(lambda: kinds() == ["MarkBegin", "MarkEnd"], 10, "both marks in the journal")

        (shot,) = self.json_lines("log", "mark", "list", "--name", "shot 2")
        self.assertFalse(shot["open"])
        self.assertEqual((shot["tags"], shot["begin"]["data"]), (["shot"], {"amps": 5.0}))
        inside = self.json_lines("log", "query", "--in", "shot 2", "--oldest-first", "--limit", "0")
        self.assertEqual([inside[0]["kind"], inside[-1]["kind"]], ["MarkBegin", "MarkEnd"])
        self.assertEqual([each["line"] for each in (inside[0], inside[-1])],
                         [shot["begin"]["line"], shot["end"]["line"]])

    def test_no_shot_is_taken_past_a_closed_shutter_when_the_registry_has_just_started(self):
        self.wait_for("psu.1")
        self.wait_for("shutter.1")
        self.cli("kv", "set", "shutter.1/state", "closed", check=True)
        self.addCleanup(self.cli, "kv", "set", "shutter.1/state", "open")
        os.kill(self.peer("registry")["pid"], signal.SIGKILL)
        refused = self.experiment("shot 3", "5")
        self.assertEqual(refused.returncode, 1, refused.stdout + refused.stderr)
        self.assertIn("no: shutter.1 ", refused.stdout)  # rejected; late, on a machine with much to do

    def test_a_mark_set_from_the_command_line_outlives_the_journal(self):
        self.cli("log", "mark", "begin", "shift", "--tag", "operation", check=True)
        self.cli("log", "mark", "set", "dip", "--from", "-20s", "--to", "-10s", check=True)
        (dip,) = self.json_lines("log", "mark", "list", "--name", "dip")
        self.assertLess(dip["end"]["line"], dip["end"]["record"])
        os.kill(self.peer("journal")["pid"], signal.SIGKILL)
        wait_until(lambda: "shift" in self.cli("log", "mark", "list", "--open").stdout, 20,
                   "the journal back, with the mark open")
        self.cli("log", "mark", "end", "shift", check=True)
        again = self.cli("log", "mark", "end", "shift")
        self.assertNotEqual(again.returncode, 0)
        self.assertIn("has ended", again.stderr)

    def test_writes_are_validated_refused_with_a_reason_and_journaled(self):
        self.wait_for("psu.1")
        beyond = self.cli("kv", "set", "psu.1/setpoint", "140")
        self.assertNotEqual(beyond.returncode, 0)
        self.assertIn("above the limit of 100 A", beyond.stderr)
        self.cli("kv", "set", "psu.1/door_open", "true", check=True)
        refused = self.cli("kv", "set", "psu.1/setpoint", "1")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("interlock open", refused.stderr)
        items = self.json_lines("status-items", "psu.*")
        self.assertTrue(any(item["text"] == "door open" for item in items), items)
        self.cli("kv", "set", "psu.1/door_open", "false", check=True)
        self.cli("status-items", "ack", "psu.1", "interlock", check=True)
        wait_until(lambda: not self.json_lines("status-items", "psu.*"), 10, "no item shown")
        self.cli("kv", "set", "psu.1/setpoint", "2.5", check=True)

        def journaled():
            return [line["text"] for line in
                    self.json_lines("log", "query", "--subject", "psu.1/setpoint")]
        wait_until(lambda: any("2.5" in text for text in journaled()), 10, "the write in the journal")

    def test_a_mark_is_where_following_begins(self):
        self.wait_for("psu.1")
        self.cli("kv", "set", "psu.1/setpoint", "7", check=True)
        self.cli("log", "mark", "begin", "ramp", check=True)
        self.cli("kv", "set", "psu.1/setpoint", "8", check=True)
        (update,) = self.json_lines("kv", "watch", "psu.1/setpoint", "--durable", "--from", "ramp",
                                    "--count", "1", "--for", "20s")
        self.assertEqual(update["value"], 8)
        (line,) = self.json_lines("log", "follow", "--from", "ramp", "--count", "1", "--for", "20s")
        self.assertEqual((line["kind"], line["subject"]), ("MarkBegin", "ramp"))
        unknown = self.cli("log", "follow", "--from", "no such mark")
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("no such mark", unknown.stderr)

    def test_a_durable_watch_outlives_the_journal(self):
        self.start("power_supply", "psu.7")
        self.wait_for("psu.7")
        watch = subprocess.Popen(
            [self.site.executable, "-c", str(self.site.file), "--json", "kv", "watch",
             "psu.7/setpoint", "--durable", "--from", "1", "--count", "6", "--for", "60s"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.site.env)
        self.addCleanup(watch.kill)
        for amps in (1, 2, 3):
            self.cli("kv", "set", "psu.7/setpoint", str(amps), check=True)
        os.kill(self.peer("journal")["pid"], signal.SIGKILL)
        for amps in (4, 5, 6):
            self.cli("kv", "set", "psu.7/setpoint", str(amps), check=True)
        out, err = watch.communicate(timeout=90)
        self.assertEqual(watch.returncode, 0, err)
        updates = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([each["value"] for each in updates], [1, 2, 3, 4, 5, 6], err)
        self.assertEqual({each["missed"] for each in updates}, {0})
        lines = [each["line"] for each in updates]
        self.assertEqual(lines, sorted(set(lines)))
        self.assertIn("psu.7/setpoint is not journaled", err)
        self.assertIn("the journal is away", err)

    def test_what_was_called_from_a_command_line_is_journaled(self):
        self.cli("event", "call", "degauss", "--to", "psu.1")
        lines = self.json_lines("log", "query", "--subject", "degauss", "--oldest-first")
        kinds = [line["kind"] for line in lines]
        # The command has waited until the journal had it.
        self.assertEqual(kinds[0], "EventCalled")
        self.assertEqual(kinds[-1], "EventAnswered")
        self.assertIn("EventFeedback", kinds)

    def test_killed_subsystem_is_disconnected_within_its_lease_and_comes_back(self):
        self.start("power_supply", "psu.9")
        self.wait_for("psu.9")
        process = self.programs["psu.9"]
        process.send_signal(signal.SIGKILL)
        process.wait()
        began = time.monotonic()
        self.wait_for("psu.9", "disconnected")
        self.assertLess(time.monotonic() - began, 5)
        self.start("power_supply", "psu.9")
        self.wait_for("psu.9")

    def test_second_start_of_a_name_takes_the_place_of_the_first(self):
        self.start("power_supply", "psu.8")
        self.wait_for("psu.8")
        first = self.programs["psu.8"]
        self.start("power_supply", "psu.8")
        self.assertEqual(first.wait(10), 1)
        self.assertIn("superseded", (self.site.directory / "psu.8.log").read_text())
        self.wait_for("psu.8")


if __name__ == "__main__":
    unittest.main(verbosity=2)
