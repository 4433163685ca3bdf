"""`improviser jam`: plays along with a musician, live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.app.jam_page import LOOPBACK, PageOptions
from improviser.app.run_jam import JamServices, perform
from improviser.cli.options import (
    BackendOption,
    BarsOption,
    ChannelOption,
    ChartOption,
    ClockOption,
    ClockOutOption,
    CountInOption,
    FromOption,
    GrooveOption,
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
    MmcOption,
    ModeOption,
    NameOption,
    NotInOption,
    OffsetOption,
    OpenOption,
    OscOption,
    OutOption,
    ProgramOption,
    RecordOption,
    SoundOption,
    SwingOption,
    TempoOption,
    ThruOption,
    TimingOption,
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
improviser jam --tempo auto --metronome
improviser jam --meter 7/8 --metronome
improviser jam --chart autumn.txt --preset comping
improviser jam --tempo 132 --count-in 1 --metronome
improviser jam --from C4 --thru --channel 2 --program 33
improviser jam --timing on-grid --offset-ms -8
improviser jam --mode trade-4 --preset jazz
improviser jam --osc 9000
improviser jam --preset fiddle --learn
improviser jam --in "Improviser In" --bars 32 --json
improviser jam --not-in Ardour --not-in nanoKONTROL
improviser jam --preset bass --name bass --channel 2
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
    name: NameOption = None,
    tempo: TempoOption = None,
    meter: MeterOption = None,
    swing: SwingOption = None,
    groove: GrooveOption = None,
    key: KeyOption = None,
    chart: ChartOption = None,
    seed: LiveSeedOption = None,
    bars: BarsOption = None,
    backend: BackendOption = None,
    clock: ClockOption = None,
    clock_out: ClockOutOption = None,
    timing: TimingOption = None,
    mode: ModeOption = None,
    offset_ms: OffsetOption = None,
    count_in: CountInOption = 0,
    metronome: MetronomeOption = None,
    mmc: MmcOption = None,
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
    """Play along with a musician, live.

    improviser listens to every MIDI input and to its own port 'Improviser In', and plays on its own port
    'Improviser Out'. Connect 'Improviser Out' to your synthesizer or DAW. Your first note is the first downbeat.

    The page shows and plays both parts, and steers the jam. Its address is printed; on a desktop it opens by
    itself. Only this machine can reach it, unless you use --host. improviser ctl page prints the address again.

    If there is no MIDI input, a built-in player plays until you do. To wait for another program instead, use
    --in "Improviser In".

    The tempo is yours: improviser begins with the preset's tempo, follows your beat, and waits at a fermata.
    --tempo, taps, --bars, --count-in and --metronome keep the tempo instead; --tempo auto or --clock follow
    follows you in spite of them, and improviser ctl follow does so again.

    A MIDI clock on any input is followed when it starts: its tempo, bar and transport (--clock). When the DAW
    stops, improviser waits for the next start while the clock ticks. Before your first note, a clock that only
    ticks sets the tempo, unless you use --tempo. On JACK, the beat and meter of a timebase master are followed while
    it rolls.

    improviser ctl, OSC (--osc) and known controllers (improviser devices) turn its knobs. The sostenuto pedal
    likes what it just played, the soft pedal dislikes it.

    --learn keeps training the network in the background, from what it plays with you. Every eight bars the new
    weights are tested. They are used from the next bar, and only if held-out scores hold and the score with you
    rises. improviser ctl undo takes them back, undo_all takes all of them back, freeze pauses learning.

    improviser ctl panic ends all notes; the jam goes on. The signal SIGUSR1 (not on Windows) and a control of
    your choice (panic_control in settings.toml) do the same.

    Several jams may play at once, each on ports of its own: --name bass. They don't hear each other.

    improviser ignores its own notes when they come back through a DAW or a cable. Channel 10 is drums, and is
    heard only with --listen-channel 10.
    """
    from improviser.app.jam_settings import JamOptions

    options = JamOptions(
        preset=preset,
        input_pattern=in_,
        excluded_inputs=tuple(not_in or ()),
        output_pattern=out,
        name=name,
        tempo_bpm=tempo,
        meter=meter,
        swing=swing,
        groove=groove,
        key=key,
        chart=chart,
        seed=seed,
        bars=bars,
        backend=backend,
        clock=clock,
        clock_out=clock_out,
        timing=timing,
        mode=mode,
        offset_ms=offset_ms,
        count_in=count_in,
        metronome=metronome,
        mmc=mmc,
        thru=thru,
        listen_channels=tuple(listen_channel or ()),
        listen_from=from_,
        listen_to=to,
        channel=channel,
        program=program,
    )
    page = PageOptions(host, web_port, open_, keep_address) if web else None
    perform(options, record, JamServices(osc, learns=learn, page=page, sounds=sound), view_maker(as_json=json))


def view_maker(*, as_json: bool) -> Callable[[PerformerSettings, State], View]:
    """Return the function that makes the view of a jam. It imports the view's modules when called."""

    def make_view(settings: PerformerSettings, state: State) -> View:
        """Return the view of a jam with these settings."""
        from improviser.cli.terminal.view import choose_view

        return choose_view(settings, state, as_json=as_json)

    return make_view
