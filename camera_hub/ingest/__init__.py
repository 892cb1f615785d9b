"""The worker: every camera an OS process, supervised, and an outbox for what they find.

In the order in which a packet travels: `camera_process` is a camera's whole life in its own
process, `pipeline` one stream's fan-out, `watcher` packets to events; `channel` and `messages`
are how the process talks to the worker; `keeper` starts, watches and restarts it; `outbox` keeps
what servers have not yet acknowledged; `clips` cuts an event's video; `worker` puts it together.
"""
