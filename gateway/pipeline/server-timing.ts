import type { Exchange } from './exchange.ts';

/**
 * Where the time of an exchange went until now, as `server-timing` (W3C) says it, in milliseconds: in waiting lines; at the replica, from the sending
 * of the last try until its answer began; all together. What is missing there is the gateway's own, or was spent on earlier tries.
 */
export function serverTiming({ journal, receivedAtMs }: Exchange, nowMs: number): string {
  const { tries, sentAtMs, headAtMs, firstByteAtMs, queueWaitMs } = journal;
  // A replica that sends its head ahead of its answer is still at work; one that has not answered was until now.
  const answeredAtMs = headAtMs < sentAtMs ? nowMs : Math.max(headAtMs, firstByteAtMs);
  const upstream = tries === 0 ? '' : ` upstream;dur=${tenths(answeredAtMs - sentAtMs)},`;
  return `queue;dur=${tenths(queueWaitMs)},${upstream} total;dur=${tenths(nowMs - receivedAtMs)}`;
}

/** Two roundings of a double cost a fraction of `toFixed`. */
function tenths(valueMs: number): number {
  return Math.round(valueMs * 10) / 10;
}
