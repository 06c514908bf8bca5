"""The whole server is stopped while somebody publishes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ingest.rtmp.amf0 import Value
from ingest.rtmp.message import Command
from tests.helpers.rtmp_publisher import RtmpPublisher
from tests.server.running import Client, running


async def publishing(
    client: Client, channel: str, announced: dict[str, Value]
) -> asyncio.Task[list[str]]:
    """Publish to a new channel; what is then said to the encoder is the task's result."""
    made = await client.channel(channel)
    publisher = await RtmpPublisher.connect(client.server.rtmp.port)
    status = await publisher.publish(made["stream_key"], announced=announced)
    assert status["code"] == "NetStream.Publish.Start"
    return asyncio.create_task(codes(publisher))


async def codes(publisher: RtmpPublisher) -> list[str]:
    messages = await publisher.messages_to_the_end()
    await publisher.close()
    told = [m.arguments[1] for m in messages if isinstance(m, Command) and m.name == "onStatus"]
    return [str(information["code"]) for information in told if isinstance(information, dict)]


async def test_encoders_that_can_be_are_asked_to_reconnect(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        able = await publishing(client, "tea", {"capsEx": 1.0})
        other = await publishing(client, "cup", {"fourCcList": ["hvc1"]})
    assert await able == ["NetConnection.Connect.ReconnectRequest"]
    assert await other == ["NetStream.Failed"]
