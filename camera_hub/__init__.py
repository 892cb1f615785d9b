"""Camera Hub: a village security service. Cameras in; true alerts, live views and evidence out."""

__version__ = "0.1.0"
