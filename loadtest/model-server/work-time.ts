import type { Rng } from '../../gateway/kernel/rng.ts';
import { exponential, lognormal } from './draws.ts';

/** How long a tensor server computes for one request. */
export type WorkTimeSettings =
  | { readonly time: 'fixed'; readonly meanMs: number }
  | { readonly time: 'exponential'; readonly meanMs: number }
  | { readonly time: 'lognormal'; readonly meanMs: number; readonly variation: number }
  | { readonly time: 'by_rows'; readonly baseMs: number; readonly perRowMs: number };

/** Draws the service time of one request, in milliseconds. */
export type WorkTime = (rng: Rng, rows: number) => number;

/** The draw that some settings describe. */
export function workTimeOf(service: WorkTimeSettings): WorkTime {
  switch (service.time) {
    case 'fixed':
      return () => service.meanMs;
    case 'exponential':
      return (rng) => service.meanMs * exponential(rng);
    case 'lognormal':
      return (rng) => service.meanMs * lognormal(rng, service.variation);
    case 'by_rows':
      return (_rng, rows) => service.baseMs + service.perRowMs * rows;
  }
}
