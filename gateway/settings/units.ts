const durationUnitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const rateUnitsSeconds = { '/s': 1, '/m': 60, '/h': 3600 } as const;
const sizeUnitsBytes = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

const throughputUnits = { 'B/s': 1, 'KiB/s': 1024, 'MiB/s': 1024 ** 2, 'GiB/s': 1024 ** 3 } as const;

/** A number and its unit, as YAML writes quantities. */
export interface Unit {
  /** What a regular expression for the text looks like; goes into the JSON Schema. */
  readonly pattern: string;
  /** For people: what was wanted, with examples. */
  readonly wanted: string;
  /** The value in the base unit, or null when the text is none. */
  parse(text: string): number | null;
}

/** Milliseconds from `250ms`, `1.5s`, `30s`, `5m`, `2h`, `1d`. */
export const duration: Unit = unit(durationUnitsMs, 'a duration such as 250ms, 30s or 5m');

/** Bytes from `512B`, `64KiB`, `16MiB`, `1GiB`. */
export const size: Unit = unit(sizeUnitsBytes, 'a size such as 64KiB, 16MiB or 1GiB');

/** Events a second from `200/s`, `30/m`, `5/h`. */
export const rate: Unit = unit(rateUnitsSeconds, 'a rate such as 200/s or 30/m', over);

/** Bytes a second from `512B/s`, `64KiB/s`, `1MiB/s`. */
export const throughput: Unit = unit(throughputUnits, 'a throughput such as 512B/s or 64KiB/s');

/** A number from 0 to 1 from `20%`. */
export const share: Unit = unit({ '%': 100 }, 'a share such as 5% or 0.1%', over);

const quantileExpression = /^p([5-9]\d(?:\.\d)?)$/;

/** A number from 0.5 to 0.999 from `p50` to `p99.9`. */
export const quantile: Unit = {
  pattern: quantileExpression.source,
  wanted: 'a quantile such as p50, p95 or p99.9',
  parse(text) {
    const [, percent] = quantileExpression.exec(text) ?? [];
    // Exact where a quotient would not be: p99.9 is 0.999.
    return percent === undefined ? null : Number(`${percent}e-2`);
  },
};

function unit(factors: Readonly<Record<string, number>>, wanted: string, combine = times): Unit {
  const pattern = `^(\\d+(?:\\.\\d+)?)(${Object.keys(factors).join('|')})$`;
  const expression = new RegExp(pattern);
  return {
    pattern,
    wanted,
    parse(text) {
      const [, count, name = ''] = expression.exec(text) ?? [];
      const factor = factors[name];
      return count === undefined || factor === undefined ? null : combine(Number(count), factor);
    },
  };
}

function times(count: number, factor: number): number {
  return count * factor;
}

/** Exact where a product with a fraction would not be: 95 % is 0.95. */
function over(count: number, divisor: number): number {
  return count / divisor;
}
