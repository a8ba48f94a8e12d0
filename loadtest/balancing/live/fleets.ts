import type { LiveServer } from './proxies.ts';

/** In no order that a gateway could profit from. */
const fleets = {
  speeds: [
    [1, 40],
    [1, 20],
    [1, 80],
    [1, 20],
    [1, 80],
    [1, 40],
  ],
  slots: [
    [2, 40],
    [4, 40],
    [1, 40],
    [4, 40],
    [1, 40],
    [2, 40],
  ],
} as const;

/** A fleet that is tried over sockets: six servers of one slot and three speeds, or of one speed and one to four slots. */
export type FleetName = keyof typeof fleets;

/** The names of all. */
export const fleetNames = Object.keys(fleets) as readonly FleetName[];

/** Where its servers listen, one port after another, and what they are like. */
export function serversOf(name: FleetName, firstPort: number): LiveServer[] {
  return fleets[name].map(([slots, meanMs], at) => ({ port: firstPort + at, slots, meanMs }));
}

/** As a profile of `headgate simulate-model`. */
export function profileOf({ slots, meanMs }: LiveServer): string {
  return `kind: tensor\nslots: ${slots}\nservice: { time: lognormal, mean: ${meanMs}ms, variation: 1 }\n`;
}

/** What they can do together. */
export function capacityPerSecond(servers: readonly LiveServer[]): number {
  return servers.reduce((sum, { slots, meanMs }) => sum + (slots * 1000) / meanMs, 0);
}
