import { describeValue, type Path } from './faults.ts';
import { protocolDefaults } from './protocol-defaults.ts';
import { resolveReplicas } from './resolve-replicas.ts';
import { type Resolving, reportDuplicates } from './resolving.ts';
import type { RawSettings } from './schema.ts';
import type {
  AffinitySettings,
  BackendSettings,
  BreakerSettings,
  HealthSettings,
  HedgeSettings,
  RetrySettings,
  ScrapeSettings,
} from './settings.ts';

type RawBackend = RawSettings['backends'][number];
type Models = BackendSettings['models'];

/** Gives a backend its meaning: what its protocol says where the file says nothing, its replicas, and what does not fit together. */
export function resolveBackend(raw: RawBackend, path: Path, resolving: Resolving): BackendSettings {
  const models = resolveModels(raw, path, resolving);
  const replicas = resolveReplicas(raw.replicas, [...path, 'replicas'], resolving);
  if (raw.protocol === 'openai') reportVersionedUrls(replicas, raw, path, resolving);
  return {
    name: raw.name,
    protocol: raw.protocol,
    models,
    policy: raw.policy,
    replicas,
    queue: { maxLength: raw.queue.max, waitMs: raw.queue.wait },
    timeouts: resolveTimeouts(raw),
    health: resolveHealth(raw, models, path, resolving),
    wantsReports: raw.load.report,
    scrape: resolveScrape(raw.load.scrape, replicas, [...path, 'load', 'scrape'], resolving),
    affinity: resolveAffinity(raw, [...path, 'affinity'], resolving),
    breaker: resolveBreaker(raw.breaker, [...path, 'breaker'], resolving),
    retry: resolveRetry(raw.retry),
    hedge: resolveHedge(raw, path, resolving),
    holdsFirstChunk: raw.hold_first_chunk,
  };
}

function resolveModels({ protocol, models }: RawBackend, path: Path, resolving: Resolving): Models {
  const { report, isFaulty } = resolving;
  const here = [...path, 'models'];
  const isKnown = !isFaulty(here) && !isFaulty([...path, 'protocol']);
  if (protocol === 'http' && models !== undefined && isKnown)
    report(here, 'a list', 'nothing: requests of protocol http name no model');
  if (protocol !== 'http' && models === undefined && isKnown) report(here, 'nothing', 'a list of models');
  const named = (models ?? []).map((model) => (typeof model === 'string' ? { name: model, upstream: null } : model));
  reportDuplicates(
    named.map(({ name }, at) => ({ name, path: [...here, at] })),
    'a model that this backend does not have yet',
    resolving,
  );
  return named;
}

/** Requests bring their /v1 themselves; clients' base URLs have it at their end, and it is easily copied. */
function reportVersionedUrls(
  replicas: BackendSettings['replicas'],
  raw: RawBackend,
  path: Path,
  { report }: Resolving,
): void {
  raw.replicas.forEach(({ url }, at) => {
    const isVersioned = url !== undefined && /\/v1\/*$/.test(url);
    const here = [...path, 'replicas', at, 'url'];
    if (isVersioned && replicas.length > 0) report(here, describeValue(url, here), 'the URL without /v1 at its end');
  });
}

function resolveTimeouts({ timeouts, protocol }: RawBackend): BackendSettings['timeouts'] {
  const { firstByteMs, totalMs } = protocolDefaults[protocol];
  return {
    connectMs: timeouts.connect,
    firstByteMs: timeouts.first_byte ?? firstByteMs,
    idleMs: timeouts.idle,
    totalMs: timeouts.total ?? totalMs,
    streamTotalMs: timeouts.total ?? Number.POSITIVE_INFINITY,
  };
}

function resolveHealth(
  { health, protocol }: RawBackend,
  models: Models,
  path: Path,
  { report, isFaulty }: Resolving,
): HealthSettings {
  const { healthPath, unwellFromStatus } = protocolDefaults[protocol];
  const [first] = models;
  const model = first?.upstream ?? first?.name ?? '';
  const needsModel = health.path === undefined && healthPath.includes(':model');
  if (needsModel && model.includes('*') && !isFaulty([...path, 'health']))
    report([...path, 'models', 0], JSON.stringify(model), 'the name of one model first, or a health.path');
  return {
    path: health.path ?? healthPath.replace(':model', model.split('/').map(encodeURIComponent).join('/')),
    everyMs: health.every,
    timeoutMs: health.timeout,
    failuresToUnready: health.unhealthy,
    successesToReady: health.healthy,
    unwellFromStatus: health.path === undefined ? unwellFromStatus : 300,
  };
}

function resolveScrape(
  raw: RawBackend['load']['scrape'],
  replicas: BackendSettings['replicas'],
  path: Path,
  { report }: Resolving,
): ScrapeSettings | null {
  if (raw === undefined) return null;
  const { dialect, path: page, port = null, every } = raw;
  if (port !== null && replicas.some(({ at }) => at.kind === 'worker' || at.socketPath !== null))
    report([...path, 'port'], 'a port', 'none: a replica on a Unix socket has no other');
  return { dialect, path: page, port, everyMs: every };
}

function resolveAffinity(
  { affinity, protocol }: RawBackend,
  path: Path,
  resolving: Resolving,
): AffinitySettings | null {
  if (affinity === undefined) return null;
  const { by, bound, header, field } = affinity;
  const { report, isFaulty } = resolving;
  const isKnown = !['by', 'header', 'field'].some((key) => isFaulty([...path, key]));
  if (by === 'prefix') {
    if (header !== undefined || field !== undefined)
      report(path, 'a header or a field beside by: prefix', 'by: session, or neither of them');
    if (protocol !== 'openai' && isKnown && !isFaulty([...path.slice(0, -1), 'protocol']))
      report([...path, 'by'], `prefix with protocol ${protocol}`, 'session: only prompts of openai are read');
    return { by: { kind: 'prefix' }, bound };
  }
  if ((header === undefined) === (field === undefined) && isKnown)
    report(
      path,
      header === undefined ? 'neither header nor field' : 'both header and field',
      'one of header and field',
    );
  const named =
    header === undefined
      ? { kind: 'field' as const, name: field ?? '' }
      : { kind: 'header' as const, name: header.toLowerCase() };
  return { by: named, bound };
}

function resolveBreaker(raw: RawBackend['breaker'], path: Path, { report, isFaulty }: Resolving): BreakerSettings {
  if (raw.eject_max < raw.eject && !isFaulty([...path, 'eject']))
    report([...path, 'eject_max'], 'less than eject', 'at least the time of the first ejection');
  return {
    consecutiveFailures: raw.consecutive,
    successShareBelow: raw.success_below,
    windowMs: raw.window,
    minRequests: raw.min_requests,
    ejectMs: raw.eject,
    ejectMaxMs: raw.eject_max,
    slowStartMs: raw.slow_start,
  };
}

function resolveRetry({ tries, budget, floor, idempotent }: RawBackend['retry']): RetrySettings {
  return { maxTries: tries, budgetShare: budget, floorPerSecond: floor, isIdempotent: idempotent };
}

function resolveHedge(raw: RawBackend, path: Path, { report, isFaulty }: Resolving): HedgeSettings | null {
  if (raw.hedge === undefined) return null;
  const { after, budget } = raw.hedge;
  const here = [...path, 'hedge'];
  if (!raw.retry.idempotent)
    report(here, 'hedges beside retry.idempotent: false', 'none of them: a hedge is a request that is sent twice');
  const isLimitKnown = !isFaulty([...path, 'timeouts', 'first_byte']) && !isFaulty([...path, 'protocol']);
  if (after.kind === 'delay' && after.delayMs >= resolveTimeouts(raw).firstByteMs && isLimitKnown)
    report([...here, 'after'], 'no less than timeouts.first_byte', 'a delay that is over before it');
  return { after, budgetShare: budget };
}
