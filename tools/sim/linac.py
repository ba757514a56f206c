"""Profile linac: a small linear accelerator in the naming of one.

The linac is a row of cells. Each cell holds the device kinds of KINDS, in that order, ten cells make
an area (LI21, LI22, ...). A record that is over when no whole device fits is a plain parameter, so
any number of records comes out exactly.

A readback follows its setpoint by itself: it is scanned at 5 Hz, goes four fifths of the way each
time, and is there, but for noise, after 0.6 s at the latest. Noise stays below a tenth of the tolerance
in the CSV. A readback posts only what is larger than its noise, apart from one in ten, which posts
every scan.

`rate_share` of all records move at 10 Hz; the other moving ones once in 2 to 10 seconds.
"""

import math

from .records import Const, Device, Row

# Kind, records, what it is, CA types. Shown by --list-types.
KINDS = (
    ("QUAD", 7, "quadrupole: BDES/BACT, BMAX (read-only), CTRL, STATMSG, TEMP, ONCTRL", "double enum string"),
    ("BPMS", 6, "position monitor: X, Y, TMIT, history XHST, raw RAW, STA", "double double[] short[] long"),
    ("XCOR", 3, "corrector: BDES/BACT, CTRL", "double enum"),
    ("KLYS", 14, "klystron: PDES/PACT, AMPL/AACT, MODE, SLED, TRIG/TRIGR, BVLT, FLT, NAME, NOTE, WFDES, WF",
     "double enum long string longstring double[] float[]"),
    ("TYPE", 11, "one PV of every CA type", "double float long short char string longstring enum char[] long[]"),
    ("VGCC", 3, "vacuum gauge: PRESS, LOGP, STATE", "double enum"),
    ("RTD", 2, "thermometer: TEMP, LOCN", "double string"),
    ("YCOR", 3, "corrector: BDES/BACT, CTRL", "double enum"),
    ("QUAD", 7, "second quadrupole", ""),
    ("RTD", 2, "second thermometer", ""),
    ("BPMS", 6, "second position monitor", ""),
)

SEVERITIES = dict(HHSV="MAJOR", HSV="MINOR", LSV="MINOR", LLSV="MAJOR")
FOLLOW = "ABS(A-VAL)<C?A+(RNDM-0.5)*B:A+(VAL-A)*0.2"
CELLS_PER_AREA = 10


class _Builder:
    """Makes the devices one by one; holds what must be shared out among them."""

    def __init__(self, random, rate_share):
        self.random = random
        self.rate_share = rate_share
        self.records = 0
        self.fast = 0
        self.readbacks = 0
        self.thermometers = 0
        self.gauges = 0

    def scan(self, slow):
        """10 Hz while the share of fast records allows it, else `slow`."""
        if self.fast < self.rate_share * (self.records + 1):
            self.fast += 1
            return ".1 second"
        return slow

    def place(self, kind, cell, slot):
        """Names and tags of the device in `slot` of `cell`."""
        area = f"LI{21 + cell // CELLS_PER_AREA}"
        unit = (cell % CELLS_PER_AREA + 1) * 100 + slot + 1
        region = f"L{1 + cell // CELLS_PER_AREA % 3}"
        if cell % 7 == 3:
            region += ",Injector" if cell < CELLS_PER_AREA else ",Shared"
        return f"{kind}:{area}:{unit}", dict(region=region, area=area, device=f"{kind}:{area}:{unit}")

    def follower(self, device, setpoint, readback, start, egu, prec, span, tolerance, **fields):
        """A readback record of the setpoint. `span` is the full range of the setpoint."""
        self.readbacks += 1
        noise = tolerance / 6  # Peak to peak, so at most a twelfth of the tolerance off.
        deadband = 0 if self.readbacks % 10 == 0 else 2 * noise
        device.record("calc", readback, ASG="READONLY", CALC=FOLLOW, INPA=f"{setpoint} NPP NMS", INPB=noise,
                      INPC=span * 0.05, SCAN=".2 second", PINI="YES", VAL=start, EGU=egu, PREC=prec,
                      MDEL=deadband, ADEL=deadband, **fields)

    def magnet(self, device, name, tags, field_max, prec, tolerance, subsystem):
        start = round(self.random.uniform(-0.8, 0.8) * field_max, prec)
        limits = dict(HOPR=field_max, LOPR=-field_max)
        device.record("ao", f"{name}:BDES", VAL=start, EGU="kG", PREC=prec, DRVH=field_max, DRVL=-field_max,
                      HIHI=field_max, HIGH=field_max * 0.95, LOW=-field_max * 0.95, LOLO=-field_max,
                      PINI="YES", **limits, **SEVERITIES)
        self.follower(device, f"{name}:BDES", f"{name}:BACT", start, "kG", prec, 2 * field_max, tolerance,
                      **limits)
        device.rows.append(Row(f"{name}:BDES", f"{name}:BACT", subsystem=subsystem, description="Field",
                               abs_tolerance=tolerance, rel_tolerance=0.001, **tags))

    def quad(self, cell, slot):
        name, tags = self.place("QUAD", cell, slot)
        d = Device()
        feedback = "Magnets,Feedback" if cell % 5 == 0 else "Magnets"
        self.magnet(d, name, tags, 20.0, 5, 0.01, feedback)
        tags["subsystem"] = "Magnets"
        d.record("ao", f"{name}:BMAX", ASG="READONLY", VAL=20.0, EGU="kG", PREC=3, PINI="YES")
        d.rows.append(Row(f"{name}:BMAX", read_only=True, description="Design limit", **tags))
        d.record("mbbo", f"{name}:CTRL", VAL=0, PINI="YES", ZRST="Ready", ONST="TRIM", TWST="PERTURB",
                 THST="DEGAUSS", FRST="CALIB", ZRVL=0, ONVL=1, TWVL=2, THVL=3, FRVL=4)
        d.rows.append(Row(f"{name}:CTRL", description="Control function", **tags))
        d.record("stringin", f"{name}:STATMSG", ASG="READONLY", VAL="Good", PINI="YES")
        d.rows.append(Row(readback=f"{name}:STATMSG", description="Status", **tags))
        warm = self.random.uniform(28, 35)
        d.record("calc", f"{name}:TEMP", ASG="READONLY", CALC="A+(VAL-A)*0.9+(RNDM-0.5)*0.2", INPA=warm,
                 VAL=round(warm, 2), SCAN="5 second", PINI="YES", EGU="degC", PREC=2, HIGH=45, HIHI=55, HSV="MINOR",
                 HHSV="MAJOR", MDEL=0.05)
        d.rows.append(Row(readback=f"{name}:TEMP", description="Coil", abs_tolerance=1, **tags))
        d.record("bo", f"{name}:ONCTRL", VAL=1, ZNAM="Off", ONAM="On", PINI="YES")
        d.rows.append(Row(f"{name}:ONCTRL", description="Power", **tags))
        return d

    def corrector(self, kind, cell, slot):
        name, tags = self.place(kind, cell, slot)
        d = Device()
        self.magnet(d, name, tags, 0.06, 6, 0.0005, "Magnets,Orbit" if slot % 2 else "Orbit")
        d.record("bo", f"{name}:CTRL", VAL=0, ZNAM="Ready", ONAM="TRIM", PINI="YES")
        d.rows.append(Row(f"{name}:CTRL", subsystem="Magnets", **tags))
        return d

    def bpm(self, cell, slot):
        name, tags = self.place("BPMS", cell, slot)
        tags["subsystem"] = "Diagnostics"
        d = Device()
        for axis in ("X", "Y"):
            d.record("calc", f"{name}:{axis}", ASG="READONLY", CALC="A+(RNDM-0.5)*0.1",
                     INPA=self.random.uniform(-1, 1), SCAN=self.scan("2 second"), EGU="mm", PREC=4, PINI="YES",
                     HIHI=5, HIGH=3, LOW=-3, LOLO=-5, **SEVERITIES)
        d.record("calc", f"{name}:TMIT", ASG="READONLY", CALC="1.5E9*(1+(RNDM-0.5)*0.02)", PINI="YES",
                 SCAN=self.scan("2 second"), EGU="Nel", PREC=0)
        for axis, tolerance in (("X", 0.2), ("Y", 0.2), ("TMIT", 1e8)):
            d.rows.append(Row(readback=f"{name}:{axis}", description="Beam position"
                              if axis != "TMIT" else "Beam charge", abs_tolerance=tolerance, **tags))
        d.record("compress", f"{name}:XHST", ASG="READONLY", INP=f"{name}:X NPP", ALG="Circular Buffer", NSAM=100,
                 SCAN="1 second" if slot == 1 and cell % 4 == 0 else "10 second", EGU="mm", PREC=4)
        d.rows.append(Row(readback=f"{name}:XHST", description="Last 100 positions", **tags))
        wave = [round(8000 * math.sin(i * 0.7 + cell) * math.exp(-i / 12)) for i in range(32)]
        d.record("waveform", f"{name}:RAW", ASG="READONLY", FTVL="SHORT", NELM=32, INP=wave, PINI="YES")
        d.rows.append(Row(readback=f"{name}:RAW", description="Raw pulse", **tags))
        d.record("longin", f"{name}:STA", ASG="READONLY", VAL=cell % 4, PINI="YES")
        d.rows.append(Row(readback=f"{name}:STA", description="Status word", **tags))
        return d

    def klystron(self, cell, slot):
        name, tags = self.place("KLYS", cell, slot)
        tags["subsystem"] = "RF" if cell % 6 else "RF,Feedback"
        d = Device()
        phase = round(self.random.uniform(-90, 90), 2)
        d.record("ao", f"{name}:PDES", VAL=phase, EGU="deg", PREC=2, DRVH=180, DRVL=-180, HOPR=180, LOPR=-180,
                 PINI="YES")
        self.follower(d, f"{name}:PDES", f"{name}:PACT", phase, "deg", 2, 360, 0.5)
        d.rows.append(Row(f"{name}:PDES", f"{name}:PACT", description="Phase", abs_tolerance=0.5, **tags))
        amplitude = round(self.random.uniform(50, 95), 2)
        d.record("ao", f"{name}:AMPL", VAL=amplitude, EGU="%", PREC=2, DRVH=100, DRVL=0, HOPR=100, LOPR=0,
                 HIGH=98, HSV="MINOR", PINI="YES")
        self.follower(d, f"{name}:AMPL", f"{name}:AACT", amplitude, "%", 2, 100, 0.2)
        d.rows.append(Row(f"{name}:AMPL", f"{name}:AACT", description="Amplitude", abs_tolerance=0.2,
                          rel_tolerance=0.005, **tags))
        d.record("mbbo", f"{name}:MODE", VAL=1, PINI="YES", ZRST="Standby", ONST="Accelerate", TWST="Maintenance",
                 ZRVL=0, ONVL=1, TWVL=2, TWSV="MINOR")
        d.rows.append(Row(f"{name}:MODE", description="Mode", **tags))
        d.record("bo", f"{name}:SLED", VAL=1, ZNAM="Detuned", ONAM="Tuned", PINI="YES")
        d.rows.append(Row(f"{name}:SLED", description="Energy doubler", **tags))
        trigger = 1000 + cell % 500
        d.record("longout", f"{name}:TRIG", VAL=trigger, DRVH=100000, DRVL=0, HOPR=100000, LOPR=0, EGU="ns",
                 FLNK=f"{name}:TRIGR", PINI="YES")
        d.record("longin", f"{name}:TRIGR", ASG="READONLY", VAL=trigger, INP=f"{name}:TRIG NPP NMS", EGU="ns",
                 PINI="YES")
        d.rows.append(Row(f"{name}:TRIG", f"{name}:TRIGR", description="Trigger delay", **tags))
        d.record("calc", f"{name}:BVLT", ASG="READONLY", CALC="350+(RNDM-0.5)*2", SCAN=self.scan("2 second"),
                 PINI="YES", EGU="kV", PREC=1, HIGH=380, HIHI=400, HSV="MINOR", HHSV="MAJOR")
        d.rows.append(Row(readback=f"{name}:BVLT", description="Beam voltage", abs_tolerance=3, **tags))
        d.record("bi", f"{name}:FLT", ASG="READONLY", VAL=1 if cell % 20 == 19 else 0, ZNAM="OK", ONAM="Fault",
                 OSV="MAJOR", PINI="YES")
        d.rows.append(Row(readback=f"{name}:FLT", description="Fault summary", **tags))
        d.record("stringout", f"{name}:NAME", VAL=f"Station {name[5:]}", PINI="YES")
        d.rows.append(Row(f"{name}:NAME", description="Name on the panel", **tags))
        d.record("lso", f"{name}:NOTE", SIZV=200, PINI="YES", DOL=Const("Tube changed in spring, \"gun\" conditioned "
                 "for 72 hours; keep the repetition rate below 60 Hz"))
        d.rows.append(Row(f"{name}:NOTE.VAL$", description="Note of the shift, a long string", **tags))
        shape = [round(math.sin(math.pi * i / 63), 4) for i in range(64)]
        d.record("waveform", f"{name}:WFDES", FTVL="DOUBLE", NELM=64, INP=shape, PINI="YES", PREC=4)
        d.rows.append(Row(f"{name}:WFDES", description="Drive waveform", abs_tolerance=0.001, **tags))
        d.record("waveform", f"{name}:WF", ASG="READONLY", FTVL="FLOAT", NELM=64, INP=shape, PINI="YES", EGU="MW",
                 PREC=3)
        d.rows.append(Row(readback=f"{name}:WF", description="Forward power", **tags))
        return d

    def types(self, cell, slot):
        """One PV of every type that Channel Access has."""
        name, tags = self.place("TYPE", cell, slot)
        tags["subsystem"] = "Controls"
        d = Device()
        wave = lambda kind, length, value: dict(FTVL=kind, NELM=length, INP=value, PINI="YES")
        d.record("ao", f"{name}:DOUBLE", VAL=math.pi, PREC=6, PINI="YES")
        d.record("waveform", f"{name}:FLOAT", PREC=3, **wave("FLOAT", 1, [2.5]))
        d.record("longout", f"{name}:LONG", VAL=-123456789, PINI="YES")
        d.record("waveform", f"{name}:SHORT", **wave("SHORT", 1, [-1234]))
        d.record("waveform", f"{name}:CHAR", **wave("CHAR", 1, [65]))
        d.record("stringout", f"{name}:STRING", VAL="thirty-nine characters at the most here", PINI="YES")
        d.record("waveform", f"{name}:LONGSTR", **wave("CHAR", 256, [ord(c) for c in "a char waveform as text" + "\0"]))
        d.record("mbbo", f"{name}:ENUM", VAL=2, PINI="YES", ZRST="Zero", ONST="One", TWST="Two", ZRVL=0, ONVL=1,
                 TWVL=2)
        d.record("lso", f"{name}:LSO", SIZV=120, PINI="YES",
                 DOL=Const("a long string record, longer than the forty bytes of DBR_STRING"))
        d.record("waveform", f"{name}:CHARS", **wave("UCHAR", 16, list(range(16))))
        d.record("waveform", f"{name}:LONGS", **wave("LONG", 16, [i * i * 1000 for i in range(16)]))
        for record in d.names:
            pv = record + ".VAL$" if record.endswith(":LSO") else record
            d.rows.append(Row(pv, description="Native type " + record.rsplit(":", 1)[1], **tags))
        return d

    def gauge(self, cell, slot):
        name, tags = self.place("VGCC", cell, slot)
        tags["subsystem"] = "Vacuum"
        self.gauges += 1
        bad = self.gauges % 25 == 0
        pressure = 3e-7 if bad else round(10 ** self.random.uniform(-9.5, -8.2), 12)
        d = Device()
        d.record("calc", f"{name}:PRESS", ASG="READONLY", CALC="MAX(A*0.5,MIN(A*2,VAL*(1+(RNDM-0.5)*0.2)))",
                 INPA=pressure, VAL=pressure, SCAN="5 second", PINI="YES", EGU="Torr", PREC=12, HIGH=5e-8, HIHI=5e-7,
                 HSV="MINOR", HHSV="MAJOR", FLNK=f"{name}:LOGP")
        d.record("calc", f"{name}:LOGP", ASG="READONLY", CALC="LOGE(A)/2.302585093", INPA=f"{name}:PRESS NPP NMS",
                 PREC=3, EGU="log Torr")
        d.record("mbbi", f"{name}:STATE", ASG="READONLY", VAL=2 if bad else 1, PINI="YES", ZRST="Off", ONST="On",
                 TWST="Tripped", ZRVL=0, ONVL=1, TWVL=2, TWSV="MAJOR")
        d.rows.append(Row(readback=f"{name}:PRESS", description="Pressure", rel_tolerance=1.5, **tags))
        d.rows.append(Row(readback=f"{name}:LOGP", description="Pressure, logarithm", abs_tolerance=0.6, **tags))
        d.rows.append(Row(readback=f"{name}:STATE", description="Gauge", **tags))
        return d

    def thermometer(self, cell, slot):
        name, tags = self.place("RTD", cell, slot)
        tags["subsystem"] = "Cooling"
        self.thermometers += 1
        # Of sixty: three in MINOR, one in MAJOR, one INVALID.
        ill = {0: "MAJOR", 20: "MINOR", 21: "MINOR", 22: "MINOR", 1: "INVALID"}.get(self.thermometers % 60)
        water = self.random.uniform(24, 30)
        alarms = dict(HIGH=40, HSV="MINOR", HIHI=60, HHSV="MAJOR")
        if ill == "MINOR":
            water += 22
        elif ill == "MAJOR":
            water += 45
        elif ill == "INVALID":
            water, alarms = 850.0, dict(HIHI=500, HHSV="INVALID")
        d = Device()
        d.record("calc", f"{name}:TEMP", ASG="READONLY", CALC="A+(VAL-A)*0.95+(RNDM-0.5)*0.1", INPA=water,
                 VAL=round(water, 2), SCAN="10 second", PINI="YES", EGU="degC", PREC=2, MDEL=0.02, **alarms)
        d.rows.append(Row(readback=f"{name}:TEMP", description="Water", abs_tolerance=0.5, **tags))
        d.record("stringout", f"{name}:LOCN", VAL=f"Girder {cell}, valve {slot}", PINI="YES")
        d.rows.append(Row(f"{name}:LOCN", description="Place", **tags))
        return d

    def parameter(self, cell, slot, number):
        name, tags = self.place("PARM", cell, slot)
        d = Device()
        d.record("ao", f"{name}:V{number}", VAL=float(number), PREC=2, PINI="YES")
        d.rows.append(Row(f"{name}:V{number}", subsystem="Controls", description="Parameter", **tags))
        return d

    def make(self, kind, cell, slot):
        if kind in ("XCOR", "YCOR"):
            return self.corrector(kind, cell, slot)
        return {"QUAD": self.quad, "BPMS": self.bpm, "KLYS": self.klystron, "TYPE": self.types,
                "VGCC": self.gauge, "RTD": self.thermometer}[kind](cell, slot)


def linac(count, random, rate_share):
    """Devices with `count` records in all."""
    builder = _Builder(random, rate_share)
    cell = 0
    while builder.records < count:
        for slot, (kind, size, _, _) in enumerate(KINDS):
            if builder.records + size <= count:
                device = builder.make(kind, cell, slot)
                builder.records += len(device.names)
                yield device
        left = count - builder.records
        if left < min(size for _, size, _, _ in KINDS):
            for number in range(left):
                builder.records += 1
                yield builder.parameter(cell, len(KINDS), number)
        cell += 1


def describe():
    """What --list-types prints."""
    cell = sum(size for _, size, _, _ in KINDS)
    lines = [f"A cell of the linac has {cell} records; {CELLS_PER_AREA} cells make an area (LI21, LI22, ...).", ""]
    lines.append(f"{'kind':6}{'records':>8}  what")
    for kind, size, what, types in KINDS:
        lines.append(f"{kind:6}{size:8}  {what}")
        if types:
            lines.append(f"{'':16}CA types: {types}")
    lines += ["", "Rates: --rate-share of all records at 10 Hz (BPMS X, Y, TMIT; KLYS BVLT); readbacks are",
              "scanned at 5 Hz and post what exceeds their noise; the rest moves in 1 to 10 s, or never.",
              "Alarms: some RTD TEMP in MINOR, MAJOR and INVALID, some VGCC in MINOR, some KLYS FLT in MAJOR.",
              "Read-only: every readback and QUAD BMAX (access security). Clamped: BDES, PDES, AMPL, TRIG."]
    return "\n".join(lines)
