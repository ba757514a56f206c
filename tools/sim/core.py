"""Where the IOC code comes from.

EPICS_BASE when it is set: its IOC libraries (hosted by a Python process, so with a put log), or else
its softIoc program. Without EPICS_BASE: the wheel epicscorelibs in .venv of this repository, or in
the Python environment that runs this.
"""

import ctypes
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path


class NoCore(Exception):
    """There is no IOC code; the text says what to do."""


@dataclass(frozen=True)
class Core:
    source: str  # For people.
    library_dir: str = ""  # libCom, libca, libdbCore, libdbRecStd; empty when softioc is used.
    dbd_dir: str = ""  # The folder of base.dbd.
    softioc: str = ""  # The program, when the libraries cannot be hosted.

    @property
    def can_log_puts(self):
        return not self.softioc


def find():
    base = os.environ.get("EPICS_BASE")
    if base:
        core = _from_base(Path(base))
        if core:
            return core
    for packages in _site_packages():
        wheel = packages / "epicscorelibs"
        if (wheel / "lib" / "libdbCore.so").exists():
            versions = sorted(packages.glob("epicscorelibs-*.dist-info"))
            version = versions[-1].name.removesuffix(".dist-info").split("-")[1] if versions else ""
            return Core(f"epicscorelibs {version}".strip(), str(wheel / "lib"), str(wheel / "dbd"))
    raise NoCore("there is no IOC code: neither a usable EPICS_BASE nor epicscorelibs in .venv. "
                 "Run tools/setup.")


def _from_base(base):
    arch = os.environ.get("EPICS_HOST_ARCH") or f"linux-{platform.machine()}"
    libraries = base / "lib" / arch
    if (libraries / "libdbCore.so").exists() and (base / "dbd" / "base.dbd").exists():
        # Before 7.0.5 there is no function that registers all records of all loaded libraries.
        try:
            ctypes.CDLL(str(libraries / "libCom.so"), ctypes.RTLD_GLOBAL)
            hostable = hasattr(ctypes.CDLL(str(libraries / "libdbCore.so")), "registerAllRecordDeviceDrivers")
        except OSError:
            hostable = False
        if hostable:
            return Core(f"EPICS_BASE {base}", str(libraries), str(base / "dbd"))
    program = base / "bin" / arch / "softIoc"
    if os.access(program, os.X_OK):
        return Core(f"softIoc of EPICS_BASE {base}", softioc=str(program))
    return None


def _site_packages():
    root = Path(__file__).resolve().parents[2]
    yield from sorted((root / ".venv" / "lib").glob("python3*/site-packages"), reverse=True)
    yield from (Path(entry) for entry in sys.path if entry)
