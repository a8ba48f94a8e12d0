import type { ReportSource } from '../balance/load-report.ts';
import type { Replica } from '../balance/replica.ts';
import { parseLoadReport } from './load-report.ts';
import type { UpstreamReply } from './transport.ts';

/** Takes in what a replica says of its load in the head of an answer, where it does. */
export function hearReport({ state }: Replica, { loadReport }: UpstreamReply, source: ReportSource): void {
  if (loadReport === null) return;
  const report = parseLoadReport(loadReport, state.reportFaults);
  if (report !== null) state.takeReport(report, source);
}
