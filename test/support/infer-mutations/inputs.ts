import type { Rng } from '../../../gateway/kernel/rng.ts';
import { toJson } from '../infer-message.ts';
import { type ModelDatatype, modelDatatypes } from '../test-models.ts';
import { answered, type Mutated, refused } from './expectation.ts';
import { type CaseInput, countOf, drawElements, type InferCase, pick, type Written, writeCase } from './infer-case.ts';
import { changed, type Mutation, noObject, noParameter, refusedWhen, refusedWith } from './mutation.ts';

/** One input of a request, and where it stands. */
interface Place {
  readonly at: number;
  readonly input: CaseInput;
}

function place(kase: InferCase, rng: Rng, fits: (input: CaseInput) => boolean = () => true): Place | null {
  const fitting = kase.inputs.map((input, at) => ({ at, input })).filter(({ input }) => fits(input));
  return fitting.length === 0 ? null : pick(rng, fitting);
}

const isJson = (input: CaseInput): boolean => !input.isBinary;
const isBinary = (input: CaseInput): boolean => input.isBinary;
const hasElements = (input: CaseInput): boolean => input.elements.length > 0;

/** Changes members of one input as it is written, and expects it to be refused for one of its fields. */
function onInput(
  kase: InferCase,
  found: Place | null,
  field: string,
  change: (written: Written) => object,
): Mutated | null {
  if (found === null) return null;
  return refusedWhen(kase, new RegExp(`^inputs\\[${found.at}\\]${field}`), ({ message }) => {
    const written = message.inputs[found.at];
    if (written !== undefined) Object.assign(written, change(written));
  });
}

/** Another request in order, in which one input is another. */
function withInput(kase: InferCase, { at }: Place, input: CaseInput): InferCase {
  return { ...kase, inputs: kase.inputs.map((one, n) => (n === at ? input : one)) };
}

/** Changes a value of a tensor in JSON. Literals in angle brackets stand as they are. */
function onElement(
  kase: InferCase,
  rng: Rng,
  datatypes: readonly ModelDatatype[],
  values: readonly unknown[],
): Mutated | null {
  const found = place(
    kase,
    rng,
    (input) => isJson(input) && hasElements(input) && datatypes.includes(input.of.datatype),
  );
  const value = pick(rng, values);
  return onInput(kase, found, '\\.data(\\[\\d+\\])*: ', ({ data }) => {
    const list = [...(data as unknown[])];
    list[rng.below(list.length)] = value;
    return { data: list };
  });
}

const wholeTypes = modelDatatypes.filter((datatype) => /INT/.test(datatype));
const jsonTypes = modelDatatypes.filter((datatype) => datatype !== 'FP16');

/** A list as nested lists. */
function nest(list: readonly unknown[], shape: readonly number[]): unknown {
  const [length = 0, ...inner] = shape;
  if (inner.length === 0) return list;
  const size = list.length / length || 0;
  return Array.from({ length }, (_, at) => nest(list.slice(at * size, (at + 1) * size), inner));
}

/** An integer in other words: with a point or an exponent. */
function reword(value: unknown, rng: Rng): unknown {
  if (typeof value !== 'bigint') return value;
  if (value === 0n) return pick(rng, ['<0.0>', '<-0>', '<0e999999999>', '<0.00E-7>']);
  const digits = String(value);
  return pick(rng, [
    `<${digits}.0>`,
    `<${digits}e0>`,
    `<${digits}0E-1>`,
    `<${digits.replace(/^(-?\d)(\d*)$/, '$1.$20')}e${digits.replace('-', '').length - 1}>`,
  ]);
}

/** Changes of the inputs: of their list, names, datatypes, shapes and of values in JSON. */
export const inputMutations: Readonly<Record<string, Mutation>> = {
  'inputs that are no list': (kase, rng) =>
    refusedWith(kase, 'inputs: ', { inputs: pick(rng, [null, 7, 'x', true, {}]) }),
  'no inputs': (kase) => refusedWhen(kase, 'inputs: ', ({ message }) => void Reflect.deleteProperty(message, 'inputs')),
  'an empty list of inputs': (kase) => refusedWith(kase, 'inputs: ', { inputs: [] }),
  'an input that is no object': (kase, rng) => refusedWith(kase, 'inputs[0]: ', { inputs: [pick(rng, noObject)] }),
  'an input left out': (kase, rng) => {
    const found = place(kase, rng, isJson);
    if (found === null) return null;
    return refusedWhen(kase, 'inputs: ', ({ message }) => void message.inputs.splice(found.at, 1));
  },
  'an input twice': (kase, rng) => {
    const found = place(kase, rng, isJson);
    if (found === null) return null;
    return refused(writeCase({ ...kase, inputs: [...kase.inputs, found.input] }), 'inputs: ');
  },
  'inputs in another order': (kase) => answered({ ...kase, inputs: kase.inputs.toReversed() }),
  'another name': (kase, rng) =>
    onInput(kase, place(kase, rng), '\\.name: ', () => ({
      name: pick(rng, [undefined, null, 7, '', 'X', 'x ', 'y', '__proto__', 'constructor', ['x'], {}]),
    })),
  'another datatype': (kase, rng) =>
    onInput(kase, place(kase, rng), '\\.datatype: ', ({ datatype }) => ({
      datatype: pick(rng, [
        ...modelDatatypes.filter((one) => one !== datatype),
        ...[undefined, null, 7, '', 'BF16', String(datatype).toLowerCase(), 'STRING', '__proto__', [datatype]],
      ]),
    })),
  'a shape that is none': (kase, rng) =>
    onInput(kase, place(kase, rng), '\\.shape: ', ({ shape }) => ({
      shape: pick(rng, [
        undefined,
        null,
        7,
        '[1,2]',
        true,
        {},
        { 0: 1, length: 1 },
        [...(shape as number[]), 1],
        [shape],
      ]),
    })),
  'a dimension that is none': (kase, rng) => {
    const found = place(kase, rng, ({ shape }) => shape.length > 0);
    return onInput(kase, found, '\\.shape: ', ({ shape }) => {
      const dimensions: unknown[] = [...(shape as number[])];
      const at = rng.below(dimensions.length);
      dimensions[at] = pick(rng, [
        -1,
        0.5,
        null,
        true,
        String(dimensions[at]),
        [dimensions[at]],
        '<1e400>',
        '<1e30>',
        2n ** 63n,
      ]);
      return { shape: dimensions };
    });
  },
  'a fixed dimension that is another': (kase, rng) => {
    const found = place(kase, rng, ({ of }) => of.dims.some((one) => one > 0));
    return onInput(kase, found, '\\.shape: ', ({ shape }) => ({
      shape: (shape as number[]).map((size, at) => (found?.input.of.dims[at] === -1 ? size : size + 1)),
    }));
  },
  'fewer dimensions': (kase, rng) => {
    const found = place(kase, rng, ({ shape }) => shape.length > 0);
    return onInput(kase, found, '\\.shape: ', ({ shape }) => ({ shape: (shape as number[]).slice(1) }));
  },
  'a free dimension that the values do not fill': (kase, rng) => {
    const found = place(kase, rng, ({ of }) => of.dims.includes(-1));
    const at = found?.input.of.dims.indexOf(-1) ?? 0;
    const more = pick(rng, [1, 7, 100_000]);
    // In a request for no rows, wider rows hold nothing either.
    if (found?.input.shape.some((size, n) => n !== at && size === 0)) return null;
    return onInput(kase, found, '\\.(data|parameters\\.binary_data_size): ', ({ shape }) => ({
      shape: (shape as number[]).map((size, n) => (n === at ? size + more : size)),
    }));
  },
  'dimensions written as broken numbers': (kase, rng) => {
    const found = place(kase, rng);
    return answered(
      kase,
      changed(kase, ({ message }) => {
        const written = message.inputs[found?.at ?? 0];
        if (written !== undefined)
          written.shape = (written.shape as number[]).map((size) => pick(rng, [`<${size}.0>`, `<${size}e0>`, size]));
      }),
    );
  },
  'more rows than the model takes': (kase, rng) => {
    const { mostRows } = kase.model;
    if (mostRows === null) return null;
    const rows = mostRows + pick(rng, [1, 2, 50]);
    return refused(
      writeCase(withRows(kase, rows, rng)),
      /^(numbers|half|x)\.shape\[0\]: got \d+, wanted at most 8 rows/,
    );
  },
  'another number of rows': (kase, rng) => {
    const { mostRows } = kase.model;
    return mostRows === null ? null : answered(withRows(kase, pick(rng, [0, 1, mostRows]), rng));
  },
  'one input with more rows than the others': (kase, rng) => {
    const [, second] = kase.inputs;
    if (second === undefined) return null;
    const { datatype } = second.of;
    const shape = [(second.shape[0] ?? 0) + 1, ...second.shape.slice(1)];
    const longer = { ...second, shape, elements: drawElements(rng, datatype, countOf(shape), second.isBinary) };
    return refused(writeCase(withInput(kase, { at: 1, input: second }, longer)), /^\w+\.shape\[0\]: /);
  },
  'no data': (kase, rng) => onInput(kase, place(kase, rng, isJson), '\\.data: ', () => ({ data: undefined })),
  'data that are no list': (kase, rng) =>
    onInput(kase, place(kase, rng, isJson), '\\.data: ', () => ({
      data: pick(rng, [null, 7, 'x', true, {}, { length: 0 }]),
    })),
  'fewer or more values': (kase, rng) =>
    onInput(kase, place(kase, rng, isJson), '\\.data: ', ({ data }) => {
      const list = data as unknown[];
      const isMore = list.length === 0 || rng.next() < 0.5;
      return { data: isMore ? [...list, list[0] ?? 0] : list.slice(1) };
    }),
  'values in nested lists': (kase, rng) => {
    const found = place(kase, rng, isJson);
    if (found === null || found.input.shape.length === 0) return null;
    return answered(
      kase,
      changed(kase, ({ message }) => {
        const written = message.inputs[found.at];
        if (written !== undefined) written.data = nest(written.data as unknown[], found.input.shape);
      }),
    );
  },
  'values nested in another way than the shape says': (kase, rng) => {
    const found = place(kase, rng, (input) => isJson(input) && hasElements(input));
    return onInput(kase, found, '\\.data', ({ data }) => {
      const list = data as unknown[];
      const nested = nest(list, found?.input.shape ?? []);
      const rank = found?.input.shape.length ?? 0;
      return {
        data: pick(rng, [
          list.map((one) =>
            Array(Math.max(1, rank))
              .fill(0)
              .reduce((inner) => [inner], one),
          ),
          [nested],
          [list, list],
          [list[0], [list]],
        ]),
      };
    });
  },
  'integers in other words': (kase, rng) => {
    const found = place(kase, rng, (input) => isJson(input) && wholeTypes.includes(input.of.datatype));
    if (found === null) return null;
    return answered(
      kase,
      changed(kase, ({ message }) => {
        const written = message.inputs[found.at];
        if (written !== undefined) written.data = (written.data as unknown[]).map((value) => reword(value, rng));
      }),
    );
  },
  'truth in numbers': (kase, rng) => {
    const found = place(kase, rng, (input) => isJson(input) && input.of.datatype === 'BOOL');
    if (found === null) return null;
    return answered(
      kase,
      changed(kase, ({ message }) => {
        const written = message.inputs[found.at];
        if (written !== undefined) written.data = (written.data as boolean[]).map(Number);
      }),
    );
  },
  'a value that is none': (kase, rng) => onElement(kase, rng, jsonTypes, [null, [], {}, [[1]], { a: 1 }]),
  'a text among numbers': (kase, rng) =>
    onElement(
      kase,
      rng,
      jsonTypes.filter((one) => one !== 'BYTES'),
      ['1', '', 'NaN', 'true'],
    ),
  'a number among texts': (kase, rng) => onElement(kase, rng, ['BYTES'], [7, true, 2n ** 60n]),
  'a text that is not whole': (kase, rng) => onElement(kase, rng, ['BYTES'], ['\ud800', 'a\udc00b', 'a\0b', '\0']),
  'truth among numbers': (kase, rng) => onElement(kase, rng, [...wholeTypes, 'FP32', 'FP64'], [true, false]),
  'more than true': (kase, rng) => onElement(kase, rng, ['BOOL'], [2, -1, 0.5, '<1e30>', 2n ** 60n]),
  'a fraction among integers': (kase, rng) =>
    onElement(kase, rng, wholeTypes, [0.5, '<1e-1>', '<9007199254740993.5>', '<1.00000001>']),
  'an integer beyond its range': (kase, rng) => {
    const found = place(
      kase,
      rng,
      (input) => isJson(input) && hasElements(input) && wholeTypes.includes(input.of.datatype),
    );
    if (found === null) return null;
    const bits = 8n * BigInt(found.input.elements[0]?.length ?? 0);
    const isUnsigned = found.input.of.datatype.startsWith('U');
    const outside = isUnsigned ? [-1n, 2n ** bits] : [-(2n ** (bits - 1n)) - 1n, 2n ** (bits - 1n)];
    return onElement(kase, rng, [found.input.of.datatype], [...outside, '<1e300>', '<-1e300>', 10n ** 30n]);
  },
  'a number beyond its precision': (kase, rng) =>
    onElement(kase, rng, ['FP32'], ['<3.5e38>', '<-1e39>', '<1e400>', 10n ** 40n]) ??
    onElement(kase, rng, ['FP64'], ['<1e309>', '<-1e999>']),
  'half precision in JSON': (kase, rng) => {
    const found = place(kase, rng, ({ of }) => of.datatype === 'FP16');
    if (found === null) return null;
    const draft = writeCase(withInput(kase, found, { ...found.input, isBinary: false }));
    return refused(draft, `inputs[${found.at}].data: `);
  },
  'data beside their size': (kase, rng) =>
    onInput(kase, place(kase, rng, isBinary), '\\.data: ', () => ({ data: pick(rng, [[], [1, 2], null, 'x']) })),
  'a size that is none': (kase, rng) =>
    onInput(kase, place(kase, rng, isBinary), '\\.parameters\\.binary_data_size: ', ({ parameters }) => {
      const { binary_data_size: size } = parameters as { binary_data_size: number };
      return {
        parameters: {
          binary_data_size: pick(rng, [-1, size + 0.5, String(size), true, null, '<1e30>', 2n ** 63n, [size]]),
        },
      };
    }),
  'another size': (kase, rng) =>
    onInput(kase, place(kase, rng, isBinary), '\\.parameters\\.binary_data_size: ', ({ parameters }) => {
      const { binary_data_size: size } = parameters as { binary_data_size: number };
      return { parameters: { binary_data_size: size > 0 && rng.next() < 0.5 ? size - 1 : size + 1 } };
    }),
  'no size': (kase, rng) => onInput(kase, place(kase, rng, isBinary), '\\.data: ', () => ({ parameters: {} })),
  "an input's parameters that are no object": (kase, rng) =>
    onInput(kase, place(kase, rng), '\\.parameters: ', () => ({ parameters: pick(rng, noObject) })),
  "an input's parameter of no type for one": (kase, rng) =>
    onInput(kase, place(kase, rng, isJson), '\\.parameters\\.x: ', () => ({
      parameters: { x: pick(rng, noParameter) },
    })),
  'shared memory': (kase, rng) =>
    onInput(kase, place(kase, rng), '\\.parameters\\.shared_memory_region: ', ({ parameters }) => ({
      parameters: { ...(parameters as object), shared_memory_region: 'r' },
    })),
  "an input's parameters nobody knows": (kase, rng) => {
    const found = place(kase, rng, isJson);
    if (found === null) return null;
    const parameters = { content_type: 'np', count: 3, flag: true };
    return answered(
      kase,
      changed(kase, ({ message }) => void Object.assign(message.inputs[found.at] ?? {}, { parameters })),
    );
  },
};

function withRows(kase: InferCase, rows: number, rng: Rng): InferCase {
  const inputs = kase.inputs.map((input) => {
    const shape = [rows, ...input.shape.slice(1)];
    return { ...input, shape, elements: drawElements(rng, input.of.datatype, countOf(shape), input.isBinary) };
  });
  return { ...kase, inputs };
}

/** What the JSON of a request says, for reports. */
export function describeCase(kase: InferCase): string {
  return toJson(writeCase(kase).message);
}
