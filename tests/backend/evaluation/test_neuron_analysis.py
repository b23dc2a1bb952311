import numpy as np

from backend.evaluation.neuron_analysis import analyse_neuron
from backend.method.parameters import Parameters
from backend.neuron_index_builder import NeuronIndexBuilder
from tests.backend.realistic_activations import realistic_activations

PARAMETERS = Parameters(distance_threshold=20.0, outlier_radius_squared=40.0)


def test_max_projecting_images_are_those_of_the_whole_dataset() -> None:
    activations = realistic_activations(900, 64)
    analysis = analyse_neuron("layer", activations, 7, PARAMETERS, n_max_projecting=25)
    concepts = analysis.disentanglement.concepts
    assert len(concepts) == len(analysis.concept_max) == len(analysis.similarities) > 0
    for concept, everywhere, held_out in zip(
        concepts, analysis.concept_max, analysis.concept_max_held_out, strict=True
    ):
        values = activations.astype(np.float64) @ concept.vector
        order = np.argsort(-values)
        np.testing.assert_array_equal(everywhere.images, order[:25])
        np.testing.assert_allclose(everywhere.projections, values[order[:25]], rtol=1e-5)
        members = analysis.disentanglement.member_rows(concept)
        np.testing.assert_array_equal(held_out.images, order[~np.isin(order, members)][:25])
        for row in {*everywhere.images.tolist(), *held_out.images.tolist()}:
            assert analysis.neuron_activations[row] == activations[row, 7]
    np.testing.assert_array_equal(
        analysis.neuron_max.images, np.argsort(-activations[:, 7], kind="stable")[:25]
    )


def test_the_neuron_index_gives_the_same_answer() -> None:
    activations = realistic_activations(700, 32)
    builder = NeuronIndexBuilder(32, 200)
    builder.update(0, activations[:300])
    builder.update(300, activations[300:])
    index = builder.finish()
    for neuron in range(6):
        plain = analyse_neuron("layer", activations, neuron, PARAMETERS)
        indexed = analyse_neuron("layer", activations, neuron, PARAMETERS, index=index)
        np.testing.assert_array_equal(plain.disentanglement.labels, indexed.disentanglement.labels)
        np.testing.assert_array_equal(plain.neuron_max.images, indexed.neuron_max.images)
        for ours, theirs in zip(plain.similarities, indexed.similarities, strict=True):
            np.testing.assert_allclose(ours.centred_cosine, theirs.centred_cosine, atol=1e-5)


def test_more_max_projecting_images_than_the_index_holds() -> None:
    activations = realistic_activations(300, 16)
    builder = NeuronIndexBuilder(16, 100)
    builder.update(0, activations)
    analysis = analyse_neuron(
        "layer", activations, 3, PARAMETERS, index=builder.finish(), n_max_projecting=150
    )
    order = np.argsort(-activations[:, 3], kind="stable")
    np.testing.assert_array_equal(analysis.neuron_max.images, order[:150])


def test_a_dead_neuron_has_no_concepts_to_evaluate() -> None:
    activations = realistic_activations(200, 8)
    activations[:, 2] = 0
    analysis = analyse_neuron("layer", activations, 2, PARAMETERS)
    assert analysis.disentanglement.status == "dead"
    assert analysis.concept_max == analysis.concept_max_held_out == analysis.similarities == ()
