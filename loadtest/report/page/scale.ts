/** Where a value lies on the paper. */
export interface Scale {
  readonly kind: 'linear' | 'log';
  readonly from: number;
  readonly to: number;
  /** The coordinates of `from` and `to`. */
  readonly start: number;
  readonly end: number;
  place(value: number): number;
}

/** What stands along an axis. */
export interface Axis {
  readonly scale: Scale;
  readonly title: string;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

/** A scale on which equal differences, or on a logarithmic one equal ratios, are equally long. */
export function scale(
  kind: Scale['kind'],
  [from, to]: readonly [number, number],
  [start, end]: readonly [number, number],
): Scale {
  const bend = kind === 'log' ? Math.log : (value: number): number => value;
  const length = bend(to) - bend(from) || 1;
  return {
    kind,
    from,
    to,
    start,
    end,
    place: (value) =>
      start + ((bend(kind === 'log' ? Math.max(value, from) : value) - bend(from)) / length) * (end - start),
  };
}

/** Round values from 0 to at least `to`, about `count` of them, 1, 2 or 5 times a power of ten apart. */
export function roundTicks(to: number, count: number): number[] {
  const rough = Math.max(to, 1e-6) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10) * power;
  return Array.from({ length: Math.ceil(Math.max(to, 1e-6) / step - 1e-9) + 1 }, (_, at) =>
    Number((at * step).toPrecision(12)),
  );
}

/** Powers of ten around a range, with their 2 and 5 where the range is short. */
export function logTicks(from: number, to: number): number[] {
  const low = Math.floor(Math.log10(from) + 1e-9);
  const high = Math.ceil(Math.log10(to) - 1e-9);
  const factors = high - low <= 2 ? [1, 2, 5] : [1];
  const all = Array.from({ length: high - low + 1 }, (_, at) =>
    factors.map((factor) => factor * 10 ** (low + at)),
  ).flat();
  const first = all.findLastIndex((value) => value <= from * (1 + 1e-9));
  const last = all.findIndex((value) => value >= to * (1 - 1e-9));
  return all.slice(Math.max(0, first), last < 0 ? undefined : last + 1).map((value) => Number(value.toPrecision(6)));
}

/** Whole seconds that divide a minute or an hour evenly. */
export function timeTicks(untilMs: number): number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400];
  const stepMs = 1000 * (steps.find((seconds) => untilMs / (1000 * seconds) <= 10) ?? 86_400);
  return Array.from({ length: Math.floor(untilMs / stepMs) + 1 }, (_, at) => at * stepMs);
}
