import { seededRng } from '../../gateway/kernel/rng.ts';

/** A seed for each thing that is left to chance, so that changing one thing leaves the draws of all others as they were. To each a small number may be added. */
export interface Seeds {
  readonly arrivals: number;
  readonly clients: number;
  /** Which payload a request has. */
  readonly choices: number;
  readonly lengths: number;
  readonly contents: number;
  /** What payloads share: prefixes, and the blocks of traces. */
  readonly blocks: number;
  /** The chance of simulated servers, two numbers for each. */
  readonly servers: number;
  /** That of a simulated gateway. */
  readonly gateway: number;
}

/** The seeds that follow from the one of a scenario. A new one is drawn last, or old scenarios would change. */
export function seedsOf(seed: number): Seeds {
  const rng = seededRng(seed);
  const draw = (): number => rng.below(2 ** 20) * 2 ** 32 + rng.below(2 ** 32);
  return {
    arrivals: draw(),
    clients: draw(),
    choices: draw(),
    lengths: draw(),
    contents: draw(),
    blocks: draw(),
    servers: draw(),
    gateway: draw(),
  };
}
