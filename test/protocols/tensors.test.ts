import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  aligned,
  countElements,
  type Datatype,
  decodeBytes,
  elementBytes,
  encodeBytes,
  isDatatype,
  toJsonText,
  typedView,
} from '../../gateway/protocols/tensors.ts';
import { repetitions } from '../support/counts.ts';

const numRuns = repetitions({ quick: 300, full: 20_000 });

function jsonOf(datatype: Datatype, data: ArrayBufferView): string | null {
  return toJsonText({ name: 'x', datatype, shape: [1], data: new Uint8Array(data.buffer) });
}

describe('the binary form of texts', () => {
  it('comes back as it went', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (texts) => {
        assert.deepEqual(decodeBytes(encodeBytes(texts)), texts);
      }),
      { numRuns },
    );
  });

  it('has the length of each in front, in bytes and little-endian', () => {
    assert.deepEqual([...encodeBytes(['é', ''])], [2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0]);
  });

  it('that does not come out even is none', () => {
    for (const raw of [[1], [1, 0, 0], [2, 0, 0, 0, 65], [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0, 9]])
      assert.equal(decodeBytes(Uint8Array.from(raw)), null, String(raw));
  });

  it('is read from any bytes without a failure', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (raw) => {
        const texts = decodeBytes(raw);
        assert.ok(texts === null || texts.length <= raw.length / 4);
      }),
      { numRuns },
    );
  });
});

describe('values in JSON', () => {
  it('are numbers, every digit of 64 bits kept', () => {
    assert.equal(jsonOf('FP32', Float32Array.from([0.5, -2, 1e10])), '[0.5,-2,10000000000]');
    assert.equal(jsonOf('INT8', Int8Array.from([-128, 127])), '[-128,127]');
    assert.equal(
      jsonOf('INT64', BigInt64Array.from([-(2n ** 63n), 2n ** 63n - 1n])),
      `[${-(2n ** 63n)},${2n ** 63n - 1n}]`,
    );
    assert.equal(jsonOf('UINT64', BigUint64Array.from([2n ** 64n - 1n])), '[18446744073709551615]');
    assert.equal(jsonOf('BOOL', Uint8Array.from([0, 1])), '[false,true]');
  });

  it('are texts for BYTES, and none where JavaScript has no numbers for them', () => {
    assert.equal(toJsonText({ name: 'x', datatype: 'BYTES', shape: [2], data: ['a"', 'é'] }), '["a\\"","é"]');
    assert.equal(jsonOf('FP16', new Uint16Array(1)), null);
    assert.equal(jsonOf('BF16', new Uint16Array(1)), null);
  });
});

describe('a view of raw bytes', () => {
  it('is right wherever in their buffer they begin', () => {
    const values = Float64Array.from([1.5, -2.25]);
    for (let offset = 0; offset < 9; offset++) {
      const buffer = new Uint8Array(offset + 16);
      buffer.set(new Uint8Array(values.buffer), offset);
      assert.deepEqual(typedView('FP64', buffer.subarray(offset)), values);
    }
  });

  it('copies only what does not begin at a multiple of its element', () => {
    const buffer = new Uint8Array(16);
    assert.equal(aligned(buffer.subarray(8), 8).buffer, buffer.buffer);
    assert.notEqual(aligned(buffer.subarray(4), 8).buffer, buffer.buffer);
  });
});

it('a shape holds the product of its dimensions, a scalar one element', () => {
  assert.deepEqual([[], [3], [2, 3, 4], [5, 0]].map(countElements), [1, 3, 24, 0]);
});

it('datatypes are those of the protocol', () => {
  for (const name of Object.keys(elementBytes)) assert.equal(isDatatype(name), true);
  for (const other of ['fp32', 'toString', '', 1, null]) assert.equal(isDatatype(other), false);
});
