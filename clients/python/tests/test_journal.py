"""What a program says to the journal arrives once and in order, also when the journal was away."""

import os
import signal
import threading
import time
import unittest

from tidemark import InvalidArgument, Kind, Query, Timestamp, Unavailable
from tidemark.outbox import KV_UPDATE, LOG_MESSAGE, Outbox

from .real_site import SiteTest


class TheJournal(SiteTest):
    def test_has_what_was_said_in_order(self):
        client = self.client()
        for each in range(50):
            client.log("warning", f"line {each}")
        self.until(lambda: len(self.lines(client, text="line", subject=client.name)) == 50, "all lines")
        lines = self.lines(client, text="line ", subject=client.name, kinds=(Kind.LOG_MESSAGE,))
        self.assertEqual([each.text for each in lines], [f"line {each}" for each in range(50)])
        self.assertEqual(lines[0].record[:6], [16, 2, client.name, "line 0", None, ""])
        self.assertLess(abs(lines[0].record[6] - lines[0].recorded_at), 60e9)
        self.assertEqual(self.lines(client, text="line", level=3), [])
        with self.assertRaises(InvalidArgument):
            client.log("loud", "x")

    def test_has_the_fields_of_what_was_said(self):
        client = self.client()
        client.log("info", "beam on", {"shot": 4711, "target": "Al"}, category="beam")
        self.until(lambda: self.lines(client, text="beam on"), "the line")
        (line,) = self.lines(client, text="beam on")
        self.assertEqual(line.record[3:6], ["beam on", {"shot": 4711, "target": "Al"}, "beam"])
        self.assertEqual(line.text, 'beam on, {shot: 4711, target: Al}')

    def test_has_marks_around_a_with(self):
        client = self.client()
        with self.assertRaises(ZeroDivisionError):
            with client.mark("shot", data={"number": 5}, tags=["test"]) as mark:
                1 / 0
        self.until(lambda: len(self.lines(client, subject="shot")) == 2, "both ends")
        begin, end = self.lines(client, subject="shot")
        self.assertEqual((begin.kind, end.kind), (Kind.MARK_BEGIN, Kind.MARK_END))
        self.assertEqual(begin.record[1:4], [mark.id.bytes, "shot", ["test"]])
        self.assertEqual(begin.record[5], {"number": 5})

    def test_finds_lines_by_expression_field_and_origin(self):
        client = self.client()
        for text in ("valve 1 open", "valve 2 shut", "gauge 3"):
            client.log("info", text)
        self.until(lambda: len(self.lines(client, regex="^(valve|gauge) [0-9]")) == 3, "all lines")
        origin = self.lines(client, text="valve 1")[0].origin
        self.assertEqual(len(self.lines(client, regex="^(valve|gauge)", origin=origin)), 3)
        self.assertEqual(self.lines(client, regex="^(valve|gauge)", origin="nobody*"), [])
        self.assertEqual([each.text for each in self.lines(client, regex="valve [0-9] (open|shut)")],
                         ["valve 1 open", "valve 2 shut"])
        self.assertEqual([each.text for each in self.lines(
            client, fields=(f"source={client.name}", "text!=gauge 3"), regex="^v.*t$")],
                         ["valve 2 shut"])
        for wrong in ({"regex": "("}, {"fields": ("usr=anna",)}):
            with self.assertRaises(InvalidArgument):
                client.read(Query(**wrong))

    def test_has_marks_that_were_set_after_the_fact(self):
        client = self.client()
        client.log("info", "within")
        self.until(lambda: self.lines(client, text="within"), "a line")
        (line,) = self.lines(client, text="within")
        begin, end = (Timestamp(line.recorded_at + each) for each in (-1, 1))
        client.mark_between("dip", begin, end, data=4711)
        self.until(lambda: len(self.lines(client, subject="dip")) == 2, "both ends")
        self.assertEqual(self.lines(client, subject="dip")[0].record[5:], [4711, begin.ns])
        inside = client.read(Query(mark="dip")).lines
        self.assertEqual([each.text for each in inside], ["within"])

    def test_has_what_was_written_and_what_its_owner_wants_recorded(self):
        psu = self.subsystem("psu.1")
        psu.publish("kept", "int64", journaled=True).set(1)
        psu.publish("loose", "int64").set(1)
        psu.writable("setpoint", "int64")
        psu.publish("preset", "int64", journaled=True, default=3)
        psu.publish("unset", "int64", journaled=True)
        self.start(psu)
        psu.publish("late", "int64", journaled=True, default=4)
        client = self.client()
        client.key("psu.1/setpoint").set(5)
        self.until(lambda: self.lines(client, kinds=(5,), subject="psu.1/setpoint"), "the write")
        (line,) = self.lines(client, kinds=(5,), subject="psu.1/setpoint")
        self.assertEqual((line.origin, line.record[1:3], line.record[4:]),
                         ("psu.1", ["psu.1/setpoint", 5], [client.name, 1]))
        for key, value in (("kept", 1), ("preset", 3), ("late", 4)):  # what each starts with
            self.until(lambda: self.lines(client, subject=f"psu.1/{key}"), key)
            (line,) = self.lines(client, subject=f"psu.1/{key}")
            self.assertEqual((line.record[2], line.record[5]), (value, 1))
        for key in ("loose", "unset"):
            self.assertEqual(self.lines(client, subject=f"psu.1/{key}"), [])

    def test_has_the_calls_of_subsystems(self):
        psu, caller = self.subsystem("psu.2"), self.subsystem("caller")
        psu.on_event("go", lambda call: call.feedback("going"))
        self.start(psu)
        self.start(caller)
        self.assertTrue(caller.call("go", 5))
        client = self.client()
        self.until(lambda: len(self.lines(client, kinds=(6, 7, 8))) == 3, "all three")
        lines = self.lines(client, kinds=(6, 7, 8))
        self.assertEqual([each.kind for each in lines], [6, 7, 8])
        self.assertEqual(lines[0].record[2:], ["go", "caller", ["psu.2"], 5])
        self.assertEqual(lines[2].record[3:5], ["psu.2", "done"])

    def test_is_followed_from_now_on_and_from_a_line(self):
        client, other = self.client(), self.client()
        following = client.follow(kinds=(Kind.LOG_MESSAGE,), text="followed")
        heard = []
        enough = threading.Event()

        def follow():
            for line in following:
                heard.append(line)
                if len(heard) == 20:
                    enough.set()
                    return

        thread = threading.Thread(target=follow)
        thread.start()
        for each in range(20):
            other.log("info", f"followed {each}")
        self.assertTrue(enough.wait(20))
        thread.join()
        self.assertEqual([each.text for each in heard], [f"followed {each}" for each in range(20)])
        again = client.follow(heard[10].line, text="followed")
        self.assertEqual(next(again), heard[10])

    def test_is_read_by_time_and_newest_first(self):
        client = self.client()
        client.log("info", "timed one")
        self.until(lambda: self.lines(client, text="timed one"), "the first")
        between = Timestamp(time.time_ns())
        client.log("info", "timed two")
        self.until(lambda: self.lines(client, text="timed two"), "the second")
        texts = lambda **options: [  # noqa: E731
            each.text for each in self.lines(client, text="timed", **options)]
        self.assertEqual(texts(since=between), ["timed two"])
        self.assertEqual(texts(until=between), ["timed one"])
        self.assertEqual(texts(first=0, newest_first=True, limit=1), ["timed two"])

    def test_gets_what_was_said_while_it_was_away_once(self):
        client = self.client()
        os.kill(self.site.nodes()["journal"]["pid"], 9)
        for each in range(300):
            client.log("info", f"away {each}")
            time.sleep(0.002)
        self.until(lambda: self.site.nodes().get("journal", {}).get("state") == "alive", "it is back")
        client.log("info", "away 300")
        drained = client.session._outbox.drained()  # pylint: disable=protected-access
        self.assertTrue(drained.wait(20))
        texts = [each.text for each in self.lines(client, text="away ")]
        self.assertEqual(texts, [f"away {each}" for each in range(301)])
        self.assertEqual(self.lines(client, kinds=(Kind.GAP,)), [])

    def small_outbox(self, name, kept, held):
        """Of a subsystem that says nothing else, so that all numbers are ours."""
        link = self.start(self.subsystem(name)).session.link
        journal = next(each for each in self.client().peers() if each.name == "journal")
        return Outbox(link, int.from_bytes(journal.uuid.bytes[:4], "big"), True, kept, held)

    def gaps(self, client, name):
        """The numbers that the journal says are missing of that node, and those it has."""
        missing, there = [], []
        for line in self.lines(client, origin=name):
            there.append(line.sequence)
        for line in self.lines(client, kinds=(Kind.GAP,)):
            if line.record[2] == name:
                missing += range(line.record[4], line.record[5] + 1)
        return missing, there

    def test_says_which_updates_were_dropped_while_it_was_away_and_has_all_else(self):
        client = self.client()
        outbox = self.small_outbox("flood", 64 << 10, 128 << 20)
        journal = self.site.nodes()["journal"]["pid"]
        os.kill(journal, signal.SIGSTOP)
        self.addCleanup(os.kill, journal, signal.SIGCONT)
        for each in range(200):
            outbox.append(KV_UPDATE, "flood/v", "x" * 1000, 0, "", each + 1)
            if each % 20 == 0:
                outbox.append(LOG_MESSAGE, 1, "flood", f"said {each}", None, "", 0)
        before = outbox.drained()
        self.assertFalse(before.wait(0.1))
        os.kill(journal, signal.SIGCONT)
        self.assertTrue(before.wait(20))
        said = self.lines(client, origin="flood", kinds=(Kind.LOG_MESSAGE,))
        self.assertEqual([each.text for each in said], [f"said {each}" for each in range(0, 200, 20)])
        updates = [each.record[5] for each in self.lines(client, origin="flood",
                                                         kinds=(Kind.KV_UPDATE,))]
        self.assertLess(len(updates), 100)
        self.assertEqual(updates[-30:], list(range(171, 201)))  # the newest
        missing, there = self.gaps(client, "flood")
        self.assertEqual(sorted(missing + there), list(range(1, 211)))

    def test_says_how_many_records_could_not_be_taken(self):
        client = self.client()
        outbox = self.small_outbox("full", 4 << 10, 8 << 10)
        journal = self.site.nodes()["journal"]["pid"]
        os.kill(journal, signal.SIGSTOP)
        self.addCleanup(os.kill, journal, signal.SIGCONT)
        taken = 0
        with self.assertRaises(Unavailable):
            while taken < 100:
                outbox.append(LOG_MESSAGE, 1, "full", "x" * 1000, None, "", 0)
                taken += 1
        outbox.record(KV_UPDATE, "full/v", bytes(17 << 20), 0, "", 1)  # no request could carry it
        os.kill(journal, signal.SIGCONT)
        refused = lambda: self.lines(client, origin="full", text="not taken")  # noqa: E731
        self.until(lambda: sum(int(each.text.split()[0]) for each in refused()) == 2,
                   "it says so")
        missing, there = self.gaps(client, "full")
        self.assertEqual(len(missing), 2)
        self.assertEqual(sorted(missing + there), list(range(1, taken + 3 + len(refused()))))

    def test_is_owed_what_was_too_large_and_that_is_counted(self):
        psu = self.subsystem("counts")
        value = psu.publish("v", "bytes", journaled=True)
        self.assertEqual(psu.stats().link.frames_sent, 0)  # not started
        self.start(psu)
        value.value = bytes(17 << 20)
        value.value = b"small"
        client = self.client()
        self.until(lambda: self.lines(client, origin="counts", kinds=(Kind.KV_UPDATE,)), "the small")
        drained = psu.session._outbox.drained()  # pylint: disable=protected-access
        self.assertTrue(drained.wait(20))
        stats = psu.stats()
        self.assertEqual((stats.records_dropped, stats.records_held_bytes, stats.link.dropped),
                         (1, 0, 1))
        self.assertGreater(stats.link.frames_sent, 0)
        missing, there = self.gaps(client, "counts")
        self.assertEqual((len(missing), sorted(missing + there)), (1, [1, 2, 3]))

    def test_gets_large_records_and_refuses_those_that_no_request_could_carry(self):
        client = self.client()
        for each in range(40):
            client.begin_mark(f"large {each}", bytes(2 << 20))
        with self.assertRaisesRegex(InvalidArgument, "at most"):
            client.begin_mark("too large", bytes(17 << 20))
        client.log("info", "after the large ones")
        self.until(lambda: self.lines(client, text="after the large ones"), "the last")
        self.assertEqual(len(self.lines(client, subject="large *", kinds=(17,), limit=1)), 1)

    def test_has_what_was_said_just_before_the_end(self):
        client, last = self.client(), self.client()
        last.log("info", "famous last words")
        last.stop()
        self.assertEqual(len(self.lines(client, text="famous last words")), 1)


if __name__ == "__main__":
    unittest.main()
