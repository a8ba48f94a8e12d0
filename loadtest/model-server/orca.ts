import type { Load } from './load.ts';
import type { TellingSettings } from './settings.ts';

/** The figures of a load report, `named_metrics` in ORCA (xds.data.orca.v3.OrcaLoadReport). */
export type NamedMetrics = Readonly<Record<string, number>>;

type Format = 'TEXT' | 'JSON' | 'BIN';

/** What each kind of server puts into its report. `serviceMs` is that of the request it comes with, null for none. */
const namings: Readonly<Record<TellingSettings['orcaNames'], (load: Load, serviceMs: number | null) => NamedMetrics>> =
  {
    headgate: ({ slots, running, waiting }, serviceMs) => ({
      slots,
      in_flight: running,
      queued: waiting,
      ...(serviceMs === null ? {} : { service_seconds: serviceMs / 1000 }),
    }),
    vllm: ({ kv, waiting }) => ({ kv_cache_usage_perc: kvShare(kv), num_requests_waiting: waiting }),
    triton: ({ kv }) => ({ kv_cache_utilization: kvShare(kv), max_token_capacity: kv.capacityTokens }),
  };

function kvShare({ heldTokens, capacityTokens }: Load['kv']): number {
  return capacityTokens === 0 ? 0 : heldTokens / capacityTokens;
}

interface Telling {
  readonly load: Load;
  readonly serviceMs: number | null;
  /** What the request says in `endpoint-load-metrics-format`. */
  readonly wanted: string | undefined;
}

/** The value of the header `endpoint-load-metrics`; null where none is to be sent. */
export function loadReportHeader(
  { orca, orcaNames }: TellingSettings,
  { load, serviceMs, wanted }: Telling,
): string | null {
  const format = formatOf(orca === 'asked' ? (wanted ?? 'none') : orca);
  return format === null ? null : writeReport(namings[orcaNames](load, serviceMs), format);
}

function formatOf(name: string): Format | null {
  const upper = name.toUpperCase();
  return upper === 'TEXT' || upper === 'JSON' || upper === 'BIN' ? upper : null;
}

/** A report in one of the three formats that Envoy reads (source/common/orca/orca_parser.cc). */
export function writeReport(metrics: NamedMetrics, format: Format): string {
  if (format === 'JSON') return `JSON ${JSON.stringify({ named_metrics: metrics })}`;
  if (format === 'BIN') return `BIN ${encodeReport({ namedMetrics: metrics }).toString('base64')}`;
  // vLLM and Triton write a space behind each comma.
  const pairs = Object.entries(metrics).map(([name, value]) => `named_metrics.${name}=${value}`);
  return `TEXT ${pairs.join(', ')}`;
}

/** Numbers of the fields of OrcaLoadReport. */
const fields = { cpuUtilization: 1, rpsFractional: 6, eps: 7, namedMetrics: 8 } as const;
const double = 1;
const lengthDelimited = 2;

/** A report as protobuf: doubles, and the map as repeated pairs of key (1) and value (2). */
export function encodeReport(report: {
  cpuUtilization?: number;
  rpsFractional?: number;
  eps?: number;
  namedMetrics?: NamedMetrics;
}): Buffer {
  const numbers = (['cpuUtilization', 'rpsFractional', 'eps'] as const).flatMap((name) => {
    const value = report[name];
    return value === undefined ? [] : [doubleField(fields[name], value)];
  });
  const named = Object.entries(report.namedMetrics ?? {}).map(([name, value]) => {
    const pair = Buffer.concat([bytesField(1, Buffer.from(name)), doubleField(2, value)]);
    return bytesField(fields.namedMetrics, pair);
  });
  return Buffer.concat([...numbers, ...named]);
}

function doubleField(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = (number << 3) | double;
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

/** A length below 128 takes one byte, and no pair here is longer: names are ours. */
function bytesField(number: number, content: Buffer): Buffer {
  if (content.length > 127) throw new RangeError(`a field of ${content.length} bytes, wanted up to 127`);
  return Buffer.concat([Buffer.from([(number << 3) | lengthDelimited, content.length]), content]);
}
