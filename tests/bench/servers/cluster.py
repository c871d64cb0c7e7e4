"""A PostgreSQL cluster that is only pretended to run."""

from pathlib import Path


class Pretended:
    """Remembers what databases were asked for."""

    host, port, password = "127.0.0.1", 15432, "pencil"

    def __init__(self) -> None:
        self.made: list[tuple[str, Path | None]] = []

    def ensure(self, database: str, schema: Path | None = None) -> None:
        self.made.append((database, schema))

    def url(self, database: str) -> str:
        return f"postgresql://bench:{self.password}@{self.host}:{self.port}/{database}"
