"""Frames, envelopes and failures: the bytes of the protocol page, and what is dropped."""

import dataclasses
import unittest

from tidemark import envelope as envelopes
from tidemark import frame as frames
from tidemark.envelope import Envelope
from tidemark.errors import Failed, Malformed, NotFound
from tidemark.frame import Frame
from tidemark.identity import node_number, node_uuid

from .golden import FAILURE, FRAME, HEARTBEAT, REQUEST, REQUEST_AGAIN

SENT_AT = 1767225600_500_000_000
CALL = envelopes.call_id(0x1A2B3C4D, 7, 1)


class AFrame(unittest.TestCase):
    example = Frame(frames.STATE, 0x1A2B3C4D, 1, 7, 42, 2, SENT_AT, b"\x92\x01\x02")

    def test_has_the_bytes_of_the_page(self):
        self.assertEqual(frames.encode(self.example), FRAME)

    def test_is_read_as_it_was_written(self):
        self.assertEqual(frames.decode(FRAME), self.example)

    def test_of_a_heartbeat_has_the_bytes_of_the_page(self):
        heartbeat = Frame(frames.HEARTBEAT, 0x1A2B3C4D, 1, 7, 43, 0, SENT_AT)
        self.assertEqual(frames.encode(heartbeat), HEARTBEAT)
        self.assertEqual(frames.decode(HEARTBEAT), heartbeat)

    def test_begins_with_its_subscription_prefix(self):
        self.assertEqual(frames.prefix(frames.STATE, 0x1A2B3C4D, 1), FRAME[:8])

    def test_with_a_longer_header_of_a_later_version_is_read(self):
        longer = FRAME[:14] + b"\x07" + FRAME[15:48] + b"new tail" + FRAME[48:]
        self.assertEqual(frames.decode(longer).payload, b"\x92\x01\x02")

    def test_is_dropped_when_any_byte_that_counts_is_wrong(self):
        for at in (0, 1, 14, 28, 44, 48, 50):
            broken = bytearray(FRAME)
            broken[at] ^= 0x10
            with self.subTest(at=at), self.assertRaises(Malformed):
                frames.decode(bytes(broken))

    def test_is_dropped_when_it_is_cut(self):
        for size in range(len(FRAME)):
            with self.assertRaises(Malformed):
                frames.decode(FRAME[:size])

    def test_without_items_is_dropped(self):
        for wrong in (Frame(frames.STATE, 1, 1, 1, 1, 0, 0), Frame(frames.STATE, 1, 1, 1, 0, 1, 0),
                      Frame(frames.HEARTBEAT, 1, 1, 1, 1, 1, 0),
                      Frame(frames.HEARTBEAT, 1, 1, 1, 1, 0, 0, b"x")):
            with self.assertRaises(Malformed):
                frames.decode(frames.encode(wrong))


class AnEnvelope(unittest.TestCase):
    request = Envelope(envelopes.REQUEST, CALL, 7, "journal.append", 5_000_000_000, b"\xc0")

    def test_has_the_bytes_of_the_page(self):
        self.assertEqual(envelopes.encode(self.request), REQUEST)

    def test_is_read_as_it_was_written(self):
        self.assertEqual(envelopes.decode(REQUEST), self.request)
        self.assertEqual(envelopes.caller_of(CALL), 0x1A2B3C4D)

    def test_of_a_failure_has_the_bytes_of_the_page(self):
        failure = Envelope(envelopes.FAILED, CALL, 3,
                           payload=envelopes.pack_failure(NotFound("no such PV")))
        self.assertEqual(envelopes.encode(failure), FAILURE)
        said = envelopes.unpack_failure(envelopes.decode(FAILURE).payload)
        self.assertIsInstance(said, NotFound)
        self.assertEqual(said.message, "no such PV")

    def test_of_an_unknown_failure_means_that_it_failed(self):
        self.assertIs(type(envelopes.unpack_failure(b"\x92\x63\xa1x")), Failed)

    def test_that_is_sent_again_names_the_server_it_went_to_first(self):
        again = dataclasses.replace(self.request, server=3)
        self.assertEqual(envelopes.encode(again), REQUEST_AGAIN)
        self.assertEqual(envelopes.decode(REQUEST_AGAIN), again)

    def test_of_an_answer_says_how_many_parts_came_before(self):
        done = Envelope(envelopes.DONE, CALL, 3, payload=b"x", parts=5)
        self.assertEqual(envelopes.decode(envelopes.encode(done)), done)

    def test_with_a_longer_header_of_a_later_version_is_read(self):
        longer = REQUEST_AGAIN[:2] + b"\x07" + REQUEST_AGAIN[3:48] + b"new tail" + REQUEST[40:]
        self.assertEqual(envelopes.decode(longer), envelopes.decode(REQUEST_AGAIN))

    def test_is_dropped_when_any_byte_that_counts_is_wrong(self):
        for at in (0, 1, 2, 3, 31, 32, 36, 41, 54):
            broken = bytearray(REQUEST)
            broken[at] ^= 0x80
            with self.subTest(at=at), self.assertRaises(Malformed):
                envelopes.decode(bytes(broken))

    def test_is_dropped_when_it_is_cut(self):
        for size in range(len(REQUEST)):
            with self.assertRaises(Malformed):
                envelopes.decode(REQUEST[:size])


class ANode(unittest.TestCase):
    def test_has_a_uuid_of_version_8_and_the_number_that_begins_it(self):
        identity = node_uuid("tidemark", "registry")
        self.assertEqual(identity.version, 8)
        self.assertEqual(node_number(identity), int(identity.hex[:8], 16))
        self.assertNotEqual(identity, node_uuid("tidemark", "registry-2"))


if __name__ == "__main__":
    unittest.main()
