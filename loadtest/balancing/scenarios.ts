import type { LoadReport } from '../../gateway/balance/load-report.ts';
import type { Rng } from '../../gateway/kernel/rng.ts';
import { exponential } from '../model-server/draws.ts';
import type { Slowing } from '../model-server/pace.ts';

/** One replica of a fleet: how many requests it works on at once, and how fast beside the others. */
export interface ServerSpec {
  readonly slots: number;
  readonly speed: number;
  /** Whether it tells nothing of itself, whatever the others do. */
  readonly isSilent?: boolean;
  /** What it tells in the place of the truth; `truths` are the last that each server of the fleet would have told. */
  readonly lie?: (truth: LoadReport, truths: ReadonlyMap<ServerSpec, LoadReport>) => LoadReport;
  /** When it is slower than that. */
  slowings(rng: Rng, untilMs: number): readonly Slowing[];
}

/** A fleet and what comes to it. Numbers are those of the research that the policy comes from. */
export interface Scenario {
  readonly number: string;
  readonly title: string;
  readonly servers: readonly ServerSpec[];
  /** Of a usual request at speed 1. */
  readonly meanMs: number;
  readonly variation: number;
  readonly gateways: number;
  /** Arrivals, as a share of what the fleet could do at full speed. */
  readonly load: number;
  /** Times the usual rate at an instant, where arrivals are not even. */
  readonly rateAt?: (atMs: number) => number;
  /** How long requests come that count; two minutes unless said. */
  readonly forMs?: number;
}

const never = (): readonly Slowing[] => [];

function fleet(...kinds: readonly (readonly [count: number, slots: number, speed: number])[]): ServerSpec[] {
  return kinds.flatMap(([count, slots, speed]) =>
    Array.from({ length: count }, () => ({ slots, speed, slowings: never })),
  );
}

const slowForMs = 3_000;
const fastForMs = 27_000;
const timesSlow = 4;

/** Somebody else on the machine: now and then everything takes four times as long for three seconds. */
function antagonists(rng: Rng, untilMs: number): readonly Slowing[] {
  const found: Slowing[] = [];
  let atMs = fastForMs * exponential(rng);
  while (atMs < untilMs) {
    found.push({ atMs, untilMs: atMs + slowForMs, by: timesSlow });
    atMs += slowForMs + fastForMs * exponential(rng);
  }
  return found;
}

const alike = fleet([8, 4, 1]);
const speeds = fleet([4, 4, 1], [2, 4, 0.5], [2, 4, 0.25]);
const usual = { meanMs: 100, variation: 1, gateways: 1 };
const disturbed = (servers: readonly ServerSpec[]): ServerSpec[] =>
  servers.map((one) => ({ ...one, slowings: antagonists }));

const burstEveryMs = 10_000;
const burstForMs = 1_000;

/** What the table shows, in its order. */
export const scenarios: readonly Scenario[] = [
  { ...usual, number: '1a', title: 'eight alike, 70 %', servers: alike, load: 0.7 },
  { ...usual, number: '1b', title: 'eight alike, 90 %', servers: alike, load: 0.9 },
  { ...usual, number: '2', title: 'speeds 4:2:1, 50 %', servers: speeds, load: 0.5 },
  { ...usual, number: '3', title: 'speeds 4:2:1, 70 %', servers: speeds, load: 0.7 },
  { ...usual, number: '4', title: 'speeds 4:2:1, 90 %', servers: speeds, load: 0.9 },
  { ...usual, number: '5', title: 'speeds 4:2:1, 70 %, little variation', servers: speeds, load: 0.7, variation: 0.3 },
  {
    ...usual,
    number: '6',
    title: 'slots 16 16 4 4 4 4 1 1, 80 %',
    servers: fleet([2, 16, 1], [4, 4, 1], [2, 1, 1]),
    load: 0.8,
  },
  { ...usual, number: '7', title: 'each 4 times slower for 3 s of 30, 65 %', servers: disturbed(alike), load: 0.65 },
  {
    ...usual,
    number: '8',
    title: 'one of 11 twelve times slower for 30 s (Buoyant)',
    servers: fleet([11, 64, 1]).map((one, at) =>
      at === 0 ? { ...one, slowings: () => [{ atMs: 30_000, untilMs: 60_000, by: 12 }] } : one,
    ),
    forMs: 60_000,
    meanMs: 167,
    variation: 0.3,
    load: (1000 * 0.167) / (11 * 64),
  },
  {
    ...usual,
    number: '9',
    title: '3 and 7 together, four gateways',
    servers: disturbed(speeds),
    load: 0.7,
    gateways: 4,
  },
  { ...usual, number: '10', title: 'speeds 4:2:1, 70 %, 16 gateways', servers: speeds, load: 0.7, gateways: 16 },
  {
    ...usual,
    number: '11',
    title: 'speeds 4:2:1, 50 %, twice as many for 1 s of 10',
    servers: speeds,
    load: 0.5,
    rateAt: (atMs) => (atMs % burstEveryMs < burstForMs ? 2 : 1),
  },
  { ...usual, number: '12', title: 'four of 64 slots, 50 %', servers: fleet([4, 64, 1]), load: 0.5, forMs: 60_000 },
];
