"""Every shard comes to the schema of this release, whoever starts first."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text

from tests.services.postgres import TmpPostgres
from xmppd.core.shards import StorageUnavailable
from xmppd.storage.database import Database
from xmppd.storage.migrate import (
    SchemaMismatch,
    check,
    configuration,
    head_revision,
    migrate,
    script_folder,
    status,
)
from xmppd.storage.slots import SLOTS, stored_map

from .deployments import INLINE, Deployment

REPOSITORY = Path(__file__).parents[2]


def databases(*urls: str) -> list[Database]:
    return [Database(url, print, INLINE) for url in urls]


def set_revision(database: Database, revision: str) -> None:
    with database.blocking() as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})


class TestScripts:
    """The numbered steps."""

    def test_head(self) -> None:
        """The number of the newest file is what Alembic calls the head."""
        scripts = ScriptDirectory.from_config(configuration())
        assert head_revision() == scripts.get_current_head()

    def test_one_line_of_numbers(self) -> None:
        """Each step is named by its number and follows the number before."""
        scripts = ScriptDirectory.from_config(configuration())
        numbers = [script.revision for script in reversed(list(scripts.walk_revisions()))]
        assert [f"{number:04}" for number in range(1, len(numbers) + 1)] == numbers

    def test_found_through_the_symlink(self, tmp_path: Path) -> None:
        """The folder is found by the package `xmppd.migrations`, from anywhere."""
        program = "from xmppd.storage.migrate import *; print(script_folder(), head_revision())"
        done = run_python(program, tmp_path)
        assert f"{REPOSITORY}/xmppd/migrations {head_revision()}" == done.strip()
        assert (script_folder() / "env.py").samefile(REPOSITORY / "migrations" / "env.py")

    def test_new_step(self, tmp_path: Path) -> None:
        """What the documentation says makes a new step makes one, with the next number and its place in the line."""
        folder = tmp_path / "migrations"
        (folder / "versions").mkdir(parents=True)
        for path in (*script_folder().glob("*.*"), *script_folder().glob("versions/*.py")):
            (folder / path.relative_to(script_folder())).write_text(path.read_text())
        number = f"{int(head_revision()) + 1:04}"
        command.revision(configuration(folder), "what it does", rev_id=number)

        assert number == head_revision(folder)
        made = (folder / "versions" / f"{number}_what_it_does.py").read_text()
        assert f"down_revision = '{head_revision()}'" in made


class TestMigrate:
    """From nothing, and from where it stands."""

    def test_empty_shards(self, tmp_path: Path) -> None:
        """Empty shards get the schema, a map and their slots; what is done is told."""
        shards = databases(*(f"sqlite:///{tmp_path}/{shard}.db" for shard in range(2)))
        told: list[str] = []
        assert [revision.current for revision in status(shards)] == [None, None]
        migrate(shards, told.append)

        head = head_revision()
        assert [head, head] == [revision.current for revision in status(shards)]
        assert [f"shard {shard}: from nothing to {head}" for shard in range(2)] == told[:2]
        assert told[2:] == ["slots divided among 2 shards"]
        check(shards)

    def test_every_slot_is_on_one_shard(self, deployment: Deployment) -> None:
        """Each shard holds exactly the slots that the map gives it."""
        query = text("SELECT slot FROM slot_here WHERE state = 'open' AND epoch = 1 ORDER BY slot")
        held = [
            [slot for (slot,) in deployment.run(database.fetch("slots", query, {}))]
            for database in deployment.databases
        ]
        slots = deployment.shards.slots
        assert [slots.slots_of(shard) for shard in range(len(held))] == held
        assert list(range(SLOTS)) == sorted(slot for shard in held for slot in shard)

    def test_again(self, deployment: Deployment) -> None:
        """A second time there is nothing to do."""
        told: list[str] = []
        migrate(deployment.databases, told.append)
        assert told == []

    def test_again_is_cheap(self, tmp_path: Path) -> None:
        """A start that has nothing to migrate does not even import Alembic."""
        url = f"sqlite:///{tmp_path}/x.db"
        migrate(databases(url))
        program = f"""
            import sys
            from xmppd.storage.database import Database
            from xmppd.storage.jobs import Limits
            from xmppd.storage.migrate import migrate
            migrate([Database({url!r}, print, Limits(threads=0))])
            print("alembic" in sys.modules)
        """
        assert run_python(program, tmp_path).strip() == "False"

    def test_a_shard_that_joins(self, tmp_path: Path) -> None:
        """A shard that is added later gets the schema and no slots: they are moved to it, not divided anew."""
        urls = [f"sqlite:///{tmp_path}/{shard}.db" for shard in range(2)]
        migrate(databases(urls[0]))
        shards = databases(*urls)
        migrate(shards)
        with shards[1].blocking() as joined, shards[0].blocking() as first:
            assert joined.scalar(text("SELECT count(*) FROM slot_here")) == 0
            slots = stored_map(first)
        assert slots is not None
        assert {0} == set(slots.shards)

    def test_interrupted_division(self, tmp_path: Path) -> None:
        """A start that died before the map was stored left slots behind; the next one divides them anew."""
        shards = databases(*(f"sqlite:///{tmp_path}/{shard}.db" for shard in range(2)))
        migrate(shards)
        with shards[0].blocking() as first:
            first.execute(text("DELETE FROM slot_map"))
        migrate(databases(f"sqlite:///{tmp_path}/0.db"))
        with shards[0].blocking() as first:
            assert first.scalar(text("SELECT count(*) FROM slot_here")) == SLOTS


class TestCheck:
    """A node does not start on a schema that is not its own."""

    def test_older(self, tmp_path: Path) -> None:
        """An older shard wants to be migrated: the message says which one and what to do."""
        shards = databases(f"sqlite:///{tmp_path}/x.db")
        with pytest.raises(SchemaMismatch, match=r"shard 0 \(sqlite:.*x.db\) has revision none instead of .* migrate"):
            check(shards)

    def test_newer(self, deployment: Deployment) -> None:
        """A newer shard is left alone, by `migrate` too."""
        set_revision(deployment.databases[-1], "9999")
        with pytest.raises(SchemaMismatch, match="newer than this release's") as raised:
            check(deployment.databases)
        assert (len(deployment.databases) - 1, "9999") == (raised.value.shard, raised.value.current)
        with pytest.raises(SchemaMismatch):
            migrate(deployment.databases)
        set_revision(deployment.databases[-1], head_revision())

    def test_unreachable(self) -> None:
        """A shard that is away cannot be checked."""
        with pytest.raises(StorageUnavailable):
            check(databases("postgresql://romeo@127.0.0.1:1/verona"))


class TestTogether:
    """Several processes start at the same time on empty databases."""

    PROGRAM = """
        import sys
        from xmppd.storage.database import Database
        from xmppd.storage.jobs import Limits
        from xmppd.storage.migrate import check, migrate
        from xmppd.storage.shards import SqlShards
        databases = [Database(url, print, Limits(threads=0)) for url in sys.argv[1:]]
        print("ready", flush=True)
        sys.stdin.readline()
        migrate(databases)
        check(databases)
        shards = SqlShards(databases)
        shards.load_map()
        print(shards.slots.version)
    """

    def race(self, folder: Path, *urls: str) -> list[tuple[int, str]]:
        """Let four processes begin at once; return how each ended and what it said."""
        given = [sys.executable, "-c", dedent(self.PROGRAM), *urls]
        started = [
            subprocess.Popen(
                given, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder, env=environment(), text=True
            )
            for _ in range(4)
        ]
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [(process.wait(), said[0].strip()) for process in started if (said := process.communicate())]

    def test_sqlite(self, tmp_path: Path) -> None:
        """Two files: each is migrated once, everybody finds it ready."""
        urls = [f"sqlite:///{tmp_path}/{shard}.db" for shard in range(2)]
        assert self.race(tmp_path, *urls) == [(0, "1")] * 4

    def test_postgres(self, tmp_path: Path, postgres: TmpPostgres) -> None:
        """Two empty PostgreSQL databases likewise."""
        names = [postgres.create_database() for _ in range(2)]
        assert self.race(tmp_path, *(postgres.url(name) for name in names)) == [(0, "1")] * 4
        for name in names:
            postgres.drop_database(name)


def test_failing_step_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_urls: Callable[[int], list[str]]
) -> None:
    """A step that fails in its middle is undone on both kinds of database; the shard stands where it stood."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for path in (*script_folder().glob("*.py"), *script_folder().glob("versions/*.py")):
        (folder / path.relative_to(script_folder())).write_text(path.read_text())
    before = head_revision()
    step = f"""
        from alembic import op
        revision, down_revision = "9999", {before!r}
        branch_labels = depends_on = None
        def upgrade():
            op.execute("CREATE TABLE half_done (x integer)")
            op.execute("INSERT INTO missing VALUES (1)")
    """
    shards = databases(f"sqlite:///{tmp_path}/x.db", *postgres_urls(1))
    migrate(shards[:1])
    (folder / "versions" / "9999_failing.py").write_text(dedent(step))
    monkeypatch.setattr("xmppd.storage.migrate.script_folder", lambda: folder)
    for database in shards:
        with pytest.raises(Exception, match="missing"):
            migrate([database])
        assert before == status([database])[0].current
        with database.blocking() as connection, pytest.raises(Exception, match="half_done"):
            connection.execute(text("SELECT * FROM half_done"))


def run_python(program: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", dedent(program)],
        cwd=folder,
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def environment() -> dict[str, str]:
    return {"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"}
