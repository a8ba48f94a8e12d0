import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type BalancingName, balancings } from '../../gateway/balance/registry.ts';
import { type Rng, seededRng } from '../../gateway/kernel/rng.ts';
import { lognormal } from '../../loadtest/model-server/draws.ts';
import { isFull } from '../support/counts.ts';
import { arriveByChance, isError } from '../support/poisson.ts';
import type { Script } from '../support/simulated-replica.ts';
import { Simulation } from '../support/simulation.ts';

const minuteMs = 60_000;
const ratePerSecond = 420;
const replicaCount = 8;
const slots = 4;
const firstByteMs = 1_000;
const load = 0.6;
const serviceMs = (load * replicaCount * slots * 1000) / ratePerSecond;

/** What is wrong with one replica of eight, and what clients may feel of it in a minute: shares of errors with retries, and without. */
interface Fault {
  readonly answer: Script;
  readonly share: number;
  readonly errors: number;
  readonly errorsOfOneTry: number;
  /** Of its own accord it does nothing of what it is asked for. */
  readonly isRefusing?: boolean;
}

const soon = 1;
const failing: Script = { headAfterMs: soon, status: 500 };
const faults: Readonly<Record<string, Fault>> = {
  'fails every request': { answer: failing, share: 1, errors: 0.002, errorsOfOneTry: 0.002 },
  'fails 50 %': { answer: failing, share: 0.5, errors: 0.005, errorsOfOneTry: 0.005 },
  'fails 30 %': { answer: failing, share: 0.3, errors: 0.002, errorsOfOneTry: 0.005 },
  'answers 401': refusing(401),
  'answers 404': refusing(404),
  'answers 429': refusing(429),
  'answers 429 and asks for no rest': refusing(429, { 'retry-after-ms': '0' }),
  hangs: { answer: { headAfterMs: Number.POSITIVE_INFINITY }, share: 1, errors: 0.002, errorsOfOneTry: 1 },
};

function refusing(status: number, headers: Record<string, string> = {}): Fault {
  const answer = { headAfterMs: soon, status, headers };
  return { answer, share: 1, errors: 0.002, errorsOfOneTry: 0.01, isRefusing: true };
}

interface Run {
  readonly errorShare: number;
  readonly triesPerRequest: number;
  /** Of all requests, those that the broken replica got. */
  readonly brokenShare: number;
  /** When the broken one was first ejected; null where it never was. */
  readonly outAtMs: number | null;
}

async function run(policy: BalancingName, { answer, share }: Fault, maxTries: number, seed: number): Promise<Run> {
  const rng = seededRng(seed);
  const simulation = new Simulation({ seed, backends: [backendOf(policy, answer, share, maxTries, rng)] });
  const [broken] = simulation.backends[0]?.replicas ?? assert.fail();
  let outAtMs: number | null = null;
  broken?.gate.changed.subscribe(({ state }) => {
    if (state === 'ejected') outAtMs ??= simulation.clock.nowMs();
  });
  const answering = arriveByChance(simulation, { ratePerSecond, forMs: minuteMs, rng });
  await simulation.clock.runAll();
  const answers = await answering;
  assert.deepEqual(simulation.leftovers(), []);
  return {
    errorShare: answers.filter(isError).length / answers.length,
    triesPerRequest: simulation.tried.length / answers.length,
    brokenShare: simulation.replicaOf('pool/r0').seen.length / answers.length,
    outAtMs,
  };
}

function backendOf(policy: BalancingName, answer: Script, share: number, maxTries: number, rng: Rng) {
  const serve = (): Script => ({ headAfterMs: serviceMs * lognormal(rng, 0.5) });
  const replicas = Array.from({ length: replicaCount }, (_, at) => ({
    id: `r${at}`,
    worksOn: slots,
    script: () => (at === 0 && rng.next() < share ? answer : serve()),
  }));
  return {
    name: 'pool',
    policy,
    replicas,
    retry: { maxTries },
    breaker: { slowStartMs: 10_000 },
    timeouts: { firstByteMs },
  };
}

function tell(context: TestContext, name: string, { errorShare, triesPerRequest, brokenShare, outAtMs }: Run): void {
  const percent = (part: number): string => `${(100 * part).toFixed(3)} %`;
  const out = outAtMs === null ? '-' : `${Math.round(outAtMs)} ms`;
  context.diagnostic(
    `${name}: errors ${percent(errorShare)}, tries ${triesPerRequest.toFixed(3)}, ` +
      `to the broken one ${percent(brokenShare)}, first out at ${out}`,
  );
}

/** By least-outstanding it gets few requests within the first second: those that follow must hang for another, unless the few suffice. */
function assertOutSoon({ outAtMs }: Run): void {
  assert.ok((outAtMs ?? assert.fail('never out')) <= 2_000, `${outAtMs} ms`);
}

const policies = Object.keys(balancings) as BalancingName[];

for (const [at, [claim, fault]] of Object.entries(faults).entries()) {
  describe(`one of eight replicas ${claim}`, () => {
    // A quick run takes the policies in turn, of which there are as many as faults.
    for (const policy of isFull ? policies : policies.slice(at % policies.length, (at % policies.length) + 1)) {
      const seed = 100 + at;

      it(`and with retries no client feels it, by ${policy}`, async (context) => {
        const seen = await run(policy, fault, 3, seed);
        tell(context, `${claim}, ${policy}, retries`, seen);
        assert.ok(seen.errorShare <= fault.errors, `errors ${seen.errorShare}, seed ${seed}`);
        assert.ok(seen.triesPerRequest <= 1.2, `tries ${seen.triesPerRequest}, seed ${seed}`);
        if (claim === 'hangs') assertOutSoon(seen);
        if (fault.isRefusing) assert.ok(seen.brokenShare < 0.01, `${seen.brokenShare}, seed ${seed}`);
      });

      it(`and with one try few do, by ${policy}`, async (context) => {
        const seen = await run(policy, fault, 1, seed);
        tell(context, `${claim}, ${policy}, one try`, seen);
        assert.ok(seen.errorShare <= fault.errorsOfOneTry, `errors ${seen.errorShare}, seed ${seed}`);
        if (claim === 'hangs') assertOutSoon(seen);
        if (fault.isRefusing) assert.ok(seen.brokenShare < 0.01, `${seen.brokenShare}, seed ${seed}`);
      });
    }
  });
}
