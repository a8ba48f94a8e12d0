import { GatewayError } from '../kernel/errors.ts';
import { soonestReturnMs } from './eligible.ts';
import type { Replica } from './replica.ts';

/** When a client may try again that was refused for load. */
const retryAfterMs = 1000;

/** No replica can take requests, and none of those that could is about to. */
export function noneEligible(backendName: string, replicas: readonly Replica[], nowMs: number): GatewayError {
  const returnsInMs = (soonestReturnMs(replicas) ?? 0) - nowMs;
  return new GatewayError('none_eligible', `backend ${backendName}: no replica can take requests now`, {
    retryAfterMs: Math.max(retryAfterMs, returnsInMs),
  });
}

/** As many wait already as may. */
export function lineFull(backendName: string, waiting: number): GatewayError {
  const message = `backend ${backendName}: all replicas are busy and ${waiting} requests wait already`;
  return new GatewayError('queue_full', message, { retryAfterMs });
}

/** It was waited for as long as may be. */
export function waitedTooLong(backendName: string, queueWaitMs: number): GatewayError {
  const message = `backend ${backendName}: no replica came free within ${queueWaitMs} ms`;
  return new GatewayError('queue_timeout', message, { retryAfterMs });
}
