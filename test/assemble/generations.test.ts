import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Reloading } from '../support/reloading.ts';

interface Written {
  readonly name?: string;
  readonly replicas: readonly string[];
  readonly more?: string;
}

/** A configuration of one backend, with the model `m` and replicas at hosts; `more` are keys of the backend. */
function pool({ name = 'pool', replicas, more = '' }: Written): string {
  const all = replicas.map((one) => (one.startsWith('{') ? one : `{ id: ${one}, url: "http://${one}" }`)).join(', ');
  return `backends: [{ name: ${name}, protocol: open-inference, models: [m], replicas: [${all}], ${more} }]`;
}

async function started(yaml: string, options: ConstructorParameters<typeof Reloading>[1] = {}): Promise<Reloading> {
  const play = new Reloading(yaml, options);
  await play.pass(50);
  return play;
}

/** Reloads, and lets the new replicas show themselves. */
async function reloaded(play: Reloading, yaml: string): Promise<void> {
  const done = play.reload(yaml);
  await play.pass(50);
  await done;
}

const slow = { script: () => ({ headAfterMs: 1000 }) };

describe('a replica that stays', () => {
  for (const [what, before, after, name] of [
    [
      'another weight, slots and headers',
      'a',
      '{ id: a, url: "http://a", weight: 2, slots: 3, headers: { x: y } }',
      'a',
    ],
    ['another id', 'a', '{ id: b, url: "http://a" }', 'b'],
  ] as const) {
    it(`keeps its state and its connections with ${what}`, async () => {
      const play = await started(pool({ replicas: [before] }), slow);
      const { state, meter } = play.replica(`pool/${before}`);
      const asked = play.ask();
      await play.pass();
      await reloaded(play, pool({ replicas: [after] }));
      const replica = play.replica(`pool/${name}`);
      assert.equal(replica.state, state);
      assert.equal(replica.meter, meter);
      assert.deepEqual([replica.standing, replica.slot.inFlight], ['ready', 1]);
      await play.pass(1000);
      assert.equal(asked.status, 200);
      assert.deepEqual(play.links, ['opened a']);
      assert.deepEqual(play.leftovers(), []);
    });
  }

  it('is the same under another name of its backend', async () => {
    const play = await started(pool({ replicas: ['a'] }));
    const { state } = play.replica('pool/a');
    await reloaded(play, pool({ name: 'other', replicas: ['a'] }));
    assert.equal(play.replica('other/a').state, state);
    assert.deepEqual(play.leftovers(), []);
  });

  it('serves those who wait for it under its new name as soon as one who came before is done with it', async () => {
    const one = '{ id: a, url: "http://a", slots: 1 }';
    const play = await started(pool({ replicas: [one] }), slow);
    play.ask();
    play.ask();
    await play.pass();
    await reloaded(play, pool({ name: 'other', replicas: [one] }));
    const after = play.ask();
    await play.pass(1000);
    assert.equal(after.exchange.journal.sentAtMs, play.asked[0]?.exchange.journal.endedAtMs);
    await play.pass(1000);
    assert.equal(after.status, 200);
    assert.deepEqual(play.leftovers(), []);
  });

  it('stays drained, also when it has been away for a reload in which a request still ran on it', async () => {
    const play = await started(pool({ replicas: ['a', 'b'] }), slow);
    play.replica('pool/a').state.drain();
    await reloaded(play, pool({ replicas: ['a', 'b'], more: 'policy: p2c' }));
    assert.equal(play.replica('pool/a').standing, 'draining');
    const asked = play.ask();
    await reloaded(play, pool({ replicas: ['b'] }));
    await reloaded(play, pool({ replicas: ['a', 'b'] }));
    assert.equal(play.replica('pool/a').reason, 'drained by an operator');
    play.replica('pool/a').state.undrain();
    assert.equal(play.replica('pool/a').standing, 'ready');
    await play.pass(1000);
    assert.equal(asked.status, 200);
  });

  it('is checked anew, and stands as before until then, when its health settings are others', async () => {
    const play = await started(pool({ replicas: ['a'] }));
    play.health.set('a', { headAfterMs: 100, status: 500 });
    await reloaded(play, pool({ replicas: ['a'], more: 'health: { every: 9s }' }));
    assert.equal(play.replica('pool/a').standing, 'ready');
    await play.pass(60);
    assert.equal(play.replica('pool/a').standing, 'unready', 'the first check after it decides alone');
    assert.equal(play.seen.get('a')?.length, 2);
  });

  it('is not checked anew when anything else is another', async () => {
    const play = await started(pool({ replicas: ['a'] }));
    await reloaded(play, pool({ replicas: ['{ id: a, url: "http://a", headers: { x-key: new } }'] }));
    assert.equal(play.seen.get('a')?.length, 1);
    await play.pass(6000);
    const headers = play.seen.get('a')?.at(-1)?.headers ?? [];
    assert.equal(headers[headers.indexOf('x-key') + 1], 'new', 'the next check carries the new headers');
  });

  it('is reached over new connections when they are to be made otherwise; the old ones serve who came before', async () => {
    const play = await started(pool({ replicas: ['a'] }), slow);
    const before = play.ask();
    await play.pass();
    await reloaded(play, pool({ replicas: ['a'], more: 'timeouts: { connect: 3s }' }));
    const after = play.ask();
    await play.pass();
    assert.deepEqual(play.links, ['opened a', 'opened a']);
    await play.pass(1000);
    assert.deepEqual([before.status, after.status], [200, 200]);
    assert.deepEqual(play.links, ['opened a', 'opened a', 'closed a']);
    assert.deepEqual(play.leftovers(), []);
  });
});

describe('a replica that is removed', () => {
  it('serves those who came before, also one who waits, and ends with the last of them', async () => {
    const play = await started(pool({ replicas: ['{ id: a, url: "http://a", slots: 1 }'] }), slow);
    const asked = [play.ask(), play.ask(), play.ask()];
    await play.pass();
    await reloaded(play, pool({ replicas: ['b'] }));
    const later = play.ask();
    await play.pass(1000);
    assert.deepEqual(
      asked.map(({ status }) => status),
      [200, 200, null],
      'the third waits for one of the first two',
    );
    assert.deepEqual(play.links, ['opened a', 'opened b']);
    await play.pass(1000);
    assert.deepEqual([asked[2]?.status, asked[2]?.exchange.journal.replica], [200, 'pool/a']);
    assert.equal(later.exchange.journal.replica, 'pool/b');
    assert.deepEqual(play.links, ['opened a', 'opened b', 'closed a']);
    assert.deepEqual(play.leftovers(), []);
    const checks = play.seen.get('a')?.length;
    await play.pass(60_000);
    assert.equal(play.seen.get('a')?.length, checks, 'nobody checks it any more');
  });
});

describe('a replica that comes back while its last request still runs', () => {
  it('is the same, goes on being checked, and closes its connections when it is removed for good', async () => {
    const more = 'health: { every: 500ms, timeout: 4s }';
    const play = await started(pool({ replicas: ['a'], more }), slow);
    const { state } = play.replica('pool/a');
    play.ask();
    await reloaded(play, pool({ replicas: ['b'], more }));
    play.health.set('c', { headAfterMs: 3000 });
    const done = play.reload(pool({ replicas: ['a', 'c'], more }));
    // The request has ended, and with it the only generation that had been current with this replica.
    await play.pass(4000);
    await done;
    assert.equal(play.replica('pool/a').state, state);
    await reloaded(play, pool({ replicas: ['b'], more }));
    assert.deepEqual(
      play.links.filter((link) => link.endsWith(' a')),
      ['opened a', 'closed a'],
    );
    assert.deepEqual(play.leftovers(), []);
  });
});

describe('a replica that is new', () => {
  it('is waited for until it has shown itself, while the configuration before goes on serving', async () => {
    const play = await started(pool({ replicas: ['a'] }));
    play.health.set('b', { headAfterMs: 800 });
    const before = play.current;
    const done = play.reload(pool({ replicas: ['b'] }));
    await play.pass(700);
    assert.equal(play.current, before);
    assert.equal(play.ask().exchange.generation, before);
    await play.pass(200);
    await done;
    assert.notEqual(play.current, before);
    assert.equal(play.replica('pool/b').standing, 'ready');
  });

  it('is waited for no longer than 5 s', async () => {
    const play = await started(pool({ replicas: ['a'] }));
    play.health.set('b', { headAfterMs: Number.POSITIVE_INFINITY });
    const done = play.reload(pool({ replicas: ['b'], more: 'health: { timeout: 1m }' }));
    await play.pass(4980);
    assert.equal(play.current.backends[0]?.replicas[0]?.id, 'a');
    await play.pass(50);
    await done;
    assert.equal(play.replica('pool/b').standing, 'starting');
  });
});

describe('a configuration', () => {
  it('that cannot be built changes nothing', async () => {
    const play = await started(pool({ replicas: ['a', 'b'] }), { capacity: 3 });
    const before = play.current;
    await assert.rejects(play.reload(pool({ replicas: ['a', 'c', 'd'] })), RangeError);
    assert.equal(play.current, before);
    await play.pass(50);
    assert.deepEqual(play.leftovers(), []);
    assert.deepEqual(play.links, ['opened a', 'opened b'], 'nothing new was begun');
    await reloaded(play, pool({ replicas: ['a', 'b', 'c'] }));
    assert.deepEqual(play.leftovers(), []);
  });

  it('that is the same again begins no other generation', async () => {
    const play = await started(pool({ replicas: ['a'] }));
    const before = play.current;
    await play.reload(pool({ replicas: ['a'] }));
    assert.equal(play.current, before);
  });

  it('serves a request that came before the next one to its end', async () => {
    const play = await started(pool({ replicas: ['a'] }), slow);
    const asked = play.ask();
    await reloaded(play, pool({ replicas: ['a'], more: 'load: { report: false }' }));
    await play.pass(1000);
    assert.ok(asked.exchange.generation.backends.includes(asked.exchange.choice.backend));
    assert.notEqual(asked.exchange.generation, play.current);
  });
});

it('what is known of prefixes goes on over a reload', async () => {
  const chat = (more: string): string =>
    pool({ replicas: ['a', 'b'], more: `affinity: { by: prefix }, ${more}` }).replace('open-inference', 'openai');
  const play = await started(chat(''));
  const places = play.current.backends[0]?.affinity?.places;
  assert.ok(places !== undefined);
  await reloaded(play, chat('queue: { max: 5 }'));
  assert.equal(play.current.backends[0]?.affinity?.places, places);
});

it('a line goes on over a reload: who came before is served before, each by its own configuration', async () => {
  const one = '{ id: a, url: "http://a", slots: 1 }';
  const play = await started(pool({ replicas: [one] }), slow);
  const before = [play.ask(), play.ask(), play.ask()];
  await play.pass();
  await reloaded(play, pool({ replicas: [one], more: 'queue: { max: 2 }' }));
  const after = [play.ask(), play.ask()];
  await play.pass();
  assert.equal(play.current.backends[0]?.dispatcher.waitingCount, 2, 'both configurations see one line');
  assert.equal(after[1]?.status, 503, 'and the new one is full with it');
  await play.pass(1000);
  assert.deepEqual(
    before.map(({ status }) => status),
    [200, 200, null],
  );
  await play.pass(1000);
  assert.deepEqual([before[2]?.status, after[0]?.status], [200, 200]);
  assert.ok((before[2]?.exchange.journal.sentAtMs ?? 0) <= (after[0]?.exchange.journal.sentAtMs ?? 0));
  assert.deepEqual(play.leftovers(), []);
});

it('a gateway that ends while new replicas are waited for leaves nothing behind', async () => {
  const play = await started(pool({ replicas: ['a'] }));
  play.health.set('b', { headAfterMs: Number.POSITIVE_INFINITY });
  const done = play.reload(pool({ replicas: ['b'] }));
  await play.pass(20);
  await play.generations.close();
  await play.pass(10_000);
  await done;
  assert.deepEqual([play.living.size, play.board.taken.size], [0, 0]);
  await play.reload(pool({ replicas: ['c'] }));
  assert.equal(play.living.size, 0, 'nor does it begin anything more');
});
