import { WholeAnswers } from './answer-reader.ts';
import { inRounds, type Options, type Timed } from './comparison.ts';
import { bareRelay, startWith } from './headgate-peer.ts';
import { type CostSlice, measureCost } from './measure-cost.ts';
import { asPeer, freePort, type Peer, startScript } from './peer.ts';
import { inWords, type Spread, spreadOf } from './spread.ts';
import { renderTable } from './tables.ts';
import { textPath } from './text-answer.ts';
import { asPost, type Workload } from './workloads.ts';

/** A peer with what it is asked: the same peer may be there under two names. */
type Case = Timed & { readonly workload: Workload };

/** What the cost of one is to be over that of another. */
interface Claim {
  readonly of: string;
  readonly over: string;
  readonly atMost: number;
}

const [server, relay, proxied, hit, miss] = ['bare server', 'bare relay', 'no cache', 'hit', 'miss'] as const;

const claims: readonly Claim[] = [
  { of: hit, over: server, atMost: 1.8 },
  { of: hit, over: proxied, atMost: 0.7 },
  { of: miss, over: relay, atMost: 1.7 },
];

/** Texts to embed for a model, each answered with a kilobyte: always the same, or never one again. Every answer must have some text in its head. */
export function textsFor(model: string, isSame: boolean, wanted = ''): Workload {
  let count = 0;
  return {
    unit: 'request',
    connections: 32,
    requests: (peer) => () => {
      // As long as any other, so that all cost alike.
      const number = String(isSame ? 0 : count++).padStart(9, '0');
      return asPost(peer, textPath, { model, input: `text ${number}` });
    },
    newReader: () => new WholeAnswers(wanted),
  };
}

/** A backend for both models: answers of `kept` are, those of `passed` are not. */
function settingsFor(backendPort: number): object {
  const replicas = [{ id: 'stub', url: `http://127.0.0.1:${backendPort}` }];
  const to = [{ backend: 'texts' }];
  return {
    backends: [{ name: 'texts', protocol: 'openai', models: ['kept', 'passed'], replicas }],
    routes: [
      { match: { model: 'kept' }, to, cache: { fresh: '10m' }, coalesce: true },
      { match: { model: 'passed' }, to },
    ],
    cache: { memory: '64MiB' },
  };
}

/** Starts them all, and adds each as it runs. Each gateway is a process of its own, so that none has the other's garbage. */
async function startCases(backendPort: number, cases: Case[]): Promise<void> {
  const add = ({ pid, ...peer }: Peer, workload: Workload): void => {
    if (pid !== null) cases.push({ ...peer, pid, workload });
  };
  const port = await freePort();
  add(asPeer(server, port, await startScript('bare-server.ts', port)), textsFor('passed', true));
  add(await bareRelay.start(backendPort), textsFor('passed', true));
  const settings = settingsFor(backendPort);
  add(await startWith(proxied, settings), textsFor('passed', true));
  add(await startWith(hit, settings), textsFor('kept', true, 'headgate; hit'));
  add(await startWith(miss, settings), textsFor('kept', false, 'headgate; fwd=miss'));
}

/** `npm run bench -- cache`: processor time of a hit, of a miss and of a request without a cache, beside the least that Node can do for them, in turns. */
export async function cacheCost(options: Options): Promise<string> {
  const backendPort = await freePort();
  const backend = await startScript('stub-backend.ts', backendPort);
  const cases: Case[] = [];
  try {
    await startCases(backendPort, cases);
    for (const one of cases) if (one.name === hit) await measureCost(firstOf(one.workload), one, 100);
    const measured = (forMs: number, rounds: number, title: string): ReturnType<typeof slicesOf> =>
      slicesOf(cases, { ...options, rounds, title }, forMs);
    await measured(options.warmUpMs, 1, 'warm-up');
    return tableOf(await measured(options.sliceMs, options.rounds, 'cache'), options.rounds);
  } finally {
    for (const one of cases) one.stop();
    backend.kill();
  }
}

/** What comes before the first hit, and is none. */
function firstOf(workload: Workload): Workload {
  return { ...workload, connections: 1, newReader: () => new WholeAnswers() };
}

async function slicesOf(
  cases: readonly Case[],
  options: Parameters<typeof inRounds>[1],
  forMs: number,
): Promise<Map<string, CostSlice[]>> {
  const results = await inRounds(cases, options, (one) => measureCost(one.workload, one, forMs));
  return new Map(
    [...results].map(([{ name }, slices]) => {
      if (slices instanceof Error) throw slices;
      return [name, slices];
    }),
  );
}

function tableOf(slices: ReadonlyMap<string, readonly CostSlice[]>, rounds: number): string {
  const timesOf = (of: string, over: string): Spread => {
    const others = slices.get(over) ?? [];
    return spreadOf(
      (slices.get(of) ?? []).map(({ microseconds }, at) => microseconds / (others[at]?.microseconds ?? Number.NaN)),
    );
  };
  const table = renderTable({
    title: `Processor time a request answered with a kilobyte, 32 connections, median (least .. most) of ${rounds} interleaved rounds`,
    columns: ['microseconds', ...[server, relay, proxied].map((name) => `times ${name}`), 'a second'],
    rows: [...slices].map(([name, each]) => [
      name,
      inWords(spreadOf(each.map(({ microseconds }) => microseconds)), 1),
      ...[server, relay, proxied].map((over) => inWords(timesOf(name, over), 2)),
      inWords(spreadOf(each.map(({ unitsPerSecond }) => unitsPerSecond)), 0),
    ]),
  });
  const verdicts = claims.map(({ of, over, atMost }) => {
    const { median } = timesOf(of, over);
    return `${of} over ${over}: ${median.toFixed(2)}, wanted at most ${atMost}: ${median <= atMost ? 'held' : 'missed'}`;
  });
  return `${[table, '', ...verdicts].join('\n')}\n`;
}
