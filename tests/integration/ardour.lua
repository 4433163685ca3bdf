-- A session of Ardour without a screen, with one MIDI track as it is made by default, told what to do line by line:
-- ardourN-lua ardour.lua FOLDER. It answers each line.
AudioEngine:set_backend("JACK", "ardour", "")
local session = create_session(arg[1], "session", 48000)
local one = ARDOUR.ChanCount(ARDOUR.DataType("midi"), 1)
local track
for made in session:new_midi_track(one, one, false, ARDOUR.PluginInfo(), nil, nil, 1, "MIDI 1",
    ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true):iter() do
  track = made
end
local source = ARDOUR.TransportRequestSource.TRS_UI
local commands = {
  record = function()
    track:rec_enable_control():set_value(1, PBD.GroupControlDisposition.NoGroup)
    session:maybe_enable_record(false)
    session:request_roll(source)
  end,
  stop = function() session:request_stop(false, false, source) end,
  rewind = function() session:request_locate(0, false, ARDOUR.LocateTransportDisposition.MustStop, source) end,
  play = function() session:request_roll(source) end,
  master = function()
    session:cfg():set_jack_time_master(true)
    session:cfg():set_external_sync(true)
  end,
}
print("ready")
io.stdout:flush()
for line in io.lines() do
  if line == "quit" then break end
  commands[line]()
  print("did " .. line)
  io.stdout:flush()
end
close_session()
quit()
