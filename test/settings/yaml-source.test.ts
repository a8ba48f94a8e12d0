import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Environment } from '../../gateway/settings/interpolate.ts';
import { YamlSource } from '../../gateway/settings/yaml-source.ts';
import { faultsOf, least, load, withBackend, withReplica, withTop } from './yaml.ts';

/** What a variable named X stands for in a text. */
function read(text: string, environment: Environment = {}): unknown {
  const source = new YamlSource('x.yaml', text, environment);
  assert.deepEqual(source.faults, []);
  return source.value();
}

const interpolations = [
  ['a variable is replaced', `\${X}`, { X: 'value' }, 'value'],
  ['several in one text are replaced', `\${X}-\${Y}/\${X}`, { X: 'a', Y: 'b' }, 'a-b/a'],
  ['a set variable wins over the default', `\${X:-other}`, { X: 'value' }, 'value'],
  ['the default stands for an unset variable', `\${X:-other}`, {}, 'other'],
  ['the default stands for an empty variable', `\${X:-other}`, { X: '' }, 'other'],
  ['the default may be empty', `a\${X:-}b`, {}, 'ab'],
  ['the default may hold colons, dashes and spaces', `\${X:-http://h:80/a b:-c}`, {}, 'http://h:80/a b:-c'],
  ['an empty variable is a value where there is no default', `a\${X}b`, { X: '' }, 'ab'],
  ['two dollars are one', 'a$$b', {}, 'a$b'],
  ['two dollars keep a variable from being read', `$$\${X}`, { X: 'value' }, '$value'],
  ['a doubled dollar in front of a brace is text', '$${X}', { X: 'value' }, `\${X}`],
  ['a lone dollar is itself', 'a$b $', {}, 'a$b $'],
  ['what is no name is text', `\${} \${1X} \${X Y} \${X-y}`, { X: 'value' }, `\${} \${1X} \${X Y} \${X-y}`],
  ['what a variable holds is not read again', `\${X}`, { X: `\${Y}$$`, Y: 'inner' }, `\${Y}$$`],
] as const;

for (const [claim, text, environment, expected] of interpolations) {
  test(claim, () => {
    assert.deepEqual(read(`key: '${text}'`, environment), { key: expected });
  });
}

test('variables are read in plain, quoted and block texts alike', () => {
  const text = `plain: \${X}\ndouble: "\${X}"\nfolded: >-\n  \${X}\nlist: ["\${X}"]\n`;
  assert.deepEqual(read(text, { X: 'v' }), { plain: 'v', double: 'v', folded: 'v', list: ['v'] });
});

test('keys and comments are left alone', () => {
  assert.deepEqual(Object.keys(Object(read(`\${X}: 1 # \${Y}\n`, { X: 'v' }))), [`\${X}`]);
});

for (const value of [
  '[1, 2]',
  '{ port: 1 }',
  'a\nevil: true',
  '"',
  "'",
  '# x',
  '- a',
  '!!int 5',
  '&a',
  '*a',
  '|',
  '---',
]) {
  test(`${JSON.stringify(value)} in a variable stays a text`, () => {
    assert.deepEqual(read(`key: \${X}\nnext: 1\n`, { X: value }), { key: value, next: 1 });
  });
}

test('a variable cannot become a mapping or a list', () => {
  assert.deepEqual(faultsOf(withTop(`listen: \${X}`), { X: '{ port: 1 }' }), [
    'gateway.yaml:7:9: listen: got "{ port: 1 }", wanted a mapping with host, port, max_body, max_buffered, ...',
  ]);
  const models = least.replace('[m]', `\${X}`);
  assert.deepEqual(faultsOf(models, { X: '[m]' }), [
    'gateway.yaml:4:13: backends[0].models: got "[m]", wanted a list of models',
  ]);
});

test('a number is read from a variable where a number belongs', () => {
  assert.equal(load(withTop(`listen: { port: "\${PORT}" }`), { PORT: '1234' }).listen.port, 1234);
  assert.equal(load(withTop(`listen: { port: "\${PORT:-4321}" }`)).listen.port, 4321);
  const [backend] = load(withReplica(`weight: \${W}`), { W: '0.5' }).backends;
  assert.equal(backend?.replicas[0]?.weight, 0.5);
});

test('true and false are read from a variable where a flag belongs', () => {
  assert.equal(load(withBackend(`load: { report: "\${R}" }`), { R: 'false' }).backends[0]?.wantsReports, false);
  assert.equal(load(withBackend(`load: { report: "\${R}" }`), { R: 'true' }).backends[0]?.wantsReports, true);
});

test('a variable that looks like a number stays a text where a text belongs', () => {
  assert.equal(load(withTop(`admin: { token: "\${T}" }`), { T: '012345' }).admin.token, '012345');
  const [backend] = load(withReplica(`headers: { x-a: "\${T}" }`), { T: '1' }).backends;
  assert.deepEqual(backend?.replicas[0]?.headers, { 'x-a': '1' });
});

test('a text that was quoted, not read from a variable, does not become a number', () => {
  assert.equal(faultsOf(withTop('listen: { port: "80" }')).length, 1);
});

test('a variable that does not fit is told with what it holds, where it stands', () => {
  assert.deepEqual(faultsOf(withTop(`listen: { port: "\${PORT}" }`), { PORT: 'http' }), [
    'gateway.yaml:7:17: listen.port: got "http", wanted a whole number from 0 to 65535',
  ]);
  assert.deepEqual(faultsOf(withTop(`listen: { port: "\${PORT}" }`), { PORT: '99999' }), [
    'gateway.yaml:7:17: listen.port: got 99999, wanted a whole number from 0 to 65535',
  ]);
});

for (const value of ['*x', '&x', '{', '!!x y', '"', '', '- 1']) {
  test(`${JSON.stringify(value)} in a variable is a fault where a number belongs`, () => {
    assert.equal(faultsOf(withTop(`listen: { port: "\${PORT}" }`), { PORT: value }).length, 1);
  });
}

const second =
  '  - { name: b, protocol: open-inference, models: [n], replicas: [{ url: "http://h:2" }], timeouts: *t }\n';

test('an alias stands for what its anchor names', () => {
  const { backends } = load(`${withBackend('timeouts: &t { connect: 5s }')}${second}`);
  assert.deepEqual(
    backends.map((backend) => backend.timeouts.connectMs),
    [5000, 5000],
  );
});

test('a fault behind an alias is told where the alias stands, with the value that its anchor has', () => {
  assert.deepEqual(faultsOf(`${withBackend('timeouts: &t { connect: 5 }')}${second}`), [
    'gateway.yaml:7:29: backends[0].timeouts.connect: got 5, wanted a duration such as 250ms, 30s or 5m',
    `gateway.yaml:8:${second.indexOf('*t') + 1}: backends[1].timeouts.connect: got 5, wanted a duration such as 250ms, 30s or 5m`,
  ]);
});

test('an alias of what no anchor names is a fault where it stands', () => {
  const [fault = '', ...others] = faultsOf(withTop('listen: { port: *nowhere }'));
  assert.match(fault, /^gateway\.yaml:7:17: /);
  assert.deepEqual(others, []);
});

test('aliases that unfold without measure are one fault, not a crash', () => {
  const list = (name: string): string => `[${Array.from({ length: 10 }, () => `*${name}`).join(', ')}]`;
  const names = [...'abcdefghi'];
  const text = `a: &a [x]\n${names.map((name, at) => `${names[at + 1]}: &${names[at + 1]} ${list(name)}\n`).join('')}`;
  const [fault = '', ...others] = faultsOf(withTop(text));
  assert.match(
    fault,
    /^gateway\.yaml:11:\d+: got aliases that stand for more than 10000 values, wanted fewer of them$/,
  );
  assert.deepEqual(others, []);
});

test('an alias may stand for a text from the environment, and each place reads it as it needs it', () => {
  const settings = load(withTop(`listen: { host: &x "\${X}" }\nadmin: { port: *x, token: *x }`), { X: '9000' });
  assert.deepEqual([settings.listen.host, settings.admin.port, settings.admin.token], ['9000', 9000, '9000']);
});

test('an alias stands for what was last given its name', () => {
  const text = withTop('listen: { port: &p 1, host: &p localhost }\nadmin: { host: *p }');
  assert.equal(load(text).admin.host, 'localhost');
});

test('an unknown key that is no text is told where it stands', () => {
  assert.deepEqual(faultsOf(withTop('listen:\n  port: 1\n  2: x')), [
    'gateway.yaml:9:3: listen.2: got the unknown key 2, wanted one of the keys host, port, max_body, max_buffered, drain, grace, reuse_port, zone',
  ]);
});

test('places are the same in a file with Windows line ends', () => {
  const text = withTop('listen: { port: -1 }');
  assert.deepEqual(faultsOf(text.replaceAll('\n', '\r\n')), faultsOf(text));
});

test('a fault of syntax does not shift the places of those behind it', () => {
  assert.deepEqual(
    faultsOf('hello # x\nworld\nb: 1\n').map((fault) => fault.split(':', 3).join(':')),
    ['gateway.yaml:2:1', 'gateway.yaml:3:2', 'gateway.yaml:3:4'],
  );
});
