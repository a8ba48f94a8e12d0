import type { GatewayError } from '../kernel/errors.ts';
import type { BufferRoom } from '../pipeline/buffer-room.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { Serve } from '../pipeline/stage.ts';
import { begin } from './flight-member.ts';

const nothing = new Uint8Array(0);

/** One computation, in an exchange of its own that outlives the one it was begun for. */
export class FlightWork {
  readonly exchange: Exchange;
  readonly #room: BufferRoom;
  /** The deadline it was begun with, of the clock's `nowMs`. */
  readonly begunUntilMs: number;
  #heldBytes = 0;
  #isUnderWay = true;

  /** Has until `deadlineMs` at first. */
  constructor(from: Exchange, deadlineMs: number, room: BufferRoom) {
    this.exchange = from.detached(from.choice, deadlineMs);
    this.#room = room;
    this.begunUntilMs = deadlineMs;
    this.exchange.generation.enter();
  }

  /** Until its body has ended, or it has failed. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  get isCancelled(): boolean {
    return this.exchange.cancellation.reason !== null;
  }

  run(next: Serve): Promise<Reply> {
    return begin(next, this.exchange);
  }

  /** The time it was begun with is over: upstream, nobody may have known of more. */
  isCutShort(nowMs: number): boolean {
    return nowMs >= this.begunUntilMs;
  }

  cancel(reason: GatewayError): void {
    this.exchange.cancellation.cancel(reason);
  }

  /** Nobody waits for it. Accounts for its request, too. */
  beRefresh(): void {
    const { sharing } = this.exchange;
    if (sharing !== null) this.exchange.sharing = { ...sharing, isRefresh: true };
    this.holdRequest();
  }

  /** Accounts for its request: who did until now is about to be gone. */
  holdRequest(): void {
    this.#heldBytes = requestBytesOf(this.exchange);
    this.#room.hold(this.#heldBytes);
  }

  /** At the head of the answer nobody will send the request again. */
  forgetRequest(): void {
    const { ask } = this.exchange;
    ask.payload = ask.content = nothing;
    this.#room.giveBack(this.#heldBytes);
    this.#heldBytes = 0;
  }

  /** It has ended; to be called once. */
  end(): void {
    this.#isUnderWay = false;
    this.exchange.generation.leave();
  }
}

/** What the body of a request takes, as sent and without its content encoding. */
function requestBytesOf({ ask: { payload, content } }: Exchange): number {
  return payload.length + (content === payload ? 0 : content.length);
}
