import { readFileSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { nearestName, type Path } from './faults.ts';
import { isLoopback } from './loopback.ts';
import { resolveReplicas } from './resolve-replicas.ts';
import type { RawSettings } from './schema.ts';
import type { BackendSettings, HealthSettings, RouteSettings, Settings } from './settings.ts';

/** What resolving needs from whoever loads the file. */
export interface Resolving {
  /** Relative paths in the configuration start here. */
  readonly baseFolder: string;
  report(path: Path, got: string, wanted: string): void;
}

type RawBackend = RawSettings['backends'][number];
type RawRoute = RawSettings['routes'][number];

const healthPaths: Record<BackendSettings['protocol'], string> = { 'open-inference': '/v2/health/ready' };

/** Gives the parsed YAML its meaning: follows references, reads the files it names, and reports whatever does not fit together. */
export function resolve(raw: RawSettings, resolving: Resolving): Settings {
  const backends = raw.backends.map((backend, at) => resolveBackend(backend, ['backends', at], resolving));
  reportDuplicates(
    backends.map((backend, at) => ({ name: backend.name, path: ['backends', at, 'name'] })),
    'a name that no other backend has',
    resolving,
  );
  const routes = raw.routes.map((route, at) => resolveRoute(route, ['routes', at], backends, resolving));
  reportAmbiguousModels(backends, routes, resolving);
  const { listen } = raw;
  return {
    listen: {
      host: listen.host,
      port: listen.port,
      maxBodyBytes: listen.max_body,
      maxBufferedBytes: listen.max_buffered,
      drainMs: listen.drain,
    },
    admin: resolveAdmin(raw.admin, resolving),
    backends,
    routes,
    telemetry: { logLevel: raw.telemetry.log },
  };
}

/** The text of a file named in the configuration, or null with a fault. */
export function readNamedFile(file: string, path: Path, { baseFolder, report }: Resolving): string | null {
  try {
    return readFileSync(resolvePath(baseFolder, file), 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
    report(path, `${JSON.stringify(file)} (${code})`, 'a file that can be read');
    return null;
  }
}

/** Names that occur twice, reported where they occur again. */
export function reportDuplicates(
  named: readonly { name: string; path: Path }[],
  wanted: string,
  { report }: Resolving,
): void {
  const seen = new Set<string>();
  for (const { name, path } of named) {
    if (seen.has(name)) report(path, JSON.stringify(name), wanted);
    seen.add(name);
  }
}

function resolveAdmin(raw: RawSettings['admin'], resolving: Resolving): Settings['admin'] {
  const fromFile =
    raw.token_file === undefined ? null : readNamedFile(raw.token_file, ['admin', 'token_file'], resolving);
  if (raw.token_file !== undefined && raw.token !== undefined) {
    resolving.report(['admin', 'token_file'], 'a token and a token_file', 'one of them');
  }
  const token = (fromFile?.trim() ?? raw.token) || null;
  if (token === null && !isLoopback(raw.host)) {
    resolving.report(['admin', 'host'], JSON.stringify(raw.host), 'a loopback address, or a token beside it');
  }
  return { host: raw.host, port: raw.port, token };
}

function resolveBackend(raw: RawBackend, path: Path, resolving: Resolving): BackendSettings {
  const models = raw.models.map((model) => (typeof model === 'string' ? { name: model, upstream: null } : model));
  reportDuplicates(
    models.map(({ name }, at) => ({ name, path: [...path, 'models', at] })),
    'a model that this backend does not have yet',
    resolving,
  );
  return {
    name: raw.name,
    protocol: raw.protocol,
    models,
    policy: raw.policy,
    replicas: resolveReplicas(raw.replicas, [...path, 'replicas'], resolving),
    queue: { maxLength: raw.queue.max, waitMs: raw.queue.wait },
    timeouts: {
      connectMs: raw.timeouts.connect,
      firstByteMs: raw.timeouts.first_byte,
      idleMs: raw.timeouts.idle,
      totalMs: raw.timeouts.total,
    },
    health: resolveHealth(raw),
    wantsReports: raw.load.report,
  };
}

function resolveHealth({ health, protocol }: RawBackend): HealthSettings {
  return {
    path: health.path ?? healthPaths[protocol],
    everyMs: health.every,
    timeoutMs: health.timeout,
    failuresToUnready: health.unhealthy,
    successesToReady: health.healthy,
  };
}

function resolveRoute(
  raw: RawRoute,
  path: Path,
  backends: readonly BackendSettings[],
  { report }: Resolving,
): RouteSettings {
  const names = backends.map((backend) => backend.name);
  const protocols = new Set<string>();
  raw.to.forEach((destination, at) => {
    const backend = backends.find((one) => one.name === destination.backend);
    if (backend !== undefined) protocols.add(backend.protocol);
    else
      report(
        [...path, 'to', at, 'backend'],
        JSON.stringify(destination.backend),
        wantedBackend(destination.backend, names),
      );
  });
  if (protocols.size > 1)
    report([...path, 'to'], `backends that speak ${[...protocols].join(' and ')}`, 'backends of one protocol');
  const headers = Object.entries(raw.match.header ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    model: raw.match.model ?? null,
    tenant: raw.match.tenant ?? null,
    path: raw.match.path ?? null,
    headers: Object.fromEntries(headers),
    destinations: raw.to,
    deadlineMs: raw.deadline ?? null,
  };
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
  const routed = new Set(routes.flatMap((route) => route.destinations.map((one) => one.backend)));
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
