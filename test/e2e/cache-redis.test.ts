import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { infer, inferred, modelOf, whichOf } from '../support/caching/live.ts';
import { eventually, pause, startGateway } from '../support/gateway-process.ts';
import { type Arrival, RawBackend } from '../support/raw-backend.ts';
import { startRedis } from '../support/redis.ts';

const scope = { after };

/** How each model is computed; the rest of them at once. */
const scripts = new Map<string, (arrival: Arrival, nth: number) => void>();
const computed = new Map<string, number>();
const backend = await RawBackend.start(scope, (arrival) => {
  const model = modelOf(arrival);
  const nth = (computed.get(model) ?? 0) + 1;
  computed.set(model, nth);
  const own = scripts.get(model);
  if (own === undefined) arrival.socket.write(inferred(arrival, nth));
  else own(arrival, nth);
});
const redis = await startRedis(scope);
const yaml = `telemetry: { log: warn }
cache: { redis: "${redis.url}", wait: 1s }
backends: [{ name: m, protocol: open-inference, models: ["*"], replicas: [{ id: a, url: "${backend.url}" }] }]
routes:
  - { match: { model: "alone*" }, to: [{ backend: m }], cache: { fresh: 10m } }
  - { match: { model: "*" }, to: [{ backend: m }], cache: { fresh: 10m }, coalesce: true }
`;
const [first, second] = await Promise.all([startGateway(scope, yaml), startGateway(scope, yaml)]);
const isReady = async (): Promise<boolean> => {
  const told = await Promise.all(
    [first, second].map(async ({ admin }) => (await fetch(`${admin}/api/backends`)).text()),
  );
  return told.every((one) => !/starting/.test(one));
};
await eventually('ready', isReady);

let names = 0;
const newModel = (script?: (arrival: Arrival, nth: number) => void, kind = 'm'): string => {
  const model = `${kind}${names++}`;
  if (script !== undefined) scripts.set(model, script);
  return model;
};
const at = (gateway: typeof first, model: string, headers: Record<string, string> = {}, id?: string) =>
  infer(gateway.client, { model, headers, ...(id === undefined ? {} : { id }) });
const namesInRedis = async (): Promise<string[]> => (await redis.client.keys('headgate:*-*')).filter(isAnswer);
const isAnswer = (name: string): boolean => /^headgate:[0-9a-f]{8}-/.test(name);

describe('gateways that share a Redis', () => {
  it('give what another one has computed, each with the id of who asks', async () => {
    const model = newModel();
    const own = await at(first, model, {}, 'one');
    const other = await at(second, model, {}, 'two');
    assert.deepEqual([own.json.id, own.cache], ['one', 'fwd=miss; stored']);
    assert.deepEqual([other.json.id, whichOf(other), other.cache], ['two', 1, 'hit']);
    assert.equal(await second.metric('headgate_cache_requests_total', { result: 'hit', store: 'redis' }), 1);
  });

  it('compute anew for who wants that, though another one has an answer', async () => {
    for (const model of [newModel(), newModel(undefined, 'alone')]) {
      await at(first, model);
      const renewed = await at(second, model, { 'cache-control': 'no-cache' });
      assert.deepEqual([whichOf(renewed), renewed.cache], [2, 'fwd=request; stored'], model);
    }
  });

  it('tell only who has an answer already that it has', async () => {
    const model = newModel();
    await at(first, model);
    const etag = (await at(first, model)).header('etag') ?? '';
    // The first of them asks Redis for all.
    const asked = [etag, '"other"', etag, ''].map((known) =>
      at(second, model, known === '' ? {} : { 'if-none-match': known }),
    );
    const got = await Promise.all(asked);
    assert.deepEqual(
      got.map(({ status }) => status),
      [304, 200, 304, 200],
    );
    assert.deepEqual(
      [got[1], got[3]].map((one) => one && whichOf(one)),
      [1, 1],
    );
    const single = newModel(undefined, 'alone');
    await at(first, single);
    assert.equal((await at(second, single, { 'if-none-match': '*' })).status, 304);
  });

  it('have nothing there any more that one of them was told to forget', async () => {
    const [kept, gone] = [newModel(), newModel()];
    for (const model of [kept, gone]) await at(first, model);
    const before = (await namesInRedis()).length;
    assert.deepEqual(await first.change(`/api/cache/purge?model=${gone}`), { purged: 1 });
    assert.equal((await namesInRedis()).length, before - 1);
    assert.deepEqual([(await at(second, kept)).cache, (await at(second, gone)).cache], ['hit', 'fwd=miss; stored']);
    await first.change('/api/cache/purge?all=true');
    assert.deepEqual(await namesInRedis(), []);
  });

  it('take nothing that was changed there', async () => {
    const model = newModel();
    await first.change('/api/cache/purge?all=true');
    await at(first, model);
    const [name = ''] = await namesInRedis();
    const good = (await redis.client.getBuffer(name)) ?? assert.fail('nothing was kept');
    good.writeUInt8(good.readUInt8(good.length - 5) ^ 1, good.length - 5);
    await redis.client.set(name, good);
    const got = await at(second, model);
    assert.deepEqual([got.status, whichOf(got), got.cache], [200, 2, 'fwd=miss; stored']);
    assert.ok((await second.metric('headgate_cache_faults_total', { kind: 'junk' })) > 0);
  });

  it('do not queue for what cannot be shared', async () => {
    const large = 'x'.repeat(2 * 1024 * 1024);
    const model = newModel((arrival) => setTimeout(() => arrival.socket.write(inferred(arrival, large)), 300));
    const sentAtMs = performance.now();
    // One after the other would take as long as there are.
    const got = await Promise.all([first, second, first, second].map((gateway) => at(gateway, model)));
    assert.deepEqual(new Set(got.map(({ status }) => status)), new Set([200]));
    const again = await Promise.all([first, second].map((gateway) => at(gateway, model)));
    assert.doesNotMatch(again.map(({ cache }) => cache).join(), /hit/);
    assert.ok(performance.now() - sentAtMs < 5_000);
  });

  it('go on without Redis when it is gone, and leave nothing that waits', async () => {
    const model = newModel();
    redis.process.kill('SIGKILL');
    await pause(50);
    const got = await Promise.all([first, second].map((gateway) => at(gateway, model)));
    assert.deepEqual(
      got.map(({ status, cache }) => [status, cache]),
      got.map(() => [200, 'fwd=miss; stored']),
    );
    assert.equal((await at(first, model)).cache, 'hit');
    await startRedis(scope, { port: redis.port });
    const back = newModel();
    await eventually('shared again', async () => {
      const own = `${back}-${Math.random()}`;
      await at(first, own);
      return (await at(second, own)).cache === 'hit';
    });
  });
});
