"""The installed library: somebody else's project finds it, builds the examples with it, and what it
built works on a bus.
"""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import SANITIZED, HarnessError, Site, tidemark, wait_until

BUILD = Path(os.environ["TIDEMARK_BUILD"])
ROOT = Path(__file__).resolve().parents[2]
# Whoever uses a library that was built with a sanitizer is built with it, too.
SANITIZER = [f"-DCMAKE_CXX_FLAGS=-fsanitize={SANITIZED}"] if SANITIZED else []
ELSEWHERE = {name: value for name, value in os.environ.items() if name != "TIDEMARK_SITE"}


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.prefix, cls.built = cls.folder / "prefix", cls.folder / "build"
        cls.succeeds("cmake", "--install", BUILD, "--prefix", cls.prefix)
        cls.succeeds("cmake", "-G", "Ninja", "-S", ROOT / "examples", "-B", cls.built,
                     f"-DCMAKE_PREFIX_PATH={cls.prefix}", *SANITIZER)
        cls.succeeds("cmake", "--build", cls.built)

    @classmethod
    def succeeds(cls, *command):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                              timeout=280)
        if done.returncode != 0:
            raise HarnessError(f"{command}\n{done.stdout}{done.stderr}")

    def test_shows_nothing_of_others_in_its_headers(self):
        shown = "\n".join(path.read_text() for path in self.prefix.rglob("*.h"))
        self.assertIn("class Subsystem", shown)
        for third_party in ("caf/", "zmq.h", "zmq.hpp", "msgpack", "spdlog", "rocksdb"):
            self.assertNotIn(f"#include <{third_party}", shown)

    def test_every_example_is_built_and_says_when_there_is_no_site(self):
        for source in sorted((ROOT / "examples").glob("*.cpp")):
            with self.subTest(source.stem):
                done = subprocess.run([self.built / source.stem], capture_output=True, text=True,
                                      cwd=self.folder, timeout=30, env=ELSEWHERE)
                self.assertEqual(done.returncode, 1)
                self.assertIn("site.toml", done.stderr)

    def test_the_examples_take_a_shot_together(self):
        site = Site(tidemark(), "127.0.0.1", nodes=["registry", "journal"])
        self.addCleanup(site.close)
        site.up(30)
        environment = {**ELSEWHERE, "TIDEMARK_SITE": str(site.file)}
        for program, name in (("power_supply", "psu.1"), ("shutter_interlock", "shutter.1")):
            with open(site.directory / f"{name}.log", "ab") as log:
                process = subprocess.Popen([self.built / program, name], env=environment,
                                           stdout=log, stderr=log)
            self.addCleanup(process.wait)
            self.addCleanup(process.terminate)
            wait_until(lambda n=name: any(each["name"] == n and each["state"] == "alive"
                                          for each in site.json("ls")), 20, f"{name} is there")

        def shot(title):
            return subprocess.run([self.built / "experiment", title, "5"], env=environment,
                                  capture_output=True, text=True, timeout=30)
        refused = shot("shot 1")
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn("shutter.1 rejected: shutter closed", refused.stdout)
        site.cli("kv", "set", "shutter.1/state", "open", check=True)
        taken = shot("shot 2")
        self.assertEqual(taken.returncode, 0, taken.stdout + taken.stderr)
        self.assertIn("shot 2: 5.0 A", taken.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
