"""Signs of life: who is alive, who is silent, whose process is gone."""

import os
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from backend.activations.distributed import leader, other_ranks, rank_signs
from backend.activations.distributed.leader import Leader
from backend.activations.distributed.other_ranks import OtherRanks
from backend.activations.distributed.rank_signs import SECONDS_OF_SILENCE, Heartbeat, Sign, Watch, sign_file
from backend.activations.distributed.ranks import Rank
from backend.errors import ExtractionError
from backend.task import Cancelled, SilentTask

SIGN = Sign(1, 4, "launch", "name", "elsewhere", 77, "elsewhere pid:[1]", "run", 1, "working")


@pytest.fixture
def quick(monkeypatch):
    """Ranks that look for each other without letting anyone wait."""
    monkeypatch.setattr(rank_signs, "_SECONDS_BETWEEN_BEATS", 0.01)
    monkeypatch.setattr(other_ranks, "_SECONDS_BETWEEN_LOOKS", 0.001)
    monkeypatch.setattr(leader, "_SECONDS_BETWEEN_LOOKS", 0.001)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class TestWatch:
    def test_silence_is_measured_by_ones_own_clock_and_any_sign_ends_it(self, tmp_path):
        clock = Clock()
        watch = Watch(tmp_path / "sign", clock)
        SIGN.write(tmp_path / "sign")
        watch.look()
        clock.now += SECONDS_OF_SILENCE
        assert watch.problem() == ""
        clock.now += 1
        watch.look()
        assert "has given no sign of life for 180 seconds" in watch.problem()
        assert watch.problem().startswith("Rank 1 of 4 (process 77 on elsewhere)")
        replace(SIGN, beat=1).write(tmp_path / "sign")
        watch.look()
        assert watch.problem() == ""

    def test_a_file_that_cannot_be_read_is_no_sign_and_no_death(self, tmp_path):
        watch = Watch(tmp_path / "sign", Clock())
        watch.look()
        (tmp_path / "sign").write_text('{"rank": 1')
        watch.look()
        assert watch.sign is None
        assert watch.problem() == ""

    def test_a_rank_that_failed_says_why(self, tmp_path):
        watch = Watch(tmp_path / "sign", Clock())
        replace(SIGN, state="failed", reason="The disk is full.").write(tmp_path / "sign")
        watch.look()
        assert watch.problem() == "Rank 1 of 4 (process 77 on elsewhere) failed: The disk is full."

    def test_a_process_of_this_machine_is_looked_for(self, tmp_path):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        heartbeat = Heartbeat(tmp_path, Rank(1, 4))
        heartbeat.end("done")
        here = Sign.read(sign_file(tmp_path, 1, heartbeat.name))
        assert here.pid == os.getpid()
        watch = Watch(tmp_path / "sign", Clock())
        replace(here, state="working", pid=child.pid).write(tmp_path / "sign")
        watch.look()
        assert watch.problem() == ""
        child.communicate(b"\n")
        assert "died: the process is no longer there" in watch.problem()
        # A number that is free here says nothing of another machine.
        replace(here, state="working", pid=child.pid, machine="another").write(tmp_path / "sign")
        watch.look()
        assert watch.problem() == ""


class TestHeartbeat:
    @pytest.mark.usefixtures("quick")
    def test_it_goes_on_by_itself_and_ends_with_a_last_sign(self, tmp_path):
        heartbeat = Heartbeat(tmp_path / "ranks", Rank(2, 4, launch="x"))
        file = sign_file(tmp_path / "ranks", 2, heartbeat.name)
        # Rank 0 has not made the folder yet.
        (tmp_path / "ranks").mkdir()
        watch = Watch(file)
        while watch.n_changes < 3:
            watch.look()
        heartbeat.count_images(5)
        heartbeat.begin("run", 2)
        assert (Sign.read(file).run, Sign.read(file).round, Sign.read(file).n_images) == ("run", 2, 5)
        heartbeat.finish()
        watch.look()
        assert watch.is_done(2)
        assert not watch.is_done(3)
        heartbeat.end("failed", "no more")
        assert (Sign.read(file).state, Sign.read(file).reason) == ("failed", "no more")
        assert not any(thread.name == "heartbeat" for thread in threading.enumerate())


@pytest.mark.usefixtures("quick")
class TestMeeting:
    def test_signs_of_the_dead_and_of_other_launches_are_not_taken_for_a_rank(self, tmp_path, monkeypatch):
        (tmp_path / "ranks").mkdir()
        for name, changes in (
            ("dead", {}),
            ("other", {"launch": "another"}),
            ("old", {"run": "former"}),
        ):
            sign = replace(SIGN, rank=1, count=2, run="", state="waiting", name=name, **{"launch": "it"})
            replace(sign, **changes).write(sign_file(tmp_path / "ranks", 1, name))
        with OtherRanks(tmp_path, Rank(0, 2, launch="it")) as others:
            heartbeat = Heartbeat(tmp_path / "ranks", Rank(1, 2, launch="it"))
            members = others.meet(SilentTask())
            heartbeat.end("left")
        assert members == {0: others.heartbeat.name, 1: heartbeat.name}
        assert not (tmp_path / "ranks").exists()

    def test_a_rank_that_does_not_come_is_named(self, tmp_path, monkeypatch):
        monkeypatch.setattr(other_ranks, "_SECONDS_TO_COME", 0.0)
        with (
            pytest.raises(ExtractionError, match=r"Rank 1 of 3 did not come .* see the folder"),
            OtherRanks(tmp_path, Rank(0, 3)) as others,
        ):
            others.meet(SilentTask())
        assert (tmp_path / "ranks").is_dir()

    def test_rank_0_that_gives_no_sign_is_given_up(self, tmp_path, monkeypatch):
        monkeypatch.setattr(leader, "_SECONDS_TO_BEGIN", 0.0)
        heartbeat = Heartbeat(tmp_path, Rank(1, 2))
        with pytest.raises(ExtractionError, match="Rank 0 has given no sign in"):
            next(Leader(tmp_path, Rank(1, 2), heartbeat, SilentTask()).plans())
        heartbeat.end("failed")

    def test_a_rank_goes_when_rank_0_stops_before_there_is_a_plan(self, tmp_path):
        others = OtherRanks(tmp_path, Rank(0, 2))
        heartbeat = Heartbeat(tmp_path / "ranks", Rank(1, 2))

        def stop():
            watch = Watch(sign_file(tmp_path / "ranks", 1, heartbeat.name))
            while watch.n_changes < 3:
                watch.look()
            others.__exit__(ValueError, ValueError("broken"), None)

        stopping = threading.Thread(target=stop)
        stopping.start()
        with pytest.raises(Cancelled):
            next(Leader(tmp_path / "ranks", Rank(1, 2), heartbeat, SilentTask()).plans())
        stopping.join()
        heartbeat.end("failed")

    def test_a_folder_where_ranks_cannot_meet_is_said_so(self, tmp_path):
        (tmp_path / "ranks").write_text("")
        with pytest.raises(ExtractionError, match="cannot meet in"):
            OtherRanks(tmp_path, Rank(0, 2))
