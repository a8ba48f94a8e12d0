import { isUtf8 } from 'node:buffer';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Rng } from '../../../gateway/kernel/rng.ts';
import { widthOf } from '../infer-message.ts';
import { answered, echoOf, type Mutated, refused } from './expectation.ts';
import { countOf, drawElements, type InferCase, inBinary, pick, render, writeCase } from './infer-case.ts';
import { changed, type Mutation, refusedWhen, withDraft } from './mutation.ts';

const lengthHeader = 'inference-header-content-length';
const hasBinary = ({ inputs }: InferCase): boolean => inputs.some(({ isBinary }) => isBinary);
const binaryBytes = (kase: InferCase): number => Buffer.concat(writeCase(kase).binary).length;

/** What a raw body is to a model: its single input, whose shape it fills. Null where the model cannot take one. */
function asRaw(kase: InferCase, body: Buffer): InferCase | null {
  const [input, more] = kase.inputs;
  if (input === undefined || more !== undefined) return null;
  const { datatype, dims } = input.of;
  const row = kase.model.mostRows === null ? dims : [1, ...dims.slice(1)];
  const free = row.filter((size) => size === -1).length;
  const width = datatype === 'BYTES' ? body.length : widthOf(datatype);
  const fixed = countOf(row.filter((size) => size !== -1));
  const filled = datatype === 'BYTES' ? 1 : body.length / width / fixed;
  if (free > 1 || (free === 0 && filled !== 1) || !Number.isInteger(filled)) return null;
  const shape = row.map((size) => (size === -1 ? filled : size));
  if (datatype === 'BYTES' && (countOf(shape) !== 1 || body.includes(0) || !isUtf8(body))) return null;
  const elements =
    datatype === 'BYTES'
      ? [body]
      : Array.from({ length: countOf(shape) }, (_, at) => body.subarray(at * width, (at + 1) * width));
  return { ...kase, id: null, outputs: null, allBinary: true, inputs: [{ ...input, shape, elements }] };
}

/** A body sent as raw binary. */
function raw(kase: InferCase, body: Buffer | null, isFaulty = false): Mutated {
  const draft = withDraft(kase, { headerLength: () => '0', ...(body === null ? {} : { asBody: () => body }) });
  const sent = body ?? render(withDraft(kase, { headerLength: () => '0' })).body;
  const read = isFaulty ? null : asRaw(kase, sent);
  if (read !== null) return { draft, expected: echoOf(read) };
  return refused(draft, /^(body|inference-header-content-length)\b/);
}

function encoded(kase: InferCase, name: string, encode: (body: Buffer) => Buffer): Mutated {
  return answered(
    kase,
    changed(kase, (draft) => {
      draft.headers.push(['content-encoding', name]);
      draft.asBody = encode;
    }),
  );
}

function misencoded(
  kase: InferCase,
  name: string,
  status: number,
  encode: (body: Buffer) => Buffer = (body) => body,
): Mutated {
  const { draft } = encoded(kase, name, encode);
  return refused(draft, 'content-encoding: ', status);
}

/** Spoils the last binary tensor. */
function onBinary(kase: InferCase, datatype: string, field: string, spoil: (raw: Buffer) => Buffer): Mutated | null {
  const at = kase.inputs.findIndex(
    ({ of, isBinary, elements }) => isBinary && of.datatype === datatype && elements.length > 0,
  );
  const input = kase.inputs[at];
  if (input === undefined) return null;
  const before = kase.inputs.slice(0, at).filter(({ isBinary }) => isBinary).length;
  const spoilt = spoil(inBinary(input.of.datatype, input.elements));
  return refusedWhen(kase, new RegExp(`^inputs\\[${at}\\]${field}: `), ({ message, binary }) => {
    Object.assign(message.inputs[at] ?? {}, { parameters: { binary_data_size: spoilt.length } });
    binary[before] = spoilt;
  });
}

/** Pieces of a body in the chunked transfer coding. */
function chunked(body: Buffer, rng: Rng): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const part = body.subarray(at, at + 1 + rng.below(body.length));
    parts.push(Buffer.from(`${part.length.toString(16)}${pick(rng, ['', ';a=b'])}\r\n`), part, Buffer.from('\r\n'));
    at += part.length;
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

const chunkedHeader: [string, string] = ['transfer-encoding', 'chunked'];

/** Changes of how a message is framed: the header's length, the binary part, content encodings, HTTP itself, and the path. */
export const framingMutations: Readonly<Record<string, Mutation>> = {
  'a header length that is off': (kase, rng) => {
    if (!hasBinary(kase)) return null;
    const binary = binaryBytes(kase);
    const off = pick(
      rng,
      [-1, -7, 1, 3].filter((one) => one <= binary),
    );
    return refusedWhen(kase, /^(body|inputs)/, (draft) => {
      draft.headerLength = (jsonBytes) => String(jsonBytes + off);
    });
  },
  'a header length that is none': (kase, rng) => {
    const length = pick(rng, ['-1', 'x', '1.5', '0x10', '1e2', '', '99999999999', '+7', '1 0', 'NaN', '٣']);
    return refusedWhen(kase, `${lengthHeader}: `, (draft) => {
      draft.headerLength = () => length;
    });
  },
  'a header length beyond the body': (kase, rng) => {
    const beyond = pick(rng, [1, 1000]);
    return refusedWhen(kase, `${lengthHeader}: `, (draft) => {
      draft.headerLength = (jsonBytes) => String(jsonBytes + binaryBytes(kase) + beyond);
    });
  },
  'no header length': (kase) =>
    hasBinary(kase)
      ? refusedWhen(kase, new RegExp(`^(body|${lengthHeader})`), (draft) => {
          draft.headerLength = () => null;
        })
      : answered(kase, withDraft(kase, { headerLength: String })),
  'the header length twice': (kase) =>
    refusedWhen(kase, `${lengthHeader}: `, (draft) => {
      draft.headerLength = String;
      draft.headers.push([lengthHeader, '5']);
    }),
  'a header length with zeros in front': (kase) =>
    answered(kase, withDraft(kase, { headerLength: (jsonBytes) => `000${jsonBytes}` })),
  'a header length of 0': (kase) => raw(kase, null),
  'raw binary': (kase, rng) => {
    const [input] = kase.inputs;
    if (input === undefined) return null;
    const { datatype, dims } = input.of;
    const count = countOf(dims.map((size) => Math.abs(size)));
    return raw(
      kase,
      datatype === 'BYTES'
        ? Buffer.from(pick(rng, ['', 'a', 'größer']))
        : inBinary(datatype, drawElements(rng, datatype, count, true)),
    );
  },
  'raw binary of another length': (kase, rng) => {
    const [input] = kase.inputs;
    if (input === undefined || input.of.datatype === 'BYTES') return null;
    return raw(kase, Buffer.alloc(rng.below(40)));
  },
  'raw binary that is no value': (kase, rng) => {
    const datatype = kase.inputs[0]?.of.datatype;
    if (datatype === 'BOOL') return raw(kase, Buffer.of(1, 2), true);
    return datatype === 'BYTES' ? raw(kase, pick(rng, [Buffer.of(0xff), Buffer.of(0x61, 0)]), true) : null;
  },
  'bytes behind the last tensor': (kase, rng) => {
    const rest = Buffer.alloc(1 + rng.below(20), 7);
    return refusedWhen(kase, 'inputs: ', (draft) => {
      draft.headerLength = String;
      draft.binary.push(rest);
    });
  },
  'a binary part that ends too early': (kase, rng) => {
    const bytes = binaryBytes(kase);
    if (bytes === 0) return null;
    const missing = 1 + rng.below(bytes);
    return refusedWhen(kase, /^inputs\[\d\]\.parameters\.binary_data_size: /, (draft) => {
      draft.binary = [Buffer.concat(draft.binary).subarray(0, bytes - missing)];
    });
  },
  'a truth value of 2': (kase, rng) =>
    onBinary(kase, 'BOOL', '\\[\\d+\\]', (bytes) => bytes.fill(pick(rng, [2, 255]), bytes.length - 1)),
  'a text that is longer than its tensor': (kase, rng) =>
    onBinary(kase, 'BYTES', '\\.parameters\\.binary_data_size', (bytes) => {
      bytes.writeUInt32LE(pick(rng, [bytes.length, 2 ** 31, 2 ** 32 - 1]));
      return bytes;
    }),
  'a text that is no UTF-8': (kase, rng) =>
    onBinary(kase, 'BYTES', '\\[0\\]', (bytes) => {
      const spoilt = pick(rng, [Buffer.of(0xff), Buffer.of(0xc3), Buffer.of(0x61, 0, 0x62)]);
      return Buffer.concat([inBinary('BYTES', [spoilt]), bytes.subarray(4 + bytes.readUInt32LE())]);
    }),
  'a body that is compressed': (kase, rng) =>
    pick(rng, [
      () => encoded(kase, pick(rng, ['gzip', 'x-gzip', 'GZIP']), (body) => gzipSync(body)),
      () => encoded(kase, 'deflate', (body) => deflateSync(body)),
      () => encoded(kase, 'br', (body) => brotliCompressSync(body)),
      () => encoded(kase, 'identity', (body) => body),
    ])(),
  'a body that is not compressed as it says': (kase, rng) =>
    pick(rng, [
      () => misencoded(kase, pick(rng, ['gzip', 'deflate', 'br']), 400),
      () => misencoded(kase, 'gzip', 400, (body) => gzipSync(body).subarray(0, -9)),
      () => misencoded(kase, 'gzip', 400, (body) => deflateSync(body)),
      () => misencoded(kase, pick(rng, ['zip', 'compress', 'gzip, br', 'none', '*']), 415),
    ])(),
  'another content type': (kase, rng) => {
    const type = pick(rng, [
      null,
      '',
      'text/plain',
      'application/json; charset=latin1',
      'application/octet-stream',
      'x',
    ]);
    return answered(kase, withDraft(kase, { headers: type === null ? [] : [['content-type', type]] }));
  },
  'other headers': (kase, rng) =>
    answered(
      kase,
      changed(kase, ({ headers }) => {
        headers.push(
          pick<[string, string]>(rng, [
            ['accept-encoding', 'gzip'],
            ['accept', 'text/html'],
            ['x-request-id', 'a b'],
            ['x-a', 'y'.repeat(8000)],
            ['content-length-x', '7'],
            ['range', 'bytes=0-1'],
            ['if-none-match', '*'],
          ]),
        );
      }),
    ),
  'a body in chunks': (kase, rng) =>
    answered(kase, withDraft(kase, { asWire: (body) => ({ headers: [chunkedHeader], wire: chunked(body, rng) }) })),
  'HTTP that is none': (kase, rng) => {
    const asWire = pick<(body: Buffer) => { headers: [string, string][]; wire: Buffer }>(rng, [
      (body) => ({ headers: [['content-length', 'x']], wire: body }),
      (body) => ({ headers: [['content-length', '-1']], wire: body }),
      (body) => ({ headers: [['content-length', String(body.length)], chunkedHeader], wire: chunked(body, rng) }),
      (body) => ({
        headers: [
          ['content-length', String(body.length)],
          ['content-length', String(body.length + 1)],
        ],
        wire: body,
      }),
      (body) => ({
        headers: [
          ['bad header', 'x'],
          ['content-length', String(body.length)],
        ],
        wire: body,
      }),
      (body) => ({
        headers: [
          ['transfer-encoding', 'gzip, chunked, x'],
          ['content-length', String(body.length)],
        ],
        wire: body,
      }),
    ]);
    return { draft: withDraft(kase, { asWire }), expected: { kind: 'refused', status: 400, says: null } };
  },
  'a content length that cuts the body short': (kase, rng) =>
    refusedWhen(kase, /^(body|inputs|inference-header-content-length)/, (draft) => {
      draft.asWire = (body) => {
        const length = rng.below(body.length);
        return { headers: [['content-length', String(length)]], wire: body.subarray(0, length) };
      };
    }),
  'another model': (kase, rng) => {
    const name = pick(rng, ['nobody', 'ECHO-FP32', '%20', '__proto__', 'echo', '%zz', '..%2f', 'a'.repeat(2000)]);
    return refused(withDraft(kase, { path: `/v2/models/${name}/infer` }), /^model .*(echo-BOOL|not known)/, 404);
  },
  'another version': (kase, rng) => {
    const version = pick(rng, ['2', '01', 'x', '-1', '1.0', '%201', '99999999999999999999']);
    return refused(
      withDraft(kase, { path: `/v2/models/${kase.model.name}/versions/${version}/infer` }),
      /^model .* has no version .*1$/,
      404,
    );
  },
  'another method': (kase, rng) =>
    refused(withDraft(kase, { method: pick(rng, ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) }), /wanted POST$/, 405),
  'another path': (kase, rng) => {
    const { name } = kase.model;
    const path = pick(rng, [
      `/v2/models/${name}/infer/`,
      `/v2/models/${name}/Infer`,
      `/v2/models//infer`,
      `/v3/models/${name}/infer`,
      `/v2/models/${name}/versions//infer`,
      `//v2/models/${name}/infer`,
    ]);
    return refused(withDraft(kase, { path }), /^(there is nothing at|model "" )/, 404);
  },
  'a path in other words': (kase, rng) => {
    const coded = [...kase.model.name].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('');
    const path = pick(rng, [
      `/v2/models/${coded}/infer`,
      `/v2/models/${kase.model.name}/infer?a=b`,
      `/v2/models/${kase.model.name}/versions/%31/infer?`,
    ]);
    return answered(kase, withDraft(kase, { path }));
  },
};
