/**
 * What Redis does in one step. `base` is the namespace's prefix of bookkeeping keys:
 *
 * - `<base>log`: a sorted set of evicted tags by the time of their last eviction, with `#clock` (time of the last one of all) and
 *   `#floor` (about evictions before it nothing is known). One key, so that what Redis forgets under memory pressure or at a flush
 *   it forgets as a whole, and then has a new, higher floor.
 * - `<base>tag:<tag>`: a stamp, unique for the time between two evictions of the tag. An entry carries the stamps of its tags and
 *   is valid while they are the same. A stamp that is missing, for whatever reason, makes an entry invalid, never valid.
 * - `<base>of:<tag>`: a sorted set of entries by the time they expire at, for a tag whose eviction also removes what they hold.
 *
 * Times are microseconds of the server's clock, raised by one where it stands still or goes back.
 */
const prelude = `
local base = ARGV[1]
local log = base .. 'log'
local function serverTime()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local function clock()
  local last = redis.call('ZSCORE', log, '#clock')
  if last and redis.call('ZSCORE', log, '#floor') then return tonumber(last) end
  local now = serverTime()
  redis.call('DEL', log)
  redis.call('ZADD', log, now, '#clock', now, '#floor')
  return now
end
local function written(time) return string.format('%.0f', time) end
`;

/** ARGV base, 1 when entries carry tags. @returns the clock, then the value of each key or false. */
const read = `
local answer = {'0'}
if ARGV[2] == '1' then answer[1] = written(clock()) end
for at, key in ipairs(KEYS) do
  local entry = redis.call('HMGET', key, 'value', 'stamps')
  local value = entry[1]
  if value and ARGV[2] == '1' then
    for tag, stamp in pairs(cjson.decode(entry[2] or '{"":""}')) do
      if redis.call('GET', base .. 'tag:' .. tag) ~= stamp then value = false break end
    end
    if not value then redis.call('UNLINK', key) end
  end
  answer[at + 1] = value
end
return answer`;

/**
 * KEYS the entry, then the sets it goes into. ARGV base, clock at which the computation began, entry's time to live, stamps' time to live (ms), a new unique stamp, value,
 * tags. @returns 1, or 0 when a tag was evicted since, or may have been.
 */
const write = `
local began = tonumber(ARGV[2])
local stamps = {}
if #ARGV > 6 then
  clock()
  if tonumber(redis.call('ZSCORE', log, '#floor')) > began then return 0 end
  for at = 7, #ARGV do
    local evicted = redis.call('ZSCORE', log, ARGV[at])
    if evicted and tonumber(evicted) > began then return 0 end
  end
  for at = 7, #ARGV do
    local key = base .. 'tag:' .. ARGV[at]
    local stamp = redis.call('GET', key)
    if not stamp then
      stamp = ARGV[5]
      redis.call('SET', key, stamp, 'PX', ARGV[4])
    elseif redis.call('PTTL', key) < tonumber(ARGV[4]) then
      redis.call('PEXPIRE', key, ARGV[4])
    end
    stamps[ARGV[at]] = stamp
  end
  redis.call('HSET', KEYS[1], 'value', ARGV[6], 'stamps', cjson.encode(stamps))
else
  redis.call('HSET', KEYS[1], 'value', ARGV[6])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
for at = 2, #KEYS do
  local now = serverTime()
  redis.call('ZREMRANGEBYSCORE', KEYS[at], '-inf', now)
  redis.call('ZADD', KEYS[at], now + tonumber(ARGV[3]) * 1000, KEYS[1])
  if redis.call('PTTL', KEYS[at]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[at], ARGV[3]) end
end
return 1`;

/** Shared by `evict` and `adopt`. Ten thousand evictions are remembered one by one. */
const eviction = `
local function evict(channel, sender, tags)
  local time = math.max(clock() + 1, serverTime())
  for _, tag in ipairs(tags) do
    redis.call('DEL', base .. 'tag:' .. tag)
    local entries = base .. 'of:' .. tag
    for _, key in ipairs(redis.call('ZRANGE', entries, 0, -1)) do redis.call('UNLINK', key) end
    redis.call('DEL', entries)
    redis.call('ZADD', log, time, tag)
  end
  local excess = redis.call('ZCARD', log) - 10002
  if excess > 0 then
    local oldest = redis.call('ZRANGE', log, excess - 1, excess, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', log, 0, excess)
    redis.call('ZADD', log, oldest[4], '#floor')
  end
  redis.call('ZADD', log, time, '#clock')
  redis.call('PUBLISH', channel, cjson.encode({time = written(time), sender = sender, tags = tags}))
  return written(time)
end`;

/** ARGV base, channel, sender, tags. @returns the time of the eviction. */
const evict = `${eviction}
local tags = {}
for at = 4, #ARGV do tags[at - 3] = ARGV[at] end
return evict(ARGV[2], ARGV[3], tags)`;

/**
 * A server that was started anew may have loaded a snapshot from before evictions: then everything is evicted, once.
 * ARGV base, channel, sender, run id of the server, the tag of everything.
 */
const adopt = `${eviction}
if redis.call('GET', base .. 'run') == ARGV[4] then return 0 end
evict(ARGV[2], ARGV[3], {ARGV[5]})
redis.call('SET', base .. 'run', ARGV[4])
return 1`;

/** ARGV base, a time. @returns floor, clock, then each tag evicted after that time and when. */
const since = `
local now = clock()
local answer = redis.call('ZRANGEBYSCORE', log, '(' .. ARGV[2], '+inf', 'WITHSCORES')
table.insert(answer, 1, written(now))
table.insert(answer, 1, redis.call('ZSCORE', log, '#floor'))
return answer`;

export const redisScripts = {
  read: prelude + read,
  write: prelude + write,
  evict: prelude + evict,
  adopt: prelude + adopt,
  since: prelude + since,
} as const;

export type ScriptName = keyof typeof redisScripts;
