"""`improviser jam`: play along, live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.app.jam_page import LOOPBACK, PageOptions
from improviser.app.run_jam import Beside, perform
from improviser.cli.options import (
    BackendOption,
    BarsOption,
    ChannelOption,
    ClockOption,
    ClockOutOption,
    CountInOption,
    FromOption,
    HostOption,
    InOption,
    JsonOption,
    KeepAddressOption,
    KeyOption,
    LearnOption,
    ListenChannelOption,
    LivePresetOption,
    LiveSeedOption,
    MeterOption,
    MetronomeOption,
    NotInOption,
    OpenOption,
    OscOption,
    OutOption,
    ProgramOption,
    RecordOption,
    SoundOption,
    SwingOption,
    TempoOption,
    ThruOption,
    ToOption,
    WebOption,
    WebPortOption,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.app.jam_view import View
    from improviser.protocol import PerformerSettings
    from improviser.supervisor.state import State

EXAMPLES = """
improviser jam
improviser jam --preset fiddle --tempo 112 --key Am
improviser jam --in Launchkey --record take.mid
improviser jam --clock own --clock-out --swing 0.6
improviser jam --meter 7/8 --metronome
improviser jam --tempo 132 --count-in 1 --metronome
improviser jam --from C4 --thru --channel 2 --program 33
improviser jam --osc 9000
improviser jam --preset fiddle --learn
improviser jam --in "Improviser In" --bars 32 --json
improviser jam --not-in Ardour --not-in nanoKONTROL
improviser jam --sound --no-web
improviser jam --host 0.0.0.0 --web-port 8000
improviser jam --keep-address
"""


def jam(
    *,
    preset: LivePresetOption = None,
    in_: InOption = None,
    not_in: NotInOption = None,
    out: OutOption = None,
    tempo: TempoOption = None,
    meter: MeterOption = None,
    swing: SwingOption = None,
    key: KeyOption = None,
    seed: LiveSeedOption = None,
    bars: BarsOption = None,
    backend: BackendOption = None,
    clock: ClockOption = None,
    clock_out: ClockOutOption = None,
    count_in: CountInOption = 0,
    metronome: MetronomeOption = None,
    thru: ThruOption = None,
    listen_channel: ListenChannelOption = None,
    from_: FromOption = None,
    to: ToOption = None,
    channel: ChannelOption = None,
    program: ProgramOption = None,
    record: RecordOption = None,
    osc: OscOption = None,
    learn: LearnOption = False,
    sound: SoundOption = False,
    web: WebOption = True,
    open_: OpenOption = None,
    host: HostOption = LOOPBACK,
    web_port: WebPortOption = None,
    keep_address: KeepAddressOption = None,
    json: JsonOption = False,
) -> None:
    """Improvise along with what is played, live, on a virtual MIDI port.

    It listens to every MIDI input and to its own port 'Improviser In', and plays on its own port 'Improviser
    Out': choose that one as an input of your DAW or synthesizer. Your first note is the first downbeat.

    It prints the address of its page, and on a desktop opens it: keys, sound, what it plays and why, all that
    steers it. The page is for this machine only, unless --host says otherwise; --no-web leaves it out. The
    address is a new one each time, unless --keep-address is given; improviser ctl page prints it again.

    Where there is no input at all, a built-in player plays until somebody else does; with
    --in "Improviser In" it waits for another program to play on that port instead.

    A MIDI clock that comes in on any input and is started is followed: its tempo, its place in the bar and
    its transport (--clock). With the transport stopped it waits for the next start, as long as the clock
    ticks; improviser ctl says what it waits for. A clock that only ticks gives the tempo before the first
    note, unless --tempo says it.

    While it plays, improviser ctl turns its knobs, as controllers that are known do (improviser devices), and
    OSC on this machine (--osc). The sostenuto and soft pedals say that you like what it just played, or not.

    With --learn it also learns in the background, by deep Q-learning, from what it plays beside you: every
    eight bars what was learned is tried on held-out music, and played by only where nothing is spoilt by it
    and it is better beside you. improviser ctl undo takes it back, undo_all to the start, freeze stops it.

    improviser ctl panic ends all notes at once while the jam goes on; so does the signal SIGUSR1, but for
    Windows, and a control that you choose (panic_control in settings.toml).

    What it plays and hears again, through a DAW or a cable, is ignored. --not-in leaves ports out. Channel 10
    is drums: it is heard only with --listen-channel 10.
    """
    from improviser.app.jam_settings import JamOptions
    from improviser.protocol import ClockUse

    options = JamOptions(
        preset=preset,
        input_pattern=in_,
        excluded_inputs=tuple(not_in or ()),
        output_pattern=out,
        tempo_bpm=tempo,
        meter=meter,
        swing=swing,
        key=key,
        seed=seed,
        bars=bars,
        backend=backend,
        clock=None if clock is None else ClockUse(clock),
        clock_out=clock_out,
        count_in=count_in,
        metronome=metronome,
        thru=thru,
        listen_channels=tuple(listen_channel or ()),
        listen_from=from_,
        listen_to=to,
        channel=channel,
        program=program,
    )
    page = PageOptions(host, web_port, open_, keep_address) if web else None
    perform(options, record, Beside(osc, learns=learn, page=page, sounds=sound), view_maker(as_json=json))


def view_maker(*, as_json: bool) -> Callable[[PerformerSettings, State], View]:
    """Return what makes the view of a jam: what that takes is loaded only then."""

    def make_view(settings: PerformerSettings, state: State) -> View:
        """Return the view of a jam that plays by `settings`."""
        from improviser.cli.view import choose_view

        return choose_view(settings, state, as_json=as_json)

    return make_view
