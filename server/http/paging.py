"""Lists in pages: `?after=` the last id seen, `&limit=` at most so many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel, Field

Item = TypeVar("Item")


class PageQuery(BaseModel):
    after: str | None = Field(None, max_length=100, description="The last id already seen.")
    limit: int = Field(100, ge=1, le=500, description="At most so many.")


def page(
    items: Sequence[Item],
    query: PageQuery,
    key: Callable[[Item], str],
    document: Callable[[Item], dict[str, object]],
) -> dict[str, object]:
    """Cut one page out of `items`, sorted by `key`; `next` is null on the last one."""
    ordered = sorted(items, key=key)
    rest = [item for item in ordered if query.after is None or key(item) > query.after]
    shown = rest[: query.limit]
    more = key(shown[-1]) if len(rest) > len(shown) else None
    return {"items": [document(item) for item in shown], "next": more}
