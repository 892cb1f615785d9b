"""Labelled clips composed from real plates and cut-outs, for measuring motion detectors.

    python -m benchmarks.compose OUT_DIR --seed N --minutes M [--conditions a,b] [--clips FOLDER]

A plate is an empty stretch of a real clip; a cut-out is a real mover taken from one by its
difference to the plate. Both are read from the folder of labelled clips each time, since those
may not be passed on. Labels are exact, because every frame is put together here.
"""
