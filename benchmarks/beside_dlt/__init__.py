"""The systems that are pulled by our connectors and by dlt's REST source, a module for each.

Each serves records of its own making (``serve``), and says how our connector (``source``) and dlt (``dlt``) pull them. Each is
part of three processes, whose memory is measured: so what only one of them needs is imported there.
"""
