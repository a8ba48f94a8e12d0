import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestRecord } from '../../../loadtest/measure/record.ts';
import { renderMarkdown } from '../../../loadtest/report/markdown.ts';
import { drawPage } from '../../../loadtest/report/page/page.ts';
import { sectionsOf } from '../../../loadtest/report/sections.ts';
import { summarySchema } from '../../../loadtest/report/summary.ts';
import { renderText } from '../../../loadtest/report/text.ts';
import { predict, predictionJsonSchema, predictionSchema } from '../../../loadtest/simulate/prediction.ts';
import { drawPredictionPage, predictionSections } from '../../../loadtest/simulate/prediction-report.ts';
import { readText } from '../../conventions/sources.ts';
import { plainFacts, record, summaryOf } from '../../support/run-records.ts';

function runOf(latencyMs: number, own: Partial<typeof plainFacts.run> = {}, failing = 0) {
  const records = Array.from({ length: 100 }, (_, index): RequestRecord => {
    const outcome = index < failing ? 'shed' : 'ok';
    return record({ index, plannedAtMs: index * 10, latencyMs, outcome, replica: index % 4 === 0 ? 'p/a' : 'p/b' });
  });
  return summaryOf(records, { run: { ...plainFacts.run, ...own } });
}

const measured = runOf(100);
const predicted = runOf(90, { isSimulated: true }, 10);
const prediction = predict(predicted, measured);
const row = (metric: string) => prediction.rows.find((one) => one.metric === metric);

test('every figure that either has stands there with what was predicted above what was measured', () => {
  assert.deepEqual(
    prediction.rows.map(({ metric }) => metric),
    ['p50', 'p90', 'p99', 'p99.9', 'ok', 'shed', 'goodput', 'share of p/a', 'share of p/b'],
  );
  assert.ok(Math.abs((row('p99')?.difference ?? 0) + 0.1) < 0.002, JSON.stringify(row('p99')));
  assert.deepEqual(row('shed'), { metric: 'shed', unit: 'share', predicted: 0.1, measured: 0, difference: 0.1 });
  assert.deepEqual([row('share of p/a')?.predicted, row('share of p/a')?.difference], [0.25, 0]);
  assert.deepEqual(prediction.notes, []);
});

test('what one of them has no value for has no difference', () => {
  const streamed = summaryOf([record({ firstTokenAtMs: 5, outputTokens: 3, tokenGapsMs: [2, 3] })]);
  const found = predict(streamed, measured).rows.find(({ metric }) => metric === 'ttft.p50');
  assert.deepEqual([found?.predicted, found?.measured, found?.difference], [5, null, null]);
});

test('what else parts the two is said', () => {
  const invalid = { ...runOf(100, { seed: 8 }), verdict: { ...measured.verdict, isValid: false } };
  assert.match(predict(predicted, invalid).notes.join('; '), /INVALID.*seed 8/);
  assert.match(predict(predicted, predicted).notes.join('; '), /simulated itself/);
  assert.match(predict(predicted, summaryOf([record()])).notes.join('; '), /100 requests were predicted, 1 measured/);
});

test('text, Markdown and the page show the same table', () => {
  const text = renderText(predictionSections(prediction), { isColoured: false });
  assert.match(text, /^ {2}metric +predicted +measured +difference$/m);
  assert.match(text, /^ {2}p99 +90\.\d ms +100 ms +-(?:9\.9\d|10\.0) %$/m);
  assert.match(text, /^ {2}shed +10\.0 % +0 % +\+10\.0 points$/m);
  assert.match(renderMarkdown(predictionSections(prediction)), /\| shed \| 10\.0 % \| 0 % \| \+10\.0 points \|/);
  const page = drawPredictionPage(prediction);
  for (const { metric } of prediction.rows) assert.ok(page.includes(`${metric}, `), metric);
  assert.match(page, /<script type="application\/json" id="prediction">/);
});

test('a prediction has the published shape, which loadtest/prediction.schema.json is', () => {
  assert.deepEqual(predictionSchema.parse(JSON.parse(JSON.stringify(prediction))), prediction);
  assert.deepEqual(JSON.parse(readText('loadtest/prediction.schema.json')), predictionJsonSchema());
});

test('a summary that says nothing of it is one of a measured run', () => {
  const { isSimulated, ...run } = measured.run;
  assert.equal(isSimulated, false);
  assert.deepEqual(summarySchema.parse({ ...measured, run }), measured);
});

test('the report of a simulated run says so, and claims nothing of a machine', () => {
  const text = renderText(sectionsOf(predicted), { isColoured: false });
  assert.match(text, /^a-run: SIMULATED\n {2}Predicted: /);
  assert.ok(!/schedule lag|a processor|VALID/.test(text), text);
  const page = drawPage(predicted);
  assert.ok(page.includes('SIMULATED') && page.includes('Predicted: '));
  const seen = page.slice(0, page.indexOf('<script'));
  assert.ok(!/>VALID|Lag p99|Event-loop delay|a processor/.test(seen));
});
