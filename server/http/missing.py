"""What a person sees where nothing is: a page in the house's style, never of a client's words."""

from __future__ import annotations

from aiohttp import web

_FOR_PROGRAMS = ("/api/", "/live/", "/playback/")
_PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
    <meta name="theme-color" content="#0b0a0e">
    <meta name="robots" content="noindex">
    <title>{heading} · Vitrine</title>
    <link rel="icon" href="/player/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/player/style/theme.css">
    <link rel="stylesheet" href="/player/style/lobby.css">
  </head>
  <body class="lobby">
    <header class="lobby-head">
      <a class="brand" href="/"{way}>
        <span class="brand-mark" aria-hidden="true"></span>Vitrine
      </a>
    </header>
    <main class="lobby-main">
      <h1 class="lobby-heading">{heading}</h1>
      <p class="lobby-note">{text}</p>
      <p><a class="lobby-way" href="/"{way}>See what is on</a></p>
    </main>
  </body>
</html>
"""


def missing_page(
    heading: str, text: str, *, ancestors: str = "'none'", status: int = 404
) -> web.Response:
    """Make a page for a person who gets nothing else.

    `heading` and `text` are our own words: they are not escaped. `ancestors`: who may frame
    it (CSP level 3, frame-ancestors).
    """
    # In a frame the page around it is somebody else's, and stays.
    way = "" if ancestors == "'none'" else ' target="_blank" rel="noopener"'
    body = _PAGE.format(heading=heading, text=text, way=way)
    response = web.Response(status=status, content_type="text/html", text=body)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        f"form-action 'none'; frame-ancestors {ancestors}"
    )
    return response


def wants_page(request: web.BaseRequest) -> bool:
    """Tell whether a person's browser navigates here, rather than a program calling."""
    reads = request.method in ("GET", "HEAD")
    names_html = "text/html" in request.headers.get("Accept", "").lower()
    return reads and names_html and not request.path.startswith(_FOR_PROGRAMS)
