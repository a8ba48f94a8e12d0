import { nearestName, type Path } from './faults.ts';
import { isLoopback } from './loopback.ts';
import { readSecret } from './named-file.ts';
import { resolveBackend } from './resolve-backend.ts';
import { resolveCache, resolveRouteCache } from './resolve-cache.ts';
import { resolveHeaders } from './resolve-headers.ts';
import { type Resolving, reportDuplicates } from './resolving.ts';
import type { RawSettings } from './schema.ts';
import {
  type BackendSettings,
  type ListenSettings,
  type RouteSettings,
  routedBackends,
  type Settings,
} from './settings.ts';

type RawRoute = RawSettings['routes'][number];

/** Gives the parsed YAML its meaning: follows references, reads the files it names, and reports whatever does not fit together. */
export function resolve(raw: RawSettings, resolving: Resolving): Settings {
  const backends = raw.backends.map((backend, at) => resolveBackend(backend, ['backends', at], resolving));
  const routes = raw.routes.map((route, at) => resolveRoute(route, ['routes', at], backends, resolving));
  reportAmbiguousModels(backends, routes, resolving);
  reportUnrouted(backends, routes, resolving);
  reportZones(raw, resolving);
  reportDuplicates(
    backends.map((backend, at) => ({ name: backend.name, path: ['backends', at, 'name'] })),
    'a name that no other backend has',
    resolving,
  );
  return {
    listen: resolveListen(raw.listen, resolving),
    admin: resolveAdmin(raw, resolving),
    backends,
    routes,
    cache: resolveCache(raw.cache, resolving),
    telemetry: { logLevel: raw.telemetry.log },
  };
}

function resolveListen(raw: RawSettings['listen'], { report, isFaulty }: Resolving): ListenSettings {
  if (raw.max_buffered < raw.max_body && !isFaulty(['listen', 'max_body']))
    report(['listen', 'max_buffered'], 'less than max_body', 'room for at least one body');
  return {
    host: raw.host,
    port: raw.port,
    maxBodyBytes: raw.max_body,
    maxBufferedBytes: raw.max_buffered,
    drainMs: raw.drain,
    graceMs: raw.grace,
    reusePort: raw.reuse_port,
    zone: raw.zone ?? null,
  };
}

/** Where the gateway stands nowhere, nothing is far from it. */
function reportZones({ listen, backends }: RawSettings, { report, isFaulty }: Resolving): void {
  if (listen.zone !== undefined || isFaulty(['listen', 'zone'])) return;
  for (const [at, { replicas }] of backends.entries())
    for (const [nth, { zone }] of replicas.entries())
      if (zone !== undefined) report(['backends', at, 'replicas', nth, 'zone'], 'a zone', 'listen.zone beside it');
}

function resolveAdmin({ admin, listen }: RawSettings, resolving: Resolving): Settings['admin'] {
  const { report, isFaulty } = resolving;
  const { host, port, token_file: file } = admin;
  const fromFile = file === undefined ? null : readSecret(file, ['admin', 'token_file'], resolving);
  if (file !== undefined && admin.token !== undefined)
    report(['admin', 'token_file'], 'a token and a token_file', 'one of them');
  const token = (fromFile ?? admin.token) || null;
  const isTokenKnown = !isFaulty(['admin', 'token']) && !isFaulty(['admin', 'token_file']);
  if (token === null && isTokenKnown && !isLoopback(host))
    report(['admin', 'host'], JSON.stringify(host), 'a loopback address, or a token beside it');
  const arePlacesKnown = !['host', 'port'].some((key) => isFaulty(['listen', key]) || isFaulty(['admin', key]));
  if (port !== 0 && port === listen.port && host === listen.host && arePlacesKnown)
    report(['admin', 'port'], `${port}, which is the port for clients`, 'another port');
  return { host, port, token };
}

function resolveRoute(
  raw: RawRoute,
  path: Path,
  backends: readonly BackendSettings[],
  resolving: Resolving,
): RouteSettings {
  const named = [
    ...raw.to.map(({ backend }, at) => ({ name: backend, path: [...path, 'to', at, 'backend'] })),
    ...raw.fallback.map((name, at) => ({ name, path: [...path, 'fallback', at] })),
  ];
  reportDuplicates(named, 'a backend that this route does not name yet', resolving);
  const mirrored = raw.mirror === undefined ? [] : [mirrorOf(raw.mirror.backend, raw, path, resolving)];
  const protocol = protocolOf([...named, ...mirrored], backends, resolving);
  if (protocol === 'http') reportPlainRoute(raw.match, [...path, 'match'], resolving);
  const headers = Object.entries(raw.match.header ?? {}).map(([name, value]) => ({ key: name, name, value }));
  return {
    model: raw.match.model ?? null,
    tenant: raw.match.tenant ?? null,
    path: raw.match.path ?? null,
    headers: resolveHeaders(headers, [...path, 'match', 'header'], resolving),
    destinations: raw.to,
    fallbacks: raw.fallback,
    mirror: raw.mirror ?? null,
    cache: resolveRouteCache(raw.cache),
    isCoalescing: raw.coalesce,
    deadlineMs: raw.deadline ?? null,
  };
}

interface NamedBackend {
  readonly name: string;
  readonly path: Path;
}

/** A route may copy to one of its fallbacks, which keeps it warm; what it sends to anyway would get requests twice. */
function mirrorOf(name: string, { to }: RawRoute, path: Path, { report }: Resolving): NamedBackend {
  const here = [...path, 'mirror', 'backend'];
  if (to.some(({ backend }) => backend === name))
    report(here, `${JSON.stringify(name)}, to which this route sends`, 'another backend');
  return { name, path: here };
}

/** The protocol that the backends speak which a route names: that of the first. Reports those of another, and names of none. */
function protocolOf(
  named: readonly NamedBackend[],
  backends: readonly BackendSettings[],
  { report, isFaulty }: Resolving,
): BackendSettings['protocol'] | null {
  const names = backends.map((backend) => backend.name);
  const areNamesKnown = !names.some((_, at) => isFaulty(['backends', at, 'name']));
  let spoken: BackendSettings['protocol'] | null = null;
  for (const { name, path } of named) {
    const at = names.indexOf(name);
    const protocol = backends[at]?.protocol;
    if (protocol === undefined) {
      if (areNamesKnown) report(path, JSON.stringify(name), wantedBackend(name, names));
    } else if (!isFaulty(['backends', at, 'protocol'])) {
      spoken ??= protocol;
      if (protocol !== spoken)
        report(
          path,
          `${JSON.stringify(name)}, which speaks ${protocol}`,
          `a backend that speaks ${spoken}, as those before it`,
        );
    }
  }
  return spoken;
}

/** Plain HTTP has nothing but its path to be told by. */
function reportPlainRoute(match: RawRoute['match'], path: Path, { report, isFaulty }: Resolving): void {
  if (match.model !== undefined)
    report([...path, 'model'], JSON.stringify(match.model), 'no model: requests of protocol http name none');
  if (match.path === undefined && !isFaulty([...path, 'path']))
    report(path, 'a match without path', 'the path at which protocol http is spoken');
}

/** Backends of plain HTTP serve no models, so that nothing else leads to them. */
function reportUnrouted(
  backends: readonly BackendSettings[],
  routes: readonly RouteSettings[],
  { report, isFaulty }: Resolving,
): void {
  if (isFaulty(['routes'])) return;
  const routed = routedBackends(routes);
  backends.forEach(({ protocol, name }, at) => {
    if (protocol === 'http' && !routed.has(name))
      report(
        ['backends', at],
        `${JSON.stringify(name)}, to which no route leads`,
        'a route on a path: protocol http is spoken there',
      );
  });
}

function wantedBackend(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === null ? `one of the backends ${known.join(', ')}` : `the backend ${nearest}`;
}

/** A model that two backends serve without a route to say which: the answer would depend on the order of the file. */
function reportAmbiguousModels(
  backends: readonly BackendSettings[],
  routes: readonly RouteSettings[],
  resolving: Resolving,
): void {
  if (routes.some((_, at) => ['to', 'fallback', 'mirror'].some((key) => resolving.isFaulty(['routes', at, key]))))
    return;
  const routed = routedBackends(routes);
  const implicit = backends.flatMap((backend, at) =>
    routed.has(backend.name)
      ? []
      : backend.models.map((model, modelAt) => ({
          name: `${backend.protocol} ${model.name}`,
          path: ['backends', at, 'models', modelAt],
        })),
  );
  const seen = new Map<string, Path>();
  for (const { name, path } of implicit) {
    const before = seen.get(name);
    if (before !== undefined && before[1] !== path[1]) {
      const model = name.slice(name.indexOf(' ') + 1);
      resolving.report(
        path,
        `${JSON.stringify(model)}, which another backend serves, too`,
        'a route that says which backend serves it',
      );
    }
    seen.set(name, path);
  }
}
