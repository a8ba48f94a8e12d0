import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Queue, queues, waitsOf } from '../loadtest/model-server/queueing.ts';
import { isFull, repetitions } from '../support/counts.ts';
import { freePort, recordsOf, validLoadTest } from '../support/load-tests.ts';

const forSeconds = repetitions({ quick: 8, full: 30 });
const tested = queues.filter(({ name }) => isFull || name === 'M/M/4 at 70 %' || name === 'M/M/1 at 85 %');

/** What the slots of a queue together take to serve one request. */
const meanMs = 10;

/** Until the code of both sides is compiled. */
const startMs = 1000;

/** For 99 of 100 requests, as the server tells their waits. */
const toldBoundMs = 2;

/**
 * For as many, as the client sees them, who also waits for both ways and for the server's timers: as much as the sender of a VALID run may be late.
 * On a machine with nothing else to do it is 3.5 ms, most of them the timers'.
 */
const seenBoundMs = 10;

/** A machine that is busy with other things only ever adds to what is seen: one run of so many has to be within. */
const mostRuns = 3;

/** A simulated server that is a queue, and Poisson arrivals of so many that they load it as the queue says. */
async function scenarioOf({ slots, load, variation }: Queue): Promise<string> {
  const port = await freePort();
  const drawn = variation === null ? 'time: exponential' : `time: lognormal, variation: ${variation}`;
  return `
for: ${forSeconds}s
targets: [{ url: "http://127.0.0.1:${port}", protocol: open-inference, model: simulated }]
servers: [{ kind: tensor, port: ${port}, slots: ${slots}, service: { ${drawn}, mean: ${slots * meanMs}ms } }]
arrivals: { kind: poisson, rate: ${(1000 / meanMs) * load}/s }
payloads: { kind: same, tensor: { shape: [4] } }
`;
}

/**
 * Compares the waits of a VALID run with those of the recursion, which is fed with what was recorded: when each request came, and how long it was worked
 * on. Gives the 99th percentile of the difference to what the client sees: from its sending to the last byte of the answer, without the work.
 */
async function seenDifferenceIn(t: TestContext, queue: Queue): Promise<number> {
  const records = recordsOf(await validLoadTest(t, await scenarioOf(queue)))
    .map(({ plannedAtMs, sentAtMs, endedAtMs, arrivedAtMs, queueMs, upstreamMs: serviceMs }) => {
      assert.ok(arrivedAtMs !== null && queueMs !== null && serviceMs !== null);
      return { plannedAtMs, arrivedAtMs, serviceMs, toldMs: queueMs, seenMs: endedAtMs - sentAtMs - serviceMs };
    })
    .toSorted((a, b) => a.arrivedAtMs - b.arrivedAtMs);
  const asked = records.map(({ arrivedAtMs, serviceMs }, at) => ({
    gapMs: arrivedAtMs - (records[at - 1]?.arrivedAtMs ?? 0),
    serviceMs,
  }));
  const waitsMs = [...waitsOf(queue.slots, asked)];
  const compared = records
    .map((one, at) => ({ ...one, waitMs: waitsMs[at] ?? Number.NaN }))
    .filter(({ plannedAtMs }) => plannedAtMs >= startMs);
  const toldMs = p99Of(compared.map((one) => Math.abs(one.toldMs - one.waitMs)));
  const seenMs = p99Of(compared.map((one) => Math.abs(one.seenMs - one.waitMs)));
  const longestMs = Math.max(...compared.map(({ waitMs }) => waitMs));
  const said = `${compared.length} requests, waits up to ${longestMs.toFixed(0)} ms; p99 of the differences: told ${toldMs.toFixed(3)} ms, seen ${seenMs.toFixed(3)} ms`;
  t.diagnostic(said);
  // Where nobody waits, there is nothing to compare.
  assert.ok(longestMs > 3 * meanMs && compared.length > 100, said);
  assert.ok(toldMs <= toldBoundMs, said);
  return seenMs;
}

function p99Of(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(0.99 * values.length) - 1] ?? Number.NaN;
}

for (const queue of tested) {
  test(`over sockets the waits of ${queue.name} are those of the recursion, within ${toldBoundMs} ms at p99`, async (t) => {
    const seen: number[] = [];
    while (!seen.some((seenMs) => seenMs <= seenBoundMs)) {
      assert.ok(seen.length < mostRuns, `within ${seenBoundMs} ms by none of these runs: ${seen.join(', ')} ms`);
      seen.push(await seenDifferenceIn(t, queue));
    }
  });
}
