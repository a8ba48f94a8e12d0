import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ThreadEngine } from '../../gateway/worker/engine.ts';
import { RequestFault } from '../../gateway/worker/fault.ts';
import { isBatchable, specOf } from '../../gateway/worker/metadata.ts';
import { loadModels } from '../../gateway/worker/models.ts';
import { faultyFiles, modelFiles, mostRows, writeFiles } from '../support/test-models.ts';

const folder = writeFiles({ after }, { ...modelFiles(), ...faultyFiles });
const engine = new ThreadEngine({ threads: 1, onEnd: () => {} });
after(() => engine.close());
const models = await loadModels(folder, [], engine);

test('what cannot be loaded is named with the reason, and everything else is served', () => {
  const reasons = Object.fromEntries(models.broken.map(({ name, reason }) => [name, reason]));
  assert.deepEqual(Object.keys(reasons).toSorted(), [
    'bad-card',
    'broken',
    'empty',
    'half-broken',
    'list-card',
    'no-file',
    'no-yaml',
  ]);
  assert.match(reasons.broken ?? '', /^version 1: .*broken\/1\/model\.onnx.*protobuf/i);
  assert.match(reasons['half-broken'] ?? '', /^version 2: .*half-broken\/2\/model\.onnx/);
  assert.match(reasons['no-file'] ?? '', /^version 1: .*no-file\/1\/model\.onnx.*exist/);
  const served = new Set(models.all.map(({ name }) => name));
  assert.equal(served.size, new Set(Object.keys(modelFiles()).map((file) => file.split('/')[0])).size + 1);
  assert.equal(models.find('half-broken', undefined).version, '1');
});

test('what a model takes and gives is read from the model itself', () => {
  assert.deepEqual(models.find('trio', undefined).metadata.inputs, [
    { name: 'half', datatype: 'FP16', shape: [-1, 2] },
    { name: 'words', datatype: 'BYTES', shape: [-1, 1] },
    { name: 'flags', datatype: 'BOOL', shape: [-1, 3] },
  ]);
  assert.deepEqual(models.find('scalar', undefined).metadata.outputs, [{ name: 'y', datatype: 'FP32', shape: [] }]);
});

test('rows are put together only where every input and output has a free first dimension', () => {
  const mostOf = (name: string): number | null => models.find(name, undefined).maxBatch;
  assert.deepEqual(['mixed', 'no-card', 'fixed', 'scalar', 'sum', 'constant'].map(mostOf), [
    mostRows,
    1,
    null,
    null,
    null,
    null,
  ]);
  assert.equal(isBatchable({ inputs: [], outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }] }), false);
});

test('the highest version answers unless another is asked for', () => {
  assert.equal(models.find('adder', undefined).version, '10');
  assert.equal(models.find('adder', '2').version, '2');
  assert.deepEqual(
    models.versionsOf('adder').map(({ version }) => version),
    ['10', '2', '1'],
  );
});

test('what is not there is refused with what is', () => {
  const refused = (name: string, version: string | undefined, status: number, says: RegExp) =>
    assert.throws(
      () => models.find(name, version),
      (error: unknown) => error instanceof RequestFault && error.status === status && says.test(error.message),
    );
  refused('addr', undefined, 404, /^model "addr" is not known here; there are: adder, constant, .*, größer als 100%/);
  refused('__proto__', undefined, 404, /is not known here/);
  refused('adder', '3', 404, /^model adder has no version 3; there are: 10, 2, 1$/);
  refused('adder', '01', 404, /no version 01/);
  refused('broken', undefined, 503, /^model broken could not be loaded: version 1/);
});

test('a type that the protocol has no word for is told of', () => {
  assert.throws(() => specOf({ name: 'x', isTensor: true, type: 'bfloat16', shape: [] }), /x is of type bfloat16/);
  assert.throws(() => specOf({ name: 'x', isTensor: false }), /x is of type other than tensor/);
  assert.deepEqual(
    specOf({ name: 'x', isTensor: true, type: 'int8', shape: ['batch', '', 3, -1] }).shape,
    [-1, -1, 3, -1],
  );
});
