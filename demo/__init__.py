"""Meridian Logistics, a made-up company: its strategy, its simulated year, and servers that speak for its systems."""

from demo.serving import serve
from demo.truth import ground_truth
from demo.world import DEFAULT_SEED, Snapshot, World, simulate

__all__ = ["DEFAULT_SEED", "Snapshot", "World", "ground_truth", "serve", "simulate"]
