"""Who asks: from headers and the cookie to a Principal, and the cookie that pages set."""

from __future__ import annotations

from aiohttp import web

from server.auth import ANONYMOUS, VIEWER_COOKIE, Principal, Role
from server.errors import Unauthorized
from server.http.cookie import add_cookie
from server.http.site import Site

PRINCIPAL = web.RequestKey("principal", Principal)
_COOKIE_SECONDS = 365 * 24 * 3600


async def principal(site: Site, request: web.Request) -> Principal:
    """Tell who asks. Raises Unauthorized for a token that was sent but is not known.

    A cookie that is not ours only makes its sender anonymous: browsers send it unasked,
    and a page must not break because of an old one.
    """
    authorization = request.headers.get("Authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthorized("Authorization must be: Bearer TOKEN.")
        return await site.authenticator.bearer(token.strip())
    token = request.headers.get("X-Viewer-Token", "")
    if "X-Viewer-Token" in request.headers:
        return site.authenticator.viewer(token)
    return _by_cookie(site, request)


def greet(site: Site, request: web.Request, response: web.Response) -> None:
    """Give whoever opens a page a signed viewer's cookie, unless they hold one."""
    if _by_cookie(site, request).role is Role.VIEWER:
        return
    https = site.is_https(request)
    # In a frame on the shop's own pages we are a third party: only this kind is kept there.
    foreign = https and request.path.startswith("/embed/")
    token = site.viewers.issue().token
    add_cookie(
        response, VIEWER_COOKIE, token, seconds=_COOKIE_SECONDS, https=https, foreign=foreign
    )


def _by_cookie(site: Site, request: web.Request) -> Principal:
    token = request.cookies.get(VIEWER_COOKIE, "")
    try:
        return site.authenticator.viewer(token) if token else ANONYMOUS
    except Unauthorized:
        return ANONYMOUS
