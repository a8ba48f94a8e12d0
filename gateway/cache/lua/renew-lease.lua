-- Lets a lease last longer, for who holds it.
-- KEYS[1]  the lease
-- ARGV     token of its holder, how long it lasts from now in ms
-- Gives    1, or 0 where it is no longer held
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
