import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type CacheKey,
  cacheKey,
  isAmong,
  type KeyRules,
  type Keys,
  patternOf,
  sharedHeaders,
} from '../../gateway/cache/key.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import { type AskedSpec, keyOf, newAsked } from '../support/caching/asked.ts';

const tenantsOwn: KeyRules = { revision: '1', isForEveryone: false };
const everyones: KeyRules = { ...tenantsOwn, isForEveryone: true };
const body = '{"id":"1","inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}';
const base: AskedSpec = { body, headers: { 'content-type': 'application/json' }, version: '3', query: '?a=1' };

describe('a key', () => {
  it('is another wherever anything but the content is that decides the answer', () => {
    const others: readonly [string, AskedSpec, KeyRules?][] = [
      ['route', { ...base, route: 'routes[1]' }],
      ['backend', { ...base, backend: 'another' }],
      ['model', { ...base, model: 'another' }],
      ['version', { ...base, version: '4' }],
      ['no version', { body, headers: base.headers ?? {}, query: '?a=1' }],
      ['model upstream', { ...base, upstreamModel: 'another' }],
      ['revision', base, { ...tenantsOwn, revision: '2' }],
      ['tenant', { ...base, tenant: 'another' }],
      ['everybody’s', base, everyones],
      ['query', { ...base, query: '?a=2' }],
      ['operation', { ...base, operation: 'generate' }],
    ];
    const keys = [base, ...others.map(([, spec]) => spec)].map((spec, at) =>
      keyOf(spec, others[at - 1]?.[2] ?? tenantsOwn),
    );
    assert.ok(keys.every((key) => key !== null));
    for (const [at, [what]] of others.entries())
      assert.ok(!keys.toSpliced(at + 1, 1).includes(keys[at + 1] ?? assert.fail()), `another ${what}, the same key`);
  });

  it('is another with each of the headers that go upstream, and with no other', () => {
    const withHeader = (name: string, value: string) => keyOf({ ...base, headers: { ...base.headers, [name]: value } });
    for (const name of sharedHeaders.filter((one) => one !== 'inference-header-content-length')) {
      assert.notEqual(withHeader(name, 'x'), keyOf(base), name);
      assert.notEqual(withHeader(name, 'x'), withHeader(name, 'y'), name);
    }
    assert.equal(withHeader('accept', '*/*'), keyOf(base), 'who accepts anything asks for no more');
    for (const name of [
      'host',
      'accept-encoding',
      'x-forwarded-for',
      'x-forwarded-host',
      'authorization',
      'cookie',
      'x-request-id',
      'user-agent',
      'cache-control',
      'x-whatever',
    ])
      assert.equal(withHeader(name, 'x'), keyOf(base), name);
  });

  it('does not mistake a part for another: what runs out of one runs into none', () => {
    const spec = (route: string, backend: string): AskedSpec => ({ ...base, route, backend });
    const pairs = [spec('a', 'bc'), spec('ab', 'c'), spec('a","b', 'c'), spec('a', 'b","c'), spec('', 'abc')];
    assert.equal(new Set(pairs.map((pair) => keyOf(pair))).size, pairs.length);
  });

  it('is the same for every tenant only where the route shares with everyone', () => {
    const keys = (sharing: KeyRules) => new Set(['a', 'b', 'c'].map((tenant) => keyOf({ ...base, tenant }, sharing)));
    assert.equal(keys(tenantsOwn).size, 3);
    assert.equal(keys(everyones).size, 1);
  });

  it('is another for tenants whose marks are the same by chance', () => {
    const [one, another] = ['plumless', 'buckeroo'].map((tenant) => keyOf({ ...base, tenant }) ?? assert.fail());
    assert.equal(one?.slice(0, 18), another?.slice(0, 18));
    assert.notEqual(one, another);
  });

  it('is none where the content has no form to compare', () => {
    for (const bad of ['{"id":1,"id":2}', '{"x":9007199254740993}', 'no JSON', ''])
      assert.equal(keyOf({ ...base, body: bad }), null, bad);
  });
});

describe('keys', () => {
  const all = ['m', 'n'].flatMap((model) =>
    ['s', 't'].map((tenant) => ({ model, tenant, key: keyed({ ...base, model, tenant }) })),
  );

  it('are found by model, by tenant, by both, and by nothing at all', () => {
    const found = (keys: Keys) => all.flatMap(({ model, tenant, key }) => (isAmong(key, keys) ? [model + tenant] : []));
    assert.deepEqual(found({}), ['ms', 'mt', 'ns', 'nt']);
    assert.deepEqual(found({ model: 'm' }), ['ms', 'mt']);
    assert.deepEqual(found({ tenant: 't' }), ['mt', 'nt']);
    assert.deepEqual(found({ model: 'n', tenant: 's' }), ['ns']);
    assert.deepEqual(found({ key: all[0]?.key ?? '' }), ['ms']);
    assert.deepEqual(found({ key: all[0]?.key ?? '', model: 'n' }), []);
    assert.deepEqual(found({ model: 'x' }), []);
  });

  it('are found by the pattern of the same', () => {
    for (const keys of [{}, { model: 'm' }, { tenant: 't' }, { model: 'n', tenant: 's' }]) {
      const pattern = new RegExp(`^${patternOf(keys).replaceAll('?', '.').replace('*', '.*')}$`);
      for (const { key } of all) assert.equal(pattern.test(key), isAmong(key, keys), `${key} ${pattern}`);
    }
  });
});

function keyed(spec: AskedSpec): CacheKey {
  return keyOf(spec) ?? assert.fail('no key');
}

it('a key is made only of what is read, so that asking for it changes nothing', () => {
  const exchange: Exchange = newAsked(base);
  const identity = exchange.protocol.identity(exchange.head, exchange.ask.content) ?? assert.fail();
  const before = Buffer.from(exchange.ask.content);
  assert.equal(cacheKey(exchange, identity, tenantsOwn), cacheKey(exchange, identity, tenantsOwn));
  assert.deepEqual(Buffer.from(exchange.ask.content), before);
});
