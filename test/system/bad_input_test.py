#!/usr/bin/env python3
"""What is wrong is refused with a message that says what and where, and changes nothing."""

import json
import shutil
import socket
import subprocess
import unittest

from support import (NODES, HarnessError, MachineTest, Site, free_port, logs_of,
                     processes_of, short_directory, tidemark, wait_until)


def run(*arguments, directory=None, timeout=60):
    return subprocess.run([str(tidemark()), *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=timeout, cwd=directory)


class SiteFile(unittest.TestCase):
    """What is not a good site file starts nothing, whichever command reads it."""

    def setUp(self):
        self.directory = short_directory("tm-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.file = self.directory / "site.toml"

    def refused(self, text, line, *parts):
        self.file.write_text(text)
        for command in (["up"], ["solo"], ["node", "registry"], ["status"]):
            with self.subTest(command=command):
                done = run("-c", self.file, *command)
                self.assertNotEqual(done.returncode, 0)
                for part in (f"site.toml:{line}", *parts):
                    self.assertIn(part, done.stderr)
        self.assertEqual(list(self.directory.iterdir()), [self.file], "something was made")

    def test_an_unknown_key_is_named_with_its_line(self):
        self.refused('[site]\nname = "x"\n\n[gateway]\nlistne = "127.0.0.1:1"\n', 5, "listne",
                     "listen")

    def test_an_unknown_table_is_named_with_its_line(self):
        self.refused('[site]\nname = "x"\n\n[gatewya]\nlisten = "127.0.0.1:1"\n', 4, "gatewya")

    def test_broken_toml_is_named_with_its_line(self):
        self.refused('[site]\nname = "x\n', 2)

    def test_a_value_of_the_wrong_type_is_named_with_its_line(self):
        self.refused('[site]\nname = "x"\n[epics]\nserver_port = "many"\n', 4, "server_port")
        self.refused('[site]\n[supervisor]\nbackoff_max = "soon"\n', 3, "backoff_max")

    def test_a_node_that_does_not_exist_is_named(self):
        self.refused('[site]\nnodes = ["registry", "barometer"]\n', 2, "barometer")

    def test_a_missing_site_file_is_named(self):
        for command in (["up"], ["status"], ["pv", "list"]):
            with self.subTest(command=command):
                done = run("-c", self.file, *command)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(str(self.file), done.stderr)
        done = run("status", directory=self.directory)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("site.toml", done.stderr)

    def test_without_a_running_system_every_command_says_so(self):
        self.file.write_text(f'[site]\nname = "x"\n[gateway]\nlisten = "127.0.0.1:{free_port()}"\n')
        for command in (["status"], ["pv", "list"], ["pv", "get", "A"], ["pv", "put", "A", "1"],
                        ["snapshot", "list"], ["snapshot", "create", "t"], ["log", "query"],
                        ["log", "follow", "--count", "1"], ["job", "list"], ["tag", "list"]):
            with self.subTest(command=command):
                done = run("-c", self.file, *command)
                self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
                self.assertIn("tidemark up", done.stderr)
                self.assertIn(str(self.file), done.stderr)


class RunningSite(MachineTest):
    machine = dict(pvs=60)

    def setUp(self):
        self.before = {name: node["pid"] for name, node in self.site.nodes().items()}

    def untouched(self):
        """Nothing died, and all of it answers."""
        self.assertTrue(self.site.well(), logs_of(self.site))
        self.assertEqual({name: node["pid"] for name, node in self.site.nodes().items()},
                         self.before)

    # ---- names ----------------------------------------------------------------------------------

    def test_a_pv_that_does_not_exist(self):
        self.fails(self.site.cli("pv", "get", "NO:SUCH:PV"), 1, "NO:SUCH:PV")
        self.fails(self.site.cli("pv", "get", "NO:SUCH:*"), 1, "NO:SUCH:*")
        self.fails(self.site.cli("pv", "put", "NO:SUCH:PV", "1"), 1, "NO:SUCH:PV")
        # One that is there is shown all the same.
        done = self.site.cli("--json", "pv", "get", "QUAD:LI21:101:BDES", "NO:SUCH:PV")
        self.fails(done, 1, "NO:SUCH:PV")
        self.assertEqual(json.loads(done.stdout)["values"][0]["address"], "QUAD:LI21:101:BDES")

    def test_a_pv_that_nobody_serves(self):
        done = self.site.cli("pv", "put", "DEAD:LI20:0000:BDES", "1")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("DEAD:LI20:0000:BDES", done.stderr)

    def test_a_pv_that_the_catalog_calls_read_only_refuses_a_put(self):
        """Also when its IOC would take the write."""
        csv = self.site.directory / "read_only.csv"
        csv.write_text("Setpoint,ReadOnly\nQUAD:LI21:101:CTRL,true\n")
        before = self.site.json("pv", "get", "QUAD:LI21:101:CTRL", "--fresh")["values"][0]
        self.assertTrue(before["writable"])
        self.site.cli("pv", "import", csv, check=True)
        try:
            done = self.site.cli("pv", "put", "QUAD:LI21:101:CTRL", "TRIM")
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("read-only", (done.stdout + done.stderr).lower())
            after = self.site.json("pv", "get", "QUAD:LI21:101:CTRL", "--fresh")["values"][0]
            self.assertEqual(after["value"], before["value"])
        finally:
            csv.write_text("Setpoint,ReadOnly\nQUAD:LI21:101:CTRL,false\n")
            self.site.cli("pv", "import", csv, check=True)

    def test_a_snapshot_that_does_not_exist(self):
        for command in (["show"], ["compare"], ["delete", "--yes"], ["restore", "--dry-run"],
                        ["restore", "--yes"]):
            with self.subTest(command=command):
                done = self.site.cli("snapshot", command[0], "no such snapshot", *command[1:])
                self.fails(done, 1, "no such snapshot")

    def test_a_snapshot_without_a_title(self):
        self.fails(self.site.cli("snapshot", "create", ""), 2, "title")

    def test_a_restore_without_a_terminal_needs_yes(self):
        self.site.cli("snapshot", "create", "for restore", check=True)
        last = self.site.figure("journal", "tidemark_journal_last_line")
        self.fails(self.site.cli("snapshot", "restore", "for restore"), 2, "--yes",
                   "Nothing was written")
        kinds = self.site.cli("log", "query", "--kind", "PutIntended,JobAccepted", "--limit", "0",
                              "--json", check=True).stdout
        self.assertFalse([line for line in map(json.loads, kinds.splitlines())
                          if line["line"] > last])

    def test_usage_errors_exit_with_2(self):
        for command in (["nonsense"], ["pv", "get"], ["log", "show", "nine"],
                        ["log", "query", "--kind", "Nonsense"], ["log", "query", "--since", "25:99"],
                        ["snapshot", "list", "--nonsense"]):
            with self.subTest(command=command):
                done = self.site.cli(*command)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertTrue(done.stderr)

    # ---- CSV ------------------------------------------------------------------------------------

    def test_a_bad_row_stops_the_import(self):
        csv = self.site.directory / "bad.csv"
        csv.write_text("Setpoint,Readback,AbsTolerance\n"
                       "NEW:1,NEW:1:RBV,0.5\n"
                       "NEW:2,NEW:2:RBV,much\n"
                       "NEW:3,,0\n"
                       ",,0\n")
        for more in ([], ["--dry-run"]):
            done = self.site.cli("pv", "import", csv, *more)
            self.fails(done, 2, f"{csv}:3:", f"{csv}:5:")
            self.assertEqual(self.site.json("pv", "list", "NEW:", "--limit", "100")["total"], 0)
        done = self.site.cli("pv", "import", csv, "--skip-bad")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{csv}:3:", done.stderr)
        listed = self.site.json("pv", "list", "NEW:", "--limit", "100")["pvs"]
        self.assertEqual([pv["setpoint"] for pv in listed], ["NEW:1", "NEW:3"])
        self.untouched()

    def test_a_file_that_is_no_csv(self):
        csv = self.site.directory / "nonsense.csv"
        csv.write_bytes(bytes(range(256)) * 20)
        done = self.site.cli("pv", "import", csv)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.fails(self.site.cli("pv", "import", self.site.directory / "not there.csv"), 2,
                   "not there.csv")
        csv.write_text("Name,Value\nA,1\n")
        self.fails(self.site.cli("pv", "import", csv), 2, "Setpoint")
        csv.write_text("")
        self.assertEqual(self.site.cli("pv", "import", csv).returncode, 2)
        self.untouched()

    # ---- twice ----------------------------------------------------------------------------------

    def test_a_second_up_on_the_site_is_refused(self):
        done = self.site.cli("up", timeout=30)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("in use", done.stderr)
        self.assertIn(str(self.site.directory), done.stderr)
        self.untouched()

    def test_solo_on_a_running_site_is_refused(self):
        done = self.site.cli("solo", timeout=30)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(str(self.site.directory), done.stderr)
        self.untouched()

    def test_a_second_node_on_the_data_of_the_first_is_refused(self):
        for node in NODES:
            with self.subTest(node=node):
                done = self.site.cli("node", node, timeout=30)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(str(self.site.directory), done.stderr)
        self.untouched()

    def test_a_journal_directory_that_another_site_file_names_is_refused(self):
        """Not the sockets but the store itself protects the journal."""
        other = self.site.directory / "other.toml"
        text = self.site.file.read_text().replace('data = "data"\n', 'data = "data"\nrun = "run2"\n')
        other.write_text(text)
        for node in ("journal", "keeper"):
            with self.subTest(node=node):
                done = run("-c", other, "node", node, timeout=30)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(f"{self.site.directory}/data/{node}", done.stderr)
        self.untouched()


class PortInUse(unittest.TestCase):
    def setUp(self):
        self.holder = socket.socket()
        self.addCleanup(self.holder.close)
        self.holder.bind(("127.0.0.1", 0))
        self.holder.listen()
        self.port = self.holder.getsockname()[1]

    def site(self, **more):
        site = Site(tidemark(), "127.0.0.1:1", port=self.port, **more)
        self.addCleanup(site.close)
        return site

    def test_the_gateway_names_the_port_and_ends(self):
        site = self.site(nodes=["registry", "journal", "keeper", "monitor"])
        site.up(seconds=30)
        done = site.cli("node", "gateway", timeout=30)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(str(self.port), done.stderr)
        self.assertIn("in use", done.stderr)

    def test_the_other_nodes_go_on_and_the_gateway_comes_when_it_can(self):
        site = self.site(extra='\n[supervisor]\nbackoff_max = "500ms"\nrestarts_max = 1000\n')
        try:
            site.up(seconds=0)
        except HarnessError:
            pass  # Not all nodes can be up.
        log = site.directory / "data/log/gateway.log"
        wait_until(lambda: log.exists() and str(self.port) in log.read_text(), 30,
                   "the gateway's log names the port")
        others = [name for name in NODES if name != "gateway"]

        def others_are_well():
            nodes = site.nodes()
            return all(name in nodes and nodes[name]["state"] == "alive" for name in others)
        wait_until(others_are_well, 30, "the other nodes are there")
        status = site.cli("--json", "status")
        self.assertEqual(status.returncode, 1)
        gateway, = [node for node in json.loads(status.stdout)["nodes"]
                    if node["name"] == "gateway"]
        self.assertFalse(gateway["status"])
        self.assertTrue(gateway["error"])
        self.assertIn("gateway", site.cli("status").stdout)
        self.assertEqual(site.cli("pv", "list").returncode, 0)
        self.holder.close()
        wait_until(site.well, 30, "the gateway is there")
        self.assertEqual(site.stop(), 0)
        wait_until(lambda: not processes_of(site), 10, "no process is left")


if __name__ == "__main__":
    unittest.main()
