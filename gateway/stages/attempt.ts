import type { Backend } from '../balance/backend.ts';
import { asGatewayError, type GatewayError } from '../kernel/errors.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { Stage } from '../pipeline/stage.ts';
import { upstreamModelOf } from '../routing/route-table.ts';
import { FailedTry } from './failed-try.ts';
import { mayRunAgain, type RetryParts, tryBackend } from './retry.ts';

/** All we do for one exchange: tries on the backend that was drawn for it, and where that cannot serve it, on the route's fallbacks. */
export function attempt(parts: RetryParts): Stage {
  async function serve(exchange: Exchange): Promise<Reply> {
    const ended = await tryBackend(exchange, parts);
    return ended instanceof FailedTry ? ended.pass() : ended;
  }

  async function serveWithFallbacks(exchange: Exchange, fallbacks: readonly Backend[]): Promise<Reply> {
    for (const [at, next] of fallbacks.entries()) {
      let ended: Reply | FailedTry | GatewayError;
      try {
        ended = await tryBackend(exchange, parts);
      } catch (thrown) {
        exchange.cancellation.throwIfCancelled();
        ended = asGatewayError(thrown);
        if (!isNobodyThere(ended)) throw ended;
      }
      if (ended instanceof FailedTry) {
        if (!mayRunAgain(exchange, ended) || !fallbacks.slice(at).some(hasRoom)) return ended.pass();
        ended.drop();
      } else if (!(ended instanceof Error)) return ended;
      fallBack(exchange, next);
    }
    return serve(exchange);
  }

  return {
    name: 'attempt',
    wrap: () => (exchange) => {
      const { fallbacks } = exchange.choice.route;
      return fallbacks.length === 0 ? serve(exchange) : serveWithFallbacks(exchange, fallbacks);
    },
  };
}

/** The backend has nobody to send to, or no room, or nobody came free in time. */
function isNobodyThere({ code }: GatewayError): boolean {
  return code === 'none_eligible' || code === 'queue_full' || code === 'queue_timeout';
}

function hasRoom({ dispatcher }: Backend): boolean {
  return dispatcher.refusal() === null;
}

function fallBack(exchange: Exchange, backend: Backend): void {
  const { choice, ask, journal } = exchange;
  exchange.choice = { ...choice, backend, upstreamModel: upstreamModelOf(backend, ask.model) };
  journal.backend = backend.name;
}
