"""Recording as one thing: made of the configuration, started and stopped in its order."""

from __future__ import annotations

from collections.abc import Mapping

from server.clock import Clock
from server.config import Config
from server.errors import Unavailable
from server.record.catalogue import Catalogue
from server.record.chronicle import Chronicle
from server.record.disk import LocalDisk
from server.record.disk_threads import DiskThreads
from server.record.errors import RecordError
from server.record.export import Exporter
from server.record.figures import Figures
from server.record.kit import Kit
from server.record.library import Library
from server.record.local import LocalStorage
from server.record.mirror import Mirror
from server.record.mirrored_storage import MirroredStorage
from server.record.object_store import ObjectStorage
from server.record.pictures import Pictures
from server.record.recorder import Recorder
from server.record.retention import Retention
from server.record.room import Room
from server.record.storage import Storage
from server.store.port import Store


class Recordings:
    """What records, keeps and gives back. `recorder` None: nothing new is recorded."""

    def __init__(self, config: Config, store: Store, catalogue: Catalogue, clock: Clock) -> None:
        """Make it; no file is touched yet. Raises ValueError for settings of S3 that are wrong."""
        section = config.recording
        self.catalogue = catalogue
        self.figures = Figures()
        self._disk = LocalDisk(section.folder(config.server.data_dir))
        self.room = Room(
            self._disk, clock.monotonic, section.min_free_bytes, section.max_disk_percent
        )
        self._writer = DiskThreads("recorder", most_bytes=section.queue_bytes)
        self._local = LocalStorage(self._disk)
        mirrored = _mirrored(config, self._local)
        self.storage: Storage = mirrored or self._local
        keep_ms = round(section.s3.keep_local_hours * 3_600_000)
        self.mirror = (
            Mirror(mirrored, catalogue, clock, self.figures, keep_ms) if mirrored else None
        )
        self.library = Library(self.catalogue, self.storage)
        self.pictures = Pictures(self.library)
        self.exporter = Exporter(self.storage)
        self.retention = Retention(self.library, clock, section.retention_days)
        self._kit = Kit(
            writer=self._writer,
            disk=self._disk,
            local=self._local,
            room=self.room,
            storage=self.storage,
            catalogue=self.catalogue,
            chronicle=Chronicle(store, config.shop_settings().show),
            clock=clock,
            figures=self.figures,
            whole=mirrored.note_from_thread if mirrored else lambda _key: None,
            sealed=self.mirror.compare_soon if self.mirror else lambda: None,
        )
        self._sealer = Recorder(self._kit)
        self.recorder = self._sealer if section.enabled else None

    def begin(self) -> None:
        """Have the thread write from now on, and tell what a stopped server left."""
        self._writer.start()

    async def start(self, going_on: frozenset[str]) -> None:
        """Go on, begun; seal what a stopped server left, but for sessions `going_on`."""
        if self.mirror is not None:
            self.mirror.start()
        # What was being recorded is sealed even where nothing new is to be.
        await self._sealer.recover(going_on if self.recorder else frozenset())
        self._sealer.start()
        self.retention.start()
        self.pictures.start()

    async def close(self) -> None:
        """Write what waits, then let go. Idempotent, bounded."""
        await self.pictures.close()
        await self.retention.close()
        await self._sealer.close()
        if self.mirror is not None:
            await self.mirror.close()
        await self.storage.close()

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait to be written."""
        return self._writer.waiting_bytes

    def warnings(self, channel: str) -> tuple[Mapping[str, object], ...]:
        """Tell why the channel's broadcast is not recorded just now."""
        return self.recorder.warnings(channel) if self.recorder else ()

    async def usage(self) -> dict[str, object]:
        """Tell what recordings take, and what the disk has left. Raises Unavailable."""
        usage = await self.catalogue.usage()
        try:
            space = await self._local.ask(self.room.look)
        except RecordError as error:
            raise Unavailable(str(error)) from error
        return {
            "recordings": usage.recordings,
            "bytes": usage.size,
            "held": usage.held,
            "held_bytes": usage.held_size,
            "disk_free": space.free,
            "disk_total": space.total,
            "min_free": self.room.min_free,
            "recording": self.recorder is not None,
            "troubled": self.recorder.troubled if self.recorder else 0,
            "uploading": self.mirror is not None,
            "upload_problem": (self.mirror.trouble or None) if self.mirror else None,
        }


def _mirrored(config: Config, local: LocalStorage) -> MirroredStorage | None:
    settings = config.recording.s3.settings()
    return MirroredStorage(local, ObjectStorage(settings)) if settings is not None else None
