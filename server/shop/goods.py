"""From what someone sent to what can be stored: pictures made, files read, rows prepared."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from server.errors import Invalid, NotFound, Problem, VitrineError
from server.shop.catalogue import IMAGE_PATH, Image, stored_image_name
from server.shop.draft import Draft
from server.shop.feeds import Rejection, Row
from server.shop.picture import MAX_BYTES, make_image
from server.store.port import NewProduct, Store

_DECODERS = 2
"""Pictures decoded at once: what bounds their memory."""


class Goods:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._decoders = asyncio.Semaphore(_DECODERS)

    async def prepare(self, draft: Draft) -> NewProduct:
        """Make a draft ready to be put. Raises Invalid or TooLarge for its picture."""
        if draft.picture is not None:
            image = await self.image(draft.picture)
            return NewProduct(replace(draft.product, image=IMAGE_PATH + image.name), image)
        name = stored_image_name(draft.product.image)
        if name is not None and await self._store.image(name) is None:
            raise Invalid(Problem("image", "is not stored here; upload it, or give its http URL"))
        return NewProduct(draft.product, keeps_image=draft.keeps_image)

    async def prepare_rows(
        self, rows: Sequence[Row], folder: Path | None, place: str, taken: dict[str, int]
    ) -> list[NewProduct | Rejection]:
        """Make a feed's rows ready, in order; one whose id a good row had before is rejected.

        `taken`: the good rows' ids so far and where each is, filled here; `place`: what numbers of
        rows count.
        """
        made: list[NewProduct | Rejection] = []
        for row in rows:
            known = row.draft.product.id
            if known in taken:
                said = f"id: {known!r} is already in {place} {taken[known]}"
                made.append(Rejection(row.line, said))
                continue
            new = await self._prepare_row(row, folder)
            if isinstance(new, NewProduct):
                taken[known] = row.line
            made.append(new)
        return made

    async def _prepare_row(self, row: Row, folder: Path | None) -> NewProduct | Rejection:
        """Make a feed's row ready; a picture beside the feed is read from `folder`."""
        try:
            draft = row.draft
            if row.image_file:
                picture = await asyncio.to_thread(_file, folder, row.image_file)
                draft = replace(draft, picture=picture, keeps_image=False)
            return await self.prepare(draft)
        except VitrineError as error:
            return Rejection(row.line, str(error))

    async def image(self, data: bytes) -> Image:
        """Judge a picture, away from the event loop. Raises Invalid, TooLarge."""
        async with self._decoders:
            return await asyncio.to_thread(make_image, data)

    async def with_picture(self, channel_id: str, product_id: str, data: bytes) -> NewProduct:
        """Make a stored product ready to be put with this picture. Raises NotFound too."""
        product = await self._store.product(channel_id, product_id)
        if product is None:
            raise NotFound("product", product_id[:64])
        return await self.prepare(Draft(product, picture=data))


def _file(folder: Path | None, name: str) -> bytes:
    if folder is None:
        raise _invalid("a file can only be read by `vitrine products import`, beside the feed")
    try:
        root = folder.resolve(strict=True)
        path = (root / name).resolve(strict=True)
        if Path(name).is_absolute() or not path.is_relative_to(root) or not path.is_file():
            raise _invalid("must be a file in the feed's own folder")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:
        raise _invalid(f"file {name[:200]!r} cannot be read") from error


def _invalid(problem: str) -> Invalid:
    return Invalid(Problem("image", problem))
