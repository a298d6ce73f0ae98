"""What every job starts from: settings, thresholds and data map, loaded once and validated."""

from __future__ import annotations

from dataclasses import dataclass

from privacy_ops import thresholds as thresholds_file
from privacy_ops.datamap import loader
from privacy_ops.datamap.model import DataMap
from privacy_ops.settings import Settings
from privacy_ops.stores.database import Database
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.thresholds import Thresholds


@dataclass(frozen=True)
class Workspace:
    """Settings, thresholds and data map, with ways into the stores."""

    settings: Settings
    thresholds: Thresholds
    data_map: DataMap
    map_sha256: str

    @classmethod
    def load(cls, settings: Settings) -> Workspace:
        """Read thresholds and map. Raises ConfigError, DataMapError."""
        path = settings.data_map_path
        data_map = loader.load(path if path.is_dir() else path.with_suffix(".yaml"))
        return cls(
            settings,
            thresholds_file.load(settings.include / "thresholds.yaml"),
            data_map,
            loader.sha256(data_map),
        )

    def database(self, duty: str) -> Database:
        return Database.for_duty(self.settings, duty)

    def objects(self) -> ObjectStore:
        return ObjectStore(self.settings.objects)
