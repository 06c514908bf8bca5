"""Product feeds: a file's bytes become drafts and rejections, each with its line. Pure.

A format is one function in READERS. A bad row never spoils the others. What people may write is
told in docs/feeds.md.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from server.errors import Invalid, Problem, TooLarge
from server.shop.draft import Draft, parse
from server.shop.feed_price import read_prices

MAX_BYTES = 32 * 1024 * 1024
MAX_ROWS = 50_000
_ATTRIBUTE = "attributes."
_DELIMITERS = ",;\t"
_HEADER = re.compile(r"[^\r\n]+")


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"

    @property
    def place(self) -> str:
        """What a rejection's number counts."""
        return "line" if self is Format.CSV else "item"


@dataclass(frozen=True, slots=True)
class Rejection:
    line: int
    """In a CSV file as an editor counts, the header being 1; in JSON the item, from 1."""
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    draft: Draft
    image_file: str = ""
    """A picture's path as the feed names it, relative to the feed; not yet judged."""


@dataclass(frozen=True, slots=True)
class Feed:
    rows: tuple[Row, ...]
    rejected: tuple[Rejection, ...]


_Raw = tuple[int, Mapping[str, object] | str]
"""A line and either its fields or why it has none."""


def read(data: bytes, kind: Format) -> Feed:
    """Read a feed. An id may come twice: which row is good, pictures included, tells its user.

    CSV: a header, apart by comma, semicolon or tab, names the fields of a product;
    `attributes.NAME` columns make attributes. JSON: a list of products, or an object with such a
    list under `products`. Prices are read by `feed_price.read_prices`. Raises Invalid for a file
    that is not of its format, TooLarge over MAX_BYTES or MAX_ROWS.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge(f"A feed may have at most {MAX_BYTES} bytes.", MAX_BYTES)
    rows: list[Row] = []
    rejected: list[Rejection] = []
    for count, (line, fields) in enumerate(READERS[kind](_text(data))):
        if count >= MAX_ROWS:
            raise TooLarge(f"A feed may have at most {MAX_ROWS} rows.", MAX_ROWS)
        row = Rejection(line, fields) if isinstance(fields, str) else _row(line, fields)
        if isinstance(row, Row):
            rows.append(row)
        else:
            rejected.append(row)
    return Feed(tuple(rows), tuple(rejected))


def format_of(filename: str) -> Format | None:
    """Tell a feed's format by its file name's ending; None for an unknown one."""
    _, dot, ending = filename.lower().rpartition(".")
    return next((item for item in Format if dot and ending == item), None)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        said = f"is not UTF-8 text (byte {error.start}); save it as UTF-8"
        raise Invalid(Problem("file", said)) from error


def _row(line: int, fields: Mapping[str, object]) -> Row | Rejection:
    given, problems = read_prices(fields)
    problems += _read_link(given)
    link = "url" if "url" in fields and fields.get("link") is None else "link"
    image, image_file = given.get("image"), ""
    if isinstance(image, str) and _is_file(image):
        image_file = image
        del given["image"]
    try:
        draft = parse(given)
    except Invalid as error:
        told = {item.field.removesuffix("_minor") for item in problems}
        problems += [
            replace(item, field=link) if item.field == "link" else item
            for item in error.problems
            if item.field not in told
        ]
    else:
        if not problems:
            return Row(line, draft, image_file)
    return Rejection(line, str(Invalid(*problems)))


def _read_link(given: dict[str, object]) -> list[Problem]:
    """Take `url` as `link`, as many shops' exports call it."""
    url = given.pop("url", None)
    if url is not None and given.setdefault("link", url) != url:
        return [Problem("url", "is another name of link, and differs from it; keep one")]
    return []


def _is_file(image: str) -> bool:
    return bool(image) and not image.startswith(("http:", "https:", "data:", "/images/"))


def _csv(text: str) -> Iterator[_Raw]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
    except csv.Error as error:
        raise Invalid(Problem("file", f"has no readable header: {error}")) from error
    if "id" not in header:
        said = "needs a header line of at least id, title, price, apart by comma, semicolon or tab"
        raise Invalid(Problem("file", said))
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise Invalid(Problem("file", f"names columns twice: {', '.join(doubled)}"))
    line = reader.line_num + 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield line, f"is not readable as CSV: {error}"
            cells = []
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield line, _cells(header, cells)
        line = reader.line_num + 1


def _delimiter(text: str) -> str:
    """Tell what parts the header: spreadsheets of half the world write semicolons."""
    found = _HEADER.search(text)
    return max(_DELIMITERS, key=found[0].count) if found else ","


def _cells(header: list[str], cells: list[str]) -> Mapping[str, object] | str:
    if len(cells) != len(header):
        return f"has {len(cells)} cells, the header has {len(header)}"
    texts = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell.strip()}
    fields: dict[str, object] = dict(texts)
    if "stock" in texts:
        fields["stock"] = _number(texts["stock"])
    if "images" in texts:
        fields["images"] = texts["images"].split()
    attributes = {
        name.removeprefix(_ATTRIBUTE): fields.pop(name)
        for name in texts
        if name.startswith(_ATTRIBUTE)
    }
    return {**fields, "attributes": attributes} if attributes else fields


def _number(text: str) -> int | str:
    """Leave what is no number as it is: the product's own check says what is wrong with it."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else text


def _json(text: str) -> Iterator[_Raw]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(Problem("file", f"is not JSON: {error}")) from error
    if isinstance(document, dict):
        document = document.get("products")
    if not isinstance(document, list):
        raise Invalid(Problem("file", "must be a list of products, or hold one as `products`"))
    for number, item in enumerate(document, 1):
        yield number, item if isinstance(item, dict) else "is not an object"


READERS: Mapping[Format, Callable[[str], Iterator[_Raw]]] = {
    Format.CSV: _csv,
    Format.JSON: _json,
}
"""Further formats (Google Merchant, Shopify, schema.org) are further lines here."""
