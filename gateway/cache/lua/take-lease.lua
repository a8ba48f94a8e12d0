-- Takes a lease that nobody holds.
-- KEYS[1]  the lease
-- ARGV     token of who wants it, how long it lasts in ms
-- Gives    'taken', 'held' where another has it, 'unshareable' where its key's answers cannot be shared
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return 'taken'
end
return redis.call('GET', KEYS[1]) == '-' and 'unshareable' or 'held'
