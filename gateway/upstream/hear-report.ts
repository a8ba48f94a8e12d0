import type { LoadReport, ReportSource } from '../balance/load-report.ts';
import type { Replica } from '../balance/replica.ts';
import { parseLoadReport } from './load-report.ts';
import type { UpstreamReply } from './transport.ts';

/** Takes in what a replica says of its load in the head of an answer, and gives it; null where it says nothing. */
export function hearReport({ state }: Replica, { loadReport }: UpstreamReply, source: ReportSource): LoadReport | null {
  if (loadReport === null) return null;
  const report = parseLoadReport(loadReport, state.reportFaults);
  if (report !== null) state.takeReport(report, source);
  return report;
}
