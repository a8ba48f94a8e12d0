import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { untold } from '../../gateway/balance/model-revisions.ts';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import { jsonReply } from '../../gateway/pipeline/reply.ts';
import { openai } from '../../gateway/protocols/openai.ts';
import { share } from '../../gateway/stages/share.ts';
import type { AskedSpec } from '../support/caching/asked.ts';
import { askedOn, type RulesSpec } from '../support/caching/shared-route.ts';
import { SharingPath } from '../support/caching/sharing-path.ts';

describe('a request shares', () => {
  const cachesOf = async (headers: Record<string, string>): Promise<string[]> => {
    const path = new SharingPath();
    const got = await path.askAll([{ headers }, { headers }]);
    return got.map(({ cache }) => cache);
  };

  it('what those who ask the same get', async () => {
    assert.deepEqual(await cachesOf({}), ['fwd=miss; stored', 'fwd=miss; collapsed']);
    assert.deepEqual(await cachesOf({ 'x-other': '1', connection: 'keep-alive, te' }), [
      'fwd=miss; stored',
      'fwd=miss; collapsed',
    ]);
  });

  it('nothing where it says so', async () => {
    assert.deepEqual(await cachesOf({ 'cache-control': 'no-store' }), ['fwd=bypass', 'fwd=bypass']);
  });

  it('nothing where a header of its key goes no further', async () => {
    const headers = { 'accept-language': 'fr', connection: 'close, Accept-Language' };
    assert.deepEqual(await cachesOf(headers), ['fwd=bypass', 'fwd=bypass']);
  });
});

/** What the stage finds out of a request, which is passed on in any case. */
async function shared(
  spec: AskedSpec = {},
  rules: RulesSpec | null = {},
  change: (exchange: Exchange) => void = () => {},
) {
  const exchange = askedOn(rules, spec);
  change(exchange);
  const passed: Exchange[] = [];
  const reply = jsonReply(200, {}, 'upstream');
  const serve = share().wrap(async (one) => {
    passed.push(one);
    return reply;
  });
  assert.equal(await serve(exchange), reply);
  assert.deepEqual(passed, [exchange]);
  const { sharing, journal } = exchange;
  return { key: sharing?.key ?? null, wish: sharing?.wish ?? null, cache: journal.cache };
}

const chat = (body: object): AskedSpec => ({
  protocol: openai,
  operation: 'chat',
  body: JSON.stringify({ model: 'm', messages: [], ...body }),
});

const bypass = { key: null, wish: null, cache: { kind: 'forwarded', why: 'bypass' } };

describe('a request that may share its answer', () => {
  it('has a key, and is a miss until something is found', async () => {
    const { key, wish, cache } = await shared();
    assert.match(key ?? '', /^[0-9a-f]{8}-[0-9a-f]{8}-[\w-]{43}$/);
    assert.equal(wish, 'any');
    assert.deepEqual(cache, { kind: 'forwarded', why: 'miss' });
  });

  it('has a key where it wants a new answer, too: others may be given that', async () => {
    for (const said of ['no-cache', 'max-age=0', 'No-Cache, foo']) {
      const { key, wish, cache } = await shared({ headers: { 'cache-control': said } });
      assert.equal(key, (await shared()).key);
      assert.equal(wish, 'new');
      assert.deepEqual(cache, { kind: 'forwarded', why: 'request' });
    }
  });

  it('has another key for another tenant, unless the route is for everyone', async () => {
    const keys = async (rules: RulesSpec) => [
      (await shared({ tenant: 't' }, rules)).key,
      (await shared({ tenant: 'u' }, rules)).key,
    ];
    const [one, other] = await keys({});
    assert.notEqual(one, other);
    const [first, second] = await keys({ isForEveryone: true });
    assert.equal(first, second);
  });

  it('has another key by another revision: of the route, or of what the replicas serve', async () => {
    const serving = (revision: string) => (exchange: Exchange) => {
      const { choice } = exchange;
      exchange.choice = {
        ...choice,
        backend: { ...choice.backend, revisions: { ...untold, of: (model) => `${model}@${revision}` } },
      };
    };
    const keys = [
      await shared(),
      await shared({}, { revision: '2' }),
      await shared({}, {}, serving('1')),
      await shared({}, {}, serving('2')),
      await shared({ upstreamModel: 'n' }, {}, serving('2')),
    ].map(({ key }) => key);
    assert.equal(new Set(keys).size, 5);
    assert.ok(!keys.includes(null));
  });

  it('leaves nothing to chance, or its route says that chance is no matter', async () => {
    assert.deepEqual(await shared(chat({})), bypass);
    assert.deepEqual(await shared(chat({ temperature: 0.7 })), bypass);
    for (const fixed of [{ temperature: 0 }, { seed: 7 }]) assert.notEqual((await shared(chat(fixed))).key, null);
    assert.notEqual((await shared(chat({}), { isForSampled: true })).key, null);
  });
});

const alone: Readonly<Record<string, readonly [AskedSpec, (RulesSpec | null)?]>> = {
  'its client says no-store': [{ headers: { 'cache-control': 'no-store' } }],
  'a header of its key goes no further': [{ headers: { accept: 'a/b', connection: 'keep-alive, Accept' } }],
  'its client says no-store and no-cache': [{ headers: { 'cache-control': 'no-cache, no-store' } }],
  'more than it decides the answer': [{ body: '{"parameters":{"sequence_id":1}}' }],
  'it asks about a model': [{ operation: 'metadata' }],
  'it says something twice': [{ body: '{"inputs":[],"inputs":[]}' }],
  'it is no JSON': [{ body: '{' }],
  'its route shares nothing': [{}, null],
};

for (const [why, args] of Object.entries(alone)) {
  it(`a request shares nothing where ${why}, and is passed on`, async () => {
    assert.deepEqual(await shared(...args), bypass);
  });
}

describe('a request for a model that nobody has asked for before', () => {
  const waiting = () => {
    const asking = Promise.withResolvers<void>();
    const exchange = askedOn({});
    const { choice } = exchange;
    let revision = 'unsaid';
    const revisions = { of: () => revision, meet: () => asking.promise };
    exchange.choice = { ...choice, backend: { ...choice.backend, revisions } };
    const passed: Exchange[] = [];
    const answering = share().wrap(async (one) => {
      passed.push(one);
      return jsonReply(200, {}, 'upstream');
    })(exchange);
    const say = (what: string): void => {
      revision = what;
      asking.resolve();
    };
    return { exchange, passed, answering, say };
  };

  it('waits until the replicas have been asked what they serve', async () => {
    const { exchange, passed, answering, say } = waiting();
    await Promise.resolve();
    assert.deepEqual([passed, exchange.sharing], [[], null]);
    say('v1');
    await answering;
    const other = waiting();
    other.say('v2');
    await other.answering;
    assert.equal(passed.length, 1);
    assert.notEqual(exchange.sharing?.key, other.exchange.sharing?.key);
  });

  it('waits no longer than its client does', async () => {
    const { exchange, passed, answering, say } = waiting();
    exchange.cancellation.cancel(new GatewayError('client_left', 'left'));
    await assert.rejects(answering, { code: 'client_left' });
    say('v1');
    assert.deepEqual(passed, []);
  });
});
