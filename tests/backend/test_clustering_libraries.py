"""Several threads that want SciPy and scikit-learn first: one of them imports, the others wait."""

import subprocess
import sys

PROGRAM = """
import sys, threading
from importlib.abc import MetaPathFinder
from backend.clustering_libraries import load_clustering_libraries

class Importers(MetaPathFinder):
    def __init__(self):
        self.threads = set()

    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in ("scipy", "sklearn"):
            self.threads.add(threading.get_ident())
            begun.set()

begun, errors, importers = threading.Event(), [], Importers()
sys.meta_path.insert(0, importers)

def want(module, after):
    after.wait()
    try:
        load_clustering_libraries()
        __import__(module)
    except Exception as error:
        errors.append(repr(error))

at_once = threading.Event()
at_once.set()
modules = {"sklearn.cluster": at_once, "scipy.cluster.hierarchy": begun, "scipy.spatial.distance": begun}
threads = [threading.Thread(target=want, args=item) for item in modules.items()]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not errors, errors
assert importers.threads == {threads[0].ident}
"""


def test_no_thread_imports_in_the_middle_of_another_ones_import():
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
