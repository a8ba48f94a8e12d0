import type { Backend } from '../balance/backend.ts';
import type { Lease } from '../balance/lease.ts';
import type { Rng } from '../kernel/rng.ts';
import type { BufferRoom } from '../pipeline/buffer-room.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Body } from '../pipeline/reply.ts';
import type { Stage } from '../pipeline/stage.ts';
import { upstreamModelOf } from '../routing/route-table.ts';
import { FailedTry } from './failed-try.ts';
import { type TryParts, tryOnce } from './try-once.ts';

/** Copies that may be under way at once, over all routes and configurations: each holds its request until it has been answered. */
const mostUnderWay = 64;

/** Where copies are held: within the room that all requests have, and not too many. */
export class Copies {
  readonly #room: BufferRoom;
  #underWay = 0;

  constructor(room: BufferRoom) {
    this.#room = room;
  }

  /** Whether there was room for one of so many bytes, which must be ended. */
  begin(sizeBytes: number): boolean {
    if (this.#underWay === mostUnderWay || !this.#room.take(sizeBytes)) return false;
    this.#underWay += 1;
    return true;
  }

  end(sizeBytes: number): void {
    this.#underWay -= 1;
    this.#room.giveBack(sizeBytes);
  }
}

/** What copies need besides what all tries do. */
export interface MirrorParts extends TryParts {
  readonly copies: Copies;
}

/** Sends copies of some requests to another backend, to see how it fares with real traffic. No client waits for one, and none is kept from anything by one: what has no replica at once is left out. */
export function mirror(rng: Rng, parts: MirrorParts): Stage {
  const { copies } = parts;
  return {
    name: 'mirror',
    wrap(next) {
      const copy = async (exchange: Exchange, lease: Lease): Promise<void> => {
        const { payload } = exchange.ask;
        exchange.generation.enter();
        try {
          const { cancellation } = exchange;
          const ended = await tryOnce({ exchange, lease, kind: 'mirror', cancellation }, parts);
          if (ended instanceof FailedTry) ended.drop();
          else await readThrough(ended.body);
        } catch {
          // What became of it is in the metrics, and nowhere else.
        } finally {
          copies.end(payload.length);
          exchange.generation.leave();
        }
      };
      const begin = (exchange: Exchange, backend: Backend): void => {
        const { payload, model } = exchange.ask;
        if (!copies.begin(payload.length)) return;
        const upstreamModel = upstreamModelOf(backend, model);
        const own = exchange.detached({ route: exchange.choice.route, backend, upstreamModel });
        const lease = backend.dispatcher.tryTake(own);
        if (lease === null) copies.end(payload.length);
        else void copy(own, lease);
      };
      return (exchange) => {
        const { mirror: mirrored } = exchange.choice.route;
        if (mirrored !== null && rng.next() < mirrored.share) begin(exchange, mirrored.backend);
        return next(exchange);
      };
    },
  };
}

function readThrough(body: Body): Promise<void> {
  return new Promise((resolve) => {
    body.pump({ chunk: () => true, onDrain: (call) => call(), end: () => resolve() });
  });
}
