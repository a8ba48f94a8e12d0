import type { Backend } from './balance/backend.ts';
import { sharedHeaders } from './cache/key.ts';
import type { Destination, Mirror } from './pipeline/route.ts';
import type { RouteSharing } from './pipeline/sharing.ts';
import type { Serve } from './pipeline/stage.ts';
import type { RouteKind } from './request-path.ts';
import { type Match, RouteTable, type Rule } from './routing/route-table.ts';
import { type RouteSettings, routedBackends, type Settings } from './settings/settings.ts';

/** Composes what serves a route. */
export type ServeFor = (route: RouteKind) => Serve;

/** The rules of the configuration, then one for each model of every backend that no route names. */
export function assembleRoutes(
  settings: Pick<Settings, 'routes'>,
  backends: readonly Backend[],
  serveFor: ServeFor,
): RouteTable {
  const written = settings.routes.map((route, at) => writtenRule(route, `routes[${at}]`, backends, serveFor));
  const routed = routedBackends(settings.routes);
  const implicit = backends
    .filter((backend) => !routed.has(backend.name))
    .flatMap((backend) => implicitRules(backend, serveFor({ mirror: null, sharing: null })));
  return new RouteTable([...written, ...implicit]);
}

function writtenRule(settings: RouteSettings, name: string, backends: readonly Backend[], serveFor: ServeFor): Rule {
  const destinations = settings.destinations.flatMap(({ backend: wanted, weight }): Destination[] => {
    const backend = backends.find((one) => one.name === wanted);
    return backend === undefined ? [] : [{ backend, weight }];
  });
  const fallbacks = settings.fallbacks.flatMap((wanted) => backends.find((one) => one.name === wanted) ?? []);
  const [first, ...others] = destinations;
  if (first === undefined) throw new Error(`${name} leads to no backend`);
  const kind = { mirror: mirrorOf(settings, backends), sharing: sharingOf(settings) };
  if (kind.sharing !== null) for (const { backend } of destinations) askForRevisions(backend);
  const { model, tenant, path, headers, deadlineMs } = settings;
  return {
    match: { model, tenant, path, headers },
    protocol: first.backend.protocol,
    route: { name, destinations: [first, ...others], fallbacks, ...kind, deadlineMs, serve: serveFor(kind) },
  };
}

/** Who is asked once is told of it with the next health check: before the first request comes, where the replica is new. */
function askForRevisions({ models, revisions }: Backend): void {
  for (const { name, upstream } of models) {
    const model = upstream ?? name;
    if (!model.includes('*')) revisions.of(model);
  }
}

function mirrorOf({ mirror }: RouteSettings, backends: readonly Backend[]): Mirror | null {
  const backend = backends.find(({ name }) => name === mirror?.backend);
  return mirror === null || backend === undefined ? null : { backend, share: mirror.share };
}

/** What says whose a request is on its way upstream is no part of what it asks. */
const passedOn = ['traceparent', 'tracestate'];

function sharingOf({ cache, isCoalescing }: RouteSettings): RouteSharing | null {
  if (cache === null && !isCoalescing) return null;
  const { isForEveryone = false, revision = '', isForSampled = false } = cache ?? {};
  const headers = [...sharedHeaders, ...passedOn];
  return { freshness: cache, isCoalescing, isForEveryone, revision, isForSampled, headers };
}

const anything: Match = { model: null, tenant: null, path: null, headers: {} };

function implicitRules(backend: Backend, serve: Serve): Rule[] {
  const route = {
    name: backend.name,
    destinations: [{ backend, weight: 1 }],
    fallbacks: [],
    mirror: null,
    sharing: null,
    deadlineMs: null,
    serve,
  } as const;
  return backend.models.map(({ name }) => ({ match: { ...anything, model: name }, protocol: backend.protocol, route }));
}
