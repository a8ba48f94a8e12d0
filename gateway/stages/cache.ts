import type { Flights } from '../cache/flights.ts';
import { useOf } from '../cache/freshness.ts';
import type { MemoryStore } from '../cache/memory-store.ts';
import type { Clock } from '../kernel/clock.ts';
import { asGatewayError } from '../kernel/errors.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { Serve, Stage } from '../pipeline/stage.ts';
import { keptReply, unlessKnown } from './kept-reply.ts';

/** What the look-up needs. */
export interface CacheParts {
  readonly memory: MemoryStore;
  readonly flights: Flights;
  readonly clock: Clock;
}

/**
 * Answers from memory at once, where it can. What is a little stale is given, too, while one request asks for a new one; what is more so, where
 * a new one cannot be had.
 */
export function cache(parts: CacheParts): Stage {
  return {
    name: 'cache',
    wrap: (next) => (exchange) => {
      if (exchange.sharing?.wish !== 'any') return next(exchange);
      const kept = fromMemory(exchange, exchange.sharing.key, next, parts);
      if (kept !== null) return Promise.resolve(unlessKnown(kept, exchange));
      return isAnyAnswerGood(exchange) ? next(exchange) : judged(exchange, exchange.sharing.key, next, parts);
    },
  };
}

function fromMemory(
  exchange: Exchange,
  key: string,
  next: Serve,
  { memory, flights, clock }: CacheParts,
): Reply | null {
  const entry = memory.get(key);
  if (entry === null) return null;
  const nowMs = clock.wallMs();
  const use = useOf(entry.freshness, nowMs);
  if (use !== 'fresh' && use !== 'while_revalidating') return null;
  const reply = keptReply(exchange, entry, 'memory', nowMs);
  if (reply !== null && use === 'while_revalidating' && exchange.sharing !== null)
    flights.refresh(exchange, exchange.sharing, next);
  return reply;
}

/** Whatever comes is passed on. */
function isAnyAnswerGood({ choice, head }: Exchange): boolean {
  const rules = choice.route.sharing?.freshness;
  return (rules?.staleIfErrorMs ?? 0) === 0 && head.headers['if-none-match'] === undefined;
}

/** The answer that comes; what is kept instead of an error, above those who share one: each has a deadline of its own. */
async function judged(exchange: Exchange, key: string, next: Serve, parts: CacheParts): Promise<Reply> {
  let reply: Reply;
  try {
    reply = await next(exchange);
  } catch (thrown) {
    const instead = insteadOf(asGatewayError(thrown).status, exchange, key, parts);
    if (instead === null) throw thrown;
    return unlessKnown(instead, exchange);
  }
  const instead = insteadOf(reply.status, exchange, key, parts);
  if (instead !== null) discardInFavour(reply, exchange);
  return unlessKnown(instead ?? reply, exchange);
}

/** Giving up what others share notes for the last time how that came about. */
function discardInFavour({ body }: Reply, { journal }: Exchange): void {
  const { cache: outcome } = journal;
  body.discard();
  journal.cache = outcome;
}

/** RFC 5861 section 4. */
function insteadOf(status: number, exchange: Exchange, key: string, { memory, clock }: CacheParts): Reply | null {
  if (status !== 500 && status !== 502 && status !== 503 && status !== 504) return null;
  const entry = memory.get(key);
  if (entry === null) return null;
  const reply = keptReply(exchange, entry, 'memory', clock.wallMs());
  const { cache: outcome } = exchange.journal;
  if (reply !== null && outcome?.kind === 'hit') exchange.journal.cache = { ...outcome, isInstead: true };
  return reply;
}
