import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor } from '../../gateway/protocols/tensors.ts';
import { writeInfer } from '../../gateway/worker/write-infer.ts';
import { parseAnswer, toBinary } from '../support/infer-message.ts';
import type { ModelDatatype } from '../support/test-models.ts';

function tensor(name: string, datatype: ModelDatatype, values: readonly unknown[]): Tensor {
  const data = datatype === 'BYTES' ? (values as string[]) : new Uint8Array(toBinary(datatype, values));
  return { name, datatype, shape: [values.length], data };
}

function write(outputs: readonly Tensor[], binary: readonly string[] = [], id: string | null = null) {
  const wanted = outputs.map(({ name }) => ({ name, isBinary: binary.includes(name) }));
  const { body, headerLength } = writeInfer({ id, inputs: [], outputs: wanted }, { model: 'm', version: '3', outputs });
  return { text: Buffer.from(body).toString(), body: Buffer.from(body), headerLength };
}

test('an answer in JSON names the model, its version and each output', () => {
  const { text, headerLength } = write([tensor('y', 'FP32', [1, -0.5]), tensor('words', 'BYTES', ['a"', 'größer'])]);
  assert.equal(headerLength, null);
  assert.equal(
    text,
    '{"model_name":"m","model_version":"3","outputs":[{"name":"y","datatype":"FP32","shape":[2],"data":[1,-0.5]},{"name":"words","datatype":"BYTES","shape":[2],"data":["a\\"","größer"]}]}',
  );
});

test('the id is echoed as it was, also an empty one, and left out where there was none', () => {
  const idOf = (id: string | null) => JSON.parse(write([], [], id).text).id;
  for (const id of ['7', '', '"\\\u2028\ud800']) assert.equal(idOf(id), id);
  assert.equal(idOf(null), undefined);
});

test('binary outputs follow the JSON in its order, and the JSON says how long each is', () => {
  const outputs = [
    tensor('a', 'INT16', [1, -2]),
    tensor('b', 'BYTES', ['x', '']),
    tensor('c', 'FP16', [0x7e01]),
    tensor('d', 'BOOL', []),
  ];
  const { body, headerLength } = write(outputs, ['a', 'c', 'd']);
  const answered = parseAnswer(String(headerLength), body);
  assert.deepEqual(
    answered.outputs.map(({ name, isBinary, bytes }) => [name, isBinary, bytes.toString('hex')]),
    [
      ['a', true, '0100feff'],
      ['b', false, toBinary('BYTES', ['x', '']).toString('hex')],
      ['c', true, '017e'],
      ['d', true, ''],
    ],
  );
  const allBinary = write(outputs, ['a', 'b', 'c', 'd']);
  assert.equal(
    parseAnswer(String(allBinary.headerLength), allBinary.body).outputs[1]?.bytes.toString('hex'),
    '010000007800000000',
  );
});

test('numbers in JSON are what the model gave, to the last digit', () => {
  const dataOf = (datatype: ModelDatatype, values: readonly unknown[]) =>
    /"data":(.*?)\}/.exec(write([tensor('y', datatype, values)]).text)?.[1];
  assert.equal(dataOf('INT64', [2n ** 53n + 1n, -(2n ** 63n)]), '[9007199254740993,-9223372036854775808]');
  assert.equal(dataOf('UINT64', [2n ** 64n - 1n]), '[18446744073709551615]');
  assert.equal(dataOf('BOOL', [1, 0]), '[true,false]');
  assert.equal(dataOf('FP32', [0.1]), `[${Math.fround(0.1)}]`);
  assert.equal(dataOf('FP64', [5e-324, 1e300]), '[5e-324,1e+300]');
  assert.equal(dataOf('UINT8', []), '[]');
  assert.equal(dataOf('FP32', [-0, 0, 1]), '[-0.0,0,1]');
});

test('what JSON has no number for is written as Triton does, and not as null', () => {
  const { text } = write([tensor('y', 'FP32', [Number.NaN, Infinity, -Infinity, 1.5, -0])]);
  assert.match(text, /"data":\[NaN,Infinity,-Infinity,1\.5,-0\.0\]/);
});

test('an output that the model did not give is an error', () => {
  assert.throws(
    () =>
      writeInfer(
        { id: null, inputs: [], outputs: [{ name: 'y', isBinary: true }] },
        { model: 'm', version: '1', outputs: [] },
      ),
    /the model gave no y/,
  );
});
