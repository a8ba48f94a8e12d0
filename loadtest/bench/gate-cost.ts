import { Fleet } from '../../gateway/guard/fleet.ts';
import { type Evidence, freePermit, type Permit } from '../../gateway/guard/gate.ts';
import { TrafficGate } from '../../gateway/guard/traffic-gate.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';

const rounds = 21;
const requestsARound = 50_000;
const failuresARound = 2_000;

/** Counts everything and never trips, so that every round costs what the one before did. */
const rules = {
  consecutiveFailures: Number.POSITIVE_INFINITY,
  successShareBelow: 0,
  windowMs: 10_000,
  minRequests: 10,
  ejectMs: 5_000,
  ejectMaxMs: 300_000,
};

/** Processor time of what a gate does for one request, against a permit that does nothing, in turns: a success, and a failure with all of those successes in the window. Gives a line for each. */
export function gateCost(): string {
  const wheel = new TimerWheel(systemClock);
  const parts = { rules, clock: systemClock, wheel, rng: seededRng(1) };
  const gates = Array.from({ length: 8 }, () => new TrafficGate(parts));
  const fleet = new Fleet();
  for (const gate of gates) gate.obey(rules, fleet);
  const [gate] = gates;
  const enter = (): Permit => gate?.enter() ?? freePermit;
  const without: number[] = [];
  const columns = { success: [] as number[], failure: [] as number[], client_error: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    without.push(microsecondsEach(requestsARound, () => freePermit.settle('success')));
    for (const evidence of ['success', 'failure', 'client_error'] as const) {
      const times = evidence === 'success' ? requestsARound : failuresARound;
      columns[evidence].push(microsecondsEach(times, () => enter().settle(evidence satisfies Evidence)));
    }
  }
  wheel.close();
  const rows = [['without a gate', without] as const, ...Object.entries(columns)];
  return rows.map(([name, each]) => `${name.padEnd(14)}  ${inWords(each)}\n`).join('');
}

function microsecondsEach(times: number, act: () => void): number {
  const before = process.cpuUsage();
  for (let n = 0; n < times; n++) act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

function inWords(each: readonly number[]): string {
  const sorted = each.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(3);
  return `median ${at(0.5)} us, ${at(0)} to ${at(1)}`;
}
