"""Extraction against a plain loop, and what it does when anything goes wrong."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from backend.activations import inference
from backend.activations.extraction import ExtractionProgress, extract
from backend.errors import ExtractionError, ModelError, ProjectError
from backend.images import find_images
from backend.project import Project
from backend.task import Cancelled
from tests.backend.small_projects import make_project, network

TWO_LAYERS = ["early", "late"]


@pytest.fixture(scope="module")
def loaded():
    return network()


@pytest.fixture
def project(tmp_path):
    """44 images in blocks of 8."""
    with make_project(tmp_path, n_classes=4, per_class=11, block_rows=8) as project:
        yield project


def plain_loop(project, loaded, layer):
    """Compute the activations one image at a time, by hand."""
    mean, std = (np.array(getattr(loaded.preprocessing, name), np.float32) for name in ("mean", "std"))
    stages = {"early": [loaded.module.early], "late": [loaded.module.early, loaded.module.late]}[layer]
    rows = []
    for path in project.image_paths:
        pixels = np.asarray(Image.open(project.images_root / path).convert("RGB"), np.float32) / 255
        values = torch.from_numpy(((pixels - mean) / std).transpose(2, 0, 1)[None].copy())
        for stage in stages:
            values = stage(values)
        rows.append(values.mean(dim=(2, 3)).numpy()[0])
    return np.stack(rows)


class Watcher:
    """A task that notes what it is told, and may stop the work."""

    def __init__(self, stop_after=None):
        self.told, self.results, self.stop_after, self.asked = [], [], stop_after, 0

    def progress(self, done, total, message=""):
        self.told.append((done, total, message))

    def partial(self, result):
        self.results.append(result)

    def check_cancelled(self):
        self.asked += 1
        if self.stop_after is not None and self.asked > self.stop_after:
            raise Cancelled


def bits(project):
    """Every byte of the project's activations and indices."""
    return {path.name: path.read_bytes() for path in (project.path / "activations").iterdir()}


@pytest.fixture
def undisturbed(tmp_path_factory, loaded):
    """What the files hold after an extraction of the same images that nothing happened to."""
    with make_project(tmp_path_factory.mktemp("other"), n_classes=4, per_class=11, block_rows=8) as project:
        extract(project, loaded, TWO_LAYERS)
        return bits(project)


class TestValues:
    def test_they_are_those_of_a_plain_loop(self, project, loaded):
        result = extract(project, loaded, TWO_LAYERS)
        assert (result.layers, result.n_images, result.n_computed) == (("early", "late"), 44, 44)
        assert (result.n_skipped, result.images_per_second > 0) == (0, True)
        for layer in TWO_LAYERS:
            expected = plain_loop(project, loaded, layer)
            np.testing.assert_allclose(project.activations(layer), expected, rtol=1e-4, atol=1e-6)
            assert project.activations(layer).dtype == np.float32

    def test_the_index_and_statistics_are_those_of_the_stored_rows(self, project, loaded):
        extract(project, loaded, ["late"])
        activations = np.array(project.activations("late"))
        index = project.neuron_index("late")
        for neuron in range(10):
            assert (
                index.top(neuron, 20).images.tolist()
                == np.argsort(-activations[:, neuron], kind="stable")[:20].tolist()
            )
        np.testing.assert_allclose(index.statistics.mean, activations.mean(axis=0), rtol=1e-6)

    def test_the_number_of_workers_changes_nothing(self, project, loaded, tmp_path, undisturbed):
        extract(project, loaded, TWO_LAYERS, n_workers=5)
        assert bits(project) == undisturbed

    def test_the_model_stays_as_it_is_and_so_do_torchs_threads(self, project, loaded):
        before = {name: tensor.clone() for name, tensor in loaded.module.state_dict().items()}
        threads = torch.get_num_threads()
        extract(project, loaded, ["late"])
        assert torch.get_num_threads() == threads
        assert all(torch.equal(before[name], tensor) for name, tensor in loaded.module.state_dict().items())

    def test_grey_images_and_a_flat_folder(self, tmp_path):
        from torch import nn

        from backend.networks.loaded_model import LoadedModel
        from backend.networks.model_source import ModelSource, Preprocessing

        preprocessing = Preprocessing(8, 8, (0.5,), (0.5,), channels=1)
        module = nn.Sequential(nn.Conv2d(1, 2, 1)).eval().requires_grad_(False)
        with make_project(tmp_path, n_classes=0, per_class=5) as project:
            extract(project, LoadedModel(module, preprocessing, "00", ModelSource("x")), ["0"])
            assert project.activations("0").shape == (5, 2)
            assert np.isfinite(project.activations("0")).all()

    def test_a_model_that_cannot_be_copied_is_run_one_worker_at_a_time(self, project, undisturbed):
        loaded = network()
        loaded.module.handle = Path(os.devnull).open()  # noqa: SIM115  (an open file cannot be copied)
        extract(project, loaded, TWO_LAYERS)
        for layer in TWO_LAYERS:
            expected = plain_loop(project, loaded, layer)
            np.testing.assert_allclose(project.activations(layer), expected, rtol=1e-4, atol=1e-6)
        loaded.module.handle.close()

    def test_a_layer_is_pooled_as_was_planned_when_the_project_was_made(self, tmp_path, loaded):
        with make_project(tmp_path / "planned", layers=TWO_LAYERS, poolings={"late": "max"}) as project:
            extract(project, loaded)
            assert {record.name: record.binding.pooling for record in project.layers} == {
                "early": "mean",
                "late": "max",
            }
            peaks = np.array(project.activations("late"))
        with make_project(tmp_path / "given", layers=["late"], poolings={"late": "max"}) as project:
            extract(project, loaded, pooling={"late": "mean"})
            means = np.array(project.activations("late"))
        assert (peaks >= means).all()
        assert not np.allclose(peaks, means)

    def test_a_layer_may_be_pooled_otherwise_and_stays_so(self, project, loaded):
        with pytest.raises(Cancelled):
            extract(project, loaded, ["late"], pooling={"late": "max"}, task=Watcher(8))
        with pytest.raises(ProjectError, match=r"another pooling \(max, not mean\)"):
            extract(project, loaded, ["late"], pooling={"late": "mean"})
        extract(project, loaded, ["late", "head.2"])
        assert project.layer("late").binding.pooling == "max"
        assert project.layer("head.2").binding.pooling == "none"
        pixels = np.asarray(Image.open(project.image_path(7)).convert("RGB"), np.float32) / 255
        values = (pixels - np.float32(loaded.preprocessing.mean)) / np.float32(loaded.preprocessing.std)
        values = loaded.module.early(torch.from_numpy(values.transpose(2, 0, 1)[None].astype(np.float32)))
        expected = loaded.module.late(values).amax(dim=(2, 3)).numpy()[0]
        np.testing.assert_allclose(project.activations("late")[7], expected, rtol=1e-4, atol=1e-6)

    def test_pages_of_a_file_are_images_of_their_own(self, tmp_path, loaded):
        folder = tmp_path / "images"
        folder.mkdir()
        pages = [Image.new("RGB", (16, 16), colour) for colour in ("red", "green", "blue")]
        pages[0].save(folder / "stack.tif", save_all=True, append_images=pages[1:])
        for number, page in enumerate(pages):
            page.save(folder / f"{number}.png")
        images = find_images(folder)
        with Project.create(tmp_path / "p.prism", loaded.source, images) as project:
            extract(project, loaded, ["late"])
            assert project.image_paths[3:] == tuple(f"stack.tif#page={n}" for n in (1, 2, 3))
            np.testing.assert_array_equal(project.activations("late")[3:], project.activations("late")[:3])
            assert project.changed_images() == ()
            os.utime(folder / "stack.tif", ns=(1, 1))
            assert project.changed_images() == (3, 4, 5)


class TestProgress:
    def test_images_speed_and_time_left_are_told(self, project, loaded, monkeypatch):
        monkeypatch.setattr("backend.activations.extraction_progress._SECONDS_BETWEEN_REPORTS", 0.0)
        watcher = Watcher()
        extract(project, loaded, TWO_LAYERS, task=watcher)
        counted = [done for done, total, message in watcher.told if "images/s" in message and total == 44]
        assert counted == sorted(counted)
        assert counted[-1] == 44
        assert watcher.told[-1][2].startswith("Extracting early, late: ")
        assert watcher.told[-1][2].endswith("images/s, 0 s left")
        last = watcher.results[-1]
        assert isinstance(last, ExtractionProgress)
        assert (last.n_done, last.n_images, last.n_skipped, last.seconds_left) == (44, 44, 0, 0)

    @pytest.mark.parametrize(
        ("seconds", "words"), [(0.4, "0 s"), (59.4, "59 s"), (125, "2 min 05 s"), (7800, "2 h 10 min")]
    )
    def test_durations(self, seconds, words):
        from backend.activations.extraction_progress import duration

        assert duration(seconds) == words


class TestContinuing:
    def test_killed_at_every_step_it_ends_with_the_same_bytes(self, project, undisturbed):
        project.close()
        done = subprocess.run(
            [sys.executable, "-m", "tests.backend.activations.killed_extraction", project.path],
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        children = [json.loads(line) for line in done.stdout.splitlines()]
        assert sum(child["killed"] for child in children) >= 15
        # Each child reads nothing that was on record, and what a kill costs is the block at work and the few
        # batches that were decoded ahead.
        for child, after in itertools.pairwise(children):
            read = len(child["read"])
            recorded = after["recorded"].get("late", 0) - child["recorded"].get("late", 0)
            assert read <= recorded + project.block_rows + 4 * 8
        with Project.open(project.path) as again:
            assert bits(again) == undisturbed

    def test_a_cancelled_extraction_goes_on(self, project, loaded, undisturbed):
        computed = 0
        for stop_after in (0, 5, 9, 14):
            with pytest.raises(Cancelled):
                extract(project, loaded, TWO_LAYERS, task=Watcher(stop_after))
            for record in project.layers:
                assert record.n_done % 8 == 0
                assert not record.complete
        n_done = project.layer("late").n_done
        computed = extract(project, loaded, TWO_LAYERS).n_computed
        assert 0 < n_done == 44 - computed
        assert bits(project) == undisturbed

    def test_a_complete_layer_is_not_computed_again(self, project, loaded, monkeypatch):
        extract(project, loaded, TWO_LAYERS)
        monkeypatch.setattr("backend.activations.extraction_pass.Inference", None)
        result = extract(project, loaded, TWO_LAYERS)
        assert (result.n_computed, result.images_per_second) == (0, 0.0)

    def test_a_layer_is_added_later_without_touching_the_others(
        self, project, loaded, undisturbed, monkeypatch
    ):
        extract(project, loaded, ["late"])
        before = (project.path / "activations" / "late.npy").stat().st_mtime_ns
        layers_read = set()
        original = inference.LayerReader

        def noting(module, layers, *options):
            layers_read.update(layers)
            return original(module, layers, *options)

        monkeypatch.setattr(inference, "LayerReader", noting)
        extract(project, loaded, TWO_LAYERS)
        assert layers_read == {"early"}
        assert (project.path / "activations" / "late.npy").stat().st_mtime_ns == before
        for layer in TWO_LAYERS:
            np.testing.assert_allclose(
                project.activations(layer), plain_loop(project, loaded, layer), rtol=1e-4, atol=1e-6
            )

    def test_layers_at_different_stages_end_in_one_pass(self, project, loaded, undisturbed):
        with pytest.raises(Cancelled):
            extract(project, loaded, ["late"], task=Watcher(8))
        assert 0 < project.layer("late").n_done < 44
        result = extract(project, loaded, TWO_LAYERS)
        assert result.n_computed == 44
        assert bits(project) == undisturbed

    def test_without_names_the_planned_and_the_begun_layers_are_extracted(self, tmp_path, loaded):
        with make_project(tmp_path, layers=["early"]) as project:
            extract(project, loaded, ["late"])
            assert extract(project, loaded).layers == ("early", "late")
        with (
            make_project(tmp_path / "none") as bare,
            pytest.raises(ExtractionError, match="No layer is named"),
        ):
            extract(bare, loaded)

    @pytest.mark.parametrize("damage", ["torn block", "truncated", "missing", "header"])
    def test_damaged_rows_are_never_believed(self, project, loaded, undisturbed, damage):
        with pytest.raises(Cancelled):
            extract(project, loaded, TWO_LAYERS, task=Watcher(9))
        assert project.layer("late").n_done >= 16
        file = project.layer("late").file
        data = bytearray(file.read_bytes())
        if damage == "torn block":
            data[128 + 8 * 40 + 100] ^= 1  # one bit in the second block
        elif damage == "truncated":
            del data[-1000:]
        elif damage == "header":
            data[60:70] = b"          "
        file.write_bytes(data)
        if damage == "missing":
            file.unlink()
        project.close()
        with Project.open(project.path) as again:
            extract(again, loaded, TWO_LAYERS)
            assert bits(again) == undisturbed

    def test_a_complete_layer_whose_file_is_lost_is_extracted_again(self, project, loaded, undisturbed):
        extract(project, loaded, TWO_LAYERS)
        project.layer("late").file.unlink()
        with pytest.raises(ProjectError, match="missing: extract the layer again"):
            project.activations("late")
        assert extract(project, loaded, TWO_LAYERS).n_computed == 44
        assert bits(project) == undisturbed

    def test_a_project_recovered_from_an_old_backup_goes_on(self, project, loaded, undisturbed):
        project.close()
        old = (project.path / "project.sqlite.backup").read_bytes()
        with Project.open(project.path) as again:
            extract(again, loaded, TWO_LAYERS)
        (project.path / "project.sqlite").write_bytes(b"")
        (project.path / "project.sqlite.backup").write_bytes(old)
        with Project.open(project.path, recover=True) as recovered:
            assert recovered.layers == ()
            extract(recovered, loaded, TWO_LAYERS)
            assert bits(recovered) == undisturbed


class TestImages:
    def test_broken_images_are_skipped_with_the_reason_and_the_run_goes_on(self, project, loaded):
        broken = {3: b"", 17: b"\x89PNG broken", 40: project.image_path(40).read_bytes()[:200]}
        for row, data in broken.items():
            project.image_path(row).write_bytes(data)
        project.image_path(41).unlink()
        result = extract(project, loaded, TWO_LAYERS)
        assert result.n_skipped == 4
        skipped = {image.row: image for image in project.skipped_images()}
        assert sorted(skipped) == [3, 17, 40, 41]
        assert skipped[3].path == project.image_paths[3]
        assert "empty" in skipped[3].reason
        assert "no longer there" in skipped[41].reason
        for layer in TWO_LAYERS:
            valid = np.isfinite(project.activations(layer)).all(axis=1)
            assert np.flatnonzero(~valid).tolist() == [3, 17, 40, 41]
            assert np.isnan(project.activations(layer)[3]).all()
            assert project.neuron_index(layer).n_invalid == 4
        assert project.summary().n_skipped == 4

    def test_an_image_that_was_skipped_stays_so_in_layers_added_later(self, project, loaded):
        good = project.image_path(5).read_bytes()
        project.image_path(5).write_bytes(b"broken")
        extract(project, loaded, ["late"])
        project.image_path(5).write_bytes(good)
        extract(project, loaded, ["early"])
        assert np.isnan(project.activations("early")[5]).all()
        assert [image.row for image in project.skipped_images()] == [5]

    def test_images_can_be_read_again(self, project, loaded, undisturbed):
        good = project.image_path(5).read_bytes()
        project.image_path(5).write_bytes(b"broken")
        extract(project, loaded, TWO_LAYERS)
        project.image_path(5).write_bytes(good)
        assert project.changed_images() == (5,)
        project.recompute_images([5])
        assert project.layer("late").n_done == 36
        assert extract(project, loaded, TWO_LAYERS).n_computed == 8
        assert project.skipped_images() == ()
        assert project.changed_images() == ()
        assert bits(project) == undisturbed

    def test_an_image_changed_before_it_was_first_read_is_simply_read(self, project, loaded):
        Image.new("RGB", (30, 20), "red").save(project.image_path(6))
        assert project.changed_images() == (6,)
        extract(project, loaded, ["late"])
        assert project.changed_images() == ()
        assert project.skipped_images() == ()

    def test_an_image_changed_between_two_layers_is_never_mixed(self, project, loaded):
        extract(project, loaded, ["late"])
        Image.new("RGB", (30, 20), "red").save(project.image_path(6))
        extract(project, loaded, ["early"])
        assert np.isnan(project.activations("early")[6]).all()
        assert np.isfinite(project.activations("late")).all()
        assert "was changed after it was first read" in project.skipped_images()[0].reason

    @pytest.mark.parametrize("layers", [["late"], ["early", "head.2"]])
    def test_an_image_that_could_not_be_reached_is_read_when_it_can_be(
        self, project, loaded, undisturbed, layers
    ):
        file = project.image_path(6)
        away = file.rename(project.path / "away.png")
        extract(project, loaded, TWO_LAYERS)
        assert [image.row for image in project.skipped_images()] == [6]
        assert extract(project, loaded, ["late"]).n_computed == 0
        away.rename(file)
        extract(project, loaded, layers)
        assert project.skipped_images() == ()
        assert {name: data for name, data in bits(project).items() if "head" not in name} == undisturbed

    def test_a_copy_of_the_images_goes_on_with_them(self, project, loaded, undisturbed):
        extract(project, loaded, ["late"])
        for row in range(project.n_images):
            os.utime(project.image_path(row), ns=(row, row))
        extract(project, loaded, TWO_LAYERS)
        assert project.skipped_images() == project.changed_images() == ()
        assert bits(project) == undisturbed

    def test_other_images_of_the_same_size_in_bytes_are_refused(self, tmp_path, loaded):
        folder = tmp_path / "images"
        folder.mkdir()
        noise = np.random.default_rng(0).integers(0, 256, (2, 20, 16, 16, 3), np.uint8)
        for number, pixels in enumerate(noise[0]):
            Image.fromarray(pixels).save(folder / f"{number}.bmp")
        with Project.create(tmp_path / "p.prism", loaded.source, find_images(folder)) as project:
            extract(project, loaded, ["late"])
            for number, pixels in enumerate(noise[1]):
                Image.fromarray(pixels).save(folder / f"{number}.bmp")
            with pytest.raises(ExtractionError, match="20 of 20 have another content or date"):
                extract(project, loaded, ["early"])
            assert [record.name for record in project.layers] == ["late"]

    def test_many_images_of_other_sizes_are_refused_before_anything_is_computed(self, project, loaded):
        extract(project, loaded, ["late"])
        for row in range(5):
            Image.new("RGB", (30, 20), "red").save(project.image_path(row))
        with pytest.raises(ExtractionError, match=r"5 of 44 have another size .* Nothing was computed"):
            extract(project, loaded, ["early"])
        assert [record.name for record in project.layers] == ["late"]

    def test_an_image_whose_only_rows_were_torn_is_read_as_it_is_now(self, project, loaded):
        extract(project, loaded, ["late"])
        project.extracted_layers.forget_blocks("late", [40])
        file = project.layer("late").file
        data = bytearray(file.read_bytes())
        data[128 + 10 * 4] ^= 1  # in the first block
        file.write_bytes(data)
        Image.new("RGB", (30, 20), "red").save(project.image_path(6))
        assert extract(project, loaded, ["late"]).n_computed == 12
        assert project.skipped_images() == ()

    def test_a_vanished_folder_stops_the_run_and_skips_nothing(
        self, project, loaded, undisturbed, monkeypatch
    ):
        root, away = project.images_root, project.images_root.with_name("away")
        read = inference.preprocess_image

        def unplug(path, preprocessing):
            if path == project.image_path(30) and root.exists():
                root.rename(away)
            return read(path, preprocessing)

        monkeypatch.setattr(inference, "preprocess_image", unplug)
        with pytest.raises(ExtractionError, match=r"cannot be read: connect its drive.*is kept"):
            extract(project, loaded, TWO_LAYERS, n_workers=1)
        assert project.skipped_images() == ()
        assert project.layer("late").n_done in (8, 16, 24)
        monkeypatch.undo()
        with pytest.raises(ExtractionError, match="cannot be read"):
            extract(project, loaded, TWO_LAYERS)
        away.rename(root)
        extract(project, loaded, TWO_LAYERS)
        assert bits(project) == undisturbed

    def test_an_empty_mount_point_is_a_vanished_folder_too(self, project, loaded):
        shutil.rmtree(project.images_root)
        project.images_root.mkdir()
        with pytest.raises(ExtractionError, match="cannot be read"):
            extract(project, loaded, ["late"])
        assert project.layers == ()

    def test_outputs_that_are_not_finite_are_skipped(self, project):
        loaded = network()
        Image.new("RGB", (16, 16), "white").save(project.image_path(9))
        loaded.module.late[0].weight[:] = 0.0
        loaded.module.late[0].bias[:] = 1.0
        original = loaded.module.late.forward

        def overflowing(values):
            values = original(values)
            # An image of one colour has a feature map of one value.
            flat = values.new_tensor([bool(v) for v in is_white])[: len(values), None, None, None]
            return torch.where(flat > 0, values * np.inf, values)

        is_white = []
        early = loaded.module.early.forward

        def noting(pixels):
            is_white[:] = [float(image.std()) < 0.3 for image in pixels]
            return early(pixels)

        loaded.module.early.forward, loaded.module.late.forward = noting, overflowing
        loaded.module.handle = Path(os.devnull).open()  # noqa: SIM115  (one worker at a time)
        extract(project, loaded, ["late"])
        loaded.module.handle.close()
        assert [image.row for image in project.skipped_images()] == [9]
        assert "not finite" in project.skipped_images()[0].reason
        assert np.isnan(project.activations("late")[9]).all()


class TestRefusals:
    def test_another_model_is_refused(self, project, loaded):
        extract(project, loaded, ["late"])
        with pytest.raises(ProjectError, match="belongs to another model: its weights"):
            extract(project, network(seed=1), ["early"])
        other = replace(loaded, preprocessing=replace(loaded.preprocessing, mean=(0.0, 0.0, 0.0)))
        with pytest.raises(ProjectError, match=r"preprocessing \(mean"):
            extract(project, other, ["late"])
        assert [record.name for record in project.layers] == ["late"]

    def test_a_layer_that_does_not_exist_leaves_the_project_as_it_was(self, project, loaded):
        with pytest.raises(ModelError, match="no layer 'lat'"):
            extract(project, loaded, ["lat"])
        assert project.layers == ()
        assert project.weights_sha256 is None
        assert not (project.path / "activations").exists()

    def test_a_read_only_project_is_refused(self, project, loaded):
        project.close()
        with (
            Project.open(project.path, read_only=True) as reader,
            pytest.raises(ProjectError, match="read-only"),
        ):
            extract(reader, loaded, ["late"])

    def test_too_little_space_is_said_before_starting(self, project, loaded, monkeypatch):
        usage = shutil.disk_usage(project.path)
        monkeypatch.setattr(
            "backend.activations.store.shutil.disk_usage", lambda _: usage._replace(free=1000)
        )
        with pytest.raises(ExtractionError, match="free some space"):
            extract(project, loaded, ["late"])

    @pytest.mark.parametrize("failing", [1, 3, 4])
    def test_a_full_disk_stops_with_a_sentence_and_goes_on_later(
        self, project, loaded, undisturbed, monkeypatch, failing
    ):
        calls = 0
        real = os.fsync

        def full(file):
            nonlocal calls
            calls += 1
            if calls > failing:
                raise OSError(28, "No space left on device")
            real(file)

        monkeypatch.setattr("backend.activations.store.os.fsync", full)
        with pytest.raises(ExtractionError, match=r"the disk is full\. What was extracted so far is kept"):
            extract(project, loaded, TWO_LAYERS)
        monkeypatch.undo()
        extract(project, loaded, TWO_LAYERS)
        assert bits(project) == undisturbed
