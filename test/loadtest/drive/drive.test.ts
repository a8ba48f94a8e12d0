import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts';
import type { PlannedRequest } from '../../../loadtest/arrivals/plan.ts';
import { Drive, type DriveOptions } from '../../../loadtest/drive/drive.ts';
import type { RequestRecord } from '../../../loadtest/measure/record.ts';
import { answering, type Fate, failing, ScriptedSender, streaming } from '../../support/scripted-sender.ts';

function planned(index: number, plannedAtMs: number, own: Partial<PlannedRequest> = {}): PlannedRequest {
  const payload = { path: '/ask', body: Buffer.from('{}'), isStreaming: false, inputTokens: 0, outputTokens: 0 };
  return { index, plannedAtMs, payload, cancelAfterMs: null, readBytesPerSecond: null, ...own };
}

const every10Ms = (count: number): PlannedRequest[] => Array.from({ length: count }, (_, at) => planned(at, at * 10));

interface Run {
  readonly clock: VirtualClock;
  readonly sender: ScriptedSender;
  readonly records: RequestRecord[];
  readonly unsent: (readonly [PlannedRequest, string | null])[];
  readonly drive: Drive;
  readonly finished: Promise<void>;
  hasFinished: boolean;
}

function begin(plan: readonly PlannedRequest[], fate: Fate, own: Partial<DriveOptions> = {}): Run {
  const clock = new VirtualClock();
  const sender = new ScriptedSender(clock, fate);
  const records: RequestRecord[] = [];
  const unsent: Run['unsent'] = [];
  const drive = new Drive({
    plan,
    target: 'target',
    requestOf: ({ body }) => body,
    clock,
    wakeAt: (atMs, call) => void clock.after(atMs - clock.nowMs(), call),
    sender,
    startAtMs: 0,
    timeoutMs: 60_000,
    graceMs: 30_000,
    closed: null,
    onRecord: (record) => void records.push(record),
    onUnsent: (...one) => void unsent.push(one),
    ...own,
  });
  const run: Run = { clock, sender, records, unsent, drive, finished: drive.run(), hasFinished: false };
  void run.finished.then(() => {
    run.hasFinished = true;
  });
  return run;
}

async function runAll(...args: Parameters<typeof begin>): Promise<Run> {
  const run = begin(...args);
  await run.clock.runAll();
  assert.equal(run.hasFinished, true, 'every run comes to its end');
  assert.equal(run.drive.state.underWay, 0);
  return run;
}

async function onlyRecord(fate: Fate, own: Partial<PlannedRequest> = {}, isConnected = true): Promise<RequestRecord> {
  const run = begin([planned(0, 0, own)], fate, { timeoutMs: 1000, graceMs: 5000 });
  run.sender.isConnected = isConnected;
  await run.clock.runAll();
  assert.equal(run.records.length, 1);
  return run.records[0] as RequestRecord;
}

test('an open loop sends at the planned instants, whether answers come or not', async () => {
  const { sender, records } = await runAll(every10Ms(100), ({ nth }, clock) => {
    if (nth === 50) clock.after(0, () => {});
  });
  assert.deepEqual(
    sender.all.map(({ atMs }) => atMs),
    every10Ms(100).map(({ plannedAtMs }) => plannedAtMs),
  );
  assert.ok(records.every(({ outcome }) => outcome === 'unfinished'));
});

test('latency counts from the plan, and what the sender is late is told as lag', async () => {
  const wakes: (() => void)[] = [];
  const run = begin(every10Ms(3), answering(5), { wakeAt: (_atMs, call) => void wakes.push(call) });
  await run.clock.runUntil(17);
  wakes.shift()?.();
  await run.clock.runUntil(31);
  wakes.shift()?.();
  await run.clock.runAll();
  const told = run.records.map(({ plannedAtMs, sentAtMs, endedAtMs }) => [plannedAtMs, sentAtMs, endedAtMs]);
  assert.deepEqual(told, [
    [0, 17, 22],
    [10, 17, 22],
    [20, 31, 36],
  ]);
});

test('requests that are late together give way to what else there is, and all are sent', async () => {
  const plan = Array.from({ length: 200 }, (_, at) => planned(at, 0));
  let turns = 0;
  const clock = new VirtualClock();
  const run = begin(plan, answering(1), {
    clock,
    sender: new ScriptedSender(clock, answering(1)),
    wakeAt: (_atMs, call) => {
      turns += 1;
      clock.after(0, call);
    },
  });
  await clock.runAll();
  assert.equal(run.records.length, 200);
  assert.equal(turns, 4);
});

const outcomes = {
  ok: answering(10),
  shed: answering(10, 503),
  limited: answering(10, 429),
  timeout: () => {},
  upstream_error: failing(10, 'broken'),
  unreachable: failing(10, 'unreachable'),
} as const satisfies Partial<Record<RequestRecord['outcome'], Fate>>;

for (const [outcome, fate] of Object.entries(outcomes))
  test(`what ends as ${outcome} is told as that`, async () => {
    assert.equal((await onlyRecord(fate)).outcome, outcome);
  });

for (const status of [400, 404, 500, 502, 504])
  test(`status ${status} is an error, and no answer`, async () => {
    const { outcome, status: told } = await onlyRecord(answering(10, status));
    assert.deepEqual([outcome, told], ['upstream_error', status]);
  });

test('a client that never got a connection had no answer to wait for', async () => {
  const { outcome, endedAtMs } = await onlyRecord(() => {}, {}, false);
  assert.deepEqual([outcome, endedAtMs], ['unreachable', 1000]);
});

test('a client that leaves closes its connection at its instant', async () => {
  const run = await runAll([planned(0, 0, { cancelAfterMs: 40 })], answering(100));
  assert.equal(run.sender.all[0]?.hasLeft, true);
  assert.deepEqual([run.records[0]?.outcome, run.records[0]?.endedAtMs], ['cancelled', 40]);
});

test('a client that would leave later than its answer comes is an ordinary one', async () => {
  const run = await runAll([planned(0, 0, { cancelAfterMs: 400 })], answering(100));
  assert.equal(run.sender.all[0]?.hasLeft, false);
  assert.equal(run.records[0]?.outcome, 'ok');
});

test('a slow reader takes no more until what it has had its time', async () => {
  const kilobyte = 'x'.repeat(1000);
  const fate = streaming([
    [10, kilobyte],
    [600, kilobyte],
    [1500, kilobyte],
  ]);
  const run = begin([planned(0, 0, { readBytesPerSecond: 2000 })], fate);
  const isPausedAt = async (atMs: number): Promise<boolean | undefined> => {
    await run.clock.runUntil(atMs);
    return run.sender.all[0]?.isPaused;
  };
  const seen = [];
  for (const atMs of [5, 11, 509, 511, 601, 1009, 1011]) seen.push(await isPausedAt(atMs));
  assert.deepEqual(seen, [false, true, true, false, true, true, false]);
  await run.clock.runAll();
  assert.equal(run.clock.pending, 0);
  assert.equal(run.records[0]?.bytes, 3000);
});

test('a stream tells its first token, its gaps and its end apart', async () => {
  const token = (text: string): string => `data: {"choices":[{"delta":{"content":"${text}"}}]}\n\n`;
  const fate = streaming([
    [5, token('')],
    [20, token('a')],
    [50, token('b')],
    [90, `${token('c')}data: [DONE]\n\n`],
  ]);
  const payload = { ...planned(0, 0).payload, isStreaming: true, inputTokens: 7 };
  const record = await onlyRecord(fate, { payload });
  assert.deepEqual(
    [record.outcome, record.firstByteAtMs, record.firstTokenAtMs, record.tokenGapsMs, record.endedAtMs],
    ['ok', 5, 20, [30, 40], 90],
  );
  assert.deepEqual([record.inputTokens, record.outputTokens], [7, 3]);
});

test('a stream that was cut is no answer, nor one that tells of an error', async () => {
  const payload = { ...planned(0, 0).payload, isStreaming: true };
  const cut = await onlyRecord(streaming([[5, 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n']]), { payload });
  const failed = await onlyRecord(streaming([[5, 'data: {"error":{}}\n\ndata: [DONE]\n\n']]), { payload });
  assert.deepEqual([cut.outcome, failed.outcome], ['upstream_error', 'upstream_error']);
});

test('what this machine could not send is no record, but told with what kept it from that', async () => {
  const { records, unsent } = await runAll(every10Ms(3), (sent, clock) =>
    sent.nth === 1 ? failing(0, 'EMFILE')(sent, clock) : answering(1)(sent, clock),
  );
  assert.deepEqual(
    records.map(({ index }) => index),
    [0, 2],
  );
  assert.deepEqual(
    unsent.map(([{ index }, limit]) => [index, limit]),
    [[1, 'EMFILE']],
  );
});

test('a stopped run sends no more and waits for what is under way', async () => {
  const run = begin(every10Ms(100), answering(200));
  await run.clock.runUntil(95);
  run.drive.stop();
  await run.clock.runAll();
  assert.equal(run.hasFinished, true);
  assert.equal(run.records.length, 10);
  assert.ok(run.records.every(({ outcome }) => outcome === 'ok'));
});

test('a run that is broken off waits for nothing: what is under way is unfinished', async () => {
  const run = begin(every10Ms(100), answering(200));
  await run.clock.runUntil(255);
  run.drive.stop();
  run.drive.breakOff();
  await run.finished;
  assert.equal(run.clock.nowMs(), 255);
  const outcomes = run.records.map(({ outcome }) => outcome);
  assert.deepEqual(outcomes.toSorted(), [...Array(6).fill('ok'), ...Array(20).fill('unfinished')]);
});

test('a closed loop keeps so many under way and sends the next when one has ended', async () => {
  const closed = { concurrency: 4, untilMs: 1000 };
  let most = 0;
  const plan = Array.from({ length: 10_000 }, (_, at) => planned(at, 0));
  const run: Run = begin(
    plan,
    (sent, clock) => {
      most = Math.max(most, run?.drive.state.underWay ?? 0);
      answering(20)(sent, clock);
    },
    { closed },
  );
  await run.clock.runAll();
  assert.equal(run.hasFinished, true);
  assert.equal(most, 4);
  assert.equal(run.records.length, 4 * (1000 / 20));
  assert.ok(run.records.every(({ plannedAtMs, sentAtMs }) => plannedAtMs === sentAtMs));
});
