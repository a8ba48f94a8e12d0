import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  aligned,
  countElements,
  type Datatype,
  decodeBytes,
  encodeBytes,
  toJsonText,
  typedView,
} from '../../gateway/protocols/tensors.ts';

test('a shape holds the product of its dimensions; a scalar holds one', () => {
  assert.deepEqual([[], [3], [2, 3], [0, 7]].map(countElements), [1, 3, 6, 0]);
});

test('texts come out of their binary form as they went in', () => {
  for (const texts of [[], [''], ['a', '', 'größer \u{1f600}'], ['\ufeff\0']]) {
    const elements = decodeBytes(encodeBytes(texts), texts.length) ?? assert.fail();
    assert.deepEqual(
      elements.map((element) => Buffer.from(element).toString()),
      texts,
    );
  }
});

test('elements may be any bytes, in a buffer that begins anywhere', () => {
  const whole = Buffer.from('aa 02000000 ff00 00000000'.replaceAll(' ', ''), 'hex').subarray(1);
  assert.deepEqual(
    decodeBytes(whole, 2)?.map((element) => [...element]),
    [[0xff, 0], []],
  );
});

test('what does not come out even is no BYTES', () => {
  for (const hex of ['00', '000000', '01000000', '0200000061', 'ffffffff61', '010000006100'])
    assert.equal(decodeBytes(Buffer.from(hex, 'hex'), 1), null, hex);
  for (const count of [0, 1, 3]) assert.equal(decodeBytes(Buffer.alloc(8), count), null);
  assert.equal(decodeBytes(Buffer.alloc(8), 2)?.length, 2);
});

test('every element becomes a JSON number that says it exactly, where there is one', () => {
  const text = (datatype: Datatype, values: ArrayBufferView) =>
    toJsonText({ name: 'x', datatype, shape: [], data: new Uint8Array(values.buffer) });
  assert.equal(
    text('INT64', BigInt64Array.of(2n ** 53n + 1n, -(2n ** 63n))),
    '[9007199254740993,-9223372036854775808]',
  );
  assert.equal(text('UINT64', BigUint64Array.of(2n ** 64n - 1n)), '[18446744073709551615]');
  assert.equal(text('INT8', Int8Array.of(-1)), '[-1]');
  assert.equal(text('UINT8', Uint8Array.of(255)), '[255]');
  assert.equal(text('BOOL', Uint8Array.of(1, 0)), '[true,false]');
  assert.equal(text('FP32', Float32Array.of(1.5, -0)), '[1.5,-0.0]');
  assert.equal(text('FP64', Float64Array.of(Number.NaN, Number.MIN_VALUE, -Infinity)), '[NaN,5e-324,-Infinity]');
  for (const datatype of ['FP16', 'BF16'] as const) assert.equal(text(datatype, Uint16Array.of(1)), null);
  assert.equal(toJsonText({ name: 'x', datatype: 'BYTES', shape: [2], data: ['"', 'é'] }), '["\\"","é"]');
});

test('bytes are seen as numbers wherever they begin, copied only where they must be', () => {
  const bytes = Uint8Array.of(9, 1, 0, 0, 0, 2, 0, 0, 0);
  assert.deepEqual([...(typedView('INT32', bytes.subarray(1)) ?? [])], [1, 2]);
  assert.equal(aligned(bytes.subarray(8), 4).buffer, bytes.buffer);
  assert.notEqual(aligned(bytes.subarray(1), 4).buffer, bytes.buffer);
  assert.equal(typedView('FP16', bytes), null);
});
