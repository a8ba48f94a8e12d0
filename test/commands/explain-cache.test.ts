import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assembleRoutes } from '../../gateway/assemble-routes.ts';
import { untold } from '../../gateway/balance/model-revisions.ts';
import { cacheInWords, explainCache } from '../../gateway/commands/explain-cache.ts';
import { openai } from '../../gateway/protocols/openai.ts';
import { load, withTop } from '../settings/yaml.ts';
import { newBackend } from '../support/backends.ts';
import { type ExchangeSpec, readExchange } from '../support/exchanges.ts';

interface Asked extends ExchangeSpec {
  readonly route?: string;
  readonly tenant?: string;
  readonly revision?: string;
}

/** How a request fares at the cache of a route to two backends. */
function explain({
  route = 'cache: { fresh: 10m, stale_if_error: 1h }',
  tenant = 'anonymous',
  revision = '',
  ...spec
}: Asked = {}) {
  const { routes } = load(withTop(`routes: [{ to: [{ backend: a }], ${route} }]`));
  const backends = ['a', 'b'].map((name) => newBackend(name, { revisions: { ...untold, of: () => revision } }));
  const destinations = backends.map(({ name }) => ({ backend: name, weight: 1 }));
  const table = assembleRoutes(
    { routes: routes.map((one) => ({ ...one, destinations })) },
    backends,
    () => () => assert.fail('nothing is sent'),
  );
  const { protocol, head, ask } = readExchange({ body: '{"inputs":[]}', ...spec });
  const subject = { protocol: 'open-inference', model: ask.model, tenant, path: head.path, headers: head.headers };
  const cache = explainCache({ protocol, head, ask, tenant }, table.find(subject) ?? assert.fail());
  return { cache, lines: cache === null ? [] : cacheInWords(cache) };
}

/** The key at the first backend. */
function keyOf(asked: Asked): string {
  return explain(asked).cache?.keys[0]?.key ?? assert.fail('it has no key');
}

const chat: Asked = { protocol: openai, operation: 'chat', body: '{"model":"m","messages":[]}' };

test('an answer is kept for so long, for whom, and under a key of its own at each backend', () => {
  const { lines, cache } = explain();
  const [a, b] = cache?.keys ?? [];
  assert.deepEqual(cache, {
    freshness: { freshMs: 600_000, staleWhileRevalidateMs: 0, staleIfErrorMs: 3_600_000 },
    isCoalescing: false,
    isForEveryone: false,
    bypassedBecause: null,
    wantsNew: false,
    keys: [a, b],
  });
  assert.match(a?.key ?? '', /^[0-9a-f]{8}-[0-9a-f]{8}-[\w-]{43}$/);
  assert.notEqual(a?.key, b?.key);
  assert.deepEqual(lines, [
    'answers are kept for its tenant: fresh for 600000 ms, or 3600000 ms where none can be had',
    `key at a: ${a?.key}`,
    `key at b: ${b?.key}`,
  ]);
});

test('those have one key who ask the same, and the tenants of a route for everyone', () => {
  const first = keyOf({});
  assert.equal(keyOf({ body: '{ "id": "x", "inputs": [] }' }), first);
  assert.notEqual(keyOf({ body: '{"inputs":[1]}' }), first);
  assert.notEqual(keyOf({ tenant: 't' }), first);
  const route = 'cache: { fresh: 10m, share: everyone }';
  assert.equal(keyOf({ route, tenant: 't' }), keyOf({ route }));
});

test('a route that only coalesces keeps nothing, and one that does neither has nothing to tell', () => {
  const { lines, cache } = explain({ route: 'coalesce: true' });
  assert.equal(lines[0], 'answers are not kept, but shared with its tenant while they are computed');
  assert.deepEqual([cache?.freshness, cache?.isCoalescing], [null, true]);
  assert.equal(explain({ route: 'deadline: 1s' }).cache, null);
});

const bypassed: readonly [why: string, asked: Asked, words: RegExp][] = [
  ['no-store', { headers: { 'cache-control': 'no-store' } }, /^not this one: the client says no-store$/],
  [
    'loses-headers',
    { headers: { connection: 'accept', accept: 'a/b' } },
    /^not this one: a header that its key would hold goes no further/,
  ],
  ['sampled', chat, /^not this one: chance has a part .*sampled: true/],
  [
    'incomparable',
    { body: '{"inputs":[],"inputs":[]}' },
    /^not this one: its body is no JSON, or says something twice/,
  ],
  ['incomparable', { body: '' }, /^not this one: its body is no JSON/],
  ['depends-on-more', { body: '{"parameters":{"sequence_id":1}}' }, /^not this one: more than the request decides/],
  ['depends-on-more', { operation: 'metadata' }, /^not this one: more than the request decides/],
];

for (const [why, asked, words] of bypassed) {
  test(`a request shares nothing because of ${why}: ${asked.body ?? 'by its head'}`, () => {
    const { lines, cache } = explain(asked);
    assert.match(lines[1] ?? '', words);
    assert.equal(lines.length, 2);
    assert.deepEqual([cache?.bypassedBecause, cache?.keys], [why, []]);
  });
}

test('a route may keep sampled answers, too', () => {
  const { cache } = explain({ ...chat, route: 'cache: { fresh: 1m, sampled: true }' });
  assert.equal(cache?.bypassedBecause, null);
});

test('a client who wants a new answer gets one, which others may be given', () => {
  const { lines, cache } = explain({ headers: { 'cache-control': 'no-cache' } });
  assert.deepEqual([cache?.wantsNew, cache?.bypassedBecause, cache?.keys.length], [true, null, 2]);
  assert.equal(lines[1], 'this one is computed anew: the client says no-cache');
});

test('a key that the builds of models are part of is not told by one who cannot know them', () => {
  const { lines, cache } = explain({ revision: 'v2' });
  assert.deepEqual(cache?.keys, [
    { backend: 'a', key: null },
    { backend: 'b', key: null },
  ]);
  assert.match(lines[1] ?? '', /^key at a: what its replicas serve is part of it; /);
});
