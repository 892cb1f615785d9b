"""The replay lab: the worker's pipeline over clips, the score against labels, the report.

`clips` finds the files, `labels` reads what is known of them, `runner` sends them through the
pipeline on several processes, `score` says how well it did, and `command` is
`camera-hub replay`. What comes out is in `result`, and is also the form of `--json`.
"""
