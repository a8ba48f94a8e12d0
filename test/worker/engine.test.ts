import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ThreadEngine } from '../../gateway/worker/engine.ts';
import { RequestFault } from '../../gateway/worker/fault.ts';
import { toBinary } from '../support/infer-message.ts';
import { type ModelDatatype, modelDatatypes, modelFiles, writeFiles } from '../support/test-models.ts';

const folder = writeFiles({ after }, modelFiles());
const engine = new ThreadEngine({ threads: 1, onEnd: () => {} });
after(() => engine.close());

const extremes: Readonly<Record<ModelDatatype, readonly unknown[]>> = {
  BOOL: [1, 0],
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 2 ** 32 - 1],
  UINT64: [2n ** 64n - 1n, 2n ** 53n + 1n],
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
  INT64: [-(2n ** 63n), 2n ** 53n + 1n],
  // Of half-precision numbers the bits: the smallest above zero, and a NaN that says more than NaN.
  FP16: [0x0001, 0x7e01],
  FP32: [Number.NEGATIVE_INFINITY, -0],
  FP64: [Number.MAX_VALUE, Number.NaN],
  BYTES: ['', 'größer \u{1f600}'],
};

for (const datatype of modelDatatypes) {
  test(`${datatype} comes out of onnxruntime as it went in, with one row, some and none`, async () => {
    const key = `echo-${datatype}`;
    const { inputs } = await engine.load(key, join(folder, key, '1/model.onnx'));
    assert.deepEqual(inputs, [{ name: 'x', datatype, shape: [-1, 2] }]);
    for (const rows of [1, 3, 0]) {
      const values = Array.from({ length: rows }, () => extremes[datatype]).flat();
      const data = datatype === 'BYTES' ? (values as string[]) : new Uint8Array(toBinary(datatype, values));
      const { outputs } = await engine.run(key, [{ name: 'x', datatype, shape: [rows, 2], data }]);
      assert.deepEqual(outputs, [{ name: 'y', datatype, shape: [rows, 2], data }]);
    }
  });
}

test('bytes may begin anywhere in a buffer', async () => {
  await engine.load('fixed', join(folder, 'fixed/1/model.onnx'));
  const bytes = toBinary('FP32', [1, 2, 3, 4, 5, 6]);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  const { outputs } = await engine.run('fixed', [
    { name: 'x', datatype: 'FP32', shape: [2, 3], data: shifted.subarray(1) },
  ]);
  assert.deepEqual(outputs[0]?.data, new Uint8Array(bytes));
});

test('a model that fails on its inputs says so as a fault of theirs, and goes on', async () => {
  await engine.load('picky', join(folder, 'picky/1/model.onnx'));
  const run = (value: bigint) =>
    engine.run('picky', [
      { name: 'x', datatype: 'INT64', shape: [1], data: new Uint8Array(toBinary('INT64', [value])) },
    ]);
  await assert.rejects(run(3n), (error: unknown) => {
    assert.ok(error instanceof RequestFault);
    assert.equal(error.status, 400);
    assert.match(error.message, /^inputs: .*indices element out of data bounds, idx=3/);
    return true;
  });
  assert.deepEqual((await run(2n)).outputs[0]?.data, new Uint8Array(toBinary('FP32', [30])));
});

test('a file that is no model is refused with what is wrong with it', async () => {
  const broken = writeFiles({ after }, { 'model.onnx': 'no model' });
  await assert.rejects(engine.load('broken', join(broken, 'model.onnx')), /protobuf parsing failed/i);
});

test('a second call while one is being computed is an error of the caller', async () => {
  const key = 'no-card';
  await engine.load(key, join(folder, key, '1/model.onnx'));
  const input = { name: 'x', datatype: 'FP32', shape: [1, 2], data: new Uint8Array(8) } as const;
  const first = engine.run(key, [input]);
  await assert.rejects(engine.run(key, [input]), /busy/);
  assert.equal((await first).outputs.length, 1);
});

const endings = {
  'exits on a run': { source: "parentPort.on('message', () => process.exit(3));", says: /exited with code 3/ },
  'throws on a run': { source: "parentPort.on('message', () => { throw new Error('gone'); });", says: /gone/ },
};

for (const [what, { source, says }] of Object.entries(endings)) {
  test(`a thread that ${what} fails the call under way and all that follow, and is told of once`, async (t) => {
    const script = writeFiles(t, { 'thread.mjs': `import { parentPort } from 'node:worker_threads';\n${source}\n` });
    const ends: string[] = [];
    const mortal = new ThreadEngine({
      threads: 1,
      program: join(script, 'thread.mjs'),
      onEnd: (error) => ends.push(error.message),
    });
    await assert.rejects(mortal.run('any', []), says);
    await assert.rejects(mortal.run('any', []), says);
    await mortal.close();
    assert.equal(ends.length, 1);
    assert.match(ends[0] ?? '', says);
  });
}
