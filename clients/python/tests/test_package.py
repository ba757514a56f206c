"""The package as others get it: its types hold, and it installs and imports where nothing of this
tree is. Without mypy, or without a setuptools that builds wheels, the test is skipped and says so;
tools/setup installs both.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HAS_MYPY = importlib.util.find_spec("mypy") is not None
WHERE_THE_WHEELS_ARE = str(Path(importlib.util.find_spec("zmq").origin).parents[1])


def builds_wheels():
    try:
        import setuptools
    except ImportError:
        return False
    return int(setuptools.__version__.split(".")[0]) >= 71 or \
        importlib.util.find_spec("wheel") is not None


def run(*command, cwd, **environment):
    done = subprocess.run([str(each) for each in command], cwd=cwd, capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "HOME": str(cwd), **environment})
    return done.returncode, done.stdout + done.stderr


def modules(folder):
    return sorted(each.name for each in folder.iterdir() if each.suffix in (".py", ".typed"))


class InAFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def mypy(self, *arguments, **environment):
        return run(sys.executable, "-m", "mypy", "--cache-dir", self.folder / "cache", *arguments,
                   cwd=ROOT, **environment)


@unittest.skipUnless(HAS_MYPY, "mypy is not installed: tools/setup does")
class Types(InAFolder):
    def test_hold_in_the_strict_sense_of_mypy(self):
        status, said = self.mypy()
        self.assertEqual(status, 0, said)


@unittest.skipUnless(builds_wheels(), "no setuptools that builds wheels: tools/setup installs one")
class ThePackage(InAFolder):
    def setUp(self):
        super().setUp()
        source = self.folder / "source"  # a build writes beside it
        shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns("build", "*.egg-info", "tests",
                                                                    "__pycache__", ".*"))
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        self.succeeds(*pip, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w",
                      self.folder, source)
        (wheel,) = self.folder.glob("tidemark-*.whl")
        self.succeeds(sys.executable, "-m", "venv", "--without-pip", self.folder / "venv")
        self.python = self.folder / "venv/bin/python"
        self.succeeds(*pip, "--python", self.python, "install", "--no-deps", "--no-index", wheel)

    def succeeds(self, *command, **environment):
        status, said = run(*command, cwd=self.folder, **environment)
        self.assertEqual(status, 0, said)
        return said.strip()

    def test_has_all_its_modules_and_is_imported_from_a_fresh_environment(self):
        names = [f"tidemark.{each.removesuffix('.py')}" for each in modules(ROOT / "tidemark")
                 if each.endswith(".py")]
        where = Path(self.succeeds(
            self.python, "-c", f"import {', '.join(names)}; print(tidemark.__path__[0])",
            PYTHONPATH=WHERE_THE_WHEELS_ARE))
        self.assertTrue(where.is_relative_to(self.folder / "venv"), where)
        self.assertEqual(modules(where), modules(ROOT / "tidemark"))

    def test_says_what_it_needs(self):
        said = self.succeeds(self.python, "-c", "from importlib.metadata import requires; "
                                                "print(*requires('tidemark'), sep='\\n')")
        self.assertEqual([each for each in said.splitlines() if "extra" not in each],
                         ["pyzmq>=25.1", "msgpack>=1.0.5"])

    @unittest.skipUnless(HAS_MYPY, "mypy is not installed: tools/setup does")
    def test_gives_its_types_to_programs(self):
        program = self.folder / "program.py"
        lines = ["import tidemark", "psu = tidemark.Subsystem('psu.1')",
                 "psu.publish('current', 'double', unit='A')",
                 "psu.publish('typo', 'double', jornaled=True)",
                 "number: int = psu.name"]
        program.write_text("\n".join(lines) + "\n")
        status, said = run(sys.executable, "-m", "mypy", "--strict", "--python-executable",
                           self.python, "--cache-dir", self.folder / "cache", program,
                           cwd=self.folder)
        self.assertEqual(status, 1, said)
        self.assertEqual([each.split(":")[1] for each in said.splitlines() if ": error:" in each],
                         ["4", "5"], said)


if __name__ == "__main__":
    unittest.main()
