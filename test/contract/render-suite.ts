import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { HeaderList } from '../../gateway/pipeline/headers.ts';
import type { Endpoint, Protocol } from '../../gateway/pipeline/protocol.ts';
import { plainUpload } from '../../gateway/protocols/plain-http.ts';
import { pumped } from '../support/bodies.ts';
import { cut, events, json, kept, rendered, renderedLive } from '../support/caching/rendered.ts';
import { type ExchangeSpec, readExchange } from '../support/exchanges.ts';

const parts = {
  model_name: 'm',
  choices: [{ index: 0, finish_reason: 'stop' }],
  text_output: '{"id":"y"}',
  outputs: [],
};

/** Answers of every kind, with an id and without. */
const answers: readonly { readonly headers: HeaderList; readonly text: string }[] = [
  { headers: json, text: JSON.stringify({ id: 'of-another', ...parts }) },
  { headers: json, text: JSON.stringify({ ...parts, id: 'of-another' }, null, 1) },
  { headers: json, text: JSON.stringify(parts) },
  { headers: json, text: '[{"id":"of-another"}]' },
  { headers: events, text: `data: ${JSON.stringify({ id: 'of-another', ...parts })}\n\n`.repeat(3) },
  { headers: events, text: `data: ${JSON.stringify(parts)}\r\n\r\n: ping\r\n\r\ndata: [DONE]\r\n\r\n` },
  { headers: ['content-type', 'application/octet-stream'], text: '\0\u0001{"id":"x"}' },
  { headers: ['content-type', 'text/plain'], text: '' },
];

const places = fc.array(fc.nat(1000), { maxLength: 6 });

/** What every protocol keeps to when it gives an answer to another request than the one it was computed for. */
export function renderSuite(protocol: Protocol): void {
  const endpoints = protocol.endpoints.length > 0 ? protocol.endpoints : [plainUpload];

  describe(`an answer of ${protocol.name} for another request`, () => {
    for (const { headers, text } of answers) {
      const isStreaming = headers === events;
      const cases = endpoints.flatMap((endpoint) =>
        ['{"model":"m","id":"own"', '{"model":"m"'].map((start) =>
          specOf(protocol, endpoint, `${start},"stream":${isStreaming}}`),
        ),
      );

      it(`differs from the original in its id alone: ${headers[1]} ${text.slice(0, 20)}`, () => {
        for (const spec of cases) {
          const reply = kept(['x-a', 'b', ...headers], text);
          const got = protocol.render(reply, readExchange(spec));
          const bytes = Buffer.concat(pumped(got.body).pieces);
          assert.equal(withoutIds(bytes.toString()), withoutIds(text));
          assert.deepEqual(withoutLengths(got.headers), ['x-a', 'b', ...headers]);
          assert.deepEqual([got.status, got.source], [reply.status, reply.source]);
          if (got.body.sizeBytes !== null) assert.equal(got.body.sizeBytes, bytes.length);
          const length = got.headers[got.headers.indexOf('content-length') + 1];
          if (got.headers.includes('content-length')) assert.equal(length, String(bytes.length));
        }
      });

      it(`is the same however it comes: ${headers[1]} ${text.slice(0, 20)}`, () => {
        fc.assert(
          fc.property(places, (at) => {
            for (const spec of cases) {
              const whole = rendered(kept(headers, text), readExchange(spec));
              const live = renderedLive(headers, cut(Buffer.from(text), at), readExchange(spec));
              assert.equal(withoutIds(live.text), withoutIds(whole.text));
              assert.deepEqual([live.type, live.ended], [whole.type, whole.ended]);
            }
          }),
          { numRuns: 20 },
        );
      });
    }
  });
}

function specOf(protocol: Protocol, endpoint: Endpoint, body: string): ExchangeSpec {
  const path = endpoint.pattern.replace(':model', 'm').replace(':version', '1').replace('*', 'm:predict');
  return { protocol, endpoint, path, body: endpoint.hasBody ? body : '' };
}

/** A text in which ids are nothing. */
function withoutIds(text: string): string {
  return text.replace(/(?<=^|\n)((?:data: ?)?\{)"id":"[^"]*",/g, '$1').replace(/,\s*"id":\s*"[^"]*"(?=\s*\}$)/, '');
}

function withoutLengths(headers: HeaderList): HeaderList {
  const at = headers.indexOf('content-length');
  return at < 0 ? headers : headers.toSpliced(at, 2);
}
