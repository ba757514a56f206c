"""One IOC in a Python process: python3 ioc_host.py CONFIG, where CONFIG is JSON text.

Keys: library_dir, dbd_dir, database, security, put_log (empty: none), parent (process id).
EPICS_CAS_* in the environment say where it listens. It ends on SIGTERM, and with its parent.

Run as a program of its own, so it imports nothing of this package.
"""

import ctypes
import json
import os
import signal
import struct
import sys
import threading
import time

PR_SET_PDEATHSIG = 1


def main():
    config = json.loads(sys.argv[1])
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent decides.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != config["parent"]:
        return 1  # It died before prctl().

    libraries = {}
    for name in ("Com", "ca", "dbCore", "dbRecStd"):
        path = os.path.join(config["library_dir"], f"lib{name}.so")
        libraries[name] = ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
    com, db = libraries["Com"], libraries["dbCore"]

    put_log = PutLog(config["put_log"]) if config["put_log"] else None
    register = db.registerAllRecordDeviceDrivers
    register.argtypes = [ctypes.c_void_p]
    if db.dbLoadDatabase(b"base.dbd", config["dbd_dir"].encode(), None):
        return fail("cannot load base.dbd")
    if register(ctypes.c_void_p.in_dll(db, "pdbbase")):
        return fail("cannot register the record types")
    if db.asSetFilename(config["security"].encode()):
        return fail("cannot use the access security file")
    if db.dbLoadRecords(config["database"].encode(), b""):
        return fail(f"cannot load {config['database']}")
    if put_log:
        put_log.listen(com if hasattr(com, "asTrapWriteRegisterListener") else db)
    if db.iocInit():
        return fail("iocInit failed")

    signal.sigwait({signal.SIGTERM})
    if put_log:
        put_log.flush()
    # Clients see their connection end. The exit handlers of the IOC would take seconds on a large
    # database, and have nothing to save.
    os._exit(0)


def fail(why):
    print(f"ioc_host: {why}", file=sys.stderr, flush=True)
    return 1


class PutLog:
    """Writes a line for every put that access security accepted, when the IOC receives it:

        2024-11-21T13:56:37.623456Z <tab> PV <tab> old <tab> new <tab> user@host

    Values are JSON (numbers, also nan and inf; strings; arrays of at most 16 elements and then ...); old is
    - where it would not be cheap. The listener runs on a thread of the IOC's server, which it must not delay: it
    makes the line at once and leaves. A thread that made lines later would hold Python's lock against
    every listener call for whole switch intervals, and be slower by a factor of hundred. The thread
    that there is only writes, every 100 ms.
    """

    FLUSH_INTERVAL = 0.1
    ELEMENTS_MAX = 16

    # Type codes of db_access.h, and of dbFldTypes.h for the field before the put.
    PUT_FORMATS = {1: "h", 2: "f", 3: "H", 4: "b", 5: "i", 6: "d"}
    FIELD_FORMATS = {1: "b", 2: "B", 3: "h", 4: "H", 5: "i", 6: "I", 7: "q", 8: "Q", 9: "f", 10: "d", 11: "H",
                     12: "H", 13: "H"}
    STRING_BYTES = 40

    # struct asTrapWriteMessage: userid, hostid, serverSpecific, userPvt, dbrType, no_elements, data
    MESSAGE = struct.Struct("@PPPPiiP")
    # The start of struct dbChannel: name, addr {precord, pfield, pfldDes, no_elements, field_type}
    CHANNEL = struct.Struct("@PPPPlh")

    def __init__(self, path):
        # One write() of whole lines each time, in append mode: several IOCs can share a file.
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self.lines = []
        self.thread = threading.local()
        self.second = -1
        self.prefix = ""
        self.puts = {code: struct.Struct("@" + letter) for code, letter in self.PUT_FORMATS.items()}
        self.fields = {code: struct.Struct("@" + letter) for code, letter in self.FIELD_FORMATS.items()}

    def listen(self, library):
        kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int)
        self.callback = kind(self.received)  # Kept: the library holds only its address.
        library.asTrapWriteRegisterListener.restype = ctypes.c_void_p
        library.asTrapWriteRegisterListener(self.callback)
        threading.Thread(target=self.write_on, daemon=True).start()

    def received(self, message, after):
        try:
            self.thread.pinned
        except AttributeError:
            # Without this, Python would make and destroy its state of this thread, a memory mapping
            # among it, in every call: four times the cost. It stays when the thread ends; small.
            ctypes.pythonapi.PyGILState_Ensure()
            self.thread.pinned = True
        if after:
            return
        try:
            string_at = ctypes.string_at
            user, host, channel, _, kind, count, data = self.MESSAGE.unpack(string_at(message, self.MESSAGE.size))
            name, _, field, _, elements, field_type = self.CHANNEL.unpack(string_at(channel, self.CHANNEL.size))
            old = "-"
            if elements == 1:
                reader = self.fields.get(field_type)
                if reader:
                    old = repr(reader.unpack(string_at(field, reader.size))[0])
                elif field_type == 0:
                    old = json.dumps(string_at(field).decode("latin-1"))
            self.lines.append(f"{self.stamp()}\t{string_at(name).decode('latin-1')}\t{old}\t"
                              f"{self.value(kind, count, data)}\t"
                              f"{string_at(user).decode('latin-1')}@{string_at(host).decode('latin-1')}\n")
        except Exception as error:  # An exception has nowhere to go from here; a put must leave a line.
            self.lines.append(f"{self.stamp()}\t?\t-\t-\t{error!r}\n")

    def value(self, kind, count, data):
        if not data:
            return "-"
        reader = self.puts.get(kind)
        if reader and count == 1:
            return repr(reader.unpack(ctypes.string_at(data, reader.size))[0])
        shown = min(count, self.ELEMENTS_MAX)
        if reader:
            values = [repr(v) for v, in reader.iter_unpack(ctypes.string_at(data, reader.size * shown))]
        elif kind == 0:
            raw = ctypes.string_at(data, self.STRING_BYTES * (shown - 1)) if shown > 1 else b""
            cells = [raw[i:i + self.STRING_BYTES] for i in range(0, len(raw), self.STRING_BYTES)]
            # The last one may be sent without its padding.
            cells.append(ctypes.string_at(data + len(raw)))
            values = [json.dumps(cell.split(b"\0")[0].decode("latin-1")) for cell in cells]
            if count == 1:
                return values[0]
        else:
            return "-"
        return "[" + ",".join(values) + (",...]" if count > shown else "]")

    def stamp(self):
        now = time.time_ns() // 1000
        second, micros = divmod(now, 1_000_000)
        if second != self.second:
            self.prefix, self.second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)), second
        return f"{self.prefix}.{micros:06d}Z"

    def write_on(self):
        while True:
            time.sleep(self.FLUSH_INTERVAL)
            self.flush()

    def flush(self):
        # Each step is one operation under Python's lock, so lines may be added meanwhile.
        count = len(self.lines)
        if not count:
            return
        chunk = self.lines[:count]
        del self.lines[:count]
        left = "".join(chunk).encode("latin-1")
        while left:
            left = left[os.write(self.file, left):]


if __name__ == "__main__":
    sys.exit(main())
