import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { duration, size } from '../../gateway/settings/units.ts';
import { repetitions } from '../support/counts.ts';

const accepted = [
  [duration, '0ms', 0],
  [duration, '250ms', 250],
  [duration, '1.5s', 1500],
  [duration, '0.25s', 250],
  [duration, '30s', 30_000],
  [duration, '5m', 300_000],
  [duration, '2h', 7_200_000],
  [duration, '1d', 86_400_000],
  [duration, '007s', 7000],
  [size, '0B', 0],
  [size, '512B', 512],
  [size, '64KiB', 65_536],
  [size, '16MiB', 16_777_216],
  [size, '0.5GiB', 536_870_912],
  [size, '1GiB', 1_073_741_824],
] as const;

const refused = [
  [
    duration,
    ['', 's', '5', '5sec', '5 s', ' 5s', '5s ', '5s\n', '-1s', '+1s', '1e3ms', '.5s', '5.s', '1,5s', '5S', '5us'],
  ],
  [duration, ['1h30m', 'PT5S', '0x5s', 'Infinitys', 'NaNms', '٥s', '5ms5', '5sms', '16MiB']],
  [size, ['', 'B', '16', '10MB', '10M', '10Mb', '10mib', '10 MiB', '-1B', '1e3B', '1TiB', '10MiB/s', '1_000B', '5s']],
] as const;

for (const [unit, text, value] of accepted) {
  test(`${text} is ${value}`, () => {
    assert.equal(unit.parse(text), value);
  });
}

for (const [unit, texts] of refused) {
  for (const text of texts) {
    test(`${JSON.stringify(text)} is not ${unit.wanted}`, () => {
      assert.equal(unit.parse(text), null);
    });
  }
}

test('the pattern that editors check with accepts exactly what is parsed', () => {
  const near = fc.stringMatching(/^[ -]?\d{0,3}\.?\d{0,2} ?(?:ms|s|m|h|d|B|KiB|MiB|GiB|MB|sec)?$/);
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), fc.constantFrom(duration, size), (text, unit) => {
      assert.equal(new RegExp(unit.pattern).test(text), unit.parse(text) !== null);
    }),
    { numRuns: repetitions({ quick: 1000, full: 50_000 }) },
  );
});

test('a whole number of a unit is that many base units, whatever the number', () => {
  const factors = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.constantFrom(...Object.entries(factors)), (count, [name, factor]) => {
      assert.equal(duration.parse(`${count}${name}`), count * factor);
    }),
    { numRuns: repetitions({ quick: 200, full: 5000 }) },
  );
});
