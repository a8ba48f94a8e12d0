import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { duration, quantile, rate, share, size, throughput } from '../../gateway/settings/units.ts';
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
  [rate, '0/s', 0],
  [rate, '200/s', 200],
  [rate, '0.5/s', 0.5],
  [rate, '90/m', 1.5],
  [rate, '1800/h', 0.5],
  [rate, '420/m', 7],
  [throughput, '512B/s', 512],
  [throughput, '64KiB/s', 65_536],
  [throughput, '1.5MiB/s', 1_572_864],
  [share, '0%', 0],
  [share, '5%', 0.05],
  [share, '0.1%', 0.001],
  [share, '95%', 0.95],
  [share, '100%', 1],
  [quantile, 'p50', 0.5],
  [quantile, 'p95', 0.95],
  [quantile, 'p95.0', 0.95],
  [quantile, 'p99.9', 0.999],
] as const;

const refused = [
  [
    duration,
    ['', 's', '5', '5sec', '5 s', ' 5s', '5s ', '5s\n', '-1s', '+1s', '1e3ms', '.5s', '5.s', '1,5s', '5S', '5us'],
  ],
  [duration, ['1h30m', 'PT5S', '0x5s', 'Infinitys', 'NaNms', '٥s', '5ms5', '5sms', '16MiB']],
  [size, ['', 'B', '16', '10MB', '10M', '10Mb', '10mib', '10 MiB', '-1B', '1e3B', '1TiB', '10MiB/s', '1_000B', '5s']],
  [rate, ['', '/s', '200', '200 /s', '-1/s', '200/sec', '200/ms', '1e3/s', '5s', '200/s/s']],
  [throughput, ['', 'B/s', '64KiB', '64KB/s', '64 KiB/s', '-1B/s', '64KiB/m', '5/s']],
  [share, ['', '%', '5', '5 %', '-1%', '0.05', '5%%', '1e1%']],
  [quantile, ['', 'p', '95', 'p5', 'p49.9', 'p100', 'p99.95', 'p095', 'p95%', 'P95', 'p 95', 'p9e1', 'p99.']],
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
  const near = fc.stringMatching(/^[ p-]?\d{0,3}\.?\d{0,2} ?(?:ms|s|m|h|d|B|KiB|MiB|GiB|MB|sec|%)?(?:\/[smh])?$/);
  const units = fc.constantFrom(duration, size, rate, throughput, share, quantile);
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), units, (text, unit) => {
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
