import type { Rng } from '../../gateway/kernel/rng.ts';
import { lognormal } from '../../loadtest/model-server/draws.ts';
import { pause, type Scope } from './gateway-process.ts';
import { type Arrival, answer, okAnswer, RawBackend } from './raw-backend.ts';

interface Options {
  readonly slots: number;
  readonly meanMs: number;
  readonly rng: Rng;
  /** Drawn for each request: the status line it fails with, after a millisecond; 'hang' for no answer; null for being served. */
  fate(): string | null;
}

/** A replica over real sockets that works on some requests at once, each for a log-normal time, and fails at those its fate says. */
export async function slottedBackend(scope: Scope, { slots, meanMs, rng, fate }: Options): Promise<RawBackend> {
  const waiting: Arrival[] = [];
  let free = slots;
  const serve = async ({ socket }: Arrival): Promise<void> => {
    await pause(meanMs * lognormal(rng, 0.5));
    if (!socket.destroyed) socket.write(okAnswer('{}'));
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else void serve(next);
  };
  return RawBackend.start(scope, (arrival) => {
    const fails = fate();
    if (fails === 'hang') return;
    if (fails !== null) void pause(1).then(() => arrival.socket.destroyed || arrival.socket.write(answer(fails, '{}')));
    else if (free === 0) waiting.push(arrival);
    else {
      free -= 1;
      void serve(arrival);
    }
  });
}
