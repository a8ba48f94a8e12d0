import { wishOf } from '../cache/freshness.ts';
import { cacheKey } from '../cache/key.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Headers } from '../pipeline/headers.ts';
import type { RouteSharing, Sharing } from '../pipeline/sharing.ts';
import type { Stage } from '../pipeline/stage.ts';

/** Finds out with whom a request may share its answer, and under what key. Who may not, is passed on and shares nothing. */
export function share(): Stage {
  return {
    name: 'share',
    wrap: (next) => (exchange) => {
      const { sharing: rules } = exchange.choice.route;
      exchange.sharing = rules === null ? null : sharingOf(exchange, rules);
      const wish = exchange.sharing?.wish ?? 'private';
      const why = wish === 'private' ? 'bypass' : wish === 'new' ? 'request' : 'miss';
      exchange.journal.cache = { kind: 'forwarded', why };
      return next(exchange);
    },
  };
}

function sharingOf(exchange: Exchange, { isForSampled, ...rules }: RouteSharing): Sharing | null {
  const { protocol, head, ask } = exchange;
  const wish = wishOf(head.headers);
  if (wish === 'private' || losesHeaders(head.headers, rules)) return null;
  const identity = protocol.identity(head, ask.content);
  if (identity === null || !(identity.isDeterministic || isForSampled)) return null;
  const key = cacheKey(exchange, identity, rules);
  return key === null ? null : { key, wish };
}

/** Headers that `connection` names go no further: a key that they are part of would lie to whoever means them. */
function losesHeaders({ connection }: Headers, { headers }: Pick<RouteSharing, 'headers'>): boolean {
  if (connection === undefined) return false;
  const named = String(connection).toLowerCase();
  return headers.some((name) => named.includes(name));
}
