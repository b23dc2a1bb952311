import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from backend.errors import ExportError
from backend.exchange.dendrogram_svg import dendrogram_svg
from backend.exchange.report import ReportSection, ReportTable, report_html, write_report
from backend.named_concepts import NamedConcept
from backend.task import Cancelled, SilentTask
from backend.visualization.visualization_result import FeatureVisualization, VisualizationSettings
from tests.app.planted_project import LAYER, TWO_CLUSTERS

EVIL = "<script>alert(\"x\")</script> & 'quoted'"
VOID = {"meta", "img", "br", "link"}


class Reader(HTMLParser):
    """Collects elements and checks that they nest."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.text = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    def of(self, tag, css=None):
        return [
            attributes
            for name, attributes in self.elements
            if name == tag and (css is None or css in attributes.get("class", "").split())
        ]


def mean_colour(image):
    return image.convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))


def name_concept(project, analysis, index, name, notes=""):
    result = analysis.disentanglement
    concept = result.concepts[index]
    rows = tuple(result.member_rows(concept).tolist())
    vector = concept.vector.astype(np.float32)
    named = NamedConcept(LAYER, result.neuron, name, notes, rows, vector, result.parameters)
    project.save_named_concept(named)


def test_the_file_needs_nothing_else(project, analysis, tmp_path):
    path = tmp_path / "report.html"
    write_report(path, project, [analysis])
    html = path.read_text(encoding="utf-8")
    reader = Reader(html)
    assert not re.search(r"""(src|href)=["'](?!#|data:)""", html)
    assert not re.search(r"url\((?!data:image/jpeg;base64,)", html)
    assert "http" not in html.replace("http-equiv", "")
    assert "@import" not in html
    assert reader.of("script") == []
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html
    assert str(tmp_path) not in html


def test_every_image_is_embedded_once_as_a_small_jpeg(project, analysis):
    html = report_html(project, [analysis, analysis])
    reader = Reader(html)
    shown = {attributes["class"].split()[1] for attributes in reader.of("span", "i")}
    rules = dict(re.findall(r"\.(i\d+)\{background-image:url\(data:image/jpeg;base64,([^)]*)\)\}", html))
    assert set(rules) == shown
    assert html.count("data:image/jpeg") == len(rules)
    for name, data in rules.items():
        image = Image.open(io.BytesIO(base64.b64decode(data)))
        assert image.size == (96, 96)
        original = Image.open(project.image_path(int(name[1:])))
        assert np.abs(np.subtract(mean_colour(original), mean_colour(image))).max() < 12
    assert len(html) < 400_000


def test_every_member_and_max_projecting_image_is_there(project, analysis):
    reader = Reader(report_html(project, [analysis]))
    titles = [attributes["title"] for attributes in reader.of("span", "i")]
    for concept, ranked in zip(analysis.disentanglement.concepts, analysis.concept_max, strict=True):
        for row in analysis.disentanglement.member_rows(concept):
            assert any(title.startswith(f"{project.image_paths[row]} · #") for title in titles)
        for row in ranked.images[:18]:
            assert any(title.startswith(f"{project.image_paths[row]} · projection") for title in titles)
    framed = [attributes for attributes in reader.of("span", "i") if "own" in attributes["class"].split()]
    assert len(framed) == 30  # both concepts' 15 members project most on their own vector


def test_user_text_is_shown_and_never_run(project, analysis):
    name_concept(project, analysis, 0, EVIL, f"notes {EVIL}")
    project.set_neuron_name(LAYER, 0, EVIL)
    table = ReportTable((EVIL, "n"), ((EVIL, "1"),), EVIL)
    section = ReportSection(EVIL, (EVIL,), (table,))
    html = report_html(
        project, [analysis, analysis], title=EVIL, introduction=(EVIL,), extra_sections=(section,)
    )
    reader = Reader(html)
    assert reader.of("script") == []
    assert "<script" not in html
    assert "".join(reader.text).count(EVIL) >= 10


def test_names_similarities_parameters_and_the_command_are_said(project, analysis):
    name_concept(project, analysis, 1, "green discs", "all the same")
    text = " ".join("".join(Reader(report_html(project, [analysis])).text).split())
    assert "green discs" in text
    assert "all the same" in text
    assert "2 concepts" in text
    similarity = analysis.similarities[0]
    assert f"{similarity.mean_cosine:.2f} random images {similarity.mean_cosine_null:.2f}" in text
    assert "d_max 12" in text
    assert "torch" in text
    command = f"neuronprism analyse planted.prism --layer {LAYER} --neuron 0 --top 30 --d-max 12.0"
    assert f"{command} --outlier-radius 10.0" in text


def test_a_neuron_that_does_not_split_is_told_plainly(project, analyse):
    html = report_html(project, [analyse(5), analyse(0, replace(TWO_CLUSTERS, min_cluster_size=16))])
    reader = Reader(html)
    text = " ".join("".join(reader.text).split())
    assert "Neuron 5 is dead" in text
    assert "2 dropped clusters" in text
    assert "Images of dropped clusters" in text
    assert len(reader.of("svg")) == 1


def test_links_lead_to_sections(project, analyse):
    reader = Reader(report_html(project, [analyse(0), analyse(1)]))
    targets = {attributes["id"] for attributes in reader.of("section", "neuron")}
    links = {attributes["href"] for attributes in reader.of("a")}
    assert links == {f"#{target}" for target in targets}
    assert len(targets) == 2


def test_vanished_images_leave_a_place_with_their_name(project, analysis, tmp_path, monkeypatch):
    monkeypatch.setattr(type(project), "image_path", lambda self, row: tmp_path / "gone" / f"{row}.png")
    reader = Reader(report_html(project, [analysis]))
    places = reader.of("span", "i")
    assert places
    assert all("broken" in attributes["class"].split() for attributes in places)
    assert any("red/" in attributes["title"] for attributes in places)


def test_feature_visualisations_are_shown_beside_each_other(project, analysis):
    pictures = np.zeros((3, 40, 40, 3), np.uint8)
    pictures[1, ..., 0] = 250
    visualization = FeatureVisualization(
        LAYER,
        ("neuron", "concept 0", "concept 1"),
        VisualizationSettings(steps=1),
        pictures,
        np.zeros((3, 1), np.float32),
        1,
        1,
    )
    reader = Reader(report_html(project, [analysis], visualizations={(LAYER, 0): visualization}))
    sources = [attributes["src"] for attributes in reader.of("img")]
    assert len(sources) == 3
    red = Image.open(io.BytesIO(base64.b64decode(sources[1].partition(",")[2])))
    assert red.getpixel((20, 20))[0] > 230
    assert red.getpixel((20, 20))[1] < 20


def test_the_dendrogram_holds_the_trees_own_numbers(analysis):
    result = analysis.disentanglement
    svg = dendrogram_svg(result, np.array([0, 1]), [f"image {place}" for place in range(30)])
    reader = Reader(svg)
    bands = reader.of("rect", "band")
    assert len(bands) == 30
    assert [sum(f"c{number}" in band["class"].split() for band in bands) for number in (0, 1)] == [15, 15]
    segments = "".join(path["d"] for path in reader.of("path", "merge"))
    # 29 merges: a bar each, and a stem from each of 58 nodes, two of them parted at the threshold.
    assert segments.count("H") == 29
    assert segments.count("V") == 58 + 2
    text = " ".join(reader.text)
    assert "d_max 12 · C = 2" in text
    (line,) = reader.of("path", "threshold")
    y = float(line["d"].partition(" ")[2].partition("H")[0])
    bars = sorted(float(y) for y in re.findall(r"M[\d.]+ ([\d.]+)H", segments))
    heights = result.hierarchy.merge_heights
    assert bars[0] < y < bars[1]
    # Heights are linear in y: the ratio of two bars' distances from the bottom is that of their heights.
    bottom = max(float(value) for value in re.findall(r" ([\d.]+)V", segments))
    assert (bottom - bars[0]) / (bottom - y) == pytest.approx(heights[-1] / 12.0, rel=0.01)


def test_a_threshold_above_the_tree_still_shows(analyse):
    for threshold in (25.0, 1e6):
        result = analyse(0, replace(TWO_CLUSTERS, distance_threshold=threshold)).disentanglement
        reader = Reader(dendrogram_svg(result, np.array([0]), [""] * 30))
        assert "C = 1" in " ".join(reader.text)
        assert ("↑" in " ".join(reader.text)) == (threshold > 1000)


def test_a_report_that_is_cancelled_is_not_written(project, analysis, tmp_path):
    class Cancelling(SilentTask):
        def check_cancelled(self):
            raise Cancelled

    with pytest.raises(Cancelled):
        write_report(tmp_path / "report.html", project, [analysis], task=Cancelling())
    assert not (tmp_path / "report.html").exists()


def test_an_unwritable_place_is_said(project, analysis, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ExportError, match="is a file, not a folder"):
        write_report(tmp_path / "file" / "report.html", project, [analysis])


def test_numbers_stand_flush_right(project):
    table = ReportTable(("what", "share"), (("a", "98 %"), ("b", "0.5")))
    html = report_html(project, [], extra_sections=(ReportSection("Figures", tables=(table,)),))
    assert [attributes.get("class") for attributes in Reader(html).of("td")] == [None, "n", None, "n"]


def test_letters_go_on_after_z_and_colours_start_over_after_ten():
    from backend.concept_colors import letters
    from backend.exchange.report_colors import color_class

    assert [letters(number) for number in (0, 25, 26, 27, 701, 702)] == ["A", "Z", "AA", "AB", "ZZ", "AAA"]
    assert [letters(label) for label in (-1, -2)] == ["○", "✕"]
    assert [color_class(number) for number in (0, 9, 10, 12)] == ["c0", "c9", "c0", "c2"]
    assert [color_class(label) for label in (-1, -2)] == ["outlier", "dropped"]
