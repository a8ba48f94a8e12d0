import { useOf } from '../cache/freshness.ts';
import { newAnswer } from '../cache/new-answer.ts';
import type { SharedFlights, SharedLease } from '../cache/shared-flights.ts';
import { whyNotShared } from '../cache/storable.ts';
import type { CacheEntry, CacheStore } from '../cache/store.ts';
import { StoringBody } from '../cache/storing-body.ts';
import type { Clock } from '../kernel/clock.ts';
import { asGatewayError } from '../kernel/errors.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { FreshnessRules, Sharing, StoreName } from '../pipeline/sharing.ts';
import type { Serve, Stage } from '../pipeline/stage.ts';
import { keptReply } from './kept-reply.ts';

/** What the store beyond this process's memory needs. */
export interface CacheSharedParts {
  readonly store: CacheStore;
  /** Where what is found beyond memory comes from. */
  readonly storeName: StoreName;
  /** Null where there is nothing that gateways share. */
  readonly sharedFlights: SharedFlights | null;
  readonly maxEntryBytes: number;
  readonly clock: Clock;
}

/** Looks where all gateways keep their answers, has one of them compute what none of them has, and keeps what comes. What is stale is given where a new one cannot be had. */
export function cacheShared(parts: CacheSharedParts): Stage {
  return {
    name: 'cache-shared',
    wrap: (next) => (exchange) => {
      const { sharing, choice } = exchange;
      const rules = choice.route.sharing?.freshness ?? null;
      if (sharing === null || rules === null) return next(exchange);
      return new Lookup({ exchange, sharing, rules, next, parts }).run();
    },
  };
}

interface Asked {
  readonly exchange: Exchange;
  readonly sharing: Sharing;
  readonly rules: FreshnessRules;
  readonly next: Serve;
  readonly parts: CacheSharedParts;
}

/** One request on its way past what all gateways share. */
class Lookup {
  readonly #asked: Asked;
  /** What may be given where nothing better is to be had. */
  #stale: CacheEntry | null = null;

  constructor(asked: Asked) {
    this.#asked = asked;
  }

  async run(): Promise<Reply> {
    const { sharing, parts } = this.#asked;
    if (sharing.wish === 'any') {
      const found = parts.store.get(sharing.key);
      const entry = found instanceof Promise ? await found : found;
      const reply = entry === null ? null : this.#use(entry);
      if (reply !== null) return reply;
    }
    const flight = this.#sharedFlight();
    const begun = flight instanceof Promise ? await flight : flight;
    const reply = begun?.kind === 'found' ? this.#give(begun.entry) : null;
    return reply ?? this.#compute(begun?.kind === 'lead' ? begun.lease : null);
  }

  /** What was found, where it is good enough for those who wait; else it is remembered. */
  #use(entry: CacheEntry): Reply | null {
    const { exchange, sharing, parts } = this.#asked;
    const use = useOf(entry.freshness, parts.clock.wallMs());
    this.#stale = use === 'none' ? null : entry;
    if (use === 'fresh' || (use === 'while_revalidating' && sharing.isRefresh !== true)) return this.#give(entry);
    exchange.journal.cache = { kind: 'forwarded', why: 'stale' };
    return null;
  }

  /** Null where it cannot be given as it was asked for. */
  #give(entry: CacheEntry): Reply | null {
    const { exchange, parts } = this.#asked;
    try {
      return keptReply(exchange, entry, parts.storeName, parts.clock.wallMs());
    } catch {
      return null;
    }
  }

  /** Streams are not joined from elsewhere: each gateway computes its own. */
  #sharedFlight() {
    const { exchange, sharing, parts } = this.#asked;
    const { deadlineMs, cancellation, ask, choice } = exchange;
    if (parts.sharedFlights === null || ask.isStreaming || choice.route.sharing?.isCoalescing !== true) return null;
    return parts.sharedFlights.begin(sharing.key, { deadlineMs, cancellation });
  }

  async #compute(lease: SharedLease | null): Promise<Reply> {
    const { exchange, next } = this.#asked;
    const { backend } = exchange.choice;
    let reply: Reply;
    try {
      reply = await next(exchange);
    } catch (thrown) {
      lease?.end('failed');
      return this.#insteadOf(asGatewayError(thrown).status) ?? Promise.reject(thrown);
    }
    const instead = this.#insteadOf(reply.status);
    if (instead !== null) reply.body.discard();
    if (reply.status === 200 && exchange.choice.backend === backend) return this.#keep(reply, lease);
    lease?.end('failed');
    return instead ?? reply;
  }

  /** RFC 5861 section 4. */
  #insteadOf(status: number): Reply | null {
    const stale = this.#stale;
    const isError = status === 500 || status === 502 || status === 503 || status === 504;
    if (!isError || stale === null || useOf(stale.freshness, this.#asked.parts.clock.wallMs()) === 'none') return null;
    return this.#give(stale);
  }

  #keep(reply: Reply, lease: SharedLease | null): Reply {
    const { exchange, sharing, rules, parts } = this.#asked;
    const { headers, status } = reply;
    if (whyNotShared(status, headers) !== null) {
      lease?.end('unshareable');
      return reply;
    }
    const { cache } = exchange.journal;
    if (cache?.kind === 'forwarded') exchange.journal.cache = { ...cache, isStored: true };
    // Others may add to the list on the answer's way out.
    const head = { status, headers: [...headers] };
    const ended = (body: Uint8Array | null): void => {
      const entry = body === null ? null : newAnswer({ ...head, body }, exchange.protocol, rules, parts.clock.wallMs());
      const kept = entry === null ? undefined : parts.store.put(sharing.key, entry);
      if (kept instanceof Promise) void kept.then(() => lease?.end('stored'));
      else lease?.end(entry !== null ? 'stored' : body === null ? 'failed' : 'unshareable');
    };
    return { ...reply, body: new StoringBody(reply.body, parts.maxEntryBytes, ended) };
  }
}
