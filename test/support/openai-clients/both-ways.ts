import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { LLMock } from '@copilotkit/aimock';
import { type RunningGateway, type Scope, startGateway } from '../gateway-process.ts';
import { startMockOpenAi } from '../mock-openai.ts';
import { type Answer, type OpenAiClient, type OpenAiLibrary, withoutChance } from './openai-client.ts';

/** As the replica calls it, and a name that only the gateway knows. */
export const models = ['gpt-plain', 'gpt-alias'] as const;

/** A client with the mock at the other end, and one with the gateway between. */
export interface Ways {
  readonly mock: LLMock;
  readonly gateway: RunningGateway;
  readonly direct: OpenAiClient;
  readonly through: OpenAiClient;
}

/** Opens both ways before the tests of a suite, and closes them behind them. */
export function openWays(library: OpenAiLibrary): () => Ways {
  const afterwards: (() => unknown)[] = [];
  const scope: Scope = { after: (call) => afterwards.push(call) };
  let opened: Ways;
  before(async () => {
    const mock = await startMockOpenAi(scope);
    const gateway = await startGateway(
      scope,
      `backends:
  - name: llm
    protocol: openai
    models: [gpt-plain, { name: gpt-alias, upstream: gpt-plain }]
    replicas: [{ id: a, url: "${mock.url}" }]
    health: { path: /health }
telemetry: { log: warn }
`,
    );
    const connect = (url: string) => library.connect(`${url}/v1`);
    opened = { mock, gateway, direct: connect(mock.url), through: connect(gateway.client) };
  });
  after(async () => {
    for (const call of afterwards.toReversed()) await call();
  });
  return () => opened;
}

/** Has both clients do a thing, and resolves with what came through the gateway when it is the same. */
export async function same<Result extends Answer | readonly (readonly number[])[]>(
  { direct, through }: Ways,
  ask: (client: OpenAiClient) => Promise<Result>,
): Promise<Result> {
  const without = await ask(direct);
  const got = await ask(through);
  assert.deepEqual(withoutChance(got), withoutChance(without));
  return got;
}
