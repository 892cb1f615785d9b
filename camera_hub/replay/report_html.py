"""HTML from small pieces, with every text escaped: nothing that a file is named becomes markup."""

from html import escape

VOID = frozenset({"img", "meta", "input", "br"})


class Html(str):
    """Markup that may stand as it is; any other string is text."""

    __slots__ = ()


Piece = str | None
"""Html, a text, or nothing."""


def tag(element: str, /, *inside: Piece, **attributes: str | float | bool | None) -> Html:
    """An element. `class_` is the attribute class; an underscore within a name is a hyphen.

    An attribute that is None or False is left out, one that is True stands alone.
    """
    told = "".join(_attribute(key, value) for key, value in attributes.items())
    if element in VOID:
        return Html(f"<{element}{told}>")
    return Html(f"<{element}{told}>{join(*inside)}</{element}>")


def join(*pieces: Piece) -> Html:
    """Pieces one after the other."""
    return Html("".join(_markup(piece) for piece in pieces))


def _markup(piece: Piece) -> str:
    if piece is None:
        return ""
    return piece if isinstance(piece, Html) else escape(piece)


def _attribute(key: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    shown = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f' {name}="{escape(shown)}"'
