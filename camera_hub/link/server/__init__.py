"""The server's end of the link: who is let in, what is taken of them, and what is asked of them."""
