import { randomFillSync, randomUUID } from 'node:crypto';

/** Where chance comes from. Every draw in the request path takes one, so that a simulation repeats on its seed. */
export interface Rng {
  /** A number in [0, 1). */
  next(): number;
  /** A whole number in [0, `count`); `count` is at least 1. */
  below(count: number): number;
}

/** A generator that gives the same numbers for the same seed (sfc32, public domain, 128 bits of state). */
export function seededRng(seed: number): Rng {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x243f6a88;
  let c = Math.trunc(seed / 0x1_0000_0000) | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 0x1_0000_0000;
  };
  // The first outputs still resemble the seed; neighbouring seeds part within a dozen rounds.
  for (let round = 0; round < 16; round++) next();
  return { next, below: (count) => Math.floor(next() * count) };
}

/** A generator that nobody can repeat, seeded by the operating system: what the gateway runs on. */
export function systemRng(): Rng {
  const seed = randomFillSync(new Uint32Array(2));
  return seededRng((seed[0] ?? 0) + (seed[1] ?? 0) * 0x1_0000_0000);
}

/** A fresh identifier for a request (UUID version 4). Not from an `Rng`: two gateways must never draw the same. */
export function newRequestId(): string {
  return randomUUID();
}
