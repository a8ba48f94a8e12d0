import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { findMember, firstElement, parseValue, skipValue, wholeNumberAt } from '../../gateway/protocols/json-skim.ts';
import { repetitions } from '../support/counts.ts';

const numRuns = repetitions({ quick: 500, full: 50_000 });
const bytesOf = (text: string): Uint8Array => Buffer.from(text);

/** A member found in a text, parsed; undefined where there is none. */
function member(text: string, name: string): unknown {
  const bytes = bytesOf(text);
  const at = findMember(bytes, 0, name);
  return at < 0 ? undefined : parseValue(bytes, at);
}

const key = fc.oneof(
  fc.constantFrom('model', 'inputs', 'shape', 'model_name', ''),
  fc.string({ unit: 'binary-ascii', maxLength: 5 }),
);
const object = fc.dictionary(key, fc.jsonValue(), { maxKeys: 8 });

describe('finding a member', () => {
  it('gives the very bytes of every member of any object, however it is laid out', () => {
    const space = fc.constantFrom('', ' ', '\n\t', '\r\n  ');
    fc.assert(
      fc.property(object, space, (value, gap) => {
        const members = Object.entries(value).map(([name, one]) => [name, JSON.stringify(one, null, gap)] as const);
        const inside = members.map(([name, one]) => `${gap}${JSON.stringify(name)}${gap}:${gap}${one}${gap}`).join(',');
        const bytes = Buffer.from(`${gap}{${inside}}`);
        for (const [name, one] of members) {
          const at = findMember(bytes, 0, name);
          assert.ok(at >= 0, name);
          assert.equal(bytes.toString('utf8', at, skipValue(bytes, at)), one);
        }
      }),
      { numRuns },
    );
  });

  it('finds none that is not there', () => {
    fc.assert(
      fc.property(object, key, (value, name) => {
        if (!Object.hasOwn(value, name)) assert.equal(findMember(bytesOf(JSON.stringify(value)), 0, name), -1);
      }),
      { numRuns },
    );
  });

  it('does not look into deeper objects, strings or arrays', () => {
    const text = String.raw`{"a":{"model":1},"b":"\"model\":2","c":[{"model":3}],"model":4}`;
    assert.equal(member(text, 'model'), 4);
  });

  it('takes the first of two, and reads a name that is written with escapes', () => {
    assert.equal(member('{"model":1,"model":2}', 'model'), 1);
    assert.equal(member(String.raw`{"mod\u0065l":1}`, 'model'), 1);
    assert.equal(member(String.raw`{"modex\\":1,"model":2}`, 'model'), 2);
  });

  it('finds none in what is no object, or is cut off before it', () => {
    for (const text of [
      '',
      ' ',
      '[]',
      '"model"',
      'null',
      '{',
      '{"model',
      '{"model"',
      '{"model":',
      '{x',
      '{"a":1 "model":2}',
    ])
      assert.equal(findMember(bytesOf(text), 0, 'model'), -1, text);
  });

  it('comes to an end within the text, whatever bytes it gets', () => {
    const pieces = fc.array(
      fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', ' ', '"model"', '"model":', '1', 'null', '\0'),
      { maxLength: 40, size: 'max' },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          pieces.map((all) => bytesOf(all.join(''))),
          fc.uint8Array({ maxLength: 40 }),
        ),
        (bytes) => {
          const at = findMember(bytes, 0, 'model');
          assert.ok(at >= -1 && at < Math.max(bytes.length, 1));
          for (let from = 0; from < bytes.length; from++) {
            const end = skipValue(bytes, from);
            assert.ok(end >= from && end <= bytes.length);
            parseValue(bytes, from);
            wholeNumberAt(bytes, from);
            firstElement(bytes, from);
          }
        },
      ),
      { numRuns },
    );
  });
});

describe('skipping a value', () => {
  it('ends right behind it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('', ',1', ' }', ']'), (value, rest) => {
        const text = JSON.stringify(value);
        const bytes = bytesOf(text + rest);
        assert.equal(skipValue(bytes, 0), Buffer.from(text).length);
      }),
      { numRuns },
    );
  });

  it('gives what stands there, parsed', () => {
    const text = String.raw`[1, "\u00e9\"", {"a": [null, true]}]`;
    assert.deepEqual(parseValue(bytesOf(`${text}, 2`), 0), [1, 'é"', { a: [null, true] }]);
  });

  it('goes to the end of what is cut off, which is no value', () => {
    for (const text of ['[1,2', '{"a":', '"abc', '"abc\\']) {
      assert.equal(skipValue(bytesOf(text), 0), text.length);
      assert.equal(parseValue(bytesOf(text), 0), undefined);
    }
  });
});

describe('the first element of an array', () => {
  it('is where it begins', () => {
    const text = '{"shape": [ 8 , 64]}';
    const bytes = bytesOf(text);
    const at = firstElement(bytes, findMember(bytes, 0, 'shape'));
    assert.equal(text[at], '8');
    assert.equal(wholeNumberAt(bytes, at), 8);
  });

  it('is nowhere in an empty array, a cut one, or none', () => {
    for (const text of ['[]', '[ ]', '[', '[ ', '{"a":1}', '1', ''])
      assert.equal(firstElement(bytesOf(text), 0), -1, text);
  });
});

it('a whole number is digits and nothing else, and no more than can be exact', () => {
  const read = (text: string): number | null => wholeNumberAt(bytesOf(text), 0);
  assert.deepEqual(['0', '12,', '64]', '999999999999999 '].map(read), [0, 12, 64, 999_999_999_999_999]);
  for (const text of ['', ',', '-1', '1.5', '1e3', '"1"', 'x', '1x', '1000000000000000'])
    assert.equal(read(text), null, text);
});
