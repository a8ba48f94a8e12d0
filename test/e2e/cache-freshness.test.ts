import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { infer, inferred, modelOf, whichOf } from '../support/caching/live.ts';
import { repetitions } from '../support/counts.ts';
import { eventually, pause, startGateway } from '../support/gateway-process.ts';
import { OpenLoop } from '../support/open-loop.ts';
import { type Arrival, answer, RawBackend } from '../support/raw-backend.ts';

const scope = { after };
const freshMs = repetitions({ quick: 200, full: 300 });
const expiries = repetitions({ quick: 4, full: 10 });
const everyMs = 1000 / repetitions({ quick: 200, full: 1000 });

/** How each model is computed; the rest of them at once. */
const scripts = new Map<string, (arrival: Arrival, nth: number) => unknown>();
const counts = new Map<string, number>();

const script = (arrival: Arrival): void => {
  const model = modelOf(arrival);
  const nth = (counts.get(model) ?? 0) + 1;
  counts.set(model, nth);
  const own = scripts.get(model);
  if (own === undefined) arrival.socket.write(inferred(arrival, nth));
  else own(arrival, nth);
};
const backend = await RawBackend.start(scope, script);
const mortal = await RawBackend.start(scope, script);
const at = (name: string, { url }: RawBackend, more = ''): string =>
  `  - { name: ${name}, protocol: open-inference, models: ["${name}*"], replicas: [{ id: r, url: "${url}" }]${more} }\n`;
const gateway = await startGateway(
  scope,
  `telemetry: { log: warn }
backends:
${at('m', backend)}${at('hot', backend)}${at('broken', backend, ', breaker: { consecutive: 1000 }')}${at('mortal', mortal)}${at('late', backend)}${at('drained', backend)}routes:
  - { match: { model: "hot*" }, to: [{ backend: hot }], cache: { fresh: ${freshMs}ms, stale_while_revalidate: 10s } }
  - { match: { model: "broken-short" }, to: [{ backend: broken }], cache: { fresh: 1ms, stale_if_error: 300ms } }
  - { match: { model: "broken*" }, to: [{ backend: broken }], cache: { fresh: 1ms, stale_if_error: 1h } }
  - { match: { model: "mortal*" }, to: [{ backend: mortal }], cache: { fresh: 1ms, stale_if_error: 1h }, coalesce: true }
  - { match: { model: "late" }, to: [{ backend: late }], cache: { fresh: 1ms, stale_if_error: 1h } }
  - { match: { model: "late*" }, to: [{ backend: late }], cache: { fresh: 1ms, stale_if_error: 1h }, coalesce: true }
  - { match: { model: "drained" }, to: [{ backend: drained }], cache: { fresh: 1ms, stale_if_error: 1h } }
  - { match: { model: "m*" }, to: [{ backend: m }], cache: { fresh: 10m, stale_if_error: 1h }, coalesce: true }
`,
);
await eventually(
  'all are ready',
  async () => !/starting/.test(await (await fetch(`${gateway.admin}/api/backends`)).text()),
);

const ask = (model: string, headers: Record<string, string> = {}) => infer(gateway.client, { model, headers });

/** What was kept is no longer fresh. */
async function kept(model: string): Promise<void> {
  const first = await ask(model);
  assert.deepEqual([first.status, first.cache, whichOf(first)], [200, 'fwd=miss; stored', 1]);
  await pause(5);
}

describe('an answer that everybody asks for', () => {
  it(`is computed at most twice at each of ${expiries} expiries, and nobody waits for that`, async () => {
    const atMs: number[] = [];
    const got: Awaited<ReturnType<typeof ask>>[] = [];
    let isOver = false;
    scripts.set('hot', async (arrival, nth) => {
      atMs.push(performance.now());
      const answered = got.length;
      // Were one of them to wait for this, it would never come.
      if (nth > 1)
        await eventually('others are answered meanwhile', () => isOver || got.length > answered + 20, 60_000);
      arrival.socket.write(inferred(arrival, nth));
    });
    await ask('hot');
    const load = new OpenLoop(everyMs, async () => {
      got.push(await ask('hot'));
    });
    await eventually('it has expired so often', () => atMs.length > expiries, 60_000);
    isOver = true;
    await load.stop();
    const outcomes = new Set(got.map(({ status, cache }) => `${status} ${cache}`));
    assert.deepEqual([...outcomes], ['200 hit']);
    const within = atMs.map((one) => atMs.filter((each) => each >= one && each < one + freshMs).length);
    assert.ok(Math.max(...within) <= 2, JSON.stringify(within));
  });
});

describe('an answer that is kept is given instead of', () => {
  it('an answer that says the replica failed, and a 4xx is passed on', async () => {
    await kept('broken');
    for (const status of [500, 502, 503, 504, 501, 404]) {
      scripts.set('broken', ({ socket }) => socket.write(answer(`${status} So`, '{}', 'retry-after: 0')));
      const got = await ask('broken');
      if (status === 501 || status === 404) assert.deepEqual([got.status, got.cache], [status, 'fwd=stale']);
      else assert.deepEqual([got.status, whichOf(got), got.cache], [200, 1, 'fwd=stale'], `${status}`);
      if (got.status === 200) assert.match(got.header('cache-status') ?? '', /fwd=stale; ttl=-\d/);
      await pause(150);
    }
    scripts.delete('broken');
    const recovered = await ask('broken');
    assert.deepEqual([recovered.status, recovered.cache], [200, 'fwd=stale; stored']);
    assert.ok(Number(whichOf(recovered)) > 6);
  });

  it('one for whoever wants a new one: it gets the error', async () => {
    await kept('broken-2');
    scripts.set('broken-2', ({ socket }) => socket.write(answer('500 So', '{}')));
    const got = await ask('broken-2', { 'cache-control': 'no-cache' });
    assert.deepEqual([got.status, got.cache], [500, 'fwd=request']);
  });

  it('an error, no longer than it may be', async () => {
    await kept('broken-short');
    scripts.set('broken-short', ({ socket }) => socket.write(answer('500 So', '{}')));
    assert.equal((await ask('broken-short')).status, 200);
    await pause(300);
    const got = await ask('broken-short');
    assert.deepEqual([got.status, got.cache], [500, 'fwd=miss']);
  });

  it('one that does not come in time, for each of those who wait', async () => {
    for (const model of ['late-together', 'late']) {
      await kept(model);
      scripts.set(model, () => {});
      const hurried = { 'x-request-timeout-ms': '200' };
      const got = await Promise.all(Array.from({ length: 5 }, () => ask(model, hurried)));
      for (const one of got) assert.deepEqual([one.status, whichOf(one), one.cache], [200, 1, 'fwd=stale'], model);
    }
  });

  it('one of a backend that is down, and of one that has nobody', async () => {
    await kept('mortal');
    await kept('drained');
    mortal.close();
    await gateway.change('/api/replicas/drained/r/drain');
    const got = await Promise.all(Array.from({ length: 10 }, (_, n) => ask(n % 2 === 0 ? 'mortal' : 'drained')));
    for (const one of got) assert.deepEqual([one.status, whichOf(one), one.cache], [200, 1, 'fwd=stale']);
    const never = await infer(gateway.client, { model: 'drained', x: 2 });
    assert.deepEqual([never.status, never.cache], [503, 'fwd=miss']);
    assert.ok((await gateway.metric('headgate_cache_requests_total', { result: 'stale', store: 'memory' })) >= 10);
  });
});

describe('a client', () => {
  it('that wants a new answer has it computed, and others get that', async () => {
    assert.equal(whichOf(await ask('m1')), 1);
    const renewed = await ask('m1', { 'cache-control': 'no-cache' });
    assert.deepEqual([whichOf(renewed), renewed.cache], [2, 'fwd=request; stored']);
    const later = await ask('m1');
    assert.deepEqual([whichOf(later), later.cache], [2, 'hit']);
  });

  it('that wants nothing stored has its own, and others do not get that', async () => {
    assert.equal(whichOf(await ask('m2')), 1);
    scripts.set('m2', (arrival, nth) => setTimeout(() => arrival.socket.write(inferred(arrival, nth)), 100));
    const own = await Promise.all([1, 2].map(() => ask('m2', { 'cache-control': 'no-store' })));
    assert.deepEqual([...own.map(whichOf)].toSorted(), [2, 3]);
    assert.deepEqual(
      own.map(({ cache }) => cache),
      ['fwd=bypass', 'fwd=bypass'],
    );
    const later = await ask('m2');
    assert.deepEqual([whichOf(later), later.cache], [1, 'hit']);
  });

  it('that has an answer already is told so, and only if it has that one', async () => {
    await ask('m3');
    const hit = await ask('m3');
    const etag = hit.header('etag') ?? '';
    assert.match(etag, /^W\/"[\w-]+"$/);
    const known = await ask('m3', { 'if-none-match': `"other", ${etag}` });
    assert.deepEqual([known.status, known.text, known.cache, known.header('etag')], [304, '', 'hit', etag]);
    const unknown = await ask('m3', { 'if-none-match': '"other"' });
    assert.deepEqual([unknown.status, whichOf(unknown)], [200, 1]);
    // It goes to no replica: what is computed comes whole.
    const other = await infer(gateway.client, { model: 'm3', x: 2, headers: { 'if-none-match': '*' } });
    assert.deepEqual([other.status, other.cache], [200, 'fwd=miss; stored']);
  });

  it('that asks why is told by which key an answer is kept', async () => {
    const plain = await ask('m4');
    assert.equal(plain.header('cache-status')?.includes('key='), false);
    const got = await ask('m4', { 'x-headgate-explain': '1' });
    const key = /^headgate; hit; ttl=\d+; key="([\w-]+)"$/.exec(got.header('cache-status') ?? '')?.[1];
    assert.deepEqual(await gateway.change(`/api/cache/purge?key=${key}`), { purged: 1 });
    assert.equal((await ask('m4')).cache, 'fwd=miss; stored');
  });
});
