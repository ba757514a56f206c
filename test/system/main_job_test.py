#!/usr/bin/env python3
"""The main job on a running site: snapshot, compare, restore, and the journal of all that."""

import json
import math
import re
import unittest

from support import (NODES, Follower, Http, MachineTest, Operator, job_of, read_journal, wait_until)

QUAD = "QUAD:LI21:101"
KLYSTRON = "KLYS:LI21:104"
TYPES = "TYPE:LI21:105"
MARKER = "QUAD:LI21:101:CTRL.DESC"  # Written to see that the put log has all before; no PV of ours.

# What the operator writes, and how it goes over the wire.
CHANGES = {
    f"{QUAD}:BDES": 3.25,
    "XCOR:LI21:103:BDES": -0.0125,
    f"{KLYSTRON}:PDES": 33.5,
    f"{KLYSTRON}:TRIG": 4711,
    f"{KLYSTRON}:MODE": "Maintenance",
    f"{KLYSTRON}:NAME": "Station of somebody else",
    f"{KLYSTRON}:WFDES": [float(i) for i in range(64)],
    f"{TYPES}:LONG": 42,
    f"{TYPES}:LSO.VAL$": b"another note that is longer than the forty bytes of a DBR_STRING\0",
    f"{TYPES}:CHARS": bytes(range(16, 0, -1)),
}


class MainJob(MachineTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.operator = Operator(cls.sim)
        cls.addClassCleanup(cls.operator.close)
        cls.http = Http(cls.site)
        cls.marks = 0

    # ---- helpers --------------------------------------------------------------------------------

    def put(self, name, value):
        kind = Operator.CHAR if isinstance(value, bytes) else Operator.DOUBLE
        self.operator.put(name, value, kind)

    def put_log(self):
        """Every put that the machine has seen so far, as (PV, new value)."""
        type(self).marks += 1
        mark = f'"mark {self.marks}"'
        self.put(MARKER, mark.strip('"'))

        def whole():
            text = self.sim.put_log.read_text()
            return f"\t{MARKER}\t" in text and f"\t{mark}\t" in text and text
        text = wait_until(whole, 20, "the put log has the mark")
        puts = [line.split("\t") for line in text.splitlines()]
        return [(line[1], line[3]) for line in puts if line[1] != MARKER]

    def snapshot(self, title):
        return self.site.json("snapshot", "create", title)

    def values_of(self, title):
        """What a snapshot holds, by address."""
        values = {}
        for pv in self.site.json("snapshot", "show", title)["values_of"]:
            for side in ("setpoint", "readback"):
                if side in pv:
                    values[pv[side]["address"]] = pv[side]
        return values

    def setpoints_that_differ(self, title):
        done = self.site.cli("--json", "snapshot", "compare", title)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        document = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if document["different"] else 0)
        return {pv["name"] for pv in document["pvs"]
                if pv.get("setpoint", {}).get("difference", "equal") not in
                ("equal", "within tolerance")}

    def wait_for_differences(self, title, wanted):
        seen = []

        def same():
            seen.append(self.setpoints_that_differ(title))
            return seen[-1] == wanted
        try:
            wait_until(same, 20, f"{sorted(wanted)} differ")
        except Exception as error:
            self.fail(f"{error}; differ: {sorted(seen[-1])}")

    def live(self, name):
        """What the IOC has now, in the words of `pv get`."""
        return self.site.json("pv", "get", name, "--fresh")["values"][0]

    # ---- the site -------------------------------------------------------------------------------

    def test_status_says_that_all_is_well(self):
        status = self.site.json("status")
        self.assertTrue(status["well"])
        nodes = {node["name"]: node for node in status["nodes"]}
        self.assertLessEqual(set(NODES), set(nodes))
        for name in NODES:
            self.assertEqual(nodes[name]["state"], "alive")
            self.assertEqual(nodes[name]["status"]["warnings"], [])

    def test_figures_of_the_monitor_are_those_of_the_machine(self):
        wait_until(lambda: self.site.figure("monitor", "tidemark_monitor_connected")
                   == self.sim.ready["pvs"], 20, "the monitor counts what is connected")

    def test_pvs_are_listed_by_text_tag_and_glob(self):
        everything = self.site.json("pv", "list")
        self.assertEqual(everything["total"], self.sim.ready["csv_rows"])
        self.assertEqual(len({pv["id"] for pv in everything["pvs"]}), everything["total"])
        quads = self.site.json("pv", "list", "--name", "QUAD:*:BDES")["pvs"]
        self.assertTrue(quads)
        self.assertTrue(all(re.fullmatch(r"QUAD:.*:BDES", pv["setpoint"]) for pv in quads))
        self.assertIn(f"{QUAD}:BACT", [pv["readback"] for pv in quads])
        vacuum = self.site.json("pv", "list", "--tag", "Subsystem/Vacuum")["pvs"]
        self.assertTrue(vacuum)
        self.assertTrue(all("Subsystem/Vacuum" in pv["tags"] for pv in vacuum))
        self.assertEqual(self.site.json("pv", "list", "quad:li21:101", "--limit", "2")["total"], 6)

    def test_pv_get_has_what_the_machine_has(self):
        self.assertAlmostEqual(self.live(f"{QUAD}:BDES")["value"],
                               self.operator.get(f"{QUAD}:BDES"))
        value = self.site.json("pv", "get", f"{QUAD}:BMAX")["values"][0]
        self.assertEqual((value["value"], value["units"], value["state"], value["writable"]),
                         (20.0, "kG", "connected", False))
        self.assertEqual(len(self.site.json("pv", "get", f"{TYPES}:*")["values"]), 11)

    # ---- snapshot, compare, restore -------------------------------------------------------------

    def test_a_restore_writes_back_exactly_what_an_operator_changed(self):
        header = self.snapshot("before the change")
        self.assertEqual(header["pvs"], self.sim.ready["csv_rows"])
        self.assertEqual(header["values"], self.sim.ready["pvs"])
        self.assertEqual(header["missing"], 2 * self.sim.ready["csv_dead_rows"])
        self.assertTrue(header["monitor_alive"])
        saved = self.values_of("before the change")
        self.assertEqual(self.setpoints_that_differ("before the change"), set())

        for name, value in CHANGES.items():
            self.put(name, value)
        self.wait_for_differences("before the change", set(CHANGES))

        before = self.put_log()
        planned = self.site.cli("--json", "snapshot", "restore", "before the change", "--dry-run")
        plan = json.loads(planned.stdout)
        writes = {step["address"]: step for step in plan["steps"] if step["action"] == "write"}
        self.assertEqual(set(writes), set(CHANGES))
        self.assertEqual(plan["writes"], len(CHANGES))
        for name, step in writes.items():
            self.assertEqual(step["target"]["value"], saved[name]["value"], name)
        self.assertEqual(self.put_log(), before, "a dry run wrote")

        # Of PVs that nobody serves there is nothing to write back, and that is not a failure.
        restored = self.site.cli("--json", "snapshot", "restore", "before the change", "--yes",
                                 "--comment", "end of the study")
        job = json.loads(restored.stdout)
        outcome = job["restore"]
        self.assertEqual((outcome["confirmed"], outcome["verified"], outcome["unverified"],
                          outcome["unknown"], outcome["refused"]),
                         (len(CHANGES), len(CHANGES), 0, 0, 0), restored.stdout)
        self.assertEqual(restored.returncode, 0, restored.stderr)
        self.assertEqual(outcome["failures"], [])

        ours = self.put_log()[len(before):]
        self.assertEqual(sorted(name for name, _ in ours), sorted(CHANGES))
        for name, written in ours:
            self.assert_written(saved[name], written)
        self.wait_for_differences("before the change", set())
        self.check_order_in_the_journal(job["id"], header["job"])

    def assert_written(self, saved, written):
        """`written` is how the put log shows what a snapshot saved."""
        wanted = saved["value"]
        if isinstance(wanted, str) and written.startswith("["):  # A long string travels as char[].
            wanted = list(wanted.encode())
        if isinstance(wanted, list):
            cut = written.endswith(",...]")
            shown = json.loads(written.replace(",...]", "]"))
            self.assertEqual(shown, [*wanted, 0][:len(shown)], saved["address"])
            self.assertTrue(cut or len(shown) >= len(wanted), saved["address"])
        else:
            self.assertEqual(json.loads(written), wanted, saved["address"])

    def check_order_in_the_journal(self, restore, snapshot):
        lines = [line for line in read_journal(self.site) if job_of(line) == restore]
        at = {}
        for line in lines:
            at.setdefault(line["kind"], []).append(line)
        accepted, = at["JobAccepted"]
        finished, = at["JobFinished"]
        intents = {line["subject"]: line["line"] for line in at["PutIntended"]}
        confirmed = {line["subject"]: line["line"] for line in at["PutConfirmed"]}
        self.assertEqual(set(intents), set(CHANGES))
        self.assertEqual(set(confirmed), set(CHANGES))
        self.assertEqual(len(at["PutIntended"]), len(CHANGES))
        self.assertEqual(len(at["PutConfirmed"]), len(CHANGES))
        self.assertNotIn("PutRefused", at)
        for name in CHANGES:
            self.assertLess(accepted["line"], intents[name])
            self.assertLess(intents[name], confirmed[name])
            self.assertLess(confirmed[name], finished["line"])
        self.assertNotEqual(restore, snapshot)

    def test_a_restore_in_scope_leaves_the_rest_alone(self):
        self.snapshot("scope")
        before = self.put_log()
        self.put(f"{QUAD}:BDES", 1.75)
        self.put("XCOR:LI21:103:BDES", 0.01)
        self.wait_for_differences("scope", {f"{QUAD}:BDES", "XCOR:LI21:103:BDES"})
        done = self.site.cli("--json", "snapshot", "restore", "scope", "--name", "QUAD:*", "--yes")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        ours = self.put_log()[len(before) + 2:]
        self.assertEqual([name for name, _ in ours], [f"{QUAD}:BDES"])
        self.wait_for_differences("scope", {"XCOR:LI21:103:BDES"})
        self.put("XCOR:LI21:103:BDES", self.values_of("scope")["XCOR:LI21:103:BDES"]["value"])

    def test_a_restore_of_what_is_there_already_writes_nothing(self):
        self.snapshot("nothing to do")
        before = self.put_log()
        done = self.site.cli("snapshot", "restore", "nothing to do", "--name", "QUAD:*", "--yes")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("nothing to write", done.stderr)
        self.assertEqual(self.put_log(), before)

    def test_a_plan_that_is_another_by_now_is_not_carried_out(self):
        self.snapshot("stale plan")
        self.put(f"{QUAD}:BDES", 1.5)
        self.wait_for_differences("stale plan", {f"{QUAD}:BDES"})
        plan = self.site.json("snapshot", "restore", "stale plan", "--name", "QUAD:*", "--dry-run")
        self.put(f"{QUAD}:CTRL", "CALIB")
        self.wait_for_differences("stale plan", {f"{QUAD}:BDES", f"{QUAD}:CTRL"})
        before = self.put_log()
        done = self.site.cli("snapshot", "restore", "stale plan", "--name", "QUAD:*", "--plan-hash",
                             plan["hash"], "--yes")
        self.fails(done, 1, "nothing was written")
        self.assertEqual(self.put_log(), before)
        self.site.cli("snapshot", "restore", "stale plan", "--name", "QUAD:*", "--yes", check=True)

    def test_a_value_that_the_machine_clamps_is_reported_as_not_verified(self):
        self.put(f"{QUAD}:BDES", 19.0)
        wait_until(lambda: self.site.json("pv", "get", f"{QUAD}:BDES")["values"][0]["value"] == 19.0,
                   20, "the live table has the value")
        self.snapshot("at the limit")
        self.put(f"{QUAD}:BDES.DRVH", 10.0)
        self.put(f"{QUAD}:BDES", 1.0)
        try:
            self.wait_for_differences("at the limit", {f"{QUAD}:BDES"})
            done = self.site.cli("--json", "snapshot", "restore", "at the limit", "--name",
                                 f"{QUAD}:BDES", "--yes")
            job = json.loads(done.stdout)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertEqual(job["state"], "partially completed")
            self.assertEqual((job["restore"]["confirmed"], job["restore"]["verified"],
                              job["restore"]["unverified"]), (1, 0, 1))
            failure, = job["restore"]["failures"]
            self.assertEqual((failure["address"], failure["state"]),
                             (f"{QUAD}:BDES", "not verified"))
            self.assertIn("19", failure["reason"])
            self.assertIn("10", failure["reason"])
        finally:
            self.put(f"{QUAD}:BDES.DRVH", 20.0)
            self.put(f"{QUAD}:BDES", 1.0)

    def test_nan_long_strings_and_waveforms_survive_a_snapshot(self):
        note = f"{KLYSTRON}:NOTE.VAL$"
        wave = [math.nan, math.inf, -math.inf] + [0.5] * 61
        text = "grüße an die Schicht: " + "long " * 30
        had = self.values_of(self.snapshot("before the odd values")["id"])
        self.put(f"{TYPES}:DOUBLE", math.nan)
        self.put(f"{KLYSTRON}:WFDES", wave)
        self.put(note, text.encode() + b"\0")
        try:
            wait_until(lambda: self.live(f"{TYPES}:DOUBLE").get("special") == "nan"
                       and self.setpoints_that_differ("before the odd values") ==
                       {f"{TYPES}:DOUBLE", f"{KLYSTRON}:WFDES", note}, 20, "the values are there")
            self.snapshot("odd values")
            held = self.values_of("odd values")
            self.assertIsNone(held[f"{TYPES}:DOUBLE"]["value"])
            self.assertEqual(held[f"{TYPES}:DOUBLE"]["special"], "nan")
            self.assertEqual(held[f"{KLYSTRON}:WFDES"]["value"], [None] * 3 + [0.5] * 61)
            self.assertEqual(held[f"{KLYSTRON}:WFDES"]["special"],
                             {"0": "nan", "1": "inf", "2": "-inf"})
            self.assertEqual(held[note]["value"], text)
            self.assertEqual(len(held["BPMS:LI21:102:RAW"]["value"]), 32)
            self.assertEqual(self.setpoints_that_differ("odd values"), set())
            for pv in self.site.json("snapshot", "compare", "odd values", "odd values",
                                     "--all")["pvs"]:
                for side in ("setpoint", "readback"):
                    if side in pv and not pv["name"].startswith("DEAD:"):
                        self.assertEqual(pv[side]["difference"], "equal", pv["name"])
            # And they can be written back; not the scalar NaN, which its record calls INVALID.
            self.put(f"{KLYSTRON}:WFDES", [0.25] * 64)
            self.put(note, b"short\0")
            self.wait_for_differences("odd values", {f"{KLYSTRON}:WFDES", note})
            self.site.cli("snapshot", "restore", "odd values", "--name", "KLYS:*", "--yes",
                          check=True)
            self.wait_for_differences("odd values", set())
        finally:
            self.put(f"{TYPES}:DOUBLE", had[f"{TYPES}:DOUBLE"]["value"])
            self.put(f"{KLYSTRON}:WFDES", had[f"{KLYSTRON}:WFDES"]["value"])
            self.put(note, had[note]["value"].encode() + b"\0")

    # ---- writing one PV -------------------------------------------------------------------------

    def test_a_put_of_every_type_arrives(self):
        before = self.put_log()
        wanted = [("DOUBLE", "2.25", 2.25), ("DOUBLE", "-1e-3", -1e-3), ("FLOAT", "1.5", 1.5),
                  ("LONG", "-42", -42), ("SHORT", "77", 77), ("CHAR", "66", 66),
                  ("STRING", "new text, with a comma", "new text, with a comma"),
                  ("ENUM", "One", 1), ("ENUM", "0", 0), ("LONGS", "[1, 2, 3]", [1, 2, 3]),
                  ("LSO.VAL$", "x" * 100, "x" * 100)]
        for kind, text, value in wanted:
            with self.subTest(kind=kind, text=text):
                done = self.site.cli("--json", "pv", "put", f"{TYPES}:{kind}", "--comment", "test",
                                     "--", text)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                job = json.loads(done.stdout)
                self.assertEqual((job["type"], job["state"]), ("pv_put", "completed"))
                read = self.live(f"{TYPES}:{kind}")["value"]
                if kind == "LONGS":  # A shorter array is the whole value.
                    self.assertEqual(read[:3], value)
                else:
                    self.assertEqual(read, value)
        self.assertEqual([name for name, _ in self.put_log()[len(before):]],
                         [f"{TYPES}:{kind}" for kind, _, _ in wanted])

    def test_a_put_that_cannot_be_understood_is_not_sent(self):
        before = self.put_log()
        for name, text in ((f"{TYPES}:DOUBLE", "warm"), (f"{TYPES}:ENUM", "Nine"),
                           (f"{TYPES}:LONG", "1.5"), (f"{TYPES}:STRING", "x" * 41),
                           (f"{TYPES}:SHORT", "100000"), (f"{TYPES}:LONGS", str([1] * 17))):
            with self.subTest(name=name, text=text):
                done = self.site.cli("pv", "put", name, text)
                self.assertIn(done.returncode, (1, 2), done.stdout + done.stderr)
                self.assertIn(name, done.stdout + done.stderr)
        self.assertEqual(self.put_log(), before)

    def test_a_read_only_pv_refuses_a_put(self):
        before = self.put_log()
        for name in (f"{QUAD}:BMAX", f"{QUAD}:BACT"):
            with self.subTest(name=name):
                done = self.site.cli("pv", "put", name, "1.0")
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn(name, done.stdout + done.stderr)
        self.assertEqual(self.put_log(), before)
        self.assertEqual(self.operator.get(f"{QUAD}:BMAX"), 20.0)

    # ---- the journal ----------------------------------------------------------------------------

    def test_paging_through_the_journal_shows_every_line_once(self):
        wait_until(lambda: (self.site.figure("journal", "tidemark_journal_last_line") or 0) > 2500,
                   60, "the journal has more than two pages")
        last = self.site.figure("journal", "tidemark_journal_last_line")
        numbers = [line["line"] for line in read_journal(self.site)]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertGreaterEqual(len(numbers), last)
        newest = [json.loads(line)["line"] for line in self.site.cli(
            "--json", "log", "query", "--limit", "1500", check=True).stdout.splitlines()]
        self.assertEqual(newest, list(range(newest[0], newest[0] - 1500, -1)))

    def test_follow_shows_the_record_of_a_new_snapshot(self):
        last = int(self.site.figure("journal", "tidemark_journal_last_line"))
        follower = Follower(self.site, "--from", str(last), "--kind", "SnapshotTaken", "--text",
                            "to be followed", "--count", "1")
        try:
            self.snapshot("to be followed")
            self.assertEqual(follower.process.wait(20), 0)
        finally:
            follower.stop()
        line, = follower.lines
        self.assertEqual(line["kind"], "SnapshotTaken")
        self.assertGreater(line["line"], last)

    # ---- HTTP -----------------------------------------------------------------------------------

    def test_http_pages_through_all_pvs(self):
        self.assertEqual(self.http.json("GET", "/health"), {"status": "healthy"})
        seen, token = [], ""
        while token is not None:
            more = f"&continuationToken={token}" if token else ""
            page = self.http.json("GET", f"/v1/pvs/paged?pageSize=64{more}")
            self.assertEqual(page["totalCount"], self.sim.ready["csv_rows"])
            self.assertLessEqual(len(page["results"]), 64)
            seen += [pv["id"] for pv in page["results"]]
            token = page["continuationToken"]
        self.assertEqual(len(seen), self.sim.ready["csv_rows"])
        self.assertEqual(set(seen), {pv["id"] for pv in self.site.json("pv", "list")["pvs"]})

    def test_http_has_live_values(self):
        names = [f"{QUAD}:BDES", f"{KLYSTRON}:MODE", "DEAD:LI20:0000:BDES", "NO:SUCH"]
        live = self.http.json("POST", "/v1/pvs/live", {"pv_names": names})
        self.assertAlmostEqual(live[names[0]]["value"], self.operator.get(names[0]))
        self.assertTrue(live[names[0]]["connected"])
        self.assertEqual(live[names[0]]["units"], "kG")
        self.assertIn(live[names[1]]["value"], (0, 1, 2))
        self.assertFalse(live[names[2]]["connected"])
        self.assertNotIn("NO:SUCH", live)
        query = "&".join(f"pv_names={name}" for name in names)
        self.assertEqual(set(self.http.json("GET", f"/v1/pvs/live?{query}")), set(live))

    def test_http_takes_a_snapshot_as_a_job(self):
        made = self.http.json("POST", "/v1/snapshots", {"title": "by http", "description": "why"},
                              {"X-Tidemark-User": "anna@control"})

        def ended():
            job = self.http.json("GET", f"/v1/jobs/{made['jobId']}")
            return job["status"] in ("completed", "failed") and job
        job = wait_until(ended, 20, "the job ends")
        self.assertEqual((job["status"], job["type"], job["progress"]),
                         ("completed", "snapshot_create", 100))
        listed = self.http.json("GET", "/v1/snapshots?title=by%20http")
        self.assertEqual([(s["id"], s["title"], s["description"], s["createdBy"], s["pvCount"])
                          for s in listed],
                         [(job["resultId"], "by http", "why", "anna@control",
                           self.sim.ready["csv_rows"])])
        whole = self.http.json("GET", f"/v1/snapshots/{job['resultId']}")
        self.assertEqual(len(whole["pvValues"]), self.sim.ready["csv_rows"])
        self.assertEqual(self.http.ask("GET", "/v1/snapshots/nonsense")[0], 404)
        self.assertEqual(self.http.ask("POST", "/v1/snapshots", {"title": ""})[0], 422)

    def test_metrics_are_prometheus_text(self):
        status, text = self.http.ask("GET", "/metrics")
        self.assertEqual(status, 200)
        sample = re.compile(r'([a-zA-Z_:][\w:]*)(\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? '
                            r"([-+]?[0-9.eE+-]+|NaN|[-+]Inf)")
        typed, seen, nodes = set(), set(), set()
        for line in text.splitlines():
            if line.startswith("#"):
                words = line.split(" ", 3)
                self.assertIn(words[1], ("HELP", "TYPE"))
                if words[1] == "TYPE":
                    self.assertNotIn(words[2], typed, "two TYPE lines")
                    typed.add(words[2])
                continue
            match = sample.fullmatch(line)
            self.assertTrue(match, line)
            name, labels, _ = match.groups()
            self.assertNotIn((name, labels), seen)
            seen.add((name, labels))
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            self.assertTrue(name in typed or base in typed, f"{name} has no TYPE")
            nodes.update(re.findall(r'node="([^"]*)"', labels or ""))
        self.assertLessEqual(set(NODES), nodes)
        self.assertIn("tidemark_journal_last_line", {name for name, _ in seen})


if __name__ == "__main__":
    unittest.main()
