import type { LoadReport } from '../balance/load-report.ts';

const formats = ['JSON', 'TEXT'] as const;
const names = { slots: 'slots', inFlight: 'in_flight', queued: 'queued', serviceSeconds: 'service_seconds' } as const;

/**
 * Reads the header `endpoint-load-metrics` (ORCA, xds.data.orca.v3, as JSON or TEXT, with or without the word in front). Values that
 * are no finite numbers of at least 0 are passed over; null where nothing in it is understood.
 */
export function parseLoadReport(header: string): LoadReport | null {
  const own = ownSpelling.exec(header);
  if (own !== null) {
    return {
      slots: slotsOrNull(Number(own[1])),
      inFlight: Number(own[2]),
      queued: Number(own[3]),
      serviceSeconds: Number(own[4]),
    };
  }
  const objectAt = header.indexOf('{');
  const metrics = objectAt >= 0 ? metricsFromJson(header.slice(objectAt)) : metricsFromText(header);
  if (metrics === null) return null;
  const slots = slotsOrNull(numberOrNull(metrics[names.slots]));
  const inFlight = numberOrNull(metrics[names.inFlight]);
  const queued = numberOrNull(metrics[names.queued]);
  const serviceSeconds = numberOrNull(metrics[names.serviceSeconds]);
  const isEmpty = slots === null && inFlight === null && queued === null && serviceSeconds === null;
  return isEmpty ? null : { slots, inFlight, queued, serviceSeconds };
}

/** What `formatLoadReport` writes of a whole report: it comes with every reply of a bundled worker, and is read so at a third of the cost. */
const ownSpelling =
  /^JSON \{"named_metrics":\{"slots":(\d{1,9}),"in_flight":(\d{1,9}),"queued":(\d{1,9}),"service_seconds":(\d{1,9}(?:\.\d{1,20})?)\}\}$/;

/** The header a bundled worker sends with every reply, in the format it was asked for. */
export function formatLoadReport(report: LoadReport, format: (typeof formats)[number]): string {
  const metrics: Record<string, number> = {};
  for (const [key, name] of Object.entries(names)) {
    const value = report[key as keyof LoadReport];
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

type Metrics = Readonly<Record<string, unknown>>;

function metricsFromJson(text: string): Metrics | null {
  try {
    const parsed: unknown = JSON.parse(text);
    const named = isRecord(parsed) ? parsed.named_metrics : null;
    return isRecord(named) ? named : null;
  } catch {
    return null;
  }
}

function metricsFromText(text: string): Metrics {
  const metrics: Record<string, unknown> = {};
  for (const pair of text.replace(/^TEXT /, '').split(',')) {
    const match = /^\s*named_metrics\.([^=:\s]+)\s*[=:]\s*(\S+)\s*$/.exec(pair);
    if (match?.[1] !== undefined) metrics[match[1]] = Number(match[2]);
  }
  return metrics;
}

/** A replica without a slot would never be sent anything again, and so could never say otherwise: it is taken not to know. */
function slotsOrNull(slots: number | null): number | null {
  return slots !== null && slots >= 1 ? slots : null;
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
