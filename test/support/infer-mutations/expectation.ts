import assert from 'node:assert/strict';
import { type AnsweredTensor, parseAnswer, toBinary } from '../infer-message.ts';
import type { RawAnswer } from '../raw-http.ts';
import type { ModelDatatype } from '../test-models.ts';
import { type Draft, elementInJson, type InferCase, inBinary, writeCase } from './infer-case.ts';

interface ExpectedOutput {
  readonly name: string;
  readonly datatype: ModelDatatype;
  readonly shape: readonly number[];
  readonly elements: readonly Buffer[];
  readonly isBinary: boolean;
}

/** What must be answered. */
export type Expectation =
  | {
      readonly kind: 'answered';
      readonly model: string;
      readonly id: string | null;
      readonly outputs: readonly ExpectedOutput[];
    }
  /** `says` is matched against the message; null where HTTP itself is broken and nobody could say more. */
  | { readonly kind: 'refused'; readonly status: number; readonly says: RegExp | null }
  /** The specification leaves it open; it must be one of these. */
  | { readonly kind: 'either'; readonly of: readonly Expectation[] };

/** A changed request and what it must be answered with. */
export interface Mutated {
  readonly draft: Draft;
  readonly expected: Expectation;
}

/** A request that is still in order: the model gives back what it got. */
export function answered(kase: InferCase, draft: Draft = writeCase(kase)): Mutated {
  return { draft, expected: echoOf(kase) };
}

/** A request to be refused; the message begins with the field. */
export function refused(draft: Draft, field: RegExp | string, status = 400): Mutated {
  const says = typeof field === 'string' ? new RegExp(`^${field.replace(/[.[\]]/g, '\\$&')}`) : field;
  return { draft, expected: { kind: 'refused', status, says } };
}

/** The answer to a request in order, as the specification has it. */
export function echoOf({ model, id, inputs, outputs, allBinary }: InferCase): Expectation {
  const wanted = outputs ?? model.inputs.map(({ output }) => ({ name: output, isBinary: null }));
  return {
    kind: 'answered',
    model: model.name,
    id,
    outputs: wanted.map(({ name, isBinary }): ExpectedOutput => {
      const input = inputs.find(({ of }) => of.output === name);
      assert.ok(input !== undefined);
      const { of, shape, elements } = input;
      return { name, datatype: of.datatype, shape, elements, isBinary: isBinary ?? allBinary ?? false };
    }),
  };
}

/** Throws where an answer is not what was expected. */
export function assertExpected({ status, headers, body }: RawAnswer, expected: Expectation): void {
  if (expected.kind === 'either') {
    const faults = expected.of.map((one) => faultOf({ status, headers, body }, one));
    assert.ok(faults.includes(null), `none of: ${faults.join('\n')}`);
    return;
  }
  if (expected.kind === 'refused') {
    assert.equal(status, expected.status, body.toString());
    if (expected.says === null) return;
    const message = JSON.parse(body.toString());
    assert.deepEqual(Object.keys(message), ['error']);
    assert.match(message.error, expected.says);
    return;
  }
  assert.equal(status, 200, body.toString());
  const { message, outputs } = parseAnswer(headers['inference-header-content-length'] ?? null, body);
  assert.equal(message.model_name, expected.model);
  assert.equal(message.model_version, '1');
  assert.equal(message.id ?? null, expected.id);
  const isBinary = outputs.some((output) => output.isBinary);
  assert.equal(headers['content-type'], isBinary ? 'application/octet-stream' : 'application/json');
  assert.deepEqual(outputs.map(shown), expected.outputs.map(wanted));
}

function faultOf(answer: RawAnswer, expected: Expectation): string | null {
  try {
    assertExpected(answer, expected);
    return null;
  } catch (error) {
    return String(error);
  }
}

function shown({ name, datatype, shape, isBinary, bytes }: AnsweredTensor) {
  return { name, datatype, shape, isBinary, bytes: bytes.toString('hex') };
}

/** In JSON one NaN is like another: the bits that make them differ do not pass. */
function wanted({ name, datatype, shape, isBinary, elements }: ExpectedOutput) {
  const isFloat = datatype === 'FP32' || datatype === 'FP64';
  const values = isFloat && !isBinary ? elements.map((element) => oneNaN(datatype, element)) : elements;
  return { name, datatype, shape, isBinary, bytes: inBinary(datatype, values).toString('hex') };
}

function oneNaN(datatype: ModelDatatype, element: Buffer): Buffer {
  const value = elementInJson(datatype, element);
  return Number.isNaN(value) ? toBinary(datatype, [Number.NaN]) : element;
}
