import type { Lease } from '../balance/lease.ts';
import type { Rng } from '../kernel/rng.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Body } from '../pipeline/reply.ts';
import type { Stage } from '../pipeline/stage.ts';
import { upstreamModelOf } from '../routing/route-table.ts';
import { FailedTry } from './failed-try.ts';
import { type TryParts, tryOnce } from './try-once.ts';

/** Copies that may be under way at once on a route: each holds its request until it has been answered. */
const mostUnderWay = 64;

/** Sends copies of some requests to another backend, to see how it fares with real traffic. No client waits for one, and none is kept from anything by one: what has no replica at once is left out. */
export function mirror(rng: Rng, parts: TryParts): Stage {
  return {
    name: 'mirror',
    wrap(next) {
      let underWay = 0;
      const copy = async (exchange: Exchange, lease: Lease): Promise<void> => {
        underWay += 1;
        exchange.generation.enter();
        try {
          const { cancellation } = exchange;
          const ended = await tryOnce({ exchange, lease, kind: 'mirror', cancellation }, parts);
          if (ended instanceof FailedTry) ended.drop();
          else await readThrough(ended.body);
        } catch {
          // What became of it is in the metrics, and nowhere else.
        } finally {
          underWay -= 1;
          exchange.generation.leave();
        }
      };
      return (exchange) => {
        const { route } = exchange.choice;
        if (route.mirror !== null && underWay < mostUnderWay && rng.next() < route.mirror.share) {
          const { backend } = route.mirror;
          const upstreamModel = upstreamModelOf(backend, exchange.ask.model);
          const own = exchange.detached({ route, backend, upstreamModel });
          const lease = backend.dispatcher.tryTake(own);
          if (lease !== null) void copy(own, lease);
        }
        return next(exchange);
      };
    },
  };
}

function readThrough(body: Body): Promise<void> {
  return new Promise((resolve) => {
    body.pump({ chunk: () => true, onDrain: (call) => call(), end: () => resolve() });
  });
}
