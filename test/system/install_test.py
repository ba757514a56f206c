"""The installed library: somebody else's project finds it and builds the examples with it."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

BUILD = Path(os.environ["TIDEMARK_BUILD"])
ROOT = Path(__file__).resolve().parents[2]


class Installed(unittest.TestCase):
    def run_in(self, *command):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                              timeout=280)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_the_examples_build_against_what_is_installed_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as folder:
            prefix, build = Path(folder) / "prefix", Path(folder) / "build"
            self.run_in("cmake", "--install", BUILD, "--prefix", prefix)
            shown = "\n".join(path.read_text() for path in prefix.rglob("*.h"))
            for third_party in ("caf/", "zmq.h", "zmq.hpp", "msgpack", "spdlog", "rocksdb"):
                self.assertNotIn(f"#include <{third_party}", shown)
            self.run_in("cmake", "-G", "Ninja", "-S", ROOT / "examples", "-B", build,
                        f"-DCMAKE_PREFIX_PATH={prefix}")
            self.run_in("cmake", "--build", build, "--target", "shutter_interlock")
            # It runs as far as it can without a site.
            done = subprocess.run([build / "shutter_interlock"], capture_output=True, text=True,
                                  cwd=folder, timeout=30,
                                  env={k: v for k, v in os.environ.items() if k != "TIDEMARK_SITE"})
            self.assertEqual(done.returncode, 1)
            self.assertIn("site.toml", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
