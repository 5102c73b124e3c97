"""A life's recording: what is in the file at every moment, who may write it, and how long it is kept."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.event import Event
from actors.runtime.flight import ring
from actors.runtime.flight.crashes import with_crash
from actors.runtime.flight.files import KEPT, LOOKS, life_files, lives_in, name_life
from actors.runtime.flight.reader import read_crash, read_events, read_log, read_recording, recorded_nodes, recordings
from actors.runtime.flight.recorder import Recorded, open_recorder
from actors.runtime.run_directory import RunDirectory
from actors.runtime.snapshot import ExitSnapshot
from tests.support.clock import FakeClock


class Open:
    pass


class Close:
    pass


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def files(tmp_path):
    return name_life(tmp_path / "flight", "engine", 1000.0, 4)


@pytest.fixture
def recorder(files, clock):
    made = open_recorder(files, "/engine", clock)
    yield made
    made.close()


def recorded(files):
    """What another process would read now."""
    return read_recording(life_files(files).flight)


def turns(files):
    return [(turn.path, turn.kind, turn.ended is None) for turn in recorded(files).turns]


def test_a_turn_is_in_the_file_from_its_first_moment(recorder, files, clock):
    seat = recorder.seat("/engine/core")
    seat.begin(Open, clock.monotonic())

    assert turns(files) == [("/engine/core", "Open", True)]
    seat.end()
    assert turns(files) == [("/engine/core", "Open", False)]


def test_the_header_says_whose_life_it_is(recorder, files):
    header = recorded(files).header

    assert (header.node, header.incarnation) == ("/engine", 4)


def test_a_seat_shows_the_last_turn_whatever_its_kind(recorder, files, clock):
    seat = recorder.seat("/engine/core")
    for kind in (Open, Open, Close, Open):
        seat.begin(kind, clock.monotonic())
        assert turns(files) == [("/engine/core", kind.__name__, True)]
        seat.end()
        clock.advance(1.0)

    assert turns(files) == [("/engine/core", "Open", False)]


def test_a_turn_with_several_messages_waiting_says_so(recorder, files, clock):
    recorder.seat("/engine/core").begin(Open, -clock.monotonic())

    (turn,) = recorded(files).turns
    assert turn.several
    assert turn.ended is None


def test_times_of_day_are_those_of_the_life_s_own_clock(recorder, files, clock):
    began = clock.wall()
    clock.advance(5.0)
    seat = recorder.seat("/engine/core")
    seat.begin(Open, clock.monotonic())
    clock.advance(0.5)
    seat.end()

    (turn,) = recorded(files).turns
    assert (turn.began, turn.ended) == pytest.approx((began + 5.0, began + 5.5))


def test_hooks_are_recorded_also_when_they_fail(recorder, files):
    seat = recorder.seat("/engine/core")
    with pytest.raises(OSError, match="no"), Recorded(seat, "on_start"):
        assert turns(files) == [("/engine/core", "on_start", True)]
        raise OSError("no")

    assert turns(files) == [("/engine/core", "on_start", False)]


def test_a_long_turn_is_not_washed_away_by_ten_thousand_others(recorder, files, clock):
    long = recorder.seat("/engine/long")
    long.begin(Open, clock.monotonic())
    beside = recorder.seat("/engine/short").beside()
    for _ in range(10_000):
        beside.begin(Close, clock.monotonic())
        beside.end()

    assert ("/engine/long", "Open", True) in turns(files)


def test_more_turns_than_slots_are_not_recorded_and_harm_nobody(recorder, files, clock):
    seats = [recorder.seat(f"/engine/{number}") for number in range(2 * ring.TURN_SLOTS)]
    for seat in seats:
        seat.begin(Open, clock.monotonic())
    assert len(recorded(files).turns) == ring.TURN_SLOTS
    for seat in seats:
        seat.end()
        seat.leave()

    again = recorder.seat("/engine/again")
    again.begin(Close, clock.monotonic())
    assert ("/engine/again", "Close", True) in turns(files)


def test_a_life_that_is_given_up_while_its_handler_runs_keeps_its_slot_until_that_ends(recorder, files, clock):
    """Else the next owner's turn would seem to end when that of the one before does."""
    hung = recorder.seat("/engine/core")
    hung.begin(Open, clock.monotonic())
    hung.leave()
    others = [recorder.seat(f"/engine/{number}") for number in range(ring.TURN_SLOTS)]
    for other in others:
        other.begin(Close, clock.monotonic())

    assert ("/engine/core", "Open", True) in turns(files)
    hung.end()
    assert all(is_open for path, _, is_open in turns(files) if path != "/engine/core")


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["begin", "end", "leave", "beside"])), max_size=60))
def test_whatever_seats_do_no_slot_is_lost_or_given_out_twice(tmp_path_factory, steps):
    clock = FakeClock()
    recorder = open_recorder(name_life(tmp_path_factory.mktemp("f"), "n", 1.0, 1), "/n", clock)
    seats = [recorder.seat(f"/n/{number}") for number in range(6)]
    for number, step in steps:
        match step:
            case "begin":
                seats[number].begin(Open, clock.monotonic())
            case "end":
                seats[number].end()
            case "leave":
                seats[number].leave()
            case "beside":
                seats[number] = seats[number].beside()
        kept = [seat._slot for seat in seats if seat._slot >= 0]
        assert len(set(kept)) == len(kept)
        assert not set(kept) & set(recorder._free)
        assert len(set(recorder._free)) == len(recorder._free)
    recorder.close()


def test_events_states_and_log_lines_are_noted(recorder, files):
    recorder.on_event(Event(1, 1000.0, "actor.exited", "/engine/core", "/engine", {"reason": "failed"}))
    recorder.on_state("/engine/core", 3, "failed", "ValueError: no")
    recorder.on_log(b'{"event":"actor.failed","path":"/engine/core","level":"error","exception":"Traceback\\nValueError: no"}')
    recorder.on_log(b"no document")
    recorder.on_log(b"[1]")

    notes = recorded(files).notes
    assert [(note.kind, note.type, note.path) for note in notes] == [
        ("event", "actor.exited", "/engine/core"),
        ("state", "failed", "/engine/core"),
        ("log", "actor.failed", "/engine/core"),
    ]
    assert notes[2].fields["exception"] == "ValueError: no"


def test_many_threads_write_and_a_reader_sees_whole_records_only(recorder, files):
    """Read while it is written, at any time."""
    stop = threading.Event()

    def write(number):
        seat = recorder.seat(f"/engine/{number}")
        while not stop.is_set():
            for kind in (Open, Close):
                seat.begin(kind, recorder.now())
                seat.end()
            recorder.on_state(f"/engine/{number}", number, "failed", "x" * number * 50)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(30):
            found = recorded(files)
            assert found is not None
            for turn in found.turns:
                assert turn.kind in ("Open", "Close")
                assert turn.path in {f"/engine/{number}" for number in range(4)}
            for note in found.notes:
                number = note.fields["incarnation"]
                assert note.path == f"/engine/{number}"
                assert set(note.fields["error"]) <= {"x", ring.CUT}
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_what_comes_after_the_end_is_lost_and_harms_nobody(files, clock):
    recorder = open_recorder(files, "/engine", clock)
    seat = recorder.seat("/engine/core")
    seat.begin(Open, clock.monotonic())
    recorder.close()

    seat.end()
    seat.begin(Close, clock.monotonic())
    recorder.on_state("/engine/core", 1, "stopping")
    assert turns(files) == [("/engine/core", "Open", True)]


def test_the_recordings_of_the_last_lives_are_kept_and_those_of_others_left_alone(tmp_path, clock):
    folder = tmp_path / "flight"
    open_recorder(name_life(folder, "xi", 1.0, 1), "/xi", clock).close()
    for incarnation in range(1, 8):
        open_recorder(name_life(folder, "engine", 1000.0 + incarnation, incarnation), "/engine", clock).close()

    assert [life.incarnation for life in lives_in(folder, "engine")] == [7, 6, 5, 4][: KEPT + 1]
    assert [life.incarnation for life in lives_in(folder, "xi")] == [1]


def test_names_that_come_and_go_do_not_fill_the_disk_and_what_lives_keeps_its_file(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("actors.runtime.flight.files.MOST", 10)
    folder = tmp_path / "flight"
    open_recorder(name_life(folder, "old", 1.0, 1), "/old", clock).close()
    monkeypatch.setattr("os.getpid", lambda: 2**22 + 1)  # more than a pid can be: nobody's
    for number in range(30):
        open_recorder(name_life(folder, f"job-{number}", 1000.0 + number, 1), f"/job-{number}", clock).close()

    stems = [life.stem for life in lives_in(folder)]
    assert stems[0] == "job-29"
    assert "old" in stems
    assert len(stems) <= 12


def test_of_many_that_go_on_few_are_looked_at_and_all_stay(tmp_path, clock, monkeypatch):
    """What each start looks at does not grow with the tree."""
    monkeypatch.setattr("actors.runtime.flight.files.MOST", 4)
    folder = tmp_path / "flight"
    looked = []
    monkeypatch.setattr("actors.runtime.flight.files.goes_on", lambda life: looked.append(life.stem) or True)
    for number in range(40):
        open_recorder(name_life(folder, f"job-{number}", 1000.0 + number, 1), f"/job-{number}", clock).close()

    assert len(lives_in(folder)) == 40
    assert len(looked) <= 40 * LOOKS


def test_what_is_gone_among_many_that_go_on_is_found_in_the_end(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("actors.runtime.flight.files.MOST", 4)
    monkeypatch.setattr("actors.runtime.flight.files.goes_on", lambda life: not life.stem.startswith("gone"))
    folder = tmp_path / "flight"
    for number in range(60):
        stem = f"gone-{number}" if number < 20 else f"job-{number}"
        open_recorder(name_life(folder, stem, 1000.0 + number * 1.001, 1), f"/{stem}", clock).close()

    assert [life.stem for life in lives_in(folder) if life.stem.startswith("gone")] == []


def test_numbers_that_begin_again_do_not_overwrite_what_an_earlier_run_has_left(tmp_path, clock):
    folder = tmp_path / "flight"
    for began in (1000.0, 2000.0):
        open_recorder(name_life(folder, "engine", began, 1), "/engine", clock).close()

    assert [life.began_ms for life in lives_in(folder, "engine")] == [2_000_000, 1_000_000]


def test_without_room_there_is_no_recording_and_the_node_runs_all_the_same(tmp_path, clock):
    """A file where the folder should be."""
    (tmp_path / "flight").touch()

    assert open_recorder(name_life(tmp_path / "flight", "engine", 1.0, 1), "/engine", clock) is None
    assert open_recorder("no life", "/engine", clock) is None


def test_a_full_disk_leaves_no_empty_file(tmp_path, clock, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)

    assert open_recorder(name_life(tmp_path / "flight", "engine", 1.0, 1), "/engine", clock) is None
    assert list((tmp_path / "flight").iterdir()) == []


def test_a_reader_leaves_out_what_is_none_of_ours(tmp_path, clock):
    run_dir = RunDirectory(tmp_path)
    open_recorder(name_life(run_dir.flight, "engine", 1.0, 1), "/engine", clock).close()
    for name in ("engine.2000.2.flight", "engine.flight", "x.y.z.flight", "engine.1.1.other"):
        (run_dir.flight / name).write_bytes(b"foreign")

    assert [life.recording.header.incarnation for life in recordings(run_dir, "/engine")] == [1]
    assert recordings(RunDirectory(tmp_path / "nowhere"), "/engine") == []
    assert recorded_nodes(run_dir) == {"/engine"}
    assert read_recording(tmp_path / "nowhere") is None
    assert read_crash(tmp_path / "nowhere") == ""


def test_events_and_log_lines_are_read_over_a_broken_one(tmp_path):
    run_dir = RunDirectory(tmp_path)
    event = Event(2, 1000.0, "actor.exited", "/a", "kernel", {"reason": "failed"})
    line = b'{"seq":2,"at":"1970-01-01T00:16:40.000000Z","type":"actor.exited","path":"/a","node":"kernel","reason":"failed"}\n'
    run_dir.events.with_suffix(".old.jsonl").write_bytes(line)
    run_dir.events.write_bytes(line[:40] + b"\n\xff\n[]\n{}\n" + line)
    run_dir.logs.mkdir()
    run_dir.log_of("/a").write_bytes(b'{"path":"/a","event":"x"}\n{"path":"/b"}\n{"pa')

    assert read_events(run_dir) == [event, event]
    assert read_log(run_dir.log_of("/a"), "/a") == [{"path": "/a", "event": "x"}]


def test_a_crash_s_stacks_become_a_part_of_how_the_life_ended(tmp_path, files):
    life = life_files(files)
    life.folder.mkdir()
    life.crash.write_text("Fatal Python error: Segmentation fault\n")
    crashed = ExitSnapshot("killed", signal="SIGSEGV")

    assert with_crash(crashed, files).stack == "Fatal Python error: Segmentation fault"
    assert with_crash(ExitSnapshot("killed", signal="SIGKILL"), files).stack is None
    assert with_crash(crashed, str(tmp_path / "no life")).stack is None
    assert with_crash(ExitSnapshot("killed", signal="SIGSEGV", stack="known"), files).stack == "known"
