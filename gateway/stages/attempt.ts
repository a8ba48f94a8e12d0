import type { Backend } from '../balance/backend.ts';
import { Lease } from '../balance/lease.ts';
import type { Replica } from '../balance/replica.ts';
import type { Clock } from '../kernel/clock.ts';
import { asGatewayError, type GatewayError } from '../kernel/errors.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { Stage } from '../pipeline/stage.ts';
import { upstreamModelOf } from '../routing/route-table.ts';
import { type TryParts, tryOnce } from './try-once.ts';

/** All we do for one exchange: gets a lease and tries; where nothing could be sent, tries once more on another replica, and then on the route's fallbacks. */
export function attempt(parts: TryParts): Stage {
  async function tryAll(exchange: Exchange, fallbacks: readonly Backend[]): Promise<Reply> {
    for (const next of fallbacks) {
      try {
        return await tryBackend(exchange);
      } catch (thrown) {
        exchange.cancellation.throwIfCancelled();
        if (!maySucceedElsewhere(asGatewayError(thrown))) throw thrown;
        fallBack(exchange, next);
      }
    }
    return tryBackend(exchange);
  }

  async function tryBackend(exchange: Exchange): Promise<Reply> {
    exchange.expire(parts.clock);
    const taken = takeLease(exchange, none, parts.clock);
    const lease = taken instanceof Lease ? taken : await taken;
    try {
      return await tryOnce(exchange, lease, parts);
    } catch (thrown) {
      const error = asGatewayError(thrown);
      if (error.retry !== 'always') throw error;
      const another = await takeAnother(exchange, lease.replica, parts.clock);
      if (another === null) throw error;
      return tryOnce(exchange, another, parts);
    }
  }
  return {
    name: 'attempt',
    wrap: () => (exchange) => {
      const { fallbacks } = exchange.choice.route;
      return fallbacks.length === 0 ? tryBackend(exchange) : tryAll(exchange, fallbacks);
    },
  };
}

const none: readonly Replica[] = [];

/** Whether the failure is the backend's: it has nobody to send to, no room, or its tries broke. */
function maySucceedElsewhere({ code, retry }: GatewayError): boolean {
  return retry !== 'never' || code === 'none_eligible' || code === 'queue_full' || code === 'upstream_credential';
}

function fallBack(exchange: Exchange, backend: Backend): void {
  const { choice, ask, journal } = exchange;
  exchange.choice = { ...choice, backend, upstreamModel: upstreamModelOf(backend, ask.model) };
  journal.backend = backend.name;
}

function takeLease(exchange: Exchange, notThese: readonly Replica[], clock: Clock): Lease | Promise<Lease> {
  const taken = exchange.choice.backend.dispatcher.take(exchange, notThese);
  if (taken instanceof Lease) return taken;
  const startedAtMs = clock.nowMs();
  return taken.finally(() => {
    exchange.journal.queueWaitMs += clock.nowMs() - startedAtMs;
  });
}

/** A lease on any other replica, or null where there is none to be had. Throws when nobody waits for one any more. */
async function takeAnother(exchange: Exchange, notThis: Replica, clock: Clock): Promise<Lease | null> {
  try {
    return await takeLease(exchange, [notThis], clock);
  } catch {
    exchange.cancellation.throwIfCancelled();
    return null;
  }
}
