"""Projects damaged, newer, older, locked, read-only, on a full disk: a sentence, and nothing lost."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import backend.project_folder.project_schema
from backend.activations.layer_extraction import LayerExtraction
from backend.errors import ProjectError
from backend.project import Project, ProjectDamagedError, ProjectInUseError
from backend.project_folder.project_database import BACKUP_FILE, DATABASE_FILE
from backend.project_folder.project_lock import LOCK_FILE, WriterLock
from tests.backend.small_projects import add_layer, make_project


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    with make_project(tmp_path_factory.mktemp("original")) as project:
        add_layer(project, np.ones((12, 3), np.float32))
        project.set_neuron_name("features.18", 1, "apples")
    return project.path


@pytest.fixture
def folder(tmp_path, original):
    """A closed project with a named neuron; its backup holds the same."""
    return shutil.copytree(original, tmp_path / original.name)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != LOCK_FILE
    }


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def overwrite_the_header(file: Path) -> None:
    file.write_bytes(b"no database at all " * 300)


def scramble_the_middle(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096:16384] = os.urandom(12288)
    file.write_bytes(data)


def drop_a_table(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE named_concepts")


def forget_the_images_folder(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("DELETE FROM project WHERE key = 'images_root'")


def spoil_a_value(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("UPDATE project SET value = '{' WHERE key = 'model_source'")


def changing(statement: str):
    """Return what runs a statement on the database, after which it is still a sound one for SQLite."""

    def damage(file: Path) -> None:
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute(statement)
            assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)

    return damage


def named_concept(members: str, parameters: str) -> str:
    return (
        "INSERT INTO named_concepts (layer, neuron, name, notes, member_images, vector, parameters, modified)"
        f" SELECT id, 0, 'red', '', '{members}', zeroblob(12), '{parameters}', 'now' FROM layers"
    )


BROKEN_JSON = [
    changing(statement)
    for statement in (
        "UPDATE layers SET preprocessing = '{'",
        "UPDATE layers SET preprocessing = '3'",
        "UPDATE layers SET preprocessing = '{\"size\": 1}'",
        "UPDATE layers SET versions = ''",
        "UPDATE layers SET parameters = '{\"top_n\":'",
        "UPDATE layers SET parameters = '{\"top_n\": -1}'",
        "UPDATE layers SET suggestion = '[]'",
        "INSERT INTO settings (key, value) VALUES ('a', '{')",
        named_concept("[0, 1", "{}"),
        named_concept("7", "{}"),
        named_concept("[0, 1]", "{"),
        named_concept("[0, 1]", "[]a"),
    )
]


def remove(file: Path) -> None:
    file.unlink()


DAMAGES = [
    truncate,
    empty,
    overwrite_the_header,
    scramble_the_middle,
    drop_a_table,
    forget_the_images_folder,
    spoil_a_value,
    remove,
    *BROKEN_JSON,
]


class TestDamage:
    @pytest.mark.parametrize("read_only", [False, True])
    @pytest.mark.parametrize("damage", DAMAGES)
    def test_it_is_refused_with_a_sentence_and_left_alone(self, folder, damage, read_only):
        damage(folder / DATABASE_FILE)
        before = contents(folder)
        with pytest.raises(ProjectDamagedError, match=r"damaged.*recovered from its backup of") as caught:
            Project.open(folder, read_only=read_only)
        assert caught.value.backup == folder / BACKUP_FILE
        assert contents(folder) == before

    @pytest.mark.parametrize("damage", DAMAGES)
    def test_it_is_recovered_from_the_backup_and_the_damaged_file_kept(self, folder, damage):
        damage(folder / DATABASE_FILE)
        damaged = (folder / DATABASE_FILE).read_bytes() if damage is not remove else None
        with Project.open(folder, recover=True) as project:
            assert project.neuron_names("features.18") == {1: "apples"}
            assert project.n_images == 12
            if damage is not remove:
                assert project.recovered_from.read_bytes() == damaged
            project.set_neuron_name("features.18", 2, "nets")
        with Project.open(folder) as again:
            assert again.neuron_names("features.18") == {1: "apples", 2: "nets"}
            assert again.recovered_from is None

    def test_a_sound_project_is_not_put_back(self, folder):
        shutil.copy(folder / BACKUP_FILE, folder / "kept")
        with Project.open(folder) as project:
            project.set_neuron_name("features.18", 2, "nets")
        shutil.copy(folder / "kept", folder / BACKUP_FILE)
        with Project.open(folder, recover=True) as project:
            assert project.recovered_from is None
            assert project.neuron_names("features.18") == {1: "apples", 2: "nets"}

    def test_without_a_usable_backup_nothing_is_changed(self, folder):
        overwrite_the_header(folder / DATABASE_FILE)
        truncate(folder / BACKUP_FILE)
        before = contents(folder)
        with pytest.raises(ProjectError, match="backup cannot be used either"):
            Project.open(folder, recover=True)
        (folder / BACKUP_FILE).unlink()
        with pytest.raises(ProjectDamagedError, match="no backup") as caught:
            Project.open(folder, recover=True)
        assert caught.value.backup is None
        assert contents(folder) == {name: data for name, data in before.items() if name != BACKUP_FILE}

    def test_the_log_of_a_killed_writer_is_not_lost(self, folder):
        kill_after_naming(folder, 0, "killed")
        assert (folder / (DATABASE_FILE + "-wal")).stat().st_size > 0
        with Project.open(folder) as project:
            assert project.neuron_names("features.18") == {0: "killed", 1: "apples"}

    def test_a_backup_is_only_replaced_by_a_sound_copy(self, folder, monkeypatch):
        good = (folder / BACKUP_FILE).read_bytes()

        def failing(*_args, **_kwargs):
            raise sqlite3.DatabaseError("database disk image is malformed")

        project = Project.open(folder)
        project.set_neuron_name("features.18", 2, "nets")
        monkeypatch.setattr("backend.project_folder.project_database._copy_database", failing)
        with pytest.raises(ProjectDamagedError):
            project.back_up()
        with pytest.raises(ProjectDamagedError):
            project.close()
        assert (folder / BACKUP_FILE).read_bytes() == good
        monkeypatch.undo()
        Project.open(folder).close()  # and the lock was given back

    def test_without_room_for_a_backup_the_former_one_stays_and_closing_is_no_error(
        self, folder, monkeypatch
    ):
        good = (folder / BACKUP_FILE).read_bytes()

        def full(*_args, **_kwargs):
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr("backend.project_folder.project_database._copy_database", full)
        with Project.open(folder) as project:
            project.set_neuron_name("features.18", 2, "nets")
        assert (folder / BACKUP_FILE).read_bytes() == good
        with Project.open(folder, read_only=True) as project:
            assert project.neuron_names("features.18") == {1: "apples", 2: "nets"}

    def test_closing_without_a_change_leaves_the_backup_as_it_is(self, folder):
        before = (folder / BACKUP_FILE).stat().st_mtime_ns
        Project.open(folder).close()
        assert (folder / BACKUP_FILE).stat().st_mtime_ns == before


NEWEST = len(backend.project_folder.project_schema.MIGRATIONS)


class TestVersions:
    def test_a_newer_project_is_refused(self, folder):
        with closing(sqlite3.connect(folder / DATABASE_FILE)) as connection:
            connection.execute("PRAGMA user_version = 99")
        for read_only in (False, True):
            with pytest.raises(ProjectError, match=r"newer version of Neuron Prism \(its format is 99"):
                Project.open(folder, read_only=read_only)

    def test_another_database_is_no_project(self, folder):
        (folder / DATABASE_FILE).unlink()
        with closing(sqlite3.connect(folder / DATABASE_FILE)) as connection:
            connection.execute("CREATE TABLE photos (id)")
        with pytest.raises(ProjectDamagedError, match="holds no project"):
            Project.open(folder)

    @pytest.fixture
    def next_version(self, folder, monkeypatch):
        """Let the program know one version more, with a table more."""
        migrations = (
            *backend.project_folder.project_schema.MIGRATIONS,
            "CREATE TABLE studies (id INTEGER PRIMARY KEY);",
        )
        monkeypatch.setattr("backend.project_folder.project_schema.MIGRATIONS", migrations)
        for module in ("backend.project_folder.project_schema", "backend.project_folder.project_database"):
            monkeypatch.setattr(f"{module}.VERSION", len(migrations))
        tables = backend.project_folder.project_schema.TABLES | {"studies"}
        monkeypatch.setattr("backend.project_folder.project_database.TABLES", tables)

    @pytest.mark.usefixtures("next_version")
    def test_an_older_project_is_brought_up_and_its_former_state_kept(self, folder):
        with Project.open(folder) as project:
            assert project.neuron_names("features.18") == {1: "apples"}
        with closing(sqlite3.connect(folder / DATABASE_FILE)) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (NEWEST + 1,)
            assert connection.execute("SELECT * FROM studies").fetchall() == []
        with closing(sqlite3.connect(folder / f"{DATABASE_FILE}.version-{NEWEST}")) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (NEWEST,)

    @pytest.mark.usefixtures("next_version")
    def test_reading_an_older_project_changes_nothing(self, folder):
        before = contents(folder)
        with Project.open(folder, read_only=True) as project:
            assert project.neuron_names("features.18") == {1: "apples"}
        assert contents(folder) == before

    def test_a_migration_that_fails_leaves_the_project_as_it_was(self, folder, monkeypatch):
        broken = (
            *backend.project_folder.project_schema.MIGRATIONS,
            "CREATE TABLE studies (id); CREATE TABLE images (id);",
        )
        monkeypatch.setattr("backend.project_folder.project_schema.MIGRATIONS", broken)
        for module in ("backend.project_folder.project_schema", "backend.project_folder.project_database"):
            monkeypatch.setattr(f"{module}.VERSION", len(broken))
        with pytest.raises(ProjectError, match="images already exists"):
            Project.open(folder)
        monkeypatch.undo()
        with Project.open(folder) as project:
            assert project.neuron_names("features.18") == {1: "apples"}


class TestLock:
    def test_a_lock_file_left_behind_locks_nobody_out(self, folder):
        (folder / LOCK_FILE).write_text(json.dumps({"pid": os.getpid(), "host": "elsewhere", "since": "now"}))
        Project.open(folder).close()
        (folder / LOCK_FILE).write_bytes(b"\xff garbage")
        Project.open(folder).close()

    def test_a_killed_writer_frees_its_lock(self, folder):
        kill_after_naming(folder, 0, "killed")
        assert (folder / LOCK_FILE).stat().st_size > 0
        Project.open(folder).close()

    def test_releasing_twice(self, folder):
        lock = WriterLock(folder)
        lock.release()
        lock.release()
        WriterLock(folder).release()

    def test_opening_that_fails_gives_the_lock_back(self, folder):
        overwrite_the_header(folder / DATABASE_FILE)
        with pytest.raises(ProjectDamagedError):
            Project.open(folder)
        WriterLock(folder).release()

    @pytest.mark.parametrize("owner", ["here, alive", "elsewhere"])
    def test_without_locks_in_the_file_system_the_owner_on_record_counts(self, folder, monkeypatch, owner):
        without_locks(monkeypatch)
        host = os.uname().nodename if owner == "here, alive" else "elsewhere"
        record = {"pid": os.getppid(), "host": host, "since": "2025-01-01"}
        (folder / LOCK_FILE).write_text(json.dumps(record))
        with pytest.raises(ProjectInUseError, match=f"process {os.getppid()} on {host} since 2025-01-01"):
            Project.open(folder)

    def test_without_locks_a_dead_owner_does_not_count(self, folder, monkeypatch):
        without_locks(monkeypatch)
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        record = {"pid": dead.pid, "host": os.uname().nodename, "since": "2025-01-01"}
        (folder / LOCK_FILE).write_text(json.dumps(record))
        with Project.open(folder), pytest.raises(ProjectInUseError):
            Project.open(folder)
        Project.open(folder).close()


def without_locks(monkeypatch):
    def no_locks(_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("backend.project_folder.project_lock._lock", no_locks)


def kill_after_naming(folder: Path, neuron: int, name: str) -> None:
    """Let a process name a neuron and be killed with the project open."""
    child = os.fork()
    if child == 0:
        Project.open(folder).set_neuron_name("features.18", neuron, name)
        os.kill(os.getpid(), 9)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == 9


class TestReadOnlyFolder:
    @pytest.fixture
    def protected(self, folder):
        """The project in a folder that cannot be written, which root only believes as somebody else."""
        shared = Path(tempfile.mkdtemp())
        copy = shared / "Prüfung.prism"
        shutil.copytree(folder, copy)
        paths = [shared, copy, *copy.rglob("*")]
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield copy
        for path in paths:
            path.chmod(stat.S_IRWXU)
        shutil.rmtree(shared)

    def test_it_opens_for_reading(self, protected):
        assert said_unprivileged(
            lambda: Project.open(protected, read_only=True).neuron_names("features.18")
        ) == ("{1: 'apples'}")

    def test_it_opens_for_reading_with_the_log_of_a_killed_writer(self, folder):
        kill_after_naming(folder, 2, "late")
        shared = Path(tempfile.mkdtemp())
        copy = shared / "p.prism"
        copy.mkdir()
        for name in (DATABASE_FILE, DATABASE_FILE + "-wal"):
            shutil.copy(folder / name, copy / name)
        for path in (shared, copy, *copy.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        said = said_unprivileged(lambda: Project.open(copy, read_only=True).neuron_names("features.18"))
        shared.chmod(0o755)
        copy.chmod(0o755)
        shutil.rmtree(shared)
        assert said == "{1: 'apples', 2: 'late'}"

    def test_writing_is_refused_with_a_sentence(self, protected):
        said = said_unprivileged(lambda: Project.open(protected))
        assert said.startswith("ProjectError: ")
        assert "cannot be opened for writing (Permission denied): open it read-only" in said


def said_unprivileged(function) -> str:
    """Call a function in a process without the rights of root; return its result, or its error, as text."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            said = repr(function())
        except Exception as error:  # noqa: BLE001  (told to the parent)
            said = f"{type(error).__name__}: {error}"
        os.write(write_end, said.encode())
        os._exit(0)
    os.close(write_end)
    os.waitpid(child, 0)
    with os.fdopen(read_end, "rb") as pipe:
        return pipe.read().decode()


class TestFullDisk:
    @pytest.mark.parametrize("text", ["disk I/O error", "database or disk is full"])
    def test_a_new_project_that_does_not_fit_is_a_sentence_and_leaves_nothing(
        self, tmp_path, monkeypatch, text
    ):
        def full(*_args):
            raise sqlite3.OperationalError(text)

        monkeypatch.setattr("backend.project_folder.project_database.migrate", full)
        with pytest.raises(ProjectError, match=r"^The project .* cannot be"):
            make_project(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["images"]

    def test_a_change_that_does_not_fit_is_refused_and_the_rest_kept(self, folder):
        with Project.open(folder) as project:
            ((pages,),) = project._database.query("PRAGMA page_count")
            project._database.query(f"PRAGMA max_page_count = {pages}")
            with pytest.raises(ProjectError, match="the disk is full"):
                project.set_setting("large", "x" * 1_000_000)
            project._database.query("PRAGMA max_page_count = 1000000")
            assert project.get_setting("large") is None
            project.set_setting("large", "x" * 1_000_000)


class TestNeuronIndex:
    def test_one_that_cannot_be_removed_is_a_sentence(self, folder):
        with Project.open(folder) as project:
            project.layer("features.18").index_file.mkdir()
            with pytest.raises(ProjectError, match=r"neuron index .* cannot be removed"):
                project.extracted_layers.forget_images([0])
            with pytest.raises(ProjectError, match=r"neuron index .* cannot be removed"):
                LayerExtraction(project, "features.18", 3, project.layer("features.18").binding)
