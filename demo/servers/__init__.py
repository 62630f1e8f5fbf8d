"""Servers on loopback that speak the APIs of the outside systems, for the demo and the tests."""
