from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable

import structlog

from server.hls.answer import Answer
from server.hls.edge import Edge
from server.hls.request import MediaRequest, PlaylistRequest, Refusal, Refuse
from server.hls.waiting import Held, Tell
from server.hls.window import Window
from tests.server.hls.reader import read
from tests.server.hls.show import PER_SEGMENT, Show, on_air

DEADLINE = 10


class StillClock:
    """Goes only when told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def wall_ms(self) -> int:
        return int(self.seconds * 1000)


def made(show: Show, most_waiting: int = 100) -> tuple[Edge, StillClock]:
    clock = StillClock()
    return Edge(show.window, clock, most_waiting), clock


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - the loop must turn, not wait for an event
            await asyncio.sleep(0)


async def answered(wait: Awaitable[Answer | Refuse]) -> Answer:
    async with asyncio.timeout(DEADLINE):
        answer = await wait
    assert isinstance(answer, Answer), answer
    return answer


async def refused(wait: Awaitable[Answer | Refuse]) -> Refusal:
    async with asyncio.timeout(DEADLINE):
        answer = await wait
    assert isinstance(answer, Refuse), answer
    return answer.refusal


async def test_rule_5_blocked_reloads_are_woken_together_with_one_rendering() -> None:
    show = on_air(3)
    edge, _ = made(show)
    query = {"_HLS_msn": "3", "_HLS_part": "0"}
    tasks = [asyncio.create_task(answered(edge.playlist("720p", query))) for _ in range(50)]
    await until(lambda: edge.waiting == 50)
    show.part(without=("720p",))
    edge.published()
    assert edge.waiting == 50
    show.window.add(show.made("720p", index=0, start=show.start - 30_000))
    edge.published()
    answers = [await task for task in tasks]
    assert edge.waiting == 0
    assert all(answer is answers[0] for answer in answers)
    growing = read(answers[0].body.decode()).growing
    assert growing is not None
    assert len(growing.parts) == 1


async def test_rule_5_held_longer_than_three_targets_is_unavailable() -> None:
    show = on_air(3)
    edge, clock = made(show)
    query = {"_HLS_msn": "3"}
    early = asyncio.create_task(refused(edge.playlist("720p", query)))
    await until(lambda: edge.waiting == 1)
    clock.seconds += 3
    late = asyncio.create_task(refused(edge.playlist("720p", query)))
    await until(lambda: edge.waiting == 2)
    clock.seconds += 3
    edge.sweep()
    assert await early is Refusal.UNAVAILABLE
    assert edge.waiting == 1
    clock.seconds += 3
    edge.sweep()
    assert await late is Refusal.UNAVAILABLE
    edge.close()


async def test_rule_5_the_deadline_comes_by_itself() -> None:
    show = on_air(3)
    edge, clock = made(show)
    task = asyncio.create_task(refused(edge.playlist("720p", {"_HLS_msn": "3"})))
    await until(lambda: edge.waiting == 1)
    clock.seconds += 5.999
    # Another waiter sets no second timer; the first one's must not be lost.
    edge.sweep()
    clock.seconds += 0.001
    assert await task is Refusal.UNAVAILABLE
    edge.close()


async def test_rule_7_the_hinted_part_blocks_and_comes_whole() -> None:
    show = on_air(1)
    edge, _ = made(show)
    hint = show.window.renditions["360p"].hint
    task = asyncio.create_task(answered(edge.media("360p", hint)))
    await until(lambda: edge.waiting == 1)
    expected = show.made("360p").data
    show.part()
    edge.published()
    answer = await task
    assert answer.body == expected
    assert answer.immutable
    assert answer.gzip is None


async def test_rule_7_a_part_that_is_not_hinted_is_not_found_at_once() -> None:
    edge, _ = made(on_air(1))
    assert await refused(edge.media("720p", "r1-p99.m4s")) is Refusal.NOT_FOUND
    assert edge.waiting == 0


async def test_rule_7_a_hint_that_ends_unpublished_is_not_found() -> None:
    show = on_air(1)
    edge, _ = made(show)
    hint = show.window.renditions["720p"].hint
    task = asyncio.create_task(refused(edge.media("720p", hint)))
    await until(lambda: edge.waiting == 1)
    show.window.end()
    edge.published()
    assert await task is Refusal.NOT_FOUND


async def test_the_multivariant_waits_for_a_picture_and_then_gives_up() -> None:
    show = Show(Window("r1"))
    edge, clock = made(show)
    seen = asyncio.create_task(answered(edge.playlist(None, {})))
    await until(lambda: edge.waiting == 1)
    show.epoch()
    edge.published()
    show.part()
    edge.published()
    assert b"720p/index.m3u8" in (await seen).body

    dark, clock = made(Show(Window("r1")))
    unseen = asyncio.create_task(refused(dark.playlist(None, {})))
    await until(lambda: dark.waiting == 1)
    clock.seconds += 6
    dark.sweep()
    assert await unseen is Refusal.NOT_FOUND


async def test_waiting_is_bounded_in_number() -> None:
    show = on_air(1)
    edge, _ = made(show, most_waiting=2)
    query = {"_HLS_msn": "1"}
    held = [asyncio.create_task(answered(edge.playlist("720p", query))) for _ in range(2)]
    await until(lambda: edge.waiting == 2)
    assert await refused(edge.playlist("720p", query)) is Refusal.UNAVAILABLE
    await answered(edge.playlist("720p", {}))
    show.parts(PER_SEGMENT)
    edge.published()
    for task in held:
        await task
    assert edge.waiting == 0


async def test_a_waiter_that_went_away_is_forgotten() -> None:
    show = on_air(1)
    edge, _ = made(show)
    gone = asyncio.create_task(edge.playlist("720p", {"_HLS_msn": "1"}))
    stays = asyncio.create_task(answered(edge.playlist("720p", {"_HLS_msn": "1"})))
    await until(lambda: edge.waiting == 2)
    gone.cancel()
    await until(lambda: edge.waiting == 1)
    show.segments(1)
    edge.published()
    await stays


async def test_one_who_cannot_be_told_keeps_nobody_else_waiting() -> None:
    show = on_air(1)
    edge, clock = made(show)
    told: list[Answer | Refuse] = []

    def raises(answer: Answer | Refuse) -> None:
        raise RuntimeError("the connection is in pieces")

    hint = MediaRequest("720p", show.window.renditions["720p"].hint)
    late = PlaylistRequest("720p", msn=2)
    for request in (hint, late):
        for tell in (raises, told.append):
            assert isinstance(edge.ask(request, tell), Held)
    show.part()
    with structlog.testing.capture_logs() as logged:
        edge.published()
        await until(lambda: edge.waiting == 2)
        clock.seconds += 6
        edge.sweep()
    assert [type(answer) for answer in told] == [Answer, Refuse]
    assert len(logged) == 2
    edge.close()


async def test_parts_leave_before_the_playlists_that_list_them() -> None:
    show = on_air(1)
    edge, _ = made(show)
    told: list[str] = []

    def tells(kind: str) -> Tell:
        return lambda _: told.append(kind)

    for name in ("720p", "360p"):
        reload = PlaylistRequest(name, msn=1, part=0)
        part = MediaRequest(name, show.window.renditions[name].hint)
        for request, kind in ((reload, "playlist"), (part, "part")):
            assert isinstance(edge.ask(request, tells(kind)), Held)
    show.part()
    edge.published()
    assert told == ["part", "part"]
    await until(lambda: edge.waiting == 0)
    assert told == ["part", "part", "playlist", "playlist"]


async def test_closing_refuses_who_waits_and_who_would() -> None:
    edge, _ = made(on_air(1))
    task = asyncio.create_task(refused(edge.playlist("720p", {"_HLS_msn": "1"})))
    await until(lambda: edge.waiting == 1)
    edge.close()
    assert await task is Refusal.UNAVAILABLE
    assert await refused(edge.playlist("720p", {"_HLS_msn": "1"})) is Refusal.UNAVAILABLE
    await answered(edge.playlist("720p", {}))


async def test_rule_15_gzip_is_the_same_text_and_etags_follow_the_change() -> None:
    show = on_air(2)
    edge, _ = made(show)
    first = await answered(edge.playlist("720p", {}))
    again = await answered(edge.playlist("720p", {}))
    assert first is again
    assert first.gzip is not None
    assert gzip.decompress(first.gzip.body()) == first.body
    show.part()
    edge.published()
    later = await answered(edge.playlist("720p", {}))
    assert later.etag != first.etag
    pinned = await answered(edge.playlist("720p", {"_HLS_msn": "1"}))
    assert pinned.body == later.body
    assert pinned.max_age > later.max_age


async def test_rule_5_an_msn_that_left_gets_the_whole_playlist_even_where_it_may_skip() -> None:
    edge, _ = made(on_air(20, listed=12))
    first = edge.window.renditions["720p"].first_msn
    assert first > 1
    whole = await answered(edge.playlist("720p", {}))
    for msn, skips in ((1, False), (first - 1, False), (first, True)):
        query = {"_HLS_msn": f"{msn}", "_HLS_part": "0", "_HLS_skip": "YES"}
        answer = await answered(edge.playlist("720p", query))
        assert (b"#EXT-X-SKIP" in answer.body) == skips
        assert (answer.body == whole.body) != skips


async def test_rule_15_an_end_is_not_kept_under_numbers_that_the_next_session_uses() -> None:
    show = on_air(2)
    edge, _ = made(show)
    held = asyncio.create_task(answered(edge.playlist("720p", {"_HLS_msn": "2"})))
    await until(lambda: edge.waiting == 1)
    show.window.end()
    edge.published()
    assert (await held).body.endswith(b"#EXT-X-ENDLIST\n")
    plain = await answered(edge.playlist("720p", {}))
    for query in ({"_HLS_msn": "1"}, {"_HLS_msn": "5", "_HLS_part": "0"}):
        assert await answered(edge.playlist("720p", query)) is plain
    assert plain is await held
    assert plain.max_age == 1


async def test_rule_9_published_lets_old_bodies_go() -> None:
    show = on_air(8, listed=6)
    edge, clock = made(show)
    edge.published()
    clock.seconds += 10
    edge.published()
    await answered(edge.media("720p", "r1-0.m4s"))
    clock.seconds += 30
    edge.published()
    assert await refused(edge.media("720p", "r1-0.m4s")) is Refusal.NOT_FOUND
