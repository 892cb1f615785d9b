"""MP4 as bytes, for recordings and live views: boxes, decoder configuration, a track's time axis. Pure."""
