"""What people said of events, as labelled clips for the replay lab: `camera-hub labels export`.

`export` goes through the events with a verdict, `footage` finds each one's video, `spans` says what is known
of the time that it shows, `files` writes it. Nothing on the server changes by it.
"""
