import type { LoadReport } from '../balance/load-report.ts';
import type { ReportFaults } from '../balance/report-faults.ts';

/** Where faults in a report are noted. */
export type FaultNotes = Pick<ReportFaults, 'note'>;

/** What replicas tell: the fields of a report, and the requests that they run, which with those that wait are all they have. */
export type Quantity = keyof LoadReport | 'running';

/** Beyond these a value is a mistake or a lie: what no server holds, no request takes and no rate reaches. */
const highest: Readonly<Record<Quantity, number>> = {
  slots: 1_000_000,
  inFlight: 1_000_000,
  running: 1_000_000,
  queued: 1_000_000,
  serviceSeconds: 86_400,
  kvUsedShare: 1,
  utilisationShare: 1_000,
  requestsPerSecond: 10_000_000,
  errorsPerSecond: 10_000_000,
};

/** Of these zero says nothing: a protobuf field that was never set reads as zero, and a replica without a slot would never be sent anything again. */
const lowestTold: Readonly<Partial<Record<Quantity, number>>> = {
  slots: 1,
  serviceSeconds: Number.MIN_VALUE,
  utilisationShare: Number.MIN_VALUE,
  requestsPerSecond: Number.MIN_VALUE,
  errorsPerSecond: Number.MIN_VALUE,
};

/** A report in the making. It takes what is told value by value, in whatever spelling it was; what cannot be is passed over and noted. */
export class ReportDraft {
  readonly #faults: FaultNotes;
  readonly #values: Partial<Record<Quantity, number>> = {};
  #isEmpty = true;

  constructor(faults: FaultNotes) {
    this.#faults = faults;
  }

  /** Takes a value under the name that the replica gives it. Told twice, the first holds. */
  take(quantity: Quantity, name: string, value: unknown): void {
    if (value === null) return;
    if (typeof value !== 'number' || !(value >= 0 && value <= highest[quantity])) {
      this.#faults.note('bad_value', `${name} is ${shown(value)}`);
      return;
    }
    if (value < (lowestTold[quantity] ?? 0) || this.#values[quantity] !== undefined) return;
    this.#values[quantity] = value;
    this.#isEmpty = false;
  }

  /** Notes what is no value at all. */
  malformed(what: string): void {
    this.#faults.note('malformed', what);
  }

  /** The report; null where nothing was told. */
  finish(): LoadReport | null {
    if (this.#isEmpty) return null;
    const told = this.#values;
    const { running, queued = null } = told;
    return {
      slots: told.slots ?? null,
      // Who tells of no queue is taken to have none.
      inFlight: told.inFlight ?? (running === undefined ? null : running + (queued ?? 0)),
      queued,
      serviceSeconds: told.serviceSeconds ?? null,
      kvUsedShare: told.kvUsedShare ?? null,
      utilisationShare: told.utilisationShare ?? null,
      requestsPerSecond: told.requestsPerSecond ?? null,
      errorsPerSecond: told.errorsPerSecond ?? null,
    };
  }
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** A number as texts write it; what is none stays the text that it is. */
export function numberOrText(text: string): number | string {
  return decimal.test(text) ? Number(text) : text;
}

/** A replica may write anything: of that, a log gets little. */
function shown(value: unknown): string {
  if (typeof value === 'object') return 'no number';
  const text = String(value);
  return text.length <= 30 ? text : `${text.slice(0, 30)}...`;
}
