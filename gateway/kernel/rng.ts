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

/** Drawn once a process, so that no two gateways share it: 58 bits of chance, and what marks a UUID of version 8. */
const processPart = randomUUID()
  .slice(0, 24)
  .replace(/^(.{14})4/, '$18');
let requestCount = 0;

/** A fresh identifier for a request: the process's part and a number (a UUID of version 8, RFC 9562 section 5.8), at a tenth of what drawing costs. */
export function newRequestId(): string {
  requestCount += 1;
  return processPart + requestCount.toString(16).padStart(12, '0');
}
