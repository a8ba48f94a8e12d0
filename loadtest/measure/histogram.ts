import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';

/** How exactly values are kept: 3 digits are within 0.1 %, 2 within 1 % at an eighth of the memory. */
export type Digits = 2 | 3;

/**
 * Counts durations in buckets of microseconds and a fixed relative width (HdrHistogram). Two of them add up to the histogram of all
 * their values, which is how several processes are put together: a quantile of quantiles means nothing.
 */
export class DurationHistogram {
  readonly #histogram: Histogram;
  #sumMs = 0;
  /** Kept beside the buckets, which know it only within their width once they were sent as text. */
  #maxMs = 0;

  constructor(digits: Digits = 3) {
    this.#histogram = emptyHistogram(digits);
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** Of the values as they were recorded, not of their buckets; null when empty. */
  get meanMs(): number | null {
    return this.count === 0 ? null : this.#sumMs / this.count;
  }

  get maxMs(): number | null {
    return this.count === 0 ? null : this.#maxMs;
  }

  /** A negative duration counts as 0. */
  record(durationMs: number): void {
    const microseconds = Math.max(0, Math.round(durationMs * 1000));
    this.#histogram.recordValue(microseconds);
    this.#sumMs += microseconds / 1000;
    this.#maxMs = Math.max(this.#maxMs, microseconds / 1000);
  }

  /** The least duration that at least this share (0..1) of all do not exceed; null when empty. */
  quantileMs(share: number): number | null {
    if (this.count === 0) return null;
    // A bucket answers with its upper end, which may lie above everything that was recorded.
    return Math.min(this.#histogram.getValueAtPercentile(share * 100) / 1000, this.#maxMs);
  }

  /** Adds all that another has counted; the other stays as it is. */
  add(other: DurationHistogram): void {
    this.#histogram.add(other.#histogram);
    this.#sumMs += other.#sumMs;
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  /** As text, for another process. */
  encode(): EncodedHistogram {
    return { counts: encodeIntoCompressedBase64(this.#histogram), sumMs: this.#sumMs, maxMs: this.#maxMs };
  }

  static decode({ counts, sumMs, maxMs }: EncodedHistogram, digits: Digits = 3): DurationHistogram {
    const decoded = new DurationHistogram(digits);
    // Adding to one of our own keeps its resizing, which decoding would fix at the largest value seen.
    decoded.#histogram.add(decodeFromCompressedBase64(counts));
    decoded.#sumMs = sumMs;
    decoded.#maxMs = maxMs;
    return decoded;
  }
}

/** What `encode` gives and `decode` takes. */
export interface EncodedHistogram {
  readonly counts: string;
  readonly sumMs: number;
  readonly maxMs: number;
}

function emptyHistogram(digits: Digits): Histogram {
  return build({ numberOfSignificantValueDigits: digits, highestTrackableValue: 2, autoResize: true });
}
