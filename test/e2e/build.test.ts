import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { sampleDigits } from '../accuracy/digits-data.ts';
import { labelsThroughGateway } from '../accuracy/labels.ts';
import { HeadgateProcess, watchGateway } from '../support/gateway-process.ts';

const root = join(import.meta.dirname, '..', '..');

it('what `npm run build` makes runs as the source does, workers and models included', async (context) => {
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
});
