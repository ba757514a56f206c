"""The simulated machine: real soft IOCs with generated databases. Started by tools/sim-ioc.

    cli.py       options, the ready line, the files for clients
    fleet.py     the IOC processes: start, watch, restart, end
    core.py      where the IOC code comes from (EPICS_BASE, or the wheel in .venv)
    ioc_host.py  one IOC in a Python process; writes the put log
    records.py   Device, Record and Row; database and CSV text
    linac.py     profile linac
    plain.py     profiles setpoints and fast

Only the standard library is used; the IOC code is reached by ctypes.
"""
