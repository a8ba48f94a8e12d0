import type { Clock } from '../../gateway/kernel/clock.ts';
import type { Failure, Sender, Sending, SendingEvents } from '../../loadtest/drive/sender.ts';

/** One request that was handed over. */
export interface Sent extends Sending {
  readonly nth: number;
  readonly atMs: number;
  readonly request: string;
  readonly events: SendingEvents;
  hasLeft: boolean;
  isPaused: boolean;
}

/** What becomes of a request: called at once, it arranges for the rest by the clock. */
export type Fate = (sent: Sent, clock: Clock) => void;

/** Takes requests where sockets would, and does with each what a test says. */
export class ScriptedSender implements Sender {
  readonly all: Sent[] = [];
  isConnected = true;
  readonly #clock: Clock;
  readonly #fate: Fate;

  constructor(clock: Clock, fate: Fate) {
    this.#clock = clock;
    this.#fate = fate;
  }

  send(request: Buffer, events: SendingEvents): Sending {
    const { isConnected } = this;
    const sent: Sent = {
      nth: this.all.length,
      atMs: this.#clock.nowMs(),
      request: request.toString(),
      events,
      isConnected,
      hasLeft: false,
      isPaused: false,
      leave() {
        sent.hasLeft = true;
      },
      pause() {
        sent.isPaused = true;
      },
      resume() {
        sent.isPaused = false;
      },
    };
    this.all.push(sent);
    events.sent();
    this.#fate(sent, this.#clock);
    return sent;
  }

  close(): void {}
}

/** A whole answer after a while. */
export function answering(afterMs: number, status = 200, headers: Readonly<Record<string, string>> = {}): Fate {
  return (sent, clock) =>
    void clock.after(afterMs, () => {
      if (sent.hasLeft) return;
      sent.events.head({ status, headers: new Map(Object.entries(headers)) });
      tell(sent, '{}');
      sent.events.end();
    });
}

/** Pieces of a body, each at its time after the sending; the head comes with the first. */
export function streaming(pieces: readonly (readonly [afterMs: number, text: string])[], ends = true): Fate {
  return (sent, clock) => {
    for (const [at, [afterMs, text]] of pieces.entries())
      clock.after(afterMs, () => {
        if (sent.hasLeft) return;
        if (at === 0) sent.events.head({ status: 200, headers: new Map() });
        tell(sent, text);
        if (ends && at === pieces.length - 1) sent.events.end();
      });
  };
}

/** No answer, after a while. */
export function failing(afterMs: number, why: Failure): Fate {
  return (sent, clock) => void clock.after(afterMs, () => sent.events.failed(why));
}

function tell(sent: Sent, text: string): void {
  const bytes = Buffer.from(text);
  sent.events.body(bytes, 0, bytes.length);
}
