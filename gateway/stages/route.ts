import { GatewayError } from '../kernel/errors.ts';
import type { Rng } from '../kernel/rng.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { modelNotFound, type Routes } from '../pipeline/route.ts';
import type { Stage } from '../pipeline/stage.ts';
import { drawBackend } from '../routing/draw.ts';
import { upstreamModelOf } from '../routing/route-table.ts';

/** Finds the rule for a request, draws one of its backends, and goes on with the stages composed for that rule. It has no `next` of its own. */
export function route(routes: () => Routes, rng: Rng): Stage {
  return {
    name: 'route',
    wrap: () => (exchange) => {
      const { head, protocol, ask, journal, tenant } = exchange;
      const current = routes();
      const found = current.find({
        protocol: protocol.name,
        model: ask.model,
        tenant,
        path: head.path,
        headers: head.headers,
      });
      if (found === null) throw noRoute(exchange, current);
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

/** Plain HTTP names no model: its route asks for a header or a tenant besides the path. */
function noRoute({ protocol, ask, head }: Exchange, routes: Routes): GatewayError {
  if (ask.model !== '') return modelNotFound(ask.model, routes.modelNames(protocol.name));
  return new GatewayError('not_found', `no route takes this request to ${head.path}`);
}
