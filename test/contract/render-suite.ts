import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import { type HeaderList, headerInList } from '../../gateway/pipeline/headers.ts';
import type { Endpoint, Protocol } from '../../gateway/pipeline/protocol.ts';
import { plainUpload } from '../../gateway/protocols/plain-http.ts';
import { pumped } from '../support/bodies.ts';
import { cut, events, json, kept, rendered, renderedLive } from '../support/caching/rendered.ts';
import { repetitions } from '../support/counts.ts';
import { readExchange } from '../support/exchanges.ts';

const said = {
  model_name: 'm',
  choices: [{ index: 0, finish_reason: 'stop' }],
  text_output: '{"id":"y"}',
  outputs: [],
};

interface Answer {
  readonly headers: HeaderList;
  readonly text: string;
  /** The id is in its outermost object, or in that of each event. */
  readonly hasId?: true;
}

/** What servers answer, with an id and without. */
const answers: Readonly<Record<string, Answer>> = {
  'an object that begins with its id': { headers: json, text: JSON.stringify({ id: 'another', ...said }), hasId: true },
  'an object that ends with its id': {
    headers: json,
    text: JSON.stringify({ ...said, id: 'another' }, null, 1),
    hasId: true,
  },
  'an object without an id': { headers: json, text: JSON.stringify(said) },
  'a list': { headers: json, text: '[{"id":"another"}]' },
  'a stream with ids': {
    headers: events,
    text: `data: ${JSON.stringify({ id: 'another', ...said })}\n\n`.repeat(3),
    hasId: true,
  },
  'a stream without ids': {
    headers: events,
    text: `data: ${JSON.stringify(said)}\r\n\r\n: ping\r\n\r\ndata: [DONE]\r\n\r\n`,
  },
  'something else': { headers: ['content-type', 'application/octet-stream'], text: '\0\u0001{"id":"x"}' },
  nothing: { headers: ['content-type', 'text/plain'], text: '' },
};

const places = fc.array(fc.nat(1000), { maxLength: 6 });

/** What every protocol keeps to when it gives an answer to another request than the one it was computed for. */
export function renderSuite(protocol: Protocol): void {
  const endpoints = protocol.endpoints.length > 0 ? protocol.endpoints : [plainUpload];

  /** Requests of every kind, with an id and without, in the form in which the answer comes. */
  function requests({ headers }: Answer): Exchange[] {
    const stream = headers === events;
    return endpoints.flatMap((endpoint) =>
      [{ id: 'own' }, {}].map((own) => askedOf(protocol, endpoint, JSON.stringify({ model: 'm', ...own, stream }))),
    );
  }

  describe(`for another request of ${protocol.name}`, () => {
    for (const [name, answer] of Object.entries(answers)) {
      it(`${name} differs from the original in its id alone`, () => {
        for (const exchange of requests(answer)) {
          const reply = kept(['x-a', 'b', ...answer.headers], answer.text);
          const got = protocol.render(reply, exchange);
          const bytes = Buffer.concat(pumped(got.body).pieces);
          assert.equal(withoutIds(bytes.toString()), withoutIds(answer.text));
          assert.deepEqual(withoutLength(got.headers), ['x-a', 'b', ...answer.headers]);
          assert.deepEqual([got.status, got.source], [reply.status, reply.source]);
          if (got.body.sizeBytes !== null) assert.equal(got.body.sizeBytes, bytes.length);
          const length = headerInList(got.headers, 'content-length');
          if (length !== null) assert.equal(length, String(bytes.length));
        }
      });

      it(`${name} is the same however it comes`, () => {
        fc.assert(
          fc.property(places, (at) => {
            for (const exchange of requests(answer)) {
              const whole = rendered(kept(answer.headers, answer.text), exchange);
              const live = renderedLive(answer.headers, cut(Buffer.from(answer.text), at), exchange);
              assert.equal(withoutIds(live.text), withoutIds(whole.text));
              assert.deepEqual([live.type, live.ended], [whole.type, whole.ended]);
            }
          }),
          { numRuns: repetitions({ quick: 20, full: 1000 }) },
        );
      });

      if (answer.hasId && protocol.endpoints.some(({ operation }) => idOperations.has(operation)))
        it(`${name} has no other request’s id`, () => {
          for (const exchange of requests(answer)) {
            const { text } = rendered(kept(answer.headers, answer.text), exchange);
            assert.equal(text.includes('another'), !idOperations.has(exchange.head.endpoint.operation));
          }
        });
    }
  });
}

/** What is answered with an id that belongs to the request. */
const idOperations = new Set(['infer', 'generate', 'generate_stream', 'chat', 'completion', 'embedding']);

function askedOf(protocol: Protocol, endpoint: Endpoint, body: string): Exchange {
  const path = endpoint.pattern.replace(':model', 'm').replace(':version', '1').replace('*', 'm:predict');
  return readExchange({ protocol, endpoint, path, body: endpoint.hasBody ? body : '' });
}

/** A text in which ids are nothing. */
function withoutIds(text: string): string {
  return text.replace(/(?<=^|\n)((?:data: ?)?\{)"id":"[^"]*",/g, '$1').replace(/,\s*"id":\s*"[^"]*"(?=\s*\}$)/, '');
}

function withoutLength(headers: HeaderList): HeaderList {
  const at = headers.indexOf('content-length');
  return at < 0 ? headers : headers.toSpliced(at, 2);
}
