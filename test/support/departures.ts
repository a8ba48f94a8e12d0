import assert from 'node:assert/strict';
import { eventually, type RunningGateway } from './gateway-process.ts';
import type { Arrival, RawBackend } from './raw-backend.ts';

/** What the specification allows between the client's leaving and the end of its upstream request. */
export const withinMs = 200;

/** Does something so many times, one after the other. */
export async function repeat(count: number, once: (at: number) => Promise<void>): Promise<void> {
  for (let at = 0; at < count; at++) await once(at);
}

/** The next request that reaches a backend. To be asked for before it can have come. */
export async function nextArrival(backend: RawBackend): Promise<Arrival> {
  const { length } = backend.arrivals;
  await eventually('the request reaches the backend', () => backend.arrivals.length > length);
  const arrival = backend.arrivals.at(-1);
  assert.ok(arrival);
  return arrival;
}

/** The upstream request stands until the client leaves, and ends in time when it does. */
export async function assertEndedBy(leave: () => void, arrival: Arrival): Promise<void> {
  assert.equal(arrival.closedAtMs, null);
  leave();
  const leftAtMs = performance.now();
  await eventually('the backend sees the end', () => arrival.closedAtMs !== null);
  const tookMs = (arrival.closedAtMs ?? 0) - leftAtMs;
  assert.ok(tookMs <= withinMs, `the backend saw the end after ${tookMs} ms`);
}

/** The counts of what runs and waits are back at zero, and no lease was released twice on the way. */
export async function assertNothingHeld(gateway: RunningGateway): Promise<void> {
  for (const name of ['headgate_replica_in_flight', 'headgate_queue_depth'])
    await eventually(`${name} is 0`, async () => (await gateway.metric(name)) === 0);
  assert.equal(await gateway.metric('headgate_leases_released_twice_total'), 0);
}
