"""Naming and noting concepts with real keys: nothing typed is lost, nothing is sent twice."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from widgets.concepts.concept_list import ConceptEntry, ConceptList
from widgets.concepts.concept_row_delegate import NameEditor

APPLES = ConceptEntry(0, 42, "apples", "red", QColor("#1646ad"), "A", "mean cosine 0.82 (random 0.58)", "why")
PITCHES = ConceptEntry(3, 10, "", "", QColor("#c42a0c"), "B", "mean cosine 0.74 (random 0.58)")
NETS = ConceptEntry(4, 7, "nets", "", QColor("#0a7d66"), "C")


class Heard:
    """What a concept list sent, in order."""

    def __init__(self, concepts: ConceptList) -> None:
        self.names: list[tuple[int, str]] = []
        self.notes: list[tuple[int, str]] = []
        self.chosen: list[int] = []
        concepts.name_edited.connect(lambda cluster, text: self.names.append((cluster, text)))
        concepts.notes_edited.connect(lambda cluster, text: self.notes.append((cluster, text)))
        concepts.concept_selected.connect(self.chosen.append)


@pytest.fixture
def concepts(qtbot: QtBot) -> ConceptList:
    holder = QWidget()
    concepts = ConceptList()
    QVBoxLayout(holder).addWidget(concepts)
    qtbot.addWidget(holder)
    holder.resize(300, 500)
    concepts.set_concepts([APPLES, PITCHES, NETS], 31, (4, 3))
    with qtbot.waitExposed(holder):
        holder.show()
    holder.activateWindow()
    concepts.holder = holder  # type: ignore[attr-defined]
    return concepts


@pytest.fixture
def heard(concepts: ConceptList) -> Heard:
    return Heard(concepts)


def _click(concepts: ConceptList, row: int, *, double: bool = False) -> None:
    place = concepts.view.visualRect(concepts.model.index(row)).center()
    viewport = concepts.view.viewport()
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=place)
    if double:
        QTest.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=place)


def _editor(concepts: ConceptList) -> NameEditor:
    editor = concepts.view.findChild(NameEditor)
    assert editor is not None
    return editor


def _begin_naming(concepts: ConceptList, cluster: int) -> NameEditor:
    concepts.select_concept(cluster)
    concepts.view.setFocus()
    QTest.keyClick(concepts.view, Qt.Key.Key_F2)
    return _editor(concepts)


def test_rows_are_concepts_then_outliers_and_dropped(concepts: ConceptList) -> None:
    rows = [concepts.model.index(row) for row in range(concepts.model.rowCount())]
    assert [index.data() for index in rows] == ["apples", "", "nets", "outliers", "dropped"]
    assert [index.data(concepts.model.SizeRole) for index in rows] == [42, 10, 7, 31, 7]
    assert concepts.model.explanation(-2) == "2 clusters with too few images"
    assert "4, 3" in rows[4].data(Qt.ItemDataRole.ToolTipRole)
    spoken = rows[1].data(Qt.ItemDataRole.AccessibleTextRole)
    assert "Concept B, not named, 10 images" in spoken
    assert "why" in rows[0].data(Qt.ItemDataRole.ToolTipRole)


def test_the_dropped_row_names_the_minimum(concepts: ConceptList) -> None:
    concepts.set_concepts([], 100, (0,), 5)
    assert concepts.model.explanation(-2) == "1 cluster with fewer than 5 images"


def test_no_outliers_no_row(concepts: ConceptList) -> None:
    concepts.set_concepts([APPLES], 0, ())
    assert concepts.model.rowCount() == 1
    assert concepts.model.rowCount(concepts.model.index(0)) == 0
    assert concepts.model.data(QModelIndex()) is None


def test_a_click_chooses(concepts: ConceptList, heard: Heard) -> None:
    for row in (1, 3, 4):
        _click(concepts, row)
    assert heard.chosen == [3, -1, -2]
    assert concepts.selected_concept() == -2
    assert not concepts.notes_editor.isEnabled()


def test_the_focus_alone_chooses_nothing(concepts: ConceptList, heard: Heard) -> None:
    concepts.view.setFocus()
    assert concepts.selected_concept() is None
    assert heard.chosen == []
    QTest.keyClick(concepts.view, Qt.Key.Key_Down)
    assert len(heard.chosen) == 1


def test_choosing_from_outside_is_silent(concepts: ConceptList, heard: Heard) -> None:
    concepts.select_concept(4)
    assert concepts.selected_concept() == 4
    concepts.select_concept(99)
    assert concepts.selected_concept() is None
    assert heard.chosen == []


def test_a_name_is_sent_while_it_is_typed(concepts: ConceptList, heard: Heard, qtbot: QtBot) -> None:
    editor = _begin_naming(concepts, 3)
    QTest.keyClicks(editor, "pitches")
    assert heard.names == []
    qtbot.waitUntil(lambda: bool(heard.names), timeout=2000)
    assert heard.names == [(3, "pitches")]
    QTest.keyClicks(editor, "!")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: heard.names[-1] == (3, "pitches!"), timeout=2000)
    assert len(heard.names) == 2
    assert concepts.notes_title.text() == "Notes on pitches!"


def test_the_answer_of_the_project_does_not_disturb_who_types(concepts: ConceptList, heard: Heard) -> None:
    editor = _begin_naming(concepts, 3)
    QTest.keyClicks(editor, "pit")
    concepts.flush()
    assert heard.names == [(3, "pit")]
    QTest.keyClicks(editor, "ch")
    concepts.update_text(3, "pit", "")
    concepts.set_concepts([APPLES, replace(PITCHES, name="pit"), NETS], 30, (4, 3))
    assert _editor(concepts) is editor
    assert editor.text() == "pitch"
    QTest.keyClicks(editor, "es")
    concepts.flush()
    assert heard.names[-1] == (3, "pitches")


def test_escape_takes_back_what_was_typed(concepts: ConceptList, heard: Heard, qtbot: QtBot) -> None:
    editor = _begin_naming(concepts, 0)
    editor.selectAll()
    QTest.keyClicks(editor, "pears")
    concepts.flush()
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: heard.names[-1:] == [(0, "apples")], timeout=2000)
    assert concepts.model.index(0).data() == "apples"


def test_another_neuron_sends_what_was_typed_first(concepts: ConceptList, heard: Heard) -> None:
    QTest.keyClicks(_begin_naming(concepts, 3), "pitches")
    other = replace(APPLES, cluster=0, name="coral")
    concepts.set_concepts([other], 0, ())
    assert heard.names == [(3, "pitches")]
    assert concepts.model.index(0).data() == "coral"


def test_a_message_instead_of_the_list_sends_what_was_typed(concepts: ConceptList, heard: Heard) -> None:
    concepts.select_concept(0)
    concepts.notes_editor.setFocus()
    QTest.keyClicks(concepts.notes_editor, "Very ")
    concepts.set_message("Neuron 7 is dead", "No image activates it.")
    assert heard.notes == [(0, "Very red")]
    assert concepts.empty_state.isVisible()
    assert concepts.empty_state.title() == "Neuron 7 is dead"


def test_double_click_and_enter_begin_naming(concepts: ConceptList, heard: Heard) -> None:
    _click(concepts, 0, double=True)
    editor = _editor(concepts)
    assert editor.text() == "apples"
    QTest.keyClick(editor, Qt.Key.Key_Return)
    assert heard.names == []
    concepts.select_concept(4)
    concepts.view.setFocus()
    QTest.keyClick(concepts.view, Qt.Key.Key_Return)
    assert any(e.cluster == 4 for e in concepts.view.findChildren(NameEditor))


def test_outliers_cannot_be_named(concepts: ConceptList) -> None:
    concepts.select_concept(-1)
    concepts.view.setFocus()
    QTest.keyClick(concepts.view, Qt.Key.Key_F2)
    assert concepts.view.findChild(NameEditor) is None


def test_notes_are_sent_when_the_focus_leaves(concepts: ConceptList, heard: Heard) -> None:
    concepts.select_concept(4)
    concepts.notes_editor.setFocus()
    QTest.keyClicks(concepts.notes_editor, "goals")
    assert heard.notes == []
    QTest.keyClick(concepts.notes_editor, Qt.Key.Key_Tab)
    concepts.view.setFocus()
    assert heard.notes == [(4, "goals")]


def test_notes_go_to_the_concept_they_were_written_for(concepts: ConceptList, heard: Heard) -> None:
    concepts.select_concept(0)
    concepts.notes_editor.setFocus()
    QTest.keyClicks(concepts.notes_editor, "x")
    _click(concepts, 2)
    assert heard.notes == [(0, "xred")]
    assert concepts.notes_editor.toPlainText() == ""
    _click(concepts, 0)
    assert concepts.notes_editor.toPlainText() == "xred"
    concepts.flush()
    assert heard.notes == [(0, "xred")]


def test_undo_elsewhere_shows_without_a_signal(concepts: ConceptList, heard: Heard) -> None:
    concepts.select_concept(0)
    concepts.update_text(0, "pears", "green")
    concepts.flush()
    assert concepts.model.index(0).data() == "pears"
    assert concepts.notes_editor.toPlainText() == "green"
    assert concepts.notes_title.text() == "Notes on pears"
    assert heard.names == heard.notes == []
    concepts.update_text(77, "nobody", "")


def test_the_choice_survives_another_list_that_has_it(concepts: ConceptList, heard: Heard) -> None:
    concepts.select_concept(4)
    concepts.set_concepts([APPLES, NETS], 3, ())
    assert concepts.selected_concept() == 4
    concepts.set_concepts([APPLES], 3, ())
    assert concepts.selected_concept() is None
    assert heard.chosen == []


@pytest.mark.parametrize("row", [3, 4])
def test_outliers_and_dropped_clusters_are_not_named(concepts: ConceptList, qtlog: object, row: int) -> None:
    _click(concepts, row)
    QTest.keyClick(concepts.view, Qt.Key.Key_Return)
    assert concepts.view.state() != QAbstractItemView.State.EditingState
    messages = [record.message for record in qtlog.records]  # type: ignore[attr-defined]
    assert not [message for message in messages if "edit" in message]
