"""A subsystem in a process of its own that others write to, to be stopped for a while:
python -m tests.server <site file> <name>. Each line that it reads it answers with what was written: [1, …].
"""

import json
import sys

from tidemark import Subsystem

written = []
subsystem = Subsystem(sys.argv[2], sys.argv[1])
value = subsystem.writable("v", "int64")
value.on_write(written.append)
with subsystem:
    for _ in sys.stdin:
        print(json.dumps(written), flush=True)
