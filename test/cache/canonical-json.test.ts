import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonicalJson } from '../../gateway/cache/canonical-json.ts';
import { anyJson, changes, pens } from '../support/caching/json-writing.ts';
import { repetitions } from '../support/counts.ts';

const numRuns = repetitions({ quick: 300, full: 20_000 });
const canonical = (json: string, without: readonly string[] = []) => canonicalJson(Buffer.from(json), without);

describe('canonical JSON', () => {
  it('is the same for every way to write a value, and says the same', () => {
    fc.assert(
      fc.property(anyJson, pens, pens, (value, one, another) => {
        const text = canonical(one(value));
        assert.equal(text, canonical(another(value)));
        assert.deepEqual(JSON.parse(text ?? 'none'), value);
      }),
      { numRuns },
    );
  });

  it('is what another implementation of RFC 8785 writes', () => {
    fc.assert(
      fc.property(anyJson, pens, (value, write) => {
        assert.equal(canonical(write(value)), canonicalize(value));
      }),
      { numRuns },
    );
  });

  it('is another for every other value', () => {
    fc.assert(
      fc.property(anyJson, pens, (value, write) => {
        const text = canonical(write(value));
        for (const changed of changes(value)) assert.notEqual(canonical(write(changed)), text, write(changed));
      }),
      { numRuns: numRuns / 5 },
    );
  });

  it('has members by the code units of their names, and numbers as ECMAScript writes them', () => {
    for (const [json, wanted] of [
      [
        '{"\\u20ac":1,"\\r":2,"\\ud83d\\ude02":3,"1":4,"\\u0080":5,"\\ufb33":6}',
        '{"\\r":2,"1":4,"\u0080":5,"€":1,"😂":3,"\ufb33":6}',
      ],
      ['[333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001]', null],
      [
        '[1E30, 4.50, 2e-3, 0.000000000000000000000000001, 1e21, 123456789012345680000]',
        '[1e+30,4.5,0.002,1e-27,1e+21,123456789012345680000]',
      ],
      [' "a" ', '"a"'],
      ['null', 'null'],
    ] as const)
      assert.equal(canonical(json), wanted, json);
  });

  it('leaves members of the outermost object out, and only there', () => {
    assert.equal(canonical('{"id":{"a":[1,{"b":2}]},"x":{"id":1}}', ['id', 'user']), '{"x":{"id":1}}');
    assert.equal(canonical('[{"id":1}]', ['id']), '[{"id":1}]');
    assert.equal(canonical('{"__proto__":1,"id":2}', ['id']), '{"__proto__":1}');
  });

  it('does not exist where a name is there twice, however it is written and wherever it is', () => {
    for (const json of [
      '{"a":1,"a":1}',
      '{"a":1,"\\u0061":1}',
      '{"id":1,"id":2}',
      '{"x":[{"y":{"b":1,"c":2,"b":1}}]}',
      '{"id":{"a":1,"a":2}}',
      '{"__proto__":1,"__proto__":1}',
    ])
      assert.equal(canonical(json, ['id']), null, json);
  });

  it('does not exist for a number that is not what its double is', () => {
    for (const number of [
      '-0',
      '-0.0',
      '-0e5',
      '9007199254740993',
      '1152921504606846976',
      '0.1000000000000000055',
      '1e999',
      '1e-999',
      '123456789012345678901234567890',
    ])
      for (const json of [number, `[${number}]`, `{"a":{"b":[1, ${number} ]}}`])
        assert.equal(canonical(json), null, json);
  });

  it('takes digits in texts for texts', () => {
    assert.equal(canonical('["-0 9007199254740993 : \\" 1e999"]'), '["-0 9007199254740993 : \\" 1e999"]');
  });

  it('does not exist for what is no JSON, or text of broken characters', () => {
    for (const json of [
      '',
      '{',
      '{"a":1,}',
      '01',
      '{"a":1}x',
      '\ufeff1',
      "{'a':1}",
      '[NaN]',
      '"\\ud800"',
      '{"\\udc00":1}',
    ])
      assert.equal(canonical(json), null, json);
    assert.equal(canonicalJson(Uint8Array.of(0x22, 0xff, 0x22), []), null);
  });

  it('does not exist for what is nested without end', () => {
    const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    assert.equal(canonical(deep(500)), deep(500));
    for (const depth of [501, 30_000, 1_000_000]) assert.equal(canonical(deep(depth)), null);
  });
});
