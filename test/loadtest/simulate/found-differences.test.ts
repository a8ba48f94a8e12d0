import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRng } from '../../../gateway/kernel/rng.ts';
import { recommendedRepetitions } from '../../../loadtest/compare/compare.ts';
import type { Comparison } from '../../../loadtest/compare/comparison.ts';
import { compareTargets } from '../../../loadtest/drive/modes.ts';
import type { Scenario } from '../../../loadtest/scenario/scenario.ts';
import type { GatewaysAt } from '../../../loadtest/simulate/simulated-ground.ts';
import { isFull, repetitions } from '../../support/counts.ts';
import { gatewaysOf, scenarioOf, simulated, surroundings } from '../../support/simulations.ts';

/** A server of four slots, half busy: M/M/4, of which the whole distribution of the time in it is known. */
const slots = 4;
const meanMs = 20;
const ratePerMs = (0.5 * slots) / meanMs;

/** P(T > t) of the time in an M/M/c server: that of a service, and behind it that of the wait, which Erlang's C says how many have. */
function shareBeyond(timeMs: number, serviceMs: number): number {
  const offered = ratePerMs * serviceMs;
  let term = 1;
  let sum = 0;
  for (let busy = 0; busy < slots; busy++) {
    sum += term;
    term *= offered / (busy + 1);
  }
  const waiting = (term * slots) / (slots - offered);
  const waits = waiting / (sum + waiting);
  const spare = slots - 1 - offered;
  const ofService = Math.exp(-timeMs / serviceMs);
  return ofService * (1 + (waits * (1 - Math.exp((-timeMs / serviceMs) * spare))) / spare);
}

/** Where a falling function of a positive number crosses a value. */
function crossing(of: (at: number) => number, value: number): number {
  let [low, high] = [1e-3, 1e3];
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    if (of(middle) > value) low = middle;
    else high = middle;
  }
  return low;
}

const p99Ms = (serviceMs: number): number => crossing((timeMs) => shareBeyond(timeMs, serviceMs), 0.01);
const tenPercentSlower = crossing((serviceMs) => -p99Ms(serviceMs), -1.1 * p99Ms(meanMs));

/** With this many requests a run, 12 repetitions find 10 % in the p99 of such a server in about 98 of 100 comparisons. */
const requests = 3000;

function scenarioTo(url: (port: number) => string): Scenario {
  const target = (name: string, port: number): string =>
    `  - { name: ${name}, url: "${url(port)}", protocol: open-inference, model: simulated }`;
  const server = (name: string, port: number, serviceMs: number): string =>
    `  - { name: ${name}, port: ${port}, kind: tensor, slots: ${slots}, service: { time: exponential, mean: ${serviceMs}ms } }`;
  return scenarioOf(`
requests: ${requests}
arrivals: { kind: poisson, rate: ${1000 * ratePerMs}/s }
payloads: { kind: same, tensor: { shape: [1] } }
targets:
${target('one', 8101)}
${target('alike', 8102)}
${target('slower', 8103)}
servers:
${server('one', 8101, meanMs)}
${server('alike', 8102, meanMs)}
${server('slower', 8103, Number(tenPercentSlower.toFixed(3)))}
`);
}

/** What a comparison says of the p99 of a target against another that differs from it in its chance alone, and against one that is 10 % slower. */
async function verdicts(scenario: Scenario, gateways: GatewaysAt): Promise<readonly (string | undefined)[]> {
  const measure = async ({ target, seed }: { target: string; seed: number }) =>
    (await simulated({ ...scenario, seed }, gateways, target)).summary;
  const bench = { clock: { sleep: async () => {} }, signal: surroundings.signal, measure };
  const { comparisons } = await compareTargets(scenario, bench, recommendedRepetitions);
  return comparisons.map(({ differences }: Comparison) => differences.find(({ metric }) => metric === 'p99')?.verdict);
}

async function count(comparisons: number, scenario: Scenario, gateways: GatewaysAt) {
  const counts = { quiet: 0, found: 0 };
  const seed = isFull ? systemRng().below(2 ** 32) : 1987;
  for (let nth = 0; nth < comparisons; nth++) {
    const [alike, slower] = await verdicts({ ...scenario, seed: seed + nth * recommendedRepetitions }, gateways);
    if (alike === 'no difference shown') counts.quiet += 1;
    if (slower === 'worse') counts.found += 1;
  }
  return { ...counts, told: `${JSON.stringify(counts)} of ${comparisons}, seed ${seed}` };
}

test('the closed form that the slower server is made by is that of M/M/4', () => {
  // By hand: a half busy server of four makes 17.4 % wait, and the mean time in it is 1.087 services.
  let mean = 0;
  for (let timeMs = 0; timeMs < 2000; timeMs += 0.05) mean += 0.05 * shareBeyond(timeMs + 0.025, meanMs);
  assert.ok(Math.abs(mean - meanMs * 1.08696) < 0.01, `${mean}`);
  assert.ok(Math.abs(p99Ms(tenPercentSlower) / p99Ms(meanMs) - 1.1) < 1e-6);
});

const comparisons = repetitions({ quick: 4, full: 100 });
/** Nine of ten; of a few the same less one for chance. */
const rightAtLeast = isFull ? 90 : 3;

test('on the virtual clock a target against one like it shows no difference, and 10 % in p99 are found', async (t) => {
  const { quiet, found, told } = await count(
    comparisons,
    scenarioTo((port) => `http://127.0.0.1:${port}`),
    new Map(),
  );
  t.diagnostic(told);
  assert.ok(quiet >= rightAtLeast, `quiet: ${told}`);
  assert.ok(found >= rightAtLeast, `found: ${told}`);
});

test('so it is through gateways', async (t) => {
  const config = (port: number): string => `
backends:
  - { name: b, protocol: open-inference, models: [simulated], replicas: [{ id: r, url: "http://127.0.0.1:${port}" }] }`;
  const gateways = gatewaysOf({ one: config(8101), alike: config(8102), slower: config(8103) });
  const { quiet, found, told } = await count(
    repetitions({ quick: 1, full: 5 }),
    scenarioTo((port) => `http://gateway:${port}`),
    gateways,
  );
  t.diagnostic(told);
  assert.ok(quiet >= repetitions({ quick: 1, full: 4 }) && found >= repetitions({ quick: 1, full: 4 }), told);
});
