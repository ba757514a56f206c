"""Durable subscriptions on a real bus: what the journal has, each update once and in order."""

import array
import asyncio
import itertools
import os
import signal
import time
import unittest
import uuid

import tidemark
from tidemark import Kind, aio
from tidemark.packing import pack

from .real_site import SECONDS, Heard, SiteTest, wait_until

NUMBERS = itertools.count(1)


class Durable(SiteTest):
    def setUp(self):
        self.name = f"psu.{next(NUMBERS)}"
        self.psu = self.subsystem(self.name)
        self.current = self.psu.publish("current", "double", journaled=True)
        self.quiet = self.psu.publish("quiet", "double")
        self.setpoint = self.psu.writable("setpoint", "double")
        self.start(self.psu)
        self.site_client = self.client()
        self.heard = Heard()
        self.problems = []

    def follow(self, heard=None, key="current", **options):
        options.setdefault("on_problem", self.problems.append)
        subscription = self.site_client.subscribe(
            f"{self.name}/{key}", self.heard if heard is None else heard, "durable", **options)
        self.addCleanup(subscription.close)
        return subscription

    def record(self, *values):
        for value in values:
            self.current.value = float(value)

    def kill_journal(self):
        peer = next(p for p in self.site_client.peers() if p.name == "journal")
        os.kill(peer.pid, signal.SIGKILL)
        return peer.incarnation

    def journal_is_back(self, before):
        self.until(lambda: any(p.name == "journal" and p.state == "alive" and
                               p.incarnation > before for p in self.site_client.peers()),
                   "the journal back")

    def test_each_update_comes_once_in_order_with_its_line(self):
        self.record(*range(600))  # more than one page
        self.follow(since_line=1)
        self.until(lambda: len(self.heard) == 600, "600 updates")
        self.record(*range(600, 700))
        self.until(lambda: len(self.heard) == 700, "700 updates")
        self.assertEqual(self.heard.values(), [float(i) for i in range(700)])
        lines = [each.line for each in self.heard]
        self.assertEqual(lines, sorted(set(lines)))
        self.assertEqual({each.missed for each in self.heard}, {0})
        self.assertEqual(self.problems, [])

    def test_begins_now_when_nothing_else_is_said(self):
        self.record(1, 2, 3)
        self.until(lambda: len(self.lines(self.site_client, subject=f"{self.name}/current")) == 3,
                   "3 lines")
        self.follow()

        def heard_one():  # "now" is the journal's first answer
            self.record(4)
            time.sleep(0.05)
            return self.heard
        self.until(heard_one, "an update")
        self.assertEqual(set(self.heard.values()), {4.0})

    def test_goes_on_where_a_program_ended(self):
        self.record(1, 2, 3)
        first = self.follow(since_line=1)
        self.until(lambda: len(self.heard) == 3, "3 updates")
        first.close()
        self.record(4, 5)
        again = Heard()
        self.follow(again, since_line=self.heard[1].line + 1)
        self.until(lambda: len(again) == 3, "3 updates")
        self.assertEqual(again.values(), [3.0, 4.0, 5.0])

    def test_nothing_is_missed_nor_told_twice_when_the_journal_is_killed(self):
        self.follow(since_line=1)
        count = 0
        for _ in range(2):
            for _ in range(100):
                count += 1
                self.record(count)
            before = self.kill_journal()
            for _ in range(100):
                count += 1
                self.record(count)
                time.sleep(0.005)
            self.journal_is_back(before)
        self.until(lambda: len(self.heard) >= count, "all updates")
        self.assertEqual(self.heard.values(), [float(i) for i in range(1, count + 1)])
        self.assertEqual({type(each) for each in self.problems} - {tidemark.Unavailable}, set())
        self.assertIn("the journal is away", str(self.problems[0]))

    def test_says_which_keys_are_not_journaled(self):
        self.follow(key="*", since_line=1)
        self.until(lambda: len(self.problems) == 2, "two problems")
        self.assertEqual({type(each) for each in self.problems}, {tidemark.Refused})
        self.assertEqual({str(each).split(" is not journaled")[0] for each in self.problems},
                         {f"{self.name}/quiet", f"{self.name}/setpoint"})
        # Of such a key comes what others write, and `missed` counts the rest.
        key = self.site_client.key(f"{self.name}/setpoint")
        key.set(1.0)
        self.setpoint.value = 2.0
        self.setpoint.value = 3.0
        key.set(4.0)
        self.until(lambda: len(self.heard) == 2, "two writes")
        self.assertEqual([each.missed for each in self.heard], [0, 2])

    def test_a_listener_that_throws_hears_on(self):
        def hear(update):
            self.heard(update)
            raise RuntimeError("oops")
        self.follow(hear, since_line=1)
        self.record(1, 2)
        self.until(lambda: len(self.heard) == 2, "two updates")

    def test_only_a_durable_one_begins_at_a_line(self):
        with self.assertRaises(tidemark.InvalidArgument):
            self.site_client.subscribe("*", self.heard, "all", since_line=1)
        with self.assertRaises(tidemark.InvalidArgument):
            self.site_client.subscribe("*", self.heard, "durabel")

    def test_asyncio_follows_through_a_kill(self):
        async def run():
            problems = []
            async with aio.Client(self.site.file) as site:
                async with site.subscribe(f"{self.name}/current", "durable", since_line=1,
                                          on_problem=problems.append) as updates:
                    self.record(1, 2, 3)
                    found = [await anext(updates) for _ in range(3)]
                    before = self.kill_journal()
                    self.record(4, 5)
                    await asyncio.to_thread(self.journal_is_back, before)
                    self.record(6)
                    found += [await anext(updates) for _ in range(3)]
                # From the middle, by its line.
                async with site.subscribe(f"{self.name}/current", "durable",
                                          since_line=found[3].line) as updates:
                    again = [await anext(updates) for _ in range(3)]
            return found, again, problems

        found, again, problems = asyncio.run(asyncio.wait_for(run(), 3 * SECONDS))
        self.assertEqual([each.value for each in found], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        self.assertEqual(again, found[3:])
        self.assertEqual({type(each) for each in problems} - {tidemark.Unavailable}, set())


class WhatHasExpired(SiteTest):
    """Segments have 524 288 lines. Somebody fills them, as a monitor does, so that they close."""

    extra = '[journal.retention.kv_events]\nage = "1s"\n'
    BATCH = 65_536

    def fill_one(self, client):
        """A batch of updates of a PV; returns when it is durable."""
        steps = array.array("q", [1000]) * self.BATCH
        steps[0] = 0
        now = time.time_ns()
        updates = pack([1, self.BATCH, now, (array.array("I", [1]) * self.BATCH).tobytes(),
                        steps.tobytes(), b"\1" * self.BATCH, bytes(2 * self.BATCH),
                        bytes(8 * self.BATCH), [], b""])
        client.session.ask("journal", "journal.append", pack(
            [uuid.uuid4().bytes, "filler", 0, 0, [[1, self.BATCH, 1, now, updates]], 0]),
            SECONDS).result()

    def closed(self, client):
        closed = self.site.figure("journal", "tidemark_journal_segments_closed_total") or 0
        if closed < 2:  # a segment waits until its chunks are there
            self.fill_one(client)
        return closed >= 2

    def test_is_told_in_its_place_and_what_is_behind_comes(self):
        psu = self.subsystem("psu")
        current = psu.publish("current", "double", journaled=True)
        self.start(psu)
        client = self.client()
        for each in range(3):
            current.value = float(each)
        self.until(lambda: len(self.lines(client, subject="psu/current")) == 3, "3 lines")

        wait_until(lambda: self.closed(client), 60, "the segment is closed")
        wait_until(lambda: self.lines(client, kinds=(Kind.KV_UPDATE,), limit=1)[0].kind ==
                   Kind.EXPIRED, 60, "it expires")
        current.value = 3.0

        told = []
        subscription = client.subscribe("psu/current", told.append, "durable", since_line=1,
                                        on_problem=told.append)
        self.addCleanup(subscription.close)
        self.until(lambda: told and isinstance(told[-1], tidemark.Update), "the last update")
        *problems, last = told
        self.assertEqual((last.value, last.missed), (3.0, 0))
        self.assertEqual({type(each) for each in problems}, {tidemark.NotFound})
        self.assertRegex(problems[0].message, "^lines [0-9]+ to [0-9]+, recorded .* have expired")
        self.assertEqual(len(problems), 1)

        async def run():
            heard = []
            async with aio.Client(self.site.file) as site:
                async with site.subscribe("psu/current", "durable", since_line=1,
                                          on_problem=heard.append) as updates:
                    return heard, await anext(updates)

        heard, update = asyncio.run(asyncio.wait_for(run(), SECONDS))
        self.assertEqual((str(heard[0]), update), (str(problems[0]), last))


if __name__ == "__main__":
    unittest.main()
