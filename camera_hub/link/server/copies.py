"""Notices two running workers with one key: a copied disk, or a machine that was replaced and still runs.

Each start of a worker is a *run* with an id of its own. A run that links again after a later one has
linked was running all the time, so there are two; no restart and no bad line looks like this. The one that
was first keeps the link; the later one is refused for as long as the first is linked. Pure.
"""

MAX_RUNS = 16


class Copies:
    """One site's runs, in the order in which they were first linked."""

    def __init__(self) -> None:
        self._order: list[str] = []
        self._later: list[str] = []

    def arrives(self, run: str, linked: str | None) -> tuple[bool, bool]:
        """A run wants to link while `linked` is (None: nobody). Gives (let in, a copy was noticed).

        A worker of version 1 says no run (`""`): it is let in, and nothing can be noticed.
        """
        if not run:
            return True, False
        if run in self._later:
            if linked is not None and linked != run:
                return False, True
            self._later.remove(run)  # the first one has gone: whoever is left is the site
        noticed = False
        if run in self._order:
            later = self._order[self._order.index(run) + 1 :]
            noticed = bool(later)
            self._later = [*self._later, *later][-MAX_RUNS:]
            self._order = self._order[: self._order.index(run)]
        self._order = [*self._order, run][-MAX_RUNS:]
        return True, noticed
