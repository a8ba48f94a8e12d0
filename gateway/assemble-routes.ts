import type { Backend } from './balance/backend.ts';
import type { Destination } from './pipeline/route.ts';
import type { Serve } from './pipeline/stage.ts';
import { type Match, RouteTable, type Rule } from './routing/route-table.ts';
import { type RouteSettings, routedBackends, type Settings } from './settings/settings.ts';

/** The rules of the configuration, then one for each model of every backend that no route names. */
export function assembleRoutes(
  settings: Pick<Settings, 'routes'>,
  backends: readonly Backend[],
  serve: Serve,
): RouteTable {
  const written = settings.routes.map((route, at) => writtenRule(route, `routes[${at}]`, backends, serve));
  const routed = routedBackends(settings.routes);
  const implicit = backends
    .filter((backend) => !routed.has(backend.name))
    .flatMap((backend) => implicitRules(backend, serve));
  return new RouteTable([...written, ...implicit]);
}

function writtenRule(settings: RouteSettings, name: string, backends: readonly Backend[], serve: Serve): Rule {
  const destinations = settings.destinations.flatMap(({ backend: wanted, weight }): Destination[] => {
    const backend = backends.find((one) => one.name === wanted);
    return backend === undefined ? [] : [{ backend, weight }];
  });
  const fallbacks = settings.fallbacks.flatMap((wanted) => backends.find((one) => one.name === wanted) ?? []);
  const [first, ...others] = destinations;
  if (first === undefined) throw new Error(`${name} leads to no backend`);
  const { model, tenant, path, headers, deadlineMs } = settings;
  return {
    match: { model, tenant, path, headers },
    protocol: first.backend.protocol,
    route: { name, destinations: [first, ...others], fallbacks, deadlineMs, serve },
  };
}

const anything: Match = { model: null, tenant: null, path: null, headers: {} };

function implicitRules(backend: Backend, serve: Serve): Rule[] {
  const route = {
    name: backend.name,
    destinations: [{ backend, weight: 1 }],
    fallbacks: [],
    deadlineMs: null,
    serve,
  } as const;
  return backend.models.map(({ name }) => ({ match: { ...anything, model: name }, protocol: backend.protocol, route }));
}
