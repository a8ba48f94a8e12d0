import { durationsOf, type RequestRecord } from '../measure/record.ts';
import type { Summary } from './summary.ts';

/** The bounds that make an answer a good one; null where there is none. */
export type Slos = Readonly<Summary['slos']>;

/**
 * Whether a request was answered in full and met every SLO. Those about tokens bind streams alone, and a stream of one token has no
 * time per output token to miss; `interTokenMs` bounds its longest gap, which is what a reader notices.
 */
export function isGood(record: RequestRecord, slos: Slos): boolean {
  if (record.outcome !== 'ok') return false;
  const { latencyMs, timeToFirstTokenMs, timePerOutputTokenMs } = durationsOf(record);
  const isWithin = (valueMs: number | null, boundMs: number | null): boolean =>
    valueMs === null || boundMs === null || valueMs <= boundMs;
  return (
    isWithin(latencyMs, slos.latencyMs) &&
    isWithin(timeToFirstTokenMs, slos.timeToFirstTokenMs) &&
    isWithin(timePerOutputTokenMs, slos.timePerOutputTokenMs) &&
    record.tokenGapsMs.every((gapMs) => isWithin(gapMs, slos.interTokenMs))
  );
}
