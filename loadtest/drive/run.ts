import type { Clock } from '../../gateway/kernel/clock.ts';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import type { RequestRecord } from '../measure/record.ts';
import { parseAssertion, withAssertions } from '../report/assertion.ts';
import { summarize } from '../report/summarize.ts';
import type { Band, Environment, Summary } from '../report/summary.ts';
import type { ScenarioSource } from '../scenario/read-scenario.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { Progress } from './progress.ts';
import type { Generated, Generating } from './send-plan.ts';

/** Where it is told how a run gets on. */
export interface Screen {
  /** How often it wants a line. */
  readonly everyMs: number;
  /** Replaces the last one where that can be done. */
  show(line: string): void;
}

/** What is the same for all runs of one command. */
export interface Surroundings {
  readonly environment: Environment;
  readonly screen: Screen;
  /** Aborted: no more is sent, and what is under way is waited for. */
  readonly signal: AbortSignal;
  /** Aborted: what is under way is not waited for either. */
  readonly breakOff: AbortSignal;
}

/** One run against one target. */
export interface RunOptions extends Surroundings {
  readonly source: ScenarioSource;
  readonly target: string;
  /** What progress calls it. */
  readonly title: string;
}

/** What it gave. */
export interface MeasuredRun {
  readonly summary: Summary;
  /** As many as are kept. */
  readonly records: readonly RequestRecord[];
}

/** Where runs are made: among sockets, in the machine's own time, or on the virtual clock. */
export interface Ground {
  /** What passes between one run and the next. */
  readonly clock: Pick<Clock, 'sleep'>;
  /** Sends a scenario to one of its targets, and sums up what came of it. */
  measure(options: RunOptions): Promise<MeasuredRun>;
  close(): void;
}

/** What is to be known of a run whose generator is at work. */
export interface Begun {
  readonly scenario: Scenario;
  readonly generating: Generating;
  /** The one that it goes by. */
  readonly clock: Clock;
  readonly isSimulated: boolean;
}

/** Tells how a run gets on until it has ended, and sums up what came of it. */
export async function completeRun(begun: Begun, options: Omit<RunOptions, 'source'>): Promise<MeasuredRun> {
  const { scenario, isSimulated } = begun;
  const { target, environment, signal } = options;
  const { slos, warmUpMs, seed } = scenario;
  const startedAt = new Date(systemClock.wallMs()).toISOString();
  const generated = await watch(begun, options);
  const { tally } = generated;
  const summary = summarize(tally, {
    run: { name: scenario.name, target, seed, startedAt, isSimulated, environment },
    slos,
    warmUpMs,
    untilMs: signal.aborted || generated.sent >= (scenario.requests ?? Infinity) ? null : scenario.forMs,
    bands: bandsOf(scenario, tally.lastPlannedAtMs),
    health: { ...generated, wasInterrupted: signal.aborted },
  });
  return { summary: withAssertions(summary, assertionsOf(scenario)), records: tally.sample.records() };
}

/** People look at their own time, whatever time the run goes by. */
async function watch(
  { generating, clock, scenario }: Begun,
  { screen, signal, breakOff, title }: Omit<RunOptions, 'source'>,
): Promise<Generated> {
  const progress = new Progress(title, scenario.forMs);
  const forget = [on(signal, () => generating.stop()), on(breakOff, () => generating.breakOff())];
  const startedAtMs = clock.nowMs();
  let timer = systemClock.after(screen.everyMs, function again() {
    screen.show(progress.line(generating.look(), clock.nowMs() - startedAtMs));
    timer = systemClock.after(screen.everyMs, again);
  });
  try {
    return await generating.finished;
  } finally {
    timer.cancel();
    for (const one of forget) one();
  }
}

/** Calls when a signal is aborted, also where it is already; gives how not to. */
function on(signal: AbortSignal, call: () => void): () => void {
  if (signal.aborted) call();
  signal.addEventListener('abort', call);
  return () => signal.removeEventListener('abort', call);
}

function bandsOf({ faults, servers, warmUpMs, forMs }: Scenario, lastPlannedAtMs: number): Band[] {
  const endMs = forMs ?? lastPlannedAtMs;
  const all = [
    ...faults,
    ...servers.flatMap((server) => server.faults.map((one) => ({ ...one, server: server.name }))),
  ];
  const bands = all
    .filter(({ atMs }) => atMs < endMs)
    .map(({ kind, server, atMs, untilMs }) => ({
      name: `${kind.replaceAll('_', ' ')}${server === null ? '' : ` of ${server}`}`,
      fromMs: atMs,
      untilMs: Math.min(untilMs, endMs),
    }));
  return warmUpMs > 0 ? [{ name: 'warm-up', fromMs: 0, untilMs: warmUpMs }, ...bands] : bands;
}

function assertionsOf({ asserts }: Scenario) {
  return asserts.flatMap((text) => {
    const parsed = parseAssertion(text);
    return 'assertion' in parsed ? [parsed.assertion] : [];
  });
}
