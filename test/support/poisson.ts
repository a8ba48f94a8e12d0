import type { Rng } from '../../gateway/kernel/rng.ts';
import { exponential } from '../../loadtest/model-server/draws.ts';
import type { Answer, Call, Simulation } from './simulation.ts';

interface Options {
  readonly ratePerSecond: number;
  readonly forMs: number;
  readonly rng: Rng;
  /** What each asks; made anew for each where it differs. */
  readonly call?: Call | (() => Call);
}

/** Requests that come by chance, so many a second on average from now on, whether or not the ones before have been answered. Resolves with what each came to. */
export async function arriveByChance(simulation: Simulation, options: Options): Promise<Answer[]> {
  const { ratePerSecond, forMs, rng, call } = options;
  const { clock } = simulation;
  const answers: Promise<Answer>[] = [];
  const untilMs = clock.nowMs() + forMs;
  await new Promise<void>((resolve) => {
    const next = (): void => {
      const gapMs = (exponential(rng) * 1000) / ratePerSecond;
      if (clock.nowMs() + gapMs >= untilMs) resolve();
      else
        clock.after(gapMs, () => {
          answers.push(simulation.call(typeof call === 'function' ? call() : call));
          next();
        });
    };
    next();
  });
  return Promise.all(answers);
}

/** Whether a client got less than it asked for. */
export function isError({ status, end }: Answer): boolean {
  return status >= 400 || end !== 'complete';
}
