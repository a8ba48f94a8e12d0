import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Reloading } from '../support/reloading.ts';
import type { Script } from '../support/simulated-replica.ts';

const scrape = 'load: { scrape: { dialect: tgi, every: 100ms } }';

/** A configuration of one replica; `more` are keys of its backend. */
function pool(more = scrape, replica = 'url: "http://a"'): string {
  return `backends: [{ name: pool, protocol: open-inference, models: [m], replicas: [{ id: a, ${replica} }], ${more} }]`;
}

const tgi: Script = { pieces: [{ afterMs: 0, bytes: Buffer.from('tgi_queue_size 7\n') }] };

async function started(yaml: string, script: Script = tgi): Promise<Reloading> {
  const play = new Reloading(yaml, { script: () => script });
  await play.pass(500);
  return play;
}

async function reloaded(play: Reloading, yaml: string): Promise<void> {
  const done = play.reload(yaml);
  await play.pass(50);
  await done;
}

/** How often a page was asked for while some time passes. */
async function readings(play: Reloading, forMs: number, host = 'a', path = '/metrics'): Promise<number> {
  const count = (): number => (play.seen.get(host) ?? []).filter((one) => one.path === path).length;
  const before = count();
  await play.pass(forMs);
  return count() - before;
}

describe('a replica whose metrics page is read', () => {
  it('tells its load so', async () => {
    const play = await started(pool());
    const { state } = play.replica('pool/a');
    assert.deepEqual([state.report?.queued, state.reportSource], [7, 'scrape']);
    assert.equal(await readings(play, 1000), 10);
  });

  it('is not asked while it is not ready, and again when it is', async () => {
    const play = await started(pool(`${scrape}, health: { every: 1s, unhealthy: 1, healthy: 1 }`));
    play.replica('pool/a').state.drain();
    assert.equal(await readings(play, 1000), 0, 'it is drained');
    play.replica('pool/a').state.undrain();
    assert.equal(await readings(play, 1000), 10);
    play.health.set('a', { status: 503 });
    await play.pass(1100);
    assert.equal(await readings(play, 1000), 0, 'its health check fails');
    play.health.delete('a');
    await play.pass(1100);
    assert.equal(await readings(play, 1000), 10);
  });

  it('is read as a reload has it, with the headers that hold by then, and no more when it has none', async () => {
    const play = await started(pool());
    await reloaded(play, pool('load: { scrape: { dialect: tgi, path: /other, every: 500ms } }'));
    assert.equal(await readings(play, 1000), 0);
    assert.equal(await readings(play, 1000, 'a', '/other'), 2);
    await reloaded(play, pool(scrape, 'url: "http://a", headers: { x-key: new }'));
    await play.pass(200);
    assert.ok(play.seen.get('a')?.at(-1)?.headers.includes('new'));
    await reloaded(play, pool(''));
    assert.equal(await readings(play, 1000), 0);
    assert.deepEqual(play.links, ['opened a'], 'the page comes over the connections of requests');
    assert.deepEqual(play.leftovers(), []);
  });

  it('may have it on another port, with connections of its own that close with it', async () => {
    const onPort = pool('load: { scrape: { dialect: tgi, port: 8002, every: 100ms } }', 'url: "http://a/prefix"');
    const play = await started(onPort);
    assert.equal(play.replica('pool/a').report?.queued, 7);
    assert.equal(await readings(play, 1000, 'a:8002'), 10, 'and there without the prefix of the url');
    await reloaded(play, pool('', 'url: "http://a/prefix"'));
    assert.deepEqual(play.links, ['opened a', 'opened a:8002', 'closed a:8002']);
    assert.equal(await readings(play, 1000, 'a:8002'), 0);
  });

  it('is asked no more when it is removed', async () => {
    const play = await started(pool());
    await reloaded(play, pool(scrape, 'url: "http://b"'));
    assert.equal(await readings(play, 1000), 0);
    assert.deepEqual(play.leftovers(), []);
    await play.generations.close();
    await play.pass(1000);
    assert.equal(play.clock.pending, 0);
  });
});

it('an idle replica tells its load with its health checks, where reports are wanted', async () => {
  for (const wanted of [true, false]) {
    const play = new Reloading(pool(`load: { report: ${wanted} }`), {});
    play.health.set('a', { headers: { 'endpoint-load-metrics': 'TEXT named_metrics.queued=2' } });
    await play.pass(6000);
    const { state } = play.replica('pool/a');
    assert.deepEqual([state.report?.queued ?? null, state.reportSource], wanted ? [2, 'probe'] : [null, null]);
    const headers = play.seen.get('a')?.[0]?.headers ?? [];
    assert.equal(headers.includes('endpoint-load-metrics-format'), wanted);
  }
});
