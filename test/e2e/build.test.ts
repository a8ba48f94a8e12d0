import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { sampleDigits } from '../accuracy/digits-data.ts';
import { labelsThroughGateway } from '../accuracy/labels.ts';
import { HeadgateProcess, watchGateway } from '../support/gateway-process.ts';
import { freePort } from '../support/load-tests.ts';

const root = join(import.meta.dirname, '..', '..');

it('what `npm run build` makes runs as the source does, with workers, models, load tests and simulated servers', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-build-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const dist = join(folder, 'dist');
  execFileSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', join(root, 'tsconfig.build.json'), '--outDir', dist]);
  execFileSync(process.execPath, [join(root, 'deploy', 'copy-assets.ts'), dist]);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const config = join(root, 'test', 'support', 'free-ports.yaml');
  const command = [process.execPath, join(dist, 'gateway', 'main.js')] as const;
  const built = new HeadgateProcess(context, ['serve', '--config', config], { command });
  const gateway = await watchGateway(built);
  const samples = await sampleDigits();
  assert.deepEqual(await labelsThroughGateway(gateway.client, 'digits', samples), samples.labels);
  assert.equal(await built.stop(), 0);
  const port = await freePort();
  const scenario = join(folder, 'scenario.yaml');
  writeFileSync(
    scenario,
    `
requests: 20
targets: [{ url: "http://127.0.0.1:${port}", protocol: open-inference, model: simulated }]
servers: [{ kind: tensor, port: ${port} }]
arrivals: { kind: constant, rate: 100/s }
clients: { processes: 2 }
`,
  );
  const args = ['loadtest', scenario, '--json', '--out', join(folder, 'results')];
  const loadTest = new HeadgateProcess(context, args, { command });
  await loadTest.exited;
  assert.equal(JSON.parse(loadTest.stdout).requests.outcomes.ok, 20, loadTest.stderr);
});
