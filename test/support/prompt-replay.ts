import assert from 'node:assert/strict';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { parseSettings } from '../../gateway/settings/load.ts';
import { type TraceRow, traceBlockTokens } from '../../loadtest/arrivals/trace.ts';
import { exponential } from '../../loadtest/model-server/draws.ts';
import { modelServerOf } from '../../loadtest/model-server/model-server.ts';
import { parseProfile } from '../../loadtest/model-server/read-profile.ts';
import { promptOfText } from '../../loadtest/model-server/tokens.ts';
import { type Stretch, textOf } from '../../loadtest/payloads/words.ts';
import { Flow } from '../../loadtest/simulate/flow.ts';
import { ReplicaConnections } from '../../loadtest/simulate/replica-connections.ts';
import { SimulatedFront } from '../../loadtest/simulate/simulated-front.ts';
import { SimulatedGateway } from '../../loadtest/simulate/simulated-gateway.ts';

/** A request of a replay: its prompt, and how long the answer is. */
export interface Prompting {
  readonly prompt: readonly Stretch[];
  readonly outputTokens: number;
}

interface Replay {
  readonly promptings: readonly Prompting[];
  readonly ratePerSecond: number;
  /** Keys of the backend, as in the YAML. */
  readonly backend: string;
  readonly seed: number;
  /** How fast each server is beside the others, and what is said of each in the YAML besides. Eight alike unless said otherwise. */
  readonly servers?: readonly ServerKind[];
}

/** One of the servers of a replay. */
export interface ServerKind {
  readonly speed: number;
  /** Tokens that it holds of prompts and answers. */
  readonly kvTokens: number;
  /** Keys of the replica, as in the YAML, with a comma in front. */
  readonly keys?: string;
}

/** What came of a replay. */
export interface Replayed {
  /** Of the blocks of all prompts, those that were found in a server's cache. */
  readonly hitShare: number;
  /** From sending to the first byte of an answer, on average. */
  readonly firstByteMs: number;
  /** The same of the slowest hundredth. */
  readonly firstByteP99Ms: number;
  /** Requests of the replica that got most, by the mean of all. */
  readonly mostRequests: number;
  /** The same of the time that requests spent there. */
  readonly mostTime: number;
}

const serverCount = 8;
const blocksPerServer = 2_000;
const alike: readonly ServerKind[] = Array.from({ length: serverCount }, () => {
  return { speed: 1, kvTokens: blocksPerServer * traceBlockTokens };
});

/** The prompts of a trace. Where there are system prompts, each conversation has one of them in front. */
export function promptingsOf(rows: readonly TraceRow[], systemPromptTokens: readonly number[] = []): Prompting[] {
  return rows.map(({ inputTokens, outputTokens, blocks }) => {
    const ids = Array.from(blocks ?? []);
    const own = ids.map((key, at) => {
      return { seed: 1, key, tokens: Math.min(traceBlockTokens, inputTokens - at * traceBlockTokens) };
    });
    // All prompts of a trace have their first block in common.
    const key = (ids[1] ?? 0) % Math.max(1, systemPromptTokens.length);
    const system = systemPromptTokens.slice(key, key + 1).map((tokens) => ({ seed: 2, key, tokens }));
    return { prompt: [...system, ...own], outputTokens };
  });
}

/** The share of blocks that one cache of all servers' size would find, which forgets what was not used longest, if requests came one after the other. */
export function pooledHitShare(promptings: readonly Prompting[]): number {
  const cache = new Set<number>();
  let hits = 0;
  for (const { prompt } of promptings) {
    const { blocks } = promptOfText(textOf(prompt).toString(), traceBlockTokens);
    const missAt = blocks.findIndex((block) => !cache.has(block));
    hits += missAt < 0 ? blocks.length : missAt;
    for (const block of blocks.toReversed()) {
      cache.delete(block);
      cache.add(block);
    }
    for (const block of cache) {
      if (cache.size <= serverCount * blocksPerServer) break;
      cache.delete(block);
    }
  }
  return hits / blocksOf(promptings);
}

function blocksOf(promptings: readonly Prompting[]): number {
  return sumOf(promptings, ({ prompt }) => Math.floor(sumOf(prompt, ({ tokens }) => tokens) / traceBlockTokens));
}

/** Sends prompts at random instants to eight LLM servers on the virtual clock, through all of a gateway but its ports. */
export async function replay({ promptings, ratePerSecond, backend, seed, servers = alike }: Replay): Promise<Replayed> {
  const clock = new VirtualClock();
  const models = servers.map((one, at) => modelServerOf(profileOf(one), clock, seed * 100 + at));
  const fronts = models.map((model) => new SimulatedFront(model));
  const gateway = new SimulatedGateway({
    settings: parseSettings(configOf(backend, servers), 'gateway.yaml', {}),
    clock,
    seed,
    connect(origin) {
      const front = fronts[Number(new URL(origin).port) - 1];
      assert.ok(front !== undefined);
      return new ReplicaConnections(front);
    },
  });
  await clock.runThrough(gateway.start());
  const answered = await clock.runThrough(sendAll(promptings, ratePerSecond, { gateway, clock, seed }));
  const cachedTokens = sumOf(models, ({ server }) => server.engine.load().done.cachedTokens);
  for (const front of fronts) front.close();
  await gateway.close();
  const ofReplicas = [...Map.groupBy(answered, ({ replica }) => replica).values()];
  return {
    hitShare: cachedTokens / traceBlockTokens / blocksOf(promptings),
    firstByteMs: sumOf(answered, ({ firstByteMs }) => firstByteMs) / answered.length,
    firstByteP99Ms: p99Of(answered.map(({ firstByteMs }) => firstByteMs)),
    mostRequests: mostByMean(ofReplicas.map((all) => all.length)),
    mostTime: mostByMean(ofReplicas.map((all) => sumOf(all, ({ tookMs }) => tookMs))),
  };
}

function p99Of(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(0.99 * values.length)] ?? Number.NaN;
}

function profileOf({ speed, kvTokens }: ServerKind) {
  const faults = speed === 1 ? '' : `, faults: [{ kind: slow, by: ${1 / speed} }]`;
  return parseProfile(`{ kind: llm, block_tokens: ${traceBlockTokens}, kv_tokens: ${kvTokens}${faults} }`, {
    file: 'profile.yaml',
    kind: 'llm',
    environment: {},
  });
}

function configOf(backend: string, servers: readonly ServerKind[]): string {
  const replicas = servers.map(({ keys = '' }, at) => `{ id: r${at}, url: "http://127.0.0.1:${at + 1}"${keys} }`);
  return `backends: [{ name: pool, protocol: openai, models: [simulated], replicas: [${replicas.join()}], ${backend} }]`;
}

interface Place {
  readonly gateway: SimulatedGateway;
  readonly clock: VirtualClock;
  readonly seed: number;
}

async function sendAll(promptings: readonly Prompting[], perSecond: number, place: Place): Promise<Answered[]> {
  const rng = seededRng(place.seed);
  const answers: Promise<Answered>[] = [];
  for (const prompting of promptings) {
    await place.clock.sleep((exponential(rng) / perSecond) * 1000);
    answers.push(ask(prompting, place));
  }
  return Promise.all(answers);
}

interface Answered {
  readonly replica: string;
  readonly firstByteMs: number;
  readonly tookMs: number;
}

function ask({ prompt, outputTokens }: Prompting, { gateway, clock }: Place): Promise<Answered> {
  const body = Buffer.concat([
    Buffer.from('{"model":"simulated","prompt":"'),
    textOf(prompt),
    Buffer.from(`","stream":true,"max_tokens":${outputTokens}}`),
  ]);
  const headers = { host: 'gateway', 'content-type': 'application/json' };
  const sentAtMs = clock.nowMs();
  return new Promise((resolve, reject) => {
    let replica = '';
    let firstByteMs: number | null = null;
    const flow = new Flow(
      {
        head(head) {
          replica = head.headers.get('x-headgate-replica') ?? '';
        },
        data() {
          firstByteMs ??= clock.nowMs() - sentAtMs;
        },
        end: () => resolve({ replica, firstByteMs: firstByteMs ?? 0, tookMs: clock.nowMs() - sentAtMs }),
        broken: () => reject(new Error(`an answer of ${replica} broke off`)),
      },
      65_536,
    );
    gateway.ask({ method: 'POST', path: '/v1/completions', headers, body }, flow);
  });
}

function sumOf<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}

function mostByMean(ofReplicas: readonly number[]): number {
  return Math.max(...ofReplicas) / (sumOf(ofReplicas, (one) => one) / serverCount);
}
