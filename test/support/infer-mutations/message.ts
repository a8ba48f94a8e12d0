import type { Rng } from '../../../gateway/kernel/rng.ts';
import { answered, type Mutated, refused } from './expectation.ts';
import { type InferCase, pick, writeCase } from './infer-case.ts';
import {
  changed,
  type Mutation,
  noObject,
  noParameter,
  refusedWhen,
  refusedWith,
  withDraft,
  withMessage,
} from './mutation.ts';

const noText = [7, 1.5, null, true, [], {}, ['a'], 12345678901234567890n];
const noList = [null, 7, 'inputs', true, { 0: {} }];

/** Whether a request without words about an output's form is in order. */
function needsWords({ model, allBinary }: InferCase): boolean {
  return allBinary !== true && model.inputs.some(({ datatype }) => datatype === 'FP16');
}

/** Changes of what stands at the top of a message: its id, its parameters, its outputs, and what it is made of. */
export const messageMutations: Readonly<Record<string, Mutation>> = {
  nothing: (kase) => answered(kase),
  'another id': (kase, rng) =>
    answered({ ...kase, id: pick(rng, ['', '0', '\u{1f600}\u0000"', 'x'.repeat(5000), '__proto__']) }),
  'no id': (kase) => answered({ ...kase, id: null }),
  'an id that is no text': (kase, rng) => refusedWith(kase, 'id: ', { id: pick(rng, noText) }),
  'parameters nobody knows': (kase, rng) => {
    const known = kase.allBinary === null ? {} : { binary_data_output: kase.allBinary };
    const value = pick(rng, ['x', 0, -1.5, true, 2n ** 60n, '<1e3>']);
    const name = pick(rng, ['seed', '__proto__', 'constructor', '']);
    return answered(kase, withMessage(kase, { parameters: own(known, name, value) }));
  },
  'parameters that are no object': (kase, rng) =>
    refusedWith(kase, 'parameters: ', { parameters: pick(rng, noObject) }),
  'a parameter of no type for one': (kase, rng) =>
    refusedWith(kase, 'parameters.x: ', { parameters: { x: pick(rng, noParameter) } }),
  'binary_data_output turned': (kase) => {
    const turned = { ...kase, allBinary: !kase.allBinary };
    if (kase.outputs === null && needsWords(turned))
      return refused(writeCase(turned), 'parameters.binary_data_output: ');
    return answered(turned);
  },
  'binary_data_output that is no flag': (kase, rng) =>
    refusedWhen(kase, 'parameters.binary_data_output: ', ({ message }) => {
      message.parameters = { binary_data_output: pick(rng, ['true', 1, 0, null]) };
    }),
  'no outputs': (kase) => {
    const all = { ...kase, outputs: null };
    return needsWords(kase) ? refused(writeCase(all), 'parameters.binary_data_output: ') : answered(all);
  },
  'an empty list of outputs': (kase) => {
    const all = { ...kase, outputs: null };
    const draft = withMessage(all, { outputs: [] });
    return needsWords(kase) ? refused(draft, 'parameters.binary_data_output: ') : answered(all, draft);
  },
  'fewer outputs': (kase, rng) =>
    kase.outputs === null ? null : answered({ ...kase, outputs: [pick(rng, kase.outputs)] }),
  'outputs that are no list': (kase, rng) =>
    refusedWhen(kase, 'outputs: ', ({ message }) => void Object.assign(message, { outputs: pick(rng, noList) })),
  'an output that is no object': (kase, rng) =>
    refusedWhen(kase, 'outputs[0]: ', ({ message }) => void Object.assign(message, { outputs: [pick(rng, noObject)] })),
  'an output of another name': (kase, rng) =>
    refusedWhen(kase, 'outputs[0].name: ', ({ message }) => {
      message.outputs = [{ name: pick(rng, [undefined, null, 7, '', 'x', 'Y', '__proto__', ['y']]) }];
    }),
  'an output twice': ({ outputs, ...kase }, rng) => {
    if (outputs === null) return null;
    const one = pick(rng, outputs);
    return refused(writeCase({ ...kase, outputs: [...outputs, one] }), 'outputs: ');
  },
  "an output's form turned": (kase, rng) => {
    if (kase.outputs === null) return null;
    const at = rng.below(kase.outputs.length);
    const outputs = kase.outputs.map((one, n) => (n === at ? { ...one, isBinary: !one.isBinary } : one));
    const isHalf = kase.model.inputs.some(
      ({ output, datatype }) => output === outputs[at]?.name && datatype === 'FP16',
    );
    const turned = { ...kase, outputs };
    return isHalf ? refused(writeCase(turned), `outputs[${at}].parameters.binary_data: `) : answered(turned);
  },
  "an output's form that is no flag": (kase, rng) =>
    onOutput(kase, rng, 'parameters.binary_data: ', { parameters: { binary_data: pick(rng, ['true', 1, 0, null]) } }),
  "an output's parameters that are no object": (kase, rng) =>
    onOutput(kase, rng, 'parameters: ', { parameters: pick(rng, noObject) }),
  "an output's parameter of no type for one": (kase, rng) =>
    onOutput(kase, rng, 'parameters.x: ', { parameters: { x: pick(rng, noParameter) } }),
  'an extension that is not served': (kase, rng) => {
    const name = pick(rng, ['classification', 'shared_memory_region']);
    return onOutput(kase, rng, `parameters.${name}: `, { parameters: { [name]: pick(rng, [1, 'r']) } });
  },
  'members nobody knows': (kase, rng) =>
    answered(
      kase,
      changed(kase, ({ message }) => {
        const place = pick(rng, [message, ...message.inputs, ...(message.outputs ?? [])]);
        const name = pick(rng, ['more', 'model_name', 'Inputs', 'toString']);
        place[name] = pick(rng, [null, 7, [[]], { a: { b: [] } }]);
      }),
    ),
  'no message': (kase, rng) => {
    const text = pick(rng, [
      'null',
      '7',
      '"x"',
      '[]',
      'true',
      ' ',
      kase.inputs.some(({ isBinary }) => isBinary) ? '\n' : '',
    ]);
    return refused(withDraft(kase, { asText: () => text }), 'body: ');
  },
  'JSON that is none': (kase, rng) => {
    const spoil = pick<(text: string) => string>(rng, [
      (text) => text.slice(0, 1 + rng.below(text.length - 1)),
      (text) => `${text}}`,
      (text) => `${text}x`,
      (text) => text.replace('"', "'"),
      (text) => text.replace('{', '{,'),
      (text) => text.replace('"inputs"', '"x":NaN,"inputs"'),
      (text) => text.replace('"inputs"', '"x":01,"inputs"'),
      (text) => text.replace('"inputs"', '"x":"\u0001","inputs"'),
      (text) => text.replace('"inputs"', '/* no */"inputs"'),
    ]);
    return refused(withDraft(kase, { asText: spoil }), 'body: ');
  },
  'text that is no UTF-8': (kase, rng) => {
    const bytes = pick(rng, [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]]);
    return refusedWhen(kase, 'body: ', (draft) => {
      draft.message.id = 'HERE';
      draft.asText = (text) => {
        const at = text.indexOf('HERE');
        return Buffer.concat([Buffer.from(text.slice(0, at)), Buffer.from(bytes), Buffer.from(text.slice(at))]);
      };
    });
  },
  'nesting deeper than any stack': (kase, rng) => {
    const depth = pick(rng, [1000, 100_000]);
    const nest = pick(rng, ['['.repeat(depth) + ']'.repeat(depth), '{"a":'.repeat(depth) + 0 + '}'.repeat(depth)]);
    const place = pick(rng, ['id', 'parameters', 'outputs']);
    // An object that is nested once is one of parameters, whose values then are no parameters.
    return refusedWhen(kase, new RegExp(`^(${place}|body)`), (draft) => {
      Object.assign(draft.message, { [place]: '<HERE>' });
      draft.asText = (text) => text.replace('HERE', nest);
    });
  },
  'white space and escapes': (kase, rng) => {
    const dress = pick<(text: string) => string>(rng, [
      (text) => `\r\n\t ${text} \n`,
      (text) => text.replace('"inputs"', '"\\u0069nputs"'),
      (text) => text.replace(/,"(?=name|shape|datatype|data|parameters)/g, ' ,\n "'),
    ]);
    return answered(kase, withDraft(kase, { asText: dress }));
  },
  'a key twice': (kase) => {
    const draft = withDraft(kase, { asText: (text) => text.replace(/^\{/, '{"id":"first","id":"second",') });
    const of = ['first', 'second', kase.id].map((id) => answered({ ...kase, id }).expected);
    return { draft, expected: { kind: 'either', of } };
  },
};

/** An object with one more member of its own, whatever its name. */
function own(fields: object, name: string, value: unknown): object {
  return Object.fromEntries([...Object.entries(fields), [name, value]]);
}

function onOutput(kase: InferCase, rng: Rng, field: string, change: object): Mutated | null {
  if (kase.outputs === null) return null;
  const at = rng.below(kase.outputs.length);
  return refusedWhen(
    kase,
    `outputs[${at}].${field}`,
    ({ message }) => void Object.assign(message.outputs?.[at] ?? {}, change),
  );
}
