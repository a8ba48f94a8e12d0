import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { headerInList } from '../../gateway/pipeline/headers.ts';
import type { BodyEnd, Reply } from '../../gateway/pipeline/reply.ts';
import { renameInEvents } from '../../gateway/protocols/rename-in-events.ts';
import { FedBody, KeepingSink, pumped } from '../support/bodies.ts';
import { repetitions } from '../support/counts.ts';

const paths = [['model'], ['response', 'model']] as const;

function renaming(model = 'gpt', headers: string[] = []): { inner: FedBody; reply: Reply } {
  const inner = new FedBody();
  return { inner, reply: renameInEvents({ status: 200, headers, source: 'upstream', body: inner }, model, paths) };
}

/** What a client gets of a stream that comes in pieces. */
function renamed(pieces: readonly (string | Uint8Array)[], model = 'gpt', end: BodyEnd = 'complete'): string {
  const { inner, reply } = renaming(model);
  const sink = pumped(reply.body);
  for (const piece of pieces) inner.feed(piece);
  inner.end(end);
  assert.equal(sink.ended, end);
  return sink.text;
}

/** Bytes cut at some of their places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return at.slice(1).map((to, index) => bytes.subarray(at[index], to));
}

/** A line as it comes, with the model's name in it where it has one. */
type Line = (model: string) => string;

const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const text = fc.string({ unit: fc.constantFrom('a', '"', '\\', 'é', '😀', '{', '}', ',', ':', '\n', ' ') });
const member = fc.tuple(text, text).map(([name, value]) => JSON.stringify({ [`_${name}`]: value }).slice(1, -1));
const gap = fc.constantFrom('', ' ');
const dataLine: fc.Arbitrary<Line> = fc
  .record({ gap, before: member, after: member, isDeep: fc.boolean() })
  .map(({ gap: space, before, after, isDeep }) => (model) => {
    const own = `"model":${space}${JSON.stringify(model)}`;
    return `data:${space}{${before},${isDeep ? `"response":{${before},${own},${after}}` : own},${after}}`;
  });
const otherLine: fc.Arbitrary<Line> = fc
  .oneof(
    fc.constantFrom('', ':', ': comment "model":"qwen"', 'event: model', 'id: {"model":"qwen"}', 'retry: 3'),
    fc.constantFrom('data', 'data:', 'data: [DONE]', 'data: é😀', 'data: {"model":7}', 'data: ["model","qwen"]'),
    fc.constantFrom(
      ' data: {"model":"qwen"}',
      'datum: {"model":"qwen"}',
      'data: {"response":"model","x":{"model":"q"}}',
    ),
    member.map((one) => `data: {${one}}`),
  )
  .map((line) => () => line);
const stream = fc.array(fc.tuple(fc.oneof(dataLine, otherLine), lineEnd), { maxLength: 12 });
const places = fc.array(fc.nat(10_000), { maxLength: 8 });

describe('renaming the model in a stream of events', () => {
  it('changes the names and no other byte, wherever the stream is cut and whatever ends its lines', () => {
    fc.assert(
      fc.property(stream, text, text, places, (lines, from, to, at) => {
        const write = (model: string): string => lines.map(([line, end]) => line(model) + end).join('');
        assert.equal(renamed(cut(Buffer.from(write(from)), at), to), write(to));
      }),
      { numRuns: repetitions({ quick: 1000, full: 100_000 }) },
    );
  });

  it('gives the same for every single place to cut, and byte by byte', () => {
    const write = (model: string): string =>
      `: é\r\ndata: {"id":"😀","model":"${model}","x":1}\r\n\r\ndata:{"response":{"model":"${model}"}}\n\ndata: [DONE]\r\r`;
    const bytes = Buffer.from(write('qwen-é-32b'));
    for (let at = 0; at <= bytes.length; at++) assert.equal(renamed(cut(bytes, [at]), 'gpt'), write('gpt'), `at ${at}`);
    assert.equal(renamed(cut(bytes, [...bytes.keys()]), 'gpt'), write('gpt'));
  });

  it('passes a line that is cut off as it came, whichever way the stream ended', () => {
    const line = String.raw`data: {"x":1,"model":"qw\"en"`;
    for (let length = 1; length < line.length; length++) {
      for (const end of ['complete', 'broken', 'abandoned'] as const)
        assert.equal(renamed([line.slice(0, length)], 'gpt', end), line.slice(0, length));
      for (const lineBreak of ['\n', '\r\n', '\r']) {
        const broken = line.slice(0, length) + lineBreak;
        assert.equal(renamed([`${broken}data: {"model":"qwen"}\n`]), `${broken}data: {"model":"gpt"}\n`);
      }
    }
    assert.equal(renamed([`${line}}`], 'gpt', 'broken'), 'data: {"x":1,"model":"gpt"}', 'the name is whole');
  });

  it('looks for the name in the first MiB of a line, however it comes, and goes on with the next', () => {
    const mostBytes = 1024 * 1024;
    const write = (model: string, before: string, behind: string): string =>
      `data: {"x":"${before}","model":"${model}","y":"${behind}"}`;
    const frameBytes = write('qwen', '', '').length;
    for (const sizeBytes of [mostBytes, mostBytes + 1, mostBytes + 70_000])
      for (const [before, isRenamed] of [
        ['', true],
        ['x'.repeat(mostBytes - 10), false],
      ] as const)
        for (const end of ['\n', '\r\n', '']) {
          const behind = 'y'.repeat(Math.max(0, sizeBytes - frameBytes - before.length));
          const rest = end === '' ? '' : `${end}data: {"model":"qwen"}\n`;
          const bytes = Buffer.from(write('qwen', before, behind) + rest);
          const wanted = write(isRenamed ? 'gpt' : 'qwen', before, behind) + rest.replace('qwen', 'gpt');
          for (const size of [bytes.length, 65_536, sizeBytes - 1, sizeBytes, sizeBytes + 1]) {
            const at = Array.from({ length: Math.floor(bytes.length / size) }, (_, n) => (n + 1) * size);
            assert.ok(
              renamed(cut(bytes, at)) === wanted,
              `${sizeBytes} in pieces of ${size}, ended by ${JSON.stringify(end)}`,
            );
          }
        }
  });

  it('passes every line on as soon as it has come', () => {
    const { inner, reply } = renaming();
    const sink = pumped(reply.body);
    inner.feed('data: {"model":"qwen"}\n\ndata: {"mo');
    assert.equal(sink.text, 'data: {"model":"gpt"}\n\n');
    inner.feed('del":"qwen"}\n');
    assert.equal(sink.text, 'data: {"model":"gpt"}\n\ndata: {"model":"gpt"}\n');
  });

  it('has no length any more, and keeps the other headers', () => {
    const headers = ['content-type', 'text/event-stream', 'content-length', '100', 'x-a', 'content-length'];
    const { reply } = renaming('gpt', headers);
    assert.equal(headerInList(reply.headers, 'content-length'), null);
    assert.deepEqual(reply.headers, ['content-type', 'text/event-stream', 'x-a', 'content-length']);
    assert.equal(reply.body.sizeBytes, null);
  });

  it('passes on a pause that the client asks for, and that it is given up', () => {
    const { inner, reply } = renaming();
    const sink = new KeepingSink();
    sink.isSlow = true;
    reply.body.pump(sink);
    inner.feed('data: {"mod');
    assert.ok(!inner.isPaused, 'nothing has been passed on yet');
    inner.feed('el":"qwen"}\n');
    assert.ok(inner.isPaused);
    sink.drain();
    assert.ok(!inner.isPaused);
    reply.body.discard();
    assert.equal(inner.discards, 1);
  });
});
