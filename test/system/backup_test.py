#!/usr/bin/env python3
"""A running site's journal is looked at from beside, backed up, damaged, and restored."""

import json
import shutil
import unittest

from support import MachineTest, logs_of, read_journal, wait_until

STORE = "data/journal/store"


class Backup(MachineTest):
    machine = dict(pvs=100)

    def documents(self, *arguments):
        done = self.site.cli("--json", *arguments, check=True, timeout=120)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def last_line(self):
        line, = self.documents("log", "query", "--limit", "1")
        return line["line"]

    def test_1_stats_and_check_beside_the_running_journal(self):
        before = self.last_line()
        stats, = self.documents("journal", "stats")
        self.assertGreaterEqual(stats["last_line"], before)
        self.assertGreaterEqual(stats["channels"], self.sim.ready["pvs"])  # and readbacks
        self.assertIn("monitor", [each["origin"] for each in stats["origins"]])
        checked, = self.documents("journal", "check")
        self.assertTrue(checked["sound"], checked)
        self.assertGreaterEqual(checked["sound_lines"], stats["last_line"])
        running = self.documents("state", "--at", f"@{before}")
        offline = self.documents("state", "--at", f"@{before}", "--journal",
                                 str(self.site.directory / STORE))
        self.assertEqual(offline, running)
        refused = self.site.cli("journal", "rebuild")
        self.fails(refused, 1, "is held by process")

    def test_2_backup_restore_and_a_start_on_it(self):
        site = self.site
        kept = site.directory / "backups"
        site.cli("pv", "put", "QUAD:LI21:101:BDES", "2.5", check=True)
        before = self.last_line()
        first, = self.documents("journal", "backup", str(kept))
        self.assertGreaterEqual(first["last_line"], before)
        site.cli("pv", "put", "QUAD:LI21:101:BDES", "3.5", check=True)
        later = self.last_line()
        second, = self.documents("journal", "backup", str(kept))
        self.assertGreater(second["last_line"], first["last_line"])
        self.assertGreaterEqual(second["last_line"], later)
        self.assertGreater(second["linked_bytes"], 0)
        for backup in (first, second):
            checked, = self.documents("journal", "check", backup["directory"])
            self.assertTrue(checked["sound"] and checked["backup"], checked)
            self.assertEqual(checked["sound_lines"], backup["last_line"])
        lines = read_journal(site)[:second["last_line"]]

        self.assertEqual(site.stop(), 0, logs_of(site))
        shutil.move(site.directory / STORE, site.directory / "lost")
        site.cli("journal", "restore-backup", second["directory"], str(site.directory / STORE),
                 check=True)
        site.up(seconds=30)
        site.wait_connected(self.sim.ready["pvs"], 60)
        self.assertEqual(read_journal(site)[:second["last_line"]], lines)
        wait_until(lambda: self.last_line() > second["last_line"], 20, "the journal goes on")
        self.assertTrue(self.documents("journal", "check")[0]["sound"])

    def test_4_journal_and_catalog_together(self):
        site = self.site
        kept = site.directory / "machine"
        site.cli("snapshot", "create", "kept", check=True)
        first, = self.documents("backup", str(kept))
        site.cli("snapshot", "create", "in the second", check=True)
        # PVs are updated all the time meanwhile.
        second, = self.documents("backup", str(kept))
        self.assertGreater(second["last_line"], first["last_line"])
        self.assertGreater(second["linked_bytes"], 0)
        self.assertTrue(self.documents("journal", "check", second["journal"])[0]["sound"])
        taken = [line["line"] for line in read_journal(site, "--kind", "SnapshotTaken")]
        self.assertLessEqual(taken[-1], second["last_line"], "the journal knows of the snapshot")
        site.cli("snapshot", "create", "too late", check=True)
        kept_lines = read_journal(site)[:first["last_line"]]
        titles = self.titles()

        self.assertEqual(site.stop(), 0, logs_of(site))
        refused = site.cli("restore-backup", str(kept))
        self.fails(refused, 1, "is not empty")
        for name in ("journal", "keeper"):
            shutil.move(site.directory / f"data/{name}/store", site.directory / f"{name}.lost")
        done, = self.documents("restore-backup", str(kept))
        self.assertEqual((done["name"], done["last_line"]), (second["name"], second["last_line"]))
        site.up(seconds=30)
        site.wait_connected(self.sim.ready["pvs"], 60)
        self.assertEqual(self.titles(), [each for each in titles if each != "too late"])
        self.assertEqual(read_journal(site)[:first["last_line"]], kept_lines)
        shown = site.json("snapshot", "show", "in the second")
        self.assertTrue(shown, "its values are there")

        older, = self.documents("restore-backup", str(kept), "--name", first["name"], "--to",
                                str(site.directory / "drill"))
        self.assertEqual(older["last_line"], first["last_line"])
        drilled = self.documents("log", "query", "--limit", "1", "--journal",
                                 str(site.directory / "drill/journal/store"))
        self.assertEqual(drilled[0]["line"], first["last_line"])
        (kept / "catalog" / first["name"]).write_bytes(b"TMCATLG1 damaged")
        broken = site.cli("restore-backup", str(kept), "--name", first["name"], "--to",
                          str(site.directory / "drill2"))
        self.fails(broken, 1, "the backup of the catalog")
        self.fails(site.cli("restore-backup", str(site.directory)), 1, "no backup of a journal")

    def titles(self):
        return sorted(each["title"] for each in self.site.json("snapshot", "list"))

    def test_3_a_backup_into_nowhere_says_so(self):
        (self.site.directory / "file").write_text("x")
        done = self.site.cli("journal", "backup", str(self.site.directory / "file/backups"))
        self.fails(done, 3, "file/backups")


if __name__ == "__main__":
    unittest.main(verbosity=2)
