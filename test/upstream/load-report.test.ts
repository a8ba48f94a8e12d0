import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatLoadReport, parseLoadReport, wantedFormat } from '../../gateway/upstream/load-report.ts';
import { repetitions } from '../support/counts.ts';

const none = { slots: null, inFlight: null, queued: null, serviceSeconds: null };
const numRuns = repetitions({ quick: 500, full: 50_000 });

describe('a load report', () => {
  it('is read from JSON, with or without the word in front', () => {
    const json = '{"named_metrics":{"slots":4,"in_flight":3,"queued":1,"service_seconds":0.25}}';
    const report = { slots: 4, inFlight: 3, queued: 1, serviceSeconds: 0.25 };
    assert.deepEqual(parseLoadReport(`JSON ${json}`), report);
    assert.deepEqual(parseLoadReport(json), report);
  });

  it('is read from text, with either sign between name and value', () => {
    const text = 'TEXT named_metrics.slots=4, named_metrics.queued:1,cpu_utilization=0.3';
    assert.deepEqual(parseLoadReport(text), { ...none, slots: 4, queued: 1 });
    assert.deepEqual(parseLoadReport('named_metrics.in_flight = 2'), { ...none, inFlight: 2 });
  });

  it('is null where nothing in it is understood', () => {
    const texts = [
      '',
      'JSON',
      'TEXT',
      'JSON {',
      'JSON []',
      'JSON {"named_metrics":[1]}',
      'JSON {"named_metrics":null}',
      'JSON {"cpu_utilization":0.5}',
      'JSON {"named_metrics":{"other":1}}',
      'TEXT slots=4',
      'BIN CgQIARAB',
    ];
    for (const text of texts) assert.equal(parseLoadReport(text), null, text);
  });

  it('passes over values that are no counts', () => {
    for (const value of ['-1', '"4"', 'null', 'true', '[4]', '1e999'])
      assert.deepEqual(
        parseLoadReport(`JSON {"named_metrics":{"slots":${value},"queued":0}}`),
        { ...none, queued: 0 },
        value,
      );
    for (const value of ['-1', 'NaN', 'Infinity', 'four', '0x'])
      assert.equal(parseLoadReport(`TEXT named_metrics.slots=${value}`), null, value);
  });

  it('comes back as it was written, in either format', () => {
    const count = fc.option(fc.nat(), { nil: null });
    const slots = fc.option(fc.integer({ min: 1 }), { nil: null });
    const seconds = fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: null });
    const reports = fc.record({ slots, inFlight: count, queued: count, serviceSeconds: seconds });
    fc.assert(
      fc.property(reports, fc.constantFrom('JSON' as const, 'TEXT' as const), (report, format) => {
        const parsed = parseLoadReport(formatLoadReport(report, format));
        const isEmpty = Object.values(report).every((value) => value === null);
        assert.deepEqual(parsed, isEmpty ? null : { ...report });
      }),
      { numRuns },
    );
  });

  it('of no slot at all says nothing of slots: a replica that is never sent to could never say otherwise', () => {
    for (const slots of [0, 0.5]) {
      const metrics = { slots, in_flight: 0, queued: 0, service_seconds: 0.1 };
      const report = parseLoadReport(`JSON ${JSON.stringify({ named_metrics: metrics })}`);
      assert.deepEqual(report, { slots: null, inFlight: 0, queued: 0, serviceSeconds: 0.1 });
    }
  });

  it('is read without a failure from whatever a replica sends', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.json().map((json) => `JSON ${json}`),
      fc.json().map((json) => `JSON {"named_metrics":${json}}`),
      fc.string().map((text) => `TEXT named_metrics.slots=${text}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const report = parseLoadReport(text) ?? none;
        for (const value of Object.values(report)) assert.ok(value === null || (Number.isFinite(value) && value >= 0));
      }),
      { numRuns },
    );
  });
});

it('the format that is wanted is one of two, in any case, or none', () => {
  const asked = ['JSON', 'json', 'TEXT', 'text', 'BIN', '', undefined];
  assert.deepEqual(asked.map(wantedFormat), ['JSON', 'JSON', 'TEXT', 'TEXT', null, null, null]);
});
