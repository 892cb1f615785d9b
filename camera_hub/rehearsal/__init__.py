"""Clips played to a running hub as its cameras, in real time: `camera-hub replay --live`.

`cast` makes cameras of clips, `told` notes what the hub acknowledged and how soon, and `play` runs a worker
of its own for them, beside the hub's, from the first picture until everything has been told.
"""
