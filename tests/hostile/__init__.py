"""Hostile input against a real process: each attack gets the exact error, and costs nobody else anything.

What is proved is order, never time: a flood is still being answered when others have had their turns. Memory is bounded
generously, since only what grows without end would break the bound. `bench.hostile` measures the same attacks.
"""
