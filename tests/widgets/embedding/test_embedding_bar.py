"""What can be chosen, by mouse and keys."""

import pytest
from PySide6.QtCore import Qt

from backend.evaluation.embedding_result import EmbeddingSettings
from widgets.embedding.embedding_bar import EmbeddingBar, EmbeddingChoice


@pytest.fixture
def bar(qtbot):
    embedding_bar = EmbeddingBar(1.25)
    qtbot.addWidget(embedding_bar)
    embedding_bar.show()
    embedding_bar.sent = []
    embedding_bar.choice_changed.connect(embedding_bar.sent.append)
    return embedding_bar


def type_number(qtbot, box, text):
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Return)


def test_each_control_changes_its_part_of_the_choice(bar, qtbot):
    type_number(qtbot, bar.seed_box, "7")
    type_number(qtbot, bar.neighbors_box, "25")
    qtbot.mouseClick(bar.left_out_box, Qt.MouseButton.LeftButton, pos=bar.left_out_box.rect().center())
    bar.method_box.setFocus()
    qtbot.keyClick(bar.method_box, Qt.Key.Key_Down)
    umap = EmbeddingChoice(seed=7, settings=EmbeddingSettings(n_neighbors=25))
    assert bar.sent == [
        EmbeddingChoice(seed=7),
        umap,
        EmbeddingChoice("umap", 7, umap.settings, left_out=False),
        EmbeddingChoice("tsne", 7, umap.settings, left_out=False),
    ]


def test_t_sne_has_a_perplexity_and_pca_neither_that_nor_a_seed(bar, qtbot):
    bar.set_choice(EmbeddingChoice("tsne"))
    assert bar.neighbors_label.text() == "Perplexity"
    assert bar.neighbors_box.value() == 30
    type_number(qtbot, bar.neighbors_box, "12")
    assert bar.choice().settings == EmbeddingSettings(perplexity=12.0)
    bar.set_choice(EmbeddingChoice("pca"))
    assert not bar.neighbors_box.isEnabled()
    assert not bar.seed_box.isEnabled()


def test_setting_a_choice_sends_nothing(bar):
    choice = EmbeddingChoice("tsne", 3, EmbeddingSettings(perplexity=8.0), left_out=False)
    bar.set_choice(choice)
    assert bar.choice() == choice
    assert bar.sent == []


def test_a_number_out_of_range_is_not_taken(bar, qtbot):
    type_number(qtbot, bar.neighbors_box, "1")
    assert bar.choice() == EmbeddingChoice()
    assert bar.sent == []
