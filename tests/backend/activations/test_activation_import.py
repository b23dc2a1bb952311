"""Activations computed elsewhere in a project: every row where it belongs, whatever stops the import."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.activations import activation_import
from backend.activations.activation_import import (
    continue_import,
    create_import_project,
    import_activations,
    unfinished_imports,
)
from backend.activations.activation_rows import ActivationRows
from backend.activations.extraction import extract
from backend.activations.import_plan import ImportRequest, plan_import
from backend.errors import ActivationImportError, ExtractionError, ModelError
from backend.evaluation.neuron_analysis import analyse_neuron
from backend.method.parameters import Parameters
from backend.models import load_model
from backend.project import Project
from backend.task import Cancelled, SilentTask
from tests.backend.activations.killed_import import LAYER
from tests.backend.small_projects import BINDING, add_layer, make_project, network, write_images

N, D = 44, 10
ACTIVATIONS = np.random.default_rng(5).normal(size=(N, D)).astype(np.float32)


class StopAfter(SilentTask):
    """Cancels after so many blocks of the import itself."""

    def __init__(self, blocks):
        self.blocks = blocks
        self.importing = False

    def progress(self, done, total, message=""):
        self.importing = message.startswith("Importing")

    def check_cancelled(self):
        if self.importing:
            self.blocks -= 1
        if self.blocks < 0:
            raise Cancelled


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp("pictures") / "images", n_classes=4, per_class=N // 4)


@pytest.fixture
def files(tmp_path, pictures):
    """Pictures, a list of them, and activations."""
    (tmp_path / "images").symlink_to(pictures, target_is_directory=True)
    paths = sorted(path.relative_to(pictures) for path in pictures.rglob("*.png"))
    paths = list(reversed(paths))  # another order than that of the folder
    (tmp_path / "list.txt").write_text("\n".join(path.as_posix() for path in paths), encoding="utf-8")
    np.save(tmp_path / "acts.npy", ACTIVATIONS)
    return tmp_path


def request(files, **options):
    values = {
        "activations": files / "acts.npy",
        "image_list": files / "list.txt",
        "images": files / "images",
        "layer": LAYER,
    }
    return ImportRequest(**(values | options))


def new_project(files, name="new.prism", **options):
    plan = plan_import(request(files, **options))
    return create_import_project(files / name, plan, block_rows=8), plan


def imported(files, name="new.prism", **options):
    project, plan = new_project(files, name, **options)
    with project:
        return import_activations(project, plan)


def bits(project_path):
    folder = Path(project_path) / "activations"
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_rows_belong_to_the_images_of_the_list(files):
    result = imported(files)
    lines = (files / "list.txt").read_text(encoding="utf-8").splitlines()
    with Project.open(files / "new.prism", read_only=True) as project:
        assert list(project.image_paths) == lines
        assert project.image_labels[0] == "class 3 ü"
        assert all(project.image_path(row).is_file() for row in range(N))
        np.testing.assert_array_equal(project.activations(LAYER), ACTIVATIONS)
        index = project.neuron_index(LAYER)
        np.testing.assert_array_equal(index.top_images, np.argsort(-ACTIVATIONS, axis=0, kind="stable").T)
        assert project.model_source.is_imported
        assert project.weights_sha256 is None
        record = project.layer(LAYER)
        assert not record.binding.has_network
        assert record.binding.preprocessing is None
        assert record.binding.precision == "unknown"
        assert set(record.versions) <= {"neuron-prism", "numpy"}
        assert record.origin == result.origin
    assert (result.n_imported, result.n_images, result.n_neurons) == (N, N, D)


def test_what_it_came_from_is_kept(files):
    maps = np.random.default_rng(2).normal(size=(N, 6, 3, 3)).astype(np.float16)
    np.savez(files / "maps.npz", maps=maps, other=np.zeros(3))
    imported(files, activations=files / "maps.npz", pooling="max")
    with Project.open(files / "new.prism", read_only=True) as project:
        record = project.layer(LAYER)
        np.testing.assert_array_equal(project.activations(LAYER), maps.max(axis=(2, 3)).astype(np.float32))
    origin = record.origin
    assert (origin.file, origin.path) == ("maps.npz", str(files / "maps.npz"))
    sha256sum = subprocess.run(["sha256sum", files / "maps.npz"], capture_output=True, text=True, check=True)
    assert origin.sha256 == sha256sum.stdout.split()[0]
    assert (origin.array, origin.dtype, origin.shape) == ("maps", "float16", (N, 6, 3, 3))
    assert (origin.pooling, record.binding.pooling) == ("max", "max")
    assert (origin.n_not_finite, origin.first_not_finite, origin.network_check) == (0, None, None)
    assert origin.state() == "unchanged"


def test_a_changed_source_is_noticed_by_its_content(files):
    imported(files)
    with Project.open(files / "new.prism", read_only=True) as project:
        origin = project.layer(LAYER).origin
    os.utime(files / "acts.npy", ns=(1, 1))
    assert (origin.state(), origin.content_changed()) == ("touched", False)
    other = ACTIVATIONS.copy()
    other[3, 3] += 1
    np.save(files / "acts.npy", other)
    assert (origin.state(), origin.content_changed()) == ("touched", True)
    np.save(files / "acts.npy", other[:20])
    assert (origin.state(), origin.content_changed()) == ("changed", True)
    (files / "acts.npy").unlink()
    assert (origin.state(), origin.content_changed()) == ("missing", False)


def test_negative_activations_are_activations(files):
    np.save(files / "acts.npy", -np.abs(ACTIVATIONS))
    imported(files)
    with Project.open(files / "new.prism", read_only=True) as project:
        index = project.neuron_index(LAYER)
        np.testing.assert_array_equal(index.top_activations, np.sort(-np.abs(ACTIVATIONS), axis=0)[::-1].T)
        np.testing.assert_array_equal(index.statistics.active_fraction, 0)


def test_rows_that_are_not_finite_take_no_part(files):
    values = ACTIVATIONS.astype(np.float64)
    values[5, 2], values[9, :], values[30, 0] = np.nan, np.inf, 1e300
    np.save(files / "acts.npy", values)
    origin = imported(files).origin
    assert (origin.n_not_finite, origin.first_not_finite) == (3, 5)
    with Project.open(files / "new.prism", read_only=True) as project:
        activations, index = project.activations(LAYER), project.neuron_index(LAYER)
        assert np.isnan(activations[[5, 9, 30]]).all()
        assert index.n_invalid == 3
        assert not {5, 9, 30} & set(index.top_images.ravel().tolist())
        # Nothing is wrong with the images: another layer may have their rows.
        assert project.skipped_images() == ()
        parameters = Parameters(top_n=20, distance_threshold=5.0, outlier_radius_squared=50.0)
        analysis = analyse_neuron(LAYER, activations, 2, parameters, index=index)
        assert np.isfinite(analysis.neuron_max.projections).all()


def test_names_of_neurons_are_taken_and_people_s_own_stay(files):
    (files / "names.txt").write_text("\n".join(["apples", "", *(f"n{i}" for i in range(2, D))]))
    project, plan = new_project(files, neuron_names=files / "names.txt")
    with project:
        import_activations(project, plan)
        assert project.neuron_names(LAYER) == {0: "apples"} | {i: f"n{i}" for i in range(2, D)}
        project.set_neuron_name(LAYER, 0, "pears")
        import_activations(project, plan)
        assert project.neuron_names(LAYER)[0] == "pears"


class TestInterrupted:
    def test_killed_at_every_step_it_ends_with_the_same_bytes(self, files):
        imported(files, "undisturbed.prism")
        project, _ = new_project(files)
        project.close()
        words = [files / "new.prism", files / "acts.npy", files / "list.txt"]
        done = subprocess.run(
            [sys.executable, "-m", "tests.backend.activations.killed_import", *map(str, words)],
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        children = [json.loads(line) for line in done.stdout.splitlines()]
        assert sum(child["killed"] for child in children) >= 8
        for child, after in itertools.pairwise(children):
            assert child["read"] <= after["recorded"] - child["recorded"] + 8
        assert bits(files / "new.prism") == bits(files / "undisturbed.prism")
        with Project.open(files / "new.prism", read_only=True) as project:
            assert project.layer(LAYER).origin.n_not_finite == 0

    def test_a_cancelled_import_goes_on_where_it_was(self, files, monkeypatch):
        imported(files, "undisturbed.prism")
        project, plan = new_project(files, "cancelled.prism")
        with project:
            for blocks in (0, 1, 3):
                with pytest.raises(Cancelled):
                    import_activations(project, plan, task=StopAfter(blocks))
            assert unfinished_imports(project) == (LAYER,)
            n_done = project.layer(LAYER).n_done
            assert n_done == 24
            read = []
            monkeypatch.setattr(
                "backend.activations.import_pass.ActivationRows",
                lambda *arguments: Noting(read, *arguments),
            )
            result = continue_import(project, LAYER)
            assert result.n_imported == N - n_done
            assert min(start for start, _ in read) == n_done
            assert unfinished_imports(project) == ()
        assert bits(files / "cancelled.prism") == bits(files / "undisturbed.prism")

    def test_a_torn_block_is_read_again(self, files):
        imported(files)
        expected = bits(files / "new.prism")
        file = files / "new.prism" / "activations" / f"{LAYER}.npy"
        content = bytearray(file.read_bytes())
        content[-7] ^= 1
        file.write_bytes(bytes(content[:-3]))
        with Project.open(files / "new.prism") as project:
            assert unfinished_imports(project) == (LAYER,)
            assert continue_import(project, LAYER).n_imported == N % 8
        assert bits(files / "new.prism") == expected

    def test_continuing_needs_the_same_file_wherever_it_is(self, files):
        project, plan = new_project(files)
        with project:
            with pytest.raises(Cancelled):
                import_activations(project, plan, task=StopAfter(2))
            moved = shutil.move(files / "acts.npy", files / "moved.npy")
            with pytest.raises(ActivationImportError, match=r"acts\.npy cannot be read"):
                continue_import(project, LAYER)
            np.save(files / "acts.npy", ACTIVATIONS + 1)
            with pytest.raises(ActivationImportError, match="not the file any more"):
                continue_import(project, LAYER)
            assert project.layer(LAYER).n_done == 16
            continue_import(project, LAYER, file=Path(moved))
            np.testing.assert_array_equal(project.activations(LAYER), ACTIVATIONS)
            assert project.layer(LAYER).origin.file == "moved.npy"

    def test_a_file_that_changes_meanwhile_is_believed_in_no_row(self, files, monkeypatch):
        project, plan = new_project(files)
        read = ActivationRows.read

        def changing(rows, start, stop):
            if start == 16:
                other = ACTIVATIONS.copy()
                other[40] += 1
                np.save(files / "acts.npy", other)
            return read(rows, start, stop)

        monkeypatch.setattr(ActivationRows, "read", changing)
        with project:
            with pytest.raises(ActivationImportError, match="was changed while it was imported"):
                import_activations(project, plan)
            assert project.layer(LAYER).n_done == 0

    def test_a_full_disk_is_said_and_the_import_goes_on_after(self, files, monkeypatch):
        project, plan = new_project(files)
        with project:
            monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
            with pytest.raises(ExtractionError, match="free some space"):
                import_activations(project, plan)
            monkeypatch.undo()
            assert import_activations(project, plan).n_imported == N


class Noting(ActivationRows):
    """Notes which rows are read."""

    def __init__(self, read, *arguments):
        self.noted = read
        super().__init__(*arguments)

    def read(self, start, stop):
        self.noted.append((start, stop))
        return super().read(start, stop)


class TestIntoAProject:
    @pytest.fixture
    def project(self, files):
        with make_project(files / "own", n_classes=4, per_class=N // 4, block_rows=8) as project:
            add_layer(project, ACTIVATIONS[:, :3] + 1, "extracted")
            yield project

    @pytest.fixture
    def own(self, project, files):
        (files / "own.txt").write_text("\n".join(project.image_paths), encoding="utf-8")
        return request(files, image_list=files / "own.txt", images=None)

    def test_a_layer_is_added_and_the_others_stay(self, project, own):
        import_activations(project, plan_import(own, project))
        np.testing.assert_array_equal(project.activations(LAYER), ACTIVATIONS)
        np.testing.assert_array_equal(project.activations("extracted"), ACTIVATIONS[:, :3] + 1)
        assert project.weights_sha256 == BINDING.weights_sha256
        assert not project.layer(LAYER).binding.has_network

    def test_other_images_are_refused_with_the_first_difference(self, project, own, files):
        lines = list(project.image_paths)
        lines[7] = "elsewhere.png"
        (files / "own.txt").write_text("\n".join(lines), encoding="utf-8")
        with pytest.raises(ActivationImportError, match=r"row 7 is “elsewhere\.png” there and “class"):
            plan_import(own, project)
        with pytest.raises(ActivationImportError, match="project's images are in"):
            plan_import(request(files, image_list=files / "own.txt", images=files), project)

    def test_the_name_of_an_extracted_layer_is_taken(self, project, own, files):
        taken = request(files, image_list=own.image_list, images=None, layer="extracted")
        with pytest.raises(ActivationImportError, match="was extracted: give the imported one another name"):
            plan_import(taken, project)
        with pytest.raises(ActivationImportError, match="no import to continue"):
            continue_import(project, "extracted")

    def test_another_file_under_the_same_name_is_refused(self, project, own, files):
        import_activations(project, plan_import(own, project))
        assert import_activations(project, plan_import(own, project)).n_imported == 0
        np.save(files / "acts.npy", ACTIVATIONS * 2)
        with pytest.raises(ActivationImportError, match="was imported from other activations"):
            import_activations(project, plan_import(own, project))
        np.testing.assert_array_equal(project.activations(LAYER), ACTIVATIONS)

    def test_images_that_changed_do_not_touch_what_was_imported(self, project, own):
        import_activations(project, plan_import(own, project))
        project.recompute_images([3])
        assert not project.layer("extracted").complete
        assert project.layer(LAYER).complete
        assert project.neuron_index(LAYER).n_invalid == 0

    def test_extraction_leaves_it_alone(self, project, own):
        from backend.activations.extraction import extract
        from tests.backend.small_projects import network

        import_activations(project, plan_import(own, project))
        with pytest.raises(ExtractionError, match="was imported, so that it cannot be extracted"):
            extract(project, network(), [LAYER])


def test_a_project_without_a_network_says_so(files):
    imported(files)
    with Project.open(files / "new.prism", read_only=True) as project:
        with pytest.raises(ModelError, match="computed elsewhere"):
            load_model(project.model_source)
        assert project.summary().architecture == "imported"


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        ({"layer": " "}, "no name"),
        ({"layer": "x" * 300}, "1 to 200 characters"),
        ({"images": Path("/nowhere")}, "There is no folder"),
        ({"image_list": None}, "give a list of images"),
        ({"pooling": "mean"}, "nothing to pool"),
        ({"array": "a"}, "without a name"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_before_anything_is_written(files, options, pattern):
    with pytest.raises(ActivationImportError, match=pattern):
        plan_import(request(files, **options))


def test_more_or_fewer_rows_than_images_are_refused(files):
    for n in (N - 1, N + 1):
        np.save(files / "acts.npy", np.zeros((n, 3)))
        with pytest.raises(ActivationImportError, match=f"has {n} rows, but list.txt lists {N} images"):
            plan_import(request(files))


def test_a_folder_that_holds_none_of_the_images_is_refused(files):
    (files / "empty").mkdir()
    with pytest.raises(ActivationImportError, match="None of the images"):
        plan_import(request(files, images=files / "empty"))


def test_without_images_everything_but_pictures_works(files):
    imported(files, images=None)
    with Project.open(files / "new.prism") as project:
        assert project.images_root == files / "new.prism" / activation_import.IMAGES_FOLDER
        assert not project.images_root.exists()
        parameters = Parameters(top_n=20, distance_threshold=5.0, outlier_radius_squared=50.0)
        index = project.neuron_index(LAYER)
        analysis = analyse_neuron(LAYER, project.activations(LAYER), 2, parameters, index=index)
        assert len(analysis.disentanglement.top.images) == 20
        project.relocate_images(files / "images")
        assert project.image_path(0).is_file()


def test_the_list_may_be_in_the_file_of_the_activations(files):
    paths = (files / "list.txt").read_text(encoding="utf-8").splitlines()
    np.savez(files / "acts.npz", a=ACTIVATIONS, paths=np.array(paths))
    imported(files, activations=files / "acts.npz", image_list=None)
    with Project.open(files / "new.prism", read_only=True) as project:
        assert list(project.image_paths) == paths
        assert project.layer(LAYER).origin.image_list == "acts.npz"


def test_damaged_origin_is_noticed_on_opening(files):
    imported(files)
    with Project.open(files / "new.prism") as project, project._database.transaction() as connection:
        connection.execute("UPDATE layers SET origin = '{\"file\": 1}'")
    with pytest.raises(Exception, match=r"layers\.origin"):
        Project.open(files / "new.prism")


def test_memory_does_not_grow_with_the_file(files, monkeypatch):
    """What is read at once depends on the size of a row alone."""
    largest = 0
    read = ActivationRows.read

    def noting(rows, start, stop):
        nonlocal largest
        values = read(rows, start, stop)
        largest = max(largest, values.nbytes)
        return values

    monkeypatch.setattr(ActivationRows, "read", noting)
    imported(files)
    assert largest == 8 * D * 4


def test_an_image_that_changed_after_an_import_is_read_as_it_is_by_an_extraction(tmp_path):
    with make_project(tmp_path, block_rows=4) as project:
        np.save(tmp_path / "acts.npy", ACTIVATIONS[:12])
        (tmp_path / "list.txt").write_text("\n".join(project.image_paths), encoding="utf-8")
        import_activations(project, plan_import(request(tmp_path, images=None), project))
        Image.new("RGB", (16, 16), "red").save(project.image_path(5))
        extract(project, network(), ["early"])
        assert project.skipped_images() == ()
        assert np.isfinite(project.activations("early")).all()
