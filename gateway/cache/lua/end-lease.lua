-- Gives a lease back and wakes those who wait for it, on the channel of the same name.
-- KEYS[1]  the lease
-- ARGV     token of its holder, what came of it ('stored', 'failed', 'unshareable'), how long 'unshareable' is remembered in ms
-- Gives    1, or 0 where it was no longer held; what was stored is told of all the same
local isHeld = redis.call('GET', KEYS[1]) == ARGV[1]
if isHeld or ARGV[2] == 'stored' then
  redis.call('PUBLISH', KEYS[1], ARGV[2])
end
if isHeld and ARGV[2] == 'unshareable' then
  redis.call('SET', KEYS[1], '-', 'PX', ARGV[3])
elseif isHeld then
  redis.call('DEL', KEYS[1])
end
return isHeld and 1 or 0
