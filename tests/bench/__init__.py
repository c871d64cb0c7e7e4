"""Tests of the benchmark's own arithmetic: what it says, how it counts, what it makes of its figures."""
