-- wrk's part of the measurement: a form with one file, as fast as it is answered or at an even rate.
-- Arguments: file, requests per second (0: as fast as they are answered), connections.
local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } timespec_t;
  int clock_gettime(int clock, timespec_t *now);
]]
local MONOTONIC = 1
local moment = ffi.new("timespec_t")

local function now_ms()
  ffi.C.clock_gettime(MONOTONIC, moment)
  return tonumber(moment.seconds) * 1000 + tonumber(moment.nanoseconds) / 1e6
end

local interval_ms, due_ms = 0, nil

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local image = file:read("*all")
  file:close()
  local rate = tonumber(arguments[2])
  interval_ms = rate > 0 and 1000 / rate or 0
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "multipart/form-data; boundary=peers"
  wrk.body = '--peers\r\nContent-Disposition: form-data; name="sketch"; filename="sketch.png"\r\n'
    .. "Content-Type: image/png\r\n\r\n" .. image .. "\r\n--peers--\r\n"
  request_bytes = wrk.format()
  if interval_ms == 0 then delay = nil end
end

function request()
  return request_bytes
end

-- Milliseconds until the next request is due. One that is late is sent at once, and those after it keep their times.
function delay()
  local now = now_ms()
  due_ms = (due_ms or now) + interval_ms
  if due_ms < now - 1000 then due_ms = now - 1000 end
  return math.max(0, math.floor(due_ms - now + 0.5))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nresult {"seconds": %f, "answers": %d, "not_ok": %d, "broken": %d, "p50_ms": %f, "p99_ms": %f}\n',
    summary.duration / 1e6, summary.requests, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000
  ))
end
