import { rate } from '../../gateway/settings/units.ts';
import { fewestRepetitions, recommendedRepetitions } from '../compare/compare.ts';
import { comparisonFileOf } from '../compare/comparison.ts';
import { exitCodeOf, exitCodes } from '../report/exit-code.ts';
import { readRun } from '../report/run-folder.ts';
import type { Section } from '../report/sections.ts';
import type { Summary } from '../report/summary.ts';
import { OverrideError } from '../scenario/overrides.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { sweepRates } from '../search/sweep.ts';
import { predict } from '../simulate/prediction.ts';
import { type Bench, compareTargets, findTargetsMaxRate, sweepTarget } from './modes.ts';
import { comparisonFiles, maxRateFiles, predictionFiles, sweepFiles } from './results.ts';
import { type Told, toldOfPrediction, toldOfRuns } from './told.ts';

/** What a load test is to find out, as the command line says it. */
export interface WishOptions {
  readonly compare: boolean;
  readonly repetitions: number | null;
  readonly findMaxRate: boolean;
  /** `FROM..TO`, or empty for rates about that of the scenario; null where none is wanted. */
  readonly sweep: string | null;
  /** The folder of a run that was measured, to be shown beside what is predicted; null for none. */
  readonly measured: string | null;
}

/** Finds it out; what belongs to no single run is written into the folder. */
export type Wish = (work: Work) => Promise<Told>;

interface Work extends Bench {
  readonly scenario: Scenario;
  readonly folder: string;
}

/** What is wished for. Throws an `OverrideError` where that cannot be. */
export function wishOf(options: WishOptions, scenario: Scenario): Wish {
  const { compare, repetitions, findMaxRate, sweep, measured } = options;
  const wished = [compare && '--compare', findMaxRate && '--find-max-rate', sweep !== null && '--sweep'].filter(
    Boolean,
  );
  if (wished.length > 1) throw new OverrideError([`${wished.join(' and ')}: got both, wanted one of them`]);
  if (repetitions !== null && (!compare || repetitions < fewestRepetitions))
    throw new OverrideError([
      `--repetitions: got ${repetitions}, wanted at least ${fewestRepetitions}, together with --compare`,
    ]);
  if (measured !== null && wished.length > 0)
    throw new OverrideError([`--measured: got it with ${wished[0]}, wanted it for a single run`]);
  if (compare) return comparing(scenario, repetitions ?? recommendedRepetitions);
  if (findMaxRate) return findingMaxRate(scenario);
  if (sweep !== null) return sweeping(scenario, sweep);
  return measured === null ? running : predicting(scenario, readRun(measured));
}

/** One run against each target. */
async function running(work: Work): Promise<Told> {
  const summaries = await runEach(work);
  return { ...toldOfRuns(summaries), exitCode: exitCodeOf(summaries) };
}

async function runEach({ scenario: { targets, seed }, measure, signal }: Work): Promise<Summary[]> {
  const summaries: Summary[] = [];
  for (const { name } of targets) {
    if (signal.aborted) break;
    summaries.push(await measure({ target: name, seed, title: name }));
  }
  return summaries;
}

/** The same, with a run that was measured beside the one of its target, or beside the only one. */
function predicting({ targets }: Scenario, measured: Summary): Wish {
  const names = targets.map(({ name }) => name);
  const at = names.length === 1 ? 0 : names.indexOf(measured.run.target);
  if (at < 0)
    throw new OverrideError([`--measured: got a run of ${measured.run.target}, wanted one of ${names.join(', ')}`]);
  return async (work) => {
    const summaries = await runEach(work);
    const predicted = summaries[at];
    if (predicted === undefined) return { ...toldOfRuns(summaries), exitCode: exitCodeOf(summaries) };
    const prediction = predict(predicted, measured);
    const sections = predictionFiles.write(work.folder, prediction);
    return { ...toldOfPrediction(summaries, prediction, sections), exitCode: exitCodeOf(summaries) };
  };
}

function comparing({ targets }: Scenario, repetitions: number): Wish {
  if (targets.length < 2)
    throw new OverrideError([`--compare: got ${targets.length} target, wanted two or more, or the URL of another`]);
  return async (work) => {
    const { folder } = work;
    const { comparisons, summaries } = await compareTargets(work.scenario, work, repetitions);
    const comparison = comparisonFileOf(comparisons);
    const sections = comparisonFiles.write(folder, comparison);
    const valid = summaries.filter(({ verdict }) => verdict.isValid);
    // A run that is invalid costs its pair; only where too few are left nothing can be said.
    const exitCode = exitCodeOf(comparisons.some((one) => one.repetitions < fewestRepetitions) ? summaries : valid);
    return { json: comparison, sections: [...sections, ...brokenClaims(valid)], exitCode };
  };
}

/** Which claims did not hold in runs that count, and how often. */
function brokenClaims(summaries: readonly Summary[]): Section[] {
  const broken = summaries.flatMap(({ run: { target }, asserts }) =>
    asserts.flatMap(({ text, isMet }) => (isMet ? [] : [`${text} does not hold for ${target}`])),
  );
  const lines = [...Map.groupBy(broken, (claim) => claim)].map(
    ([claim, all]) => `${claim} in ${all.length} of ${summaries.length} runs`,
  );
  return lines.length === 0 ? [] : [{ title: 'Claims', lines, table: [] }];
}

function findingMaxRate(scenario: Scenario): Wish {
  const { slos, asserts } = scenario;
  if (asserts.length === 0 && Object.values(slos).every((slo) => slo === null))
    throw new OverrideError(['--find-max-rate: got nothing that a rate must keep, wanted --slo or --assert']);
  const startPerSecond = rateOf(scenario, '--find-max-rate');
  return async (work) => {
    const found = await findTargetsMaxRate(scenario, work, startPerSecond);
    const sections = maxRateFiles.write(work.folder, found);
    const isInvalid = found.maxPerSecond === null && found.limitedBy === 'generator';
    const failed = isInvalid ? exitCodes.invalid : exitCodes.failed;
    return { json: found, sections, exitCode: found.maxPerSecond === null ? failed : exitCodes.passed };
  };
}

/** So many rates from a quarter to four times that of the scenario, each 41 % above the one before. */
const sweepOf = { reach: 4, rates: 9 };

function sweeping(scenario: Scenario, range: string): Wish {
  const middle = rateOf(scenario, '--sweep');
  const [from, to] =
    range === ''
      ? [middle / sweepOf.reach, middle * sweepOf.reach]
      : range.split('..').map((text) => rate.parse(text) ?? Number.NaN);
  if (from === undefined || to === undefined || !(from > 0 && to > from))
    throw new OverrideError([`--sweep: got ${JSON.stringify(range)}, wanted two rates such as 50/s..800/s`]);
  return async (work) => {
    const found = await sweepTarget(scenario, work, sweepRates(from, to, sweepOf.rates));
    const sections = sweepFiles.write(work.folder, found);
    // Beyond the knee claims are meant to fail, and the last rate may be more than can be sent.
    const exitCode = found.kneePerSecond === null ? exitCodeOf(found.points.map(({ summary }) => summary)) : 0;
    return { json: found, sections, exitCode };
  };
}

/** The rate from which a search goes. */
function rateOf({ arrivals }: Scenario, option: string): number {
  if (arrivals.kind === 'open') {
    const [first, ...more] = arrivals.segments;
    if (first !== undefined && more.length === 0 && first.fromPerSecond === first.toPerSecond) return first.toPerSecond;
  }
  if (arrivals.kind === 'trace') {
    const mean = arrivals.trace.meanPerSecond(arrivals.limit ?? arrivals.trace.size) * arrivals.speed;
    if (mean > 0) return mean;
  }
  throw new OverrideError([`${option}: got arrivals without a rate of their own, wanted --rate or others`]);
}
