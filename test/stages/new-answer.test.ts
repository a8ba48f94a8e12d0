import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { HeaderList } from '../../gateway/pipeline/headers.ts';
import { openInference } from '../../gateway/protocols/open-inference.ts';
import { newAnswer } from '../../gateway/stages/new-answer.ts';

const rules = { freshMs: 60_000, staleWhileRevalidateMs: 5_000, staleIfErrorMs: 7_000 };
const body = Buffer.from('{"outputs":[]}');

/** A whole answer as it is kept at the instant 1000. */
function kept(headers: HeaderList = [], { status = 200, protocol = openInference } = {}) {
  return newAnswer({ status, headers: ['Content-Type', 'application/json', ...headers], body }, protocol, rules, 1000);
}

it('an answer is kept with its body, a validator and what its route says of its freshness', () => {
  const entry = kept();
  assert.deepEqual(entry?.freshness, {
    storedAtMs: 1000,
    freshUntilMs: 61_000,
    revalidateUntilMs: 66_000,
    ifErrorUntilMs: 68_000,
  });
  assert.equal(entry.body, body);
  assert.match(entry.etag, /^W\/"[\w-]{22}"$/);
});

it('the validator follows from what is said, and from nothing else', () => {
  assert.equal(kept(['x-a', '1'])?.etag, kept()?.etag);
  const other = { status: 200, headers: [], body: Buffer.from('{}') };
  assert.notEqual(newAnswer(other, openInference, rules, 1000)?.etag, kept()?.etag);
});

it('its headers are kept but for those of one exchange', () => {
  const entry = kept(['X-Model', 'a', 'Date', 'now', 'ETag', '"theirs"', 'Content-Length', '14', 'x-headgate-x', '1']);
  assert.deepEqual(entry?.headers, ['content-type', 'application/json', 'x-model', 'a']);
});

it('an answer that allows less time than its route is kept so long, whichever of its lines says so', () => {
  for (const headers of [
    ['cache-control', 'max-age=10'],
    ['Cache-Control', 'public', 'cache-control', 'MAX-AGE=10'],
    ['cache-control', 's-maxage=10, max-age=90'],
  ])
    assert.equal(kept(headers)?.freshness.freshUntilMs, 11_000, headers.join());
  assert.equal(kept(['cache-control', 'max-age=90'])?.freshness.freshUntilMs, 61_000);
  assert.equal(kept(['cache-control', 'must-revalidate'])?.freshness.revalidateUntilMs, 61_000);
});

it('nothing is kept that is not to be shared, is not whole, or that its protocol would not give again', () => {
  assert.equal(kept([], { status: 404 }), null);
  assert.equal(kept(['set-cookie', 'a=b']), null);
  assert.equal(kept(['cache-control', 'no-store']), null);
  assert.equal(kept(['content-length', '15']), null);
  assert.equal(kept([], { protocol: { ...openInference, isRepeatable: () => false } }), null);
});

it('a protocol is asked about the answer itself', () => {
  const asked: unknown[] = [];
  const isRepeatable = (...args: unknown[]): boolean => asked.push(args) > 0;
  kept([], { protocol: { ...openInference, isRepeatable } });
  assert.deepEqual(asked, [[['Content-Type', 'application/json'], body]]);
});
