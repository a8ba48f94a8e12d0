import type { Flights } from '../cache/flights.ts';
import type { Stage } from '../pipeline/stage.ts';

/** One computation for all who ask the same at the same time. Who shares nothing goes on by itself, and so does what is already somebody's computation. */
export function coalesce(flights: Flights): Stage {
  return {
    name: 'coalesce',
    wrap: (next) => (exchange) => {
      const { sharing, isDetached } = exchange;
      if (sharing === null || sharing.wish === 'private' || isDetached) return next(exchange);
      return flights.join(exchange, sharing, next) ?? next(exchange);
    },
  };
}
