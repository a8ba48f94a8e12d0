import { writeFileSync } from 'node:fs';
import { ConfigError, isSecret } from '../settings/faults.ts';
import { loadSettings } from '../settings/load.ts';
import { jsonSchema } from '../settings/schema.ts';
import type { BackendSettings, ReplicaSettings, RouteSettings, Settings } from '../settings/settings.ts';
import { authorityOf } from './authority.ts';

/** Validates a configuration; tells all its faults, or else what it means. Gives the exit code. */
export function check(file: string, asJson: boolean): number {
  try {
    const settings = loadSettings(file);
    process.stdout.write(
      asJson ? `${JSON.stringify({ file, faults: [], untold: 0 })}\n` : `${explain(file, settings)}\n`,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (asJson) process.stdout.write(`${JSON.stringify({ file, faults: error.faults, untold: error.untold })}\n`);
    else process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

/** Writes the JSON Schema that editors use. */
export function writeSchema(file: string): void {
  writeFileSync(file, `${JSON.stringify(jsonSchema(), null, 2)}\n`);
}

function explain(file: string, settings: Settings): string {
  const { listen, admin, backends, routes } = settings;
  return [
    `${file} is valid.`,
    `Clients on ${authorityOf(listen.host, listen.port)}, operators on ${authorityOf(admin.host, admin.port)}${admin.token === null ? '' : ' with a token'}.`,
    ...backends.flatMap(explainBackend),
    ...routes.map(explainRoute),
    ...explainCache(settings),
  ].join('\n');
}

function explainBackend({ name, protocol, policy, models, replicas, queue }: BackendSettings): string[] {
  return [
    `Backend ${name}: ${protocol}, ${policy}, serves ${explainModels(models)}; up to ${queue.maxLength} requests wait up to ${queue.waitMs} ms.`,
    ...replicas.map((replica) => `  Replica ${replica.id}: ${explainPlace(replica)}, ${explainSlots(replica.slots)}.`),
  ];
}

function explainModels(models: BackendSettings['models']): string {
  if (models.length === 0) return 'whatever routes lead to it';
  return models.map(({ name, upstream }) => (upstream === null ? name : `${name} (there ${upstream})`)).join(', ');
}

function explainPlace({ at }: ReplicaSettings): string {
  if (at.kind === 'worker')
    return `a bundled worker with ${at.models.join(', ')} on ${at.threads} ${at.threads === 1 ? 'thread' : 'threads'}`;
  return at.socketPath === null ? at.origin + at.basePath : `unix:${at.socketPath}`;
}

function explainSlots(slots: number | null): string {
  return slots === null ? 'slots as it reports' : `${slots} ${slots === 1 ? 'slot' : 'slots'}`;
}

function explainRoute(route: RouteSettings, at: number): string {
  const { model, path, tenant, headers, destinations, fallbacks, mirror, deadlineMs } = route;
  const parts = [
    ...(model === null ? [] : [`model ${model}`]),
    ...(path === null ? [] : [`path ${path}`]),
    ...(tenant === null ? [] : [`tenant ${tenant}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${isSecret(['header', name]) ? '***' : value}`),
  ];
  const total = destinations.reduce((sum, one) => sum + one.weight, 0);
  const shares = destinations.map((one) => `${one.backend} ${((100 * one.weight) / total).toFixed(1)} %`).join(', ');
  const fallback = fallbacks.length === 0 ? '' : `, failing that to ${fallbacks.join(', then ')}`;
  const copies = mirror === null ? '' : `, with copies of ${(100 * mirror.share).toFixed(1)} % to ${mirror.backend}`;
  const deadline = deadlineMs === null ? '' : `, within ${deadlineMs} ms`;
  return `Route ${at}: ${parts.length === 0 ? 'everything' : parts.join(' and ')} to ${shares}${fallback}${copies}${deadline}${explainSharing(route)}.`;
}

function explainSharing({ cache, isCoalescing }: RouteSettings): string {
  const shared = isCoalescing ? '; what is being computed is shared' : '';
  if (cache === null) return shared;
  const { freshMs, staleWhileRevalidateMs, staleIfErrorMs, isForEveryone, isForSampled } = cache;
  const stale = Math.max(staleWhileRevalidateMs, staleIfErrorMs);
  const after = stale === 0 ? '' : `, and up to ${stale} ms longer in need`;
  const what = isForSampled ? 'answers, sampled ones too,' : 'answers';
  return `; ${what} are kept for ${isForEveryone ? 'everyone' : 'their tenant'} for ${freshMs} ms${after}${shared}`;
}

/** Where answers are kept; nothing where no route keeps any. A URL of Redis may hold a password. */
function explainCache({ cache, routes }: Settings): string[] {
  if (routes.every((route) => route.cache === null)) return [];
  const { memoryBytes, redis } = cache;
  const far = redis === null ? '' : `, and in ${redis.isCluster ? 'a cluster of Redis' : 'Redis'} for all gateways`;
  return [`Answers are kept in ${memoryBytes} bytes of memory${far}.`];
}
