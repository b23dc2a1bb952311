"""Journals of ranks: torn lines, checksums that do not match, and what is kept of a run that died."""

import json
import zlib

import numpy as np
import pytest

from backend.activations.distributed.left_journals import keep_left_work
from backend.activations.distributed.rank_journal import JournalReader, JournalRecord, JournalWriter
from backend.activations.distributed.rank_plan import PlannedBlock, PlannedImages, PlannedLayer, RankPlan
from backend.activations.distributed.rank_signs import RUN_SETTING
from backend.activations.store import ActivationWriter
from backend.errors import ExtractionError
from backend.networks.model_source import ModelSource
from backend.project import Project
from backend.project_folder.file_state import FileState
from tests.backend.small_projects import BINDING, make_project

RECORD = JournalRecord(
    8, 12, {"early": 5, "läte/1": 2**32 - 1}, {9: "brökén\nfile"}, {8: FileState(10, 20), 9: None}
)


class TestJournal:
    def test_records_come_back(self, tmp_path):
        writer, reader = JournalWriter(tmp_path / "journal"), JournalReader(tmp_path / "journal")
        assert reader.read() == []
        writer.append(RECORD)
        assert reader.read() == [RECORD]
        assert reader.read() == []
        other = JournalRecord(12, 16, {"early": 1}, {}, {})
        writer.append(other)
        writer.append(RECORD)
        assert reader.read() == [other, RECORD]
        writer.close()

    def test_a_line_is_a_checksum_and_json(self):
        checksum, text = RECORD.to_line().split(b" ", 1)
        assert int(checksum, 16) == zlib.crc32(text[:-1])
        assert json.loads(text)["skipped"] == {"9": "brökén\nfile"}

    def test_a_torn_last_line_waits_for_its_rest(self, tmp_path):
        line = RECORD.to_line()
        reader = JournalReader(tmp_path / "journal")
        for n_bytes in (1, len(line) // 2, len(line) - 1):
            (tmp_path / "journal").write_bytes(line + line[:n_bytes])
            assert JournalReader(tmp_path / "journal").read() == [RECORD]
        assert reader.read() == [RECORD]
        (tmp_path / "journal").write_bytes(line * 2)
        assert reader.read() == [RECORD]

    @pytest.mark.parametrize(
        "line",
        [
            RECORD.to_line().replace(b'"start": 8', b'"start": 4'),
            b"\0" * 100 + b"\n",
            b"%08x %s\n" % (zlib.crc32(b"[]"), b"[]"),
            b"\n",
            b"%08x %s\n" % (zlib.crc32(b"{}"), b"{}"),
        ],
    )
    def test_anything_else_is_no_record(self, line):
        assert JournalRecord.from_line(line) is None

    def test_rows_outside_of_the_block_make_no_record(self):
        outside = JournalRecord(8, 12, {"early": 1}, {12: "broken"}, {})
        assert JournalRecord.from_line(outside.to_line()) is None

    def test_no_journal_takes_the_place_of_another(self, tmp_path):
        JournalWriter(tmp_path / "journal").close()
        with pytest.raises(ExtractionError, match="journal"):
            JournalWriter(tmp_path / "journal")


@pytest.fixture
def left(tmp_path):
    """A project of 12 images in blocks of 4, the first of them on record, whose run died: path and rows."""
    rows = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
    with make_project(tmp_path, block_rows=4) as project:
        project.bind_model(BINDING.weights_sha256, BINDING.preprocessing)
        record = project.extracted_layers.add("late", 5, BINDING)
        writer = ActivationWriter(record.file, 12, 5)
        checksums = [writer.write(start, rows[start : start + 4]) for start in (0, 4, 8)]
        writer.close()
        project.extracted_layers.record_block(0, 4, {"late": checksums[0]}, {}, {})
        project.set_setting(RUN_SETTING, "run")
        folder = project.path / "ranks"
        folder.mkdir()
        plan(project).write(folder)
    journal = JournalWriter(folder / "rank-00001-name.journal")
    journal.append(JournalRecord(4, 8, {"late": checksums[1]}, {5: "broken"}, {5: FileState(1, 2)}))
    journal.append(JournalRecord(8, 12, {"late": checksums[2]}, {}, {}))
    journal.close()
    return project.path, rows


def plan(project, run="run"):
    layer = PlannedLayer("late", "late.npy", 5, "mean")
    blocks = tuple(PlannedBlock(1, start, start + 4, ("late",), False) for start in (4, 8))
    return RankPlan(
        run=run,
        round=1,
        members={0: "leader", 1: "name"},
        source=ModelSource("x"),
        weights_sha256="ab" * 32,
        preprocessing=BINDING.preprocessing,
        precision="float32",
        device_type="cpu",
        batch_size=32,
        layers=(layer,),
        blocks=blocks,
        images_root=str(project.images_root),
    )


def starts(project):
    return [block.start for block in project.extracted_layers.blocks("late")]


class TestLeftWork:
    def test_sound_blocks_are_kept_with_what_was_skipped(self, left):
        path, rows = left
        with Project.open(path) as project:
            assert starts(project) == [0, 4, 8]
            assert project.layer("late").complete
            np.testing.assert_array_equal(project.activations("late"), rows)
            assert [(image.row, image.reason) for image in project.skipped_images()] == [(5, "broken")]
            assert project.images.states(5, 6) == (FileState(1, 2),)
            assert project.get_setting(RUN_SETTING) is None
        assert not (path / "ranks").exists()

    def test_reading_alone_changes_nothing(self, left):
        with Project.open(left[0], read_only=True) as project:
            assert starts(project) == [0]
        assert (left[0] / "ranks").is_dir()

    def test_a_block_with_another_checksum_is_not_believed(self, left):
        path, _ = left
        file = path / "activations" / "late.npy"
        data = bytearray(file.read_bytes())
        data[-4 * 5 * 6] ^= 1  # in the second block
        file.write_bytes(data)
        with Project.open(path) as project:
            assert starts(project) == [0, 8]
            assert project.skipped_images() == ()

    def test_a_torn_line_is_not_believed(self, left):
        path, _ = left
        journal = path / "ranks" / "rank-00001-name.journal"
        journal.write_bytes(journal.read_bytes()[:-3])
        with Project.open(path) as project:
            assert starts(project) == [0, 4]

    @pytest.mark.parametrize("rows", [(4, 9), (3, 7), (12, 16), (-4, 0), (0, 4)])
    def test_a_block_that_is_none_of_the_projects_is_passed_over(self, left, rows):
        path, _ = left
        journal = path / "ranks" / "rank-00001-name.journal"
        journal.write_bytes(JournalRecord(*rows, {"late": zlib.crc32(b""), "other": 1}, {}, {}).to_line())
        with Project.open(path) as project:
            assert starts(project) == [0]

    @pytest.mark.parametrize("plan_text", [None, "", "{}", "[1]"])
    def test_without_a_plan_nothing_is_kept(self, left, plan_text):
        path, _ = left
        (path / "ranks" / "plan.json").unlink()
        if plan_text is not None:
            (path / "ranks" / "plan.json").write_text(plan_text)
        with Project.open(path) as project:
            assert starts(project) == [0]
        assert not (path / "ranks").exists()

    def test_a_run_that_the_database_does_not_know_is_not_believed(self, left):
        """As after going back to a backup that is older than the run."""
        path, _ = left
        with Project.open(path, read_only=True) as project:
            plan(project, run="another").write(path / "ranks")
        with Project.open(path) as project:
            assert starts(project) == [0]
        assert not (path / "ranks").exists()

    def test_a_file_of_activations_that_is_lost_is_not_believed(self, left):
        (left[0] / "activations" / "late.npy").unlink()
        with Project.open(left[0]) as project:
            assert starts(project) == [0]

    def test_journals_of_an_earlier_run_are_not_believed(self, left):
        path, _ = left
        (path / "ranks" / "rank-00001-name.journal").rename(path / "ranks" / "rank-00001-earlier.journal")
        with Project.open(path) as project:
            assert starts(project) == [0]

    @pytest.mark.parametrize("forget", ["images", "all"])
    def test_what_was_forgotten_since_the_run_is_not_believed(self, left, forget):
        path, _ = left
        ranks = {file.name: file.read_bytes() for file in (path / "ranks").iterdir()}
        with Project.open(path) as project:
            # As where rank 0 goes on after the run: its files are still there.
            project.set_setting(RUN_SETTING, "run")
            if forget == "images":
                project.recompute_images([5, 9])
            else:
                project.rebind_model("cd" * 32, BINDING.preprocessing)
        (path / "ranks").mkdir()
        for name, data in ranks.items():
            (path / "ranks" / name).write_bytes(data)
        with Project.open(path) as project:
            assert starts(project) == ([0] if forget == "images" else [])

    def test_where_no_run_died_there_is_nothing_to_keep(self, tmp_path):
        with make_project(tmp_path) as project:
            assert keep_left_work(project) == 0


class TestPlan:
    def test_it_comes_back(self, left):
        path, _ = left
        with Project.open(path, read_only=True) as project:
            expected = plan(project)
        assert RankPlan.read(path / "ranks") == expected
        assert [block.start for block in expected.blocks_of(1)] == [4, 8]
        assert expected.blocks_of(0) == ()

    def test_images_are_those_of_the_project(self, tmp_path):
        with make_project(tmp_path) as project:
            project.extracted_layers.add("late", 5, BINDING)
            project.extracted_layers.record_block(0, 4, {"late": 1}, {2: "broken"}, {2: None})
            PlannedImages.write(tmp_path, project)
            images = PlannedImages(tmp_path, project.images_root)
            assert tuple(images.paths) == project.image_paths
            assert images.states(0, 12) == project.images.states(0, 12)
            assert images.states(2, 3) == (None,)
            assert images.skipped == {2}
            assert [images.path(row) for row in range(12)] == [project.image_path(row) for row in range(12)]

    def test_a_list_of_images_that_cannot_be_read_is_said_so(self, tmp_path):
        (tmp_path / "images.npz").write_bytes(b"nonsense")
        with pytest.raises(ExtractionError, match=r"images\.npz cannot be read"):
            PlannedImages(tmp_path, tmp_path)
