"""Subsystems that live on each other, in processes of their own: live_peer in C++, live_peer.py in
Python. What they have heard and called, and how they see the directory, they say when asked.
"""

import json
import os
import queue
import subprocess
import threading

from support import ROOT, HarnessError

CPP = [os.path.join(os.environ["TIDEMARK_BUILD"], "test/system/live_peer")]
PYTHON = [str(ROOT / ".venv/bin/python"), str(ROOT / "test/system/live_peer.py")]
ENVIRONMENT = dict(os.environ, PYTHONPATH=str(ROOT / "clients/python"), PYTHONDONTWRITEBYTECODE="1")
SAY_MAX = 20.0  # Seconds; mostly at once.


def ends_of_logs(folder, lines=8):
    """Of everybody who runs there, for the output of a test that failed."""
    logs = sorted(each for each in folder.rglob("*.log") if "store" not in each.parts)
    return "\n".join(f"---- {each.name}\n" + "\n".join(
        each.read_text(errors="replace").splitlines()[-lines:]) for each in logs)


class LivePeer:
    """`program` is CPP or PYTHON; `within` what stands before it, to start it elsewhere."""

    def __init__(self, site_file, name, log, keys, rate, calls=None, program=CPP, within=()):
        self.name = name
        self.log = log
        command = [*within, *program, site_file, name, keys, rate, *([calls] if calls else [])]
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(
                [str(each) for each in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=errors, text=True, env=ENVIRONMENT)
        self._said = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with open(self.log, "a", encoding="utf-8") as log:
            for line in self.process.stdout:
                if line.startswith("{"):
                    self._said.put(json.loads(line))
                else:
                    log.write(line)  # what the library logs
                    log.flush()
        self._said.put(None)

    def account(self):
        """What it says of itself now. Raises HarnessError when it has ended, or hangs."""
        try:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
            said = self._said.get(timeout=SAY_MAX)
        except (OSError, queue.Empty) as failure:
            raise HarnessError(f"{self.name} says nothing: {failure!r}; see {self.log}") from None
        if said is None:
            raise HarnessError(f"{self.name} has ended; see {self.log}")
        return said

    def stop(self):
        """As somebody who has had enough: it says goodbye. Answers its exit status."""
        try:
            self.process.stdin.close()
        except OSError:
            pass  # it has ended already
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self._reader.join(10)
            self.process.stdout.close()
