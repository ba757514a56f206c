"""A subsystem in a process of its own that listens, to be stopped for a while:
python -m tests.listener <site file> <name> <pattern>. Each line that it reads it answers with what
it has heard and counted: {"last": …, "count": …, "skipped": …, "gaps": …, …}.
"""

import json
import sys
from dataclasses import asdict

from tidemark import Subsystem

heard = []
subsystem = Subsystem(sys.argv[2], sys.argv[1])
with subsystem:
    subsystem.subscribe(sys.argv[3], heard.append, "all")
    for _ in sys.stdin:
        stats = asdict(subsystem.stats())
        print(json.dumps({"last": str(heard[-1].value)[:9] if heard else None,
                          "count": len(heard), "skipped": stats.pop("link")["skipped"], **stats}),
              flush=True)
