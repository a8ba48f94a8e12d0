import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileWith, hasStack, headgate, root, runNode } from './headgate.ts';

/** Each command with what it needs to get as far as its options. */
const commands = {
  serve: [],
  worker: ['--models', 'models', '--port', '0'],
  check: [],
  route: ['POST /v2/models/digits/infer'],
  'simulate-model': ['--kind', 'llm', '--port', '0'],
  loadtest: ['scenario.yaml'],
  simulate: ['scenario.yaml'],
  report: ['results/run'],
} as const;

for (const [command, args] of Object.entries(commands)) {
  test(`${command} --help shows examples of ${command}`, () => {
    const { code, out, err } = headgate(command, '--help');
    assert.deepEqual({ code, err }, { code: 0, err: '' });
    assert.match(out, new RegExp(`^Usage: headgate ${command} `));
    assert.match(out, new RegExp(`\\nExamples:\\n {2}\\$ headgate ${command} `));
  });

  test(`${command} exits 2 for an option that it does not know`, () => {
    const { code, out, err } = headgate(command, ...args, '--colour', 'red');
    assert.deepEqual({ code, out }, { code: 2, out: '' });
    assert.match(err, /unknown option '--colour'/);
  });

  test(`${command} exits 2 for a word too many`, () => {
    const { code, out, err } = headgate(command, ...args, 'surplus');
    assert.deepEqual({ code, out }, { code: 2, out: '' });
    assert.match(err, /too many arguments/);
  });
}

const misuse: Readonly<Record<string, readonly string[]>> = {
  'no command': [],
  'an unknown command': ['sevre'],
  'an option without its value': ['check', '--config'],
  'a worker without models': ['worker', '--port', '0'],
  'a worker that listens nowhere': ['worker', '--models', 'm'],
  'a worker on a port and a socket': ['worker', '--models', 'm', '--port', '0', '--socket', '/tmp/w.sock'],
  'a port that is no number': ['worker', '--models', 'm', '--port', 'http'],
  'a port that there is not': ['worker', '--models', 'm', '--port', '65536'],
  'a port that is nothing': ['worker', '--models', 'm', '--port', ''],
  'a simulated server of no kind': ['simulate-model', '--port', '0'],
  'a simulated server of an unknown kind': ['simulate-model', '--kind', 'gpu', '--port', '0'],
  'a simulated server without a port': ['simulate-model', '--kind', 'llm'],
  'a seed that is no number': ['simulate-model', '--kind', 'llm', '--port', '0', '--seed', 'x'],
  'a load test that both compares and sweeps': ['loadtest', '--compare', 'http://127.0.0.1:1', '--sweep'],
  'a comparison of too few repetitions': ['loadtest', '--compare', 'http://127.0.0.1:1', '--repetitions', '3'],
  'a comparison without another target': ['loadtest', '--compare'],
  'a sweep over no rates': ['loadtest', '--sweep', 'fast..slow'],
  'a search for a rate that need keep nothing': ['loadtest', '--find-max-rate'],
  'a rate that is none': ['loadtest', '--rate', 'fast'],
  'a load test by a file that is not there': ['loadtest', 'nowhere.yaml'],
  'a report of no run': ['report', 'nowhere'],
  'a simulation of nothing': ['simulate'],
  'a simulation of a file that is not there': ['simulate', 'nowhere.yaml'],
  'a simulation without the gateway of its target': ['simulate', 'loadtest/scenarios/two-speeds.yaml'],
  'a simulation of a scenario without servers': ['simulate', 'loadtest/scenarios/constant-tensors.yaml'],
  'a simulated comparison beside what was measured': [
    'simulate',
    'loadtest/scenarios/two-speeds.yaml',
    '--compare',
    '--measured',
    'nowhere',
  ],
  'no thread': ['worker', '--models', 'm', '--port', '0', '--threads', '0'],
};

for (const [claim, args] of Object.entries(misuse)) {
  test(`${claim} is a misuse: exit 2, words on standard error, nothing on standard output`, () => {
    const { code, out, err } = headgate(...args);
    assert.deepEqual({ code, out }, { code: 2, out: '' });
    assert.ok(err !== '' && !hasStack(err), err);
  });
}

test('headgate --help names every command and exits 0', () => {
  const { code, out } = headgate('--help');
  assert.equal(code, 0);
  for (const command of Object.keys(commands)) assert.match(out, new RegExp(`^ {2}${command} `, 'm'));
});

for (const args of [['--help'], ['route', '--help'], ['check'], ['check', '--prot']]) {
  test(`no colour is in what \`headgate ${args.join(' ')}\` prints where NO_COLOR is set`, () => {
    const { out, err } = runNode(['gateway/main.ts', ...args], { NO_COLOR: '1', FORCE_COLOR: '' });
    assert.ok(out + err !== '');
    assert.ok(!`${out}${err}`.includes('\u001b'), JSON.stringify(out + err));
  });
}

test('headgate --version prints the version of the package', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.deepEqual(headgate('--version'), { code: 0, out: `${version}\n`, err: '' });
});

test('serve tells the faults of a configuration on standard error, starts nothing and exits 1', (context) => {
  const file = fileWith(context, 'backends: []\n');
  assert.deepEqual(headgate('serve', '--config', file), {
    code: 1,
    out: '',
    err: `${file}:1:11: backends: got a list, wanted at least one backend\n`,
  });
});
