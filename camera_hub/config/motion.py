"""What the configuration says of motion: whether, how eagerly, and how large people look."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from camera_hub.config.section import Fraction, Section, wrong

_ROWS_APART = 0.1  # of the picture; nearer places say little of the growth between them


class PersonHeightConfig(Section):
    """How tall a person looks at one place."""

    at: tuple[Fraction, Fraction] = Field(
        description="Where the feet are, as [x, y] in fractions of the picture. Example: [0.50, 0.45]"
    )
    height: Annotated[float, Field(ge=0.01, le=1, allow_inf_nan=False)] = Field(
        description="From feet to head, in fractions of the picture's height. Example: 0.12"
    )


class ExactConfig(Section):
    """Single numbers in place of those that the sensitivity means; a key that is not given stays as it is."""

    least_tones: Annotated[float, Field(ge=3, le=60, allow_inf_nan=False)] | None = Field(
        default=None,
        description="By how many of 255 tones a pixel must differ to count. normal is 10.",
    )
    spreads: Annotated[float, Field(ge=1, le=8, allow_inf_nan=False)] | None = Field(
        default=None,
        description="By how many of its own usual deviations it must differ besides. normal is 2.5.",
    )
    least_area: Annotated[float, Field(ge=4, le=5000, allow_inf_nan=False)] | None = Field(
        default=None,
        description="How many pixels of the small picture (320 wide) a mover covers at least. normal is 14.",
    )
    least_travel: Annotated[float, Field(ge=1, le=100, allow_inf_nan=False)] | None = Field(
        default=None,
        description="How many pixels of the small picture it goes at least. normal is 5.",
    )
    patience: Annotated[float, Field(ge=0.3, le=5, allow_inf_nan=False)] | None = Field(
        default=None,
        description="A factor on how long and how far it must go until it is believed. normal is 1.",
    )


class MotionConfig(Section):
    """Whether and how eagerly motion is looked for."""

    enabled: bool = Field(
        default=True, description="false: the camera is seen and recorded, but makes no events."
    )
    sensitivity: Literal["low", "normal", "high"] = Field(
        default="normal",
        description="high sees smaller and fainter movers, and is wrong more often; low the reverse.",
    )
    person_height: tuple[PersonHeightConfig, ...] = Field(
        default=(),
        max_length=2,
        description="How tall a grown person looks at two places, one far and one near: what is far "
        "smaller or larger than people are at its place is then no mover. Not needed for good results.",
    )
    exact: ExactConfig = Field(
        default=ExactConfig(),
        description="Single numbers in place of those that `sensitivity` means; best those that "
        "`camera-hub tune` has found.",
    )

    @field_validator("person_height")
    @classmethod
    def _are_two_that_differ(cls, places: tuple[PersonHeightConfig, ...]) -> tuple[PersonHeightConfig, ...]:
        if not places:
            return places
        if len(places) == 1:
            raise wrong("has one place; measure a person at two, one far and one near, or take it out")
        far, near = sorted(places, key=lambda place: place.at[1])
        if near.at[1] - far.at[1] < _ROWS_APART:
            raise wrong(
                "has two places at about the same height of the picture; take one far (further up) "
                "and one near (further down), at least 0.1 apart"
            )
        if near.height < far.height:
            raise wrong(
                "has the taller person further up in the picture; who is nearer stands further down "
                "and looks taller: look whether the heights are swapped"
            )
        for place in places:
            if place.height > place.at[1] + 0.02:
                raise wrong(
                    f"has a person of {place.height:g} whose feet are {place.at[1]:g} below the picture's "
                    "top: the head would be outside; measure one who is seen whole"
                )
        return places
