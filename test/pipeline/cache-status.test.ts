import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cacheStatus } from '../../gateway/pipeline/cache-status.ts';

test('the state of a request at the cache is told as RFC 9211 has it', () => {
  const hit = { kind: 'hit', store: 'memory', freshUntilMs: 10_000, isStale: false } as const;
  assert.equal(cacheStatus(hit, 1_500), 'headgate; hit; ttl=8');
  assert.equal(cacheStatus({ ...hit, isStale: true }, 12_000), 'headgate; hit; ttl=-2');
  assert.equal(cacheStatus({ ...hit, isStale: true, isInstead: true }, 12_000), 'headgate; fwd=stale; ttl=-2');
  assert.equal(cacheStatus({ kind: 'forwarded', why: 'miss' }, 0), 'headgate; fwd=miss');
  assert.equal(cacheStatus({ kind: 'forwarded', why: 'miss', isStored: true }, 0), 'headgate; fwd=miss; stored');
  assert.equal(cacheStatus({ kind: 'forwarded', why: 'miss', isCollapsed: true }, 0), 'headgate; fwd=miss; collapsed');
  assert.equal(cacheStatus({ kind: 'forwarded', why: 'stale' }, 0), 'headgate; fwd=stale');
});
