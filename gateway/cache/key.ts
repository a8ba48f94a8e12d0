import { createHash, hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Identity } from '../pipeline/protocol.ts';
import type { RouteSharing } from '../pipeline/sharing.ts';
import { canonicalJson } from './canonical-json.ts';

/** What answers of one model to one tenant are kept under: their two marks and the digest of everything that decides the answer. */
export type CacheKey = string;

/** What of a request its key is made of. */
export type KeyedBy = Pick<Exchange, 'tenant' | 'protocol' | 'head' | 'ask' | 'choice'>;

/** What a route says of its keys. */
export type KeyRules = Pick<RouteSharing, 'revision' | 'isForEveryone'>;

/** Which keys are meant: those of which everything given holds; all where nothing is given. */
export interface Keys {
  readonly key?: CacheKey;
  readonly model?: string;
  readonly tenant?: string;
}

/**
 * The only headers of clients that go upstream where answers are shared, and they are part of the key: no other can change what others get.
 * Without `accept-encoding` answers come as they are, so that they can be read.
 */
export const sharedHeaders: readonly string[] = [
  'accept',
  'accept-language',
  'content-encoding',
  'content-language',
  'content-type',
  'inference-header-content-length',
  'openai-beta',
  'openai-organization',
  'openai-project',
];

/** Changes with what a key is made of, so that none means what it meant before. */
const version = 1;

/** The key of a request, or null where it has none: two texts that might say the same cannot be compared. */
export function cacheKey(asked: KeyedBy, identity: Identity, sharing: KeyRules): CacheKey | null {
  const json = identity.json === null ? '' : canonicalJson(identity.json, identity.without);
  if (json === null) return null;
  const { backend, upstreamModel } = asked.choice;
  const tenant = sharing.isForEveryone ? null : asked.tenant;
  const head = headOf(asked, identity, [sharing.revision, backend.revisions.of(upstreamModel)], tenant);
  return `${mark(asked.ask.model)}-${mark(tenant ?? '')}-${digest(head + json, identity.raw)}`;
}

/** Everything that is not content. As JSON, so that no part can run into the next; it says how long the raw pieces are. */
function headOf(
  { choice, ask, protocol, head }: KeyedBy,
  { raw, framing }: Identity,
  revisions: readonly string[],
  tenant: string | null,
) {
  return JSON.stringify([
    version,
    choice.route.name,
    choice.backend.name,
    protocol.name,
    ask.model,
    choice.upstreamModel,
    revisions,
    tenant,
    head.method,
    head.rawPath,
    head.query,
    sharedHeaders.map((name) => (framing.includes(name) ? null : meaningOf(name, head.headers[name]))),
    raw.map(({ length }) => length),
  ]);
}

/** Who accepts anything asks for no more than who does not say (RFC 9110 section 12.5.1): clients differ in that. */
function meaningOf(name: string, value: string | readonly string[] | undefined) {
  return value === undefined || (name === 'accept' && value === '*/*') ? null : value;
}

function digest(text: string, raw: readonly Uint8Array[]): string {
  if (raw.every(({ length }) => length === 0)) return hash('sha256', text, 'base64url');
  const sum = createHash('sha256').update(text);
  for (const piece of raw) sum.update(piece);
  return sum.digest('base64url');
}

/** By this, the keys of a model or a tenant are found again. Of two that have the same, one's answers may be purged with the other's. */
function mark(name: string): string {
  return crc32(name).toString(16).padStart(8, '0');
}

/** Whether a key is among those that are meant. */
export function isAmong(key: CacheKey, keys: Keys): boolean {
  return (
    (keys.key === undefined || keys.key === key) &&
    (keys.model === undefined || key.startsWith(mark(keys.model))) &&
    (keys.tenant === undefined || key.startsWith(mark(keys.tenant), 9))
  );
}

/** The same as a pattern of Redis, for those that are not one key alone. */
export function patternOf({ model, tenant }: Keys): string {
  const anyMark = '?'.repeat(8);
  return `${model === undefined ? anyMark : mark(model)}-${tenant === undefined ? anyMark : mark(tenant)}-*`;
}
