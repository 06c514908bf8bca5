from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.playback.token import Claims, mint, read

KEY = "pb_xFJ5uRb0LwZkQm3nYt7HcVdG2sE9aPiO4TqWjUyKlNM"
CLAIMS = (
    Claims("tea", 1_767_232_800),
    Claims("tea-2", 1_767_232_800, "01KDX3W5V0M7Y4R3H8Z6T1QJ9C", 1_767_225_600, "anna_42-x"),
    Claims("a", 1),
)


@pytest.mark.parametrize("claims", CLAIMS)
def test_what_is_minted_is_read_again(claims: Claims) -> None:
    token = mint(claims, KEY)
    signed = read(token)
    assert signed is not None
    assert signed.claims == claims
    assert signed.text == claims.text() == token.rpartition(".")[0]
    assert signed.made_with(KEY)
    assert not signed.made_with(KEY + "x")
    assert not signed.made_with("")


def test_the_canonical_string_is_what_the_manual_says() -> None:
    assert CLAIMS[0].text() == "v1.tea..1767232800.."
    assert CLAIMS[1].text() == (
        "v1.tea-2.01KDX3W5V0M7Y4R3H8Z6T1QJ9C.1767232800.1767225600.anna_42-x"
    )


def test_every_single_change_of_a_token_makes_it_another() -> None:
    token = mint(CLAIMS[1], KEY)
    for at, was in enumerate(token):
        for other in "A0.-":
            if other == was:
                continue
            signed = read(token[:at] + other + token[at + 1 :])
            # The last of 43 characters has two bits that belong to no byte.
            assert signed is None or not signed.made_with(KEY), (at, other)


@pytest.mark.parametrize(
    "text",
    ["", "v1", "v2.tea..1.." + "." + "A" * 43, "v1.tea..0..." + "A" * 43, "v1.tea..1..." + "A" * 42,
     "v1.TEA..1..." + "A" * 43, "v1.tea..1...AAAA\n" + "A" * 39, "v1.tea..١..." + "A" * 43,
     "v1.tea..1..." + "A" * 300],
)  # fmt: skip
def test_what_is_no_token_is_not_read(text: str) -> None:
    assert read(text) is None


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    signed = read(text)
    assert signed is None or f"{signed.text}.{signed.signature}" == text


@pytest.mark.parametrize(
    "claims",
    [Claims("Tea", 5), Claims("tea", 0), Claims("tea", 5, viewer="a.b"), Claims("tea", 5, "x y")],
)
def test_claims_that_no_token_can_carry_are_refused(claims: Claims) -> None:
    with pytest.raises(ValueError, match="carry"):
        mint(claims, KEY)
