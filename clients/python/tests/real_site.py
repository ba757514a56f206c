"""A site of its own on ipc, with a registry and a journal: `tidemark up` of TIDEMARK_EXECUTABLE."""

import logging
import sys
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))

import harness  # noqa: E402  (the path comes first)
from harness import wait_until  # noqa: E402,F401

from tidemark import Client, Query, Subsystem, Timeout  # noqa: E402

logging.getLogger("tidemark").setLevel(logging.CRITICAL)

SECONDS = 20.0  # for anything that comes by itself


class SiteTest(unittest.TestCase):
    extra = ""

    @classmethod
    def setUpClass(cls):
        cls.site = harness.Site(harness.executable("dev"), "", nodes=["registry", "journal"],
                                extra=cls.extra)
        cls.addClassCleanup(cls.site.close)
        cls.site.up(seconds=60)

    def start(self, made):
        """Starts a Client or a Subsystem that ends with the test."""
        self.addCleanup(made.stop, 0)
        return made.start(SECONDS)

    def client(self):
        return self.start(Client(self.site.file))

    def subsystem(self, name, **options):
        return Subsystem(name, self.site.file, **options)

    def lines(self, client, **options):
        # A machine with other things to do may take longer than one read waits.
        until = time.monotonic() + SECONDS
        while True:
            try:
                return client.read(Query(**options)).lines
            except Timeout:
                if time.monotonic() > until:
                    raise

    def until(self, condition, what):
        return wait_until(condition, SECONDS, what)


class Heard(list):
    """Updates as a listener gets them."""

    def __init__(self):
        super().__init__()
        self.at = []

    def __call__(self, update):
        self.append(update)
        self.at.append(time.monotonic())

    def values(self, key=None):
        return [each.value for each in list(self) if key is None or each.key == key]
