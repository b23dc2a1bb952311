"""The tree of layers: nested by dots, checked with real clicks, filtered, with reasons."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QStyleOptionViewItem, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from backend.networks.model_source import LayerInfo
from widgets.new_project.layer_tree import LayerTree

LAYERS = (
    LayerInfo("conv1", "Conv2d", (64, 112, 112), 64, True),
    LayerInfo("layer1.0.conv1", "Conv2d", (64, 56, 56), 64, True),
    LayerInfo("layer1.0", "BasicBlock", (64, 56, 56), 64, True),
    LayerInfo("layer1.0.relu", "ReLU", (64, 56, 56), 64, True),
    LayerInfo("layer1.0.relu_1", "ReLU", (64, 56, 56), 64, True),
    LayerInfo("fc", "Linear", (1000,), None, False, "Its output has no channel axis."),
    LayerInfo("unused", "Conv2d", None, None, False, "It did not run."),
)


@pytest.fixture
def tree(qtbot: QtBot) -> LayerTree:
    tree = LayerTree()
    qtbot.addWidget(tree)
    tree.resize(420, 400)
    tree.set_layers(LAYERS)
    with qtbot.waitExposed(tree):
        tree.show()
    return tree


def _click_check_box(tree: LayerTree, item: QTreeWidgetItem) -> None:
    rect = tree.tree.visualItemRect(item)
    QTest.mouseClick(
        tree.tree.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(rect.x() + 9, rect.center().y())
    )


def _visible(tree: LayerTree) -> set[str]:
    return {
        name
        for name, item in tree._items.items()
        if not item.isHidden() and not tree.tree.visualItemRect(item).isEmpty()
    }


def test_names_nest_by_their_dots(tree: LayerTree) -> None:
    top = [tree.tree.topLevelItem(i).text(0) for i in range(tree.tree.topLevelItemCount())]  # type: ignore[union-attr]
    assert top == ["conv1", "layer1", "fc", "unused"]
    block = tree._items["layer1.0"]
    assert [block.child(i).text(0) for i in range(block.childCount())] == ["conv1", "relu", "relu_1"]
    assert block.text(2) == "64 × 56 × 56"
    assert tree._items["unused"].text(2) == "–"


def test_a_click_checks_several_in_the_networks_order(tree: LayerTree) -> None:
    chosen: list[tuple[str, ...]] = []
    tree.selection_changed.connect(chosen.append)
    _click_check_box(tree, tree._items["layer1.0"])
    _click_check_box(tree, tree._items["conv1"])
    _click_check_box(tree, tree._items["layer1.0.conv1"])
    assert chosen[-1] == ("conv1", "layer1.0.conv1", "layer1.0")
    assert "conv1, layer1.0.conv1, layer1.0" in tree.count_label.text()
    _click_check_box(tree, tree._items["conv1"])
    assert tree.checked_layers() == ("layer1.0.conv1", "layer1.0")


def test_the_space_bar_checks(tree: LayerTree) -> None:
    tree.tree.setCurrentItem(tree._items["conv1"])
    QTest.keyClick(tree.tree, Qt.Key.Key_Space)
    assert tree.checked_layers() == ("conv1",)


def test_what_cannot_be_analysed_has_no_box_and_says_why(tree: LayerTree) -> None:
    item = tree._items["fc"]
    _click_check_box(tree, item)
    assert tree.checked_layers() == ()
    assert item.data(0, Qt.ItemDataRole.CheckStateRole) is None
    assert "no channel axis" in item.toolTip(2)
    assert "64 neurons" in tree._items["conv1"].toolTip(0)


def test_checking_from_outside_is_silent_and_skips_what_is_not_there(tree: LayerTree, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(tree.selection_changed):
        tree.set_checked_layers(["layer1.0.relu", "fc", "no.such.layer"])
    assert tree.checked_layers() == ("layer1.0.relu",)


def test_the_filter_looks_at_names_and_types(tree: LayerTree) -> None:
    QTest.keyClicks(tree.filter_edit, "relu")
    assert _visible(tree) == {"layer1.0", "layer1.0.relu", "layer1.0.relu_1"}
    tree.filter_edit.clear()
    QTest.keyClicks(tree.filter_edit, "LINEAR")
    assert _visible(tree) == {"fc"}
    tree.filter_edit.clear()
    assert _visible(tree) == set(tree._items)


def test_a_filter_hides_nothing_from_the_choice(tree: LayerTree) -> None:
    tree.set_checked_layers(["conv1"])
    QTest.keyClicks(tree.filter_edit, "relu")
    assert tree.checked_layers() == ("conv1",)


def test_without_a_network(tree: LayerTree) -> None:
    tree.set_layers(())
    assert tree.empty_state.isVisible()
    assert not tree.filter_edit.isEnabled()
    assert tree.checked_layers() == ()


def test_a_large_network_starts_folded(qtbot: QtBot) -> None:
    tree = LayerTree()
    qtbot.addWidget(tree)
    tree.set_layers(
        [LayerInfo(f"block{i}.conv{j}", "Conv2d", (8, 4, 4), 8, True) for i in range(20) for j in range(10)]
    )
    assert tree.tree.topLevelItemCount() == 20
    assert not tree.tree.topLevelItem(0).isExpanded()  # type: ignore[union-attr]
    tree.set_checked_layers(["block19.conv3"])
    assert tree._items["block19.conv3"].parent().isExpanded()  # type: ignore[union-attr]


def test_what_only_leads_to_a_match_is_out_of_reach(tree: LayerTree) -> None:
    block, match = tree._items["layer1.0"], tree._items["layer1.0.relu"]
    QTest.keyClicks(tree.filter_edit, "relu")
    assert tree.tree.currentItem() is match
    _click_check_box(tree, block)
    assert tree.checked_layers() == ()
    assert not block.flags() & Qt.ItemFlag.ItemIsSelectable
    _click_check_box(tree, match)
    assert tree.checked_layers() == ("layer1.0.relu",)
    tree.filter_edit.clear()
    _click_check_box(tree, block)
    assert tree.checked_layers() == ("layer1.0", "layer1.0.relu")


def test_what_only_leads_to_a_match_is_dim_and_has_no_box(tree: LayerTree) -> None:
    def option_of(name: str) -> QStyleOptionViewItem:
        index = tree.tree.indexFromItem(tree._items[name])
        option = QStyleOptionViewItem()
        option.palette = tree.palette()
        tree.tree.itemDelegate().initStyleOption(option, index)
        return option

    box = QStyleOptionViewItem.ViewItemFeature.HasCheckIndicator
    assert option_of("layer1.0").features & box
    QTest.keyClicks(tree.filter_edit, "relu")
    block, match = option_of("layer1.0"), option_of("layer1.0.relu")
    assert not block.features & box
    assert match.features & box
    assert block.palette.color(QPalette.ColorRole.Text) != match.palette.color(QPalette.ColorRole.Text)


MAPS = ("mean", "max")
TOKENS = ("class_token", "token_mean", "max")
POOLED = (
    LayerInfo("blocks.0", "Block", (197, 192), 192, True, poolings=TOKENS),
    LayerInfo("blocks.1", "Block", (14, 14, 192), 192, True, poolings=MAPS),
    LayerInfo("head", "Linear", (1000,), 1000, True, poolings=("none",)),
)


@pytest.fixture
def pooled(tree: LayerTree) -> LayerTree:
    tree.set_layers(POOLED)
    return tree


def test_a_checked_layer_has_a_box_for_its_pooling_where_there_is_a_choice(pooled: LayerTree) -> None:
    assert [pooled.pooling_box(layer.name) for layer in POOLED] == [None] * 3
    for layer in POOLED:
        _click_check_box(pooled, pooled._items[layer.name])
    box = pooled.pooling_box("blocks.0")
    assert box is not None
    assert box.isVisible()
    assert [box.itemText(row) for row in range(3)] == ["class token", "mean of tokens", "max over tokens"]
    assert pooled.pooling_box("head") is None
    assert pooled.poolings() == {"blocks.0": "class_token", "blocks.1": "mean"}
    for one in ("class token: ", "mean of tokens: ", "max over tokens: "):
        assert one in box.toolTip()
    assert box.accessibleName() == "Pooling of blocks.0"
    _click_check_box(pooled, pooled._items["blocks.0"])
    assert pooled.pooling_box("blocks.0") is None
    assert pooled.poolings() == {"blocks.1": "mean"}


def test_the_keyboard_reaches_the_boxes_and_chooses(pooled: LayerTree, qtbot: QtBot) -> None:
    pooled.set_checked_layers(["blocks.0", "blocks.1"])
    pooled.activateWindow()
    pooled.tree.setFocus()
    QTest.keyClick(pooled.tree, Qt.Key.Key_Tab)
    first, second = pooled.pooling_box("blocks.0"), pooled.pooling_box("blocks.1")
    assert first is not None
    assert second is not None
    assert first.hasFocus()
    with qtbot.waitSignal(pooled.poolings_changed):
        QTest.keyClick(first, Qt.Key.Key_Down)
    QTest.keyClick(first, Qt.Key.Key_Tab)
    assert second.hasFocus()
    QTest.keyClick(second, Qt.Key.Key_Down)
    assert pooled.poolings() == {"blocks.0": "token_mean", "blocks.1": "max"}


def test_a_pooling_stays_with_its_layer(pooled: LayerTree) -> None:
    pooled.set_checked_layers(["blocks.0", "blocks.1"])
    for name in ("blocks.0", "blocks.1"):
        box = pooled.pooling_box(name)
        assert box is not None
        QTest.keyClick(box, Qt.Key.Key_End)
    _click_check_box(pooled, pooled._items["blocks.0"])
    _click_check_box(pooled, pooled._items["blocks.0"])
    assert pooled.poolings() == {"blocks.0": "max", "blocks.1": "max"}
    pooled.set_message("Reading the network…")
    assert pooled.poolings() == {}
    pooled.set_layers(POOLED)
    assert pooled.poolings() == {"blocks.0": "max", "blocks.1": "max"}
    QTest.keyClick(pooled.pooling_box("blocks.0"), Qt.Key.Key_Up)
    # Another network's layer of this name offers no mean of tokens.
    pooled.set_layers([LayerInfo("blocks.0", "Conv2d", (8, 4, 4), 8, True, poolings=MAPS)])
    assert pooled.poolings() == {"blocks.0": "mean"}


def test_a_narrow_tree_leaves_the_types_out(pooled: LayerTree) -> None:
    pooled.resize(700, 400)
    assert not pooled.tree.isColumnHidden(1)
    pooled.resize(400, 400)
    assert pooled.tree.isColumnHidden(1)
    assert "Block" in pooled._items["blocks.0"].toolTip(0)
