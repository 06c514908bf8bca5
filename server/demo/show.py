"""The scripted show: products pinned in turn through the shop, as a person would."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from server.demo.goods import GOODS
from server.errors import NotFound, VitrineError
from server.live.registry import Registry
from server.shop.pins import PinRequest
from server.shop.service import Shop

SHOWN_SECONDS = 14.0
PAUSE_SECONDS = 5.0
_LOOK_SECONDS = 0.5


async def run_show(shop: Shop, registry: Registry, channel: str) -> None:
    """Pin one product after the other for as long as the channel is live; for ever."""
    log = structlog.get_logger("demo")
    turn = 0
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        if registry.state(channel).state != "live":
            continue
        try:
            if await _show_one(shop, channel, GOODS[turn % len(GOODS)].id):
                await asyncio.sleep(PAUSE_SECONDS)
            turn += 1
        except VitrineError as error:
            log.info("the show waits", reason=str(error))
            await asyncio.sleep(PAUSE_SECONDS)


async def _show_one(shop: Shop, channel: str, product: str) -> bool:
    """Show one product, unless someone at the studio shows something already."""
    if await shop.pins(channel):
        return False
    pin = await shop.pin(channel, PinRequest(product), "demo")
    await asyncio.sleep(SHOWN_SECONDS)
    with suppress(NotFound):  # A stop, or the studio, has ended it.
        await shop.unpin(channel, pin.id, "demo")
    return True
