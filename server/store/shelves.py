"""Products and their pictures in SQLite: functions of a connection, each within a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import replace

from server.errors import NotFound, TooLarge
from server.shop.catalogue import Image, Product, same, stored_image_name
from server.shop.records import product_record, read_product
from server.store.port import Change, NewProduct, Put

_IDS_AT_ONCE = 500
"""Well below SQLite's least limit of variables in a statement."""


def put_all(
    db: sqlite3.Connection, channel_id: str, products: Sequence[NewProduct], limit: int
) -> tuple[Put, ...]:
    if db.execute("SELECT 1 FROM channels WHERE id = ?", (channel_id,)).fetchone() is None:
        raise NotFound("channel", channel_id)
    puts = tuple(_put(db, channel_id, new) for new in products)
    if any(put.change is Change.CREATED for put in puts):
        count = "SELECT count(*) FROM products WHERE channel = ?"
        if db.execute(count, (channel_id,)).fetchone()[0] > limit:
            raise TooLarge(f"A channel may have at most {limit} products.", limit)
    for put in puts:
        if put.before is not None and put.before.image != put.product.image:
            _drop_image(db, put.before.image)
    return puts


def _put(db: sqlite3.Connection, channel_id: str, new: NewProduct) -> Put:
    before = get(db, channel_id, new.product.id)
    product = new.product
    if new.keeps_image and before is not None:
        product = replace(product, image=before.image)
    if before is not None and same(before, product):
        return Put(before, Change.UNCHANGED, before)
    key = (channel_id, product.id)
    (revision,) = db.execute(
        "INSERT INTO revisions VALUES (?, ?, 1)"
        " ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last",
        key,
    ).fetchone()
    product = replace(product, revision=revision)
    if new.image is not None:
        image = (new.image.name, new.image.content_type, new.image.data)
        db.execute("INSERT INTO images VALUES (?, ?, ?) ON CONFLICT DO NOTHING", image)
    db.execute(
        "INSERT OR REPLACE INTO products VALUES (?, ?, ?, ?, ?)",
        (*key, revision, product.image, product_record(product)),
    )
    return Put(product, Change.UPDATED if before else Change.CREATED, before)


def get(db: sqlite3.Connection, channel_id: str, product_id: str) -> Product | None:
    row = db.execute(
        "SELECT record FROM products WHERE channel = ? AND id = ?", (channel_id, product_id)
    ).fetchone()
    return read_product(row["record"]) if row else None


def page(
    db: sqlite3.Connection, channel_id: str, after: str | None, limit: int | None
) -> tuple[Product, ...]:
    rows = db.execute(
        "SELECT record FROM products WHERE channel = ? AND id > ? ORDER BY id LIMIT ?",
        (channel_id, after or "", -1 if limit is None else limit),
    )
    return tuple(read_product(row["record"]) for row in rows)


def by_id(
    db: sqlite3.Connection, channel_id: str, product_ids: Collection[str]
) -> dict[str, Product]:
    wanted = sorted(product_ids)
    found: dict[str, Product] = {}
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        ids = wanted[start : start + _IDS_AT_ONCE]
        marks = ",".join("?" * len(ids))
        rows = db.execute(
            f"SELECT id, record FROM products WHERE channel = ? AND id IN ({marks})",  # noqa: S608
            (channel_id, *ids),
        )
        found |= {row["id"]: read_product(row["record"]) for row in rows}
    return found


def remove(db: sqlite3.Connection, channel_id: str, product_id: str) -> bool:
    row = db.execute(
        "DELETE FROM products WHERE channel = ? AND id = ? RETURNING image",
        (channel_id, product_id),
    ).fetchone()
    if row is not None:
        _drop_image(db, row["image"])
    return row is not None


def remove_all(db: sqlite3.Connection, channel_id: str) -> None:
    rows = db.execute("DELETE FROM products WHERE channel = ? RETURNING image", (channel_id,))
    for url in {row["image"] for row in rows.fetchall()}:
        _drop_image(db, url)


def image(db: sqlite3.Connection, name: str) -> Image | None:
    row = db.execute("SELECT * FROM images WHERE name = ?", (name,)).fetchone()
    return Image(row["name"], row["content_type"], row["data"]) if row else None


def _drop_image(db: sqlite3.Connection, url: str) -> None:
    """Drop a stored picture that no product of any channel shows any more."""
    name = stored_image_name(url)
    if name is None:
        return
    if db.execute("SELECT 1 FROM products WHERE image = ? LIMIT 1", (url,)).fetchone() is None:
        db.execute("DELETE FROM images WHERE name = ?", (name,))
