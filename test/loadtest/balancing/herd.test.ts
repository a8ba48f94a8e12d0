import assert from 'node:assert/strict';
import { test } from 'node:test';
import { balancings } from '../../../gateway/balance/registry.ts';
import { type Scenario, scenarios } from '../../../loadtest/balancing/scenarios.ts';
import { simulate } from '../../../loadtest/balancing/simulate.ts';
import { isFull } from '../../support/counts.ts';

const [alike] = scenarios;
const seeds = isFull ? [1, 2, 3] : [1];

/** Sixteen replicas of eight slots that are busy to 80 %, behind some gateways. */
function herd(gateways: number): Scenario {
  const server = alike?.servers[0];
  if (alike === undefined || server === undefined) assert.fail('no scenario');
  const servers = Array.from({ length: 16 }, () => ({ ...server, slots: 8 }));
  return { ...alike, servers, load: 0.8, gateways, forMs: isFull ? 120_000 : 30_000 };
}

for (const [tells, most] of [
  ['all', 1.2],
  ['polled', 2],
] as const) {
  const how = tells === 'all' ? 'with each answer' : 'once a second on a page';
  test(`four gateways that hear of their replicas ${how} do not run together: p99 at most ${most} times that of one`, async (context) => {
    for (const seed of seeds) {
      const one = await simulate(herd(1), { ...balancings.adaptive, tells: 'all' }, seed);
      const four = await simulate(herd(4), { ...balancings.adaptive, tells }, seed);
      context.diagnostic(
        `${how}, seed ${seed}: one gateway ${one.p99Ms.toFixed(0)} ms, four ${four.p99Ms.toFixed(0)} ms`,
      );
      assert.ok(four.p99Ms <= most * one.p99Ms, `${one.p99Ms} -> ${four.p99Ms} ms, seed ${seed}`);
    }
  });
}
