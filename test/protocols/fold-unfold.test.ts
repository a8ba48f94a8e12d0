import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { streamWriters } from '../support/caching/completion-streams.ts';
import { type Completion, completions, kinds, type Members } from '../support/caching/completions.ts';
import { completionAsked, cut, events, json, kept, rendered, renderedLive } from '../support/caching/rendered.ts';
import { repetitions } from '../support/counts.ts';

const numRuns = repetitions({ quick: 300, full: 10_000 });

function folded(stream: string, kind: string): Completion {
  const { text, type, length, ended } = rendered(kept(events, stream), completionAsked(kind));
  assert.deepEqual([type, length, ended], ['application/json', String(Buffer.byteLength(text)), 'complete']);
  return JSON.parse(text);
}

function unfolded(completion: Members, kind: string): string {
  const wish = completionAsked(kind, { stream: true, stream_options: { include_usage: true } });
  const { text, type, length, ended } = rendered(kept(json, JSON.stringify(completion)), wish);
  assert.deepEqual(
    [type, length, ended],
    ['text/event-stream; charset=utf-8', String(Buffer.byteLength(text)), 'complete'],
  );
  return text;
}

/** What an answer says, without its id. */
function content({ id: _, ...rest }: Members): Members {
  return rest;
}

const places = fc.array(fc.nat(100_000), { maxLength: 12 });

for (const kind of kinds) {
  describe(`an answer of the kind ${kind}`, () => {
    it('is what it was when it has been made a stream and gathered again', () => {
      fc.assert(
        fc.property(completions(kind), (completion) => {
          assert.deepEqual(content(folded(unfolded(completion, kind), kind)), content(completion));
        }),
        { numRuns },
      );
    });

    it('is gathered from whatever stream a server makes of it, and the stream made of that says the same', () => {
      fc.assert(
        fc.property(completions(kind), streamWriters, (completion, write) => {
          const once = folded(write(completion), kind);
          assert.deepEqual(content(once), content(completion));
          assert.deepEqual(content(folded(unfolded(once, kind), kind)), content(completion));
        }),
        { numRuns },
      );
    });

    it('is the same wherever what it is made of is cut', () => {
      fc.assert(
        fc.property(completions(kind), streamWriters, places, (completion, write, at) => {
          const stream = Buffer.from(write(completion));
          const whole = renderedLive(events, cut(stream, at), completionAsked(kind));
          assert.deepEqual([whole.type, whole.length, whole.ended], ['application/json', null, 'complete']);
          assert.deepEqual(content(JSON.parse(whole.text)), content(completion));
          const wish = completionAsked(kind, { stream: true, stream_options: { include_usage: true } });
          const text = renderedLive(json, cut(Buffer.from(JSON.stringify(completion)), at), wish).text;
          assert.deepEqual(content(folded(text, kind)), content(completion));
        }),
        { numRuns },
      );
    });
  });
}
