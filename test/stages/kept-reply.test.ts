import assert from 'node:assert/strict';
import { it } from 'node:test';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { headerInList } from '../../gateway/pipeline/headers.ts';
import { jsonReply } from '../../gateway/pipeline/reply.ts';
import { openInference } from '../../gateway/protocols/open-inference.ts';
import { keptReply, unlessKnown } from '../../gateway/stages/kept-reply.ts';
import { FedBody, pumped } from '../support/bodies.ts';
import { type AskedSpec, newAsked } from '../support/caching/asked.ts';
import { entryOf } from '../support/caching/entries.ts';

const storedAtMs = 5_000;
const entry = entryOf('{"model_name":"digits","id":"first","outputs":[]}', storedAtMs, { freshMs: 60_000 });

/** The entry as a request gets it that comes so long after it was stored. */
function given({ afterMs = 0, ...spec }: AskedSpec & { readonly afterMs?: number } = {}) {
  const exchange = newAsked({ body: '{"inputs":[]}', ...spec });
  const kept = keptReply(exchange, entry, 'redis', storedAtMs + afterMs) ?? assert.fail('it cannot be given');
  const reply = unlessKnown(kept, exchange);
  return {
    reply,
    exchange,
    text: pumped(reply.body).text,
    header: (name: string) => headerInList(reply.headers, name),
  };
}

it('an answer that is kept is given with its headers, its validator and its age in whole seconds', () => {
  const { reply, header, text } = given({ afterMs: 2_999 });
  assert.deepEqual([reply.status, reply.source], [200, 'cache']);
  assert.equal(header('content-type'), 'application/json');
  assert.equal(header('etag'), entry.etag);
  assert.equal(header('age'), '2');
  assert.equal(header('content-length'), String(text.length));
  assert.equal(reply.body.sizeBytes, text.length);
});

it('the answer has the id of the request that it is given to', () => {
  const { text, header } = given({ body: '{"id":"much longer than the first","inputs":[]}' });
  assert.deepEqual(JSON.parse(text), { model_name: 'digits', id: 'much longer than the first', outputs: [] });
  assert.equal(header('content-length'), String(text.length));
});

it('what another machine stored in what is the future here is not of an age below zero', () => {
  assert.equal(given({ afterMs: -3_000 }).header('age'), '0');
});

it('the journal learns where it came from, and whether it was fresh', () => {
  const hit = { kind: 'hit', store: 'redis', freshUntilMs: entry.freshness.freshUntilMs };
  assert.deepEqual(given({ afterMs: 59_999 }).exchange.journal.cache, { ...hit, isStale: false });
  assert.deepEqual(given({ afterMs: 60_000 }).exchange.journal.cache, { ...hit, isStale: true });
});

it('a client that has it already is told so, with nothing but validator and age', () => {
  for (const known of [entry.etag, entry.etag.replace('W/', ''), `"x", ${entry.etag}`, '*']) {
    const { reply, text, exchange } = given({ headers: { 'if-none-match': known }, afterMs: 1_000 });
    assert.deepEqual([reply.status, reply.source, text], [304, 'cache', '']);
    assert.deepEqual(reply.headers, ['etag', entry.etag, 'age', '1']);
    assert.equal(exchange.journal.cache?.kind, 'hit');
  }
});

it('a client that has another one is given it whole', () => {
  for (const known of ['"x"', 'W/"x"', ''])
    assert.equal(given({ headers: { 'if-none-match': known } }).reply.status, 200);
});

it('what cannot be given as it was asked for is no hit', () => {
  const exchange = newAsked({
    body: '{}',
    protocol: {
      ...openInference,
      render() {
        throw new GatewayError('upstream_broken', 'no whole stream');
      },
    },
  });
  assert.equal(keptReply(exchange, entry, 'memory', storedAtMs), null);
  assert.equal(exchange.journal.cache, null);
});

it('one answer is given again and again, and each may add to its headers', () => {
  const first = given();
  first.reply.headers.push('x-a', 'b');
  const second = given();
  assert.equal(second.header('x-a'), null);
  assert.equal(second.text, first.text);
});

it('what was not kept is given whole, whatever its client has and whatever it is marked by', () => {
  const exchange = newAsked({ body: '{}', headers: { 'if-none-match': '*' } });
  exchange.journal.cache = { kind: 'forwarded', why: 'miss' };
  const reply = { ...jsonReply(200, {}, 'upstream'), headers: ['etag', '"of the replica"'] };
  assert.equal(unlessKnown(reply, exchange), reply);
});

it('what a client has already is given up, and not read', () => {
  const exchange = newAsked({ body: '{}', headers: { 'if-none-match': '"x"' } });
  exchange.journal.cache = { kind: 'hit', store: 'redis', freshUntilMs: 0, isStale: false };
  const body = new FedBody();
  const headers = ['content-type', 'application/json', 'etag', 'W/"x"', 'age', '7'];
  const reply = unlessKnown({ status: 200, headers, source: 'flight', body }, exchange);
  assert.deepEqual([reply.status, reply.source, reply.headers], [304, 'flight', ['etag', 'W/"x"', 'age', '7']]);
  assert.deepEqual([body.discards, body.pumps, pumped(reply.body).text], [1, 0, '']);
});
