import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { repetitions } from '../support/counts.ts';
import { HeadgateProcess } from '../support/gateway-process.ts';
import { loadTest, recordsOf } from '../support/load-tests.ts';
import { systemProgram } from '../support/system-program.ts';

const wrk = systemProgram({ names: ['wrk'], aptPackage: 'wrk' });
const connections = 64;
const forSeconds = repetitions({ quick: 2, full: 5 });
/** Until our code is compiled, which that of wrk is already. */
const startMs = 500;
const rounds = repetitions({ quick: 2, full: 5 });
const body = '{"inputs":[{"name":"image","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}';

/** Short rounds on a busy machine vary by more than what is to be shown. */
const toleranceShare = repetitions({ quick: 0.1, full: 0.03 });

test(`a closed loop of ${connections} connections does what wrk does, within ${toleranceShare * 100} %`, async (t) => {
  const place = mkdtempSync(join(tmpdir(), 'headgate-wrk-'));
  t.after(() => rmSync(place, { recursive: true, force: true }));
  const profile = join(place, 'profile.yaml');
  writeFileSync(profile, 'kind: tensor\nslots: 64\nservice: { time: fixed, mean: 20ms }\n');
  const server = new HeadgateProcess(t, ['simulate-model', '--kind', 'tensor', '--port', '0', '--profile', profile]);
  const [, url = ''] = await server.prints(/on (http:\S+),/);
  const script = join(place, 'ask.lua');
  writeFileSync(
    script,
    `wrk.method = "POST"\nwrk.body = '${body}'\nwrk.headers["content-type"] = "application/json"\n`,
  );
  const path = '/v2/models/simulated/infer';
  const byWrk = async (): Promise<number> => {
    const args = ['-t1', `-c${connections}`, `-d${forSeconds}s`, '-s', script, url + path];
    const { stdout } = await promisify(execFile)(wrk, args);
    assert.doesNotMatch(stdout, /Non-2xx|Socket errors/);
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  };
  const byUs = async (): Promise<number> => {
    const run = await loadTest(
      t,
      `
for: ${forSeconds * 1000 + startMs}ms
targets: [{ url: "${url}", protocol: open-inference, model: simulated }]
arrivals: { kind: closed, concurrency: ${connections} }
payloads: { kind: same, tensor: { shape: [4] } }
`,
    );
    // As wrk counts them: those that were answered within the time, whenever they were sent.
    const records = recordsOf(run);
    assert.ok(records.every(({ outcome }) => outcome === 'ok'));
    const isCounted = (atMs: number): boolean => atMs > startMs && atMs <= startMs + forSeconds * 1000;
    return records.filter(({ endedAtMs }) => isCounted(endedAtMs)).length / forSeconds;
  };
  const rates = { wrk: 0, ours: 0 };
  // A machine that is busy with other things only ever slows either down.
  for (let round = 0; round < rounds; round++) {
    rates.wrk = Math.max(rates.wrk, await byWrk());
    rates.ours = Math.max(rates.ours, await byUs());
  }
  t.diagnostic(`wrk ${rates.wrk}/s, ours ${rates.ours}/s`);
  assert.ok(Math.abs(rates.ours / rates.wrk - 1) < toleranceShare, JSON.stringify(rates));
});
