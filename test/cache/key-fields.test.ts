import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { keyOf } from '../support/caching/asked.ts';
import { changes, type Json, type Pen, pensThatEscape } from '../support/caching/json-writing.ts';
import { type RequestFields, requests } from '../support/caching/request-fields.ts';
import { repetitions } from '../support/counts.ts';

type Message = Readonly<Record<string, Json>>;

const numRuns = repetitions({ quick: 20, full: 1000 });
const compact: Pen = (value) => JSON.stringify(value);

/** A request with some of the fields, or all of them. */
function messages({ fields, required }: RequestFields): fc.Arbitrary<Message> {
  const some = fc.record(fields, { requiredKeys: [...required] });
  return fc.oneof(some, fc.record(fields)) as fc.Arbitrary<Message>;
}

function pensFor({ escapes = /./su }: RequestFields): fc.Arbitrary<Pen> {
  return pensThatEscape(escapes);
}

function keyFor({ protocol, operation, path }: RequestFields, message: Message, pen = compact, tenant = 'anonymous') {
  const spec = { protocol, operation, body: pen(message), tenant };
  return keyOf(path === undefined ? spec : { ...spec, path });
}

/** The same text for messages that say the same but for what changes no answer. */
function sense(message: Message, { changeNothing }: RequestFields): string {
  const sorted = (value: Json): Json =>
    Array.isArray(value)
      ? value.map(sorted)
      : value !== null && typeof value === 'object'
        ? Object.entries(value)
            .map(([name, one]) => [name, sorted(one)] as const)
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
        : value;
  return JSON.stringify(
    sorted(Object.fromEntries(Object.entries(message).filter(([name]) => !changeNothing.includes(name)))),
  );
}

for (const request of requests) {
  describe(`the key of a request of the kind ${request.name}`, () => {
    it('is the same in whatever order and spacing it is written', () => {
      fc.assert(
        fc.property(messages(request), pensFor(request), (message, pen) => {
          const key = keyFor(request, message);
          assert.ok(key !== null);
          assert.equal(keyFor(request, message, pen), key, pen(message));
        }),
        { numRuns: 5 * numRuns },
      );
    });

    it('is another with any change anywhere, but in what changes no answer', () => {
      fc.assert(
        fc.property(messages(request), (message) => {
          const key = keyFor(request, message);
          for (const [name, value] of Object.entries(message))
            for (const changed of changes(value)) {
              if (request.required.includes(name) && name === 'model' && typeof changed !== 'string') continue;
              const isSame = request.changeNothing.includes(name);
              const other = { ...message, [name]: changed };
              assert.equal(keyFor(request, other) === key, isSame, `${name}: ${JSON.stringify(changed)}`);
            }
        }),
        { numRuns },
      );
    });

    for (const [name, values] of Object.entries(request.fields)) {
      const isSame = request.changeNothing.includes(name);
      it(`is ${isSame ? 'the same' : 'another'} with another ${name}, with one more, and without`, () => {
        fc.assert(
          fc.property(messages(request), values, values, (message, one, another) => {
            const { [name]: _, ...without } = message;
            const all = [
              { ...without, [name]: one },
              { ...without, [name]: another },
              ...(request.required.includes(name) ? [] : [without]),
            ];
            for (const a of all)
              for (const b of all)
                assert.equal(keyFor(request, a) === keyFor(request, b), sense(a, request) === sense(b, request));
          }),
          { numRuns },
        );
      });
    }

    it('is another for another tenant', () => {
      fc.assert(
        fc.property(messages(request), fc.string(), fc.string(), (message, one, another) => {
          assert.equal(
            keyFor(request, message, compact, one) === keyFor(request, message, compact, another),
            one === another,
          );
        }),
        { numRuns },
      );
    });
  });
}

it('two requests of whatever kind have the same key exactly if they say the same', () => {
  for (const request of requests)
    fc.assert(
      fc.property(messages(request), messages(request), pensFor(request), (one, another, pen) => {
        const isSame = sense(one, request) === sense(another, request);
        assert.equal(keyFor(request, one) === keyFor(request, another, pen), isSame);
      }),
      { numRuns },
    );
});
