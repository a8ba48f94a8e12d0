import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Reloading } from '../support/reloading.ts';
import type { Script } from '../support/simulated-replica.ts';

const everyMs = 1000;

interface Written {
  readonly models?: string;
  readonly route?: string;
  readonly protocol?: string;
}

/** Two replicas, a and b, whose answers are kept unless the route says otherwise. */
function pool({ models = 'm', route = 'cache: { fresh: 1h }', protocol = 'open-inference' }: Written = {}): string {
  return `backends: [{ name: pool, protocol: ${protocol}, models: [${models}], health: { every: ${everyMs}ms, path: /health/x }, replicas: [{ id: a, url: "http://a" }, { id: b, url: "http://b" }] }]
routes: [{ to: [{ backend: pool }], ${route} }]`;
}

const saying = (text: string): Script => ({ pieces: [{ afterMs: 0, bytes: Buffer.from(text) }] });

/** A digest: all say the same. */
const revised = /^[\w-]{43}$/;

class Revising extends Reloading {
  constructor(yaml: string, a: Script = saying('one'), b: Script = a) {
    super(yaml);
    this.metadata.set('a', a).set('b', b);
  }

  revision(model = 'm'): string {
    const [backend = assert.fail()] = this.current.backends;
    return backend.revisions.of(model);
  }

  /** What a host was asked about models, in order. */
  questions(host: string): string[] {
    return (this.seen.get(host) ?? []).flatMap(({ path }) => (path.startsWith('/v2/') ? [path] : []));
  }
}

async function started(...args: ConstructorParameters<typeof Revising>): Promise<Revising> {
  const play = new Revising(...args);
  await play.pass(50);
  return play;
}

describe('the revision of a model whose answers are kept', () => {
  it('is known as soon as its replicas are ready', async () => {
    const play = await started(pool());
    assert.equal(play.replica('pool/a').standing, 'ready');
    assert.match(play.revision(), revised);
    assert.deepEqual(play.questions('a'), ['/v2/models/m']);
  });

  it('is asked for by the name that replicas know', async () => {
    const play = await started(pool({ models: 'x, { name: m, upstream: "n/1" }, "p*"' }));
    assert.deepEqual(play.questions('b'), ['/v2/models/x', '/v2/models/n%2F1']);
  });

  it('is another one while some replicas serve another build, and when all do', async () => {
    const play = await started(pool());
    const before = play.revision();
    play.metadata.set('a', saying('two'));
    await play.pass(everyMs + 50);
    const between = play.revision();
    play.metadata.set('b', saying('two'));
    await play.pass(everyMs + 50);
    const after = play.revision();
    assert.equal(new Set([before, between, after]).size, 3);
    assert.match(before, revised);
    assert.match(after, revised);
  });

  it('is known by the first request that a replica gets which comes back with another build', async () => {
    const play = await started(pool());
    const before = play.revision();
    play.health.set('a', { status: 503 });
    await play.pass(4 * everyMs);
    assert.equal(play.replica('pool/a').standing, 'unready');
    assert.equal(play.revision(), before);
    play.metadata.set('a', { ...saying('two'), headAfterMs: 500 });
    play.health.delete('a');
    const seen: unknown[] = [];
    play.replica('pool/a').changed.subscribe(({ standing }) => seen.push([standing, play.revision() === before]));
    await play.pass(4 * everyMs);
    assert.deepEqual(seen[0], ['ready', false]);
  });

  it('stays what it was while a replica is away or cannot say, which makes none unready', async () => {
    const play = await started(pool());
    const before = play.revision();
    for (const script of [{ status: 500 }, { headAfterMs: Number.POSITIVE_INFINITY }, { refusesAfterMs: 1 }]) {
      play.metadata.set('a', script).set('b', script);
      await play.pass(4 * everyMs);
      assert.equal(play.revision(), before);
      assert.equal(play.replica('pool/a').standing, 'ready');
    }
    play.health.set('a', { status: 503 }).set('b', { status: 503 });
    await play.pass(4 * everyMs);
    assert.equal(play.replica('pool/a').standing, 'unready');
    assert.equal(play.revision(), before);
  });

  it('is not all known while a replica that is ready has not said it', async () => {
    const play = await started(pool(), saying('one'), { status: 500 });
    assert.equal(play.replica('pool/b').standing, 'ready');
    assert.doesNotMatch(play.revision(), revised);
    play.metadata.set('b', saying('one'));
    await play.pass(everyMs + 50);
    assert.match(play.revision(), revised);
  });

  it('is nothing where replicas tell nothing of the kind', async () => {
    assert.equal((await started(pool(), { status: 404 })).revision(), '');
  });

  it('is asked for by the first request for a model that a pattern names, which waits for it', async () => {
    const play = await started(pool({ models: '"m*"' }));
    assert.deepEqual(play.questions('a'), []);
    for (const host of ['a', 'b']) play.metadata.set(host, { ...saying('one'), headAfterMs: 100 });
    const first = play.ask('m1');
    const second = play.ask('m1');
    await play.pass(90);
    assert.deepEqual(
      [first.status, play.questions('a'), play.questions('b')],
      [null, ['/v2/models/m1'], ['/v2/models/m1']],
    );
    await play.pass(100);
    assert.deepEqual([first.status, second.status], [200, 200]);
    assert.match(play.revision('m1'), revised);
  });

  it('is asked for where answers are only shared, too, and when a reload says that they are', async () => {
    const coalescing = await started(pool({ route: 'coalesce: true' }));
    assert.deepEqual(coalescing.questions('a'), ['/v2/models/m']);
    const play = await started(pool({ route: 'deadline: 1m' }));
    assert.deepEqual(play.questions('a'), []);
    await play.reload(pool());
    await play.pass(everyMs + 50);
    assert.deepEqual(play.questions('a'), ['/v2/models/m']);
    assert.match(play.revision(), revised);
  });

  it('is nothing, and is not asked for, of another protocol', async () => {
    const play = await started(pool({ protocol: 'tf-serving' }));
    assert.equal(play.revision(), '');
    assert.deepEqual(play.questions('a'), []);
  });
});
