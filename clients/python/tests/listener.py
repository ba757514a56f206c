"""A subsystem in a process of its own that listens, to be stopped for a while:
python -m tests.listener <site file> <name> <pattern>. Each line that it reads it answers with what
it has heard and counted: {"last": …, "item": …, "count": …, "gaps": …, …}.
"""

import json
import sys
from dataclasses import asdict

from tidemark import Subsystem

heard, items = [], []
subsystem = Subsystem(sys.argv[2], sys.argv[1])
with subsystem:
    subsystem.subscribe(sys.argv[3], heard.append, "all")
    subsystem.watch_status(sys.argv[3].partition("/")[0], lambda name, item: items.append(item))
    for _ in sys.stdin:
        stats = asdict(subsystem.stats())
        print(json.dumps({"last": str(heard[-1].value)[:9] if heard else None,
                          "item": items[-1].text[:9] if items else None,
                          "count": len(heard), "skipped": stats.pop("link")["skipped"], **stats}),
              flush=True)
