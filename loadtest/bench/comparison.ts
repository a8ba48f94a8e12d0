import { seededRng } from '../../gateway/kernel/rng.ts';
import { type CostSlice, measureCost } from './measure-cost.ts';
import { measureHeld } from './measure-held.ts';
import { measureLatency } from './measure-latency.ts';
import type { Peer } from './peer.ts';
import { quantileOf, type Spread, spreadOf } from './spread.ts';
import { chats, digitOf, digits, streamOf, type Workload } from './workloads.ts';

/** How one kind of work went at one peer. A failure stands in the place of figures. */
export type Row<Figures> = { readonly peer: string } & (Figures | { readonly failure: string });

/** Processor time a request or chunk. */
export interface CostFigures {
  readonly microseconds: Spread;
  /** Over the same round of the first peer. */
  readonly ratio: Spread;
  readonly unitsPerSecond: Spread;
  readonly unitsPerRead: Spread;
}

/** Milliseconds over those of the backend asked directly, in the same round. */
export interface LatencyFigures {
  readonly addedP50Ms: Spread;
  readonly addedP99Ms: Spread;
}

/** Everything that was found out. */
export interface Comparison {
  readonly rounds: number;
  readonly request: readonly Row<CostFigures>[];
  readonly chunk: readonly Row<CostFigures>[];
  readonly latency: readonly Row<LatencyFigures>[];
  readonly firstToken: readonly Row<LatencyFigures>[];
  readonly held: readonly Row<{ readonly streams: number }>[];
}

export interface Options {
  readonly rounds: number;
  readonly sliceMs: number;
  /** Until the compiler has seen everything: a gateway has more code than a relay. */
  readonly warmUpMs: number;
  /** Told what is being done. */
  readonly progress: (line: string) => void;
}

/** One whose processor time is counted. */
export type Timed = Peer & { readonly pid: number };

/** Compares peers in rounds in which each has its turn: the machine's mood then falls on all alike. The first is the measure for cost, and the backend itself for time. */
export async function compare(direct: Peer, peers: readonly Timed[], options: Options): Promise<Comparison> {
  const { rounds } = options;
  return {
    rounds,
    request: await compareCost(digits, peers, options),
    chunk: await compareCost(chats, peers, options),
    latency: await compareLatency(direct, peers, {
      ...options,
      title: 'latency',
      isStreaming: false,
      ratePerSecond: 200,
    }),
    firstToken: await compareLatency(direct, peers, {
      ...options,
      title: 'time to first token',
      isStreaming: true,
      ratePerSecond: 40,
    }),
    held: await compareHeld([direct, ...peers], options),
  };
}

/** Has every peer its turn in every round; one that fails has none any more, and its failure is what is told of it. */
export async function inRounds<One extends Peer, Result>(
  peers: readonly One[],
  { rounds, progress, title }: Pick<Options, 'rounds' | 'progress'> & { readonly title: string },
  measure: (peer: One, round: number) => Promise<Result>,
): Promise<Map<One, Result[] | Error>> {
  const results = new Map<One, Result[] | Error>(peers.map((peer) => [peer, []]));
  for (let round = 0; round < rounds; round++) {
    progress(`${title}: round ${round + 1} of ${rounds}`);
    for (const [peer, soFar] of results) {
      if (soFar instanceof Error) continue;
      try {
        soFar.push(await measure(peer, round));
      } catch (error) {
        results.set(peer, error instanceof Error ? error : new Error(String(error)));
      }
    }
  }
  return results;
}

async function compareCost(workload: Workload, peers: readonly Timed[], options: Options): Promise<Row<CostFigures>[]> {
  const { unit } = workload;
  const warmUp = { ...options, rounds: 1, title: `${unit}s, warm-up` };
  await inRounds(peers, warmUp, (peer) => measureCost(workload, peer, options.warmUpMs));
  const results = await inRounds(peers, { ...options, title: `${unit}s` }, (peer) =>
    measureCost(workload, peer, options.sliceMs),
  );
  const [measure] = results.values();
  const bare = measure instanceof Error ? [] : (measure ?? []);
  return rowsOf(results, (slices: CostSlice[]) => {
    const all = (key: keyof CostSlice): Spread => spreadOf(slices.map((slice) => slice[key]));
    const ratios = slices.map(({ microseconds }, at) => microseconds / (bare[at]?.microseconds ?? microseconds));
    return {
      microseconds: all('microseconds'),
      ratio: spreadOf(ratios),
      unitsPerSecond: all('unitsPerSecond'),
      unitsPerRead: all('unitsPerRead'),
    };
  });
}

interface LatencyOptions extends Options {
  readonly title: string;
  readonly isStreaming: boolean;
  readonly ratePerSecond: number;
}

async function compareLatency(
  direct: Peer,
  peers: readonly Peer[],
  options: LatencyOptions,
): Promise<Row<LatencyFigures>[]> {
  const { isStreaming, ratePerSecond, sliceMs } = options;
  const results = await inRounds([direct, ...peers], options, (peer, round) => {
    const request = isStreaming ? streamOf(peer, 'fast') : digitOf(peer);
    const { port, name } = peer;
    return measureLatency({
      port,
      name,
      request,
      isStreaming,
      ratePerSecond,
      forMs: 2 * sliceMs,
      rng: seededRng(round),
    });
  });
  const ofDirect = results.get(direct);
  if (ofDirect === undefined || ofDirect instanceof Error) throw ofDirect ?? new Error('nobody asked the backend');
  const over = (each: number[][], share: number): Spread =>
    spreadOf(each.map((own, at) => quantileOf(own, share) - quantileOf(ofDirect[at] ?? [], share)));
  results.delete(direct);
  return rowsOf(results, (each: number[][]) => ({ addedP50Ms: over(each, 0.5), addedP99Ms: over(each, 0.99) }));
}

async function compareHeld(peers: readonly Peer[], options: Options): Promise<Comparison['held']> {
  const once = { ...options, rounds: 1, title: 'streams held' };
  return rowsOf(await inRounds(peers, once, measureHeld), ([streams = 0]: number[]) => ({ streams }));
}

function rowsOf<Result, Figures>(
  results: ReadonlyMap<Peer, Result[] | Error>,
  figuresOf: (each: Result[]) => Figures,
): Row<Figures>[] {
  return [...results].map(([{ name: peer }, each]) =>
    each instanceof Error ? { peer, failure: each.message } : { peer, ...figuresOf(each) },
  );
}
