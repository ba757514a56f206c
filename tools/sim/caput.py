"""A plain Channel Access client that writes, as an operator's caput does.

    EPICS_CA_ADDR_LIST=… PYTHONPATH=tools python3 -m sim.caput NAME VALUE [NAME VALUE]…

Values are numbers. Ends with 0 when every IOC has the value.
"""

import ctypes
import os
import sys

from sim import core

DBR_DOUBLE = 6
ECA_NORMAL = 1
TIMEOUT = 5.0


def load():
    directory = core.find().library_dir
    if not directory:
        raise SystemExit("caput: there is no libca beside the IOC core that is used")
    ctypes.CDLL(os.path.join(directory, "libCom.so"), ctypes.RTLD_GLOBAL)
    ca = ctypes.CDLL(os.path.join(directory, "libca.so"), ctypes.RTLD_GLOBAL)
    ca.ca_pend_io.argtypes = [ctypes.c_double]
    ca.ca_create_channel.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p,
                                     ctypes.c_uint, ctypes.c_void_p]
    ca.ca_array_put.argtypes = ca.ca_array_get.argtypes = [
        ctypes.c_long, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_void_p]
    ca.ca_message.argtypes, ca.ca_message.restype = [ctypes.c_long], ctypes.c_char_p
    return ca


def put_all(values):
    """Writes all, then reads each back: an answer proves that the IOC has the put."""
    ca = load()

    def check(status, what):
        if status != ECA_NORMAL:
            raise SystemExit(f"caput: {what}: {ca.ca_message(status).decode()}")

    check(ca.ca_context_create(0), "context")
    channels = {name: ctypes.c_void_p() for name in values}
    for name, channel in channels.items():
        check(ca.ca_create_channel(name.encode(), None, None, 0, ctypes.byref(channel)), name)
    check(ca.ca_pend_io(TIMEOUT), "connecting to " + ", ".join(values))
    read = {name: ctypes.c_double() for name in values}
    for name, value in values.items():
        number = ctypes.c_double(value)
        check(ca.ca_array_put(DBR_DOUBLE, 1, channels[name], ctypes.byref(number)), name)
        check(ca.ca_array_get(DBR_DOUBLE, 1, channels[name], ctypes.byref(read[name])), name)
    check(ca.ca_pend_io(TIMEOUT), "writing " + ", ".join(values))
    ca.ca_context_destroy()


def main():
    words = sys.argv[1:]
    if not words or len(words) % 2:
        raise SystemExit(__doc__)
    put_all({name: float(value) for name, value in zip(words[::2], words[1::2])})


if __name__ == "__main__":
    main()
