import { Flights } from '../../../gateway/cache/flights.ts';
import { MemoryStore } from '../../../gateway/cache/memory-store.ts';
import { SharedFlights } from '../../../gateway/cache/shared-flights.ts';
import type { CacheEntry, CacheStore } from '../../../gateway/cache/store.ts';
import { TwoLevelStore } from '../../../gateway/cache/two-level-store.ts';
import { asGatewayError, type ErrorCode } from '../../../gateway/kernel/errors.ts';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { TimerWheel } from '../../../gateway/kernel/timer-wheel.ts';
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts';
import { BufferRoom } from '../../../gateway/pipeline/buffer-room.ts';
import { cacheStatus } from '../../../gateway/pipeline/cache-status.ts';
import type { Exchange } from '../../../gateway/pipeline/exchange.ts';
import type { Headers } from '../../../gateway/pipeline/headers.ts';
import { headerInList } from '../../../gateway/pipeline/headers.ts';
import type { Reply } from '../../../gateway/pipeline/reply.ts';
import type { RouteSharing } from '../../../gateway/pipeline/sharing.ts';
import { compose, type Serve } from '../../../gateway/pipeline/stage.ts';
import { cache } from '../../../gateway/stages/cache.ts';
import { cacheShared } from '../../../gateway/stages/cache-shared.ts';
import { coalesce } from '../../../gateway/stages/coalesce.ts';
import { share } from '../../../gateway/stages/share.ts';
import { newAsked } from './asked.ts';
import type { LeaseBoard } from './lease-board.ts';
import { ScriptedWork, type WorkScript } from './scripted-work.ts';

/** What one request came to. */
export interface Got {
  readonly status: number;
  readonly text: string;
  /** As clients are told it, without the gateway's name. */
  readonly cache: string;
  readonly error: ErrorCode | null;
  readonly tookMs: number;
  header(name: string): string | null;
}

/** What gateways have in common. */
export interface Common {
  readonly clock: VirtualClock;
  readonly board: LeaseBoard;
  readonly far: CacheStore;
}

interface Options {
  readonly script?: (n: number) => WorkScript;
  readonly rules?: Partial<RouteSharing>;
  readonly maxEntryBytes?: number;
  readonly roomBytes?: number;
  /** Null for a gateway by itself. */
  readonly common?: Common | null;
}

interface Question {
  /** Tells questions apart. */
  readonly x?: number;
  readonly id?: string;
  readonly headers?: Headers;
  readonly deadlineMs?: number;
}

const rules: RouteSharing = {
  freshness: { freshMs: 1_000, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 },
  isCoalescing: true,
  isForEveryone: false,
  revision: '1',
  isForSampled: false,
  headers: ['accept', 'accept-language'],
};

/** The stages that share and keep answers, in their order, above work that follows scripts, on the virtual clock. */
export class SharingPath {
  readonly clock: VirtualClock;
  readonly room: BufferRoom;
  readonly work: ScriptedWork;
  readonly memory: MemoryStore;
  readonly flights: Flights;
  readonly purges = { count: 0 };
  readonly #wheel: TimerWheel;
  readonly #rules: RouteSharing;
  readonly #serve: Serve;

  constructor({ script = answering, common = null, ...options }: Options = {}) {
    const { maxEntryBytes = 1000, roomBytes = 1 << 20 } = options;
    const clock = common?.clock ?? new VirtualClock();
    this.clock = clock;
    this.#wheel = new TimerWheel(clock);
    this.#rules = { ...rules, ...options.rules };
    const room = new BufferRoom(roomBytes);
    this.room = room;
    this.work = new ScriptedWork(clock, script);
    this.memory = new MemoryStore({ maxBytes: 1 << 16, clock });
    const render = (reply: Reply, exchange: Exchange): Reply => exchange.protocol.render(reply, exchange);
    this.flights = new Flights({ clock, room, render, maxBytes: maxEntryBytes });
    const { memory, flights, purges } = this;
    const store = common === null ? memory : new TwoLevelStore({ near: memory, far: common.far, clock });
    const leases = common?.board.newView() ?? null;
    const sharedFlights = leases === null ? null : new SharedFlights({ leases, store, clock, rng: seededRng(1) });
    const storeName = common === null ? 'memory' : 'redis';
    const parts = { memory, flights, store, storeName, sharedFlights, maxEntryBytes, room, purges, clock } as const;
    const shares = this.#rules.isCoalescing ? [coalesce(flights)] : [];
    this.#serve = compose([share(), cache(parts), ...shares, cacheShared(parts)], this.work.serve);
  }

  /** Sends one question, and resolves with what became of it; time must be let pass. */
  async ask({ x = 1, id, headers = {}, deadlineMs }: Question = {}): Promise<Got> {
    const { clock } = this;
    const body = JSON.stringify({ id, inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [x] }] });
    const exchange = newAsked({ clock, wheel: this.#wheel, body, headers });
    const { choice } = exchange;
    exchange.choice = { ...choice, route: { ...choice.route, sharing: this.#rules } };
    if (deadlineMs !== undefined) exchange.cutTo(clock.nowMs() + deadlineMs);
    const startedAtMs = clock.nowMs();
    const told = () => cacheStatus(exchange.journal.cache ?? { kind: 'forwarded', why: 'bypass' }, clock.wallMs());
    try {
      const reply = await this.#serve(exchange);
      const text = await textOf(reply);
      const cache = told().replace('headgate; ', '');
      const header = (name: string): string | null => headerInList(reply.headers, name);
      return { status: reply.status, text, cache, error: null, tookMs: clock.nowMs() - startedAtMs, header };
    } catch (thrown) {
      const { status, code } = asGatewayError(thrown);
      const cache = told().replace('headgate; ', '');
      return { status, text: '', cache, error: code, tookMs: clock.nowMs() - startedAtMs, header: () => null };
    } finally {
      exchange.meetDeadline();
    }
  }

  /** Sends questions together and lets time pass until all are answered. */
  askAll(questions: readonly Question[]): Promise<Got[]> {
    return this.clock.runThrough(Promise.all(questions.map((question) => this.ask(question))));
  }

  /** The same of one. */
  async got(question: Question = {}): Promise<Got> {
    const [got] = await this.askAll([question]);
    if (got === undefined) throw new Error('one was asked');
    return got;
  }

  async pass(byMs: number): Promise<void> {
    await this.clock.runUntil(this.clock.nowMs() + byMs);
  }
}

/** Work that answers after 10 ms with which one it is. */
export function answering(n: number): WorkScript {
  return { headAfterMs: 10, pieces: [{ afterMs: 0, bytes: Buffer.from(`{"n":${n}}`) }] };
}

/** A store that all gateways reach, in which nothing takes time. */
export function newFarStore(): CacheStore {
  const entries = new Map<string, CacheEntry>();
  return {
    get: async (key) => entries.get(key) ?? null,
    put: async (key, entry) => {
      entries.set(key, entry);
    },
    purge: () => {
      entries.clear();
      return 0;
    },
    close: () => {},
  };
}

function textOf(reply: Reply): Promise<string> {
  const pieces: Uint8Array[] = [];
  return new Promise((resolve, reject) => {
    reply.body.pump({
      chunk: (bytes) => pieces.push(bytes) > 0,
      onDrain: () => {},
      end: (how, why) =>
        how === 'complete' ? resolve(Buffer.concat(pieces).toString()) : reject(why ?? new Error(how)),
    });
  });
}
