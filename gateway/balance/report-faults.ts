import { Topic } from '../kernel/topic.ts';

/** What can be wrong with what a replica tells of its load; for metrics a closed set. */
export const reportFaultKinds = ['malformed', 'bad_value', 'page_unreachable', 'page_unknown'] as const;

/** One of them: it cannot be read at all, a value in it cannot be, the page is not to be had, or is not of the dialect. */
export type ReportFaultKind = (typeof reportFaultKinds)[number];

/** What was wrong once. */
export interface ReportFault {
  readonly kind: ReportFaultKind;
  /** For people. */
  readonly what: string;
}

/** What has been wrong with one replica's load reports. Reports come with every answer: all faults are counted, and told of is the first of each kind. */
export class ReportFaults {
  readonly first = new Topic<ReportFault>();
  readonly #counts = new Map<ReportFaultKind, number>();

  /** How many there were, of the kinds that there were. */
  get counts(): ReadonlyMap<ReportFaultKind, number> {
    return this.#counts;
  }

  note(kind: ReportFaultKind, what: string): void {
    this.count(kind);
    if (this.#counts.get(kind) === 1) this.first.publish({ kind, what });
  }

  /** Counts one that others tell of. */
  count(kind: ReportFaultKind): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }
}
