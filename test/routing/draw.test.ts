import assert from 'node:assert/strict';
import { it } from 'node:test';
import { seededRng } from '../../gateway/kernel/rng.ts';
import type { Destination, Route } from '../../gateway/pipeline/route.ts';
import { drawBackend } from '../../gateway/routing/draw.ts';
import { newBackend } from '../support/backends.ts';
import { repetitions } from '../support/counts.ts';
import { assertDrawnFrom, tally } from '../support/statistics.ts';

function routeTo(...weights: [number, ...number[]]): Route {
  const [first, ...others] = weights;
  const to = (weight: number, at: number): Destination => ({ backend: newBackend(`b${at}`), weight });
  return {
    name: 'r',
    destinations: [to(first, 0), ...others.map((weight, at) => to(weight, at + 1))],
    fallbacks: [],
    mirror: null,
    sharing: null,
    deadlineMs: null,
    serve: () => Promise.reject(new Error('not to be served')),
  };
}

it('a backend is drawn with a probability proportional to its weight', () => {
  const route = routeTo(95, 5, 0, 0.5);
  const rng = seededRng(2);
  const backends = route.destinations.map(({ backend }) => backend);
  const draws = repetitions({ quick: 30_000, full: 2_000_000 });
  const counts = tally(backends, draws, () => drawBackend(route, rng));
  assertDrawnFrom([95 / 100.5, 5 / 100.5, 0, 0.5 / 100.5], counts, 'weights 95, 5, 0, 0.5');
});

it('the only backend is taken without a draw', () => {
  const route = routeTo(3);
  const rng = { next: () => assert.fail('drawn'), below: () => assert.fail('drawn') };
  assert.equal(drawBackend(route, rng), route.destinations[0].backend);
});
