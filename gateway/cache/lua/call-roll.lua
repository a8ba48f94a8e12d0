-- Writes a gateway down as present, and strikes out those not seen for long. By Redis's own clock: those of gateways may differ.
-- KEYS[1]  the roll, a sorted set of names by when they were last seen
-- ARGV     name, after how many ms unseen one is gone
-- Gives    how many are present, and 1 where this one was not among them
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', nowMs - ARGV[2])
local isNew = redis.call('ZADD', KEYS[1], nowMs, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { redis.call('ZCARD', KEYS[1]), isNew }
