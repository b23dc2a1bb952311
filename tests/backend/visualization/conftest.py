import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """Toy networks are faster without threads that wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
