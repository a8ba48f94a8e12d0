import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type LoadReport, silence } from '../../gateway/balance/load-report.ts';
import { ReportFaults } from '../../gateway/balance/report-faults.ts';
import { formatLoadReport, parseLoadReport, wantedFormat } from '../../gateway/upstream/load-report.ts';
import { encodeReport } from '../../loadtest/model-server/orca.ts';
import { repetitions } from '../support/counts.ts';

const numRuns = repetitions({ quick: 500, full: 50_000 });

/** What is read of a header, and what was noted on the way. */
function read(header: string): { report: LoadReport | null; faults: string[]; counts: Record<string, number> } {
  const noted = new ReportFaults();
  const faults: string[] = [];
  noted.first.subscribe(({ kind, what }) => faults.push(`${kind}: ${what}`));
  const report = parseLoadReport(header, noted);
  return { report, faults, counts: Object.fromEntries(noted.counts) };
}

function saying(said: Partial<LoadReport>): LoadReport {
  return { ...silence, ...said };
}

const json = '{"named_metrics":{"slots":4,"in_flight":3,"queued":1,"service_seconds":0.25}}';
const whole = saying({ slots: 4, inFlight: 3, queued: 1, serviceSeconds: 0.25 });
const vllm = saying({ queued: 7, kvUsedShare: 0.25 });

/** Reports as servers and proxies write them. */
const spellings: Readonly<Record<string, readonly [header: string, means: LoadReport]>> = {
  'a bundled worker': [`JSON ${json}`, whole],
  'JSON without the word': [json, whole],
  'JSON with the word in small letters, and spaces': [` json   ${json} `, whole],
  'JSON right behind the word': [`JSON${json}`, whole],
  'protobuf’s JSON in camel case': [
    'JSON {"namedMetrics":{"inFlight":2},"applicationUtilization":0.5,"rpsFractional":3}',
    saying({ inFlight: 2, utilisationShare: 0.5, requestsPerSecond: 3 }),
  ],
  'the fields of the report itself': [
    'JSON {"application_utilization":1.5,"rps_fractional":12.5,"eps":0.5,"cpu_utilization":0.1}',
    saying({ utilisationShare: 1.5, requestsPerSecond: 12.5, errorsPerSecond: 0.5 }),
  ],
  'TEXT of vLLM, with a space behind the comma': [
    'TEXT named_metrics.kv_cache_usage_perc=0.25, named_metrics.num_requests_waiting=7',
    vllm,
  ],
  'JSON of vLLM': ['JSON {"named_metrics": {"kv_cache_usage_perc": 0.25, "num_requests_waiting": 7.0}}', vllm],
  'TEXT without the word': ['named_metrics.kv_cache_usage_perc=0.25,named_metrics.num_requests_waiting=7', vllm],
  'TEXT of Triton': [
    'TEXT named_metrics.kv_cache_utilization=0.400000, named_metrics.max_token_capacity=4096',
    saying({ kvUsedShare: 0.4 }),
  ],
  'TEXT with colons, as Envoy reads it, too': [
    'TEXT named_metrics.slots:4,named_metrics.queued : 1,cpu_utilization:0.3,eps:2',
    saying({ slots: 4, queued: 1, errorsPerSecond: 2 }),
  ],
  'a number as C writes it': ['TEXT named_metrics.num_requests_waiting=7e0', saying({ queued: 7 })],
  'what runs and what waits, which together are all': [
    'TEXT named_metrics.num_requests_running=3,named_metrics.num_requests_waiting=2',
    saying({ inFlight: 5, queued: 2 }),
  ],
  'what runs, where nothing is said to wait': ['TEXT named_metrics.num_requests_running=3', saying({ inFlight: 3 })],
  'BIN of our simulated server': [
    `BIN ${encodeReport({ rpsFractional: 9, namedMetrics: { num_requests_waiting: 7, kv_cache_usage_perc: 0.25 } }).toString('base64')}`,
    { ...vllm, requestsPerSecond: 9 },
  ],
  'Envoy’s example of BIN, which is not filled up': [
    'BIN CQAAAAAAAOA/MQAAAAAAAFlAOQAAAAAAAABAQg4KA3JpZhEAAAAAAAAQQA',
    saying({ requestsPerSecond: 100, errorsPerSecond: 2 }),
  ],
  'the same without the word': [
    'CQAAAAAAAOA/MQAAAAAAAFlAOQAAAAAAAABAQg4KA3JpZhEAAAAAAAAQQA==',
    saying({ requestsPerSecond: 100, errorsPerSecond: 2 }),
  ],
  'the same in the alphabet of URLs': [
    'BIN CQAAAAAAAOA_MQAAAAAAAFlAOQAAAAAAAABAQg4KA3JpZhEAAAAAAAAQQA',
    saying({ requestsPerSecond: 100, errorsPerSecond: 2 }),
  ],
};

describe('a load report', () => {
  for (const [name, [header, means]] of Object.entries(spellings))
    it(`is understood as ${name} has it`, () =>
      assert.deepEqual(read(header), { report: means, faults: [], counts: {} }));

  it('in BIN may hold fields that nobody here knows, and an entry without a value, which is zero', () => {
    const unknown = [0x08, 0x96, 0x01, 0x1d, 1, 2, 3, 4];
    const entry = [0x42, 0x08, 0x0a, 0x06, ...Buffer.from('queued')];
    const utilisation = [0x49, ...Buffer.from(new Float64Array([0.5]).buffer)];
    const bytes = Buffer.from([...unknown, ...entry, ...utilisation]);
    const { report, faults } = read(`BIN ${bytes.toString('base64')}`);
    assert.deepEqual([report, faults], [saying({ queued: 0, utilisationShare: 0.5 }), []]);
  });

  it('is null, and no fault, where it says nothing that is read', () => {
    const texts = [
      '',
      'TEXT',
      'TEXT slots=4',
      'TEXT cpu_utilization=0.5,named_metrics.other=-1',
      'JSON {}',
      'JSON {"named_metrics":null}',
      'JSON {"cpu_utilization":0.5}',
      'JSON {"named_metrics":{"other":1,"slots":null,"constructor":1}}',
      'BIN CgQIARAB',
    ];
    for (const text of texts) assert.deepEqual(read(text), { report: null, faults: [], counts: {} }, text);
  });

  it('that cannot be read at all is noted', () => {
    const texts: Readonly<Record<string, string>> = {
      JSON: 'it is no JSON object',
      'JSON {': 'it is no JSON object',
      'JSON []': 'it is no JSON object',
      'JSON {"named_metrics":[1]}': 'named_metrics is no JSON object',
      BIN: 'it is no protobuf message in base64',
      'BIN !': 'it is no protobuf message in base64',
      'BIN CQAA': 'it is no protobuf message in base64',
      'BIN QgcKBXNsb3Q=': 'it is no protobuf message in base64',
      'BIN Cw==': 'it is no protobuf message in base64',
      'BIN CP///////////////w==': 'it is no protobuf message in base64',
      'TEXT not-a-list': 'a part of the text is no name with a value',
      'TEXT named_metrics.slots=': 'a part of the text is no name with a value',
      'XML named_metrics.slots=4': 'a part of the text is no name with a value',
    };
    for (const [text, what] of Object.entries(texts))
      assert.deepEqual(read(text), { report: null, faults: [`malformed: ${what}`], counts: { malformed: 1 } }, text);
  });

  it('keeps what is good in it where something is not, and that is noted', () => {
    for (const value of ['-1', '"4"', 'true', '[4]', '{}', '1e999', 'NaN', '-Infinity', '1000001', '1e308']) {
      const { report, counts } = read(`JSON {"named_metrics":{"slots":${value},"queued":0},"eps":1}`);
      assert.deepEqual([report, counts], [saying({ queued: 0, errorsPerSecond: 1 }), { bad_value: 1 }], value);
    }
    for (const value of ['-1', 'NaN', 'Infinity', '+Inf', 'four', '0x10', '1e999', '1_000', '1000001']) {
      const { report, counts } = read(`TEXT named_metrics.slots=${value},named_metrics.queued=0`);
      assert.deepEqual([report, counts], [saying({ queued: 0 }), { bad_value: 1 }], value);
    }
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e308]) {
      const bytes = encodeReport({ eps: 1, namedMetrics: { slots: value, queued: 2 } });
      const { report, counts } = read(`BIN ${bytes.toString('base64')}`);
      assert.deepEqual([report, counts], [saying({ queued: 2, errorsPerSecond: 1 }), { bad_value: 1 }], String(value));
    }
    const cut = encodeReport({ eps: 1, namedMetrics: { queued: 2 } }).subarray(0, -3);
    assert.deepEqual(read(`BIN ${cut.toString('base64')}`).report, saying({ errorsPerSecond: 1 }));
    assert.deepEqual(read('TEXT nonsense,,eps=1,').report, saying({ errorsPerSecond: 1 }));
  });

  it('says what it is that cannot be, cut short', () => {
    const { faults } = read(`TEXT named_metrics.slots=${'9'.repeat(1000)}x,named_metrics.queued=-1`);
    assert.deepEqual(faults, [`bad_value: named_metrics.slots is ${'9'.repeat(30)}...`]);
  });

  it('has bounds of its own for each thing it says', () => {
    const most: Readonly<Record<string, number>> = {
      'named_metrics.in_flight': 1e6,
      'named_metrics.queued': 1e6,
      'named_metrics.num_requests_running': 1e6,
      'named_metrics.service_seconds': 86_400,
      'named_metrics.kv_cache_usage_perc': 1,
      application_utilization: 1000,
      rps_fractional: 1e7,
      eps: 1e7,
    };
    for (const [name, value] of Object.entries(most)) {
      assert.notEqual(read(`TEXT ${name}=${value}`).report, null, name);
      assert.deepEqual(read(`TEXT ${name}=${1.01 * value}`).counts, { bad_value: 1 }, name);
    }
  });

  it('comes back as it was written, in either format', () => {
    const count = fc.option(fc.nat({ max: 1_000_000 }), { nil: null });
    const slots = fc.option(fc.integer({ min: 1, max: 1_000_000 }), { nil: null });
    const double = fc.double({ min: Number.MIN_VALUE, max: 86_400, noNaN: true });
    const reports = fc.record({
      slots,
      inFlight: count,
      queued: count,
      serviceSeconds: fc.option(double, { nil: null }),
    });
    fc.assert(
      fc.property(reports, fc.constantFrom('JSON' as const, 'TEXT' as const), (report, format) => {
        const parsed = parseLoadReport(formatLoadReport(report, format));
        const isEmpty = Object.values(report).every((value) => value === null);
        assert.deepEqual(parsed, isEmpty ? null : saying(report));
      }),
      { numRuns },
    );
  });

  it('does not take zero at its word where zero may mean that nothing is known yet', () => {
    for (const slots of [0, 0.5]) {
      const metrics = { slots, in_flight: 0, queued: 0, service_seconds: 0 };
      const { report, faults } = read(
        `JSON ${JSON.stringify({ named_metrics: metrics, eps: 0, rps_fractional: 0, application_utilization: 0 })}`,
      );
      assert.deepEqual([report, faults], [saying({ inFlight: 0, queued: 0 }), []]);
    }
    const own = '{"named_metrics":{"slots":4,"in_flight":0,"queued":0,"service_seconds":0}}';
    assert.deepEqual(read(`JSON ${own}`).report, saying({ slots: 4, inFlight: 0, queued: 0 }));
    assert.deepEqual(read('TEXT named_metrics.kv_cache_usage_perc=0').report, saying({ kvUsedShare: 0 }));
  });

  it('is read without a failure from whatever a replica sends', () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((all) => `BIN ${Buffer.from(all).toString('base64')}`);
    const texts = fc.oneof(
      fc.string(),
      fc.json().map((text) => `JSON ${text}`),
      fc.json().map((text) => `JSON {"named_metrics":${text}}`),
      fc.json().map((text) => `JSON {"named_metrics":{"slots":${text},"eps":1}}`),
      fc.string().map((text) => `TEXT named_metrics.slots=${text}`),
      fc.string().map((text) => `BIN ${text}`),
      bytes,
    );
    fc.assert(
      fc.property(texts, (text) => {
        const report = read(text).report ?? silence;
        assert.deepEqual(Object.keys(report), Object.keys(silence));
        for (const value of Object.values(report)) assert.ok(value === null || (Number.isFinite(value) && value >= 0));
      }),
      { numRuns },
    );
  });

  it('takes no longer the longer what is wrong with it is', () => {
    const spaces = `TEXT named_metrics.slots${' '.repeat(15_000)}x`;
    assert.deepEqual(read(spaces).counts, { malformed: 1 });
    assert.deepEqual(read(`{"eps":1,"x":"${':NaN'.repeat(3_000)}`).counts, { malformed: 1 });
  });
});

it('faults are all counted, and the first of each kind is told', () => {
  const faults = new ReportFaults();
  const told: string[] = [];
  faults.first.subscribe(({ kind, what }) => told.push(`${kind} ${what}`));
  faults.note('malformed', 'a');
  faults.note('malformed', 'b');
  faults.note('bad_value', 'c');
  faults.count('page_unknown');
  assert.deepEqual(told, ['malformed a', 'bad_value c']);
  assert.deepEqual(
    [...faults.counts],
    [
      ['malformed', 2],
      ['bad_value', 1],
      ['page_unknown', 1],
    ],
  );
});

it('the format that is wanted is one of two, in any case, or none', () => {
  const asked = ['JSON', 'json', 'TEXT', 'text', 'BIN', '', undefined];
  assert.deepEqual(asked.map(wantedFormat), ['JSON', 'JSON', 'TEXT', 'TEXT', null, null, null]);
});
