import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keptHeaders, whyNotShared, whyNotStored } from '../../gateway/cache/storable.ts';

const body = Buffer.from('{"answer":42}');
const good = ['Content-Type', 'application/json', 'content-length', String(body.length)];
const answer = { status: 200, headers: good, body, end: 'complete' } as const;

describe('an answer', () => {
  it('is kept where it is a whole one of status 200', () => {
    assert.equal(whyNotStored(answer, 1000), null);
    assert.equal(whyNotStored({ ...answer, headers: [] }, body.length), null);
  });

  it('is shared by no other status, though others say that all is well', () => {
    for (const status of [100, 201, 202, 203, 204, 206, 301, 304, 400, 404, 429, 500, 502, 503])
      assert.equal(whyNotShared(status, good), 'status', String(status));
  });

  it('is not kept where it broke off, or is not as long as it says', () => {
    for (const end of ['broken', 'abandoned'] as const) assert.equal(whyNotStored({ ...answer, end }, 1000), 'cut_off');
    assert.equal(whyNotStored({ ...answer, body: body.subarray(1) }, 1000), 'cut_off');
    assert.equal(whyNotStored(answer, body.length - 1), 'too_large');
  });

  it('is not shared where a header speaks against it, in whatever case and of however many lines', () => {
    for (const [name, value, why] of [
      ['Set-Cookie', 'a=b', 'cookie'],
      ['content-range', 'bytes 0-1/2', 'partial'],
      ['Vary', 'accept, *', 'varies'],
      ['x-headgate-batch-invariant', 'false', 'not_batch_invariant'],
      ['Cache-Control', 'no-store', 'cache_control'],
      ['cache-control', 'public, Private', 'cache_control'],
      ['cache-control', 'private="x"', 'cache_control'],
      ['cache-control', 'no-cache', 'cache_control'],
      ['cache-control', 'max-age=0', 'cache_control'],
      ['cache-control', 'max-age=60, s-maxage=0', 'cache_control'],
    ] as const) {
      assert.equal(whyNotShared(200, [...good, name, value]), why, `${name}: ${value}`);
      assert.equal(whyNotShared(200, [name, 'public', ...good, name, value]), why, `${name}: ${value}`);
    }
  });

  it('is shared with headers that only look alike', () => {
    const harmless = ['vary', 'accept-encoding', 'cache-control', 'public, max-age=60', 'x-set-cookie', 'set-cookie'];
    assert.equal(whyNotShared(200, [...good, ...harmless]), null);
  });

  it('is shared as a stream of events that says no-cache: that is for proxies that hold streams back', () => {
    const events = ['content-type', 'text/event-stream; charset=utf-8', 'cache-control'];
    assert.equal(whyNotShared(200, [...events, 'no-cache']), null);
    assert.equal(whyNotShared(200, [...events, 'no-cache, no-transform']), null);
    assert.equal(whyNotShared(200, [...events, 'no-cache, no-store']), 'cache_control');
  });

  it('is kept with the headers that speak of it, and none that speak of one exchange', () => {
    const one = [
      'Date',
      'today',
      'X-RateLimit-Remaining',
      '3',
      'server-timing',
      'a',
      'Age',
      '1',
      'x-headgate-replica',
      'b',
    ];
    const kept = ['content-type', 'application/json', 'inference-header-content-length', '9', 'x-model', 'm'];
    assert.deepEqual(keptHeaders([...one, ...kept, 'Content-Length', '5']), kept);
  });
});
