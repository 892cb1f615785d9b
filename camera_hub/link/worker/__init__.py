"""The worker's end of the link: what goes first over a line that may be narrow, and what is answered."""
