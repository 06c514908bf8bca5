from __future__ import annotations

from pathlib import Path

import pytest

from server.auth import (
    ANONYMOUS,
    Authenticator,
    Principal,
    Role,
    Viewers,
    digest,
    matches,
    new_secret,
    operator_token,
    viewer_secret,
)
from server.channel import Channel, OverlaySettings
from server.errors import Forbidden, Unauthorized

OPERATOR = "operator-token-of-the-test"


class OneAnchor:
    async def by_anchor_token(self, token: str) -> Channel | None:
        return Channel("tea", "Tea", "default", OverlaySettings(), 0) if token == "anchor" else None


@pytest.fixture
def authenticator() -> Authenticator:
    return Authenticator(OPERATOR, OneAnchor(), Viewers("secret" * 6))


def test_secrets_are_long_and_their_digests_tell_nothing() -> None:
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(len(secret) == 32 and secret.isascii() for secret in made)
    secret = made.pop()
    assert secret not in digest(secret)
    assert matches(secret, digest(secret))
    assert not matches(made.pop(), digest(secret))
    assert not matches("\ud800", digest(secret))


def test_the_operators_token_is_made_once_and_is_the_owners(tmp_path: Path) -> None:
    data = tmp_path / "data"
    token = operator_token(data, {})
    assert operator_token(data, {}) == token
    assert (data / "admin-token").read_text().strip() == token
    assert (data / "admin-token").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in data.iterdir()] == ["admin-token"]
    assert viewer_secret(data) != token


def test_a_loose_token_file_is_tightened(tmp_path: Path) -> None:
    file = tmp_path / "admin-token"
    file.write_text("a-token-of-my-own-choice\n")
    file.chmod(0o644)
    assert operator_token(tmp_path, {}) == "a-token-of-my-own-choice"
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_environment_wins_and_leaves_no_file(tmp_path: Path) -> None:
    assert operator_token(tmp_path, {"VITRINE_ADMIN_TOKEN": "x" * 20}) == "x" * 20
    assert list(tmp_path.iterdir()) == []


def test_a_token_too_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 16"):
        operator_token(tmp_path, {"VITRINE_ADMIN_TOKEN": "short"})
    (tmp_path / "admin-token").write_text("\n")
    with pytest.raises(ValueError, match="remove it"):
        operator_token(tmp_path, {})


async def test_each_token_is_who_it_was_made_for(authenticator: Authenticator) -> None:
    assert await authenticator.bearer(OPERATOR) == Principal(Role.OPERATOR)
    assert await authenticator.bearer("anchor") == Principal(Role.ANCHOR, channel="tea")


@pytest.mark.parametrize("token", ["", "x", OPERATOR + " ", OPERATOR[:-1], "y" * 1_000_000])
async def test_unknown_tokens_are_nobody(authenticator: Authenticator, token: str) -> None:
    with pytest.raises(Unauthorized):
        await authenticator.bearer(token)


def test_viewers_are_known_by_our_signature(authenticator: Authenticator) -> None:
    viewer = Viewers("secret" * 6).issue()
    assert authenticator.viewer(viewer.token) == Principal(Role.VIEWER, viewer=viewer.id)
    foreign = Viewers("another" * 6).issue().token
    swapped = "somebody." + viewer.token.rpartition(".")[2]
    for token in (foreign, swapped, viewer.id, "", ".", viewer.token + "x", "ä.ö", "x" * 5_000):
        with pytest.raises(Unauthorized):
            authenticator.viewer(token)


def test_who_may_run_a_channel() -> None:
    anchor = Principal(Role.ANCHOR, channel="tea")
    operator = Principal(Role.OPERATOR)
    viewer = Principal(Role.VIEWER, viewer="v")
    anchor.require_channel("tea")
    operator.require_channel("tea")
    operator.require_operator()
    with pytest.raises(Forbidden):
        anchor.require_channel("coffee")
    with pytest.raises(Forbidden):
        anchor.require_operator()
    for nobody in (viewer, ANONYMOUS):
        with pytest.raises(Unauthorized):
            nobody.require_channel("tea")
        with pytest.raises(Unauthorized):
            nobody.require_operator()
    assert [who.actor for who in (anchor, operator, viewer)] == [
        "anchor:tea",
        "operator",
        "viewer:v",
    ]
