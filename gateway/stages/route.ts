import { GatewayError } from '../kernel/errors.ts';
import type { Rng } from '../kernel/rng.ts';
import type { Stage } from '../pipeline/stage.ts';
import { drawBackend } from '../routing/draw.ts';
import { upstreamModelOf } from '../routing/route-table.ts';

/** Finds the rule for a request, draws one of its backends, and goes on with the stages composed for that rule. It has no `next` of its own. */
export function route(rng: Rng): Stage {
  return {
    name: 'route',
    wrap: () => (exchange) => {
      const { head, protocol, ask, journal, tenant } = exchange;
      const { routes } = exchange.generation;
      const found = routes.find({
        protocol: protocol.name,
        model: ask.model,
        tenant,
        path: head.path,
        headers: head.headers,
      });
      if (found === null) throw unknownModel(ask.model, routes.modelNames(protocol.name));
      const backend = drawBackend(found, rng);
      exchange.choice = { route: found, backend, upstreamModel: upstreamModelOf(backend, ask.model) };
      journal.model = ask.model;
      journal.route = found.name;
      journal.backend = backend.name;
      if (found.deadlineMs !== null) exchange.cutTo(exchange.receivedAtMs + found.deadlineMs);
      return found.serve(exchange);
    },
  };
}

function unknownModel(model: string, known: readonly string[]): GatewayError {
  const list = known.length === 0 ? 'no models' : known.join(', ');
  return new GatewayError('model_not_found', `model ${JSON.stringify(model)} is not known here; there are: ${list}`, {
    field: 'model',
  });
}
