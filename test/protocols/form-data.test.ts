import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { boundaryOf, findFields } from '../../gateway/protocols/form-data.ts';
import { repetitions } from '../support/counts.ts';

const numRuns = repetitions({ quick: 60, full: 5_000 });

/** The values of all fields of a name in a form that is written by hand: lines, each with its end. */
function valuesIn(lines: readonly string[], name = 'model', boundary = 'b'): string[] {
  const form = Buffer.from(lines.join('\r\n'));
  return findFields(form, boundary, name).map(({ start, end }) => form.toString('utf8', start, end));
}

/** The lines of one part. */
const part = (head: string, value = 'm'): string[] => ['--b', head, '', value];
const field = (name: string, value = 'm'): string[] => part(`content-disposition: form-data; name="${name}"`, value);
const end = '--b--';

/** The bytes of a form as Node's own client writes them, and its boundary. */
async function written(form: FormData): Promise<{ body: Buffer; boundary: string }> {
  const request = new Request('http://localhost', { method: 'POST', body: form });
  const boundary = boundaryOf(request.headers.get('content-type')) ?? assert.fail('no boundary');
  return { body: Buffer.from(await request.arrayBuffer()), boundary };
}

describe('the boundary of a form', () => {
  it('is read from its content type, quoted or not, among other parameters, in whatever case', () => {
    const types = {
      'multipart/form-data; boundary=abc': 'abc',
      'multipart/form-data;boundary=abc': 'abc',
      'Multipart/Form-Data; Boundary=aBc': 'aBc',
      'multipart/form-data; charset=utf-8; boundary=abc': 'abc',
      'multipart/form-data; boundary=abc; charset=utf-8': 'abc',
      'multipart/form-data; boundary="a b"': 'a b',
      "multipart/form-data; boundary=a'()+_,-./:=?": "a'()+_,-./:=?",
    };
    for (const [type, boundary] of Object.entries(types)) assert.equal(boundaryOf(type), boundary, type);
  });

  it('is none where there is none, or the type is another', () => {
    const types = [
      null,
      '',
      'application/json',
      'multipart/form-data',
      'multipart/form-data; boundary=',
      'multipart/form-data; boundary=""',
      'multipart/form-data; x-boundary=a',
      'multipart/mixed; boundary=a',
      'text/plain; multipart/form-data; boundary=a',
    ];
    for (const type of types) assert.equal(boundaryOf(type), null, String(type));
  });

  it('is not looked for inside the value of another parameter', () => {
    assert.equal(boundaryOf('multipart/form-data; x="; boundary=a"; boundary=b'), 'b');
  });

  it('is refused where it is longer than it may be, or of another form: it would be slow to look for, or read differently', () => {
    for (const boundary of ['a'.repeat(71), '"a;b"', 'é', "a; boundary*=utf-8''b"])
      assert.throws(() => boundaryOf(`multipart/form-data; boundary=${boundary}`), { field: 'body' }, boundary);
  });

  it('is refused where there are two: servers differ in which they take', () => {
    assert.throws(() => boundaryOf('multipart/form-data; boundary=a; boundary=b'), { code: 'invalid_request' });
  });
});

describe('finding fields', () => {
  it('gives the values of every field of the name in any form that Node’s client writes, byte for byte', async () => {
    const name = fc.oneof(fc.constantFrom('model', 'file', 'stream'), fc.string({ unit: 'grapheme', maxLength: 8 }));
    const unit = fc.constantFrom('\r', '\n', '\0', '"', '\\', '-', 'a', 'é', '😀');
    const text = fc.string({ unit, maxLength: 40 });
    const file = fc.record({ bytes: fc.uint8Array({ maxLength: 200 }), fileName: fc.string({ maxLength: 12 }) });
    const parts = fc.array(fc.tuple(name, fc.oneof(text, file)), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(parts, async (all) => {
        const form = new FormData();
        for (const [key, value] of all) {
          if (typeof value === 'string') form.append(key, value);
          else form.append(key, new Blob([Buffer.from(value.bytes)]), value.fileName);
        }
        const { body, boundary } = await written(form);
        const found = findFields(body, boundary, 'model').map((span) => body.subarray(span.start, span.end));
        const wanted = all.flatMap(([key, value]) => {
          if (key !== 'model') return [];
          // As the client is bound to normalise line ends in texts (WHATWG HTML, section 4.10.22.8).
          return [typeof value === 'string' ? value.replace(/\r\n|\r|\n/g, '\r\n') : value.bytes];
        });
        assert.deepEqual(
          found,
          wanted.map((one) => Buffer.from(one)),
        );
      }),
      { numRuns },
    );
  });

  it('gives the fields of a form as curl and the clients of other languages write them', () => {
    for (const head of [
      'Content-Disposition: form-data; name="model"',
      'content-disposition: form-data; name=model',
      'CONTENT-DISPOSITION:form-data;name="model"',
      'Content-Type: text/plain; name="other"\r\nContent-Disposition: form-data; name="model"',
      'Content-Disposition: form-data; name="model"\r\nContent-Type: text/plain; charset=utf-8',
      'Content-Disposition: form-data; filename="a.txt"; name="model"',
      'Content-Disposition: form-data;\r\n name="model"',
    ])
      assert.deepEqual(valuesIn([...part(head), end]), ['m'], head);
  });

  it('takes no other field for one of the name', () => {
    for (const head of [
      'Content-Disposition: form-data; name="models"',
      'Content-Disposition: form-data; name="a"; filename="x; name=model"',
      'Content-Disposition: form-data; name="a"; filename="; name=model; x="',
      'Content-Disposition: form-data; filename="model"; name="a"',
      'Content-Disposition: form-data; xname="model"; name="a"',
      'X-Disposition: form-data; name="model"',
      'X: y',
    ])
      assert.deepEqual(valuesIn([...part(head), end]), [], head);
  });

  it('refuses a part whose name servers read differently', () => {
    const claims = ['name="a"; name="model"', "name*=utf-8''model", 'name*0=mod; name*1=el', 'name="m\\odel"'];
    for (const claim of claims) {
      const head = `Content-Disposition: form-data; ${claim}`;
      assert.throws(() => valuesIn([...part(head), end]), { code: 'invalid_request', field: 'body' }, claim);
    }
  });

  it('gives first and last, empty ones, and those with line ends in them', () => {
    const file = field('file', 'x');
    assert.deepEqual(valuesIn([...field('model'), ...file, end, '']), ['m']);
    assert.deepEqual(valuesIn([...file, ...field('model'), end]), ['m']);
    assert.deepEqual(valuesIn([...field('model', ''), end]), ['']);
    assert.deepEqual(valuesIn([...field('model', 'a\r\n\r\nb\n'), end]), ['a\r\n\r\nb\n']);
    assert.deepEqual(valuesIn([...field('model', '1'), ...file, ...field('model', '2'), end]), ['1', '2']);
  });

  it('looks into no file: what is like a boundary there is none', () => {
    const like = ['--b', '\n--b', '\r--b', '--b--', ' --b\r\n', '\r\n-b', '\r\n --b', '\r\n--a'];
    for (const content of like) {
      const inside = `${content}\r\n${field('model', 'inside').slice(1).join('\r\n')}`;
      assert.deepEqual(
        valuesIn([...field('file', `x${inside}`), ...field('model'), end]),
        ['m'],
        JSON.stringify(content),
      );
    }
  });

  it('passes over what stands behind the last boundary', () => {
    assert.deepEqual(valuesIn([...field('model', '1'), end, ...field('model', '2'), end]), ['1']);
    assert.deepEqual(valuesIn([end, ...field('model'), end]), []);
  });

  it('refuses what stands before the first boundary: a server that cares for no type could read it', () => {
    for (const before of ['before --b', '{"model":"other"}', '', 'nothing of a form'])
      assert.throws(() => valuesIn([before, ...field('model'), end]), { field: 'body' }, before);
  });

  it('refuses a form whose parts servers might tell apart in different ways', () => {
    const malformed: Readonly<Record<string, readonly string[]>> = {
      'cut off in a value': field('model'),
      'cut off in a head': [...field('model'), '--b', 'content-disposition: form-data'],
      'cut off at a boundary': [...field('model'), '--b'],
      'a boundary that goes on': [...field('file', 'x\r\n--bc'), ...field('model'), end],
      'bare line feeds': [...field('model'), end]
        .map((line) => line.replaceAll('\r\n', '\n'))
        .join('\n')
        .split('\r\n'),
      'a boundary with a bare line feed': [`--b\n${field('model').slice(1).join('\n')}`, ...field('model'), end],
      'a last boundary that goes on': [...field('model'), '--b--c', ...field('model'), end],
      'a head that runs into the next part': [
        '--b',
        'content-disposition: form-data; name="a"',
        ...field('model'),
        end,
      ],
      'a head longer than anybody sends': [...part(`x: ${'y'.repeat(2048)}`), end],
      'a head without its end': ['--b', 'content-disposition: form-data; name="model"', end],
      'more parts than anybody sends': [
        ...Array.from({ length: 1000 }, () => field('a')).flat(),
        ...field('model'),
        end,
      ],
    };
    for (const [what, lines] of Object.entries(malformed))
      assert.throws(() => valuesIn(lines), { code: 'invalid_request', status: 400 }, what);
  });
});
