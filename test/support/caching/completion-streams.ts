import fc from 'fast-check';
import type { Completion, Members } from './completions.ts';

/** Draws a whole number below a count. */
type Below = (count: number) => number;

/** Writes a completion as a stream, in one of the many ways that servers have. */
export type StreamWriter = (completion: Completion) => string;

/** Writers that cut and lay out differently. */
export const streamWriters: fc.Arbitrary<StreamWriter> = fc.infiniteStream(fc.nat(10_000)).map((draws) => {
  const below: Below = (count) => (draws.next().value ?? 0) % count;
  return (completion) => laidOut(chunksOf(completion, below), below);
});

function chunksOf({ choices, usage, object, ...head }: Completion, below: Below): Members[] {
  const isChat = object === 'chat.completion';
  const base = { ...head, object: isChat ? 'chat.completion.chunk' : object };
  const waiting = choices.map((choice) => (isChat ? chatParts(choice, below) : textParts(choice, below)));
  const chunks: Members[] = [];
  while (waiting.some((parts) => parts.length > 0)) {
    const [part] = waiting[below(waiting.length)]?.splice(0, 1) ?? [];
    if (part !== undefined) chunks.push({ ...base, choices: [part], ...(below(3) === 0 ? { usage: null } : {}) });
  }
  return [...chunks, { ...base, choices: [], usage }];
}

function chatParts({ index, message, logprobs, ...end }: Members, below: Below): Members[] {
  const { role, tool_calls: calls, ...said } = message as Members;
  const deltas = Object.entries(said).flatMap(([name, value]) =>
    piecesOf(value, below).map((piece) => ({ [name]: piece })),
  );
  const logs = logprobs === undefined ? [] : piecesOfMembers(logprobs, below);
  const parts: Members[] = deltas.map((delta) => ({ delta, logprobs: logs.shift() }));
  return [
    { delta: { role, content: typeof said.content === 'string' ? '' : null } },
    ...parts,
    ...logs.map((left) => ({ delta: {}, logprobs: left })),
    ...callParts(calls, below).map((part) => ({ delta: { tool_calls: part } })),
    { delta: {}, ...end },
  ].map((part) => ({ index, finish_reason: null, ...part }));
}

/** The pieces of one call come before those of the next. */
function callParts(calls: unknown, below: Below): (readonly Members[])[] {
  if (!Array.isArray(calls)) return [];
  if (calls.length === 0) return [[]];
  return calls.flatMap(({ function: called, ...call }, index) => {
    const [first = '', ...rest] = piecesOf(called.arguments, below);
    return [
      [{ index, ...call, function: { ...called, arguments: first } }],
      ...rest.map((piece) => [{ index, function: { arguments: piece } }]),
    ];
  });
}

function textParts({ index, text, logprobs, ...end }: Members, below: Below): Members[] {
  const logs = logprobs === undefined ? [] : piecesOfMembers(logprobs, below);
  const parts: Members[] = piecesOf(text, below).map((piece) => ({ text: piece, logprobs: logs.shift() }));
  return [...parts, ...logs.map((left) => ({ text: '', logprobs: left })), { text: '', ...end }].map((part) => ({
    index,
    finish_reason: null,
    ...part,
  }));
}

/** A text or a list in pieces, of which the sum is the whole; anything else once. Characters may be cut in two. */
function piecesOf(value: unknown, below: Below): unknown[] {
  if (typeof value !== 'string' && !Array.isArray(value)) return [value];
  const pieces: unknown[] = [];
  let from = 0;
  while (from < value.length) {
    const to = from + 1 + below(4);
    pieces.push(value.slice(from, to));
    from = to;
  }
  return pieces.length === 0 ? [value] : pieces;
}

/** The lists of an object in pieces, each with some of every list. */
function piecesOfMembers(value: unknown, below: Below): unknown[] {
  if (typeof value !== 'object' || value === null) return [value];
  const lists = Object.entries(value).map(([name, list]) => ({ name, pieces: piecesOf(list, below) }));
  const count = Math.max(...lists.map(({ pieces }) => pieces.length));
  return Array.from({ length: count }, (_, at) =>
    Object.fromEntries(lists.map(({ name, pieces }) => [name, at < pieces.length ? pieces[at] : null])),
  );
}

/** As events, with whatever else may stand in a stream. */
function laidOut(chunks: readonly Members[], below: Below): string {
  const end = ['\n', '\r\n', '\r'][below(3)] ?? '';
  const events = chunks.map((chunk) => {
    const before = ['', '', '', `: ping${end}${end}`, `id: 7${end}`, `event: message${end}`][below(6)];
    return `${before}data:${below(2) === 0 ? '' : ' '}${JSON.stringify(chunk)}${end}`;
  });
  const done = below(4) === 0 ? [] : [`data: [DONE]${end}`];
  const isCutShort = below(4) === 0;
  return [...events, ...done].join(end) + (isCutShort ? '' : end);
}
