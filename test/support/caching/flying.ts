import type { Render } from '../../../gateway/cache/flight-parts.ts';
import { Flights } from '../../../gateway/cache/flights.ts';
import { asGatewayError, GatewayError } from '../../../gateway/kernel/errors.ts';
import { TimerWheel } from '../../../gateway/kernel/timer-wheel.ts';
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts';
import { BufferRoom } from '../../../gateway/pipeline/buffer-room.ts';
import type { Exchange } from '../../../gateway/pipeline/exchange.ts';
import type { HeaderList } from '../../../gateway/pipeline/headers.ts';
import type { BodyEnd, Reply } from '../../../gateway/pipeline/reply.ts';
import type { Sharing } from '../../../gateway/pipeline/sharing.ts';
import type { Serve } from '../../../gateway/pipeline/stage.ts';
import { coalesce } from '../../../gateway/stages/coalesce.ts';
import { newGeneration } from '../exchanges.ts';
import { newAsked } from './asked.ts';
import { ScriptedWork, type WorkScript } from './scripted-work.ts';

/** What one caller does. */
export interface Caller {
  readonly key?: string;
  readonly wish?: Sharing['wish'];
  readonly deadlineMs?: number;
  /** Goes away after this long. */
  readonly leavesAfterMs?: number;
  /** Takes this long for each piece; Infinity for one who takes one and no more. */
  readonly readMs?: number;
  readonly body?: string;
  /** Called when its answer has ended. */
  readonly onEnd?: () => void;
  /** Gives its answer up at the head, without reading it. */
  readonly discards?: boolean;
}

/** What became of it. */
export interface Called {
  readonly exchange: Exchange;
  readonly caller: Caller;
  readonly calledAtMs: number;
  status: number | null;
  headers: HeaderList;
  source: string | null;
  readonly pieces: Uint8Array[];
  /** More than one would be a fault. */
  readonly ends: (BodyEnd | 'refused' | 'discarded')[];
  error: GatewayError | null;
  endedAtMs: number | null;
}

/** The text that a caller has got. */
export function textOf({ pieces }: Called): string {
  return Buffer.concat(pieces).toString();
}

interface Options {
  readonly script?: (n: number) => WorkScript;
  readonly maxBytes?: number;
  readonly maxMembers?: number;
  readonly roomBytes?: number;
  /** Marks what was made another's unless said otherwise. */
  readonly render?: Render;
  /** Stages above the one that has callers share, and below it. */
  readonly around?: { above(next: Serve): Serve; below(next: Serve): Serve };
}

/** Callers, the stage that has them share, and work that follows scripts, on the virtual clock. */
export class Flying {
  readonly clock = new VirtualClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly room: BufferRoom;
  readonly generation = newGeneration();
  readonly work: ScriptedWork;
  readonly flights: Flights;
  readonly called: Called[] = [];
  readonly #serve: Serve;

  constructor({ script = () => ({ headAfterMs: 10 }), roomBytes = 1 << 24, around, ...more }: Options = {}) {
    this.room = new BufferRoom(roomBytes);
    this.work = new ScriptedWork(this.clock, script);
    this.flights = new Flights({ clock: this.clock, room: this.room, render: markRendered, ...more });
    const { above, below } = around ?? { above: (next) => next, below: (next) => next };
    this.#serve = above(coalesce(this.flights).wrap(below(this.work.serve)));
  }

  /** One who asks now. */
  open({ key = 'k', wish = 'any', deadlineMs, body = '{}' }: Caller = {}): Exchange {
    const { clock, wheel, generation } = this;
    const exchange = newAsked({ clock, wheel, generation, body });
    exchange.sharing = { key, wish };
    if (deadlineMs !== undefined) exchange.cutTo(clock.nowMs() + deadlineMs);
    return exchange;
  }

  call(caller: Caller = {}): Called {
    const exchange = this.open(caller);
    const { clock } = this;
    const called: Called = {
      exchange,
      caller,
      calledAtMs: clock.nowMs(),
      status: null,
      headers: [],
      source: null,
      pieces: [],
      ends: [],
      error: null,
      endedAtMs: null,
    };
    this.called.push(called);
    if (caller.leavesAfterMs !== undefined)
      clock.after(caller.leavesAfterMs, () => exchange.cancellation.cancel(new GatewayError('client_left', 'left')));
    this.#take(called).catch((thrown) => this.#end(called, 'refused', asGatewayError(thrown)));
    return called;
  }

  /** Asks for a new answer that nobody waits for. */
  refresh(key = 'k'): void {
    const exchange = this.open({ key });
    this.flights.refresh(exchange, { key, wish: 'any' }, this.#serve);
  }

  /** What is still held when nothing should be: empty when all is well. */
  leftovers(): string[] {
    const { underWay, members } = this.flights.counts;
    const found = {
      'computations count': underWay,
      'members count': members,
      'computations run': this.work.underWay.length,
      'bytes are held': this.room.heldBytes,
      'exchanges are in the generation': this.generation.underWay,
      'alarms are armed': this.wheel.armedCount,
    };
    return Object.entries(found).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]));
  }

  async #take(called: Called): Promise<void> {
    const { exchange, caller } = called;
    const reply = await this.#serve(exchange);
    called.status = reply.status;
    called.headers = reply.headers;
    called.source = reply.source;
    if (caller.discards) {
      reply.body.discard();
      this.#end(called, 'discarded', null);
      return;
    }
    reply.body.pump({
      chunk(bytes) {
        called.pieces.push(bytes);
        return caller.readMs === undefined;
      },
      onDrain: (go) => {
        if (caller.readMs !== Number.POSITIVE_INFINITY) this.clock.after(caller.readMs ?? 0, go);
      },
      end: (how, why) => this.#end(called, how, why ?? null),
    });
  }

  #end(called: Called, how: Called['ends'][number], error: GatewayError | null): void {
    called.exchange.meetDeadline();
    called.ends.push(how);
    called.error = error;
    called.endedAtMs = this.clock.nowMs();
    called.caller.onEnd?.();
  }
}

function markRendered(reply: Reply): Reply {
  return { ...reply, headers: [...reply.headers, 'x-rendered', 'yes'] };
}
