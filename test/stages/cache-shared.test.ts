import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { newBackend } from '../support/backends.ts';
import { LeaseBoard } from '../support/caching/lease-board.ts';
import type { WorkScript } from '../support/caching/scripted-work.ts';
import { answering, type Common, newFarStore, SharingPath } from '../support/caching/sharing-path.ts';

const large: WorkScript = { headAfterMs: 10, pieces: [{ afterMs: 0, bytes: Buffer.alloc(1001, ' ') }] };

function newCommon(): Common {
  const clock = new VirtualClock();
  return { clock, board: new LeaseBoard(clock, seededRng(1)), far: newFarStore() };
}

describe('an answer is kept', () => {
  it('only if it is one, whole, for everybody, and not too large', async () => {
    const { pieces = [] } = answering(0);
    const scripts: Record<string, WorkScript> = {
      'an error': { headAfterMs: 0, status: 404, pieces },
      'for one alone': { headAfterMs: 0, headers: ['set-cookie', 'a=b'], pieces },
      'cut off': { headAfterMs: 0, headers: ['content-length', '8'], pieces },
      'broken off': { headAfterMs: 0, ends: 'broken', pieces },
      large,
      'a stream with an error': {
        headAfterMs: 0,
        headers: ['content-type', 'text/event-stream'],
        pieces: [{ afterMs: 0, bytes: Buffer.from('data: {"error": "x"}\n\n') }],
      },
    };
    for (const [name, script] of Object.entries(scripts)) {
      for (const isCoalescing of [true, false]) {
        const path = new SharingPath({ script: () => script, rules: { isCoalescing } });
        const got = await path.got();
        assert.deepEqual([path.memory.entryCount, path.room.heldBytes], [0, 0], name);
        if (name === 'for one alone') assert.equal(got.cache, 'fwd=miss');
      }
    }
    const path = new SharingPath();
    await path.got();
    assert.deepEqual([path.memory.entryCount, path.room.heldBytes], [1, 0]);
  });

  it('only where it came from the backend that was asked', async () => {
    const path = new SharingPath();
    const asked = path.ask();
    await path.pass(0);
    const [begun] = path.work.begun;
    assert.ok(begun);
    begun.exchange.choice = { ...begun.exchange.choice, backend: newBackend('cloud') };
    const got = await path.clock.runThrough(asked);
    assert.deepEqual([got.status, got.cache, path.memory.entryCount], [200, 'fwd=miss', 0]);
  });

  it('only as far as there is room for what is under way', async () => {
    const path = new SharingPath({ roomBytes: 5, rules: { isCoalescing: false } });
    const got = await path.got();
    assert.deepEqual([got.status, got.text, path.memory.entryCount], [200, '{"n":0}', 0]);
    assert.equal(path.room.heldBytes, 0);
  });

  it('only if nothing was purged meanwhile', async () => {
    const path = new SharingPath({ script: (n) => ({ ...answering(n), headAfterMs: n === 0 ? 100 : 10 }) });
    const before = path.ask();
    await path.pass(5);
    path.purges.count += 1;
    path.flights.purge({});
    assert.equal((await path.got()).text, '{"n":1}');
    assert.equal((await path.clock.runThrough(before)).text, '{"n":0}');
    assert.equal((await path.got()).text, '{"n":1}');
  });
});

describe('gateways that share what they keep', () => {
  it('have one of them compute it, and the others wait for that', async () => {
    const common = newCommon();
    const paths = [1, 2, 3].map(() => new SharingPath({ common }));
    const asked = Promise.all(paths.map((path) => path.ask()));
    const got = await common.clock.runThrough(asked);
    assert.deepEqual(got.map(({ cache }) => cache).toSorted(), ['fwd=miss; stored', 'hit; ttl=0', 'hit; ttl=0']);
    assert.equal(paths.flatMap(({ work }) => work.begun).length, 1);
  });

  it('compute it anew for who wants that', async () => {
    for (const isCoalescing of [true, false]) {
      const common = newCommon();
      const [first, second] = [1, 2].map(() => new SharingPath({ common, rules: { isCoalescing } }));
      await first?.got();
      const got = await second?.got({ headers: { 'cache-control': 'no-cache' } });
      assert.deepEqual([got?.cache, second?.work.begun.length], ['fwd=request; stored', 1]);
    }
  });

  it('give all of it to those who share it with one that has it already', async () => {
    const common = newCommon();
    const [first, second] = [new SharingPath({ common }), new SharingPath({ common })];
    await first.got();
    const etag = (await first.got()).header('etag') ?? '';
    const got = await second.askAll([{ headers: { 'if-none-match': etag } }, {}]);
    assert.deepEqual(
      got.map(({ status, text }) => [status, text]),
      [
        [304, ''],
        [200, '{"n":0}'],
      ],
    );
  });

  it('do not wait one after the other for what is too large for all', async () => {
    for (const known of [true, false]) {
      const common = newCommon();
      const script = (): WorkScript => (known ? large : { ...large, headers: [] });
      const paths = [1, 2, 3, 4].map(
        () => new SharingPath({ common, script: () => ({ ...script(), headAfterMs: 1_000 }) }),
      );
      const got = await common.clock.runThrough(Promise.all(paths.map((path) => path.ask())));
      assert.ok(Math.max(...got.map(({ tookMs }) => tookMs)) < 2_500, `${got.map(({ tookMs }) => tookMs)}`);
    }
  });

  it('have another one try where one has failed', async () => {
    const common = newCommon();
    const script = (): WorkScript => ({ headAfterMs: 500, error: 'upstream_unreachable' });
    const [failing, well] = [new SharingPath({ common, script }), new SharingPath({ common })];
    const first = failing.ask();
    await failing.pass(20);
    const second = well.ask();
    const [failed, got] = await common.clock.runThrough(Promise.all([first, second]));
    assert.deepEqual([failed.error, got.status, got.cache], ['upstream_unreachable', 200, 'fwd=miss; stored']);
    assert.ok(got.tookMs < 1_000, `${got.tookMs}`);
  });
});
