import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { compare } from '../../../loadtest/compare/compare.ts';
import { comparisonSections, describeDifference, middleOf } from '../../../loadtest/compare/comparison-sections.ts';
import { parseAssertion, withAssertions } from '../../../loadtest/report/assertion.ts';
import { renderMarkdown } from '../../../loadtest/report/markdown.ts';
import { sectionsOf } from '../../../loadtest/report/sections.ts';
import type { Summary } from '../../../loadtest/report/summary.ts';
import { renderText } from '../../../loadtest/report/text.ts';
import { record, summaryOf } from '../../support/run-records.ts';

const claims = ['p99<1ms', 'p50<15s', 'ttft.p99<1s'].flatMap((text) => {
  const parsed = parseAssertion(text);
  return 'assertion' in parsed ? [parsed.assertion] : [];
});
const run: Summary = withAssertions(
  summaryOf(
    [
      ...Array.from({ length: 98 }, (_, index) =>
        record({
          index,
          plannedAtMs: index * 10,
          latencyMs: 12_345,
          replica: 'pool/a|b',
          upstreamMs: 12_000,
          tries: 1,
        }),
      ),
      record({ outcome: 'shed', latencyMs: 2 }),
      record({ outcome: 'timeout', latencyMs: 30_000 }),
    ],
    { untilMs: 1000, bands: [{ name: 'slow', fromMs: 200, untilMs: 500 }] },
  ),
  claims,
);

test('the text for a terminal tells verdict, claims, outcomes, durations, replicas and where time went', () => {
  const text = renderText(sectionsOf(run), { isColoured: false });
  for (const line of [
    'a-run: VALID',
    '  Offered 100 requests, 100/s; 1.00 sends upstream for each',
    '  Goodput 98.0 % of the offered, 98.0/s (no SLO set)',
    '  slow: 0.2 to 0.5 s',
    '  FAILS: p99<1ms (12.3 s)',
    '  holds: p50<15s (12.3 s)',
    '  FAILS: ttft.p99<1s (the run has no such value)',
    '  shed (503)         1   1.0 %',
    '  pool/a|b        98  100 %   12,345   12,345',
  ])
    assert.ok(text.split('\n').includes(line), `${line}\n\n${text}`);
  assert.match(text, /^ {2}latency, ok +98 +12,345 +12,345/m);
  assert.match(text, /^ {2}latency, timeout +1 +30,000 /m);
  assert.match(text, /^ {2}gateway and network +345$/m);
});

test('colour is all that differs between a terminal and a pipe', () => {
  const plain = renderText(sectionsOf(run), { isColoured: false });
  const coloured = renderText(sectionsOf(run), { isColoured: true });
  assert.notEqual(coloured, plain);
  assert.equal(stripVTControlCharacters(coloured), plain);
});

test('what a replica calls itself can neither colour a terminal nor break a table', () => {
  const named = summaryOf([record({ replica: '\u001b[31mred\u0007\nnext|cell' })]);
  const text = renderText(sectionsOf(named), { isColoured: false });
  assert.match(text, /^ {2}red {2}next\|cell +1 +100 %/m);
  const markdown = renderMarkdown(sectionsOf(named));
  assert.match(markdown, /^\| .*next\\\|cell \| 1 \|/m);
  assert.equal(markdown.includes('\u001b'), false);
});

test('an invalid run gives its reasons first', () => {
  const invalid = summaryOf([record()], {
    health: { unsent: 3, ownLimit: null, eventLoopDelayP99Ms: null, wasInterrupted: false },
  });
  const [, reason] = renderText(sectionsOf(invalid), { isColoured: false }).split('\n');
  assert.equal(reason, '  3 planned requests were never sent');
  assert.match(renderMarkdown(sectionsOf(invalid)), /^# a-run: INVALID\n\n- 3 planned requests were never sent\n/);
});

test('every table of the Markdown has one width', () => {
  const rows = renderMarkdown(sectionsOf(run))
    .split('\n')
    .filter((line) => line.startsWith('|'));
  assert.ok(rows.length > 10);
  const widths = rows.map((row) => row.replaceAll('\\|', '').split('|').length);
  const rules = rows.flatMap((row, at) => (/^\| :--/.test(row) ? [at] : []));
  for (const at of rules) assert.equal(widths[at], widths[at - 1]);
});

test('a comparison is told with its intervals, and with what they show', () => {
  const pairs = Array.from({ length: 8 }, (_, at) => ({
    a: summaryOf([record({ latencyMs: 100 + at })]),
    b: summaryOf([record({ latencyMs: 150 + at }), record({ outcome: 'shed' })]),
  }));
  const text = renderText(comparisonSections(compare(pairs, { rng: seededRng(1) })), { isColoured: false });
  assert.match(text, /^ {2}8 paired repetitions; intervals hold the truth in 99.0 % of cases each\.$/m);
  assert.match(text, /^ {2}p50 +104 ms +154 ms +\+48\.\d % +\+4\d\.\d % \.\. \+4\d\.\d % +worse$/m);
  assert.match(text, /^ {2}goodput +100 % +50\.0 % +-50\.0 points .* +worse$/m);
  assert.match(text, /^ {2}errors +0 % +0 % +0\.00 points .* no difference shown$/m);
});

test('differences bear their sign, and the middle of an even number lies between two', () => {
  assert.equal(describeDifference({ kind: 'relative' }, 0.0123), '+1.23 %');
  assert.equal(describeDifference({ kind: 'absolute' }, -0.25), '-25.0 points');
  assert.equal(middleOf([4, 1, 3, 2]), 2.5);
  assert.equal(middleOf([3, 1, 2]), 2);
});
