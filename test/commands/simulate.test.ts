import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { comparisonFileSchema } from '../../loadtest/compare/comparison.ts';
import { summarySchema } from '../../loadtest/report/summary.ts';
import { fileWith, headgate } from './headgate.ts';

const config = ['--config', 'config/examples/two-speeds.yaml'];
const example = ['loadtest/scenarios/two-speeds.yaml', ...config, '--for', '6s'];

/** A folder for results, and what lies in it. */
function results(context: TestContext) {
  const out = mkdtempSync(join(tmpdir(), 'headgate-simulate-'));
  context.after(() => rmSync(out, { recursive: true, force: true }));
  const folders = (): string[] => readdirSync(out).map((name) => join(out, name));
  return { out, folders };
}

test('a simulation leaves what a load test does, prints one object where that is asked for, and passes', (context) => {
  const { out, folders } = results(context);
  const run = headgate('simulate', ...example, '--out', out, '--json', '--assert', 'p99<2s');
  assert.equal(run.code, 0, run.err);
  const summary = summarySchema.parse(JSON.parse(run.out));
  assert.deepEqual([summary.run.isSimulated, summary.asserts[0]?.isMet], [true, true]);
  const [folder = ''] = folders();
  const files = ['records.ndjson', 'report.html', 'scenario.yaml', 'summary.json', 'summary.md'];
  assert.deepEqual(readdirSync(folder).toSorted(), files);
  assert.match(readFileSync(join(folder, 'summary.md'), 'utf8'), /^# two-speeds: SIMULATED/);
});

test('a claim that fails is exit code 1, and a fault in the configuration 2, with its place', (context) => {
  const { out } = results(context);
  assert.equal(headgate('simulate', ...example, '--out', out, '--assert', 'p99<1ms').code, 1);
  const file = fileWith(context, readFileSync('config/examples/two-speeds.yaml', 'utf8').replace('8302', '8309'));
  const { code, err } = headgate('simulate', example[0] ?? '', '--config', file, '--out', out);
  assert.equal(code, 2);
  assert.match(
    err,
    /gateway\.yaml:9:\d+: backends\[0\]\.replicas\[1\]\.url: got "http:\/\/127\.0\.0\.1:8309", wanted /,
  );
});

test('what was measured stands beside what is predicted, and can be rendered again', (context) => {
  const { out, folders } = results(context);
  assert.equal(headgate('simulate', ...example, '--out', out).code, 0);
  const [measured = ''] = folders();
  const run = headgate('simulate', ...example, '--rate', '100/s', '--out', out, '--measured', measured);
  assert.equal(run.code, 0, run.err);
  assert.match(run.out, /Predicted beside measured\n.*\n.*the measured run was simulated itself\n/);
  assert.match(run.out, /^ {2}p99\.9 +\S+ ms +\S+ ms +[+-]\S+ %$/m);
  assert.match(run.out, /^ {2}share of simulated\/fast +\S+ % +\S+ % +\S+ points$/m);
  const folder = folders().find((one) => one !== measured) ?? '';
  const files = readdirSync(folder).filter((name) => name.startsWith('prediction'));
  assert.deepEqual(files.toSorted(), ['prediction.html', 'prediction.json', 'prediction.md']);
  rmSync(join(folder, 'prediction.html'));
  const again = headgate('report', folder);
  assert.equal(again.out, run.out);
  assert.ok(readdirSync(folder).includes('prediction.html'));
});

test('two policies are compared, and a highest rate is looked for, on the virtual clock', (context) => {
  const { out } = results(context);
  const scenario = fileWith(
    context,
    readFileSync('loadtest/scenarios/two-speeds.yaml', 'utf8')
      .replace('name: gateway', 'name: now')
      .replace(
        'arrivals:',
        '  - { name: then, url: "http://127.0.0.1:8090", protocol: open-inference, model: simulated }\narrivals:',
      ),
    'scenario.yaml',
  );
  const then = fileWith(
    context,
    readFileSync('config/examples/two-speeds.yaml', 'utf8').replace('    models:', '    policy: random\n    models:'),
  );
  const args = [
    scenario,
    '--config',
    `now=${config[1]}`,
    '--config',
    `then=${then}`,
    '--for',
    '8s',
    '--out',
    out,
    '--json',
  ];
  const compared = headgate('simulate', ...args, '--compare', '--repetitions', '8');
  assert.equal(compared.code, 0, compared.err);
  const comparison = comparisonFileSchema.parse(JSON.parse(compared.out));
  assert.ok('differences' in comparison && comparison.isSimulated);
  assert.equal(comparison.differences.find(({ metric }) => metric === 'p50')?.verdict, 'worse');
  const found = headgate('simulate', ...example, '--out', out, '--json', '--find-max-rate');
  assert.equal(found.code, 0, found.err);
  // The four slots can do 183 a second together, and for a few seconds somewhat more.
  const { maxPerSecond } = JSON.parse(found.out) as { maxPerSecond: number };
  assert.ok(maxPerSecond > 60 && maxPerSecond < 220, `${maxPerSecond}`);
});
