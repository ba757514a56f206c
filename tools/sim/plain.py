"""Profiles setpoints and fast: many records of one kind, for benchmarks."""

from .records import Device, Row


def setpoints(count, random):
    """`count` ao records, each with a value of its own, nothing moving."""
    for i in range(count):
        device = Device()
        name = device.record("ao", f"SIM:SP:{i:06d}", PREC=4, EGU="A", DRVH=1e6, DRVL=-1e6, HOPR=1e6,
                             LOPR=-1e6, VAL=round(random.uniform(-1000, 1000), 4), PINI="YES")
        device.rows.append(Row(setpoint=name, region="Bench", area=f"Rack {i // 1000}",
                               subsystem="Setpoints", device=name, abs_tolerance=0.0001))
        yield device


def fast(count, random):
    """`count` counters at 10 Hz. A value that is not its predecessor plus one is a lost update."""
    del random
    for i in range(count):
        device = Device()
        name = device.record("calc", f"SIM:FAST:{i:05d}", CALC="VAL+1", SCAN=".1 second", PREC=0, MDEL=0,
                             ADEL=0, VAL=0)
        device.rows.append(Row(readback=name, region="Bench", area=f"Rack {i // 1000}",
                               subsystem="Counters", device=name, read_only=True))
        yield device
