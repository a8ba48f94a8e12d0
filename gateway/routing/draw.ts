import type { Rng } from '../kernel/rng.ts';
import type { Destination, Route } from '../pipeline/route.ts';

/** Chooses one of a route's backends with a probability proportional to its weight. */
export function drawBackend(route: Route, rng: Rng): Destination['backend'] {
  const { destinations } = route;
  if (destinations.length === 1) return destinations[0].backend;
  const total = destinations.reduce((sum, one) => sum + one.weight, 0);
  let left = rng.next() * total;
  for (const { backend, weight } of destinations) {
    left -= weight;
    if (left < 0) return backend;
  }
  return destinations[0].backend;
}
