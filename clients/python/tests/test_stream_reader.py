"""Following a stream: no hole goes unnoticed, and no item is missing in the end."""

import random
import unittest

from tidemark import frame as frames
from tidemark.frame import Frame
from tidemark.stream_reader import Apply, AskAgain, AskState, Lost, StreamReader, Whole


def items(first, last, incarnation=1):
    payload = bytes(range(first, last + 1))
    return Frame(frames.STATE, 1, 1, incarnation, first, last - first + 1, 0, payload)


def heartbeat(last, incarnation=1):
    return Frame(frames.HEARTBEAT, 1, 1, incarnation, last, 0, 0)


def live_at(sequence):
    reader = StreamReader()
    reader.on_frame(heartbeat(sequence))
    reader.on_state(1, sequence, [], 0.0)
    return reader


class AStreamReader(unittest.TestCase):
    def test_asks_for_the_state_with_the_first_frame_and_takes_what_follows_it(self):
        reader = StreamReader()
        self.assertEqual(reader.on_frame(items(5, 6)), [AskState(1)])
        self.assertEqual(reader.on_frame(items(7, 7)), [])
        self.assertEqual(reader.on_state(1, 6, [b"whole"], 0.0),
                         [Whole([b"whole"]), Apply(bytes([7]))])
        self.assertTrue(reader.live)
        self.assertEqual(reader.on_frame(items(8, 9)), [Apply(bytes([8, 9]))])

    def test_asks_for_lost_frames_again_and_needs_no_state_when_they_come(self):
        reader = live_at(4)
        self.assertEqual(reader.on_frame(items(7, 8)), [AskAgain(1, 5, 6)])
        self.assertEqual(reader.on_frame(items(9, 9)), [])
        self.assertEqual(reader.on_again(5, [items(5, 5), items(6, 6)]),
                         [Apply(b"\5"), Apply(b"\6"), Apply(b"\7\x08"), Apply(b"\x09")])
        self.assertEqual((reader.counters.repaired, reader.counters.items_lost), (1, 0))

    def test_takes_the_state_when_lost_frames_are_not_to_be_had(self):
        reader = live_at(4)
        reader.on_frame(items(7, 8))
        self.assertEqual(reader.on_again_failed(5), [Lost(1, 5, 6), AskState(1)])
        self.assertEqual(reader.on_state(1, 5, [], 0.0), [])  # Too old: it lacks item 6.
        self.assertEqual(reader.on_tick(0.04), [])
        self.assertEqual(reader.on_tick(0.06), [AskState(1)])
        self.assertEqual(reader.on_state(1, 6, [b"w"], 0.1), [Whole([b"w"]), Apply(b"\7\x08")])

    def test_takes_the_state_when_what_came_again_has_a_hole_itself(self):
        reader = live_at(4)
        reader.on_frame(items(8, 8))
        self.assertEqual(reader.on_again(5, [items(5, 5), items(7, 7)]),
                         [Lost(1, 5, 7), AskState(1)])

    def test_sees_a_loss_of_the_last_frame_in_a_heartbeat(self):
        reader = live_at(4)
        self.assertEqual(reader.on_frame(heartbeat(4)), [])
        self.assertEqual(reader.on_frame(heartbeat(6)), [AskAgain(1, 5, 6)])

    def test_drops_what_it_has_already(self):
        reader = live_at(4)
        self.assertEqual(reader.on_frame(items(3, 4)), [])
        self.assertEqual(reader.counters.duplicates, 1)

    def test_begins_anew_with_a_larger_incarnation_and_drops_a_smaller_one(self):
        reader = live_at(4)
        self.assertEqual(reader.on_frame(items(1, 1, incarnation=2)), [AskState(2)])
        self.assertEqual(reader.on_frame(items(5, 5)), [])
        self.assertEqual(reader.on_state(1, 5, [b"old"], 0.0), [])
        self.assertEqual(reader.counters.stale, 1)
        self.assertEqual(reader.on_state(2, 0, [b"new"], 0.0), [Whole([b"new"]), Apply(b"\1")])

    def test_asks_for_the_state_when_a_replay_jumps_also_when_the_jump_was_lost(self):
        jump = Frame(frames.REPLAY_STATE, 1, 0x8000, 1, 6, 1, 0)
        reader = live_at(5)
        self.assertEqual(reader.on_frame(jump), [AskState(1)])
        self.assertEqual(reader.on_frame(items(7, 7)), [])
        self.assertEqual(reader.on_state(1, 5, [], 0.0), [])  # that of before the jump
        self.assertEqual(reader.on_tick(0.06), [AskState(1)])
        self.assertEqual(reader.on_state(1, 6, [b"w"], 0.1), [Whole([b"w"]), Apply(b"\7")])

        reader = live_at(5)
        self.assertEqual(reader.on_frame(items(8, 8)), [AskAgain(1, 6, 7)])
        self.assertEqual(reader.on_again(6, [jump, items(7, 7)]), [AskState(1)])
        self.assertEqual(reader.on_state(1, 6, [b"w"], 0.1),
                         [Whole([b"w"]), Apply(b"\7"), Apply(b"\x08")])
        self.assertEqual(reader.counters.items_lost, 0)

    def test_waits_longer_after_each_failure(self):
        reader = StreamReader()
        reader.on_frame(heartbeat(0))
        now, waits = 0.0, []
        for _ in range(10):
            reader.on_state_failed(now)
            begun = now
            while not reader.on_tick(now):
                now += 0.01
            waits.append(now - begun)
        self.assertLess(waits[0], 0.07)
        self.assertGreater(waits[-1], 4.9)
        self.assertLess(waits[-1], 5.1)

    def test_keeps_no_more_than_its_buffer_and_says_what_it_lost(self):
        reader = StreamReader(buffer_bytes_max=4)
        reader.on_frame(heartbeat(0))
        reader.on_frame(items(1, 3))
        self.assertEqual(reader.on_frame(items(4, 6)), [Lost(1, 1, 6)])
        self.assertEqual(reader.on_state(1, 3, [], 0.0), [])
        reader.on_tick(1.0)
        self.assertEqual(reader.on_state(1, 6, [b"w"], 1.0), [Whole([b"w"])])

    def test_ends_with_the_state_of_the_publisher_whatever_is_lost_on_the_way(self):
        for seed in range(200):
            with self.subTest(seed=seed):
                self.simulate(random.Random(seed))

    def simulate(self, dice):
        """Items are numbers; a state is the sum of all. Frames, answers and lives are lost."""
        published, total, incarnation = 0, 0, 1
        log, mine = [], [0]
        reader, now = StreamReader(), 0.0

        def act(actions):
            for action in actions:
                if isinstance(action, Whole):
                    mine[0] = int(action.parts[0])
                elif isinstance(action, Apply):
                    mine[0] += sum(action.payload)
                elif isinstance(action, AskState):
                    if dice.random() < 0.3:
                        reader.on_state_failed(now)
                    else:
                        act(reader.on_state(incarnation, published, [b"%d" % total], now))
                elif isinstance(action, AskAgain):
                    if dice.random() < 0.5 or action.incarnation != incarnation:
                        act(reader.on_again_failed(action.first))
                    else:
                        act(reader.on_again(action.first, [
                            each for each in log if each.last >= action.first
                            and each.sequence <= action.last]))

        for _ in range(60):
            now += 0.03
            act(reader.on_tick(now))
            if dice.random() < 0.03:
                incarnation, published, total, log = incarnation + 1, 0, 0, []
            count = dice.randint(1, 3)
            payload = bytes(dice.randint(0, 9) for _ in range(count))
            frame = Frame(frames.STATE, 1, 1, incarnation, published + 1, count, 0, payload)
            log.append(frame)
            published += count
            total += sum(payload)
            if dice.random() < 0.8:
                act(reader.on_frame(frame))
        for _ in range(400):
            now += 0.1
            act(reader.on_frame(heartbeat(published, incarnation)))
            act(reader.on_tick(now))
        self.assertTrue(reader.live)
        self.assertEqual(mine[0], total)


if __name__ == "__main__":
    unittest.main()
