import { fieldsOf, mapEntry, orcaFields } from './orca-message.ts';
import { numberOrText, type Quantity, type ReportDraft } from './report-draft.ts';

/** What is read of `named_metrics`: our own names, then those of vLLM and Triton. */
const named = new Map<string, Quantity>([
  ['slots', 'slots'],
  ['in_flight', 'inFlight'],
  ['queued', 'queued'],
  ['service_seconds', 'serviceSeconds'],
  ['num_requests_waiting', 'queued'],
  ['num_requests_running', 'running'],
  ['kv_cache_usage_perc', 'kvUsedShare'],
  ['kv_cache_utilization', 'kvUsedShare'],
]);

/** What is read of the report itself. */
const own = new Map<string, Quantity>([
  ['application_utilization', 'utilisationShare'],
  ['rps_fractional', 'requestsPerSecond'],
  ['eps', 'errorsPerSecond'],
]);

const namedPrefix = 'named_metrics.';

/** Reads a report whose words are `name=value` or `name:value`, with commas between them. */
export function readText(text: string, draft: ReportDraft): void {
  for (const pair of text.split(',')) {
    const trimmed = pair.trim();
    if (trimmed === '') continue;
    const [, name, value] = /^([^=:\s]+)\s*[=:]\s*(\S+)$/.exec(trimmed) ?? [];
    if (name === undefined || value === undefined) {
      draft.malformed('a part of the text is no name with a value');
      continue;
    }
    const isNamed = name.startsWith(namedPrefix);
    const quantity = isNamed ? named.get(name.slice(namedPrefix.length)) : own.get(name);
    if (quantity !== undefined) draft.take(quantity, name, numberOrText(value));
  }
}

/** Reads a report in protobuf's JSON, whose names may be those of the .proto or the same in camel case. */
export function readJson(text: string, draft: ReportDraft): void {
  const report = parseJson(text);
  if (!isRecord(report)) {
    draft.malformed('it is no JSON object');
    return;
  }
  takeAll(report, own, '', draft);
  const { named_metrics: metrics = report.namedMetrics ?? null } = report;
  if (isRecord(metrics)) takeAll(metrics, named, namedPrefix, draft);
  else if (metrics !== null) draft.malformed('named_metrics is no JSON object');
}

function takeAll(
  values: Readonly<Record<string, unknown>>,
  names: ReadonlyMap<string, Quantity>,
  prefix: string,
  draft: ReportDraft,
): void {
  for (const name in values) {
    const quantity = names.get(name) ?? names.get(snakeCase(name));
    if (quantity !== undefined) draft.take(quantity, prefix + name, values[name]);
  }
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Python writes numbers that are none as NaN and Infinity, which are no JSON: one of them must not lose the others. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Tried again below.
  }
  try {
    return JSON.parse(text.replaceAll(/([:,[]\s*)(NaN|-?Infinity)\b/g, '$1"$2"'));
  } catch {
    return undefined;
  }
}

/** Reads a report in base64 (either alphabet, with or without what fills it up) of protobuf. */
export function readBinary(text: string, draft: ReportDraft): void {
  try {
    if (!base64.test(text)) throw new RangeError('it is no base64');
    readMessage(Buffer.from(text, 'base64'), draft);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    draft.malformed('it is no protobuf message in base64');
  }
}

function readMessage(message: Buffer, draft: ReportDraft): void {
  for (const { number, value } of fieldsOf(message)) {
    if (typeof value === 'number') {
      const name = ownByField.get(number) ?? '';
      const quantity = own.get(name);
      if (quantity !== undefined) draft.take(quantity, name, value);
    } else if (number === orcaFields.namedMetrics) {
      const entry = mapEntry(value);
      const quantity = named.get(entry.name);
      if (quantity !== undefined) draft.take(quantity, namedPrefix + entry.name, entry.value);
    }
  }
}

/** What may be base64: no text of names and values is. */
export const base64 = /^[\w+/-]+={0,2}$/;

const ownByField: ReadonlyMap<number, string> = new Map([
  [orcaFields.rpsFractional, 'rps_fractional'],
  [orcaFields.eps, 'eps'],
  [orcaFields.applicationUtilization, 'application_utilization'],
]);

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
