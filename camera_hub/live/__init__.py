"""Packets to viewers: one source, many who watch, and nobody who delays another.

A packet's way: `gop` keeps what a viewer starts with, `channel` hands one stream to its viewers, `hub`
asks the sites for what is watched, `limits` says how many may. To browsers by WebRTC: `whep` makes the
sessions (`offer` and `fragment` read their SDP, `ice` names servers that help), `feed` brings a stream to
a viewer's `sender`, which sends pictures that `rtp` packs once for all, at the times of `timeline`, as
much as `ladder` allows, over its `path`; `peer` is our edge to aiortc.
"""
