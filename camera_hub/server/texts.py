"""The templates of messages: what they are, changed by an administrator, tried before they are kept."""

from typing import Annotated

import msgspec
import structlog
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from camera_hub.alerts.telling.texts import DEFAULT, Facts, Language, TemplateError, Texts
from camera_hub.server.alert_messages import example
from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.problems import Problem, problems
from camera_hub.server.rights import Right, needs
from camera_hub.store import SessionRecord

log = structlog.get_logger(__name__)

router = APIRouter(tags=["alerts"])

Tools = Annotated[Parts, Depends(parts_of)]
Admin = Annotated[SessionRecord, needs(Right.CHANNELS)]
Template = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]


class TextsShape(BaseModel):
    """A language's templates (Jinja)."""

    title: Template
    body: Template
    many_title: Template = Field(description="Of several alerts in one message; it may name `count` alone")
    many_line: Template = Field(description="Of each of them")


class LanguageTexts(BaseModel):
    language: Language
    texts: TextsShape
    changed: bool = Field(description="Whether somebody changed them")


class AllTexts(BaseModel):
    languages: list[LanguageTexts]
    names: list[str] = Field(description="What a template may name")


class Trying(BaseModel):
    language: Language
    texts: TextsShape


class Preview(BaseModel):
    """What templates make of an example."""

    title: str
    body: str
    many_title: str
    many_body: str


@router.get("/api/texts", dependencies=[needs(Right.CHANNELS)])
async def list_texts(parts: Tools) -> AllTexts:
    changed = await parts.store.alerts.texts()
    return AllTexts(
        languages=[
            LanguageTexts(
                language=language,
                texts=_shape(await parts.messages.texts(language)),
                changed=language in changed,
            )
            for language in DEFAULT
        ],
        names=list(Facts.__struct_fields__),
    )


@router.put("/api/texts/{language}", responses=problems(409))
async def put_texts(language: Language, given: TextsShape, session: Admin, parts: Tools) -> LanguageTexts:
    """Change a language's templates. Those that cannot be used are refused."""
    await _preview(parts, language, given)
    await parts.store.alerts.put_texts(language, given.model_dump())
    log.info("texts changed", language=language, user=session.user.name)
    return LanguageTexts(language=language, texts=given, changed=True)


@router.delete("/api/texts/{language}")
async def delete_texts(language: Language, session: Admin, parts: Tools) -> LanguageTexts:
    """Have a language's templates as they came."""
    await parts.store.alerts.put_texts(language, None)
    log.info("texts as they came", language=language, user=session.user.name)
    return LanguageTexts(language=language, texts=_shape(DEFAULT[language]), changed=False)


@router.post("/api/text-previews", dependencies=[needs(Right.CHANNELS)], responses=problems(409))
async def preview_texts(trying: Trying, parts: Tools) -> Preview:
    """What templates make of an example; nothing is kept."""
    return await _preview(parts, trying.language, trying.texts)


async def _preview(parts: Parts, language: Language, given: TextsShape) -> Preview:
    """Raises Problem where a template cannot be used."""
    texts = Texts(**given.model_dump())
    facts, templates = example(language), parts.messages.templates
    try:
        await templates.check(texts)
        title, body = await templates.title_and_body(texts, facts)
        many_title, many_body = await templates.of_many(texts, [facts, facts])
    except TemplateError as exc:
        raise Problem(409, f"{str(exc)[:1].upper()}{str(exc)[1:]}.") from None
    return Preview(title=title, body=body, many_title=many_title, many_body=many_body)


def _shape(texts: Texts) -> TextsShape:
    return TextsShape.model_construct(**msgspec.structs.asdict(texts))
