"""The asyncio form does the same, and a busy loop loses nothing."""

import asyncio
import time
import unittest

from tidemark import InvalidArgument, Refused, Timeout, aio

from .real_site import SECONDS, SiteTest


class Asyncio(SiteTest):
    def run_with(self, name, work, prepare=lambda psu: None):
        async def run():
            psu = aio.Subsystem(name, self.site.file)
            prepare(psu)
            async with psu, aio.Client(self.site.file) as client:
                await asyncio.wait_for(work(psu, client), SECONDS)

        asyncio.run(run())

    def test_reads_writes_and_listens(self):
        async def decide(value, writer):
            await asyncio.sleep(0.01)
            if value > 5:
                raise Refused("too much")

        def prepare(psu):
            psu.writable("v", "int64", default=1, on_write=decide)

        async def work(psu, client):
            key = client.key("psu.1/v")
            self.assertEqual(await key.get(), 1)
            async with client.subscribe("psu.1/*", "all") as updates:
                self.assertEqual((await anext(updates)).value, 1)
                self.assertEqual(await key.set(3), 3)
                update = await anext(updates)
                self.assertEqual((update.value, update.writer), (3, client.name))
            with self.assertRaises(StopAsyncIteration):
                await anext(updates)
            with self.assertRaisesRegex(Refused, "too much"):
                await key.set(6)
            with self.assertRaises(InvalidArgument):
                await key.set("x")
            with self.assertRaises(Timeout):
                await client.key("psu.1/slow").get(timeout=0.2)

        def both(psu):
            prepare(psu)
            psu.publish("slow", "int64").on_read(lambda: time.sleep(0.5) or 1)

        self.run_with("psu.1", work, both)

    def test_asks_the_owner_in_a_coroutine(self):
        async def now():
            await asyncio.sleep(0.01)
            return 7

        def prepare(psu):
            psu.publish("now", "int64", on_read=now)
            psu.publish("plain", "int64").on_read(lambda: 8)
            taken = psu.writable("one", "int64", range=(0, 9), readable=False, published=False)
            taken.on_write(decide)

        async def decide(value):
            await asyncio.sleep(0.01)
            raise Refused(f"not {value}")

        async def work(psu, client):
            self.assertEqual(await client.key("psu.6/now").get(), 7)
            self.assertEqual(await client.key("psu.6/plain").get(), 8)
            with self.assertRaisesRegex(Refused, "not 3"):
                await client.key("psu.6/one").set(3)
            with self.assertRaises(TypeError):
                psu.publish("typo", "int64", jornaled=True)

        self.run_with("psu.6", work, prepare)

    def test_hears_of_a_key_on_its_own_loop_until_it_is_closed(self):
        def prepare(psu):
            prepare.v = psu.publish("v", "int64", default=0)

        async def work(psu, client):
            loop, heard = asyncio.get_running_loop(), []

            def listener(update):
                heard.append((asyncio.get_running_loop() is loop, update.value))
                if update.value == 1:
                    raise RuntimeError("oops")

            key = client.key("psu.7/v")
            key.on_change(listener)
            for each in range(1, 4):
                while not heard or heard[-1][1] != each - 1:
                    await asyncio.sleep(0.01)
                prepare.v.value = each
            while heard[-1][1] != 3:
                await asyncio.sleep(0.01)
            self.assertEqual(heard, [(True, each) for each in range(4)])
            key.close()
            other = client.key("psu.7/v")
            last = []
            other.on_change(lambda update: last.append(update.value))
            prepare.v.value = 4
            while last[-1:] != [4]:
                await asyncio.sleep(0.01)
            self.assertEqual(len(heard), 4)

        self.run_with("psu.7", work, prepare)

    def test_calls_and_is_called(self):
        async def degauss(call):
            call.feedback("half")
            await asyncio.sleep(0.01)
            return call.argument + 1

        async def work(psu, client):
            said = []
            result = await client.call("degauss", 41, on_feedback=said.append)
            self.assertEqual(result["psu.2"].value, 42)
            self.assertEqual([each.text for each in said], ["half"])
            self.assertEqual(await client.ask("degauss", 1), {"psu.2": 2})

        self.run_with("psu.2", work, lambda psu: psu.on_event("degauss", degauss))

    def test_takes_a_call_back_when_its_task_is_cancelled(self):
        ends = []

        async def work(psu, client):
            task = asyncio.create_task(client.call("sleep", timeout=20))
            await asyncio.sleep(0.1)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            while not ends:
                await asyncio.sleep(0.01)
            self.assertEqual(ends, [False])

        self.run_with("psu.3", work,
                      lambda psu: psu.on_event("sleep", lambda call: ends.append(call.wait(20))))

    def test_watches_status_items_and_the_journal(self):
        async def work(psu, client):
            door = psu.status_item("door")
            lines = client.follow(text="hello")
            first = asyncio.ensure_future(anext(lines))
            async with client.watch_status("psu.4") as items:
                door.raise_("open")
                async for name, item in items:
                    if item.active:
                        break
                self.assertEqual((name, item.text), ("psu.4", "open"))
            await client.acknowledge("psu.4", "door")
            while not first.done():
                client.log("info", "hello")
                await asyncio.sleep(0.05)
            self.assertEqual((await first).text, "hello")
            with client.mark("shot"):
                pass

        self.run_with("psu.4", work)

    def test_keeps_its_lease_while_the_loop_is_busy(self):
        async def work(psu, client):
            time.sleep(4)  # longer than a lease
            self.assertFalse(psu.ended)
            states = {each.name: each.state for each in client.peers()}
            self.assertEqual(states["psu.5"], "alive")

        self.run_with("psu.5", work)


if __name__ == "__main__":
    unittest.main()
