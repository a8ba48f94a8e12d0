import type { Arrivals, Scenario } from '../scenario/scenario.ts';

/** What one process sends a second without lag on a slow machine of two processors, with as much left for answers. */
const ratePerProcess = 8000;

/** How many processes send: as many as the scenario wants, and more where its highest rate is beyond that, as far as there are processors. */
export function processesFor({ arrivals, clients }: Scenario, processorCount: number): number {
  const needed = Math.ceil(highestRatePerSecond(arrivals) / ratePerProcess);
  return Math.max(clients.processes, Math.min(needed, processorCount));
}

function highestRatePerSecond(arrivals: Arrivals): number {
  switch (arrivals.kind) {
    case 'open':
      return Math.max(...arrivals.segments.flatMap(({ fromPerSecond, toPerSecond }) => [fromPerSecond, toPerSecond]));
    case 'trace': {
      const { trace, limit, speed } = arrivals;
      return trace.meanPerSecond(limit ?? trace.size) * speed;
    }
    case 'closed':
      return 0;
  }
}
