import type { LoadReport } from '../balance/load-report.ts';
import { type FaultNotes, ReportDraft } from './report-draft.ts';
import { base64, readBinary, readJson, readText } from './report-spellings.ts';

const formats = ['JSON', 'TEXT'] as const;
const names = { slots: 'slots', inFlight: 'in_flight', queued: 'queued', serviceSeconds: 'service_seconds' } as const;

/** What a bundled worker tells. */
type OwnReport = Pick<LoadReport, keyof typeof names>;

/**
 * Reads the header `endpoint-load-metrics` (ORCA, xds.data.orca.v3, as TEXT, JSON or BIN, with or without the word in front). What cannot
 * be is passed over and noted, and loses nothing else; null where nothing in it is understood.
 */
export function parseLoadReport(header: string, faults: FaultNotes = nobody): LoadReport | null {
  const own = ownSpelling.exec(header);
  if (own !== null) return ownReport(own);
  const draft = new ReportDraft(faults);
  const text = header.trim();
  const [word] = /^(?:TEXT|JSON|BIN)(?=[\s{]|$)/i.exec(text) ?? [''];
  const content = text.slice(word.length).trimStart();
  switch (word.toUpperCase() || formatOf(content)) {
    case 'JSON':
      readJson(content, draft);
      break;
    case 'BIN':
      readBinary(content, draft);
      break;
    default:
      readText(content, draft);
  }
  return draft.finish();
}

const nobody: FaultNotes = { note: () => {} };

function formatOf(content: string): string {
  if (content.startsWith('{')) return 'JSON';
  return base64.test(content) ? 'BIN' : 'TEXT';
}

/** What `formatLoadReport` writes of a whole report: it comes with every reply of a bundled worker, and is read so at a third of the cost. */
const ownSpelling =
  /^JSON \{"named_metrics":\{"slots":([1-9]\d{0,5}),"in_flight":(\d{1,6}),"queued":(\d{1,6}),"service_seconds":(\d{1,4}(?:\.\d{1,20})?)\}\}$/;

function ownReport([, slots, inFlight, queued, serviceSeconds]: RegExpExecArray): LoadReport {
  return {
    slots: Number(slots),
    inFlight: Number(inFlight),
    queued: Number(queued),
    serviceSeconds: Number(serviceSeconds) || null,
    kvUsedShare: null,
    utilisationShare: null,
    requestsPerSecond: null,
    errorsPerSecond: null,
  };
}

/** The header a bundled worker sends with every reply, in the format it was asked for. */
export function formatLoadReport(report: OwnReport, format: (typeof formats)[number]): string {
  const metrics: Record<string, number> = {};
  for (const [key, name] of Object.entries(names)) {
    const value = report[key as keyof OwnReport];
    if (value !== null) metrics[name] = value;
  }
  if (format === 'JSON') return `JSON ${JSON.stringify({ named_metrics: metrics })}`;
  return `TEXT ${Object.entries(metrics)
    .map(([name, value]) => `named_metrics.${name}=${value}`)
    .join(',')}`;
}

/** The format a request asks for with `endpoint-load-metrics-format`, or null when it asks for none that is known. */
export function wantedFormat(header: string | undefined): (typeof formats)[number] | null {
  return formats.find((one) => one === header?.toUpperCase()) ?? null;
}
