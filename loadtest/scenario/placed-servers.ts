import { seedsOf } from '../arrivals/seeds.ts';
import type { PlacedServerSettings } from '../model-server/settings.ts';
import type { Scenario } from './scenario.ts';

/** The simulated servers of a scenario, each with its own faults and with those that befall it. */
export function placedServersOf({ servers, faults }: Pick<Scenario, 'servers' | 'faults'>): PlacedServerSettings[] {
  return servers.map((settings) => {
    const own = faults.filter(({ server }) => server === null || server === settings.name);
    return { ...settings, faults: [...settings.faults, ...own] };
  });
}

/** The chance of the `at`-th server in a run with this seed: each has its own, and repetitions with seeds of their own are independent. */
export function serverSeedOf(seed: number, at: number): number {
  return seedsOf(seed).servers + 2 * at;
}
