import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { outcomes, type RequestRecord } from '../../../loadtest/measure/record.ts';
import { summarize } from '../../../loadtest/report/summarize.ts';
import { summaryJsonSchema, summarySchema } from '../../../loadtest/report/summary.ts';
import { readText } from '../../conventions/sources.ts';
import { repetitions } from '../../support/counts.ts';
import { faultyRun, noSlos, plainFacts, record, summaryOf, tallyOf } from '../../support/run-records.ts';

const someRecord = fc
  .record({
    plannedAtMs: fc.integer({ min: 0, max: 5000 }),
    latencyMs: fc.integer({ min: 0, max: 2000 }),
    outcome: fc.constantFrom(...outcomes),
    replica: fc.constantFrom('a', 'b', null),
    tries: fc.constantFrom(0, 1, 2, null),
    gaps: fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 4 }),
    isStream: fc.boolean(),
  })
  .map(({ gaps, isStream, ...facts }) => {
    const firstTokenAtMs = isStream ? facts.plannedAtMs + Math.floor(facts.latencyMs / 2) : null;
    const tokens = isStream ? { tokenGapsMs: gaps, outputTokens: gaps.length + 1 } : {};
    return record({ ...facts, firstTokenAtMs, ...tokens });
  });
const someRecords = fc.array(someRecord, { maxLength: 60 });

test('goodput is the share of offered requests that were answered and met every SLO', () => {
  const slos = { latencyMs: 900, timeToFirstTokenMs: 300, interTokenMs: 40, timePerOutputTokenMs: 200 };
  fc.assert(
    fc.property(someRecords, fc.integer({ min: 0, max: 3 }), (records, unsent) => {
      const good = records.filter((one) => {
        const tokenMs = one.firstTokenAtMs ?? Number.NaN;
        const isSlow =
          one.endedAtMs - one.plannedAtMs > 900 ||
          tokenMs - one.plannedAtMs > 300 ||
          one.tokenGapsMs.some((gapMs) => gapMs > 40) ||
          (one.outputTokens > 1 && (one.endedAtMs - tokenMs) / (one.outputTokens - 1) > 200);
        return one.outcome === 'ok' && !isSlow;
      });
      const { goodput, requests } = summaryOf(records, {
        slos,
        untilMs: 10_000,
        health: { unsent, ownLimit: null, eventLoopDelayP99Ms: null, wasInterrupted: false },
      });
      const offered = records.length + unsent;
      assert.equal(requests.offered, offered);
      assert.equal(goodput.good, good.length);
      assert.ok(Math.abs(goodput.share - (offered === 0 ? 0 : good.length / offered)) < 1e-6);
      assert.ok(Math.abs(goodput.perSecond - good.length / 10) < 1e-6);
    }),
  );
});

test('what several processes counted merges into what one would have counted', () => {
  fc.assert(
    fc.property(someRecords, someRecords, (some, others) => {
      const merged = tallyOf(some, { warmUpMs: 1000 });
      const other = tallyOf(others, { warmUpMs: 1000, rng: seededRng(2) });
      merged.merge(JSON.parse(JSON.stringify(other.encode())));
      const facts = { ...plainFacts, warmUpMs: 1000 };
      const union = summaryOf([...some, ...others], facts);
      assert.deepEqual(rough(summarize(merged, facts)), rough(union));
    }),
    { numRuns: repetitions({ quick: 30, full: 300 }) },
  );
});

test('time lines of different steps merge into the coarser one', () => {
  const short = tallyOf([record({ plannedAtMs: 1500 }), record({ plannedAtMs: 2500 })]);
  const long = tallyOf([record({ plannedAtMs: 1_300_000 }), record({ plannedAtMs: 500 })]);
  const encoded = { short: short.encode(), long: long.encode() };
  short.merge(encoded.long);
  long.merge(encoded.short);
  for (const { timeLine } of [short, long]) {
    const { stepMs, steps } = timeLine.series();
    assert.deepEqual([stepMs, steps[0]?.offered, steps.at(-1)?.offered, steps.length], [4000, 3, 1, 326]);
  }
});

test('the latency of one outcome never touches that of another', () => {
  const { latency, service } = summaryOf([
    record({ latencyMs: 10 }),
    record({ latencyMs: 1, outcome: 'shed' }),
    record({ latencyMs: 30_000, outcome: 'timeout' }),
  ]);
  assert.deepEqual([latency.ok?.count, latency.ok?.p50Ms, latency.ok?.maxMs], [1, 10, 10]);
  assert.deepEqual([latency.shed?.maxMs, latency.timeout?.p50Ms, latency.cancelled], [1, 30_000, null]);
  assert.equal(service?.maxMs, 10);
});

test('latency counts from the planned send, service from the actual one, and lag is what lies between', () => {
  const { latency, service, scheduleLag } = summaryOf([
    record({ plannedAtMs: 100, sentAtMs: 107, endedAtMs: 150 }),
    record({ plannedAtMs: 200, sentAtMs: 199.9, endedAtMs: 250 }),
  ]);
  assert.equal(latency.ok?.maxMs, 50);
  assert.equal(service?.p50Ms, 43.007, 'the upper end of its bucket');
  assert.deepEqual([scheduleLag?.p50Ms, scheduleLag?.maxMs], [0, 7]);
});

test('time per output token leaves out the first token and streams that have no second', () => {
  const { streams } = summaryOf([
    record({ firstTokenAtMs: 40, endedAtMs: 100, outputTokens: 4, tokenGapsMs: [10, 20, 30] }),
    record({ firstTokenAtMs: 60, endedAtMs: 60, outputTokens: 1 }),
    record({}),
  ]);
  assert.deepEqual([streams.timePerOutputToken?.count, streams.timePerOutputToken?.maxMs], [1, 20]);
  assert.deepEqual([streams.timeToFirstToken?.count, streams.timeToFirstToken?.maxMs], [2, 60]);
  assert.deepEqual([streams.interToken?.count, streams.interToken?.maxMs], [3, 30]);
});

test('requests of the warm-up are in no figure but the series', () => {
  const { requests, latency, series, goodput } = summaryOf(
    [record({ plannedAtMs: 500, latencyMs: 900 }), record({ plannedAtMs: 1500, latencyMs: 20 })],
    { warmUpMs: 1000, untilMs: 3000 },
  );
  assert.deepEqual([requests.offered, requests.warmUp, requests.perSecond], [1, 1, 0.5]);
  assert.deepEqual([latency.ok?.count, goodput.share], [1, 1]);
  assert.deepEqual(
    series.steps.map(({ offered }) => offered),
    [1, 1],
  );
});

test('the parts of a mean latency add up to it', () => {
  const { timeSpent, latency } = summaryOf(faultyRun({ seed: 3, seconds: 10, perSecond: 40 }));
  assert.ok(timeSpent !== null && latency.ok !== null);
  const { lagMs, queueMs, upstreamMs, gatewayMs, bodyMs } = timeSpent;
  assert.equal(timeSpent.count, latency.ok.count);
  assert.ok(Math.abs(lagMs + queueMs + upstreamMs + gatewayMs + bodyMs - latency.ok.meanMs) < 0.01);
  assert.ok(gatewayMs > 0.7 && gatewayMs < 0.9, `0.3 ms and half a draw, not ${gatewayMs}`);
});

test('sends to replicas are counted against the requests that told them', () => {
  const told = [0, 1, 2].map((tries) => record({ tries }));
  const { upstream } = summaryOf([...told, record({ tries: null })]).requests;
  assert.deepEqual(upstream, { sends: 3, toldBy: 3, perOffered: 1 });
});

test('replicas have their share of what named one', () => {
  const records = [...['b', 'b', 'a', 'b'].map((replica) => record({ replica })), record({ replica: null })];
  const { replicas, withoutReplica } = summaryOf(records);
  assert.deepEqual(
    replicas.map(({ name, requests, share }) => [name, requests, share]),
    [
      ['a', 1, 0.25],
      ['b', 3, 0.75],
    ],
  );
  assert.equal(withoutReplica, 1);
});

test('the latency of a replica is that of its answers, not of its refusals', () => {
  const refused = record({ replica: 'a', outcome: 'shed', latencyMs: 1 });
  const [a, b] = summaryOf([refused, record({ replica: 'a', latencyMs: 50 }), { ...refused, replica: 'b' }]).replicas;
  assert.deepEqual([a?.requests, a?.p50Ms, a?.p99Ms], [2, 50, 50]);
  assert.deepEqual([b?.requests, b?.p50Ms], [1, null]);
});

test('an SLO that is met exactly is met', () => {
  const slos = { ...noSlos, latencyMs: 10 };
  assert.equal(summaryOf([record({ latencyMs: 10 })], { slos }).goodput.share, 1);
  assert.equal(summaryOf([record({ latencyMs: 10.001 })], { slos }).goodput.share, 0);
});

test('the percentile curve goes no further than so many requests can show', () => {
  const { curve } = summaryOf(Array.from({ length: 1000 }, (_, at) => record({ latencyMs: at + 1 })));
  assert.equal(curve.at(-1)?.share, 0.999);
  assert.equal(curve[0]?.share, 0);
  const exact = curve.map(({ share }) => Math.max(1, Math.ceil(share * 1000 - 1e-6)));
  for (const [at, point] of curve.entries())
    assert.ok(Math.abs((point.latencyMs ?? 0) - (exact[at] ?? 0)) <= 1 + 0.001 * (exact[at] ?? 0));
});

test('a summary of any records has the published shape, which loadtest/summary.schema.json is', () => {
  fc.assert(
    fc.property(someRecords, (records) => {
      const summary = summaryOf(records);
      assert.deepEqual(summarySchema.parse(JSON.parse(JSON.stringify(summary))), summary);
    }),
  );
  assert.deepEqual(JSON.parse(readText('loadtest/summary.schema.json')), summaryJsonSchema());
});

test('the memory for a million records is that for a thousand', () => {
  const many = tallyOf(endless(200_000), { sampleSize: 50 });
  const { series, records } = summarize(many, { ...plainFacts, slos: noSlos });
  assert.ok(series.steps.length <= 600, `${series.steps.length} steps`);
  assert.equal(series.stepMs, 4000);
  assert.deepEqual(records, { kept: 50, of: 200_000 });
  assert.equal(
    series.steps.reduce((sum, { offered }) => sum + offered, 0),
    200_000,
  );
});

/** One each 10 ms. */
function* endless(count: number): Generator<RequestRecord> {
  for (let index = 0; index < count; index++) yield record({ index, plannedAtMs: index * 10 });
}

/** But for the mean, whose sum depends on the order, and the sample, which is another one. */
function rough(summary: object): unknown {
  return JSON.parse(
    JSON.stringify(summary, (key, value) => (key === 'meanMs' ? Math.round(value * 1000) / 1000 : value)),
  );
}
