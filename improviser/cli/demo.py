"""`improviser demo`: a jam with a built-in player."""

from __future__ import annotations

from improviser.app.jam_page import LOOPBACK, PageOptions
from improviser.app.run_jam import JamServices, perform
from improviser.cli.jam import view_maker
from improviser.cli.options import (
    BackendOption,
    BarsOption,
    ChannelOption,
    ClockOption,
    ClockOutOption,
    GrooveOption,
    HostOption,
    JsonOption,
    KeepAddressOption,
    KeyOption,
    LearnOption,
    LivePresetOption,
    LiveSeedOption,
    MetronomeOption,
    MmcOption,
    ModeOption,
    NameOption,
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
    TuneOption,
    WebOption,
    WebPortOption,
)

EXAMPLES = """
improviser demo
improviser demo --tune drowsy_maggie --preset fiddle
improviser demo --sound
improviser demo --web
improviser demo --thru --metronome --clock-out
improviser demo --backend loopback --record demo.mid
"""


def demo(
    *,
    tune: TuneOption = None,
    preset: LivePresetOption = None,
    out: OutOption = None,
    name: NameOption = None,
    tempo: TempoOption = None,
    swing: SwingOption = None,
    groove: GrooveOption = None,
    key: KeyOption = None,
    seed: LiveSeedOption = None,
    bars: BarsOption = None,
    backend: BackendOption = None,
    clock: ClockOption = None,
    clock_out: ClockOutOption = None,
    timing: TimingOption = None,
    mode: ModeOption = None,
    offset_ms: OffsetOption = None,
    mmc: MmcOption = None,
    metronome: MetronomeOption = None,
    thru: ThruOption = None,
    channel: ChannelOption = None,
    program: ProgramOption = None,
    record: RecordOption = None,
    osc: OscOption = None,
    learn: LearnOption = False,
    sound: SoundOption = False,
    web: WebOption = False,
    open_: OpenOption = None,
    host: HostOption = LOOPBACK,
    web_port: WebPortOption = None,
    keep_address: KeepAddressOption = None,
    json: JsonOption = False,
) -> None:
    """Jam with a built-in player. You need no instrument.

    The player plays a tune on the port 'Improviser In'. The demo ends with the tune, or after --bars. On a
    machine without a MIDI system both parts play inside the program, are shown, and are written to
    improviser-demo.mid.

    The options are those of jam, without --count-in, --meter and those that choose inputs. The tune follows
    the tempo. Use --web for the page.
    """
    from improviser.app.jam_settings import JamOptions
    from improviser.protocol import PlayerUse

    options = JamOptions(
        preset=preset,
        output_pattern=out,
        name=name,
        tempo_bpm=tempo,
        swing=swing,
        groove=groove,
        key=key,
        seed=seed,
        bars=bars,
        backend=backend,
        player=PlayerUse.ALWAYS,
        tune=tune,
        clock=clock,
        clock_out=clock_out,
        timing=timing,
        mode=mode,
        offset_ms=offset_ms,
        mmc=mmc,
        metronome=metronome,
        thru=thru,
        channel=channel,
        program=program,
    )
    page = PageOptions(host, web_port, open_, keep_address) if web else None
    perform(options, record, JamServices(osc, learns=learn, page=page, sounds=sound), view_maker(as_json=json))
