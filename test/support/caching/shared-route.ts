import type { Exchange } from '../../../gateway/pipeline/exchange.ts';
import type { RouteSharing } from '../../../gateway/pipeline/sharing.ts';
import { type AskedSpec, newAsked } from './asked.ts';

/** What a test says of a route: it keeps answers for a second unless said otherwise. */
export type RulesSpec = Partial<RouteSharing>;

const rules: RouteSharing = {
  freshness: { freshMs: 1000, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 },
  isCoalescing: false,
  isForEveryone: false,
  revision: '1',
  isForSampled: false,
  headers: ['accept'],
};

/** A request that has been routed by such a route; null for one that shares nothing. */
export function askedOn(sharing: RulesSpec | null, spec: AskedSpec = {}): Exchange {
  const exchange = newAsked({ body: '{"inputs":[]}', ...spec });
  const { choice } = exchange;
  const route = { ...choice.route, sharing: sharing === null ? null : { ...rules, ...sharing } };
  exchange.choice = { ...choice, route };
  return exchange;
}
