import type { Clock } from '../kernel/clock.ts';

/** What operators are told of as it happens. */
export type EventKind = 'decision' | 'replica';

/** One of them, as it goes out. */
export interface TellableEvent {
  /** Tells it from all others, those of earlier processes included. */
  readonly id: string;
  readonly kind: EventKind;
  /** JSON. */
  readonly data: string;
}

/** What has been told stays for those who lost their connection: some minutes of it. */
const keptChars = 524_288;

/** Somebody who lost its connection is expected back for so long. */
const awayMs = 60_000;

/** What has happened of late, and whoever is told of what happens. */
export class EventLog {
  readonly #clock: Clock;
  readonly #readers = new Set<(event: TellableEvent) => void>();
  readonly #process: string;
  readonly #kept: TellableEvent[] = [];
  #keptChars = 0;
  #count = 0;
  #heardAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#process = Math.floor(clock.wallMs()).toString(36);
  }

  /** Whether somebody listens, or may soon be back: what happens often need not be told else. */
  isHeard(nowMs: number): boolean {
    return this.#readers.size > 0 || nowMs - this.#heardAtMs < awayMs;
  }

  /** Tells of something, with the time it is. */
  tell(kind: EventKind, facts: object): void {
    const at = new Date(this.#clock.wallMs()).toISOString();
    this.#count += 1;
    const event = { id: `${this.#process}-${this.#count}`, kind, data: JSON.stringify({ at, ...facts }) };
    this.#keep(event);
    for (const reader of this.#readers) reader(event);
  }

  /** Tells somebody of all that happens from now on, and before of what it has missed since `lastId`: where that is not known any more, of all there is. Gives what ends it. */
  follow(lastId: string | null, reader: (event: TellableEvent) => void): () => void {
    const missed = lastId === null ? [] : this.#kept.slice(this.#kept.findIndex(({ id }) => id === lastId) + 1);
    for (const event of missed) reader(event);
    this.#readers.add(reader);
    return () => {
      this.#readers.delete(reader);
      this.#heardAtMs = this.#clock.nowMs();
    };
  }

  #keep(event: TellableEvent): void {
    this.#kept.push(event);
    this.#keptChars += event.data.length;
    while (this.#keptChars > keptChars) this.#keptChars -= this.#kept.shift()?.data.length ?? 0;
  }
}
