import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Tensor } from '../../gateway/protocols/tensors.ts';
import { RequestFault } from '../../gateway/worker/fault.ts';
import type { ModelMetadata } from '../../gateway/worker/metadata.ts';
import { type InferRequest, readInfer } from '../../gateway/worker/read-infer.ts';
import { frame, toBinary } from '../support/infer-message.ts';

const pair: ModelMetadata = {
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [-1, 2] },
    { name: 'b', datatype: 'INT64', shape: [-1] },
  ],
  outputs: [
    { name: 'c', datatype: 'FP32', shape: [-1, 2] },
    { name: 'h', datatype: 'FP16', shape: [-1] },
  ],
};

const a = { name: 'a', shape: [1, 2], datatype: 'FP32', data: [0.5, -1] };
const b = { name: 'b', shape: [1], datatype: 'INT64', data: [7] };
const c = [{ name: 'c' }];

function read(
  message: object,
  binary: readonly Uint8Array[] = [],
  metadata = pair,
  maxBatch: number | null = 4,
): InferRequest {
  const { body, headers } = frame(message, binary);
  return readInfer(body, headers['inference-header-content-length'] ?? null, { metadata, maxBatch });
}

function single(datatype: Tensor['datatype'], shape: readonly number[]): ModelMetadata {
  return { inputs: [{ name: 'x', datatype, shape }], outputs: [{ name: 'y', datatype, shape }] };
}

function bytesOf(request: InferRequest): (number[] | readonly string[])[] {
  return request.inputs.map(({ data }) => (data instanceof Uint8Array ? [...data] : data));
}

function refused(call: () => unknown, message: RegExp | string, status = 400): void {
  assert.throws(call, (error: unknown) => {
    assert.ok(error instanceof RequestFault, String(error));
    assert.equal(error.status, status);
    if (typeof message === 'string') assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  });
}

describe('a request that is in order', () => {
  test('is read into bytes, in the order of the model', () => {
    const { id, inputs } = read({ id: 'one', inputs: [b, a], outputs: c });
    assert.equal(id, 'one');
    assert.deepEqual(inputs, [
      { name: 'a', datatype: 'FP32', shape: [1, 2], data: new Uint8Array(toBinary('FP32', [0.5, -1])) },
      { name: 'b', datatype: 'INT64', shape: [1], data: new Uint8Array(toBinary('INT64', [7])) },
    ]);
  });

  test('may mix JSON and binary tensors; the binary ones lie in the order of the JSON', () => {
    const binary = (name: string, datatype: string, shape: number[], size: number) => ({
      ...{ name, datatype, shape },
      parameters: { binary_data_size: size },
    });
    const numbers = toBinary('FP32', [1, 2]);
    const counts = toBinary('INT64', [3]);
    const wanted = [[...numbers], [...counts]];
    const inA = binary('a', 'FP32', [1, 2], 8);
    const inB = binary('b', 'INT64', [1], 8);
    assert.deepEqual(bytesOf(read({ inputs: [inA, inB], outputs: c }, [numbers, counts])), wanted);
    assert.deepEqual(bytesOf(read({ inputs: [inB, inA], outputs: c }, [counts, numbers])), wanted);
    assert.deepEqual(bytesOf(read({ inputs: [inA, { ...b, data: [3] }], outputs: c }, [numbers])), wanted);
    assert.deepEqual(bytesOf(read({ inputs: [{ ...a, data: [1, 2] }, inB], outputs: c }, [counts])), wanted);
  });

  test('keeps an empty id, and has none where none was given', () => {
    assert.equal(read({ id: '', inputs: [a, b], outputs: c }).id, '');
    assert.equal(read({ inputs: [a, b], outputs: c }).id, null);
  });

  test('wants every output where it names none, in the form it asks for', () => {
    for (const outputs of [undefined, []]) {
      const request = read({ inputs: [a, b], outputs, parameters: { binary_data_output: true } });
      assert.deepEqual(request.outputs, [
        { name: 'c', isBinary: true },
        { name: 'h', isBinary: true },
      ]);
    }
  });

  test('may override the form for each output', () => {
    const { outputs } = read({
      inputs: [a, b],
      outputs: [
        { name: 'h', parameters: {} },
        { name: 'c', parameters: { binary_data: false } },
      ],
      parameters: { binary_data_output: true },
    });
    assert.deepEqual(outputs, [
      { name: 'h', isBinary: true },
      { name: 'c', isBinary: false },
    ]);
  });

  test('may have parameters of its own, and members nobody knows', () => {
    const parameters = { text: 'x', count: 2n ** 60n, share: 0.5, flag: true };
    read({ inputs: [{ ...a, parameters, more: [1] }, b], outputs: [{ name: 'c', parameters }], parameters, more: {} });
  });

  test('may be for no rows', () => {
    const { inputs } = read({
      inputs: [
        { ...a, shape: [0, 2], data: [] },
        { ...b, shape: [0], data: [] },
      ],
      outputs: c,
    });
    assert.deepEqual(
      inputs.map(({ shape }) => shape),
      [[0, 2], [0]],
    );
  });

  test('needs no inputs for a model that has none', () => {
    assert.deepEqual(read({ inputs: [] }, [], { inputs: [], outputs: [] }, null).inputs, []);
  });
});

describe('a request at fault is refused with the field, what it was and what was wanted', () => {
  const wrong: Readonly<Record<string, readonly [object, RegExp]>> = {
    'no object': [[1], /^body: got \[1\], wanted an object$/],
    'an id that is no text': [{ id: 7, inputs: [a, b] }, /^id: got 7, wanted a text$/],
    'no inputs': [{}, /^inputs: got nothing, wanted a list$/],
    'inputs that are no list': [{ inputs: a }, /^inputs: got \{"name":"a".*\}, wanted a list$/],
    'an input that is no object': [{ inputs: [3] }, /^inputs\[0\]: got 3, wanted an object$/],
    'an input left out': [{ inputs: [a], outputs: c }, /^inputs: got nothing, wanted the input b$/],
    'an input twice': [{ inputs: [a, b, a], outputs: c }, /^inputs: got "a 2 times", wanted each input once$/],
    'an unknown input': [{ inputs: [{ ...a, name: 'z' }] }, /^inputs\[0\]\.name: got "z", wanted one of a, b$/],
    'an input named as objects name their prototype': [
      { inputs: [a, { ...b, name: '__proto__' }] },
      /^inputs\[1\]\.name: got "__proto__", wanted one of a, b$/,
    ],
    'another datatype': [{ inputs: [{ ...a, datatype: 'FP64' }] }, /^inputs\[0\]\.datatype: got "FP64", wanted FP32$/],
    'a shape of other rank': [
      { inputs: [{ ...a, shape: [2] }] },
      /^inputs\[0\]\.shape: got \[2\], wanted \[-1, 2\], any/,
    ],
    'a shape with digits nobody can count': [
      { inputs: [{ ...a, shape: [12345678901234567890n, 2] }] },
      /^inputs\[0\]\.shape: got \[12345678901234567890,2\], wanted/,
    ],
    'neither data nor its size': [
      { inputs: [{ ...a, data: undefined }] },
      /^inputs\[0\]\.data: got nothing, wanted a list of 2/,
    ],
    'data and its size': [
      { inputs: [{ ...a, parameters: { binary_data_size: 8 } }] },
      /^inputs\[0\]\.data: got \[0\.5,-1\], wanted no data beside binary_data_size$/,
    ],
    'binary data without the header': [
      { inputs: [{ ...a, data: undefined, parameters: { binary_data_size: 8 } }] },
      /^inference-header-content-length: got nothing, wanted the length of the JSON/,
    ],
    'shared memory': [
      { inputs: [{ ...a, data: undefined, parameters: { shared_memory_region: 'r' } }] },
      /^inputs\[0\]\.parameters\.shared_memory_region: got "r", wanted none: this extension is not served$/,
    ],
    'different rows': [
      { inputs: [a, { ...b, shape: [2], data: [1, 2] }], outputs: c },
      /^b\.shape\[0\]: got 2, wanted 1, as in a$/,
    ],
    'parameters that are a list': [{ inputs: [a, b], parameters: [] }, /^parameters: got \[\], wanted an object$/],
    'a parameter that is a list': [
      { inputs: [a, b], parameters: { x: [1] } },
      /^parameters\.x: got \[1\], wanted a text, a number, true or false$/,
    ],
    'a parameter that is null': [{ inputs: [a, b], parameters: { x: null } }, /^parameters\.x: got null/],
    'a flag that is a text': [
      { inputs: [a, b], parameters: { binary_data_output: 'true' } },
      /^parameters\.binary_data_output: got "true", wanted true or false$/,
    ],
    'outputs that are no list': [{ inputs: [a, b], outputs: {} }, /^outputs: got \{\}, wanted a list$/],
    'an unknown output': [
      { inputs: [a, b], outputs: [{ name: 'z' }] },
      /^outputs\[0\]\.name: got "z", wanted one of c, h$/,
    ],
    'an output twice': [{ inputs: [a, b], outputs: [...c, ...c] }, /^outputs: got "c twice"/],
    'half precision in JSON': [
      { inputs: [a, b], outputs: [{ name: 'h' }] },
      /^outputs\[0\]\.parameters\.binary_data: got false, wanted true, for FP16 has no form in JSON$/,
    ],
    'half precision in JSON by default': [
      { inputs: [a, b] },
      /^parameters\.binary_data_output: got false, wanted true/,
    ],
    'a classification': [
      { inputs: [a, b], outputs: [{ name: 'c', parameters: { classification: 3 } }] },
      /^outputs\[0\]\.parameters\.classification: got 3, wanted none/,
    ],
  };
  for (const [what, [message, says]] of Object.entries(wrong)) test(what, () => refused(() => read(message), says));

  test('more rows than the model takes', () => {
    const rows = {
      inputs: [
        { ...a, shape: [5, 2], data: Array(10).fill(0) },
        { ...b, shape: [5], data: Array(5).fill(0) },
      ],
      outputs: c,
    };
    refused(() => read(rows), 'a.shape[0]: got 5, wanted at most 4 rows (max_batch of the model)');
    assert.equal(read(rows, [], pair, 5).inputs.length, 2);
  });

  test('what is no JSON', () => {
    for (const text of ['', '{', '{"inputs":[NaN]}', '{"inputs":[1,]}', "{'id':1}"])
      refused(
        () => readInfer(Buffer.from(text), null, { metadata: pair, maxBatch: 4 }),
        /^body: got .*, wanted JSON in UTF-8; in front of binary data/,
      );
    refused(() => readInfer(Uint8Array.of(0x22, 0xff, 0x22), null, { metadata: pair, maxBatch: 4 }), /^body: /);
  });

  test('what is nested deeper than a stack is, wherever it stands', () => {
    const deep = (open: string, close: string) => open.repeat(200_000) + close.repeat(200_000);
    const lists = deep('[', ']');
    const objects = deep('{"a":', '}').replace('}', '1}');
    for (const nest of [lists, objects]) {
      for (const text of [
        nest,
        `{"id":${nest}}`,
        `{"inputs":${nest}}`,
        `{"inputs":[{"name":"a","datatype":"FP32","shape":[1,2],"data":${nest}}]}`,
        `{"inputs":[{"name":"a","datatype":"FP32","shape":${nest}}]}`,
        `{"id":1234567890123456789,"parameters":{"x":${nest}}}`,
      ])
        refused(
          () => readInfer(Buffer.from(text), null, { metadata: pair, maxBatch: 4 }),
          /^(body|id|inputs|parameters)/,
        );
    }
  });
});

describe('the binary part', () => {
  const inA = { name: 'a', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: 8 } };
  const message = { inputs: [inA, b], outputs: c };
  const { body } = frame(message, [toBinary('FP32', [1, 2])]);
  const jsonBytes = body.length - 8;
  const limits = { metadata: pair, maxBatch: 4 };

  test('begins where the header says', () => {
    assert.equal(readInfer(body, String(jsonBytes), limits).inputs.length, 2);
    for (const length of [jsonBytes - 1, jsonBytes + 1])
      refused(() => readInfer(body, String(length), limits), /^(body|inputs)/);
  });

  test('is refused where the header is no number within the body', () => {
    for (const header of [
      '',
      '-1',
      'x',
      '1.5',
      '0x10',
      '1e2',
      ' 1',
      `${body.length + 1}`,
      '99999999999',
      '5, 5',
      'NaN',
    ])
      refused(
        () => readInfer(body, header, limits),
        `inference-header-content-length: got ${JSON.stringify(header)}, wanted a whole number from 0 to ${body.length}, the length of the body`,
      );
  });

  test('ends with the last tensor', () => {
    const longer = Buffer.concat([body, Buffer.alloc(3)]);
    refused(() => readInfer(longer, String(jsonBytes), limits), /^inputs: got "3 bytes behind the last binary input"/);
    const shorter = body.subarray(0, -1);
    refused(
      () => readInfer(shorter, String(jsonBytes), limits),
      /^inputs\[0\]\.parameters\.binary_data_size: got 8, wanted .* at most the 7/,
    );
  });

  test('is as long as the shape says', () => {
    for (const size of [0, 4, 7]) {
      const given = { inputs: [{ ...inA, parameters: { binary_data_size: size } }, b], outputs: c };
      refused(
        () => read(given, [Buffer.alloc(size)]),
        `inputs[0].parameters.binary_data_size: got ${size}, wanted 8 for 2 of FP32`,
      );
    }
    for (const size of [-8, 8.5, '8', true, null]) {
      const given = { inputs: [{ ...inA, parameters: { binary_data_size: size } }, b], outputs: c };
      refused(() => read(given, [Buffer.alloc(8)]), /^inputs\[0\]\.parameters\.binary_data_size: got/);
    }
  });
});

describe('raw binary', () => {
  const raw = (body: Uint8Array, metadata: ModelMetadata, maxBatch: number | null): InferRequest =>
    readInfer(body, '0', { metadata, maxBatch });

  test('is one row, and every output comes back in binary', () => {
    const request = raw(toBinary('FP32', [1, 2]), single('FP32', [-1, 2]), 4);
    assert.deepEqual(request.inputs[0]?.shape, [1, 2]);
    assert.deepEqual(request.outputs, [{ name: 'y', isBinary: true }]);
    assert.equal(request.id, null);
  });

  test('fills a free dimension: besides that of the batch, or where there is no batch', () => {
    assert.deepEqual(raw(Buffer.alloc(24), single('FP32', [-1, 2, -1]), 4).inputs[0]?.shape, [1, 2, 3]);
    assert.deepEqual(raw(Buffer.alloc(12), single('FP32', [-1]), null).inputs[0]?.shape, [3]);
    assert.deepEqual(raw(Buffer.alloc(0), single('FP32', [-1]), null).inputs[0]?.shape, [0]);
    assert.deepEqual(raw(Buffer.alloc(4), single('FP32', []), null).inputs[0]?.shape, []);
    refused(() => raw(Buffer.alloc(10), single('FP32', [-1, 2]), null), 'body: got 10, wanted a multiple of 8 bytes');
  });

  test('of BYTES is the one element itself', () => {
    for (const shape of [[-1], [-1, 1], [1]]) {
      const { inputs } = raw(Buffer.from('größer'), single('BYTES', shape), shape[0] === -1 ? 4 : null);
      assert.deepEqual(inputs[0]?.data, ['größer']);
      assert.deepEqual(inputs[0]?.shape, shape.map(Math.abs));
    }
    refused(
      () => raw(Buffer.from('x'), single('BYTES', [-1, 2]), 4),
      /^inference-header-content-length: .*a single element of BYTES/,
    );
    refused(() => raw(Uint8Array.of(0xff), single('BYTES', [1]), null), /^body: .*UTF-8/);
  });

  test('needs the length of a row, one input, and at most one free dimension', () => {
    refused(() => raw(Buffer.alloc(12), single('FP32', [-1, 2]), 4), 'body: got 12, wanted 8 for 2 of FP32');
    refused(
      () => raw(Buffer.alloc(12), pair, 4),
      /^inference-header-content-length: got 0, .*one input, and this one has 2$/,
    );
    refused(
      () => raw(Buffer.alloc(12), single('FP32', [-1, -1, -1]), 4),
      /^inference-header-content-length: .*free dimension/,
    );
  });
});

describe('values in JSON', () => {
  const readOne = (datatype: Tensor['datatype'], data: unknown, shape = [2]) =>
    bytesOf(
      read(
        { inputs: [{ name: 'x', datatype, shape, data }], outputs: [] },
        [],
        single(
          datatype,
          shape.map(() => -1),
        ),
        null,
      ),
    )[0];

  test('of 64 bits keep every digit, however they are written', () => {
    for (const [literal, value] of [
      ['9007199254740993', 9007199254740993n],
      ['-9223372036854775808', -(2n ** 63n)],
      ['9007199254740993.0', 9007199254740993n],
      ['9.007199254740993e15', 9007199254740993n],
      ['123456789012345e4', 1234567890123450000n],
      ['1e16', 10n ** 16n],
      ['1E+2', 100n],
      ['-0', 0n],
    ] as const)
      assert.deepEqual(readOne('INT64', [`<${literal}>`], [1]), [...toBinary('INT64', [value])], literal);
    assert.deepEqual(readOne('UINT64', [2n ** 64n - 1n], [1]), [...toBinary('UINT64', [2n ** 64n - 1n])]);
  });

  test('of whole numbers stay in their range and have no fraction', () => {
    const ranges = { INT8: [-129, 128], UINT8: [-1, 256], INT16: [-32_769, 32_768], UINT16: [-1, 65_536] };
    const wide = {
      INT32: [-(2 ** 31) - 1, 2 ** 31],
      UINT32: [-1, 2 ** 32],
      INT64: [-(2n ** 63n) - 1n, 2n ** 63n],
      UINT64: [-1, 2n ** 64n],
    };
    for (const [datatype, outside] of Object.entries({ ...ranges, ...wide }) as ['INT8', (number | bigint)[]][]) {
      for (const value of [...outside, 0.5, '<1e300>', '<0e999999999>', '1', true, null]) {
        if (value === '<0e999999999>') assert.ok(readOne(datatype, [value], [1])?.every((byte) => byte === 0));
        else refused(() => readOne(datatype, [0, value]), /^inputs\[0\]\.data\[1\]: got .*, wanted whole numbers from/);
      }
    }
    refused(() => readOne('INT64', [`<9007199254740993.${'0'.repeat(100)}>`], [1]), /^inputs\[0\]\.data\[0\]/);
    refused(() => readOne('INT64', ['<9007199254740993.5>'], [1]), /^inputs\[0\]\.data\[0\]/);
  });

  test('of broken numbers are finite in their precision', () => {
    assert.deepEqual(readOne('FP32', [3.4028234e38, '<-0.0>']), [...toBinary('FP32', [3.4028234e38, -0])]);
    assert.deepEqual(readOne('FP64', [1e39, 12345678901234567890n]), [
      ...toBinary('FP64', [1e39, 12345678901234567890n]),
    ]);
    for (const value of [1e39, '<1e400>', '<-1e39>', null, 'NaN', true])
      refused(() => readOne('FP32', [0, value]), /^inputs\[0\]\.data\[1\]/);
    for (const value of ['<1e309>', null, '1']) refused(() => readOne('FP64', [0, value]), /^inputs\[0\]\.data\[1\]/);
  });

  test('of truth are true, false, 0 or 1', () => {
    assert.deepEqual(readOne('BOOL', [true, false, 0, 1], [4]), [1, 0, 0, 1]);
    for (const value of [2, -1, 'true', null, 0.5])
      refused(() => readOne('BOOL', [true, value]), /^inputs\[0\]\.data\[1\]: .*true, false, 0 or 1 for BOOL/);
  });

  test('of BYTES are texts that reach the model as they are', () => {
    assert.deepEqual(readOne('BYTES', ['', 'größer \u{1f600}']), ['', 'größer \u{1f600}']);
    for (const value of [1, null, ['a'], 'a\0b', '\ud800'])
      refused(() => readOne('BYTES', ['', value]), /^inputs\[0\]\.data\[1\]: got/);
  });

  test('of half precision have no form', () => {
    refused(
      () => readOne('FP16', [1, 2]),
      'inputs[0].data: got [1,2], wanted binary data, for FP16 has no form in JSON',
    );
  });

  test('may be nested as the shape says, and not otherwise', () => {
    const flat = [1, 2, 3, 4, 5, 6];
    const wanted = [...toBinary('FP32', flat)];
    assert.deepEqual(readOne('FP32', flat, [2, 3]), wanted);
    assert.deepEqual(
      readOne(
        'FP32',
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        [2, 3],
      ),
      wanted,
    );
    assert.deepEqual(
      readOne(
        'FP32',
        [
          [[1], [2], [3]],
          [[4], [5], [6]],
        ],
        [2, 3, 1],
      ),
      wanted,
    );
    assert.deepEqual(readOne('FP32', [[], []], [2, 0]), []);
    assert.deepEqual(readOne('FP32', [], [2, 0]), []);
    for (const data of [
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [
        [1, 2, 3],
        [4, 5],
      ],
      [[1, 2, 3], 4, 5, 6],
      [1, 2, 3, 4, 5],
      [1, 2, 3, [4, 5, 6]],
      [
        [1, 2, 3],
        [4, 5, [6]],
      ],
      1,
      {},
      '123456',
      null,
    ])
      refused(() => readOne('FP32', data, [2, 3]), /^inputs\[0\]\.data/);
    assert.deepEqual(readOne('FP32', [1], []), [...toBinary('FP32', [1])]);
    refused(() => readOne('FP32', [[1]], []), /^inputs\[0\]\.data/);
  });
});

describe('values in binary', () => {
  const readOne = (datatype: Tensor['datatype'], bytes: Uint8Array, shape = [2]) =>
    bytesOf(
      read(
        {
          inputs: [{ name: 'x', datatype, shape, parameters: { binary_data_size: bytes.length } }],
          outputs: [{ name: 'y', parameters: { binary_data: true } }],
        },
        [bytes],
        single(
          datatype,
          shape.map(() => -1),
        ),
        null,
      ),
    )[0];

  test('of BOOL are bytes of 0 and 1', () => {
    assert.deepEqual(readOne('BOOL', Uint8Array.of(1, 0)), [1, 0]);
    refused(() => readOne('BOOL', Uint8Array.of(1, 2)), 'inputs[0][1]: got 2, wanted a byte of 0 or 1 for BOOL');
  });

  test('of BYTES are each its length and its bytes, which are UTF-8', () => {
    assert.deepEqual(readOne('BYTES', toBinary('BYTES', ['\ufeffa', ''])), ['\ufeffa', '']);
    for (const texts of [[], ['a'], ['a', 'b', 'c']])
      refused(
        () => readOne('BYTES', toBinary('BYTES', texts)),
        /^inputs\[0\]\.parameters\.binary_data_size: .*2 elements/,
      );
    const even = toBinary('BYTES', ['a', 'bc']);
    refused(() => readOne('BYTES', even.subarray(0, -1)), /^inputs\[0\]\.parameters\.binary_data_size/);
    refused(
      () => readOne('BYTES', Buffer.concat([even, Buffer.alloc(3)])),
      /^inputs\[0\]\.parameters\.binary_data_size/,
    );
    refused(() => readOne('BYTES', toBinary('BYTES', ['a', Uint8Array.of(0xc3)])), /^inputs\[0\]\[1\]: .*UTF-8/);
    refused(() => readOne('BYTES', toBinary('BYTES', ['a\0b', ''])), /^inputs\[0\]\[0\]: .*without NUL/);
  });

  test('of half precision are their bits', () => {
    assert.deepEqual(readOne('FP16', Uint8Array.of(1, 0x7e, 0, 0x3c)), [1, 0x7e, 0, 0x3c]);
  });
});
