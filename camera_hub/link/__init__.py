"""What worker and server say to each other, and each one's end of it.

The worker dials out over one WebSocket; nothing listens in the hamlet. `messages` is the
vocabulary, `handshake` how the worker proves itself, `enrolment` how its key becomes known; `worker` and
`server` are the two ends. Worker and server meet nowhere else, also on one machine.
"""
