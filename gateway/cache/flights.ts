import type { Clock } from '../kernel/clock.ts';
import type { GatewayError } from '../kernel/errors.ts';
import type { BufferRoom } from '../pipeline/buffer-room.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { Sharing } from '../pipeline/sharing.ts';
import type { Serve } from '../pipeline/stage.ts';
import { Flight } from './flight.ts';
import type { FlightMember } from './flight-member.ts';
import type { FlightCounts, FlightParts, Render } from './flight-parts.ts';
import { type CacheKey, isAmong, type Keys } from './key.ts';

interface Options {
  readonly clock: Clock;
  /** Where what is kept of answers is held, beside the requests. */
  readonly room: BufferRoom;
  readonly render: Render;
  /** Kept of one answer, for those who come late or read slowly; 1 MiB unless said otherwise. */
  readonly maxBytes?: number;
  /** Of one flight; 10,000 unless said otherwise. */
  readonly maxMembers?: number;
}

/** For so long nobody waits for an answer that proved to be for one alone, or too large: all compute their own beside each other, as behind Varnish's hit-for-miss. */
const markedMs = 10_000;
const mostMarks = 10_000;

/** A key is computed anew for nobody at most so often. */
const refreshEveryMs = 1_000;

/** The computations of a process that several may wait for: one of each key at a time. */
export class Flights {
  readonly counts: Readonly<FlightCounts>;
  readonly #clock: Clock;
  readonly #maxMembers: number;
  readonly #parts: FlightParts;
  /**
   * No `Map`: of one in which every request adds an entry and takes it away again, V8 leaves a chain of outgrown tables that keeps all
   * they ever held until the next full collection. Measured: 9 us a request where this takes 3.
   */
  readonly #byKey: Record<CacheKey, Flight> = Object.create(null);
  /** Those begun for nobody, whom no client's leaving ends. */
  readonly #refreshing = new Set<Flight>();
  /** When each key was last computed for nobody, the oldest first. */
  readonly #refreshedAtMs = new Map<CacheKey, number>();
  /** Until when each key is marked, the oldest first. */
  readonly #marks = new Map<CacheKey, number>();

  constructor({ clock, room, render, maxBytes = 1 << 20, maxMembers = 10_000 }: Options) {
    this.#clock = clock;
    this.#maxMembers = maxMembers;
    const counts = { underWay: 0, members: 0, followers: 0 };
    this.counts = counts;
    this.#parts = {
      clock,
      room,
      render,
      maxBytes,
      counts,
      onClosed: (flight) => this.#close(flight),
      onUnshareable: (flight) => {
        this.#close(flight);
        this.#mark(flight.key);
      },
      onDied: (flight, heirs) => this.#goOn(flight, heirs),
      onComputed: (flight) => this.#refreshing.delete(flight),
    };
  }

  /** The answer of the flight that is under way for a key, or of one that is begun now; null where the exchange had better go on by itself. */
  join(exchange: Exchange, { key, wish }: Sharing, next: Serve): Promise<Reply> | null {
    exchange.cancellation.throwIfCancelled();
    if (this.#isMarked(key)) return null;
    const found = wish === 'new' ? null : this.#underWay(key);
    if (found === null) return this.#begin(key).lead(exchange, next);
    if (found.memberCount >= this.#maxMembers) return null;
    this.#parts.counts.followers += 1;
    return found.join(exchange, next);
  }

  /** Has an answer computed anew that nobody waits for, within the backend's own time limits. Does nothing while one is under way, nor where there is no room to hold the request. */
  refresh(exchange: Exchange, { key }: Sharing, next: Serve): void {
    const { room } = this.#parts;
    if (this.#isMarked(key) || this.#underWay(key) !== null || room.heldBytes >= room.mostBytes) return;
    if (!this.#mayRefresh(key)) return;
    const flight = this.#begin(key);
    this.#refreshing.add(flight);
    flight.leadForNobody(exchange, next);
  }

  /** Nobody joins what is under way for these keys any more; who has joined gets it. */
  purge(keys: Keys): void {
    for (const key of Object.keys(this.#byKey)) if (isAmong(key, keys)) delete this.#byKey[key];
  }

  /** Ends what no client waits for; all else ends with its clients. */
  cut(error: GatewayError): void {
    for (const flight of this.#refreshing) flight.cut(error);
  }

  /** What could not be had, or not be kept, is not asked for again at once. */
  #mayRefresh(key: CacheKey): boolean {
    const nowMs = this.#clock.nowMs();
    if (nowMs - (this.#refreshedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < refreshEveryMs) return false;
    this.#refreshedAtMs.delete(key);
    this.#refreshedAtMs.set(key, nowMs);
    if (this.#refreshedAtMs.size > mostMarks) dropOldest(this.#refreshedAtMs);
    return true;
  }

  #underWay(key: CacheKey): Flight | null {
    return this.#byKey[key] ?? null;
  }

  /** In the place of the one that is under way, if any: that goes on for those who are in it. */
  #begin(key: CacheKey, attempt = 1): Flight {
    const flight = new Flight(key, attempt, this.#parts);
    this.#byKey[key] = flight;
    return flight;
  }

  /** The first begins another one for all, unless there is one already. */
  #goOn(died: Flight, heirs: readonly FlightMember[]): void {
    this.#close(died);
    let flight = this.#underWay(died.key);
    for (const heir of heirs) {
      const { exchange, next } = heir;
      if (flight !== null) heir.answer(flight.join(exchange, next));
      else {
        flight = this.#begin(died.key, died.attempt + 1);
        heir.answer(flight.lead(exchange, next));
      }
    }
  }

  #close(flight: Flight): void {
    if (this.#byKey[flight.key] === flight) delete this.#byKey[flight.key];
  }

  #mark(key: CacheKey): void {
    this.#marks.delete(key);
    this.#marks.set(key, this.#clock.nowMs() + markedMs);
    if (this.#marks.size > mostMarks) dropOldest(this.#marks);
  }

  #isMarked(key: CacheKey): boolean {
    const untilMs = this.#marks.get(key);
    if (untilMs === undefined) return false;
    if (this.#clock.nowMs() < untilMs) return true;
    this.#marks.delete(key);
    return false;
  }
}

function dropOldest(map: Map<CacheKey, number>): void {
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
