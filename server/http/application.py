"""The web application: every address behind the middlewares that all of them share."""

from __future__ import annotations

from aiohttp import web

from server.http.forwarded import Proxies
from server.http.middleware import add_headers, middlewares
from server.http.pages import Pages
from server.http.playback import guarded, keep_streams_private
from server.http.routes import add_routes
from server.http.site import Site


def make_web(site: Site, pages: Pages, proxies: Proxies) -> web.Application:
    """Make the web application for `site`."""
    app = web.Application(middlewares=[*middlewares(site.metrics, proxies), guarded(site)])
    app.on_response_prepare.append(add_headers)
    app.on_response_prepare.append(keep_streams_private)
    add_routes(app, site, pages)
    return app
