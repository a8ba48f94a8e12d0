import type { Resolving } from '../../gateway/settings/resolving.ts';
import { readTrace } from './read-trace.ts';
import type { Arrivals, Burstiness, RateSegment } from './scenario.ts';
import type { RawScenario } from './schema.ts';

/** The arrivals of a scenario, with the trace they follow. */
export function resolveArrivals({ arrivals: raw, for: forMs }: RawScenario, resolving: Resolving): Arrivals {
  switch (raw.kind) {
    case 'constant':
      return steady(raw.rate, 'even');
    case 'poisson':
      return steady(raw.rate, 1);
    case 'gamma':
      return steady(raw.rate, raw.burstiness);
    case 'ramp':
      return resolveRamp(raw, forMs, resolving);
    case 'step': {
      const segments = raw.steps.map((step) => ({ fromPerSecond: step.rate, toPerSecond: step.rate, forMs: step.for }));
      if (segments.every(({ toPerSecond }) => toPerSecond === 0))
        resolving.report(['arrivals', 'steps'], 'no rate but 0', 'a rate above 0 in at least one step');
      return { kind: 'open', burstiness: raw.burstiness, segments };
    }
    case 'trace': {
      const trace = readTrace(raw.file, ['arrivals', 'file'], resolving);
      return trace === null ? steady(1, 1) : { kind: 'trace', trace, speed: raw.speed, limit: raw.limit ?? null };
    }
    case 'closed':
      return { kind: 'closed', concurrency: raw.concurrency };
  }
}

/** Arrivals at one rate, without an end. */
export function steady(ratePerSecond: number, burstiness: Burstiness): Arrivals {
  return { kind: 'open', burstiness, segments: [lasting(ratePerSecond)] };
}

function lasting(ratePerSecond: number): RateSegment {
  return { fromPerSecond: ratePerSecond, toPerSecond: ratePerSecond, forMs: null };
}

type RawRamp = Extract<RawScenario['arrivals'], { kind: 'ramp' }>;

function resolveRamp(raw: RawRamp, runMs: number | undefined, { report, isFaulty }: Resolving): Arrivals {
  const { from, to, over = null, burstiness } = raw;
  if (from === 0 && to === 0) report(['arrivals', 'to'], 'a rate of 0, as from', 'a rate above 0 at one end');
  if (over === null && runMs === undefined && !isFaulty(['for']) && !isFaulty(['arrivals']))
    report(['arrivals'], 'a ramp with neither over nor for', 'one of them, to say how long it takes');
  const rise = { fromPerSecond: from, toPerSecond: to, forMs: over };
  return { kind: 'open', burstiness, segments: over === null ? [rise] : [rise, lasting(to)] };
}
