import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type BalancingName, balancings } from '../../gateway/balance/registry.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import { type Rng, seededRng } from '../../gateway/kernel/rng.ts';
import { lightWork } from '../../gateway/pipeline/ask.ts';
import { repetitions } from '../support/counts.ts';
import { arriveByChance } from '../support/poisson.ts';
import { hold } from '../support/replicas.ts';
import type { Script } from '../support/simulated-replica.ts';
import { type Call, Simulation } from '../support/simulation.ts';

const seed = 20;
const slots = 4;
const meanMs = 20;
/** No answer takes longer. */
const firstByteMs = 300;
const requests = repetitions({ quick: 2_000, full: 100_000 });

/** Two whose slots are configured, and two that leave them unsaid. */
const known = [slots, slots, undefined, undefined] as const;
const ratePerSecond = (0.4 * known.length * slots * 1000) / meanMs;

/** What a replica makes of a request: mostly an answer, often with a report of its load. */
function scriptOf(rng: Rng): Script {
  const kind = rng.below(40);
  const headAfterMs = 2 * meanMs * rng.next();
  if (kind === 0) return { refusesAfterMs: 1 };
  if (kind === 1) return { headAfterMs, ends: 'broken' };
  if (kind === 2) return { headAfterMs: Number.POSITIVE_INFINITY };
  if (kind === 3) return { headAfterMs: 1, status: 500 };
  if (kind === 4) return { headAfterMs: 1, status: 503, headers: { 'retry-after-ms': '20' } };
  const told = `JSON {"named_metrics":{"in_flight":${rng.below(9)},"service_seconds":${headAfterMs / 1000}}}`;
  const headers: Record<string, string> = rng.below(2) === 0 ? {} : { 'endpoint-load-metrics': told };
  const piece = { afterMs: rng.below(30), bytes: Buffer.from('data: {}\n\n') };
  const ends = kind === 5 ? 'broken' : kind === 6 ? 'hangs' : 'complete';
  return { headAfterMs, headers, pieces: [piece, piece], ends };
}

/** What a client asks: short and long prompts; some leave early, some are in a hurry. */
function callOf(rng: Rng): Call {
  const prompt = 'word '.repeat(rng.below(400));
  const limit = rng.below(2) === 0 ? {} : { max_tokens: 1 + rng.below(300) };
  const isStreaming = rng.below(2) === 0;
  return {
    isStreaming,
    body: Buffer.from(JSON.stringify({ model: 'llm', messages: [{ role: 'user', content: prompt }], ...limit })),
    ...(rng.below(5) === 0 ? { leavesAfterMs: rng.below(80) } : {}),
    ...(rng.below(10) === 0 ? { deadlineMs: 1 + rng.below(80) } : {}),
  };
}

/** Sends them all to a backend that retries and hedges, and waits until nothing happens any more. */
async function turmoil(policy: BalancingName): Promise<Simulation> {
  const rng = seededRng(seed);
  const simulation = new Simulation({
    seed,
    backends: [
      {
        name: 'llm',
        protocol: 'openai',
        policy,
        replicas: known.map((count, at) => ({
          id: `r${at}`,
          ...(count === undefined ? {} : { slots: count }),
          worksOn: slots,
          script: () => scriptOf(rng),
        })),
        queue: { maxLength: 20, waitMs: 100 },
        timeouts: { connectMs: 100, firstByteMs, idleMs: 200, totalMs: 2_000 },
        breaker: { consecutiveFailures: 8, successShareBelow: 0.5, ejectMs: 50, ejectMaxMs: 200 },
        retry: { maxTries: 3, budgetShare: 0.5 },
        hedge: { after: { kind: 'delay', delayMs: 25 }, budgetShare: 0.5 },
      },
    ],
  });
  // Somewhat longer than they take on average.
  const forMs = (1.1 * requests * 1000) / ratePerSecond;
  const answering = arriveByChance(simulation, { ratePerSecond, forMs, rng, call: () => callOf(rng) });
  await simulation.clock.runAll();
  const answers = await answering;
  assert.ok(answers.length >= requests);
  return simulation;
}

function tellWhatHappened({ tried, settled }: Simulation, context: TestContext): void {
  const hedges = tried.filter(({ kind }) => kind === 'hedge').length;
  const retries = tried.filter(({ kind }) => kind === 'retry').length;
  const { succeeded = [], failed = [], refused = [], abandoned = [] } = Object.groupBy(tried, (one) => one.outcome);
  context.diagnostic(
    `seed ${seed}: ${settled.length} requests, ${tried.length} tries, ${retries} retries, ${hedges} hedges; ` +
      `${succeeded.length} succeeded, ${failed.length} failed, ${refused.length} refused, ${abandoned.length} abandoned`,
  );
  for (const count of [hedges, retries, succeeded.length, failed.length, refused.length, abandoned.length])
    assert.ok(count > settled.length / 200, 'all of it happens');
}

/** Requests it can be sent until it has no credit left. */
function creditsOf(replica: Replica): number {
  const held = [];
  while (replica.hasCredit) held.push(hold(replica));
  for (const lease of held) lease.release('abandoned');
  return held.length;
}

/**
 * Whatever has been learned of a replica that works on one request at a time, its price with one request in it is twice the price without: nobody
 * who counts one that has gone, or half of one, finds that. Nor does any answer take as long as what somebody waits for in vain.
 */
function assertNothingIsCounted(replica: Replica, nowMs: number): void {
  const { state, meter, fullName, priceUnit } = replica;
  state.configuredSlots = 1;
  for (const work of [lightWork, { ...lightWork, inputTokens: 70, outputTokensExpected: 9 }]) {
    const idle = meter.costOf(work, nowMs);
    const lease = hold(replica, work);
    const busy = meter.costOf(work, nowMs);
    lease.release('abandoned');
    assert.ok(idle > 0);
    assert.ok(Math.abs(busy / idle - 2) < 1e-9, `${fullName} costs ${idle} when it is idle, and ${busy} with one more`);
    assert.equal(meter.costOf(work, nowMs), idle);
    if (priceUnit === 'ms') assert.ok(idle < firstByteMs, `${fullName} costs ${idle} ms when it is idle`);
  }
}

describe(`after ${requests} requests with failures, departures and hedges nothing is counted that is over`, () => {
  for (const policy of Object.keys(balancings) as BalancingName[])
    it(`by ${policy}`, async (context) => {
      const simulation = await turmoil(policy);
      tellWhatHappened(simulation, context);
      assert.deepEqual(simulation.leftovers(), []);
      const { clock } = simulation;
      // What replicas told of others holds no longer.
      await clock.runUntil(clock.nowMs() + 10_000);
      for (const [at, replica] of (simulation.backends[0]?.replicas ?? []).entries()) {
        replica.gate.readmit('by the test');
        assert.equal(replica.slot.inFlight, 0);
        if (known[at] !== undefined) assert.equal(creditsOf(replica), 1.25 * slots);
        const last = hold(replica);
        last.firstByte();
        last.release('succeeded');
        assertNothingIsCounted(replica, clock.nowMs());
      }
    });
});
