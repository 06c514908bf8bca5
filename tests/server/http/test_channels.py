"""Channels over HTTP, and who may do what."""

from __future__ import annotations

import asyncio
import html
import time

import pytest

from server.clock import SystemClock
from server.instant import rfc3339
from server.services import make_channels, open_store
from tests.server.running import OPERATOR, Client

CHANNELS = "/api/v1/channels"


async def test_a_new_channel_shows_its_secrets_once(site: Client) -> None:
    made = await site.channel()
    assert set(made) == {"id", "title", "stream_key", "anchor_token", "rtmp_url", "watch_url"}
    assert made["rtmp_url"] == f"rtmp://127.0.0.1:{site.server.rtmp.port}/live"
    assert made["watch_url"] == f"{site.base}/watch/tea"
    again = await site.ask("GET", f"{CHANNELS}/tea")
    for secret in ("stream_key", "anchor_token"):
        assert made[secret].encode() not in again.body


async def test_a_channel_off_the_air_says_so(site: Client) -> None:
    await site.channel()
    read = (await site.ask("GET", f"{CHANNELS}/tea", token=None)).json()
    assert read["state"] == "offline"
    assert read["session"] is None
    assert read["started_at"] is None
    assert read["viewers"] == 0
    assert read["overlay"]["mode"] == "burn"


async def test_where_to_stream_to_is_for_those_who_run_the_channel(site: Client) -> None:
    tea, pots = await site.channel("tea"), await site.channel("pots")
    for token, told in (
        (tea["anchor_token"], tea["rtmp_url"]),
        (OPERATOR, tea["rtmp_url"]),
        (pots["anchor_token"], None),
        (None, None),
    ):
        read = await site.ask("GET", f"{CHANNELS}/tea", token=token)
        assert read.json()["rtmp_url"] == told


async def test_overlay_settings_not_given_are_the_configured_ones(site: Client) -> None:
    body = {"id": "x", "overlay": {"mode": "client", "corner": "top-right"}}
    assert (await site.ask("POST", CHANNELS, json=body)).status == 201
    overlay = (await site.ask("GET", f"{CHANNELS}/x")).json()["overlay"]
    assert overlay == {"mode": "client", "corner": "top-right", "motion": "fade", "locale": "en"}


async def test_lists_are_paged(site: Client) -> None:
    for name in ("c", "a", "b"):
        await site.channel(name)
    first = (await site.ask("GET", f"{CHANNELS}?limit=2", token=None)).json()
    assert [item["id"] for item in first["items"]] == ["a", "b"]
    rest = (await site.ask("GET", f"{CHANNELS}?limit=2&after={first['next']}", token=None)).json()
    assert [item["id"] for item in rest["items"]] == ["c"]
    assert rest["next"] is None


async def test_every_wrong_field_is_named(site: Client) -> None:
    body = {"id": 7, "titel": "x", "overlay": {"mode": "paint"}}
    refused = await site.ask("POST", CHANNELS, json=body)
    assert refused.status == 422
    assert refused.headers["Content-Type"].startswith("application/problem+json")
    fields = {error["field"] for error in refused.json()["errors"]}
    assert fields == {"id", "titel", "overlay.mode"}


async def test_an_id_twice_is_a_conflict(site: Client) -> None:
    await site.channel()
    again = await site.ask("POST", CHANNELS, json={"id": "tea"})
    assert (again.status, again.json()["code"]) == (409, "exists")


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("wrong", 401), ("", 401), ("é", 401)])
async def test_only_the_operator_makes_channels(
    site: Client, token: str | None, status: int
) -> None:
    refused = await site.ask("POST", CHANNELS, token=token, json={"id": "x"})
    assert refused.status == status
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert refused.json()["code"] == "unauthorized"


async def test_an_unknown_token_is_refused_even_where_none_is_needed(site: Client) -> None:
    await site.channel()
    assert (await site.ask("GET", CHANNELS, token="wrong")).status == 401
    forged = {"X-Viewer-Token": "someone.forged"}
    assert (await site.ask("GET", CHANNELS, token=None, headers=forged)).status == 401


async def test_an_anchor_runs_its_own_channel_only(site: Client) -> None:
    tea, pots = await site.channel("tea"), await site.channel("pots")
    token = tea["anchor_token"]
    assert (await site.ask("POST", f"{CHANNELS}/tea/stop", token=token)).status == 200
    assert (await site.ask("POST", f"{CHANNELS}/pots/stop", token=token)).status == 403
    assert (await site.ask("DELETE", f"{CHANNELS}/tea", token=token)).status == 403
    assert (
        await site.ask("POST", f"{CHANNELS}/pots/stop", token=pots["anchor_token"])
    ).status == 200


async def test_another_title_is_on_every_page_with_the_next_look(site: Client) -> None:
    tea, pots = await site.channel("tea"), await site.channel("pots")
    for own, title in ((tea["anchor_token"], " Tea at <six> "), (OPERATOR, "Six")):
        changed = await site.ask("PATCH", f"{CHANNELS}/tea", token=own, json={"title": title})
        assert changed.json() == {"id": "tea", "title": title.strip(), "playback": "public"}
        assert (await site.ask("GET", f"{CHANNELS}/tea")).json()["title"] == title.strip()
        for path in ("/watch/tea", "/embed/tea", "/studio/tea"):
            page = (await site.ask("GET", path, token=None)).body.decode()
            assert html.escape(title.strip()) in page
    unnamed = await site.ask("PATCH", f"{CHANNELS}/tea", json={"title": " "})
    assert unnamed.json()["title"] == "tea"
    for token, status in ((pots["anchor_token"], 403), (None, 401)):
        refused = await site.ask("PATCH", f"{CHANNELS}/tea", token=token, json={"title": "x"})
        assert refused.status == status


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": "x" * 121}, "title"),
        ({"title": "a\nb"}, "title"),
        ({"title": "\ud800"}, "title"),
        ({"title": 7}, "title"),
        ({"titel": "x"}, "titel"),
        ({"title": None}, "body"),
        ({}, "body"),
    ],
)
async def test_a_change_that_cannot_be_meant_is_refused_by_its_name(
    site: Client, body: dict[str, object], field: str
) -> None:
    await site.channel()
    refused = await site.ask("PATCH", f"{CHANNELS}/tea", json=body)
    assert refused.status == 422
    assert field in {error["field"] for error in refused.json()["errors"]}
    assert (await site.ask("GET", f"{CHANNELS}/tea")).json()["title"] == "Tea <b>"
    assert (await site.ask("PATCH", f"{CHANNELS}/none", json={"title": "x"})).status == 404


async def test_a_rotated_key_replaces_the_old_one(site: Client) -> None:
    old = (await site.channel())["stream_key"]
    new = (await site.ask("POST", f"{CHANNELS}/tea/rotate-key")).json()["stream_key"]
    channels = site.server.channels
    assert await channels.by_stream_key(old, "a") is None
    found = await channels.by_stream_key(new, "a")
    assert found is not None
    assert found.id == "tea"


async def test_a_keys_expiry_is_told_to_those_who_run_the_channel(site: Client) -> None:
    until = rfc3339(int(time.time() + 3_600) * 1000)
    body = {"id": "tea", "key_expires_at": until}
    made = (await site.ask("POST", CHANNELS, json=body)).json()
    assert made["key_expires_at"] == until
    for token, told in ((made["anchor_token"], until), (OPERATOR, until), (None, None)):
        read = (await site.ask("GET", f"{CHANNELS}/tea", token=token)).json()
        assert read["key_expires_at"] == told
        (listed,) = (await site.ask("GET", CHANNELS, token=token)).json()["items"]
        assert listed["key_expires_at"] == told
    later = rfc3339(int(time.time() + 7_200) * 1000)
    asked = {"expires_at": later, "keep_old_seconds": 60}
    rotated = await site.ask("POST", f"{CHANNELS}/tea/rotate-key", json=asked)
    assert rotated.json()["key_expires_at"] == later
    for key in (made["stream_key"], rotated.json()["stream_key"]):
        assert await site.server.channels.by_stream_key(key, "a") is not None
    last = (await site.ask("POST", f"{CHANNELS}/tea/rotate-key")).json()
    assert set(last) == {"id", "stream_key", "rtmp_url"}
    assert (await site.ask("GET", f"{CHANNELS}/tea")).json()["key_expires_at"] is None


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"expires_at": "tomorrow"}, {"expires_at"}),
        ({"expires_at": "2020-01-01T00:00:00Z"}, {"expires_at"}),
        ({"keep_old_seconds": 604_801, "expires": "x"}, {"keep_old_seconds", "expires"}),
    ],
)
async def test_a_rotation_that_cannot_be_meant_changes_nothing(
    site: Client, body: dict[str, object], fields: set[str]
) -> None:
    made = await site.channel()
    refused = await site.ask("POST", f"{CHANNELS}/tea/rotate-key", json=body)
    assert refused.status == 422
    assert {error["field"] for error in refused.json()["errors"]} == fields
    assert await site.server.channels.by_stream_key(made["stream_key"], "a") is not None


async def test_a_removed_channel_is_gone(site: Client) -> None:
    made = await site.channel()
    assert (await site.ask("DELETE", f"{CHANNELS}/tea")).status == 204
    assert (await site.ask("GET", f"{CHANNELS}/tea")).status == 404
    assert (await site.ask("DELETE", f"{CHANNELS}/tea")).status == 404
    gone = await site.ask("POST", f"{CHANNELS}/tea/stop", token=made["anchor_token"])
    assert gone.status == 401


async def test_the_broadcast_of_a_channel_removed_by_another_process_can_be_ended(
    site: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_air = {"tea"}

    async def stop(channel: str) -> bool:
        stopped = channel in on_air
        on_air.discard(channel)
        return stopped

    monkeypatch.setattr(site.server.registry, "stop", stop)
    assert (await site.ask("DELETE", f"{CHANNELS}/tea")).status == 204
    assert on_air == set()
    assert (await site.ask("DELETE", f"{CHANNELS}/tea")).status == 404


async def test_a_channel_made_by_another_process_is_seen_at_once(site: Client) -> None:
    config = site.server.config
    store = await open_store(config)
    try:
        await make_channels(config, store, SystemClock()).add("aside")
    finally:
        await store.close()
    assert (await site.ask("GET", f"{CHANNELS}/aside", token=None)).status == 200


async def test_viewers_get_a_token_that_is_good(site: Client) -> None:
    await site.channel()
    made = await site.ask("POST", f"{CHANNELS}/tea/viewers", token=None)
    assert made.status == 201
    headers = {"X-Viewer-Token": made.json()["token"]}
    assert (await site.ask("GET", CHANNELS, token=None, headers=headers)).status == 200


async def test_strangers_with_one_idempotency_key_are_two_viewers(site: Client) -> None:
    await site.channel()
    path, headers = f"{CHANNELS}/tea/viewers", {"Idempotency-Key": "1"}
    one, other = [await site.ask("POST", path, token=None, headers=headers) for _ in range(2)]
    assert one.json()["viewer"] != other.json()["viewer"]


async def test_profiles_are_listed(site: Client) -> None:
    names = [p["name"] for p in (await site.ask("GET", "/api/v1/profiles")).json()["items"]]
    assert "default" in names
    one = (await site.ask("GET", "/api/v1/profiles/default")).json()
    assert one["rungs"][0]["short_side"] == 720
    assert (await site.ask("GET", "/api/v1/profiles/none")).status == 404


async def test_the_same_idempotency_key_makes_one_channel(site: Client) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = await site.ask("POST", CHANNELS, json={"id": "x"}, headers=headers)
    again = await site.ask("POST", CHANNELS, json={"id": "x"}, headers=headers)
    assert (first.status, again.status) == (201, 201)
    assert first.json() == again.json()
    other = await site.ask("POST", CHANNELS, json={"id": "y"}, headers=headers)
    assert (other.status, other.json()["code"]) == (409, "idempotency-mismatch")
    secret = first.json()["stream_key"].encode()
    folder = site.server.config.server.data_dir
    files = await asyncio.to_thread(lambda: [f.read_bytes() for f in folder.glob("vitrine.db*")])
    assert files
    assert all(secret not in data for data in files)
