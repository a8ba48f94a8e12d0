import { wishOf } from '../cache/freshness.ts';
import { cacheKey, type KeyedBy } from '../cache/key.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Headers } from '../pipeline/headers.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { RouteSharing, Sharing } from '../pipeline/sharing.ts';
import type { Serve, Stage } from '../pipeline/stage.ts';

/** Finds out with whom a request may share its answer, and under what key. Who may not, is passed on and shares nothing. */
export function share(): Stage {
  return {
    name: 'share',
    wrap: (next) => (exchange) => {
      const { backend, upstreamModel } = exchange.choice;
      const asking = backend.revisions.meet(upstreamModel);
      if (asking === null) return shared(exchange, next);
      return inTime(asking, exchange).then(() => shared(exchange, next));
    },
  };
}

function shared(exchange: Exchange, next: Serve): Promise<Reply> {
  const { sharing: rules } = exchange.choice.route;
  const found = rules === null ? null : sharingOf(exchange, rules);
  exchange.sharing = typeof found === 'string' ? null : found;
  const wish = exchange.sharing?.wish ?? 'private';
  const why = wish === 'private' ? 'bypass' : wish === 'new' ? 'request' : 'miss';
  exchange.journal.cache = { kind: 'forwarded', why };
  return next(exchange);
}

/** Rejects when nobody waits for the exchange any more. */
function inTime(asking: Promise<unknown>, { cancellation }: Exchange): Promise<void> {
  return new Promise((resolve, reject) => {
    cancellation.onCancel(reject);
    void asking.then(() => {
      cancellation.off(reject);
      resolve();
    });
  });
}

/**
 * Why a request shares nothing: its client does not want to; a header of its key goes no further; more than the request decides what the answer
 * is; chance does; or there is no telling whether another one says the same.
 */
export type Unshared = 'no-store' | 'loses-headers' | 'depends-on-more' | 'sampled' | 'incomparable';

/** How a request may share its answer by the rules of its route, or why it may not. */
export function sharingOf(asked: KeyedBy, { isForSampled, ...rules }: RouteSharing): Sharing | Unshared {
  const { protocol, head, ask } = asked;
  const wish = wishOf(head.headers);
  if (wish === 'private') return 'no-store';
  if (losesHeaders(head.headers, rules)) return 'loses-headers';
  const identity = protocol.identity(head, ask.content);
  if (identity === null) return 'depends-on-more';
  if (!identity.isDeterministic && !isForSampled) return 'sampled';
  const key = cacheKey(asked, identity, rules);
  return key === null ? 'incomparable' : { key, wish };
}

/** Headers that `connection` names go no further: a key that they are part of would lie to whoever means them. */
function losesHeaders({ connection }: Headers, { headers }: Pick<RouteSharing, 'headers'>): boolean {
  if (connection === undefined) return false;
  const named = String(connection).toLowerCase();
  return headers.some((name) => named.includes(name));
}
