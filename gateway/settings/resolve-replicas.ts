import { resolve as resolvePath } from 'node:path';
import { describeValue, type Path } from './faults.ts';
import { readNamedFile, readSecret } from './named-file.ts';
import { parseReplicaUrl } from './replica-place.ts';
import { judgeSent, resolveHeaders, type WrittenHeader } from './resolve-headers.ts';
import { type Resolving, reportDuplicates } from './resolving.ts';
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
    found
      .filter((one) => !resolving.isFaulty([...one.path.slice(0, path.length + 1), 'id']))
      .map(({ replica, path: where }) => ({ name: replica.id, path: where })),
    'an id that no other replica of this backend has',
    resolving,
  );
  return found.map(({ replica }) => replica);
}

function resolveEntry(raw: RawReplica, path: Path, workersBefore: number, resolving: Resolving): ReplicaSettings[] {
  const headersPath = [...path, 'headers'];
  const common = {
    weight: raw.weight,
    slots: raw.slots ?? null,
    zone: raw.zone ?? null,
    headers: resolveHeaders(readHeaders(raw.headers ?? {}, headersPath, resolving), headersPath, resolving, judgeSent),
    caPem:
      raw.tls?.ca_file === undefined ? null : readNamedFile(raw.tls.ca_file, [...path, 'tls', 'ca_file'], resolving),
    serverName: raw.tls?.server_name ?? null,
  };
  reportUnfitting(raw, path, resolving);
  if (raw.url !== undefined) {
    const parsed = parseReplicaUrl(raw.url);
    return parsed === null ? [] : [{ ...common, id: raw.id ?? parsed.defaultId, at: parsed.place }];
  }
  if (raw.worker === undefined) return [];
  const { models, threads, count, folder } = raw.worker;
  const at = {
    kind: 'worker' as const,
    models,
    threads,
    folder: folder === undefined ? null : resolvePath(resolving.baseFolder, folder),
  };
  return Array.from({ length: count }, (_, number) => ({
    ...common,
    id: workerId(raw.id, number, count, workersBefore),
    at,
  }));
}

/** Says where a replica is more than one thing, or none, or what its url makes senseless. */
function reportUnfitting({ url, worker, tls }: RawReplica, path: Path, { report, isFaulty }: Resolving): void {
  const isKnown = !isFaulty([...path, 'url']) && !isFaulty([...path, 'worker']);
  if (url !== undefined && worker !== undefined) report(path, 'both url and worker', 'one of url and worker');
  else if (url === undefined && worker === undefined && isKnown)
    report(path, 'neither url nor worker', 'one of url and worker');
  const parsed = url === undefined ? null : parseReplicaUrl(url);
  if (url !== undefined && parsed === null)
    report(
      [...path, 'url'],
      describeValue(url, [...path, 'url']),
      'a URL such as http://127.0.0.1:8101 or unix:/run/worker.sock, without credentials and query',
    );
  if (tls === undefined || parsed?.place.origin.startsWith('https:') === true || isFaulty([...path, 'tls'])) return;
  const beside = parsed !== null ? 'a url without TLS' : worker !== undefined ? 'a worker' : null;
  if (beside !== null) report([...path, 'tls'], `tls settings beside ${beside}`, 'a url that begins with https:');
}

function workerId(given: string | undefined, at: number, count: number, workersBefore: number): string {
  if (given === undefined) return `worker-${workersBefore + at + 1}`;
  return count === 1 ? given : `${given}-${at + 1}`;
}

/** Reads what stands in files; a key that ends in `_file` names the header in front of that. */
function readHeaders(raw: Readonly<Record<string, string>>, path: Path, resolving: Resolving): WrittenHeader[] {
  return Object.entries(raw).map(([key, text]) =>
    key.endsWith(fileSuffix)
      ? { key, name: key.slice(0, -fileSuffix.length), value: readSecret(text, [...path, key], resolving) }
      : { key, name: key, value: text },
  );
}
