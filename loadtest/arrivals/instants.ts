import type { Rng } from '../../gateway/kernel/rng.ts';
import type { Arrivals, Burstiness, RateSegment } from '../scenario/scenario.ts';
import { gapOf } from './gaps.ts';
import type { Trace } from './trace.ts';

/**
 * When requests are due, in milliseconds since the start, in order; not all of them within the run, whose length is null where it
 * has none. In a closed loop a request is due when another has ended, which
 * no plan knows: all are at 0, without an end.
 */
export function instantsOf(arrivals: Arrivals, runMs: number | null, rng: Rng): Iterable<number> {
  switch (arrivals.kind) {
    case 'open': {
      const segments = arrivals.segments.map((one) => ({
        ...one,
        forMs: one.forMs ?? runMs ?? Number.POSITIVE_INFINITY,
      }));
      return instantsAtRate(arrivals.burstiness, segments, rng);
    }
    case 'trace':
      return instantsInTrace(arrivals.trace, arrivals);
    case 'closed':
      return zeros();
  }
}

type Stretch = RateSegment & { readonly forMs: number };

/**
 * Arrivals of rate 1, stretched and squeezed until they have the rate that is wanted (the inversion of Çinlar, 1975, for any
 * spacing): with one seed another rate moves the same arrivals.
 */
function* instantsAtRate(burstiness: Burstiness, segments: readonly Stretch[], rng: Rng): Generator<number> {
  const gap = gapOf(burstiness);
  // Even arrivals begin at once; the others after a gap.
  let arrival = burstiness === 'even' ? 0 : gap(rng);
  let startMs = 0;
  let before = 0;
  for (const segment of segments) {
    const expected = ((segment.fromPerSecond + segment.toPerSecond) / 2000) * segment.forMs;
    for (; arrival - before < expected; arrival += gap(rng)) yield startMs + timeOf(arrival - before, segment);
    startMs += segment.forMs;
    before += expected;
  }
}

/** When so many arrivals are expected since the start of a segment. */
function timeOf(arrivals: number, { fromPerSecond, toPerSecond, forMs }: Stretch): number {
  if (arrivals === 0) return 0;
  if (fromPerSecond === toPerSecond) return (arrivals * 1000) / fromPerSecond;
  // The root of from * t + (to - from) * t^2 / (2 * for) that loses no digits where the slope is small.
  const slope = (toPerSecond - fromPerSecond) / (forMs / 1000);
  const root = Math.sqrt(Math.max(0, fromPerSecond * fromPerSecond + 2 * slope * arrivals));
  return (2 * arrivals * 1000) / (fromPerSecond + root);
}

function* instantsInTrace(trace: Trace, { speed, limit }: { speed: number; limit: number | null }): Generator<number> {
  const count = Math.min(trace.size, limit ?? trace.size);
  for (let index = 0; index < count; index++) yield trace.row(index).atMs / speed;
}

function* zeros(): Generator<number> {
  for (;;) yield 0;
}
