"""What the command line understands, with its help."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from app.commands.import_options import IMPORT_EXAMPLES, add_import_options
from backend.exchange.repeat_command import PARAMETER_OPTIONS
from backend.exchange.software_versions import software_versions
from backend.image_files.grey_scaling import GREY_SCALINGS
from backend.method.parameters import KMEANS_STARTS, LINKAGE_METHODS, METRICS, PRESETS, Parameters
from backend.networks.model_source import POOLINGS, PRECISIONS, Pooling

SUGGESTED_PRESET = "suggested"

# Far more neurons than any layer has, and few enough to list.
_MOST_NUMBERS = 1_000_000

_DESCRIPTION = """\
Split polysemantic neurons of a vision network into the concepts they respond to.

Without a command the window opens.
"""

_EXAMPLES = """\
examples:
  neuronprism                                  open the window
  neuronprism demo                             open the window on the demo project
  neuronprism layers mobilenet_v2              which layers can be read
  neuronprism extract birds.prism --images photos --model mobilenet_v2 --layers features.18
  neuronprism analyse birds.prism --layer features.18 --neuron 35
  neuronprism export birds.prism --out results

exit status: 0 done, 1 an error (one sentence says which), 2 wrong usage, 130 interrupted
"""

_EXTRACT_EXAMPLES = """\
examples:
  neuronprism extract birds.prism --images photos --model mobilenet_v2 --layers features.18
  neuronprism extract scans.prism --images scans --model net.py:make --weights net.pth \\
      --layers encoder.3,encoder.4 --size 320
  neuronprism extract birds.prism              continue after an interruption
  neuronprism extract birds.prism --layers features.14     one more layer
  neuronprism extract birds.prism --recompute-changed      after images or the network changed
  neuronprism extract vit.prism --images photos --model vit_b_16 --layers encoder.layers.encoder_layer_11 \\
      --pooling encoder.layers.encoder_layer_11=token_mean
  neuronprism extract birds.prism --images photos --model inception_v3 --layers Mixed_7b --precision fast
  torchrun --nproc-per-node 4 -m app extract birds.prism     continue with four processes

An image that cannot be read is skipped and listed by `neuronprism info`.
"""

_ANALYSE_EXAMPLES = """\
examples:
  neuronprism analyse birds.prism --layer features.18 --neuron 35
  neuronprism analyse birds.prism --layer features.18 --neuron 35 --d-max 70 --outlier-radius 900
  neuronprism analyse birds.prism --layer Mixed_7b --neuron 35 --preset published --json neuron35.json
  neuronprism analyse birds.prism --layer features.18 --neuron 35 --json - | jq .n_clusters

Without a preset the parameters are those that were chosen for the layer in the window, or else those that
are suggested for its scale; every option changes one of them. If --top, --linkage or --metric differ from
what the suggestion was measured with, it is measured again.
"""

_EXPORT_EXAMPLES = """\
examples:
  neuronprism export birds.prism --out results
  neuronprism export birds.prism --out results --layer features.18 --neurons 35,16,100-119
  neuronprism export birds.prism --out results --no-report --max-projecting 25

The folder gets concept_vectors.LAYER.safetensors and .npz, named_concepts.LAYER.safetensors and .npz (if any
were named), members.csv, max_projecting.csv and report.html.
"""

_INFO_EXAMPLES = """\
examples:
  neuronprism info birds.prism
  neuronprism info birds.prism --json | jq .layers
  neuronprism info birds.prism --recover       go back to the backup of a damaged project
"""

_LAYERS_EXAMPLES = """\
examples:
  neuronprism layers mobilenet_v2
  neuronprism layers net.py:make --weights net.pth --size 320

Each line: layer, type, output, neurons, and the poolings where there is a choice, the default first.
"""

_DEMO_EXAMPLES = """\
examples:
  neuronprism demo                             in the window
  neuronprism demo --report demo-report        without one: its figures and neurons as files

The demo's answer is planted: its pictures are drawn, and its small network was trained to hold more concepts
than it has neurons. It checks the tool, not the method.
"""

Run = Callable[[argparse.Namespace], int]


def build_parser(commands: dict[str, Run]) -> argparse.ArgumentParser:
    """Return the parser; ``arguments.run`` is then the function of the chosen command.

    Parameters
    ----------
    commands
        The function of each command by its name.
    """
    parser = argparse.ArgumentParser(
        prog="neuronprism",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = software_versions().get("neuron-prism", "(not installed)")
    parser.add_argument("--version", action="version", version=f"neuron-prism {version}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    builders: dict[str, tuple[Callable[[argparse.ArgumentParser], None], str, str]] = {
        "demo": (_add_demo, "open the demo, or write its report", _DEMO_EXAMPLES),
        "layers": (_add_layers, "list the layers of a network", _LAYERS_EXAMPLES),
        "extract": (_add_extract, "create a project or continue it", _EXTRACT_EXAMPLES),
        "import": (_add_import, "take over activations that were computed elsewhere", IMPORT_EXAMPLES),
        "analyse": (_add_analyse, "split one neuron into concepts", _ANALYSE_EXAMPLES),
        "export": (_add_export, "write vectors, tables and a report", _EXPORT_EXAMPLES),
        "info": (_add_info, "say what is in a project", _INFO_EXAMPLES),
    }
    for name, (add_options, summary, examples) in builders.items():
        subparser = subparsers.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_options(subparser)
        subparser.add_argument("--quiet", action="store_true", help="show no progress bars")
        subparser.set_defaults(run=commands[name], parser=subparser)
    return parser


def whole_numbers(text: str) -> tuple[int, ...]:
    """Read ``35,16,100-119`` as whole numbers in this order."""
    numbers: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        try:
            start, stop = int(first), int(last if dash else first)
        except ValueError:
            raise argparse.ArgumentTypeError(f"'{part}' is neither a number nor a range like 3-7") from None
        if stop < start:
            raise argparse.ArgumentTypeError(f"'{part}' is no range: write {stop}-{start}")
        if len(numbers) + stop - start >= _MOST_NUMBERS:
            raise argparse.ArgumentTypeError(f"'{part}' makes more than {_MOST_NUMBERS:,} numbers")
        numbers |= dict.fromkeys(range(start, stop + 1))
    return tuple(numbers)


def names(text: str) -> tuple[str, ...]:
    """Read ``L1,L2`` as names."""
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found:
        raise argparse.ArgumentTypeError("at least one name is needed")
    return found


def layer_pooling(text: str) -> tuple[str, Pooling]:
    """Read ``LAYER=POOLING``."""
    layer, equals, name = text.rpartition("=")
    pooling = next((one for one in POOLINGS if one == name.strip()), None)
    if not equals or not layer.strip() or pooling is None:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not LAYER=POOLING; a pooling is one of {', '.join(POOLINGS)}"
        )
    return layer.strip(), pooling


def given_parameters(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters of the method that were given as options."""
    return {
        name: getattr(arguments, name)
        for name in PARAMETER_OPTIONS
        if getattr(arguments, name, None) is not None
    }


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1")
    return number


def _add_project(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="PROJECT", type=Path, help="the project's folder, NAME.prism")


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights", metavar="FILE", help="a .pth or .safetensors file (default: the published weights)"
    )
    parser.add_argument(
        "--size", metavar="PIXELS", type=_positive, help="input size (default: the model's own)"
    )
    parser.add_argument(
        "--yes-run-code",
        action="store_true",
        help="run the Python file of --model without asking; it can do anything that you can",
    )


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--report", metavar="DIR", type=Path, help="write the report there; no window")


def _add_layers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a torchvision name, FILE.py:CALLABLE, or demo")
    _add_model_options(parser)
    parser.add_argument("--all", action="store_true", help="list also what cannot be read, with the reason")


def _add_extract(parser: argparse.ArgumentParser) -> None:
    _add_project(parser)
    parser.add_argument(
        "--images", metavar="DIR", type=Path, help="folder of images, one folder a class or flat"
    )
    parser.add_argument("--model", metavar="MODEL", help="a torchvision name, FILE.py:CALLABLE, or demo")
    _add_model_options(parser)
    parser.add_argument("--layers", metavar="L1,L2", type=names, help="layers to extract (see `layers`)")
    parser.add_argument(
        "--pooling",
        metavar="LAYER=POOLING",
        type=layer_pooling,
        action="append",
        default=[],
        help=f"how a layer's output becomes one value for each neuron: {', '.join(POOLINGS)}; may be given "
        "for several layers (default: mean over space, class token or mean of a transformer's tokens)",
    )
    parser.add_argument(
        "--grey-scaling",
        choices=GREY_SCALINGS,
        help="how grey values of more than eight bits become eight: 16-bit values ÷ 256, ÷ 16, or each image "
        "from its minimum to its maximum (default: the model's own rule, mostly full_range)",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        help="of the network's arithmetic; fast: convolutions and linear layers in bfloat16, after measuring "
        "on a sample of the images what that changes (default: as the layer was begun, else float32)",
    )
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        default="auto",
        help="where the network runs: cpu, cuda, cuda:1 (any number), mps (default: auto, a CUDA or MPS "
        "device if there is one)",
    )
    parser.add_argument(
        "--recompute-changed",
        action="store_true",
        help="compute again what no longer belongs to the images and the network: changed images, or "
        "everything if the network is another",
    )
    parser.add_argument(
        "--check-content",
        action="store_true",
        help="read every image and compare its content, instead of size and date, with what was read before; "
        "put contents on record that are not yet",
    )
    parser.add_argument("--per-class", metavar="N", type=_positive, help="at most N images of each class")
    parser.add_argument("--seed", metavar="N", type=int, help="of the choice of images (default: 0)")
    parser.add_argument(
        "--recover", action="store_true", help="go back to the backup if the project's file is damaged"
    )


def _add_import(parser: argparse.ArgumentParser) -> None:
    _add_project(parser)
    add_import_options(parser)
    _add_model_options(parser)


def _add_parameter_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "parameters of the method",
        "An option that is left out has the preset's value; without a preset that which was chosen for the "
        "layer in the window, or else its default.",
    )
    group.add_argument(
        "--preset",
        choices=(*PRESETS, SUGGESTED_PRESET),
        help="published: as in the paper; suggested: for this layer's scale (default: none)",
    )
    helps: dict[str, tuple[type, str, Sequence[str] | None]] = {
        "top_n": (int, "number of top images", None),
        "distance_threshold": (float, "distance threshold d_max, in units of merge height", None),
        "outlier_radius_squared": (float, "squared outlier radius; inf for none", None),
        "min_cluster_size": (int, "fewest images of a cluster that is kept", None),
        "linkage": (str, "of the clustering", LINKAGE_METHODS),
        "metric": (str, "of the clustering", METRICS),
        "kmeans_start": (str, "where k-means starts", KMEANS_STARTS),
        "kmeans_restarts": (int, "random starts of k-means", None),
        "kmeans_max_iter": (int, "most iterations of k-means", None),
        "seed": (int, "of random starts", None),
    }
    defaults = Parameters().to_dict() | dict.fromkeys(
        ("distance_threshold", "outlier_radius_squared"), "suggested for the layer"
    )
    for name, (kind, text, choices) in helps.items():
        metavar = None if choices else ("N" if kind is int else "X")
        group.add_argument(
            PARAMETER_OPTIONS[name],
            dest=name,
            type=kind,
            help=f"{text} (default: {defaults[name]})",
            choices=choices,
            metavar=metavar,
        )


def _add_analyse(parser: argparse.ArgumentParser) -> None:
    _add_project(parser)
    parser.add_argument("--layer", metavar="L", required=True, help="name of an extracted layer")
    parser.add_argument("--neuron", metavar="N", type=int, required=True, help="channel, from 0")
    _add_parameter_options(parser)
    parser.add_argument(
        "--max-projecting", metavar="N", type=_positive, default=100, help="of each direction (default: 100)"
    )
    parser.add_argument(
        "--no-adjustments",
        action="store_true",
        help="the method alone, without what was adjusted by hand in this neuron (default: as adjusted)",
    )
    parser.add_argument(
        "--json",
        metavar="FILE",
        help="write the analysis as JSON; - is standard output, with nothing else on it "
        "(default: a summary on standard output)",
    )


def _add_export(parser: argparse.ArgumentParser) -> None:
    _add_project(parser)
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for the files")
    parser.add_argument("--layer", metavar="L", help="one layer (default: all complete ones)")
    parser.add_argument("--neurons", metavar="35,16,100-119", type=whole_numbers, help="default: all")
    _add_parameter_options(parser)
    parser.add_argument(
        "--max-projecting",
        metavar="N",
        type=_positive,
        default=100,
        help="rows for each direction (default: 100)",
    )
    parser.add_argument("--no-report", action="store_true", help="leave out report.html (default: write it)")
    parser.add_argument(
        "--report-neurons",
        metavar="N",
        type=_positive,
        default=24,
        help="most neurons in the report: named ones, then those with most concepts (default: 24)",
    )


def _add_info(parser: argparse.ArgumentParser) -> None:
    _add_project(parser)
    parser.add_argument("--json", action="store_true", help="as JSON, with every skipped image")
    parser.add_argument(
        "--check-content",
        action="store_true",
        help="read every image whose content is on record, to find those that changed (default: compare size "
        "and date)",
    )
    parser.add_argument(
        "--recover", action="store_true", help="go back to the backup if the project's file is damaged"
    )
