import type { Flights } from '../cache/flights.ts';
import { useOf } from '../cache/freshness.ts';
import type { MemoryStore } from '../cache/memory-store.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Stage } from '../pipeline/stage.ts';
import { keptReply } from './kept-reply.ts';

/** What the look-up needs. */
export interface CacheParts {
  readonly memory: MemoryStore;
  readonly flights: Flights;
  readonly clock: Clock;
}

/** Answers from memory at once, where it can. What is a little stale is given, too, while one request asks for a new one. */
export function cache({ memory, flights, clock }: CacheParts): Stage {
  return {
    name: 'cache',
    wrap: (next) => (exchange) => {
      const { sharing } = exchange;
      if (sharing === null || sharing.wish !== 'any') return next(exchange);
      const entry = memory.get(sharing.key);
      if (entry === null) return next(exchange);
      const nowMs = clock.wallMs();
      const use = useOf(entry.freshness, nowMs);
      if (use !== 'fresh' && use !== 'while_revalidating') return next(exchange);
      if (use === 'while_revalidating') flights.refresh(exchange, sharing, next);
      try {
        return Promise.resolve(keptReply(exchange, entry, 'memory', nowMs));
      } catch {
        // It cannot be given as this one asked: not folded, for example, since it was no whole stream.
        return next(exchange);
      }
    },
  };
}
