/** A chat of a model server, event by event as it streams them: about 150 bytes each, the last two the usage and the end. */
export const chatEvents: readonly Buffer[] = [
  ...Array.from({ length: 98 }, (_, at) => event({ choices: [{ index: 0, delta: { content: ` token${at % 10}` } }] })),
  event({ choices: [], usage: { prompt_tokens: 64, completion_tokens: 98, total_tokens: 162 } }),
  Buffer.from('data: [DONE]\n\n'),
];

/** Where the stub streams it. */
export const chatPath = '/v1/chat/completions';

/** How often a stream gets an event, in ticks of the stub's clock, 10 ms each. */
export const ticksOfPace = { fast: 1, slow: 5 } as const;

/** How a client tells the stub the pace it wants: in a field that every gateway passes on. */
export function paceField(pace: keyof typeof ticksOfPace): string {
  return `pace-${ticksOfPace[pace]}`;
}

function event(more: object): Buffer {
  const chunk = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'chat', ...more };
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`);
}
