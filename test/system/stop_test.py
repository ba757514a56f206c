#!/usr/bin/env python3
"""A site stops in order and begins again where it was; and a restore whose keeper dies ends once."""

import json
import os
import re
import signal
import subprocess
import time
import unittest
from collections import defaultdict

from support import (NODES, Follower, Http, MachineTest, Operator, is_running, job_of, logs_of,
                     processes_of, read_journal, wait_until)

STOP = 10.0  # Seconds for all nodes to end in order.


class Stop(MachineTest):
    def test_it_stops_in_order_and_begins_again_where_it_was(self):
        site = self.site
        site.cli("snapshot", "create", "kept", "--description", "for the next life", check=True)
        site.cli("pv", "put", "QUAD:LI21:101:BDES", "2.5", check=True)
        pvs = site.json("pv", "list", "--limit", "1000")
        snapshots = site.json("snapshot", "list")
        shown = site.json("snapshot", "show", "kept")
        tags = site.json("tag", "list")
        jobs = site.json("job", "list")
        self.assertEqual(len(jobs), 2)
        pids = {name: node["pid"] for name, node in site.nodes().items()}
        lines = read_journal(site)

        with self.subTest("stop"):
            began = time.monotonic()
            site.process.send_signal(signal.SIGTERM)
            site.process.wait(60)
            took = time.monotonic() - began
            print(f"stopped after {took:.2f} s", flush=True)
            self.assertEqual(site.stop(), 0, logs_of(site))
            self.assertLess(took, STOP)
            said = (site.directory / "up.log").read_text()
            self.assertEqual(re.findall(r"stopping (\w+)", said), list(reversed(NODES)))
            self.assertNotIn("did not stop in time", said)
            self.assertNotIn("could not be stopped", said)
            for name, pid in pids.items():
                self.assertFalse(is_running(pid), name)
            self.assertEqual(processes_of(site), [])
            for node in NODES:
                log = (site.directory / f"data/log/{node}.log").read_text()
                self.assertIn(f"{node} is stopping", log)
                if node != "registry":  # It alone outlives the journal.
                    self.assertNotIn("ending although", log)
        with self.subTest("a stopped site says so"):
            done = site.cli("status")
            self.assertEqual(done.returncode, 3)
            self.assertIn("tidemark up", done.stderr)

        site.up(seconds=30)
        site.wait_connected(self.sim.ready["pvs"], 60)
        self.assertEqual(site.json("pv", "list", "--limit", "1000"), pvs)
        self.assertEqual(site.json("snapshot", "list"), snapshots)
        self.assertEqual(site.json("snapshot", "show", "kept"), shown)
        self.assertEqual(site.json("tag", "list"), tags)
        self.assertEqual(site.json("job", "list"), jobs)
        again = read_journal(site)
        self.assertEqual(again[:len(lines)], lines)
        self.assertEqual([line["line"] for line in again], list(range(1, len(again) + 1)))
        ended = {line["subject"] for line in again[len(lines) - 1:] if line["kind"] == "NodeDown"}
        self.assertLessEqual({"gateway", "monitor", "keeper"}, ended, "who stopped is not recorded")
        for line in again:
            if line["kind"] == "NodeDown":
                self.assertIn("stopped", line["text"])
        defined = [line["subject"] for line in again if line["kind"] == "PvDefined"]
        self.assertEqual(len(defined), len(set(defined)), "a channel was defined twice")
        # And it goes on working.
        site.cli("snapshot", "create", "after the start", check=True)
        self.assertEqual(site.cli("snapshot", "compare", "kept", "kept").returncode, 0)

    def test_children_end_with_their_supervisor(self):
        """Nobody is left behind, so the next start finds its sockets and its stores free."""
        site = self.site
        pids = [node["pid"] for node in site.nodes().values()]
        site.process.kill()
        site.process.wait(10)
        site.stop()
        wait_until(lambda: not any(is_running(pid) for pid in pids), 30, "all nodes have ended")
        self.assertEqual(processes_of(site), [])
        site.up(seconds=30)
        site.wait_connected(self.sim.ready["pvs"], 60)
        self.assertTrue(site.well())


class Solo(MachineTest):
    """All nodes in one process: the same job, the same answers."""

    machine = dict(pvs=120)
    mode = "solo"

    def test_the_main_job_is_the_same(self):
        site, operator = self.site, Operator(self.sim)
        self.addCleanup(operator.close)
        self.assertEqual(len(processes_of(site)), 1)
        self.assertTrue(site.json("status")["well"])
        self.assertEqual({node["pid"] for node in site.nodes().values()}, {site.process.pid})
        site.cli("snapshot", "create", "before", check=True)
        had = operator.get("QUAD:LI21:101:BDES")
        operator.put("QUAD:LI21:101:BDES", had / 2)

        def differs():
            done = site.cli("--json", "snapshot", "compare", "before", "--name", "QUAD:*")
            names = {pv["name"] for pv in json.loads(done.stdout)["pvs"] if not pv["match"]}
            return "QUAD:LI21:101:BDES" in names
        wait_until(differs, 20, "the change is seen")
        plan = site.json("snapshot", "restore", "before", "--name", "QUAD:*", "--dry-run")
        self.assertEqual([step["address"] for step in plan["steps"] if step["action"] == "write"],
                         ["QUAD:LI21:101:BDES"])
        job = site.json("snapshot", "restore", "before", "--name", "QUAD:*", "--yes")
        self.assertEqual((job["state"], job["restore"]["verified"]), ("completed", 1))
        self.assertEqual(operator.get("QUAD:LI21:101:BDES"), had)
        kinds = [line["kind"] for line in read_journal(site) if job_of(line) == job["id"]]
        self.assertEqual([kind for kind in kinds if kind != "JobProgress"],
                         ["JobAccepted", "PutIntended", "PutConfirmed", "JobFinished"])
        self.assertEqual(Http(site).json("GET", "/health"), {"status": "healthy"})
        self.assertEqual(len(Http(site).json("GET", "/v1/snapshots")), 1)

        began = time.monotonic()
        lines = read_journal(site)
        self.assertEqual(site.stop(), 0)
        self.assertLess(time.monotonic() - began, STOP + 5)
        self.assertEqual(processes_of(site), [])
        # The same data serve the other mode.
        site.up(seconds=30)
        self.assertEqual(read_journal(site)[:len(lines)], lines)
        self.assertEqual([s["title"] for s in site.json("snapshot", "list")], ["before"])


class InterruptedRestore(MachineTest):
    """A node dies in the middle of a restore of many setpoints."""

    machine = dict(pvs=2000, profile="setpoints")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ioc = cls.sim.ready["iocs"][0]["pid"]
        cls.operator = Operator(cls.sim)
        cls.addClassCleanup(cls.operator.close)
        cls.site.cli("snapshot", "create", "start", check=True)
        cls.saved = {pv["setpoint"]["address"]: pv["setpoint"]["value"]
                     for pv in cls.site.json("snapshot", "show", "start")["values_of"]}

    def setUp(self):
        self.addCleanup(os.kill, self.ioc, signal.SIGCONT)
        # Away from all that was saved; the live table knows it before the restore is planned.
        self.operator.put_all({name: value + 1.0 for name, value in self.saved.items()})

        def all_differ():
            done = self.site.cli("--json", "snapshot", "compare", "start", "--limit", "1")
            return json.loads(done.stdout)["different"] == len(self.saved)
        wait_until(all_differ, 60, "all setpoints differ")

    def puts(self):
        """How often each PV was written, in all."""
        counts = defaultdict(int)
        for line in self.sim.put_log.read_text().splitlines():
            counts[line.split("\t")[1]] += 1
        return counts

    def settled_puts(self):
        """The same, once a put of our own has come after them."""
        name = next(iter(self.saved)) + ".DESC"
        text = f"mark {time.monotonic_ns()}"
        self.operator.put(name, text)
        wait_until(lambda: text in self.sim.put_log.read_text(), 20, "the put log has the mark")
        counts = self.puts()
        counts.pop(name)
        return counts

    def kill_amid_the_restore(self, node):
        """Begins a restore, kills `node` once the first intents are durable. Returns the job."""
        last = int(self.site.figure("journal", "tidemark_journal_last_line"))
        follower = Follower(self.site, "--from", str(last), "--kind", "PutIntended", "--count", "1")
        killed = self.site.nodes()[node]["pid"]
        restore = subprocess.Popen(
            [self.site.executable, "-c", str(self.site.file), "--json", "snapshot", "restore",
             "start", "--yes"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=self.site.env)
        try:
            wait_until(lambda: follower.lines or restore.poll() is not None, 60,
                       "the first intent is in the journal")
            os.kill(killed, signal.SIGKILL)
            # The machine answers again, if it was held.
            os.kill(self.ioc, signal.SIGCONT)
            said, errors = restore.communicate(timeout=90)
        finally:
            follower.stop()
            if restore.poll() is None:
                restore.kill()
                restore.communicate()
        self.assertTrue(follower.lines, said + errors)
        return job_of(follower.lines[0]), restore.returncode, said + errors

    def ended_job(self, job):
        def ended():
            done = self.site.cli("--json", "job", "show", job)
            if done.returncode != 0:
                return None
            state = json.loads(done.stdout)
            return state["state"] not in ("pending", "running") and state
        return wait_until(ended, 60, f"job {job} ends")

    def outcomes(self, job):
        """PVs by the kinds of the records that this job left about them."""
        kinds, finished = defaultdict(list), []
        for line in read_journal(self.site, "--text", job):
            if line["kind"].startswith("Put"):
                kinds[line["subject"]].append(line["kind"])
            elif line["kind"] == "JobFinished":
                finished.append(line["text"])
        for line in read_journal(self.site, "--subject", f"job {job}", "--kind", "JobFinished"):
            if line["text"] not in finished:
                finished.append(line["text"])
        return kinds, finished

    def check(self, node, state, hold=False):
        before = self.settled_puts()
        if hold:  # Nothing is confirmed until the node is dead.
            os.kill(self.ioc, signal.SIGSTOP)
        job, status, said = self.kill_amid_the_restore(node)
        ended = self.ended_job(job)
        wait_until(self.site.well, 60, "all is well again")
        self.site.wait_connected(len(self.saved), 60)
        # Time for anything that would be sent again: the restarted node has done its first work.
        self.site.cli("snapshot", "create", f"after the death of {node}", check=True)
        after = self.settled_puts()
        kinds, finished = self.outcomes(job)
        counted = defaultdict(int)
        for of_pv in kinds.values():
            counted[tuple(of_pv)] += 1
        sent = {name: after[name] - before[name] for name in self.saved}
        print(f"{node} killed: {ended['state']}, "
              + ", ".join(f"{count} {'+'.join(kind)}" for kind, count in sorted(counted.items()))
              + f", {sum(sent.values())} put", flush=True)
        self.assertIn(ended["state"], state, said)
        for name, of_pv in kinds.items():
            self.assertEqual(of_pv[0], "PutIntended", name)
            self.assertEqual(len(of_pv), 2, f"{name}: {of_pv}")
            self.assertIn(of_pv[1], ("PutConfirmed", "PutRefused", "PutUnknown"), name)
        self.assertEqual(len(finished), 1, finished)
        self.assertEqual({name: n for name, n in sent.items() if n > 1}, {}, "sent again")
        for name, n in sent.items():
            if n > 0:
                self.assertIn(name, kinds, "written without an intent")
            if kinds.get(name, [None])[-1] == "PutConfirmed":
                self.assertEqual(n, 1, f"{name} was confirmed and not written")
            if kinds.get(name, [None])[-1] == "PutRefused":
                self.assertEqual(n, 0, f"{name} was refused and written")
        outcome = ended["restore"]
        tally = {kind: sum(of_pv[-1] == kind for of_pv in kinds.values())
                 for kind in ("PutConfirmed", "PutRefused", "PutUnknown")}
        self.assertEqual((outcome["confirmed"], outcome["refused"], outcome["unknown"]),
                         (tally["PutConfirmed"], tally["PutRefused"], tally["PutUnknown"]))
        return ended, status, tally

    def test_a_keeper_killed_while_the_machine_does_not_answer(self):
        ended, status, tally = self.check("keeper", ("interrupted",), hold=True)
        self.assertEqual(status, 4)
        self.assertGreater(tally["PutUnknown"], 0)
        self.assertEqual(tally["PutConfirmed"], 0)

    def test_a_keeper_killed_while_puts_are_carried_out(self):
        ended, status, _ = self.check("keeper", ("interrupted", "completed"))
        self.assertEqual(status, 4 if ended["state"] == "interrupted" else 0)

    def test_a_monitor_killed_amid_a_restore(self):
        _, status, tally = self.check("monitor", ("partially completed", "failed"), hold=True)
        self.assertEqual(status, 4)
        self.assertGreater(tally["PutUnknown"], 0)

    def test_a_journal_killed_amid_a_restore(self):
        _, status, _ = self.check("journal", ("completed", "partially completed"))
        self.assertIn(status, (0, 1, 4))

    def test_a_restore_that_is_interrupted_can_be_done_again(self):
        done = self.site.cli("--json", "snapshot", "restore", "start", "--yes", timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(json.loads(done.stdout)["restore"]["verified"], len(self.saved))


if __name__ == "__main__":
    unittest.main()
