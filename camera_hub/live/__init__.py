"""Packets to viewers: one source, many who watch, and nobody who delays another.

A packet's way: `gop` keeps what a viewer starts with, `channel` hands one stream to its viewers, `hub`
asks the sites for what is watched, `whep` carries it to browsers by WebRTC (`offer` reads their SDP,
`timeline` gives the RTP times, `peer` is our edge to aiortc).
"""
