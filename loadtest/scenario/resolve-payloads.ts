import type { Resolving } from '../../gateway/settings/resolving.ts';
import { chatSchema, tensorSchema } from '../payloads/schema.ts';
import { readTrace } from './read-trace.ts';
import type { Arrivals, Chat, Choice, Length, Payloads, Protocol, TensorContent } from './scenario.ts';
import type { RawScenario } from './schema.ts';

type Raw = RawScenario['payloads'];

/** What requests ask for, with the trace they follow. */
export function resolvePayloads(raw: RawScenario, arrivals: Arrivals, resolving: Resolving): Payloads {
  const { payloads, targets } = raw;
  const protocol = targets[0]?.protocol ?? 'openai';
  if (!resolving.isFaulty(['targets'])) reportUnasked(payloads, protocol, resolving);
  const tensor = 'tensor' in payloads ? payloads.tensor : undefined;
  return {
    choice: resolveChoice(payloads, arrivals, resolving),
    chat: resolveChat({ ...chatSchema.parse({}), ...payloads.chat }, resolving),
    tensor: resolveTensor(tensor ?? tensorSchema.parse({}), resolving),
  };
}

/** What a choice of payloads cannot be made of in a protocol, or null. */
export function unfitFor(protocol: Protocol, kind: Choice['kind']): string | null {
  return protocol === 'open-inference' && (kind === 'prefix' || kind === 'trace') ? 'unique, same or zipf' : null;
}

/** What is said and has no effect in the protocol of the targets. */
function reportUnasked(raw: Raw, protocol: Protocol, { report }: Resolving): void {
  const wanted = unfitFor(protocol, raw.kind);
  if (wanted !== null) report(['payloads', 'kind'], JSON.stringify(raw.kind), `${wanted}: tensors have no tokens`);
  const unasked = protocol === 'openai' ? 'tensor' : 'chat';
  if (unasked in raw && Object.entries(raw).some(([key, value]) => key === unasked && value !== undefined))
    report(['payloads', unasked], `a ${unasked}`, `none: the targets speak ${protocol}`);
}

function resolveChoice(raw: Raw, arrivals: Arrivals, resolving: Resolving): Choice {
  switch (raw.kind) {
    case 'unique':
    case 'same':
      return { kind: raw.kind };
    case 'zipf':
      return { kind: 'zipf', exponent: raw.s, keys: raw.keys };
    case 'prefix':
      return { kind: 'prefix', groups: raw.groups, prefixTokens: raw.prefix_tokens };
    case 'trace': {
      const own = raw.file === undefined ? null : readTrace(raw.file, ['payloads', 'file'], resolving);
      const trace = raw.file === undefined && arrivals.kind === 'trace' ? arrivals.trace : own;
      if (raw.file === undefined && trace === null && ![['arrivals'], ['payloads', 'file']].some(resolving.isFaulty))
        resolving.report(['payloads'], 'a trace without file', 'a file, or arrivals of kind trace');
      return trace === null ? { kind: 'same' } : { kind: 'trace', trace };
    }
  }
}

type RawChat = ReturnType<typeof chatSchema.parse>;
type RawTensor = ReturnType<typeof tensorSchema.parse>;

function resolveChat(raw: RawChat, resolving: Resolving): Chat {
  return {
    promptTokens: resolveLength(raw.prompt_tokens, ['payloads', 'chat', 'prompt_tokens'], resolving),
    outputTokens: resolveLength(raw.output_tokens, ['payloads', 'chat', 'output_tokens'], resolving),
    isStreaming: raw.stream,
    includesUsage: raw.usage,
    ignoresEnd: raw.ignore_eos,
    temperature: raw.temperature ?? null,
  };
}

function resolveTensor({ name, datatype, shape, rows }: RawTensor, resolving: Resolving): TensorContent {
  return { name, datatype, shape, rows: resolveLength(rows, ['payloads', 'tensor', 'rows'], resolving) };
}

function resolveLength(raw: RawChat['prompt_tokens'], path: string[], { report }: Resolving): Length {
  if (typeof raw === 'number') return { kind: 'fixed', count: raw };
  if (raw.kind === 'uniform' && raw.to < raw.from)
    report([...path, 'to'], `${raw.to}`, `at least from, which is ${raw.from}`);
  return raw;
}
