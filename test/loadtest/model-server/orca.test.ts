import assert from 'node:assert/strict';
import { test } from 'node:test';
import protobuf from 'protobufjs';
import { silence } from '../../../gateway/balance/load-report.ts';
import { parseLoadReport } from '../../../gateway/upstream/load-report.ts';
import type { Load } from '../../../loadtest/model-server/load.ts';
import { nothingDone } from '../../../loadtest/model-server/load.ts';
import { encodeReport, loadReportHeader } from '../../../loadtest/model-server/orca.ts';
import type { TellingSettings } from '../../../loadtest/model-server/settings.ts';

/** The message as its .proto has it (cncf/xds, xds/data/orca/v3/orca_load_report.proto), for a decoder that nobody here wrote. */
const { root } = protobuf.parse(
  `
  syntax = "proto3";
  message OrcaLoadReport {
    double cpu_utilization = 1;
    double mem_utilization = 2;
    uint64 rps = 3;
    map<string, double> request_cost = 4;
    map<string, double> utilization = 5;
    double rps_fractional = 6;
    double eps = 7;
    map<string, double> named_metrics = 8;
    double application_utilization = 9;
  }
`,
  { keepCase: true },
);
const OrcaLoadReport = root.lookupType('OrcaLoadReport');

const load: Load = {
  slots: 16,
  running: 3,
  waiting: 7,
  kv: { blockTokens: 16, capacityTokens: 1600, heldTokens: 400 },
  done: nothingDone(),
};

const header = (tells: Partial<TellingSettings>, wanted?: string, serviceMs: number | null = 12.5): string | null =>
  loadReportHeader({ metrics: 'none', orca: 'asked', orcaNames: 'headgate', ...tells }, { load, serviceMs, wanted });

/** Reads a report as Envoy does (source/common/orca/orca_parser.cc): three prefixes, `=` or `:`, spaces passed over. */
function namedMetricsOf(text: string): Record<string, unknown> {
  const [, format, content = ''] = /^(TEXT|JSON|BIN) (.+)$/.exec(text) ?? assert.fail(text);
  if (format === 'JSON') return JSON.parse(content).named_metrics;
  if (format === 'BIN') {
    const { named_metrics: named } = OrcaLoadReport.decode(Buffer.from(content, 'base64')).toJSON();
    return named;
  }
  return Object.fromEntries(
    content.split(',').map((pair) => {
      const [, name, value] = /^ ?named_metrics\.([^=:]+)[=:](.+)$/.exec(pair) ?? assert.fail(pair);
      return [name, Number(value)];
    }),
  );
}

const wanted = {
  headgate: { slots: 16, in_flight: 3, queued: 7, service_seconds: 0.0125 },
  vllm: { kv_cache_usage_perc: 0.25, num_requests_waiting: 7 },
  triton: { kv_cache_utilization: 0.25, max_token_capacity: 1600 },
} as const;

for (const orcaNames of ['headgate', 'vllm', 'triton'] as const) {
  for (const orca of ['text', 'json', 'bin'] as const) {
    test(`a report in ${orca} with the names of ${orcaNames} says what it should to a decoder of its own`, () => {
      const text = header({ orca, orcaNames }) ?? '';
      assert.ok(text.startsWith(`${orca.toUpperCase()} `));
      assert.deepEqual({ ...namedMetricsOf(text) }, wanted[orcaNames]);
    });
  }
}

test('the gateway reads every report, whatever its format and its names', () => {
  const means = {
    headgate: { ...silence, slots: 16, inFlight: 3, queued: 7, serviceSeconds: 0.0125 },
    vllm: { ...silence, kvUsedShare: 0.25, queued: 7 },
    triton: { ...silence, kvUsedShare: 0.25 },
  } as const;
  for (const orca of ['text', 'json', 'bin'] as const)
    for (const orcaNames of ['headgate', 'vllm', 'triton'] as const)
      assert.deepEqual(parseLoadReport(header({ orca, orcaNames }) ?? ''), means[orcaNames], `${orca} ${orcaNames}`);
});

test('a report comes when asked for, in the format asked for, whatever its case; or always; or never', () => {
  assert.equal(header({}, undefined), null);
  assert.match(header({}, 'json') ?? '', /^JSON /);
  assert.match(header({}, 'TEXT') ?? '', /^TEXT /);
  assert.equal(header({}, 'yaml'), null);
  assert.match(header({ orca: 'bin' }, 'json') ?? '', /^BIN /);
  assert.equal(header({ orca: 'none' }, 'json'), null);
});

test('where no request is reported on there is no service time', () => {
  assert.deepEqual(namedMetricsOf(header({ orca: 'json' }, undefined, null) ?? ''), {
    slots: 16,
    in_flight: 3,
    queued: 7,
  });
});

test('a server without keys and values says 0, which is a number', () => {
  const tells = { metrics: 'none', orca: 'json', orcaNames: 'vllm' } as const;
  const empty = { ...load, kv: { blockTokens: 0, capacityTokens: 0, heldTokens: 0 } };
  const text = loadReportHeader(tells, { load: empty, serviceMs: null, wanted: undefined });
  assert.deepEqual(namedMetricsOf(text ?? ''), { kv_cache_usage_perc: 0, num_requests_waiting: 7 });
});

test("the bytes are those of Envoy's own example", () => {
  const report = encodeReport({ cpuUtilization: 0.5, rpsFractional: 100, eps: 2, namedMetrics: { rif: 4 } });
  assert.equal(
    report.toString('base64').replaceAll('=', ''),
    'CQAAAAAAAOA/MQAAAAAAAFlAOQAAAAAAAABAQg4KA3JpZhEAAAAAAAAQQA',
  );
});
