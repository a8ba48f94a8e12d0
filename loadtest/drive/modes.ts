import type { Clock } from '../../gateway/kernel/clock.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { compare, type Pair } from '../compare/compare.ts';
import type { Comparison } from '../compare/comparison.ts';
import type { Summary } from '../report/summary.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { findMaxRate, type MaxRate } from '../search/find-max-rate.ts';
import { isOverSaturated } from '../search/over-saturation.ts';
import { type Sweep, sweep } from '../search/sweep.ts';

/** What a mode may change from one run to the next. */
export interface Variation {
  readonly target: string;
  readonly seed: number;
  readonly ratePerSecond?: number;
  readonly title: string;
}

/** Makes one run. */
export type Measure = (variation: Variation) => Promise<Summary>;

/** What all modes need. */
export interface Bench {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly measure: Measure;
  /** Aborted: no run is begun any more. */
  readonly signal: AbortSignal;
}

/** After a run connections close, garbage is collected and queues run empty; what comes next has no part in that. */
const pauseMs = 500;

/** All targets in turns, A B B A and so on: a machine that grows slower with time favours none. Each but the first is compared with that. */
export async function compareTargets(
  { seed, targets }: Pick<Scenario, 'seed' | 'targets'>,
  { clock, measure, signal }: Bench,
  repetitions: number,
): Promise<{ readonly comparisons: readonly Comparison[]; readonly summaries: readonly Summary[] }> {
  const names = targets.map(({ name }) => name);
  const rounds: (readonly Summary[])[] = [];
  for (let at = 0; at < repetitions && !signal.aborted; at++) {
    const round: Summary[] = [];
    for (const target of at % 2 === 0 ? names : names.toReversed()) {
      await clock.sleep(pauseMs);
      round.push(await measure({ target, seed: seed + at, title: `${at + 1} of ${repetitions}, ${target}` }));
    }
    rounds.push(at % 2 === 0 ? round : round.toReversed());
  }
  // What was interrupted is half a round.
  if (signal.aborted) rounds.pop();
  const pairsWith = (nth: number): Pair[] =>
    rounds.flatMap((round) => {
      const [a, b] = [round[0], round[nth]];
      return a === undefined || b === undefined ? [] : [{ a, b }];
    });
  const comparisons = names.slice(1).map((_, at) => compare(pairsWith(at + 1), { rng: seededRng(seed) }));
  return { comparisons, summaries: rounds.flat() };
}

/** So many good requests of a hundred make a rate one that holds. */
const leastGoodput = 0.99;

/** Within so much the highest rate is found, by so many runs near it. */
const search = { precision: 0.05, repeats: 3, reach: 1024 };

/** A rate at which a run has fewer tells nothing. */
const fewestRequests = 10;

/** Looks for the highest rate at which the SLOs are met by 99 % of all requests, every claim holds, and no queue grows without end. */
export function findTargetsMaxRate(
  { seed, targets, forMs, warmUpMs }: Pick<Scenario, 'seed' | 'targets' | 'forMs' | 'warmUpMs'>,
  { clock, measure, signal }: Bench,
  startPerSecond: number,
): Promise<MaxRate> {
  const target = targets[0]?.name ?? '';
  const tellingPerSecond = forMs === null ? 0 : (fewestRequests * 1000) / (forMs - warmUpMs);
  let nth = 0;
  return findMaxRate({
    startPerSecond,
    leastPerSecond: Math.min(startPerSecond, Math.max(tellingPerSecond, startPerSecond / search.reach)),
    mostPerSecond: startPerSecond * search.reach,
    precision: search.precision,
    repeats: search.repeats,
    isMet: (summary) =>
      summary.goodput.share >= leastGoodput && summary.asserts.every(({ isMet }) => isMet) && !isOverSaturated(summary),
    isInterrupted: () => signal.aborted,
    async measureAt(ratePerSecond) {
      await clock.sleep(pauseMs);
      return measure({ target, seed: seed + nth++, ratePerSecond, title: `${ratePerSecond.toPrecision(4)}/s` });
    },
  });
}

/** Measures at rising rates. */
export function sweepTarget(
  { seed, targets }: Pick<Scenario, 'seed' | 'targets'>,
  { clock, measure, signal }: Bench,
  ratesPerSecond: readonly number[],
): Promise<Sweep> {
  const target = targets[0]?.name ?? '';
  return sweep(ratesPerSecond, async (ratePerSecond) => {
    await clock.sleep(pauseMs);
    signal.throwIfAborted();
    return measure({ target, seed, ratePerSecond, title: `${ratePerSecond.toPrecision(4)}/s` });
  });
}
