"""Benchmarks of divekit beside its peers: ``python -m benchmarks [JOB ...]``; see ``--help``.

One file per job; ``harness`` times them, ``report`` writes what came out. ``goals`` is apart:
``python -m benchmarks.goals`` trains the recipes on the real data, for ``docs/results/``.
"""
