import { compareSlots, Eligible } from '../../gateway/balance/eligible.ts';
import { silence } from '../../gateway/balance/load-report.ts';
import { isNonEmpty } from '../../gateway/balance/policy.ts';
import { type BalancingName, balancings } from '../../gateway/balance/registry.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import { LoadBoard } from '../../gateway/kernel/load-board.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { systemClock as clock } from '../../gateway/kernel/system-clock.ts';
import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { lightWork } from '../../gateway/pipeline/ask.ts';
import { simulatedReplica } from '../balancing/simulated-replica.ts';

const work = lightWork;
const nobody: readonly Replica[] = [];

/** Replicas of which some report and some do not, some have slots and some do not, and all have answered some requests and work on others. */
function fleetOf(count: number, policy: BalancingName, wheel: TimerWheel): Replica[] {
  const rng = seededRng(1);
  const board = new LoadBoard(count);
  return Array.from({ length: count }, (_, at) => {
    const described = { id: `r${at}`, slots: at % 3 === 0 ? null : 4, signal: balancings[policy].signal };
    const { replica } = simulatedReplica(described, { board, clock, wheel, rng });
    for (let n = 0; n < 20; n++) answer(replica, at % 2 === 1 ? rng.next() : null);
    for (let n = 0; n < at % 3; n++) replica.meter.begin(work);
    return replica;
  });
}

function answer({ meter, state }: Replica, drawn: number | null): void {
  const ticket = meter.begin(work);
  if (drawn !== null) {
    const report = { ...silence, slots: 4, inFlight: 3, queued: 0, serviceSeconds: 0.05 + drawn / 10 };
    state.takeReport(report, 'reply');
    ticket.report(report);
  }
  ticket.firstByte();
  ticket.settle('succeeded');
}

const rounds = 9;
const picksARound = 100_000;

/** What it costs to see who is eligible and to pick one of them, in microseconds: the median of some rounds, and the least and the most. */
function costOf(count: number, policy: BalancingName): string {
  const wheel = new TimerWheel(clock);
  const replicas = fleetOf(count, policy, wheel);
  const picking = balancings[policy].newPolicy(seededRng(2));
  const eligible = new Eligible();
  const picks = Math.round(picksARound / Math.max(1, count / 64));
  const once = (): void => {
    eligible.look(replicas, nobody);
    compareSlots(replicas, eligible.areMixed);
    const { list } = eligible;
    if (!isNonEmpty(list)) throw new Error('nobody is eligible');
    // Who is picked takes the request on and ends it: its price changes.
    const ticket = picking.pick(list, work, clock.nowMs()).meter.begin(work);
    ticket.settle('abandoned');
  };
  for (let n = 0; n < picks; n++) once();
  const found = Array.from({ length: rounds }, () => {
    const startedAtMs = clock.nowMs();
    for (let n = 0; n < picks; n++) once();
    return ((clock.nowMs() - startedAtMs) * 1000) / picks;
  }).toSorted((a, b) => a - b);
  wheel.close();
  const [least = 0, middle = 0, most = 0] = [found[0], found[Math.floor(rounds / 2)], found.at(-1)];
  return `${middle.toFixed(2)} (${least.toFixed(2)} .. ${most.toFixed(2)})`;
}

/** `npm run bench -- pick`: a table of what picking costs, by policy and number of replicas. */
export function pickCost(policy: BalancingName): string {
  const lines = [8, 64, 1000].map((count) => `| ${policy} | ${count} | ${costOf(count, policy)} |`);
  return `${['| policy | replicas | microseconds a pick |', '| --- | --- | --- |', ...lines].join('\n')}\n`;
}
