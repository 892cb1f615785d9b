"""What all parts of the configuration share: how they are checked, and their common types.

A part is frozen, refuses unknown keys, and reports everything that is wrong with it at once:
what pydantic finds in single keys and what `_examine` finds between them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from camera_hub.config.errors import Loc

WRONG = "wrong"
"""The type of the errors that we word ourselves."""

Id = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
ShortText = Annotated[str, Field(min_length=1, max_length=200)]


def wrong(text: str) -> PydanticCustomError:
    """The error that a validator raises. `text` follows the key and starts with a verb."""
    return PydanticCustomError(WRONG, "{text}", {"text": text})


class Section(BaseModel):
    """A mapping in the configuration file."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        use_attribute_docstrings=False,
        validate_default=False,
    )

    @classmethod
    def _examine(cls, data: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[Loc, str]]]:
        """Look at the keys together, before each is looked at alone.

        `data` is as it was written, of whatever type. Returns it, changed or not, and what is
        wrong: where (within this section) and in which words.
        """
        return data, []

    @model_validator(mode="wrap")
    @classmethod
    def _tell_all(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, Mapping):
            return handler(data)
        examined, found = cls._examine(dict(data))
        errors = [InitErrorDetails(type=wrong(text), loc=loc, input=None) for loc, text in found]
        try:
            made = handler(examined)
        except ValidationError as exc:
            errors += [_again(error) for error in exc.errors(include_url=False)]
        else:
            if not errors:
                return made
        raise ValidationError.from_exception_data(cls.__name__, errors, hide_input=True)


def _again(error: Any) -> InitErrorDetails:
    """An error as it must be given to pydantic to be raised once more."""
    kind = wrong(error["msg"]) if error["type"] == WRONG else error["type"]
    return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"], ctx=error.get("ctx", {}))


def look(item: Any, *keys: str) -> Any:
    """What stands under the keys in a mapping or a section of any shape, or None."""
    for key in keys:
        if isinstance(item, Mapping):
            item = item.get(key)
        elif isinstance(item, BaseModel):
            item = getattr(item, key, None)
        else:
            return None
    return item


def entries(item: Any) -> list[Any]:
    """The entries of a list of any kind; none where it is no list."""
    return list(item) if isinstance(item, list | tuple) else []


def twice(items: Any, key: str, under: str, called: str) -> list[tuple[Loc, str]]:
    """A problem for each entry of a list whose `key` an earlier entry has already."""
    first: dict[str, int] = {}
    found: list[tuple[Loc, str]] = []
    for index, item in enumerate(entries(items)):
        value = look(item, key)
        if not isinstance(value, str):
            continue
        if value in first:
            text = f"is the same as that of {under}[{first[value]}]; {called}"
            found.append(((under, index, key), text))
        first.setdefault(value, index)
    return found


def beside_config(path: Path, info: ValidationInfo) -> Path:
    """A path with `~` expanded; a relative one counts from the configuration file's folder."""
    folder = (info.context or {}).get("folder")
    path = path.expanduser()
    return (folder / path).resolve() if folder is not None else path
