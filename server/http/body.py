"""Reading what a client sent, within limits: bodies, JSON, queries.

Every read has a size limit and a deadline, and every wrong field is named at once.
"""

from __future__ import annotations

import asyncio
import json
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from server.errors import Invalid, Problem, TooLarge

SMALL = 64 * 1024
"""A body where the route says nothing."""
BODY_SECONDS = 30.0
BODY_LIMIT = web.RequestKey("body_limit", int)
_BODY = web.RequestKey("body", bytes)

Model = TypeVar("Model", bound=BaseModel)


async def read_body(request: web.Request) -> bytes:
    """Read the whole body, at most as long as its route allows, within BODY_SECONDS.

    May be called again.

    Raises TooLarge before reading when the announced length is over the limit, else as
    soon as the limit is passed; web.HTTPRequestTimeout when the client drips,
    web.HTTPBadRequest when its coding is broken.
    """
    if _BODY in request:
        return request[_BODY]
    limit = request.get(BODY_LIMIT, SMALL)
    if (request.content_length or 0) > limit:
        raise TooLarge(f"The body is over {limit} bytes.", limit)
    chunks = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_any():
                chunks += chunk
                if len(chunks) > limit:
                    raise TooLarge(f"The body is over {limit} bytes.", limit)
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(reason="The body took too long.") from error
    except web.RequestPayloadError as error:
        raise web.HTTPBadRequest(reason="The body cannot be read as it is coded.") from error
    request[_BODY] = bytes(chunks)
    return request[_BODY]


async def read_json(request: web.Request) -> dict[str, object]:
    """Read a JSON object. Raises TooLarge, Invalid."""
    raw = await read_body(request)
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Invalid(Problem("body", f"is not JSON: {error}")) from error
    if not isinstance(value, dict):
        raise Invalid(Problem("body", "must be a JSON object"))
    return value


async def read_model(request: web.Request, model: type[Model]) -> Model:
    """Read a JSON object as `model`. Raises TooLarge, Invalid with every wrong field."""
    return validated(model, await read_json(request))


def read_query(request: web.Request, model: type[Model]) -> Model:
    """Read the query as `model`; of a repeated name the first counts. Raises Invalid."""
    names = {field.alias or name for name, field in model.model_fields.items()}
    given = {name: request.query[name] for name in names if name in request.query}
    return validated(model, given)


def validated(model: type[Model], value: dict[str, object] | dict[str, str]) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Invalid(
            *(
                Problem(".".join(str(step) for step in e["loc"]) or "body", e["msg"])
                for e in error.errors(include_url=False, include_input=False)
            )
        ) from error
