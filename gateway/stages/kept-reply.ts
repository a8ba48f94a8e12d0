import { isKnown, useOf } from '../cache/freshness.ts';
import type { CacheEntry } from '../cache/store.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { headerOf } from '../pipeline/headers.ts';
import { bytesBody, type Reply } from '../pipeline/reply.ts';
import type { StoreName } from '../pipeline/sharing.ts';

/**
 * The answer that is kept, as this exchange's own, or that its client has it already (304). Also to a POST: who sends `if-none-match` to what
 * computes and changes nothing means that.
 */
export function keptReply(exchange: Exchange, entry: CacheEntry, store: StoreName, wallMs: number): Reply {
  const { freshness, etag } = entry;
  const { storedAtMs, freshUntilMs } = freshness;
  const isStale = useOf(freshness, wallMs) !== 'fresh';
  const ofTheCache = ['etag', etag, 'age', String(Math.max(0, Math.floor((wallMs - storedAtMs) / 1000)))];
  const isThere = isKnown(headerOf(exchange.head.headers, 'if-none-match'), etag);
  const reply = isThere
    ? { status: 304, headers: ofTheCache, source: 'cache' as const, body: bytesBody(new Uint8Array(0)) }
    : exchange.protocol.render(wholeReply(entry, ofTheCache), exchange);
  exchange.journal.cache = { kind: 'hit', store, freshUntilMs, isStale };
  return reply;
}

function wholeReply({ headers, body }: CacheEntry, ofTheCache: readonly string[]): Reply {
  return {
    status: 200,
    headers: [...headers, ...ofTheCache, 'content-length', String(body.length)],
    source: 'cache',
    body: bytesBody(body),
  };
}
