import { describeValue, type Path } from '../../gateway/settings/faults.ts';
import { judgeSent, resolveHeaders } from '../../gateway/settings/resolve-headers.ts';
import { type Resolving, reportDuplicates } from '../../gateway/settings/resolving.ts';
import { parseAssertion } from '../report/assertion.ts';
import { describeInstant } from '../report/wording.ts';
import { reportServers } from './report-servers.ts';
import { resolveArrivals } from './resolve-arrivals.ts';
import { resolvePayloads } from './resolve-payloads.ts';
import type { Arrivals, Clients, Scenario, Slos, Target } from './scenario.ts';
import type { RawScenario } from './schema.ts';
import { placeOf, wantedUrl } from './target-place.ts';

/** Gives a parsed scenario its meaning: reads its traces, and reports whatever does not fit together. */
export function resolveScenario(raw: RawScenario, resolving: Resolving): Scenario {
  const targets = resolveTargets(raw.targets, resolving);
  const arrivals = resolveArrivals(raw, resolving);
  const end = resolveEnd(raw, arrivals, resolving);
  const payloads = resolvePayloads(raw, arrivals, resolving);
  reportServers(raw, resolving);
  raw.asserts.forEach((text, at) => {
    const parsed = parseAssertion(text);
    if ('wanted' in parsed) resolving.report(['asserts', at], JSON.stringify(text), parsed.wanted);
  });
  return {
    name: raw.name,
    seed: raw.seed,
    targets,
    arrivals,
    ...end,
    payloads,
    clients: resolveClients(raw.clients),
    slos: resolveSlos(raw.slos),
    servers: raw.servers,
    faults: raw.faults,
    asserts: raw.asserts,
  };
}

type RawTarget = RawScenario['targets'][number];

function resolveTargets(raw: readonly RawTarget[], resolving: Resolving): Target[] {
  const { report, isFaulty } = resolving;
  const targets = raw.map((target, at) => resolveTarget(target, ['targets', at], resolving));
  reportDuplicates(
    targets
      .map(({ name }, at) => ({ name, path: ['targets', at, raw[at]?.name === undefined ? 'url' : 'name'] }))
      .filter(({ path }) => !isFaulty(path)),
    'a name that no other target has',
    resolving,
  );
  const [first] = targets;
  targets.forEach(({ protocol }, at) => {
    const path = ['targets', at, 'protocol'];
    if (first === undefined || protocol === first.protocol || isFaulty(path) || isFaulty(['targets', 0, 'protocol']))
      return;
    report(path, JSON.stringify(protocol), `${first.protocol}, as the first target speaks: all are sent the same`);
  });
  return targets;
}

function resolveTarget(raw: RawTarget, path: Path, resolving: Resolving): Target {
  const headers = Object.entries(raw.headers ?? {}).map(([name, value]) => ({ key: name, name, value }));
  const place = placeOf(raw.url);
  if (place === null) resolving.report([...path, 'url'], describeValue(raw.url, path), wantedUrl);
  return {
    name: raw.name ?? place?.name ?? '-',
    url: place?.url ?? '',
    protocol: raw.protocol,
    model: raw.model,
    headers: resolveHeaders(headers, [...path, 'headers'], resolving, judgeSent),
  };
}

type End = Pick<Scenario, 'forMs' | 'requests' | 'warmUpMs'>;

function resolveEnd(raw: RawScenario, arrivals: Arrivals, { report, isFaulty }: Resolving): End {
  const { for: forMs = lengthOf(arrivals), requests = countOf(arrivals), warm_up: warmUpMs } = raw;
  if (forMs === null && requests === null && !['for', 'requests', 'arrivals'].some((key) => isFaulty([key])))
    report([], 'neither for nor requests', 'an end of the run: for, requests, or both');
  if (forMs !== null && warmUpMs >= forMs && !isFaulty(['for']))
    report(['warm_up'], describeInstant(warmUpMs), `less than the whole run, which is ${describeInstant(forMs)}`);
  return { forMs, requests, warmUpMs };
}

/** How long arrivals go on that end by themselves; null for others. */
function lengthOf(arrivals: Arrivals): number | null {
  if (arrivals.kind !== 'open' || arrivals.segments.some(({ forMs }) => forMs === null)) return null;
  return arrivals.segments.reduce((sum, { forMs }) => sum + (forMs ?? 0), 0);
}

function countOf(arrivals: Arrivals): number | null {
  return arrivals.kind === 'trace' ? Math.min(arrivals.trace.size, arrivals.limit ?? Number.POSITIVE_INFINITY) : null;
}

function resolveClients({ cancel, slow, timeout, connections, processes }: RawScenario['clients']): Clients {
  return {
    cancel: cancel === undefined ? null : { share: cancel.share, afterMs: cancel.after },
    slow: slow === undefined ? null : { share: slow.share, bytesPerSecond: slow.rate },
    timeoutMs: timeout,
    connections: connections ?? null,
    processes,
  };
}

function resolveSlos({ latency, ttft, itl, tpot }: RawScenario['slos']): Slos {
  return {
    latencyMs: latency ?? null,
    timeToFirstTokenMs: ttft ?? null,
    interTokenMs: itl ?? null,
    timePerOutputTokenMs: tpot ?? null,
  };
}
