import { type CacheKey, cacheKey, type KeyRules } from '../../../gateway/cache/key.ts';
import type { Exchange } from '../../../gateway/pipeline/exchange.ts';
import { newBackend } from '../backends.ts';
import { type ExchangeSpec, readExchange } from '../exchanges.ts';

/** What a test says of a request that has been routed: one of `anonymous` on `routes[0]` unless said otherwise. */
export interface AskedSpec extends ExchangeSpec {
  readonly tenant?: string;
  readonly route?: string;
  readonly backend?: string;
  readonly upstreamModel?: string;
}

const tenantsOwn: KeyRules = { revision: '1', isForEveryone: false };

/** A request as the stages below `route` meet it. */
export function newAsked(spec: AskedSpec): Exchange {
  const exchange = readExchange(spec);
  const { tenant = 'anonymous', route = 'routes[0]', backend: name = 'digits', upstreamModel } = spec;
  const backend = newBackend(name);
  exchange.tenant = tenant;
  exchange.choice = {
    route: {
      name: route,
      destinations: [{ backend, weight: 1 }],
      fallbacks: [],
      mirror: null,
      sharing: null,
      deadlineMs: null,
      serve: () => Promise.reject(new Error('not to be served')),
    },
    backend,
    upstreamModel: upstreamModel ?? exchange.ask.model,
  };
  return exchange;
}

/** The key of a request, or null where it has none. */
export function keyOf(spec: AskedSpec, sharing: KeyRules = tenantsOwn): CacheKey | null {
  const exchange = newAsked(spec);
  const identity = exchange.protocol.identity(exchange.head, exchange.ask.content);
  return identity === null ? null : cacheKey(exchange, identity, sharing);
}
