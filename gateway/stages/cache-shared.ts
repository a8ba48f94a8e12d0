import { useOf } from '../cache/freshness.ts';
import type { Ending } from '../cache/leases.ts';
import type { MemoryStore } from '../cache/memory-store.ts';
import type { SharedFlights, SharedLease } from '../cache/shared-flights.ts';
import { whyNotShared } from '../cache/storable.ts';
import type { CacheEntry, CacheStore } from '../cache/store.ts';
import type { Clock } from '../kernel/clock.ts';
import type { BufferRoom } from '../pipeline/buffer-room.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { FreshnessRules, Sharing, StoreName } from '../pipeline/sharing.ts';
import type { Serve, Stage } from '../pipeline/stage.ts';
import { keptReply } from './kept-reply.ts';
import { newAnswer } from './new-answer.ts';
import { StoringBody } from './storing-body.ts';

/** What the store beyond this process's memory needs. */
export interface CacheSharedParts {
  readonly store: CacheStore;
  readonly memory: MemoryStore;
  /** Where what is found beyond memory comes from. */
  readonly storeName: StoreName;
  /** Null where there is nothing that gateways share. */
  readonly sharedFlights: SharedFlights | null;
  readonly maxEntryBytes: number;
  /** What is kept of answers on their way is held here. */
  readonly room: BufferRoom;
  /** How often answers were forgotten because somebody said so. */
  readonly purges: { readonly count: number };
  readonly clock: Clock;
}

/** Looks where all gateways keep their answers, has one of them compute what none of them has, and keeps what comes. */
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
  readonly #purgesBefore: number;
  readonly #begunAtMs: number;

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#purgesBefore = asked.parts.purges.count;
    this.#begunAtMs = asked.parts.clock.wallMs();
  }

  async run(): Promise<Reply> {
    const { sharing, parts } = this.#asked;
    // Who wants a new answer is content with no other gateway's either.
    if (sharing.wish === 'new') return this.#compute(null);
    const found = parts.store.get(sharing.key);
    const entry = found instanceof Promise ? await found : found;
    const kept = entry === null ? null : this.#use(entry);
    if (kept !== null) return kept;
    const flight = this.#sharedFlight();
    const begun = flight instanceof Promise ? await flight : flight;
    const reply = begun?.kind === 'found' ? this.#give(begun.entry) : null;
    return reply ?? this.#compute(begun?.kind === 'lead' ? begun.lease : null);
  }

  /** What was found, where it is good enough for those who wait. */
  #use(entry: CacheEntry): Reply | null {
    const { exchange, sharing, parts } = this.#asked;
    const use = useOf(entry.freshness, parts.clock.wallMs());
    if (use === 'fresh' || (use === 'while_revalidating' && sharing.isRefresh !== true)) return this.#give(entry);
    exchange.journal.cache = { kind: 'forwarded', why: 'stale' };
    return null;
  }

  /** Null where it cannot be given as it was asked for. */
  #give(entry: CacheEntry): Reply | null {
    const { exchange, parts } = this.#asked;
    return keptReply(exchange, entry, parts.storeName, parts.clock.wallMs());
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
      throw thrown;
    }
    if (reply.status === 200 && exchange.choice.backend === backend) return this.#keep(reply, lease);
    lease?.end('failed');
    return reply;
  }

  #keep(reply: Reply, lease: SharedLease | null): Reply {
    const { exchange, parts } = this.#asked;
    const { status, headers, body } = reply;
    const { maxEntryBytes, room } = parts;
    if (whyNotShared(status, headers) !== null || (body.sizeBytes ?? 0) > maxEntryBytes) {
      lease?.end('unshareable');
      return reply;
    }
    const { cache } = exchange.journal;
    if (cache?.kind === 'forwarded') exchange.journal.cache = { ...cache, isStored: true };
    // Others may add to the list on the answer's way out.
    const head = { status, headers: [...headers] };
    const ended = (whole: Uint8Array | Ending): void => {
      if (typeof whole === 'string') lease?.end(whole);
      else this.#put(newAnswerOf({ ...head, body: whole }, this.#asked), lease);
    };
    return { ...reply, body: new StoringBody(body, { room, maxBytes: maxEntryBytes, ended }) };
  }

  #put(entry: CacheEntry | null, lease: SharedLease | null): void {
    const { sharing, parts } = this.#asked;
    // What was computed before a purge may be what that was for; before what is there now, it is older than that.
    const wasPurged = parts.purges.count !== this.#purgesBefore;
    const isLate = (parts.memory.get(sharing.key)?.freshness.storedAtMs ?? 0) > this.#begunAtMs;
    const isKept = entry !== null && !wasPurged && !isLate;
    const kept = isKept ? parts.store.put(sharing.key, entry) : undefined;
    const ending = entry === null ? 'unshareable' : wasPurged ? 'failed' : 'stored';
    if (kept instanceof Promise) void kept.then(() => lease?.end(ending));
    else lease?.end(ending);
  }
}

function newAnswerOf(came: Parameters<typeof newAnswer>[0], { exchange, rules, parts }: Asked): CacheEntry | null {
  return newAnswer(came, exchange.protocol, rules, parts.clock.wallMs());
}
