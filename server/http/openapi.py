"""The API's description (OpenAPI 3.1), made from the URL table and the models. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from server.http.documents import Problem
from server.http.route import Access, Route

_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+)\}")
Json = dict[str, object]

_INTRODUCTION = (
    "Times are RFC 3339 UTC with milliseconds, amounts of money are minor units. Lists are "
    "paged by `after` and `limit`. Writes accept `Idempotency-Key`. Errors are RFC 9457 "
    "problems; a wrong body names every wrong field under `errors`."
)


def describe(routes: Sequence[Route]) -> Json:
    """Make the OpenAPI document for `routes`."""
    models = {m for r in routes for m in (r.answer, r.body) if m is not None} | {Problem}
    named: list[type[BaseModel]] = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(m, "validation") for m in named], ref_template=_REF)
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Vitrine", "version": "1", "description": _INTRODUCTION},
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "viewer": {"type": "apiKey", "in": "header", "name": "X-Viewer-Token"},
            },
        },
    }


def _operation(route: Route) -> Json:
    operation: Json = {
        "summary": route.summary,
        "operationId": _name(route),
        "tags": [_tag(route.path)],
        "description": f"For {route.access.value}.",
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_headers(route)],
        "responses": {str(route.status): _answer(route), "default": _PROBLEM},
        "security": [] if route.access is Access.ANYBODY else [{"token": []}],
    }
    if route.body is not None:
        operation["requestBody"] = {
            "required": any(f.is_required() for f in route.body.model_fields.values()),
            "content": {"application/json": {"schema": _reference(route.body)}},
        }
    elif route.binary:
        schema = {"type": "string", "format": "binary"}
        content: Json = {route.binary: {"schema": schema}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


_PROBLEM: Json = {
    "description": "What went wrong.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def _answer(route: Route) -> Json:
    if route.stream is not None:
        content: Json = {"text/event-stream": {"schema": {"type": "string"}}}
        return {"description": "Events until the client leaves.", "content": content}
    if route.answer is None:
        return {"description": "Done."}
    schema = _reference(route.answer)
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def _reference(model: type[BaseModel]) -> Json:
    return {"$ref": _REF.format(model=model.__name__)}


def _path_parameters(route: Route) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(route.path)
    ]


def _query_parameters(route: Route) -> list[Json]:
    if route.query is None:
        return []
    properties = route.query.model_json_schema(ref_template=_REF).get("properties", {})
    return [
        {
            "name": name,
            "in": "query",
            "description": schema.get("description", ""),
            "schema": _plain(schema),
        }
        for name, schema in properties.items()
    ]


def _plain(schema: Json) -> Json:
    """Cut a field's schema down to its kind: absent stands for null in a query."""
    kinds = schema.get("anyOf")
    if isinstance(kinds, list):
        kind = next((k for k in kinds if k.get("type") not in (None, "null")), {"type": "string"})
        return dict(kind)
    return {k: v for k, v in schema.items() if k in {"type", "default", "minimum", "maximum"}}


def _headers(route: Route) -> list[Json]:
    if route.method == "GET":
        return []
    return [{"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}]


def _name(route: Route) -> str:
    steps = re.findall(r"[A-Za-z]+", route.path.removeprefix("/api/v1"))
    return "_".join([route.method.lower(), *steps])


def _tag(path: str) -> str:
    steps = [step for step in path.removeprefix("/api/v1/").split("/") if "{" not in step]
    return steps[1].partition(":")[0] if len(steps) > 1 else steps[0]
