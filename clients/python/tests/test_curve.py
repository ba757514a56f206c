"""A site on tcp with keys: who has one that is allowed gets in, and nobody else."""

import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

import harness  # noqa: E402

from tidemark import Client, Refused, Subsystem, Unavailable, curve_keys  # noqa: E402

from .real_site import SECONDS, Heard, wait_until  # noqa: E402

NODES = ["registry", "journal"]


class ASiteWithKeys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = harness.Site(
            harness.executable("dev"), "", nodes=NODES,
            extra=f'\n[bus]\ntransport = "tcp"\nregistry = "tcp://127.0.0.1:{harness.free_port()}"\n'
                  'keys = "keys"\n')
        cls.addClassCleanup(cls.site.close)
        cls.keys = cls.site.directory / "keys"
        cls.site.cli("keygen", check=True)
        cls.site.up(seconds=60)

    def client(self, **options):
        made = Client(self.site.file, **options)
        self.addCleanup(made.stop, 0)
        return made

    def make_key(self, name, allowed):
        import zmq
        public, secret = zmq.curve_keypair()
        (self.keys / f"{name}.public").write_bytes(public + b"\n")
        file = self.keys / f"{name}.secret"
        file.write_bytes(secret + b"\n")
        file.chmod(0o600)
        if allowed:
            self.allow(name)

    def allow(self, name):
        (self.keys / f"allowed/{name}.public").symlink_to(f"../{name}.public")

    def test_lets_in_who_is_allowed(self):
        self.make_key("psu.1", allowed=True)
        psu = Subsystem("psu.1", self.site.file)
        psu.publish("v", "int64", default=5)
        self.addCleanup(psu.stop, 0)
        psu.start(SECONDS)
        client = self.client().start(SECONDS)
        heard = Heard()
        client.subscribe("psu.1/v", heard)
        wait_until(lambda: heard, SECONDS, "the value")
        self.assertEqual(client.key("psu.1/v").get(), 5)
        client.log("info", "hello")
        wait_until(lambda: "hello" in [each.text for each in client.read().lines], SECONDS, "a line")
        peer = {each.name: each for each in client.session.directory().nodes}["psu.1"]
        self.assertEqual(len(peer.public_key), curve_keys.KEY_BYTES)
        self.assertTrue(all(each.startswith("tcp://127.0.0.1:") for each in peer.data_endpoints))

        self.make_key("stranger", allowed=False)
        stranger = self.client(key="stranger")
        with self.assertRaises(Unavailable):
            stranger.start(1.0)
        self.allow("stranger")
        wait_until(lambda: stranger.peers(), SECONDS, "it gets in when it is allowed")
        self.assertEqual(stranger.key("psu.1/v").get(), 5)

    def test_takes_no_secret_that_others_may_read(self):
        self.make_key("open", allowed=True)
        os.chmod(self.keys / "open.secret", 0o644)
        with self.assertRaisesRegex(Refused, "chmod 600"):
            self.client(key="open").start()
        with self.assertRaisesRegex(Unavailable, "cannot read key"):
            self.client(key="nobody").start()


if __name__ == "__main__":
    unittest.main()
