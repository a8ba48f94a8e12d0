import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  countElements,
  findMember,
  findMembers,
  firstElement,
  parseValue,
  skipValue,
  wholeNumberAt,
} from '../../gateway/protocols/json-skim.ts';
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
        for (const [name, one] of members.filter(([name]) => /^[a-z_]*$/i.test(name))) {
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

/** What is found of some names in a text, parsed; undefined for those that are not there. */
function members<Name extends string>(text: string, names: readonly Name[]) {
  const bytes = bytesOf(text);
  const { at, twice } = findMembers(bytes, 0, names);
  const values = names.map((name) => (at[name] < 0 ? undefined : parseValue(bytes, at[name])));
  return { values, twice };
}

describe('finding several members', () => {
  const names = ['model', 'stream', 'input'] as const;

  it('finds each wherever it stands, and none that is deeper', () => {
    const deeper = '"x":{"model":9,"stream":[{"input":9}]}';
    for (const text of [
      `{"model":"m","stream":true,"input":[1],${deeper}}`,
      `{"input":[1],${deeper},"stream":true,"model":"m"}`,
      ` { ${deeper} , "stream" : true , "input" :\n[1],"model"\t:"m" } `,
    ])
      assert.deepEqual(members(text, names), { values: ['m', true, [1]], twice: null }, text);
    assert.deepEqual(members(`{${deeper}}`, names), { values: [undefined, undefined, undefined], twice: null });
  });

  it('notices a name that is given twice, in whatever case or spelling', () => {
    const twins = ['"model"', '"MODEL"', '"Model"', String.raw`"mod\u0065l"`, String.raw`"\u004dodel"`];
    for (const one of twins) {
      for (const other of twins)
        assert.equal(members(`{${one}:1,"x":[0],${other}:2}`, names).twice, 'model', `${one} and ${other}`);
    }
    assert.equal(members('{"input":1,"a":{"input":2},"Input":3,"model":1,"model":2}', names).twice, 'input');
  });

  it('takes no other name for one of them', () => {
    for (const name of ['"mode"', '"models"', '"model "', String.raw`"model\u0000"`, String.raw`"model\\"`, '"\u004b"'])
      assert.deepEqual(
        members(`{"model":1,${name}:2}`, names),
        { values: [1, undefined, undefined], twice: null },
        name,
      );
  });

  it('gives a value only under the very name', () => {
    assert.deepEqual(members('{"MODEL":1}', names).values, [undefined, undefined, undefined]);
    assert.deepEqual(members(String.raw`{"\u006dodel":1}`, names).values, [1, undefined, undefined]);
  });

  it('tells of what stands before the end of a text that is cut off', () => {
    const text = '{"model":"m","x":{"y":[1,2]},"stream":true,"Model":"n"}';
    for (let length = 0; length <= text.length; length++) {
      const { values, twice } = members(text.slice(0, length), names);
      assert.equal(values[0], length < '{"model":"m"'.length ? undefined : 'm', text.slice(0, length));
      assert.equal(twice, length > text.indexOf('"n"') ? 'model' : null, text.slice(0, length));
    }
  });

  it('agrees with JSON.parse on any object, whatever is in it', () => {
    const long = fc.array(fc.constantFrom('"', '\\', 'x', 'é', '\n'), { minLength: 55, maxLength: 75 });
    const text = long.map((all) => all.join(''));
    const value = fc.oneof(
      fc.jsonValue(),
      text,
      fc.array(text, { maxLength: 3 }),
      fc.dictionary(text, text, { maxKeys: 2 }),
    );
    const name = fc.oneof(fc.constantFrom(...names), text, fc.string({ maxLength: 7 }));
    fc.assert(
      fc.property(fc.dictionary(name, value, { maxKeys: 8 }), (any) => {
        const written = JSON.stringify(any);
        const parsed: Record<string, unknown> = JSON.parse(written);
        assert.deepEqual(members(written, names), {
          values: names.map((one) => (Object.hasOwn(parsed, one) ? parsed[one] : undefined)),
          twice: null,
        });
      }),
      { numRuns },
    );
  });
});

it('a string ends where it ends, however many escapes lie around the border between short and long', () => {
  for (let before = 55; before < 70; before++) {
    for (let escapes = 0; escapes < 8; escapes++) {
      for (const rest of ['', 'x', '"', 'x'.repeat(100)]) {
        const text = JSON.stringify(`${'x'.repeat(before)}${'\\'.repeat(escapes)}${rest}`);
        assert.equal(skipValue(bytesOf(`${text},"y\\"`), 0), text.length, text);
      }
    }
  }
});

describe('counting elements', () => {
  it('agrees with JSON.parse on any array, however it is laid out', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 12 }), fc.constantFrom('', ' ', '\n\t'), (array, gap) => {
        const text = `${gap}[${gap}${array.map((one) => JSON.stringify(one, null, gap)).join(`${gap},${gap}`)}${gap}]${gap}`;
        assert.equal(countElements(bytesOf(`${text},1`), 0), array.length, text);
      }),
      { numRuns },
    );
  });

  it('counts what is cut off as far as it goes, and what is no array not at all', () => {
    assert.deepEqual(
      ['[', '[1', '[1,', '["a,b","c', '[[1,2],[3', '{"a":1}', '"[1]"', '7', ''].map((text) =>
        countElements(bytesOf(text), 0),
      ),
      [0, 1, 1, 2, 2, 0, 0, 0, 0],
    );
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
