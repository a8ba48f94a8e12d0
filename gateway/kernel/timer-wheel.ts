import type { Clock, Timer } from './clock.ts';

const slotCount = 512;

/** A circular list: alone it points at itself. The wheel's slots are bare links, its alarms are links that ring. */
class Link {
  next: Link = this;
  previous: Link = this;
}

/**
 * Deadlines and timeouts by the ten thousand (the hashed wheel of Varghese and Lauck, 1987). Arming, pushing back and disarming are a
 * few assignments; one clock timer turns the wheel while anything is armed. An alarm rings up to one tick late and never early.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #slots: Link[] = Array.from({ length: slotCount }, () => new Link());
  readonly #turn = (): void => this.#advance();
  #armedCount = 0;
  #visitedTick = 0;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(clock: Clock, tickMs = 10) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  /** Calls `ring` once when `dueAtMs` (of the clock's `nowMs`) has passed. */
  arm(dueAtMs: number, ring: () => void): Alarm {
    if (this.#timer === null && !this.#isClosed) {
      const nowMs = this.#clock.nowMs();
      this.#visitedTick = Math.floor(nowMs / this.#tickMs);
      this.#turnAfter(nowMs);
    }
    const alarm = new Alarm(this, dueAtMs, ring);
    this.place(alarm);
    this.#armedCount += 1;
    return alarm;
  }

  /** Alarms that have neither rung nor been disarmed. */
  get armedCount(): number {
    return this.#armedCount;
  }

  /** Stops turning; what is still armed never rings, nor what is armed later. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** For `Alarm` only: puts it where its due time belongs. */
  place(alarm: Alarm): void {
    const tick = Math.max(Math.ceil(alarm.dueAtMs / this.#tickMs), this.#visitedTick + 1);
    alarm.placedAtMs = tick * this.#tickMs;
    insertBefore(this.#slots[tick % slotCount] ?? alarm, alarm);
  }

  /** For `Alarm` only: it has rung or been disarmed. */
  forget(): void {
    this.#armedCount -= 1;
  }

  #advance(): void {
    const nowMs = this.#clock.nowMs();
    const nowTick = Math.floor(nowMs / this.#tickMs);
    // A process that slept longer than one round visits each slot once.
    const firstTick = Math.max(this.#visitedTick + 1, nowTick - slotCount + 1);
    for (let tick = firstTick; tick <= nowTick && !this.#isClosed; tick++) {
      this.#visitedTick = tick;
      this.#visit(tick, nowMs);
    }
    this.#timer = null;
    if (this.#armedCount > 0 && !this.#isClosed) this.#turnAfter(nowMs);
  }

  /** At the next whole tick of the clock: on a wheel that turned in mid-tick, alarms would wait for two. */
  #turnAfter(nowMs: number): void {
    const nextTick = Math.floor(nowMs / this.#tickMs) + 1;
    this.#timer = this.#clock.after(nextTick * this.#tickMs - nowMs, this.#turn);
  }

  /** Rings what is due in one slot; what was pushed back, or is due in a later round, is placed anew. */
  #visit(tick: number, nowMs: number): void {
    const slot = this.#slots[tick % slotCount];
    if (slot === undefined || slot.next === slot) return;
    const visited = new Link();
    insertBefore(slot, visited);
    unlink(slot);
    for (let alarm = visited.next; alarm instanceof Alarm && !this.#isClosed; alarm = visited.next) {
      if (alarm.dueAtMs <= nowMs) alarm.fire();
      else {
        unlink(alarm);
        this.place(alarm);
      }
    }
  }
}

/** One armed call. Pushing it back, the common case of an idle timeout, is an assignment: the wheel notices when it comes by. */
export class Alarm extends Link {
  /** For the wheel only. */
  placedAtMs = 0;
  dueAtMs: number;
  readonly #wheel: TimerWheel;
  #ring: (() => void) | null;

  constructor(wheel: TimerWheel, dueAtMs: number, ring: () => void) {
    super();
    this.#wheel = wheel;
    this.dueAtMs = dueAtMs;
    this.#ring = ring;
  }

  /** Changes when it rings; an alarm that has rung or been disarmed stays silent. */
  moveTo(dueAtMs: number): void {
    this.dueAtMs = dueAtMs;
    if (this.#ring === null || dueAtMs > this.placedAtMs) return;
    unlink(this);
    this.#wheel.place(this);
  }

  /** It will not ring; doing so twice, or after it rang, changes nothing. */
  disarm(): void {
    if (this.#ring === null) return;
    this.#ring = null;
    unlink(this);
    this.#wheel.forget();
  }

  /** For the wheel only. */
  fire(): void {
    const ring = this.#ring;
    this.disarm();
    ring?.();
  }
}

function insertBefore(place: Link, link: Link): void {
  link.next = place;
  link.previous = place.previous;
  place.previous.next = link;
  place.previous = link;
}

function unlink(link: Link): void {
  link.previous.next = link.next;
  link.next.previous = link.previous;
  link.next = link;
  link.previous = link;
}
