import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { Pace } from '../../../loadtest/model-server/pace.ts';
import { TensorEngine, type TensorJob } from '../../../loadtest/model-server/tensor-engine.ts';
import { workTimeOf } from '../../../loadtest/model-server/work-time.ts';
import { repetitions } from '../../support/counts.ts';

function engineOf({ slots = 1, maxQueue = Number.POSITIVE_INFINITY, pace = new Pace([]) } = {}): TensorEngine {
  const workTime = workTimeOf({ time: 'by_rows', baseMs: 1, perRowMs: 3 });
  return new TensorEngine({ slots, maxQueue, workTime, pace, rng: seededRng(1) });
}

test('a request that finds the line full is refused, and counted', () => {
  const engine = engineOf({ slots: 2, maxQueue: 1 });
  const taken = [0, 0, 0, 0].map((nowMs) => engine.submit(nowMs, 1, () => {}) !== null);
  assert.deepEqual(taken, [true, true, true, false]);
  const { running, waiting, done } = engine.load();
  assert.deepEqual({ running, waiting, refused: done.refused }, { running: 2, waiting: 1, refused: 1 });
  assert.notEqual(
    engine.submit(4, 1, () => {}),
    null,
    'a slot has come free at 4 ms',
  );
});

test('a client that leaves the line makes room, one that leaves in mid-run does not', () => {
  const engine = engineOf();
  const ends: [number, number][] = [];
  const onEnd = ({ order, dueAtMs }: TensorJob): void => void ends.push([order, dueAtMs]);
  const jobs = [0, 0, 0].map((nowMs) => engine.submit(nowMs, 1, onEnd));
  for (const job of jobs.slice(0, 2)) engine.leave(job as TensorJob, 1);
  engine.advance(100);
  assert.deepEqual(ends, [[2, 8]]);
  assert.equal(engine.load().done.abandoned, 2);
});

test('leaving after the end changes nothing', () => {
  const engine = engineOf();
  const job = engine.submit(0, 1, () => {}) as TensorJob;
  engine.leave(job, 50);
  const { succeeded, abandoned } = engine.load().done;
  assert.deepEqual({ succeeded, abandoned }, { succeeded: 1, abandoned: 0 });
});

test('what runs when a server slows down is slowed from then on', () => {
  const engine = engineOf({ pace: new Pace([{ atMs: 2, untilMs: 10, by: 4 }]) });
  const job = engine.submit(0, 3, () => {}) as TensorJob;
  // Of 10 ms of work 2 are done before, 2 in the 8 ms of the slowing, and 6 after it.
  assert.equal(job.dueAtMs, 16);
});

test('every history runs as a model that steps through time says', () => {
  const arrival = fc.record({ gap: fc.integer({ min: 0, max: 12 }), rows: fc.integer({ min: 0, max: 4 }) });
  const property = fc.property(
    fc.array(fc.record({ arrival, leavesAfter: fc.option(fc.integer({ min: 0, max: 20 })) }), { maxLength: 30 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 0, max: 4 }),
    (history, slots, maxQueue) => {
      assert.deepEqual(played(history, slots, maxQueue), stepped(history, slots, maxQueue));
    },
  );
  fc.assert(property, { numRuns: repetitions({ quick: 300, full: 20_000 }) });
});

type History = readonly { arrival: { gap: number; rows: number }; leavesAfter: number | null }[];

/** When each one ended: `refused`, `left`, or the instant. */
type Ends = (string | number)[];

function played(history: History, slots: number, maxQueue: number): Ends {
  const engine = engineOf({ slots, maxQueue });
  const ends: Ends = [];
  const events: { atMs: number; rank: number; call: () => void }[] = [];
  let nowMs = 0;
  for (const [at, { arrival, leavesAfter }] of history.entries()) {
    nowMs += arrival.gap;
    const arrivedMs = nowMs;
    let job: TensorJob | null = null;
    const submit = (): void => {
      job = engine.submit(arrivedMs, arrival.rows, ({ dueAtMs }) => {
        ends[at] = dueAtMs;
      });
      ends[at] = job === null ? 'refused' : 'left';
    };
    events.push({ atMs: arrivedMs, rank: 1, call: submit });
    const leave = (): void => {
      if (job !== null) engine.leave(job, arrivedMs + (leavesAfter ?? 0));
    };
    if (leavesAfter !== null) events.push({ atMs: arrivedMs + leavesAfter, rank: 2, call: leave });
  }
  for (const { call } of events.toSorted((a, b) => a.atMs - b.atMs || a.rank - b.rank)) call();
  engine.advance(1_000_000);
  return ends;
}

/** The same, millisecond by millisecond: ends, then arrivals, then departures. */
function stepped(history: History, slots: number, maxQueue: number): Ends {
  const ends: Ends = [];
  const line: number[] = [];
  const running = new Map<number, number>();
  const left = new Set<number>();
  let arrivedMs = 0;
  const arrivals = history.map(({ arrival }) => {
    arrivedMs += arrival.gap;
    return arrivedMs;
  });
  const fill = (nowMs: number): void => {
    while (running.size < slots && line.length > 0) {
      const at = line.shift() ?? -1;
      running.set(at, nowMs + 1 + 3 * (history[at]?.arrival.rows ?? 0));
    }
  };
  for (let nowMs = 0; nowMs < 1000; nowMs++) {
    for (const [at, dueMs] of running) {
      if (dueMs !== nowMs) continue;
      running.delete(at);
      if (!left.has(at)) ends[at] = nowMs;
    }
    fill(nowMs);
    for (const [at, one] of arrivals.entries()) {
      if (one !== nowMs) continue;
      const isFull = running.size >= slots && line.length >= maxQueue;
      ends[at] = isFull ? 'refused' : 'left';
      if (!isFull) line.push(at);
      fill(nowMs);
    }
    for (const [at, { leavesAfter }] of history.entries()) {
      if (leavesAfter === null || (arrivals[at] ?? 0) + leavesAfter !== nowMs || typeof ends[at] === 'number') continue;
      left.add(at);
      if (line.includes(at)) line.splice(line.indexOf(at), 1);
    }
  }
  return ends;
}
