"""Benchmarks of the product against baselines that are measured in the same run: `python -m benchmarks`.

Method, traps and figures stand in docs/benchmarks.md. What matters are the ratios and their spread; the absolute
figures belong to the machine.
"""
