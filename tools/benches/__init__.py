"""What tools/bench measures: a function per bench, and the figures it hands back.

  __main__.py    arguments, the runs, what is printed
  figures.py     metrics with their bars; medians; JSON, table, Markdown
  machine.py     programs, simulated machine, site: what the benches share
  start.py       monitor-start, monitor-start-dead, site-start, node-recovery
  snapshots.py   snapshot-live, http-snapshot-40k, compare, restore-plan, restore
  ingest.py      e2e-ingest, follow-latency, journal-append
  journal.py     journal-size, journal-state-at, journal-history, journal-query, journal-scan,
                 journal-restart
  bus.py         bus-throughput, bus-latency, bus-request, bus-kv, bus-join, bus-directory
"""
