import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { Flying, textOf } from '../support/caching/flying.ts';
import type { WorkScript } from '../support/caching/scripted-work.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const answer = (headAfterMs: number, more: Partial<WorkScript> = {}): WorkScript => ({
  headAfterMs,
  pieces: [{ afterMs: 0, bytes: bytes('answer') }],
  ...more,
});

/** Lets everything happen, and demands that nothing is left behind. */
async function finished(flying: Flying): Promise<Flying> {
  await flying.clock.runAll();
  assert.deepEqual(flying.leftovers(), []);
  return flying;
}

describe('requests that ask the same at the same time', () => {
  it('are computed once, and all get the answer: others than the first as theirs', async () => {
    const flying = new Flying({ script: () => answer(50) });
    for (let n = 0; n < 3; n++) flying.call();
    await finished(flying);
    assert.equal(flying.work.begun.length, 1);
    assert.deepEqual(
      flying.called.map((one) => [one.status, textOf(one), one.source, one.headers.includes('x-rendered')]),
      [
        [200, 'answer', 'upstream', false],
        [200, 'answer', 'flight', true],
        [200, 'answer', 'flight', true],
      ],
    );
    assert.equal(flying.flights.counts.followers, 2);
  });

  it('each have headers of their own to add to', async () => {
    const flying = new Flying({
      script: () => answer(50, { headers: ['a', 'b'], pieces: [{ afterMs: 50, bytes: bytes('x') }] }),
    });
    const first = flying.call();
    await flying.clock.runUntil(60);
    first.headers.push('x-request-id', '1');
    const late = flying.call();
    await finished(flying);
    assert.deepEqual(late.headers, ['a', 'b', 'x-rendered', 'yes']);
  });

  it('are computed each for itself where they have other keys, or share nothing', async () => {
    const flying = new Flying({ script: () => answer(50) });
    flying.call({ key: 'a' });
    flying.call({ key: 'b' });
    flying.call({ key: 'a', wish: 'private' });
    flying.call({ key: 'a', wish: 'private' });
    await finished(flying);
    assert.equal(flying.work.begun.length, 4);
    assert.deepEqual([...new Set(flying.called.map(({ source }) => source))], ['upstream']);
  });

  it('are computed anew for one that wants a new answer, which those who come later share', async () => {
    const flying = new Flying({ script: (n) => answer(50, { pieces: [{ afterMs: 0, bytes: bytes(String(n)) }] }) });
    for (const wish of ['any', 'new', 'any'] as const) {
      flying.call({ wish });
      await flying.clock.runUntil(flying.clock.nowMs() + 10);
    }
    await finished(flying);
    assert.deepEqual(flying.called.map(textOf), ['0', '1', '1']);
  });

  it('share what is under way as soon as it has begun, and no longer than it lasts', async () => {
    const flying = new Flying({ script: () => answer(50, { pieces: [{ afterMs: 50, bytes: bytes('x') }] }) });
    flying.call();
    flying.clock.after(99.9, () => flying.call());
    flying.clock.after(100.1, () => flying.call());
    await finished(flying);
    assert.equal(flying.work.begun.length, 2);
  });

  it('are so many at the most, and more go by themselves', async () => {
    const flying = new Flying({ script: () => answer(50), maxMembers: 3 });
    for (let n = 0; n < 5; n++) flying.call();
    await finished(flying);
    assert.equal(flying.work.begun.length, 3);
    assert.equal(flying.flights.counts.followers, 2);
  });
});

describe('a request that has left before it would share', () => {
  it('begins nothing', () => {
    const flying = new Flying();
    const exchange = flying.open();
    exchange.cancellation.cancel(new GatewayError('client_left', 'left'));
    assert.throws(() => flying.flights.join(exchange, { key: 'k', wish: 'any' }, flying.work.serve), {
      code: 'client_left',
    });
    assert.deepEqual(flying.leftovers(), []);
  });
});

describe('who leaves', () => {
  it('hurts nobody: neither the first, nor another, nor one whose time is over', async () => {
    const flying = new Flying({ script: () => answer(500) });
    const callers = [{ leavesAfterMs: 100 }, {}, { deadlineMs: 200 }, { leavesAfterMs: 300 }, {}];
    for (const caller of callers) flying.call(caller);
    await finished(flying);
    assert.deepEqual(
      flying.called.map(({ ends, error, endedAtMs }) => [ends[0], error?.code, endedAtMs]),
      [
        ['refused', 'client_left', 100],
        ['complete', undefined, 500],
        ['refused', 'deadline_exceeded', 200],
        ['refused', 'client_left', 300],
        ['complete', undefined, 500],
      ],
    );
    assert.deepEqual([flying.work.begun.length, flying.work.begun[0]?.isCancelled], [1, false]);
  });

  it('last ends the computation, for its own reason', async () => {
    const flying = new Flying({ script: () => answer(500) });
    flying.call({ leavesAfterMs: 100 });
    flying.call({ deadlineMs: 200 });
    await finished(flying);
    const [computation] = flying.work.begun;
    assert.equal(computation?.endedAtMs, 200);
    assert.equal(computation?.exchange.cancellation.reason?.code, 'deadline_exceeded');
  });

  it('last in the middle of the answer ends it, too', async () => {
    const pieces = [
      { afterMs: 0, bytes: bytes('a') },
      { afterMs: 500, bytes: bytes('b') },
    ];
    const flying = new Flying({ script: () => answer(10, { pieces }) });
    flying.call({ leavesAfterMs: 100 });
    flying.call({ leavesAfterMs: 200 });
    await finished(flying);
    assert.equal(flying.work.begun[0]?.endedAtMs, 200);
    assert.deepEqual(
      flying.called.map((one) => [textOf(one), one.ends]),
      [
        ['a', ['abandoned']],
        ['a', ['abandoned']],
      ],
    );
  });

  it('by giving its answer up is one that leaves', async () => {
    const flying = new Flying({ script: () => answer(10, { pieces: [{ afterMs: 100, bytes: bytes('x') }] }) });
    flying.call({ discards: true });
    flying.call({ discards: true });
    await finished(flying);
    assert.equal(flying.work.begun[0]?.endedAtMs, 10);
    flying.call({ discards: true });
    const other = flying.call();
    await finished(flying);
    assert.equal(textOf(other), 'x');
  });

  it('last, and another who comes that instant, share nothing', async () => {
    const flying = new Flying({ script: () => answer(500) });
    const first = flying.call();
    await flying.clock.runUntil(100);
    first.exchange.cancellation.cancel(new GatewayError('client_left', 'left'));
    flying.call();
    await finished(flying);
    assert.deepEqual(
      flying.called.map(({ ends }) => ends),
      [['refused'], ['complete']],
    );
    assert.equal(flying.work.begun.length, 2);
  });
});

describe('the time that a computation has', () => {
  it('is that of whoever waits longest', async () => {
    const flying = new Flying({ script: () => answer(500) });
    flying.call({ deadlineMs: 100 });
    assert.equal(flying.work.begun[0]?.exchange.deadlineMs, 100);
    flying.call({ deadlineMs: 300 });
    flying.call({ deadlineMs: 200 });
    assert.equal(flying.work.begun[0]?.exchange.deadlineMs, 300);
    flying.call();
    assert.equal(flying.work.begun[0]?.exchange.deadlineMs, Number.POSITIVE_INFINITY);
    await finished(flying);
    assert.deepEqual(
      flying.called.map(({ ends }) => ends[0]),
      ['refused', 'refused', 'refused', 'complete'],
    );
  });

  it('as it was told upstream may be too short for those who came later: it is then computed anew for one of them', async () => {
    for (const late of [{ status: 504 }, { error: 'upstream_timeout' }] as const) {
      const flying = new Flying({ script: (n) => (n === 0 ? { headAfterMs: 101, ...late } : answer(100)) });
      flying.call({ deadlineMs: 100 });
      flying.call({ deadlineMs: 1000 });
      flying.call({ deadlineMs: 2000 });
      await finished(flying);
      assert.deepEqual(
        flying.called.map(({ ends, endedAtMs }) => `${ends} ${endedAtMs}`),
        ['refused 100', 'complete 201', 'complete 201'],
      );
      assert.equal(flying.work.begun.length, 2);
      assert.equal(flying.work.begun[1]?.exchange.deadlineMs, 2000);
    }
  });

  it('is no matter of those who answer in time, to the tick', async () => {
    const flying = new Flying({ script: () => answer(102) });
    flying.call({ deadlineMs: 101 });
    flying.call({ deadlineMs: 103 });
    await finished(flying);
    assert.deepEqual(
      flying.called.map(({ ends, error }) => [ends[0], error?.code]),
      [
        ['refused', 'deadline_exceeded'],
        ['complete', undefined],
      ],
    );
  });
});

describe('a computation that fails', () => {
  it('fails all who wait for it, and nobody who comes later', async () => {
    const flying = new Flying({
      script: (n) => (n === 0 ? { headAfterMs: 50, error: 'upstream_broken' } : answer(50)),
    });
    for (let n = 0; n < 3; n++) flying.call();
    await finished(flying);
    flying.call();
    await finished(flying);
    assert.deepEqual(
      flying.called.map(({ error }) => error?.code),
      ['upstream_broken', 'upstream_broken', 'upstream_broken', undefined],
    );
    assert.equal(flying.work.begun.length, 2);
  });

  it('by its answer fails them by that, without what it says to one alone', async () => {
    const headers = ['Set-Cookie', 'a=1', 'retry-after', '3'];
    const flying = new Flying({
      script: (n) =>
        n === 0 ? answer(50, { status: 503, headers, pieces: [{ afterMs: 50, bytes: bytes('busy') }] }) : answer(50),
    });
    for (let n = 0; n < 2; n++) flying.call();
    flying.clock.after(60, () => flying.call());
    await finished(flying);
    assert.deepEqual(
      flying.called.map((one) => [one.status, textOf(one)]),
      [
        [503, 'busy'],
        [503, 'busy'],
        [200, 'answer'],
      ],
    );
    assert.deepEqual(
      flying.called.map((one) => one.headers),
      [headers, ['retry-after', '3'], []],
    );
  });

  it('by a fault of our own is begun anew for one of those who wait, and for no more than two of them', async () => {
    const flying = new Flying({ script: (n) => (n < 3 ? { headAfterMs: 50, error: 'internal' } : answer(50)) });
    for (let n = 0; n < 5; n++) flying.call();
    await finished(flying);
    assert.deepEqual(
      flying.called.map(({ error, endedAtMs }) => [error?.code, endedAtMs]),
      [
        ['internal', 50],
        ['internal', 100],
        ['internal', 150],
        ['internal', 150],
        ['internal', 150],
      ],
    );
    assert.equal(flying.work.begun.length, 3);
  });

  it('by throwing is one that failed', async () => {
    const below = () => () => {
      throw new GatewayError('none_eligible', 'as the test says');
    };
    const flying = new Flying({ around: { above: (next) => next, below } });
    flying.call();
    await finished(flying);
    assert.equal(flying.called[0]?.error?.code, 'none_eligible');
  });

  it('in the middle of the answer breaks it off for all, with the same error', async () => {
    const flying = new Flying({
      script: () =>
        answer(10, {
          ends: 'broken',
          pieces: [
            { afterMs: 10, bytes: bytes('a') },
            { afterMs: 50, bytes: bytes('b') },
          ],
        }),
    });
    flying.call();
    flying.call({ readMs: 300 });
    flying.clock.after(30, () => flying.call());
    await finished(flying);
    assert.deepEqual(
      flying.called.map((one) => [textOf(one), one.ends, one.error?.code]),
      Array(3).fill(['ab', ['broken'], 'upstream_broken']),
    );
    assert.equal(flying.work.begun.length, 1);
  });
});

describe('an answer that is for one alone', () => {
  const own = answer(100, { headers: ['set-cookie', 'a=1'] });

  it('goes to that one, and all others compute their own beside each other, also those who come for some seconds', async () => {
    const flying = new Flying({ script: () => own });
    for (let n = 0; n < 4; n++) flying.call();
    await flying.clock.runUntil(150);
    assert.equal(flying.work.underWay.length, 3, 'beside each other');
    await flying.clock.runUntil(9_000);
    for (let n = 0; n < 2; n++) flying.call();
    assert.equal(flying.work.underWay.length, 2, 'nor does anybody wait later');
    await flying.clock.runUntil(10_200);
    for (let n = 0; n < 2; n++) flying.call();
    assert.equal(flying.work.underWay.length, 1, 'until it is tried again');
    await finished(flying);
    assert.deepEqual([...new Set(flying.called.map(({ source, ends }) => `${source} ${ends}`))], ['upstream complete']);
    assert.ok(
      flying.called.slice(1, 4).every(({ exchange, endedAtMs }) => exchange.journal.tries === 1 && endedAtMs === 200),
    );
  });

  it('goes to nobody where that one has left', async () => {
    const flying = new Flying({ script: (n) => (n === 0 ? own : answer(100)) });
    flying.call({ leavesAfterMs: 50 });
    flying.call();
    await finished(flying);
    assert.deepEqual(
      [flying.work.begun[0]?.isCancelled, flying.called[1]?.endedAtMs, flying.called[1]?.source],
      [true, 200, 'upstream'],
    );
  });

  it('is any that says so, or is not simply the answer', async () => {
    for (const script of [
      answer(10, { headers: ['cache-control', 'no-store'] }),
      answer(10, { headers: ['X-Headgate-Batch-Invariant', 'false'] }),
      answer(10, { status: 206 }),
      answer(10, { status: 302 }),
    ]) {
      const flying = new Flying({ script: () => script });
      flying.call();
      flying.call();
      await finished(flying);
      assert.equal(flying.work.begun.length, 2);
    }
  });
});

describe('an answer that grows too large to be kept', () => {
  it('is still given to all who are there, and not joined any more, nor is the next for some seconds', async () => {
    const pieces = Array.from({ length: 5 }, () => ({ afterMs: 10, bytes: new Uint8Array(1000) }));
    const flying = new Flying({ script: () => answer(10, { pieces }), maxBytes: 2_500 });
    flying.call();
    flying.clock.after(15, () => flying.call());
    flying.clock.after(45, () => flying.call());
    flying.clock.after(500, () => flying.call());
    flying.clock.after(500, () => flying.call());
    await finished(flying);
    assert.deepEqual(
      flying.called.map((one) => textOf(one).length),
      Array(5).fill(5000),
    );
    assert.equal(flying.work.begun.length, 4);
  });

  it('or for which there is no room is not joined any more, but the next is', async () => {
    const pieces = Array.from({ length: 5 }, () => ({ afterMs: 10, bytes: new Uint8Array(1000) }));
    const flying = new Flying({ script: () => answer(10, { pieces }), roomBytes: 3_000 });
    flying.call();
    flying.clock.after(15, () => flying.call());
    flying.clock.after(45, () => flying.call());
    flying.clock.after(48, () => flying.call());
    await finished(flying);
    assert.deepEqual(
      flying.called.map((one) => [textOf(one).length, one.ends[0]]),
      Array(4).fill([5000, 'complete']),
    );
    assert.equal(flying.work.begun.length, 2);
  });
});

describe('what is learned of a computation', () => {
  it('all who have a part in it know, as far as they had', async () => {
    const flying = new Flying({ script: () => answer(100, { pieces: [{ afterMs: 100, bytes: bytes('x') }] }) });
    for (const atMs of [10, 40, 160]) flying.clock.after(atMs, () => flying.call());
    flying.clock.after(200, () => {
      const { journal } = flying.work.begun[0]?.exchange ?? assert.fail();
      journal.outputTokens = 7;
    });
    await finished(flying);
    const learned = flying.called.map(({ exchange: { journal } }) => {
      const { replica, backend, tries, sentAtMs, headAtMs, outputTokens } = journal;
      return [replica, backend, tries, sentAtMs, headAtMs, outputTokens];
    });
    assert.deepEqual(learned, [
      ['digits/a', 'digits', 1, 10, 110, 7],
      ['digits/a', 'digits', 1, 40, 110, 7],
      ['digits/a', 'digits', 1, 160, 160, 7],
    ]);
  });

  it('is known also where it failed, and to who left', async () => {
    const flying = new Flying({ script: () => ({ headAfterMs: 100, error: 'upstream_broken' }) });
    flying.call();
    flying.call({ leavesAfterMs: 50 });
    await finished(flying);
    assert.deepEqual(
      flying.called.map(({ exchange }) => exchange.journal.replica),
      ['digits/a', 'digits/a'],
    );
  });
});

describe('the request of a computation', () => {
  it('is accounted for as long as it may be sent, though its client has left', async () => {
    const flying = new Flying({ script: () => answer(100, { pieces: [{ afterMs: 100, bytes: bytes('x') }] }) });
    const body = JSON.stringify({ inputs: [], id: 'x'.repeat(1000) });
    flying.call({ body, leavesAfterMs: 50 });
    flying.call();
    await flying.clock.runUntil(49);
    assert.equal(flying.room.heldBytes, 0, 'by the client');
    await flying.clock.runUntil(60);
    assert.equal(flying.room.heldBytes, body.length);
    await flying.clock.runUntil(150);
    assert.equal(flying.room.heldBytes, 0);
    assert.equal(flying.work.begun[0]?.exchange.ask.payload.length, 0);
    await finished(flying);
  });
});

describe('a refresh', () => {
  it('computes to the end without anybody, and is joined like any other', async () => {
    const flying = new Flying({
      script: () => answer(100, { pieces: Array.from({ length: 3 }, () => ({ afterMs: 50, bytes: bytes('x') })) }),
    });
    flying.refresh();
    flying.call({ leavesAfterMs: 20 });
    flying.clock.after(180, () => flying.call({ leavesAfterMs: 10 }));
    await flying.clock.runUntil(60);
    assert.equal(flying.room.heldBytes, 2, 'its request');
    await finished(flying);
    assert.deepEqual(
      flying.work.begun.map(({ endedAtMs, isCancelled }) => [endedAtMs, isCancelled]),
      [[250, false]],
    );
    assert.equal(textOf(flying.called[1] ?? assert.fail()), 'x');
  });

  it('is told of the time of whoever asked first: what fails for want of that is computed anew for those who have more', async () => {
    const flying = new Flying({ script: (n) => (n === 0 ? answer(100, { status: 504 }) : answer(50)) });
    flying.call({ deadlineMs: 500 });
    flying.call();
    flying.call({ deadlineMs: 500 });
    await finished(flying);
    assert.deepEqual(
      flying.called.map(({ status }) => status),
      [504, 200, 200],
    );
    assert.equal(flying.work.begun.length, 2);
  });

  it('is one at a time, and none while somebody asks anyway, or nobody could share it', async () => {
    const flying = new Flying({ script: (n) => answer(100, n < 2 ? {} : { headers: ['set-cookie', 'a=1'] }) });
    flying.refresh();
    flying.refresh();
    await finished(flying);
    assert.equal(flying.work.begun.length, 1);
    flying.call();
    flying.refresh();
    await finished(flying);
    assert.equal(flying.work.begun.length, 2);
    flying.refresh();
    await finished(flying);
    assert.equal(flying.work.begun.length, 2, 'nor more than once a second');
    await flying.clock.runUntil(1_000);
    flying.refresh();
    await finished(flying);
    assert.deepEqual([flying.work.begun.length, flying.work.begun[2]?.isCancelled], [3, true]);
    flying.refresh();
    assert.equal(flying.work.begun.length, 3);
  });

  it('is not made where there is no room for its request', async () => {
    const flying = new Flying({ roomBytes: 10 });
    flying.room.hold(10);
    flying.refresh();
    assert.equal(flying.work.begun.length, 0);
  });

  it('that fails goes on for one of those who joined it if it died, and ends with it else', async () => {
    const flying = new Flying({ script: (n) => (n === 0 ? answer(100) : answer(50)) });
    flying.refresh();
    flying.call();
    flying.call();
    await flying.clock.runUntil(20);
    flying.flights.cut(new GatewayError('shutting_down', 'as the test says'));
    await finished(flying);
    assert.deepEqual(
      flying.called.map(({ ends, source }) => `${ends} ${source}`),
      ['complete upstream', 'complete flight'],
    );
    assert.equal(flying.work.begun.length, 2);
  });

  it('is cut, and nothing else, where the gateway ends', async () => {
    const flying = new Flying({ script: () => answer(100) });
    flying.refresh('a');
    flying.call({ key: 'b' });
    flying.flights.cut(new GatewayError('shutting_down', 'as the test says'));
    await finished(flying);
    assert.deepEqual(
      flying.work.begun.map(({ isCancelled }) => isCancelled),
      [true, false],
    );
  });
});

describe('an answer that cannot be made another’s', () => {
  it('fails that one alone', async () => {
    const render = (): never => {
      throw new GatewayError('upstream_broken', 'as the test says');
    };
    const flying = new Flying({ script: () => answer(50), render });
    for (let n = 0; n < 3; n++) flying.call();
    await finished(flying);
    assert.deepEqual(
      flying.called.map(({ ends, error }) => `${ends} ${error?.code}`),
      ['complete undefined', 'refused upstream_broken', 'refused upstream_broken'],
    );
  });
});
