"""How fast the product is, beside other ways to do the same: `python -m tests.benchmarks`. Nothing here asserts a time."""
