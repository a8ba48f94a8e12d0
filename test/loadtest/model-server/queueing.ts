import { seededRng } from '../../../gateway/kernel/rng.ts';
import { exponential, lognormal } from '../../../loadtest/model-server/draws.ts';
import { Pace } from '../../../loadtest/model-server/pace.ts';
import { TensorEngine } from '../../../loadtest/model-server/tensor-engine.ts';

/** A queue to be simulated: mean time of service 1 ms times `slots`, so that the rate of arrivals is the load. */
export interface Queue {
  readonly name: string;
  readonly slots: number;
  /** The share of time that a slot works. */
  readonly load: number;
  /** The coefficient of variation of a log-normal service time; null for an exponential one. */
  readonly variation: number | null;
}

const loads = [0.5, 0.7, 0.85];

/** M/M/1, M/M/4 and M/G/1 at each load. */
export const queues: readonly Queue[] = loads.flatMap((load) => [
  { name: `M/M/1 at ${100 * load} %`, slots: 1, load, variation: null },
  { name: `M/M/4 at ${100 * load} %`, slots: 4, load, variation: null },
  { name: `M/G/1 at ${100 * load} %`, slots: 1, load, variation: 1.5 },
]);

/** What came of one request. */
export interface Served {
  /** Counts the arrivals. */
  readonly order: number;
  readonly arrivedAtMs: number;
  readonly waitMs: number;
  readonly serviceMs: number;
}

/** Milliseconds are cut to so many parts, so that sums and differences of them have no rounding: what must be equal then is equal to the last bit. */
const parts = 1024;
const exact = (ms: number): number => Math.round(parts * ms) / parts;

/** The draws of a queue: gaps between arrivals, and service times. */
export function drawsOf({ slots, load, variation }: Queue, seed: number): { gapMs(): number; serviceMs(): number } {
  const arrivals = seededRng(seed);
  const services = seededRng(seed + 1);
  return {
    gapMs: () => exact(exponential(arrivals) / load),
    serviceMs: () => exact(slots * (variation === null ? exponential(services) : lognormal(services, variation))),
  };
}

/** Sends a queue's arrivals through an engine and tells of every request in the order of its end. */
export function simulate(
  queue: Queue,
  { requests, seed, pace = new Pace([]) }: { requests: number; seed: number; pace?: Pace },
  onEnd: (served: Served) => void,
): void {
  const draws = drawsOf(queue, seed);
  const { slots } = queue;
  const maxQueue = Number.POSITIVE_INFINITY;
  const engine = new TensorEngine({ slots, maxQueue, workTime: draws.serviceMs, pace, rng: seededRng(0) });
  let nowMs = 0;
  for (let at = 0; at < requests; at++) {
    nowMs += draws.gapMs();
    engine.submit(nowMs, 1, onEnd);
  }
  engine.advance(Number.MAX_VALUE);
}

/** The waits that queueing theory says a queue's draws lead to. */
export function* recursion(queue: Queue, requests: number, seed: number): Generator<number> {
  const draws = drawsOf(queue, seed);
  const drawn = Array.from({ length: requests }, () => ({ gapMs: draws.gapMs(), serviceMs: draws.serviceMs() }));
  yield* waitsOf(queue.slots, drawn);
}

/** One request by how long it comes after the one before it, and how long it is worked on. */
export interface Asking {
  readonly gapMs: number;
  readonly serviceMs: number;
}

/**
 * The waits of some requests: Lindley's recursion (1952) for one slot, and that of Kiefer and Wolfowitz (1955) for several, both
 * in differences, without a clock: how much work each slot still has when the next request comes.
 */
export function* waitsOf(slotCount: number, requests: Iterable<Asking>): Generator<number> {
  let slots: number[] = Array.from({ length: slotCount }, () => 0);
  for (const { gapMs, serviceMs } of requests) {
    slots = slots.map((leftMs) => Math.max(0, leftMs - gapMs)).toSorted((a, b) => a - b);
    const [waitMs = 0] = slots;
    yield waitMs;
    slots[0] = waitMs + serviceMs;
  }
}

/** What the theory says of the wait of a queue in which time is not cut to parts. */
export function theoryOf({ slots, load, variation }: Queue): { meanMs: number; p99Ms: number | null } {
  // Pollaczek and Khinchine: the mean of the square of a service time of mean 1 is 1 + variation squared.
  if (variation !== null) return { meanMs: (load * (1 + variation ** 2)) / (2 * (1 - load)), p99Ms: null };
  // Erlang's C: that a request waits at all; its wait is then exponential.
  const offered = slots * load;
  const terms = Array.from({ length: slots }, (_, k) => offered ** k / factorial(k));
  const last = offered ** slots / factorial(slots) / (1 - load);
  const waits = last / (terms.reduce((sum, term) => sum + term, 0) + last);
  // Slots together finish at rate 1, and requests come at rate `load`.
  const rate = 1 - load;
  return { meanMs: waits / rate, p99Ms: Math.max(0, Math.log(waits / 0.01) / rate) };
}

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}
