"""Which device is chosen, and reading on one: the same values as the processor's own way of reading."""

import threading

import numpy as np
import pytest
import torch

from backend.activations import devices, inference
from backend.activations.device_reader import DeviceReader
from backend.activations.devices import AvailableDevices, choose_device, reproducible_arithmetic
from backend.activations.inference import BatchOfImages, Inference
from backend.errors import ExtractionError, ModelError
from backend.images import find_images
from backend.models import prepare_for_inference
from tests.backend.small_projects import PREPROCESSING, network, write_images

TWO_LAYERS = ("early", "late")


@pytest.fixture
def every_device_computes(monkeypatch):
    monkeypatch.setattr(devices, "_computes", lambda name: True)


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (7, 16, 16, 3), np.uint8)


class TestChoice:
    @pytest.mark.parametrize(
        ("wanted", "local_rank", "n_cuda", "mps", "chosen"),
        [
            ("auto", 0, 0, False, "cpu"),
            ("auto", 0, 0, True, "mps"),
            ("auto", 0, 2, False, "cuda:0"),
            ("auto", 1, 2, False, "cuda:1"),
            ("cuda", 1, 2, False, "cuda:1"),
            # As srun's --gpus-per-task has it: each process sees a single device, whatever its number.
            ("cuda", 3, 1, False, "cuda:0"),
            ("auto", 5, 4, False, "cuda:1"),
            ("cuda:1", 0, 2, False, "cuda:1"),
            ("cpu", 1, 2, True, "cpu"),
            ("mps", 0, 0, True, "mps"),
        ],
    )
    @pytest.mark.usefixtures("every_device_computes")
    def test_it_is_what_was_asked_for_or_the_best_there_is(self, wanted, local_rank, n_cuda, mps, chosen):
        assert choose_device(wanted, local_rank, AvailableDevices(n_cuda, mps)) == torch.device(chosen)

    @pytest.mark.parametrize(
        ("wanted", "available", "says"),
        [
            ("cuda", AvailableDevices(0, mps=True), "no device 'cuda'.* but mps, cpu"),
            ("cuda:2", AvailableDevices(2), "no device 'cuda:2'.* but cuda:0, cuda:1, cpu"),
            ("mps", AvailableDevices(), "no device 'mps'.* but cpu"),
            ("gpu", AvailableDevices(1), "no device 'gpu': choose auto, cpu, cuda, cuda:N or mps"),
            ("cuda:-1", AvailableDevices(1), "choose auto"),
        ],
    )
    def test_a_device_that_is_not_there_is_said_with_those_that_are(self, wanted, available, says):
        with pytest.raises(ExtractionError, match=says):
            choose_device(wanted, 0, available)

    def test_one_that_is_found_but_cannot_compute_is_left_alone(self):
        # This build of torch has no CUDA, as an old driver has none.
        if torch.cuda.is_available():
            assert devices._computes("cuda:0")
        else:
            assert choose_device("auto", 0, AvailableDevices(n_cuda=1)) == torch.device("cpu")

    def test_float32_stays_float32_and_settings_come_back(self):
        cudnn = torch.backends.cudnn
        before = (cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic)
        matmul_before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("medium")
        try:
            with reproducible_arithmetic(torch.device("cuda")):
                assert (cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic) == (False, False, True)
                assert torch.get_float32_matmul_precision() == "highest"
            assert torch.get_float32_matmul_precision() == "medium"
        finally:
            torch.set_float32_matmul_precision(matmul_before)
        assert (cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic) == before


class TestReading:
    """The processor stands in for a device: what differs there is where tensors are, not what is done."""

    def test_values_are_those_of_the_plain_network(self, pixels):
        loaded = network()
        module = prepare_for_inference(loaded, TWO_LAYERS)
        reader = DeviceReader(module, None, torch.device("cpu"), PREPROCESSING)
        found = reader.read(TWO_LAYERS, pixels)
        mean, std = (np.array(getattr(PREPROCESSING, name), np.float32) for name in ("mean", "std"))
        batch = torch.from_numpy((pixels.astype(np.float32) / 255 - mean) / std).permute(0, 3, 1, 2)
        early = loaded.module.early(batch)
        late = loaded.module.late(early)
        for layer, expected in (("early", early), ("late", late)):
            assert found[layer].dtype == np.float32
            np.testing.assert_allclose(found[layer], expected.mean(dim=(2, 3)), rtol=1e-4, atol=1e-6)

    def test_threads_share_one_copy_and_run_it_one_at_a_time(self, pixels):
        module = prepare_for_inference(network(), TWO_LAYERS)
        running, most = 0, 0

        def enter(*_):
            nonlocal running, most
            running += 1
            most = max(most, running)

        def leave(*_):
            nonlocal running
            running -= 1

        module.early.register_forward_pre_hook(enter)
        module.late.register_forward_hook(leave)
        reader = DeviceReader(module, None, torch.device("cpu"), PREPROCESSING)
        expected = reader.read(TWO_LAYERS, pixels)
        results = []
        threads = [
            threading.Thread(target=lambda: results.append(reader.read(TWO_LAYERS, pixels))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert most == 1
        assert len(results) == 8
        for result in results:
            assert result["late"].tobytes() == expected["late"].tobytes()

    def test_inference_on_a_device_gives_what_it_gives_on_the_processor(self, tmp_path, monkeypatch):
        found = find_images(write_images(tmp_path / "images", per_class=20))
        paths = [found.root / path for path in found.paths]
        batches = [BatchOfImages(range(first, first + 10), TWO_LAYERS) for first in range(0, 60, 10)]
        paths[13].write_bytes(b"broken")
        loaded = network()
        before = {name: tensor.data_ptr() for name, tensor in loaded.module.state_dict().items()}
        expected = list(
            Inference(loaded, TWO_LAYERS, n_workers=2, device=torch.device("cpu")).read(
                batches, paths.__getitem__
            )
        )

        class OnTheProcessor(DeviceReader):
            def __init__(self, module, pooling, device, *settings):
                assert device == torch.device("cuda:0")
                super().__init__(module, pooling, torch.device("cpu"), *settings)

        monkeypatch.setattr(inference, "DeviceReader", OnTheProcessor)
        on_device = Inference(loaded, TWO_LAYERS, n_workers=3, device=torch.device("cuda:0"))
        results = list(on_device.read(batches, paths.__getitem__))
        assert [result.batch.rows for result in results] == [batch.rows for batch in batches]
        assert [sorted(result.failures) for result in results] == [[], [13], [], [], [], []]
        for result, other in zip(results, expected, strict=True):
            for layer in TWO_LAYERS:
                assert result.activations[layer].tobytes() == other.activations[layer].tobytes()
        assert {name: tensor.data_ptr() for name, tensor in loaded.module.state_dict().items()} == before

    def test_a_device_that_cannot_take_the_model_is_said_so(self):
        module = prepare_for_inference(network(), TWO_LAYERS)
        if torch.cuda.is_available():
            pytest.fail("choose another device for this test: this machine has CUDA")
        with pytest.raises(ModelError, match=r"cannot be put on the device xpu.*--device cpu"):
            DeviceReader(module, None, torch.device("xpu"), PREPROCESSING)

    def test_what_fails_on_a_device_names_the_way_out(self, pixels):
        # A meta tensor has no values: reading the result fails as a device does that breaks down.
        module = prepare_for_inference(network(), TWO_LAYERS)
        reader = DeviceReader(module, None, torch.device("meta"), PREPROCESSING)
        with pytest.raises(ModelError, match=r"meta.*--device cpu"):
            reader.read(TWO_LAYERS, pixels)

    def test_a_model_that_cannot_be_copied_stays_where_it_is(self, tmp_path):
        loaded = network()
        loaded.module.handle = (tmp_path / "file").open("w")  # an open file cannot be copied
        running = Inference(loaded, TWO_LAYERS, device=torch.device("meta"))
        loaded.module.handle.close()
        assert running.device == torch.device("cpu")
        assert all(tensor.device.type == "cpu" for tensor in loaded.module.parameters())
