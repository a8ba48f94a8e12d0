import type { RequestHead } from '../../gateway/pipeline/exchange.ts';
import type { Headers } from '../../gateway/pipeline/headers.ts';
import type { Protocol } from '../../gateway/pipeline/protocol.ts';
import { openInference } from '../../gateway/protocols/open-inference.ts';
import { openai } from '../../gateway/protocols/openai.ts';

/** The wire formats that simulated clients speak. */
export type SimulatedProtocol = 'open-inference' | 'openai';

interface Request {
  readonly protocol: Protocol;
  readonly head: RequestHead;
  readonly body: Uint8Array;
}

/** What a client sends that asks for an inference, or for a completion, streamed or not. */
export function simulatedRequest(
  protocol: SimulatedProtocol,
  { model, isStreaming, headers }: { readonly model: string; readonly isStreaming: boolean; readonly headers: Headers },
): Request {
  const isChat = protocol === 'openai';
  return {
    protocol: isChat ? openai : openInference,
    head: isChat
      ? headOf(openai, 'chat', '/v1/chat/completions', {}, headers)
      : headOf(openInference, 'infer', `/v2/models/${model}/infer`, { model }, headers),
    body: Buffer.from(isChat ? JSON.stringify({ model, stream: isStreaming }) : '{"inputs":[]}'),
  };
}

function headOf(
  { endpoints, name }: Protocol,
  operation: string,
  path: string,
  params: Record<string, string>,
  headers: Headers,
): RequestHead {
  const endpoint = endpoints.find((one) => one.operation === operation);
  if (endpoint === undefined) throw new Error(`${name} has no ${operation}`);
  return { method: 'POST', path, rawPath: path, query: '', params, endpoint, headers };
}
