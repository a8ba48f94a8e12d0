const durationUnitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const sizeUnitsBytes = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

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

function unit(factors: Readonly<Record<string, number>>, wanted: string): Unit {
  const pattern = `^(\\d+(?:\\.\\d+)?)(${Object.keys(factors).join('|')})$`;
  const expression = new RegExp(pattern);
  return {
    pattern,
    wanted,
    parse(text) {
      const [, count, name = ''] = expression.exec(text) ?? [];
      const factor = factors[name];
      return count === undefined || factor === undefined ? null : Number(count) * factor;
    },
  };
}
