import type { Path } from './faults.ts';
import { parseReplicaUrl } from './replica-place.ts';
import { type Resolving, readNamedFile, reportDuplicates } from './resolve.ts';
import type { RawSettings } from './schema.ts';
import type { ReplicaSettings } from './settings.ts';

type RawReplica = RawSettings['backends'][number]['replicas'][number];

const fileSuffix = '_file';

/** The replicas of one backend; an entry with workers stands for as many as its count says. */
export function resolveReplicas(raw: readonly RawReplica[], path: Path, resolving: Resolving): ReplicaSettings[] {
  const found: { replica: ReplicaSettings; path: Path }[] = [];
  let workers = 0;
  raw.forEach((entry, at) => {
    const here = [...path, at];
    for (const replica of resolveEntry(entry, here, workers, resolving)) {
      if (replica.at.kind === 'worker') workers += 1;
      found.push({ replica, path: entry.id === undefined ? here : [...here, 'id'] });
    }
  });
  reportDuplicates(
    found.map(({ replica, path: where }) => ({ name: replica.id, path: where })),
    'an id that no other replica of this backend has',
    resolving,
  );
  return found.map(({ replica }) => replica);
}

function resolveEntry(raw: RawReplica, path: Path, workersBefore: number, resolving: Resolving): ReplicaSettings[] {
  if ((raw.url === undefined) === (raw.worker === undefined)) {
    resolving.report(
      path,
      raw.url === undefined ? 'neither url nor worker' : 'both url and worker',
      'one of url and worker',
    );
    return [];
  }
  const common = {
    weight: raw.weight,
    slots: raw.slots ?? null,
    headers: resolveHeaders(raw.headers ?? {}, [...path, 'headers'], resolving),
    caPem:
      raw.tls?.ca_file === undefined ? null : readNamedFile(raw.tls.ca_file, [...path, 'tls', 'ca_file'], resolving),
    serverName: raw.tls?.server_name ?? null,
  };
  if (raw.url !== undefined) {
    const place = parseReplicaUrl(raw.url);
    const wanted = 'a URL such as http://127.0.0.1:8101 or unix:/run/worker.sock, without credentials and query';
    if (place === null) resolving.report([...path, 'url'], JSON.stringify(raw.url), wanted);
    if (raw.tls !== undefined && place !== null && !place.origin.startsWith('https:')) {
      resolving.report([...path, 'tls'], 'tls settings beside a url without TLS', 'a url that begins with https:');
    }
    return place === null ? [] : [{ ...common, id: raw.id ?? place.defaultId, at: place }];
  }
  if (raw.worker === undefined) return [];
  if (raw.tls !== undefined)
    resolving.report([...path, 'tls'], 'tls settings beside a worker', 'a url that begins with https:');
  const { models, threads, count, folder } = raw.worker;
  return Array.from({ length: count }, (_, at) => ({
    ...common,
    id: workerId(raw.id, at, count, workersBefore),
    at: { kind: 'worker' as const, models, threads, folder: folder ?? null },
  }));
}

function workerId(given: string | undefined, at: number, count: number, workersBefore: number): string {
  if (given === undefined) return `worker-${workersBefore + at + 1}`;
  return count === 1 ? given : `${given}-${at + 1}`;
}

function resolveHeaders(
  raw: Readonly<Record<string, string>>,
  path: Path,
  resolving: Resolving,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [key, text] of Object.entries(raw)) {
    const name = (key.endsWith(fileSuffix) ? key.slice(0, -fileSuffix.length) : key).toLowerCase();
    const value = key.endsWith(fileSuffix) ? readNamedFile(text, [...path, key], resolving)?.trim() : text;
    if (!/^[!#$%&'*+.^`|~\w-]+$/.test(name)) resolving.report([...path, key], JSON.stringify(key), 'a header name');
    else if (value !== undefined && /[\r\n\0]/.test(value))
      resolving.report([...path, key], 'a secret that does not fit', 'a value of one line');
    else if (value !== undefined) headers[name] = value;
  }
  return headers;
}
