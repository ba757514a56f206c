"""Two hosts in one machine: network namespaces, and a cable between them that can be cut. Needs root
and `ip`.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

from support import tidemark


def ip(*arguments):
    subprocess.run(["ip", *map(str, arguments)], check=True, capture_output=True)


def can_make_namespaces():
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    probe = f"tm-probe-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", probe], capture_output=True).returncode != 0:
        return False
    try:  # In a chroot one can be made, and not be entered.
        ip("-n", probe, "link", "set", "lo", "up")
        ip("netns", "exec", probe, "true")
    except subprocess.CalledProcessError:
        return False
    finally:
        ip("netns", "delete", probe)
    return True


class Host:
    """A network namespace with one end of the cable, and a folder for what runs there."""

    def __init__(self, name, cable, address, directory):
        self.name, self.cable, self.address = name, cable, address
        self.directory = directory
        self.site = directory / "site.toml"
        self.within = ["ip", "netns", "exec", name]  # before a command: it runs here
        directory.mkdir()
        ip("netns", "add", name)
        ip("link", "set", cable, "netns", name)
        ip("-n", name, "link", "set", "lo", "up")
        ip("-n", name, "address", "add", f"{address}/24", "dev", cable)
        ip("-n", name, "link", "set", cable, "up")

    def write_site(self, nodes, registries):
        self.site.write_text(
            f'[site]\nname = "chaos"\ndata = "data"\nnodes = {json.dumps(nodes)}\n'
            f'[bus]\ntransport = "tcp"\naddress = "{self.address}"\n'
            f'registries = {json.dumps(registries)}\ninsecure = true\n'
            '[supervisor]\nrestarts_max = 1000\nbackoff_max = "1s"\n')

    def start(self, *command):
        with open(self.log(f"{Path(command[0]).name}-{command[-1]}"), "ab") as log:
            return subprocess.Popen([*self.within, *map(str, command)],
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    env=dict(os.environ, TIDEMARK_SITE=str(self.site)),
                                    cwd=self.directory)

    def log(self, name):
        return self.directory / f"{name}.log"

    def cli(self, *arguments, timeout=30):
        return subprocess.run(
            [*self.within, str(tidemark()), "-c", str(self.site), *map(str, arguments)],
            capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)

    def json_lines(self, *arguments):
        """Of a command that failed mostly nothing."""
        done = self.cli("--json", *arguments)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def plug(self, is_in):
        ip("-n", self.name, "link", "set", self.cable, "up" if is_in else "down")

    def processes(self):
        """Process ids of all that runs here, whoever started it."""
        done = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True)
        return [int(pid) for pid in done.stdout.split()]

    def close(self):
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True)


def two_hosts(directory):
    """Their ends of one cable are 10.97.3.1 and 10.97.3.2."""
    tag = f"{os.getpid() % 10000}"
    ip("link", "add", f"tma{tag}", "type", "veth", "peer", "name", f"tmb{tag}")
    return [Host(f"tm-{tag}-{end}", f"tm{end}{tag}", f"10.97.3.{number}", directory / end)
            for number, end in ((1, "a"), (2, "b"))]
