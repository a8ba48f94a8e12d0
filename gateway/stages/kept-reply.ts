import { isKnown, useOf } from '../cache/freshness.ts';
import type { CacheEntry } from '../cache/store.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { headerInList, headerOf } from '../pipeline/headers.ts';
import { bytesBody, type Reply } from '../pipeline/reply.ts';
import type { StoreName } from '../pipeline/sharing.ts';

/** The answer that is kept, as this exchange's own; null where it cannot be given as it was asked for: it was no whole stream, and is to be folded. */
export function keptReply(exchange: Exchange, entry: CacheEntry, store: StoreName, wallMs: number): Reply | null {
  let reply: Reply;
  try {
    reply = exchange.protocol.render(wholeReply(entry, wallMs), exchange);
  } catch {
    return null;
  }
  const { freshness } = entry;
  const isStale = useOf(freshness, wallMs) !== 'fresh';
  exchange.journal.cache = { kind: 'hit', store, freshUntilMs: freshness.freshUntilMs, isStale };
  return reply;
}

function wholeReply({ headers, body, etag, freshness }: CacheEntry, wallMs: number): Reply {
  const age = String(Math.max(0, Math.floor((wallMs - freshness.storedAtMs) / 1000)));
  return {
    status: 200,
    headers: [...headers, 'etag', etag, 'age', age, 'content-length', String(body.length)],
    source: 'cache',
    body: bytesBody(body),
  };
}

/**
 * An answer, or that its client has it already (304), where it was kept. Also to a POST: who sends `if-none-match` to what computes and
 * changes nothing means that.
 */
export function unlessKnown(reply: Reply, { head, journal }: Exchange): Reply {
  const { headers, source } = reply;
  const etag = journal.cache?.kind === 'hit' ? headerInList(headers, 'etag') : null;
  if (etag === null || !isKnown(headerOf(head.headers, 'if-none-match'), etag)) return reply;
  reply.body.discard();
  const ofTheCache = headers.filter((_, at) => /^(?:etag|age)$/.test(headers[at - (at % 2)] ?? ''));
  return { status: 304, headers: ofTheCache, source, body: bytesBody(new Uint8Array(0)) };
}
